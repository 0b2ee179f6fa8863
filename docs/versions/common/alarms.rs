//! When each client has to be looked at even if nothing comes: the end of a pause, a deadline. Runs on thread `main`.
//!
//! Where each client has a thread, its thread sleeps until then. A loop needs one list for all, sorted, or it would have
//! to ask every client in every round how late it is.

use std::{collections::BTreeSet, time::Instant};

/// The clients' next alarms, one at most for each.
#[derive(Default)]
pub struct Alarms(BTreeSet<(Instant, usize)>);

impl Alarms {
    /// Changes a client's alarm from the one to the other. An alarm that would come too early stays as it is: it will
    /// find nothing to do, and that costs less than moving it with every byte a slow reader takes.
    pub fn change(&mut self, client: usize, from: &mut Option<Instant>, to: Option<Instant>) {
        if from.is_some_and(|from| to.is_some_and(|to| from <= to)) {
            return;
        }
        if let Some(old) = from.take() {
            self.0.remove(&(old, client));
        }
        if let Some(new) = to {
            self.0.insert((new, client));
        }
        *from = to;
    }

    /// The next one.
    pub fn first(&self) -> Option<Instant> {
        self.0.first().map(|&(at, _)| at)
    }

    /// Takes out a client whose alarm is due.
    pub fn take_due(&mut self, now: Instant) -> Option<usize> {
        let &(at, client) = self.0.first().filter(|(at, _)| *at <= now)?;
        self.0.remove(&(at, client));
        Some(client)
    }
}
