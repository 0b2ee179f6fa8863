//! The lock rule as code: no thread holds two locks, and no thread waits while it holds one.
//!
//! [`Locked`] is a `parking_lot::Mutex` that knows, in debug builds, whether its thread holds
//! another one, and [`assert_no_lock_held`] stands in front of everything that waits. So every test
//! run checks the rule; a release build pays nothing for it.
//!
//! A lock also notes which thread has it, so that whoever has to wait knows for whom. A lock that is
//! free costs one store more for that. Only who has to wait reads the clock: how often and how long
//! threads waited is counted for each [`LockKind`].

use crate::thread_status::{LockWait, activity::Activity, my_id};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
    sync::atomic::{
        AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::Duration,
};

thread_local! {
    /// The lock that this thread holds. Only kept in debug builds.
    static HELD: Cell<Option<LockKind>> = const { Cell::new(None) };
}

/// What a lock guards. There are many locks of a kind: one outbox for each client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum LockKind {
    Registry,
    Outbox,
    ThreadTable,
    Sources,
    Places,
    HashingPlaces,
    Throttle,
    Clock,
    PairingCode,
    Tickets,
    Lookers,
    Looker,
    Settings,
    Board,
}

/// Every [`LockKind`] in its order, and its words.
pub(crate) const LOCK_KINDS: [(LockKind, &str); 14] = [
    (LockKind::Registry, "the registry"),
    (LockKind::Outbox, "an outbox"),
    (LockKind::ThreadTable, "the table of threads"),
    (LockKind::Sources, "the sources"),
    (LockKind::Places, "the places"),
    (LockKind::HashingPlaces, "the hashing places"),
    (LockKind::Throttle, "the throttle"),
    (LockKind::Clock, "the clock"),
    (LockKind::PairingCode, "the pairing code"),
    (LockKind::Tickets, "the tickets"),
    (LockKind::Lookers, "the lookers"),
    (LockKind::Looker, "a looker's outbox"),
    (LockKind::Settings, "the settings"),
    (LockKind::Board, "the class's question"),
];

impl LockKind {
    fn words(self) -> &'static str {
        LOCK_KINDS[self as usize].1
    }

    /// What a thread does that waits for such a lock.
    fn activity(self) -> Activity {
        match self {
            LockKind::Registry => Activity::WaitingForRegistry,
            LockKind::Outbox => Activity::WaitingForOutbox,
            _ => Activity::WaitingForLock,
        }
    }
}

/// How often and how long threads have waited for the locks of one kind.
pub(crate) struct LockWaits {
    count: AtomicU64,
    nanos: AtomicU64,
    longest: AtomicU64,
}

/// One for each kind, in their order.
static WAITS: [LockWaits; LOCK_KINDS.len()] = [const {
    LockWaits { count: AtomicU64::new(0), nanos: AtomicU64::new(0), longest: AtomicU64::new(0) }
}; LOCK_KINDS.len()];

impl LockWaits {
    /// Those for one kind of locks.
    pub(crate) fn of(kind: LockKind) -> &'static LockWaits {
        &WAITS[kind as usize]
    }

    fn note(&self, nanos: u64) {
        self.longest.fetch_max(nanos, Relaxed);
        self.nanos.fetch_add(nanos, Relaxed);
        self.count.fetch_add(1, Release);
    }

    /// The waits that are over, their nanoseconds, and those of the longest.
    pub(crate) fn totals(&self) -> [u64; 3] {
        [self.count.load(Acquire), self.nanos.load(Relaxed), self.longest.load(Relaxed)]
    }
}

/// A mutex that obeys the lock rule.
pub(crate) struct Locked<T> {
    kind: LockKind,
    /// The number of the thread that took it last; 0: one without a number.
    holder: AtomicU32,
    mutex: Mutex<T>,
}

/// The lock, held.
pub(crate) struct Guard<'a, T> {
    locked: &'a Locked<T>,
    guard: MutexGuard<'a, T>,
}

impl<T> Locked<T> {
    /// A lock. If the rule is broken, the message says its kind.
    pub(crate) const fn new(kind: LockKind, value: T) -> Self {
        Locked { kind, holder: AtomicU32::new(0), mutex: Mutex::new(value) }
    }

    /// Locks. Every holder keeps the lock for a few instructions, or for a send that does not wait,
    /// so this call waits no longer than that.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        take_note(self.kind);
        let guard = self.mutex.try_lock().unwrap_or_else(|| self.wait());
        self.holder.store(my_id(), Relaxed);
        Guard { locked: self, guard }
    }

    /// Another thread has it.
    #[cold]
    #[inline(never)]
    fn wait(&self) -> MutexGuard<'_, T> {
        let wait =
            LockWait::begin(self.kind.activity(), self.kind as u8, self.holder.load(Relaxed));
        let guard = self.mutex.lock();
        LockWaits::of(self.kind).note(wait.end());
        guard
    }

    /// The same, but gives up after `at_most`: for whoever must go on although a thread hangs.
    pub(crate) fn lock_within(&self, at_most: Duration) -> Option<Guard<'_, T>> {
        let guard = self.mutex.try_lock_for(at_most)?;
        take_note(self.kind);
        self.holder.store(my_id(), Relaxed);
        Some(Guard { locked: self, guard })
    }
}

