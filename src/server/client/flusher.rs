//! The flusher: one thread that waits for the slow clients' sockets, so that nobody else has to.
//!
//! The fan-out never waits. What a client cannot take now stays in its outbox, and the client is
//! put on this thread's list. It sleeps in `poll` until one of those sockets can take bytes, or a
//! write deadline passes.

use crate::{
    lock::assert_no_lock_held,
    server::{
        net::{self, Waker},
        status::{Activity, Status},
    },
};
use crossbeam_channel::{Receiver, Sender};
use std::{
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

/// A client that does not take at once what is sent to them.
pub(crate) trait SlowClient: Send + Sync {
    fn socket(&self) -> &TcpStream;
    /// Sends what the client takes now. Returns until when to wait for them to take more; `None`:
    /// the client is off the list.
    fn flush(&self, now: Instant) -> Option<Instant>;
}

/// The way onto the flusher's list.
pub(crate) struct FlusherQueue {
    clients: Sender<Arc<dyn SlowClient>>,
    bell: Arc<Bell>,
}

struct Bell {
    waker: Waker,
    stopping: AtomicBool,
}

impl FlusherQueue {
    /// The queue and the thread's end of it. The queue has no bound of its own, but each client is
    /// on the list at most once.
    pub(crate) fn new() -> std::io::Result<(Arc<Self>, Flusher)> {
        let (clients, queue) = crossbeam_channel::unbounded();
        let bell = Arc::new(Bell { waker: Waker::new()?, stopping: AtomicBool::new(false) });
        let flusher = Flusher { queue, bell: Arc::clone(&bell), status: Status::new("flusher") };
        Ok((Arc::new(FlusherQueue { clients, bell }), flusher))
    }

    /// Puts a client on the list. Does not wait.
    pub(crate) fn add(&self, client: Arc<dyn SlowClient>) {
        let _ = self.clients.send(client); // fails only when the flusher is gone, at the very end
        self.bell.waker.wake();
    }

    /// Ends the thread. What still waits then is not sent.
    pub(crate) fn stop(&self) {
        self.bell.stopping.store(true, SeqCst);
        self.bell.waker.wake();
    }
}

pub(crate) struct Flusher {
    queue: Receiver<Arc<dyn SlowClient>>,
    bell: Arc<Bell>,
    pub(crate) status: Arc<Status>,
}

impl Flusher {
    /// Runs until [`FlusherQueue::stop`].
    pub(crate) fn run(self) {
        self.status.attach();
        let mut clients: Vec<Arc<dyn SlowClient>> = Vec::new();
        let mut deadline: Option<Instant> = None;
        while !self.bell.stopping.load(SeqCst) {
            assert_no_lock_held("slow clients");
            self.status.set(Activity::WaitingForSlowClients);
            let at_most =
                deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let sockets = clients.iter().map(|client| client.socket());
            if let Err(e) = net::wait_any_writable(&self.bell.waker, sockets, at_most) {
                log::error!("flusher: poll: {e}; trying again in 0.1 s");
                std::thread::sleep(Duration::from_millis(100));
            }
            self.status.set(Activity::Sending);
            self.bell.waker.clear();
            clients.extend(self.queue.try_iter());
            let now = Instant::now();
            deadline = None;
            clients.retain(|client| match client.flush(now) {
                Some(until) => {
                    deadline = Some(deadline.map_or(until, |first| first.min(until)));
                    true
                }
                None => false,
            });
        }
        self.status.set(Activity::Ended);
    }
}
