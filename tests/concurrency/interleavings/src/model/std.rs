//! `std`, but for what waits, and for atomics.

pub(crate) use ::std::*;

pub(crate) mod sync {
    pub(crate) use ::std::sync::*;
    pub(crate) mod atomic {
        pub(crate) use shuttle::sync::atomic::*;
    }
}

pub(crate) mod panic {
    pub(crate) use ::std::panic::*;

    /// Nothing is caught: what panics here is wrong.
    pub(crate) fn catch_unwind<R>(run: impl FnOnce() -> R) -> ::std::thread::Result<R> {
        Ok(run())
    }
}

pub(crate) mod thread {
    pub(crate) use shuttle::thread::*;
}

pub(crate) mod time {
    pub(crate) use crate::model::time::Instant;
    pub(crate) use ::std::time::*;
}

pub(crate) mod net {
    pub(crate) use crate::model::net::{TcpListener, TcpStream};
    pub(crate) use ::std::net::*;
}
