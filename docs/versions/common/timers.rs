//! One sorted list of everything that is due at a certain time. Thread `main` runs it.
//!
//! A thread that waits sleeps until its own deadline. A loop would have to ask every client in every round how late they
//! are; so it keeps a list, and waits until the first entry.

use super::client::ClientKey;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A pause or a deadline of a client's.
    Client(ClientKey),
    /// What cannot be watched has to be looked at.
    LookAround,
    /// There may be descriptors again.
    Accept,
    /// Those who are not let in have to be looked at.
    Outside,
    /// The time that an administrator gave the server is over.
    Stop,
    /// Nobody is waited for any longer.
    Cut,
}

#[derive(Default)]
pub struct Timers(BTreeSet<(Instant, Timer)>);

impl Timers {
    pub fn set(&mut self, at: Instant, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub fn remove(&mut self, at: Instant, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    /// Takes out every one of this kind.
    pub fn cancel(&mut self, timer: Timer) {
        self.0.retain(|&(_, other)| other != timer);
    }

    /// How long to wait at most, in whole milliseconds, rounded up: a round too early would find nothing to do.
    pub fn timeout(&self) -> Option<Duration> {
        let (at, _) = self.0.first()?;
        let left = at.saturating_duration_since(Instant::now());
        Some(Duration::from_millis(left.as_nanos().div_ceil(1_000_000) as u64))
    }

    /// Takes out one that is due.
    pub fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let &(at, _) = self.0.first()?;
        if at <= now { self.0.pop_first().map(|(_, timer)| timer) } else { None }
    }
}
