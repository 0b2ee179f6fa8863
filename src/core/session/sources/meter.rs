//! A number that grows with each event, and is forgotten at a steady rate.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Something that is counted, and forgotten at a steady rate.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Meter {
    pub(super) level: f64,
    at: Duration,
}

impl Meter {
    /// What is left of it now.
    pub(super) fn level(&mut self, per_second: f64, now: Duration) -> f64 {
        let elapsed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        self.level = (self.level - elapsed * per_second).max(0.0);
        self.level
    }
}
