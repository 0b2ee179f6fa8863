//! Ctrl-C in a loop: a signal becomes a byte in a pipe, and the pipe is watched with the clients. Runs on thread `main`
//! (the signal handler, which writes the byte, runs wherever the signal hits).

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
    low_level::pipe,
};
use std::{
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{Arc, atomic::AtomicBool},
};

/// Readable after SIGINT, SIGTERM or SIGHUP. A second signal ends the process at once, as in chatd.
pub struct StopPipe(UnixStream);

impl StopPipe {
    /// From now on the signals come here.
    pub fn new() -> io::Result<Self> {
        let (inner, outer) = UnixStream::pair()?;
        let stopping = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the first signal finds the flag down and raises it, the second finds it up.
            flag::register_conditional_shutdown(signal, 130, Arc::clone(&stopping))?;
            flag::register(signal, Arc::clone(&stopping))?;
            pipe::register(signal, outer.try_clone()?)?;
        }
        Ok(StopPipe(inner))
    }
}

impl AsFd for StopPipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
