//! Thread `linger`: it looks at connections that are not let in, so that the accept loop need not
//! wait for them.

use super::{
    linger::Refused,
    waiting::{LOOK_EVERY, Waiting, WaitingList},
};
use crate::{
    lock::assert_no_lock_held,
    server::{
        proxies::Unnamed,
        status::{Activity, Status},
    },
};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use std::{sync::Arc, time::Instant};

/// A connection that is not let in.
pub(crate) enum Outside {
    /// It waits.
    Waiting(Waiting),
    /// It was refused.
    Refused(Refused),
    /// A proxy has not said yet whose it is.
    Unnamed(Unnamed),
}

/// Hands connections to the thread. Whoever finds no room in it is closed here and now.
#[derive(Clone)]
pub(crate) struct LingerQueue {
    outside: Sender<Outside>,
}

impl LingerQueue {
    /// How many wait to be taken by the thread.
    pub(crate) fn waiting(&self) -> usize {
        self.outside.len()
    }

    /// How many may wait.
    pub(crate) fn capacity(&self) -> Option<usize> {
        self.outside.capacity()
    }

    /// Does not wait. Returns the connection if there is no room.
    pub(crate) fn add(&self, one: Outside) -> Option<Outside> {
        self.outside.try_send(one).err().map(TrySendError::into_inner)
    }
}

/// What the thread does for a server that runs: it takes one in that waits, or looks whether
/// somebody can be let in.
pub(crate) trait Admit: Send + 'static {
    /// One more waits.
    fn wait(&self, list: &mut WaitingList, one: Waiting);
    /// It is time to look at all of them.
    fn look(&self, list: &mut WaitingList);
}

pub(crate) struct Lingerer {
    list: WaitingList,
    queue: Receiver<Outside>,
    pub(crate) status: Arc<Status>,
}

impl Lingerer {
    /// The queue and the thread's end of it. `most`: connections in both together. Any more are
    /// closed at once.
    pub(crate) fn new(most: usize) -> (LingerQueue, Lingerer) {
        let (outside, queue) = crossbeam_channel::bounded(most.div_ceil(2));
        let list = WaitingList::new(most.div_ceil(2));
        (LingerQueue { outside }, Lingerer { list, queue, status: Status::new("linger") })
    }

    /// Runs until the queue is closed at its other end.
    pub(crate) fn run(mut self, admit: &impl Admit) {
        self.status.attach();
        let mut next_look = Instant::now();
        loop {
            assert_no_lock_held("those who are not let in");
            self.status.set(Activity::Lingering);
            let next = match self.list.is_empty() {
                true => self.queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
                false => self.queue.recv_deadline(next_look),
            };
            match next {
                Ok(Outside::Waiting(one)) => admit.wait(&mut self.list, one),
                Ok(Outside::Refused(one)) => self.list.add(one),
                Ok(Outside::Unnamed(one)) => self.list.add_unnamed(one),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.list.close(),
            }
            if Instant::now() >= next_look {
                admit.look(&mut self.list);
                next_look = Instant::now() + LOOK_EVERY;
            }
        }
    }
}
