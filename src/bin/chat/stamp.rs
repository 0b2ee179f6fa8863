//! When something was shown, by this machine's clock and in its time zone.

use jiff::civil::Date;
use std::fmt;

/// A minute of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) date: Date,
    pub(crate) hour: i8,
    pub(crate) minute: i8,
}

impl Stamp {
    pub(crate) fn now() -> Stamp {
        let now = jiff::Zoned::now();
        Stamp { date: now.date(), hour: now.hour(), minute: now.minute() }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:02}:{:02}", self.date, self.hour, self.minute)
    }
}
