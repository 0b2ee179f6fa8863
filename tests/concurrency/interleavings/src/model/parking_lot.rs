//! `Mutex` and `Condvar` as in `parking_lot`.

use super::{Waiting, time::Instant, wait};
use shuttle::sync as inner;
use std::{
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

#[derive(Default)]
pub(crate) struct Mutex<T>(inner::Mutex<T>);

/// The inner one is taken out while its thread waits for a condition.
pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    guard: Option<inner::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Mutex<T> {
        Mutex(inner::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        let guard = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        MutexGuard { mutex: self, guard: Some(guard) }
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let guard = self.0.try_lock().ok()?;
        Some(MutexGuard { mutex: self, guard: Some(guard) })
    }

    /// The time is never over.
    pub(crate) fn try_lock_for(&self, _at_most: Duration) -> Option<MutexGuard<'_, T>> {
        Some(self.lock())
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.guard.as_ref().expect("it is held")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().expect("it is held")
    }
}

#[derive(Default)]
pub(crate) struct Condvar {
    waiting: Waiting,
    /// One for each thread that waits: whether it was notified.
    notified: std::sync::Mutex<Vec<std::sync::Arc<AtomicBool>>>,
}

impl Condvar {
    pub(crate) fn new() -> Condvar {
        Condvar::default()
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_until(guard, None);
    }

    pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, at_most: Duration) {
        self.wait_until(guard, Some(Instant::now() + at_most));
    }

    fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, until: Option<Instant>) {
        let notified = std::sync::Arc::new(AtomicBool::new(false));
        self.notified.lock().unwrap().push(notified.clone());
        guard.guard = None;
        wait(&[&self.waiting], until, || notified.load(Relaxed).then_some(()));
        guard.guard = guard.mutex.lock().guard;
    }

    pub(crate) fn notify_all(&self) {
        super::point();
        for notified in self.notified.lock().unwrap().drain(..) {
            notified.store(true, Relaxed);
        }
        self.waiting.wake();
    }
}
