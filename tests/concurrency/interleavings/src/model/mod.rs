//! What threads wait for, under a scheduler that decides who goes on: shuttle. Each operation here is a point at which
//! another thread may go on; between two of them nobody else does.
//!
//! There is no wall clock. Time stands still unless a scenario lets it pass, so a wait with a time limit ends by its
//! limit only when the scenario wants that. Whoever relies on such a limit as a safety net waits for ever here, and
//! shuttle says so.

pub(crate) mod channel;
mod listener;
pub(crate) mod net;
pub(crate) mod parking_lot;
pub(crate) mod rustls;
pub(crate) mod std;
pub(crate) mod time;

use ::std::{cell::Cell, sync::Mutex, time::Duration};
use shuttle::{
    rand::{RngCore as _, thread_rng},
    thread::{self, Thread, sleep as switch},
};

/// A cell of each thread.
pub(crate) struct LocalCell<T: 'static>(pub(crate) &'static thread::LocalKey<Cell<T>>);

impl<T: Copy> LocalCell<T> {
    pub(crate) fn get(&self) -> T {
        self.0.with(Cell::get)
    }

    pub(crate) fn set(&self, value: T) {
        self.0.with(|cell| cell.set(value));
    }

    pub(crate) fn replace(&self, value: T) -> T {
        self.0.with(|cell| cell.replace(value))
    }
}

macro_rules! local_cell {
    ($(#[$meta:meta])* static $name:ident: Cell<$type:ty> = const { $value:expr };) => {
        static $name: $crate::model::LocalCell<$type> = {
            shuttle::thread_local! { static INNER: ::std::cell::Cell<$type> = $value; }
            $crate::model::LocalCell(&INNER)
        };
    };
}
pub(crate) use local_cell as thread_local;

/// Lets another thread go on, perhaps.
pub(crate) fn point() {
    switch(Duration::ZERO);
}

/// A random number below `bound`: part of the schedule.
pub(crate) fn random(bound: usize) -> usize {
    (thread_rng().next_u64() % bound as u64) as usize
}

/// The threads that wait for something to change.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Vec<Thread>>);

impl Waiting {
    /// The calling thread will be woken. Nobody else goes on between this and its `park`.
    pub(crate) fn add(&self) {
        let (me, mut waiting) = (thread::current(), self.0.lock().unwrap());
        if waiting.iter().all(|other| other.id() != me.id()) {
            waiting.push(me);
        }
    }

    /// Something has changed.
    pub(crate) fn wake(&self) {
        let woken = ::std::mem::take(&mut *self.0.lock().unwrap());
        woken.iter().for_each(Thread::unpark);
    }
}

/// Waits until `ready` returns something, or until a time. Whoever changes what it depends on wakes one of `all`.
pub(crate) fn wait<T>(
    all: &[&Waiting],
    until: Option<time::Instant>,
    mut ready: impl FnMut() -> Option<T>,
) -> Option<T> {
    point();
    loop {
        if let Some(ready) = ready() {
            return Some(ready);
        }
        if until.is_some_and(|until| time::Instant::now() >= until) {
            return None;
        }
        all.iter().for_each(|waiting| waiting.add());
        until.iter().for_each(|_| time::PASSES.add());
        thread::park();
    }
}

/// The same from a destructor: when a schedule has failed, nobody is woken any more.
fn wake_at_end(waiting: &Waiting) {
    if !::std::thread::panicking() {
        waiting.wake();
    }
}
