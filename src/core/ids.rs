//! The numbers of lines and accounts, which the rooms give out and the store keeps.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The number of a line. Of two lines the later one has the higher number. Numbers start at 1 and
/// are never used twice.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct LineId(pub i64);

impl LineId {
    /// Lower than the number of any line, also in a file that somebody has edited.
    pub const MIN: LineId = LineId(i64::MIN);
    /// Higher than the number of any line.
    pub const MAX: LineId = LineId(i64::MAX);

    /// The number that follows.
    #[must_use]
    pub fn next(self) -> LineId {
        LineId(self.0.saturating_add(1)) // somebody may ask for what follows the highest one
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of an account. Numbers start at 1 and are never used twice.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct AccountId(pub i64);

impl AccountId {
    #[must_use]
    pub(crate) fn next(self) -> AccountId {
        AccountId(self.0 + 1)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
