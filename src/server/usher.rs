//! The usher: shows out those who were refused, so that the accept loop need not.
//!
//! A refused client gets one sentence. If the connection were closed at once while the client is still talking, TCP
//! would reset it, and the sentence could be lost. So its socket stays here for a moment: our end of file is sent, its
//! bytes are read and thrown away, and it is closed when it closes, or when its time is over.

use super::{
    net,
    status::{Doing, Status},
};
use crate::lock::assert_no_lock_held;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::{
    io::Read as _,
    net::{Shutdown, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

/// How long one is kept.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// How often they are looked after.
pub const ROUND: Duration = Duration::from_millis(20);
/// Bytes read from one of them in a round, at most.
const BITE: usize = 4096;

/// The way to the usher.
#[derive(Clone)]
pub struct UsherQueue {
    guests: Sender<TcpStream>,
}

impl UsherQueue {
    /// Tells a refused client why and shows it out. Does not wait.
    pub fn show_out(&self, socket: TcpStream, sentence: &str) {
        net::adopt(&socket);
        // A new socket's buffer is empty: the sentence fits. If the peer is gone already, nobody misses it.
        let _ = net::send_slices_now(&socket, &[b"*** ", sentence.as_bytes(), b"\n"]);
        let _ = socket.shutdown(Shutdown::Write);
        let _ = self.guests.try_send(socket); // too many: closed here and now
    }
}

/// The thread's own end.
pub struct Usher {
    guests_max: usize,
    queue: Receiver<TcpStream>,
    /// What it is doing.
    pub status: Arc<Status>,
}

impl Usher {
    /// The queue and the thread's end of it. `guests_max`: refused connections kept open at once, in both together; more
    /// are closed without the care.
    pub fn new(guests_max: usize) -> (UsherQueue, Usher) {
        let (guests, queue) = crossbeam_channel::bounded(guests_max.div_ceil(2));
        let status = Status::new("usher");
        (UsherQueue { guests }, Usher { guests_max: guests_max / 2, queue, status })
    }

    /// Runs until the queue is closed at its other end.
    pub fn run(self) {
        let mut guests: Vec<(TcpStream, Instant)> = Vec::new();
        loop {
            assert_no_lock_held("the refused");
            self.status.now(Doing::Ushering);
            let next = if guests.is_empty() {
                self.queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                self.queue.recv_timeout(ROUND)
            };
            match next {
                Ok(socket)
                    if guests.len() < self.guests_max && socket.set_nonblocking(true).is_ok() =>
                {
                    guests.push((socket, Instant::now() + PATIENCE));
                }
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            guests.retain(|(socket, until)| Instant::now() < *until && is_still_there(socket));
        }
    }
}

/// Reads and throws away what a guest sends. Returns whether it is worth waiting for.
pub fn is_still_there(mut socket: &TcpStream) -> bool {
    match socket.read(&mut [0; BITE]) {
        Ok(n) => n > 0,
        Err(e) => {
            matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::Interrupted)
        }
    }
}
