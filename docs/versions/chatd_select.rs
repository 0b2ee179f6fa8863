//! chatd with `select`: one thread for all connections. `cargo run --example chatd-select -- --listen 127.0.0.1:5000`
//!
//! This file is the I/O model and nothing else: what is watched, the one call that waits, what was found. What a ready
//! client does stands in `common/`, which the epoll version shares; what a chat is stands in `src/core`, which chatd
//! shares too. All of it runs on thread `main`.
//!
//! **The wall.** A set of `select` is an array of `FD_SETSIZE` bits, 1,024, and C writes beyond its end without a word
//! if it is given descriptor 1,024. The Linux kernel takes longer arrays, and there are libraries that pass them; here
//! the set is the one of POSIX, because that wall is what a class should see: it is the reason for `poll` and `epoll`.
//! So the true number of clients is said at the start, and whoever comes with a higher descriptor is told why not.

#![forbid(unsafe_code)]

#[cfg(unix)]
#[path = "common/mod.rs"]
mod common;

#[cfg(unix)]
use {
    common::{Interest, Server, Source, Version},
    nix::{
        errno::Errno,
        sys::{
            select::{FD_SETSIZE, FdSet, select},
            time::{TimeVal, TimeValLike as _},
        },
    },
};

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    common::main(&Version {
        name: "chatd-select",
        io_model: "one thread and select for all connections, and yours is",
        wall: Some(FD_SETSIZE),
        serve,
    })
}

/// The loop: tell `select` everything, wait, look at everything, serve what is ready.
#[cfg(unix)]
fn serve(server: &mut Server<'_>) -> anyhow::Result<()> {
    while !server.is_over() {
        let ready = wait(server)?;
        server.round(ready);
    }
    Ok(())
}

/// One call of `select`. It remembers nothing, so each time it is told about every client, and each time every client
/// is asked about: that is what it costs to have many who are silent.
#[cfg(unix)]
fn wait(server: &Server<'_>) -> anyhow::Result<Vec<(Source, Interest)>> {
    let (mut readable, mut writable) = (FdSet::new(), FdSet::new());
    for (_, socket, interest) in server.watched() {
        if interest.read {
            readable.insert(socket);
        }
        if interest.write {
            writable.insert(socket);
        }
    }
    let mut timeout = server.timers.timeout().map(|t| TimeVal::milliseconds(t.as_millis() as i64));
    match select(None, &mut readable, &mut writable, None, timeout.as_mut()) {
        Ok(0) | Err(Errno::EINTR) => return Ok(Vec::new()), // a timer; or a signal, whose byte is in the pipe
        Ok(_) => {}
        Err(e) => anyhow::bail!("select: {e}"),
    }
    let mut ready = Vec::new();
    for (source, socket, _) in server.watched() {
        let (read, write) = (readable.contains(socket), writable.contains(socket));
        if read || write {
            ready.push((source, Interest { read, write }));
        }
    }
    Ok(ready)
}

#[cfg(not(unix))]
fn main() {
    eprintln!("chatd-select is written for Unix.");
}
