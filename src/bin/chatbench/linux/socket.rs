//! Sockets that never wait, and epoll to wait for many of them: for the crowd and the baseline.

use super::{tls::Tls, websocket::Frames};
use anyhow::{Context, Result};
use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, EventData, EventFlags},
    },
    fd::{AsFd, OwnedFd},
    net::sockopt,
};
use rustls::ClientConfig;
use std::{
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::{SocketAddr, TcpStream},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

/// Bytes that may wait for one peer.
pub const QUEUE_MAX: usize = 64 * 1024 * 1024;

pub struct Poller {
    epoll: Rc<OwnedFd>,
    events: Vec<epoll::Event>,
}

impl Poller {
    /// Returns at most `events` from one wait.
    pub fn new(events: usize) -> Result<Poller> {
        let epoll = Rc::new(epoll::create(epoll::CreateFlags::CLOEXEC)?);
        Ok(Poller { epoll, events: Vec::with_capacity(events) })
    }

    pub fn add(&self, socket: impl AsFd, key: usize) -> Result<()> {
        let data = EventData::new_u64(key as u64);
        epoll::add(&self.epoll, socket, data, EventFlags::IN).context("epoll")
    }

    /// What is ready within `patience`; without it, whenever something is.
    pub fn wait(&mut self, patience: Option<Duration>) -> Result<Vec<(usize, EventFlags)>> {
        let patience = patience.map(Timespec::try_from).transpose()?;
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), patience.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e).context("epoll"),
        }
        let event = |event: &epoll::Event| ({ event.data }.u64() as usize, event.flags);
        Ok(self.events.iter().map(event).collect())
    }
}

/// Where every second client connects, and what it speaks there.
#[derive(Clone)]
pub enum Other {
    Browsers(SocketAddr),
    Tls(SocketAddr, Arc<ClientConfig>),
}

impl Other {
    pub fn address(&self) -> SocketAddr {
        match self {
            Other::Browsers(address) | Other::Tls(address, _) => *address,
        }
    }
}

/// What is done to the bytes of a connection.
enum Coding {
    Plain,
    Frames(Frames),
    Tls(Box<Tls>),
}

/// One connection, and the bytes it could not take yet.
pub struct Socket {
    stream: TcpStream,
    epoll: Rc<OwnedFd>,
    key: usize,
    unsent: Vec<u8>,
    coding: Coding,
}

impl Socket {
    /// Takes a stream that does not block, and has the poller tell when it can be read.
    pub fn new(stream: TcpStream, poller: &Poller, key: usize) -> Result<Socket> {
        poller.add(&stream, key)?;
        let (epoll, unsent) = (poller.epoll.clone(), Vec::new());
        Ok(Socket { stream, epoll, key, unsent, coding: Coding::Plain })
    }

    /// From now on it speaks by WebSocket, or TLS.
    pub fn begin(&mut self, other: Other) -> Result<()> {
        match other {
            Other::Browsers(address) => {
                let (request, frames) = Frames::begin(address);
                self.send([request.as_bytes(), b""])?;
                self.coding = Coding::Frames(frames);
            }
            Other::Tls(_, config) => self.coding = Coding::Tls(Box::new(Tls::new(config)?)),
        }
        Ok(())
    }

    pub fn is_encrypted(&self) -> bool {
        matches!(self.coding, Coding::Tls(_))
    }

    /// Ends the connection by a reset: what was sent, or came, and was not taken is lost.
    pub fn reset(self) -> Result<()> {
        Ok(sockopt::set_socket_linger(&self.stream, Some(Duration::ZERO))?)
    }

    /// Has the poller tell no more of it.
    pub fn ignore(&self) -> Result<()> {
        Ok(epoll::delete(&self.epoll, &self.stream)?)
    }

    /// Returns 0 if nothing has come. The end of the stream is an error.
    pub fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        if let Coding::Tls(tls) = &mut self.coding {
            let count = or_nothing(tls.read(&self.stream, chunk))?;
            let records = tls.encrypt(&[])?;
            return self.write([&records, b""]).map(|()| count);
        }
        match self.stream.read(chunk) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            read => match (or_nothing(read)?, &mut self.coding) {
                (count, Coding::Frames(frames)) => frames.strip(&mut chunk[..count]),
                (count, _) => Ok(count),
            },
        }
    }

    /// Sends both parts in one call, and keeps what does not go now.
    pub fn send(&mut self, parts: [&[u8]; 2]) -> io::Result<()> {
        let coded = match &mut self.coding {
            Coding::Plain => return self.write(parts),
            Coding::Frames(_) => Frames::frame(&parts.concat())?,
            Coding::Tls(tls) => tls.encrypt(&parts.concat())?,
        };
        self.write([&coded, b""])
    }

    fn write(&mut self, parts: [&[u8]; 2]) -> io::Result<()> {
        let sent = match parts {
            _ if !self.unsent.is_empty() => 0,
            [[], []] => return Ok(()),
            [one, []] | [[], one] => or_nothing(self.stream.write(one))?,
            parts => or_nothing(self.stream.write_vectored(&parts.map(IoSlice::new)))?,
        };
        if sent == parts[0].len() + parts[1].len() {
            return Ok(());
        }
        if self.unsent.is_empty() {
            self.watch(EventFlags::IN | EventFlags::OUT)?;
        }
        self.unsent.extend_from_slice(&parts[0][sent.min(parts[0].len())..]);
        self.unsent.extend_from_slice(&parts[1][sent.saturating_sub(parts[0].len())..]);
        if self.unsent.len() > QUEUE_MAX { Err(ErrorKind::OutOfMemory.into()) } else { Ok(()) }
    }

    /// Sends what was kept, as far as it goes now.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        let sent = or_nothing(self.stream.write(&self.unsent))?;
        self.unsent.drain(..sent);
        if self.unsent.is_empty() { self.watch(EventFlags::IN) } else { Ok(()) }
    }

    fn watch(&self, flags: EventFlags) -> io::Result<()> {
        let data = EventData::new_u64(self.key as u64);
        Ok(epoll::modify(&self.epoll, &self.stream, data, flags)?)
    }
}

/// A socket that cannot go on now is no error.
fn or_nothing(count: io::Result<usize>) -> io::Result<usize> {
    match count {
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}
