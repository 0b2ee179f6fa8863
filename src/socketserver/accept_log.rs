//! What the log has of an `accept` that fails. Whoever accepts keeps one.

use std::{
    io,
    mem::take,
    time::{Duration, Instant},
};

/// A failure is told again after this time at the earliest. (In a process without descriptors one
/// becomes free now and then, is taken at once, and then it fails again.)
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Tells when `accept` fails, and when it works again: once, however long it fails, and not each time
/// if it does so again and again.
#[derive(Debug)]
pub struct AcceptLog {
    /// Stands in front of each line.
    whose: &'static str,
    told_at: Option<Instant>,
    /// That it fails was told last.
    is_failing: bool,
}

impl AcceptLog {
    /// Of an accept loop that has not failed yet.
    pub const fn new(whose: &'static str) -> AcceptLog {
        AcceptLog { whose, told_at: None, is_failing: false }
    }

    /// It has failed, and is tried again a moment later.
    pub fn failed(&mut self, error: &io::Error) {
        let is_told = self.told_at.is_some_and(|at| at.elapsed() < TOLD_EVERY);
        if self.is_failing || is_told {
            return;
        }
        (self.is_failing, self.told_at) = (true, Some(Instant::now()));
        log::error!("{}cannot accept: {error}; trying again several times a second", self.whose);
    }

    /// It has worked.
    pub fn accepted(&mut self) {
        if take(&mut self.is_failing) {
            log::info!("{}accepting again", self.whose);
        }
    }
}
