//! Where threads rest while their server is handed over to another one: each leaves what it knows,
//! and goes on from there if nothing comes of it.

use super::status::{self, Activity};
use crate::lock::assert_no_lock_held;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;
use std::{
    convert::Infallible,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// What a thread is asked for, and where it waits then: until the other end is dropped.
pub(crate) struct Rest<T> {
    answer: Sender<T>,
    release: Receiver<Infallible>,
}

impl<T> Clone for Rest<T> {
    fn clone(&self) -> Rest<T> {
        Rest { answer: self.answer.clone(), release: self.release.clone() }
    }
}

impl<T> Rest<T> {
    /// Leaves something, and waits.
    pub(crate) fn wait(&self, left: T) {
        assert_no_lock_held("the end of an upgrade");
        status::set_activity(Activity::WaitingForTick);
        if self.answer.send(left).is_ok() {
            let _ = self.release.recv(); // nothing is ever sent
        }
        status::set_activity(Activity::Working);
    }

    /// Leaves something, and goes on.
    pub(crate) fn decline(&self, left: T) {
        let _ = self.answer.send(left);
    }
}

/// The other end of a [`Rest`]: what was left. When it is dropped, whoever waits goes on.
pub(crate) struct Resting<T> {
    pub(crate) left: Receiver<T>,
    _release: Sender<Infallible>,
}

/// Both ends.
pub(crate) fn rest<T>() -> (Rest<T>, Resting<T>) {
    let ((answer, left), (hold, release)) = (unbounded(), bounded(0));
    (Rest { answer, release }, Resting { left, _release: hold })
}

/// How a thread that serves everybody is asked to rest. It leaves what `T` is, or why it cannot leave
/// that now: the end of a sentence.
pub(crate) struct RestChannel<T> {
    pub(crate) asked: Receiver<Rest<Result<T, String>>>,
    pub(crate) ask: Ask<T>,
}

/// See [`RestChannel`].
pub(crate) type Ask<T> = Sender<Rest<Result<T, String>>>;

impl<T> Default for RestChannel<T> {
    fn default() -> RestChannel<T> {
        let (ask, asked) = bounded(1);
        RestChannel { asked, ask }
    }
}

/// How the threads of a server are asked to rest.
pub(crate) struct Rests<T> {
    pub(crate) clients: Parking<T>,
    pub(crate) fanout: Ask<(String, u64)>,
    pub(crate) historian: Ask<()>,
}

impl<T> Rests<T> {
    pub(crate) fn new(
        fanout: &RestChannel<(String, u64)>,
        historian: &RestChannel<()>,
    ) -> Rests<T> {
        let (fanout, historian) = (fanout.ask.clone(), historian.ask.clone());
        Rests { clients: Parking::default(), fanout, historian }
    }
}

/// Where many threads see that they are to rest.
pub(crate) struct Parking<T> {
    is_wanted: AtomicBool,
    rest: Mutex<Option<Rest<T>>>,
}

impl<T> Default for Parking<T> {
    fn default() -> Parking<T> {
        Parking { is_wanted: AtomicBool::new(false), rest: Mutex::new(None) }
    }
}

impl<T> Parking<T> {
    /// Whether they are to rest. It is asked before each read.
    pub(crate) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Relaxed)
    }

    /// From now on each is to rest; or, with `None`, no longer.
    pub(crate) fn ask(&self, rest: Option<Rest<T>>) {
        let is_wanted = rest.is_some();
        *self.rest.lock() = rest;
        self.is_wanted.store(is_wanted, Relaxed);
    }

    /// Leaves something, and rests.
    pub(crate) fn wait(&self, left: T) {
        let rest = self.rest.lock().clone();
        if let Some(rest) = rest {
            rest.wait(left);
        }
    }
}
