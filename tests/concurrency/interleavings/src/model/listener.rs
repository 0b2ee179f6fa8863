//! Where a scenario connects.

use super::{Waiting, channel, net::TcpStream, point};
use crate::origin::Origin;
use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// As in `std`, for thread `web`: its accept does not wait.
pub(crate) struct TcpListener(pub(super) Arc<Backlog>);

/// Where browsers connect.
#[derive(Default)]
pub(crate) struct Backlog {
    /// `None`: nobody listens any more.
    pub(super) queue: Mutex<Option<VecDeque<(TcpStream, SocketAddr)>>>,
    pub(super) changes: Waiting,
}

impl TcpListener {
    pub(crate) fn new() -> (TcpListener, Arc<Backlog>) {
        let backlog = Arc::<Backlog>::default();
        *backlog.queue.lock().unwrap() = Some(VecDeque::new());
        (TcpListener(backlog.clone()), backlog)
    }

    pub(crate) fn set_nonblocking(&self, _is_on: bool) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        point();
        let accepted = self.0.queue.lock().unwrap().as_mut().and_then(VecDeque::pop_front);
        accepted.ok_or_else(|| ErrorKind::WouldBlock.into())
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        let left = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(left); // without the lock: others may go on here
    }
}

impl Backlog {
    /// If nobody listens, the connection is closed.
    pub(crate) fn connect(&self, stream: TcpStream) {
        point();
        let late = match &mut *self.queue.lock().unwrap() {
            Some(queue) => {
                queue.push_back((stream, SocketAddr::from(([127, 0, 0, 1], 1))));
                None
            }
            None => Some(stream),
        };
        drop(late);
        self.changes.wake();
    }
}

/// A queue of connections.
pub struct Listener {
    queue: channel::Receiver<(TcpStream, Origin)>,
    /// It is shut down, or a signal has come.
    state: Mutex<Woken>,
    changes: Waiting,
}

#[derive(Default)]
struct Woken {
    is_shut: bool,
    is_interrupted: bool,
    failures: usize,
}

impl Listener {
    pub(crate) fn new(queue: channel::Receiver<(TcpStream, Origin)>) -> Listener {
        Listener { queue, state: Mutex::default(), changes: Waiting::default() }
    }

    pub(crate) fn accept(&self) -> io::Result<(TcpStream, Origin)> {
        point();
        loop {
            {
                let mut state = self.state.lock().unwrap();
                if state.is_shut {
                    return Err(ErrorKind::InvalidInput.into());
                }
                if std::mem::take(&mut state.is_interrupted) {
                    return Err(ErrorKind::Interrupted.into());
                }
                if state.failures > 0 {
                    state.failures -= 1;
                    return Err(ErrorKind::OutOfMemory.into());
                }
            }
            if let Some(Ok(accepted)) = self.queue.poll() {
                return Ok(accepted);
            }
            self.queue.add_waiting();
            self.changes.add();
            shuttle::thread::park();
        }
    }

    /// From now on `failures` calls of `accept` fail for want of descriptors.
    pub(crate) fn fail(&self, failures: usize) {
        self.state.lock().unwrap().failures = failures;
        self.changes.wake();
    }

    pub(crate) fn wake(&self) {
        point();
        self.state.lock().unwrap().is_shut = true;
        self.changes.wake();
    }

    /// As a signal to the thread that accepts.
    pub(crate) fn interrupt(&self) {
        point();
        self.state.lock().unwrap().is_interrupted = true;
        self.changes.wake();
    }
}
