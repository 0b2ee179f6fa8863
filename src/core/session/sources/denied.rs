//! Why a connection is not let in, in words for whoever is at its other end.

use crate::core::sentences::sorry;
use std::{fmt, time::Duration};

/// Why a connection is not let in now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Denied {
    pub(super) why: TooMany,
    /// How long it lasts, if nobody else comes from there; `None`: nobody knows.
    pub(super) wait: Option<Duration>,
}

/// What an address has too much of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TooMany {
    /// Connections.
    Open(usize),
    /// Connections that have ended within a minute; this number is the most.
    Ended(f64),
    /// Lines.
    Lines,
}

impl Denied {
    pub(super) fn for_now(why: TooMany, seconds: f64) -> Denied {
        Denied { why, wait: Some(Duration::from_secs_f64(seconds)) }
    }

    /// Whether it helps to wait.
    pub(crate) fn may_wait(&self) -> bool {
        self.wait.is_some()
    }

    /// What whoever is refused is told.
    pub(crate) fn refusal(&self) -> String {
        match self.wait {
            Some(wait) => {
                let seconds = wait.as_secs_f64().ceil().max(1.0);
                sorry(&format!("{} Please try again in {seconds} s.", self.why))
            }
            None => sorry(&self.why.to_string()),
        }
    }

    /// What whoever has to wait is told.
    pub(crate) fn request(&self) -> String {
        format!("Please wait: {} You are let in soon.", self.why)
    }
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TooMany::Open(open) => {
                write!(f, "{open} connections from your address are open, and that is the most.")
            }
            TooMany::Ended(most) => write!(
                f,
                "{most} connections from your address have ended within a minute, and that is the most."
            ),
            TooMany::Lines => f.write_str("connections from your address say too much."),
        }
    }
}