impl<T> Guard<'_, T> {
    /// Releases the lock, waits up to `at_most` for a notification, and locks again.
    pub(crate) fn wait_on(&mut self, condition: &Condvar, at_most: Duration) {
        forget();
        condition.wait_for(&mut self.guard, at_most);
        take_note(self.locked.kind);
        self.locked.holder.store(my_id(), Relaxed);
    }
}

impl<T> Guard<'_, T> {
    /// Keeps the lock while `wait` waits: what nobody may do. It is done here alone, on purpose, for
    /// a demonstration that shows a class why (`server/hazards`). What `wait` calls must not assert
    /// that no lock is held.
    pub(crate) fn break_the_lock_rule(self, wait: impl FnOnce()) {
        wait();
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        forget();
    }
}

/// To be called before anything that may wait: a socket, a queue, the disk.
pub(crate) fn assert_no_lock_held(waiting_for: &str) {
    if cfg!(debug_assertions) {
        let held = HELD.get();
        assert!(
            held.is_none(),
            "waiting for {waiting_for} while holding the lock of {}",
            held.map_or("", LockKind::words)
        );
    }
}

fn take_note(kind: LockKind) {
    if cfg!(debug_assertions) {
        let held = HELD.replace(Some(kind));
        assert!(
            held.is_none(),
            "locking {} while holding the lock of {}",
            kind.words(),
            held.map_or("", LockKind::words)
        );
    }
}

fn forget() {
    if cfg!(debug_assertions) {
        HELD.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread_status::Status;
    use std::{
        hint::black_box,
        panic::{AssertUnwindSafe, catch_unwind},
        time::Instant,
    };

    #[cfg(debug_assertions)]
    #[test]
    fn two_locks_at_once_are_caught() {
        let (a, b) = (Locked::new(LockKind::Registry, ()), Locked::new(LockKind::Outbox, ()));
        let both = catch_unwind(AssertUnwindSafe(|| {
            let _a = a.lock();
            let _b = b.lock();
        }));
        assert!(both.is_err());
    }

    #[cfg(debug_assertions)]
    #[test]
    fn waiting_with_a_lock_is_caught() {
        let a = Locked::new(LockKind::Registry, ());
        let waiting = catch_unwind(AssertUnwindSafe(|| {
            let _a = a.lock();
            assert_no_lock_held("a socket");
        }));
        assert!(waiting.is_err());
    }

    #[test]
    fn one_after_the_other_is_fine() {
        let (a, b) = (Locked::new(LockKind::Registry, 1), Locked::new(LockKind::Outbox, 2));
        let sum = *a.lock();
        assert_eq!(sum + *b.lock(), 3);
        assert_no_lock_held("anything");
    }

    #[test]
    fn every_kind_has_its_words() {
        for (i, (kind, words)) in LOCK_KINDS.into_iter().enumerate() {
            assert_eq!(kind as usize, i, "{words} stands in the place of another");
        }
    }

    #[test]
    fn a_wait_is_counted_with_whoever_holds_the_lock() {
        let (holder, waiter) = (Status::new("demo:holder"), Status::new("c7:bob"));
        let locked = Locked::new(LockKind::Throttle, 0);
        let before = LockWaits::of(LockKind::Throttle).totals();
        std::thread::scope(|scope| {
            holder.attach();
            let held = locked.lock();
            scope.spawn(|| {
                waiter.attach();
                waiter.set(Activity::Applying);
                *locked.lock() += 1;
            });
            let end = Instant::now() + Duration::from_mins(1);
            let is_seen = || waiter.sample().activity == Activity::WaitingForLock;
            while !is_seen() && Instant::now() < end {
                std::thread::yield_now();
            }
            let sample = waiter.sample();
            let waits_for = Some((LockKind::Throttle as u8, holder.id));
            assert_eq!((sample.waits_for, sample.lock_waits), (waits_for, 1), "{sample:?}");
            drop(held);
        });
        let sample = waiter.sample();
        let waited = sample.spent[Activity::WaitingForLock as usize];
        assert_eq!((sample.activity, sample.waits_for), (Activity::Applying, None));
        let [count, nanos, longest] = LockWaits::of(LockKind::Throttle).totals();
        assert!(count > before[0] && nanos >= before[1] + waited && longest >= waited);
    }

    /// `cargo test --release --lib cost_of_a_lock -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement, for a release build on a quiet machine"]
    fn cost_of_a_lock() {
        let (locked, plain) = (Locked::new(LockKind::Outbox, 0u64), Mutex::new(0u64));
        let best = |run: &dyn Fn()| {
            let round = |_| {
                let began = Instant::now();
                (0..4_000_000).for_each(|_| run());
                began.elapsed().as_nanos() as f64 / 4e6
            };
            (0..5).map(round).fold(f64::INFINITY, f64::min)
        };
        println!("a plain mutex: {:.1} ns", best(&|| *black_box(&plain).lock() += 1));
        println!("Locked::lock: {:.1} ns", best(&|| *black_box(&locked).lock() += 1));
    }
}
