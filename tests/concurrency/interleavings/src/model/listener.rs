//! Where a scenario connects.

use super::{Waiting, channel, net::TcpStream, point};
use crate::origin::Origin;
use std::{
    io::{self, ErrorKind},
    sync::Mutex,
};

/// As in `std`; nobody makes one.
pub(crate) enum TcpListener {}

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

    /// From now on so many calls of `accept` fail for want of descriptors.
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
