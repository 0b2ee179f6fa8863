//! Options that have one of two words.

use std::str::FromStr;

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnOff {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl OnOff {
    pub(crate) fn is_on(self) -> bool {
        self == OnOff::On
    }
}

impl FromStr for OnOff {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(OnOff::On),
            "off" => Ok(OnOff::Off),
            _ => Err(format!("\"{text}\" is neither on nor off")),
        }
    }
}

/// Who may look at the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewAccess {
    /// Whoever has a ticket.
    Ticket,
    /// Everybody.
    Open,
}

impl ViewAccess {
    pub(crate) fn is_open(self) -> bool {
        self == ViewAccess::Open
    }
}

impl FromStr for ViewAccess {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ticket" => Ok(ViewAccess::Ticket),
            "open" => Ok(ViewAccess::Open),
            _ => Err(format!("\"{text}\" is neither ticket nor open")),
        }
    }
}
