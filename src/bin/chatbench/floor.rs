//! `chatbench floor`: the yardstick. What is the least that a fan-out can cost?
//!
//! It is what a chat server costs when it does nothing but fan-out: each round it reads all that is readable, appends
//! the lines to one batch, and sends each client the batch without the client's own lines, by one call that never waits.
//! It is not a chat server: no names, no rooms, no greeting, no cleaning of what strangers typed, no farewell.
//!
//! One thread runs all of it, by epoll.

use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Range;

use anyhow::{Context, Result};
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::net::{AddressFamily, SocketFlags, SocketType, acceptfrom_with, sockopt};

/// Connections the kernel keeps for us until we accept them. `std` would say 128, and 1,000 clients at once would wait.
const BACKLOG: i32 = 4096;
/// Bytes read from one client in one round: what a fast client can have sent meanwhile.
const CHUNK: usize = 64 * 1024;
/// Bytes that may wait for one client, or that one client may send without a line's end. Beyond it is hung up.
const QUEUE: usize = 64 * 1024 * 1024;
/// Events taken from the kernel in one round.
const EVENTS: usize = 1024;
/// The epoll data of the listener; all others are places in `clients`.
const LISTENER: u64 = u64::MAX;

/// Serves `address` until the process is ended.
pub fn run(address: SocketAddr) -> Result<()> {
    let mut floor = Floor::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    println!("listening on {}", floor.listener.local_addr()?);
    loop {
        floor.round()?;
    }
}

/// One connected client.
struct Client {
    stream: TcpStream,
    /// What it has begun to say: bytes without a line's end.
    unfinished: Vec<u8>,
    /// Where its own lines stand in this round's batch.
    own: Range<usize>,
    /// What it could not take yet.
    queue: Vec<u8>,
}

struct Floor {
    listener: TcpListener,
    epoll: rustix::fd::OwnedFd,
    clients: Vec<Option<Client>>,
    /// Places in `clients` that are empty.
    free: Vec<usize>,
    /// All lines of this round, in the order of the room.
    batch: Vec<u8>,
    /// Whose `own` is not empty.
    speakers: Vec<usize>,
    events: Vec<epoll::Event>,
    chunk: Box<[u8]>,
}

impl Floor {
    fn bind(address: SocketAddr) -> Result<Floor> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        // Linux hands this on to every accepted socket, which saves a system call for each.
        sockopt::set_tcp_nodelay(&socket, true)?;
        rustix::net::bind(&socket, &address)?;
        rustix::net::listen(&socket, BACKLOG)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &socket, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;
        Ok(Floor {
            listener: TcpListener::from(socket),
            epoll,
            clients: Vec::new(),
            free: Vec::new(),
            batch: Vec::new(),
            speakers: Vec::new(),
            events: Vec::with_capacity(EVENTS),
            chunk: vec![0; CHUNK].into_boxed_slice(),
        })
    }

    /// Waits until something is readable, reads all of it, and sends everybody what is new.
    fn round(&mut self) -> Result<()> {
        let mut events = std::mem::take(&mut self.events);
        epoll::wait(&self.epoll, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            match event.data.u64() {
                LISTENER => self.accept_all()?,
                place => self.serve(place as usize, event.flags),
            }
        }
        self.events = events;
        if !self.batch.is_empty() {
            self.fan_out();
        }
        Ok(())
    }

    fn accept_all(&mut self) -> Result<()> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        while let Ok((socket, _)) = acceptfrom_with(&self.listener, flags) {
            let place = self.free.pop().unwrap_or(self.clients.len());
            if place == self.clients.len() {
                self.clients.push(None);
            }
            epoll::add(
                &self.epoll,
                &socket,
                epoll::EventData::new_u64(place as u64),
                epoll::EventFlags::IN,
            )?;
            let stream = TcpStream::from(socket);
            self.clients[place] =
                Some(Client { stream, unfinished: Vec::new(), own: 0..0, queue: Vec::new() });
        }
        Ok(())
    }

    fn serve(&mut self, place: usize, ready: epoll::EventFlags) {
        let Some(client) = self.clients[place].as_mut() else {
            return;
        };
        let mut well = true;
        if ready.contains(epoll::EventFlags::OUT) {
            well = client.flush(&self.epoll, place).is_ok();
        }
        if well
            && ready
                .intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR)
        {
            well = client.read(&mut self.chunk, &mut self.batch).is_ok();
            if !client.own.is_empty() {
                self.speakers.push(place);
            }
        }
        if !well {
            self.hang_up(place);
        }
    }

    /// The fan-out: one send for each client, of everything but its own lines.
    fn fan_out(&mut self) {
        for place in 0..self.clients.len() {
            let Some(client) = self.clients[place].as_mut() else {
                continue;
            };
            if client.send(&self.batch, &self.epoll, place).is_err() {
                self.hang_up(place);
            }
        }
        for place in self.speakers.drain(..) {
            if let Some(client) = self.clients[place].as_mut() {
                client.own = 0..0;
            }
        }
        self.batch.clear();
    }

    /// Closing the socket also takes it out of epoll's set.
    fn hang_up(&mut self, place: usize) {
        self.clients[place] = None;
        self.free.push(place);
    }
}

