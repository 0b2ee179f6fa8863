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
    common::{House, Interest, Version, Wall, Who},
    nix::{
        errno::Errno,
        sys::{
            select::{FD_SETSIZE, FdSet, select},
            time::{TimeVal, TimeValLike as _},
        },
    },
    std::os::fd::{AsRawFd as _, BorrowedFd},
};

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    common::main(&Version {
        name: "chatd-select",
        model: "one thread and select for all connections, and yours is",
        wall: Some(Wall {
            name: "descriptors in one select (FD_SETSIZE)",
            descriptors: FD_SETSIZE,
        }),
        serve,
    })
}

/// The loop: tell `select` everything, wait, look at everything, serve what is ready.
#[cfg(unix)]
fn serve(house: &mut House<'_>) -> anyhow::Result<()> {
    while !house.is_over() {
        let ready = wait(house)?;
        house.round(ready);
    }
    Ok(())
}

/// One call of `select`. It remembers nothing, so each time it is told about every client, and each time every client
/// is asked about: that is what it costs to have many who are silent.
#[cfg(unix)]
fn wait(house: &House<'_>) -> anyhow::Result<Vec<(Who, Interest)>> {
    let watched: Vec<(Who, BorrowedFd<'_>, Interest)> = house.watched().collect();
    let (mut readable, mut writable) = (FdSet::new(), FdSet::new());
    let mut highest = 0;
    for &(_, socket, interest) in &watched {
        if interest.read {
            readable.insert(socket);
        }
        if interest.write {
            writable.insert(socket); // only while something waits: an idle socket is always writable
        }
        highest = highest.max(socket.as_raw_fd());
    }
    let mut timeout = house.timeout().map(|t| TimeVal::milliseconds(t.as_millis() as i64));
    match select(highest + 1, &mut readable, &mut writable, None, timeout.as_mut()) {
        Ok(0) | Err(Errno::EINTR) => return Ok(Vec::new()), // a deadline; or a signal, whose byte is in the pipe
        Ok(_) => {}
        Err(e) => anyhow::bail!("select: {e}"),
    }
    let found = |&(who, socket, _): &(Who, BorrowedFd<'_>, Interest)| {
        (who, Interest { read: readable.contains(socket), write: writable.contains(socket) })
    };
    Ok(watched.iter().map(found).filter(|(_, found)| *found != Interest::NONE).collect())
}

#[cfg(not(unix))]
fn main() {
    eprintln!("chatd-select is written for Unix.");
}
