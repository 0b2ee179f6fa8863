//! A clock that stands still until a scenario lets time pass.

use super::Waiting;
use std::{
    ops::{Add, AddAssign, Sub},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

static NANOS: AtomicU64 = AtomicU64::new(0);
/// Those who wait for a time.
pub(super) static PASSES: LazyLock<Waiting> = LazyLock::new(Waiting::default);

/// At the beginning of each schedule.
pub(crate) fn reset() {
    NANOS.store(1_000_000_000, Relaxed);
    PASSES.0.lock().unwrap().clear();
}

/// Lets time pass.
pub(crate) fn pass(time: Duration) {
    super::point();
    NANOS.fetch_add(time.as_nanos() as u64, Relaxed);
    PASSES.wake();
}

/// The same, unless this holds. Nobody goes on between the question and the passing.
pub(crate) fn pass_unless(time: Duration, holds: impl FnOnce() -> bool) {
    if !holds() {
        NANOS.fetch_add(time.as_nanos() as u64, Relaxed);
        PASSES.wake();
    }
}

/// The calling thread will be woken when time passes.
pub(crate) fn wait() {
    PASSES.add();
}

/// As in `std`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Instant {
        Instant(Duration::from_nanos(NANOS.load(Relaxed)))
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(*self)
    }

    pub(crate) fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub(crate) fn checked_sub(&self, time: Duration) -> Option<Instant> {
        self.0.checked_sub(time).map(Instant)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, time: Duration) -> Instant {
        Instant(self.0 + time)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, time: Duration) {
        self.0 += time;
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;
    fn sub(self, earlier: Instant) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    fn sub(self, time: Duration) -> Instant {
        Instant(self.0 - time)
    }
}