impl Client {
    /// Appends the whole lines that have come to `batch`. An error is the end of the connection.
    fn read(&mut self, chunk: &mut [u8], batch: &mut Vec<u8>) -> io::Result<()> {
        let bytes = match self.stream.read(chunk) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => &chunk[..count],
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        };
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        if whole > 0 {
            let start = batch.len();
            batch.append(&mut self.unfinished);
            batch.extend_from_slice(&bytes[..whole]);
            self.own = start..batch.len();
        }
        self.unfinished.extend_from_slice(&bytes[whole..]);
        bounded(&self.unfinished)
    }

    /// Sends the batch without the client's own lines; what does not go now is queued.
    fn send(&mut self, batch: &[u8], epoll: &rustix::fd::OwnedFd, place: usize) -> io::Result<()> {
        let (before, after) = (&batch[..self.own.start], &batch[self.own.end..]);
        let sent = if !self.queue.is_empty() || before.len() + after.len() == 0 {
            0
        } else if before.is_empty() {
            never_waiting(self.stream.write(after))?
        } else if after.is_empty() {
            never_waiting(self.stream.write(before))?
        } else {
            never_waiting(self.stream.write_vectored(&[IoSlice::new(before), IoSlice::new(after)]))?
        };
        if sent == before.len() + after.len() {
            return Ok(());
        }
        if self.queue.is_empty() {
            self.watch(epoll, place, epoll::EventFlags::IN | epoll::EventFlags::OUT)?;
        }
        self.queue.extend_from_slice(&before[sent.min(before.len())..]);
        self.queue.extend_from_slice(&after[sent.saturating_sub(before.len())..]);
        bounded(&self.queue)
    }

    /// Sends what is queued, as far as it goes now.
    fn flush(&mut self, epoll: &rustix::fd::OwnedFd, place: usize) -> io::Result<()> {
        let sent = never_waiting(self.stream.write(&self.queue))?;
        self.queue.drain(..sent);
        if self.queue.is_empty() {
            self.watch(epoll, place, epoll::EventFlags::IN)?;
        }
        Ok(())
    }

    fn watch(
        &self,
        epoll: &rustix::fd::OwnedFd,
        place: usize,
        flags: epoll::EventFlags,
    ) -> io::Result<()> {
        Ok(epoll::modify(epoll, &self.stream, epoll::EventData::new_u64(place as u64), flags)?)
    }
}

/// A full socket buffer is no error: nothing went.
fn never_waiting(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}

fn bounded(bytes: &[u8]) -> io::Result<()> {
    if bytes.len() > QUEUE { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(()) }
}
