//! Step 8, epoll, level- and edge-triggered side by side: upper case. Port 8889. Linux only.
//! `epoll [ADDR:PORT] [level|edge|edge-once]`; `edge-once` has the mistake that everybody makes once.

#[cfg(target_os = "linux")]
use {
    chatd::socketserver::program,
    client::Client,
    rustix::event::{
        Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
    },
    std::{collections::HashMap, mem::MaybeUninit, os::fd::OwnedFd},
};

#[cfg(target_os = "linux")]
mod client;

/// How the kernel is to tell of a client, and what we do then.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// It tells as long as there is something to do. Read once; what is left is told again.
    Level,
    /// It tells when something new happened. Read until there is nothing.
    Edge,
    /// The mistake: told once, read once. What is left lies there until something new happens.
    EdgeOnce,
}

/// Bytes of one read. Few on purpose: one line takes several, and the modes differ.
#[cfg(target_os = "linux")]
const READ_MAX: usize = 16;
/// Reads of one client before it is the turn of the next.
#[cfg(target_os = "linux")]
const READS_MAX: usize = 64;
/// Numbers that the kernel gives back with each event; clients are counted from 2.
#[cfg(target_os = "linux")]
const CTRL_C: u64 = 0;
#[cfg(target_os = "linux")]
const LISTENER: u64 = 1;
/// Clients at once; more wait in the accept queue.
#[cfg(target_os = "linux")]
const CLIENTS_MAX: usize = 1000;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    let mode = match std::env::args().nth(2).as_deref() {
        None | Some("level") => Mode::Level,
        Some("edge") => Mode::Edge,
        Some("edge-once") => Mode::EdgeOnce,
        Some(other) => anyhow::bail!("{other} is none of level, edge, edge-once"),
    };
    let (ctrl_c, listener) = (program::CtrlC::new()?, program::listen("127.0.0.1:8889")?);
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &ctrl_c, EventData::new_u64(CTRL_C), EventFlags::IN)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut clients: HashMap<u64, Client> = HashMap::new();
    let (mut next, mut watched, mut unfinished) = (2, true, Vec::new());
    loop {
        let mut room = [MaybeUninit::uninit(); 64];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let wait_at_most = if unfinished.is_empty() { None } else { Some(&at_once) };
        let Ok((events, _)) = epoll::wait(&epoll, &mut room, wait_at_most) else { continue };
        let mut told: Vec<(u64, EventFlags)> =
            events.iter().map(|event| (event.data.u64(), event.flags)).collect();
        told.extend(unfinished.drain(..).map(|number| (number, EventFlags::empty())));
        let mut accepting = watched;
        for (number, flags) in told {
            if number == CTRL_C {
                return Ok(());
            }
            if number == LISTENER {
                match client::accept(&listener) {
                    Ok(Some(client)) => {
                        let wanted = if mode == Mode::Level {
                            interest(&client)
                        } else {
                            EventFlags::IN | EventFlags::OUT | EventFlags::ET
                        };
                        epoll::add(&epoll, &client.stream, EventData::new_u64(next), wanted)?;
                        clients.insert(next, client);
                        next += 1;
                    }
                    Ok(None) => {}
                    Err(_) => accepting = false,
                }
            }
            let Some(client) = clients.get_mut(&number) else { continue };
            match mode {
                Mode::Level => level(client, &epoll, number)?,
                Mode::Edge if !edge(client) => unfinished.push(number),
                Mode::Edge => {}
                Mode::EdgeOnce => read_once(client),
            }
            if client.is_over() || flags.intersects(EventFlags::ERR | EventFlags::HUP) {
                clients.remove(&number); // closed, and so out of the epoll
                accepting = true;
            }
        }
        accepting &= clients.len() < CLIENTS_MAX;
        if accepting != std::mem::replace(&mut watched, accepting) {
            let wanted = if accepting { EventFlags::IN } else { EventFlags::empty() };
            epoll::modify(&epoll, &listener, EventData::new_u64(LISTENER), wanted)?;
        }
    }
}

/// One read, and what can be sent.
#[cfg(target_os = "linux")]
fn read_once(client: &mut Client) {
    let mut bytes = [0; READ_MAX];
    let n = if client.may_receive() { client.receive(&mut bytes) } else { 0 };
    client.answers_in_upper_case(&bytes[..n]);
    client.send();
}

/// Level-triggered: one read, and then, if it has changed, what is of interest.
#[cfg(target_os = "linux")]
fn level(client: &mut Client, epoll: &OwnedFd, number: u64) -> std::io::Result<()> {
    let before = interest(client);
    read_once(client);
    let wanted = interest(client);
    if wanted != before {
        epoll::modify(epoll, &client.stream, EventData::new_u64(number), wanted)?;
    }
    Ok(())
}

/// Room in the socket is of interest only while something waits: else there is always room, and the kernel would tell
/// so without end.
#[cfg(target_os = "linux")]
fn interest(client: &Client) -> EventFlags {
    let mut wanted = EventFlags::empty();
    wanted.set(EventFlags::IN, client.may_receive());
    wanted.set(EventFlags::OUT, !client.queue.is_empty());
    wanted
}

/// Edge-triggered: reads until it would block, or until there is no room to send; only then will the kernel tell again.
/// After 64 reads it is the next client's turn. Returns whether there is nothing left to do.
#[cfg(target_os = "linux")]
fn edge(client: &mut Client) -> bool {
    client.send();
    for _ in 0..READS_MAX {
        let mut bytes = [0; READ_MAX];
        let n = if client.may_receive() { client.receive(&mut bytes) } else { 0 };
        if n == 0 {
            return true;
        }
        client.answers_in_upper_case(&bytes[..n]);
        client.send();
    }
    false
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("epoll exists on Linux only");
}
