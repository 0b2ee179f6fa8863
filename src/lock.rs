//! The lock rule as code: no thread holds two locks, and no thread waits while it holds one.
//!
//! [`Locked`] is a `parking_lot::Mutex` that knows, in debug builds, whether its thread holds
//! another one, and [`assert_no_lock_held`] stands in front of everything that waits. So every test
//! run checks the rule; a release build pays nothing for it.

use parking_lot::{Condvar, Mutex, MutexGuard};
use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
    time::Duration,
};

thread_local! {
    /// The name of the lock that this thread holds. Only kept in debug builds.
    static HELD: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// A mutex that obeys the lock rule.
pub(crate) struct Locked<T> {
    name: &'static str,
    mutex: Mutex<T>,
}

/// The lock, held.
pub(crate) struct Guard<'a, T> {
    name: &'static str,
    guard: MutexGuard<'a, T>,
}

impl<T> Locked<T> {
    /// A lock. If the rule is broken, the message contains `name`.
    pub(crate) const fn new(name: &'static str, value: T) -> Self {
        Locked { name, mutex: Mutex::new(value) }
    }

    /// Locks. Every holder keeps the lock for a few instructions, or for a send that does not wait,
    /// so this call waits no longer than that.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        take_note(self.name);
        Guard { name: self.name, guard: self.mutex.lock() }
    }

    /// The same, but gives up after `at_most`: for whoever must go on although a thread hangs.
    pub(crate) fn lock_within(&self, at_most: Duration) -> Option<Guard<'_, T>> {
        let guard = self.mutex.try_lock_for(at_most)?;
        take_note(self.name);
        Some(Guard { name: self.name, guard })
    }
}

impl<T> Guard<'_, T> {
    /// Releases the lock, waits up to `at_most` for a notification, and locks again.
    pub(crate) fn wait_on(&mut self, condition: &Condvar, at_most: Duration) {
        forget();
        condition.wait_for(&mut self.guard, at_most);
        take_note(self.name);
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
            held.unwrap_or_default()
        );
    }
}

fn take_note(name: &'static str) {
    if cfg!(debug_assertions) {
        let held = HELD.replace(Some(name));
        assert!(
            held.is_none(),
            "locking {name} while holding the lock of {}",
            held.unwrap_or_default()
        );
    }
}

fn forget() {
    if cfg!(debug_assertions) {
        HELD.set(None);
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn two_locks_at_once_are_caught() {
        let (a, b) = (Locked::new("a", ()), Locked::new("b", ()));
        let both = catch_unwind(AssertUnwindSafe(|| {
            let _a = a.lock();
            let _b = b.lock();
        }));
        assert!(both.is_err());
    }

    #[test]
    fn waiting_with_a_lock_is_caught() {
        let a = Locked::new("a", ());
        let waiting = catch_unwind(AssertUnwindSafe(|| {
            let _a = a.lock();
            assert_no_lock_held("a socket");
        }));
        assert!(waiting.is_err());
    }

    #[test]
    fn one_after_the_other_is_fine() {
        let (a, b) = (Locked::new("a", 1), Locked::new("b", 2));
        let sum = *a.lock();
        assert_eq!(sum + *b.lock(), 3);
        assert_no_lock_held("anything");
    }
}
