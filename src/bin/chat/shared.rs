//! What the threads share: what is known, behind a lock, and a way to wait until it changes. No I/O under the lock.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::known::Known;

/// How long a server may be silent before it counts as one that asks for no name. What is typed meanwhile is kept.
const DOOR_LIMIT: Duration = Duration::from_secs(2);

/// How long a server that has spoken may take to let us in.
const WELCOME_LIMIT: Duration = Duration::from_secs(5);

/// What the threads share, and a way to wait until it changes.
#[derive(Default)]
pub struct Shared {
    known: Mutex<Known>,
    changed: Condvar,
    /// Ring the bell for mentions and private lines.
    pub bell: AtomicBool,
    /// The person is leaving: an end of file is what we wait for.
    pub leaving: AtomicBool,
}

impl Shared {
    /// Looks at what is known. To be held for as long as a look takes: no I/O under it.
    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock()
    }

    /// Changes what is known, and wakes who waits for it.
    pub fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        let result = change(&mut self.known.lock());
        self.changed.notify_all();
        result
    }

    /// Waits for the door to open: until we are in a room, or the person has to answer something. A server that knows
    /// neither names nor rooms has no door; that is taken for granted after [`DOOR_LIMIT`].
    pub fn wait_for_welcome(&self) {
        let is_no_chatd =
            |known: &Known| known.heard > 0 && (known.answers == 0 || !known.is_connected);
        let is_done =
            |known: &Known| known.is_there() || known.question.is_some() || is_no_chatd(known);
        if !self.wait(DOOR_LIMIT, is_done) && self.known().answers > 0 {
            self.wait(WELCOME_LIMIT, is_done);
        }
    }

    /// Waits until `is_so`, but no longer than `limit`. Says whether it is.
    pub fn wait(&self, limit: Duration, mut is_so: impl FnMut(&Known) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let mut known = self.known.lock();
        while !is_so(&known) {
            if self.changed.wait_until(&mut known, deadline).timed_out() {
                return is_so(&known);
            }
        }
        true
    }
}
