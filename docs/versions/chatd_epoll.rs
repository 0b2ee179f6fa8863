//! chatd with `epoll`: one thread for all connections. `cargo run --example chatd-epoll -- --listen 127.0.0.1:5000`
//!
//! This file is the I/O model and nothing else: what is watched, the one call that waits, what was found. What a ready
//! client does stands in `common/`, which the select version shares; what a chat is stands in `src/core`, which chatd
//! shares too. All of it runs on thread `main`.
//!
//! The kernel keeps the list of what is watched, and is told only what changes. So a round costs what is ready, not
//! what is connected, and there is no wall but the limit on open files. It is used level-triggered: what was not read
//! to its end is reported again, so nobody has to be read to the end, and one who sends without end delays nobody.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
#[path = "common/mod.rs"]
mod common;

#[cfg(target_os = "linux")]
use {
    common::{House, Interest, Version, Who},
    rustix::{
        buffer::spare_capacity,
        event::{
            Timespec,
            epoll::{self, CreateFlags, Event, EventData, EventFlags},
        },
        fd::{AsFd as _, OwnedFd},
        io::Errno,
    },
};

/// Events taken from the kernel at once. More that are ready come with the next call.
#[cfg(target_os = "linux")]
const EVENTS_MAX: usize = 256;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    common::main(&Version {
        name: "chatd-epoll",
        model: "one thread and epoll for all connections, and yours is",
        wall: None,
        serve,
    })
}

/// The loop: tell `epoll` what changed, wait, serve what is ready.
#[cfg(target_os = "linux")]
fn serve(house: &mut House<'_>) -> anyhow::Result<()> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS_MAX);
    while !house.is_over() {
        tell_changes(&epoll, house)?;
        events.clear();
        let timeout = house
            .timeout()
            .map(|t| Timespec { tv_sec: t.as_secs() as i64, tv_nsec: t.subsec_nanos().into() });
        match epoll::wait(&epoll, spare_capacity(&mut events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {} // of a signal the byte is in the pipe
            Err(e) => anyhow::bail!("epoll_wait: {e}"),
        }
        house.round(
            events.iter().map(|event| (Who::from_token(event.data.u64()), found(event.flags))),
        );
    }
    Ok(())
}

/// Adds, changes, takes out. Who closed its socket needs no word: the kernel has taken it out.
#[cfg(target_os = "linux")]
fn tell_changes(epoll: &OwnedFd, house: &mut House<'_>) -> anyhow::Result<()> {
    house.changes(|who, socket, was, is| {
        let (socket, data) = (socket.as_fd(), EventData::new_u64(who.token()));
        match (was == Interest::NONE, is == Interest::NONE) {
            (true, true) => Ok(()),
            (true, false) => epoll::add(epoll, socket, data, flags(is)),
            (false, false) => epoll::modify(epoll, socket, data, flags(is)),
            // Out of the list, not in it with no wish: a broken connection is reported to every wish, even to none,
            // and the loop would spin until the pause of a client that has vanished is over.
            (false, true) => epoll::delete(epoll, socket),
        }
    })?;
    Ok(())
}

#[cfg(target_os = "linux")]
fn flags(interest: Interest) -> EventFlags {
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::IN, interest.read);
    flags.set(EventFlags::OUT, interest.write);
    flags
}

/// A broken connection is ready for everything: the next read or send will say what it is.
#[cfg(target_os = "linux")]
fn found(flags: EventFlags) -> Interest {
    let broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
    Interest {
        read: broken || flags.contains(EventFlags::IN),
        write: broken || flags.contains(EventFlags::OUT),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("epoll is Linux's, and so is chatd-epoll.");
}
