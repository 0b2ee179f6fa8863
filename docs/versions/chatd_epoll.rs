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
    common::{Interest, Server, Source, Version},
    rustix::{
        buffer::spare_capacity,
        event::{
            Timespec,
            epoll::{self, CreateFlags, Event, EventData, EventFlags},
        },
        fd::OwnedFd,
        io::Errno,
    },
    slotmap::{Key as _, KeyData},
};

/// Events taken from the kernel at once. More that are ready come with the next call.
#[cfg(target_os = "linux")]
const EVENTS_MAX: usize = 256;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    common::main(&Version {
        name: "chatd-epoll",
        io_model: "one thread and epoll for all connections, and yours is",
        wall: None,
        serve,
    })
}

/// The loop: tell `epoll` what changed, wait, serve what is ready.
#[cfg(target_os = "linux")]
fn serve(server: &mut Server<'_>) -> anyhow::Result<()> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    for (source, socket, interest) in server.watched() {
        epoll::add(&epoll, socket, data(source), flags(interest))?; // nobody is here yet
    }
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS_MAX);
    while !server.is_over() {
        tell_changes(&epoll, server)?;
        events.clear();
        let timeout = server.timers.timeout().map(Timespec::try_from).transpose()?;
        match epoll::wait(&epoll, spare_capacity(&mut events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {} // of a signal the byte is in the pipe
            Err(e) => anyhow::bail!("epoll_wait: {e}"),
        }
        server.round(events.iter().map(|event| (source(event.data.u64()), found(event.flags))));
    }
    Ok(())
}

/// Adds, changes, takes out. Whose socket was closed the kernel has taken out by itself.
#[cfg(target_os = "linux")]
fn tell_changes(epoll: &OwnedFd, server: &mut Server<'_>) -> anyhow::Result<()> {
    server.changes(|source, socket, was, is| {
        match (was == Interest::default(), is == Interest::default()) {
            (true, true) => Ok(()),
            (true, false) => epoll::add(epoll, socket, data(source), flags(is)),
            (false, false) => epoll::modify(epoll, socket, data(source), flags(is)),
            // Out of the list, not in it with no wish: a broken connection is reported to every wish, even to none,
            // and the loop would spin until the pause of a client that has vanished is over.
            (false, true) => epoll::delete(epoll, socket),
        }
    })?;
    Ok(())
}

/// What the kernel hands back with an event. The key of a client is a number from 2^32 on.
#[cfg(target_os = "linux")]
fn data(source: Source) -> EventData {
    EventData::new_u64(match source {
        Source::Signals => 0,
        Source::Listener(i) => 1 + i as u64,
        Source::Client(key) => key.data().as_ffi(),
    })
}

#[cfg(target_os = "linux")]
fn source(data: u64) -> Source {
    match data {
        0 => Source::Signals,
        1..=0xffff_ffff => Source::Listener((data - 1) as usize),
        _ => Source::Client(KeyData::from_ffi(data).into()),
    }
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
    let is_broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
    Interest {
        read: is_broken || flags.contains(EventFlags::IN),
        write: is_broken || flags.contains(EventFlags::OUT),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("epoll is Linux's, and so is chatd-epoll.");
}
