//! One connected client: its socket, its session, its outgoing queue, and what the loop has to watch it for. No I/O
//! happens here. Runs on thread `main`.

use super::outgoing::Outgoing;
use chatd::{
    core::{event::ClientId, farewell::Farewell, session::Session},
    server::status::{Doing, Status},
};
use std::{
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

/// What a loop watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The pipe that says that a signal came.
    Signals,
    /// A listener.
    Listener(usize),
    /// A client, by its place in the table.
    Client(usize),
}

/// What something is watched for; and what it was found ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// Bytes, or a connection, or the end of file.
    pub read: bool,
    /// Room for more bytes.
    pub write: bool,
}

impl Interest {
    /// Not watched at all.
    pub const NONE: Interest = Interest { read: false, write: false };
    /// Watched for bytes.
    pub const READ: Interest = Interest { read: true, write: false };
}

/// Clients' tokens come after these: signals, and listeners from 1.
const FIRST_CLIENT: u64 = 1 << 32;

#[allow(dead_code, reason = "epoll carries a number along; select has no need of it")]
impl Who {
    /// As a number.
    pub fn token(self) -> u64 {
        match self {
            Who::Signals => 0,
            Who::Listener(i) => 1 + i as u64,
            Who::Client(key) => FIRST_CLIENT + key as u64,
        }
    }

    /// And back.
    pub fn from_token(token: u64) -> Who {
        match token {
            0 => Who::Signals,
            FIRST_CLIENT.. => Who::Client((token - FIRST_CLIENT) as usize),
            i => Who::Listener(i as usize - 1),
        }
    }
}

/// Where a client is in its connection's life. In chatd this is the place in the code where its thread waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// For its next bytes.
    Reading,
    /// For the end of a pause (flood). It is not watched for reading until then, so TCP slows it down.
    Paused(Instant),
    /// For the client to read the answer to its own command. Not watched for reading either.
    Behind,
    /// For the rooms to have told it all that was said before it goes.
    Departing,
    /// For the client to take its last line, until then at most.
    Goodbye(Instant),
    /// For the client to close its side, until then at most; so many bytes were read and thrown away.
    Lingering(Instant, usize),
    /// For nothing: to be struck out when the round is over.
    Gone,
}

/// One row of the table of clients.
pub struct Client<'a> {
    /// Its number, as in `c7`.
    pub number: ClientId,
    /// Its address.
    pub peer: SocketAddr,
    /// Non-blocking.
    pub socket: TcpStream,
    /// Not here while it runs, or after it panicked, or when the client is leaving.
    pub session: Option<Session<'a>>,
    /// Its name is still to come.
    pub is_naming: bool,
    /// What waits for it to read.
    pub outgoing: Outgoing,
    /// Where it is.
    pub stage: Stage,
    /// Why it goes.
    pub farewell: Option<Farewell>,
    /// Since when it is connected.
    pub began: Instant,
    /// Its row in `/threads`.
    pub status: Arc<Status>,
    /// Its alarm as it is set.
    pub alarm: Option<Instant>,
    /// When it was first seen to have ended its side in the middle of a flood.
    pub ended: Option<Instant>,
    /// What the system watches it for, if the system was told.
    pub watched: Interest,
    /// On the list of those to whom something happened in this round.
    pub touched: bool,
}

/// The deadlines of a talking client.
#[derive(Clone, Copy)]
pub struct Deadlines {
    /// For its name, after it came.
    pub login: Duration,
    /// For taking a byte, while some wait.
    pub write: Duration,
}

impl Client<'_> {
    /// What to watch it for. Never for writing while nothing waits: a socket is nearly always writable, and the loop
    /// would spin.
    pub fn interest(&self) -> Interest {
        let read = matches!(self.stage, Stage::Reading | Stage::Lingering(..));
        let write =
            !self.outgoing.is_empty() && !matches!(self.stage, Stage::Lingering(..) | Stage::Gone);
        Interest { read, write }
    }

    /// When to look at it next, whatever comes.
    pub fn deadline(&self, deadlines: Deadlines) -> Option<Instant> {
        match self.stage {
            Stage::Goodbye(until) | Stage::Lingering(until, _) => return Some(until),
            Stage::Departing | Stage::Gone => return None,
            Stage::Reading | Stage::Paused(_) | Stage::Behind => {}
        }
        let pause = if let Stage::Paused(until) = self.stage { Some(until) } else { None };
        [pause, self.login_deadline(deadlines), self.write_deadline(deadlines)]
            .into_iter()
            .flatten()
            .min()
    }

    /// When it must have given its name.
    pub fn login_deadline(&self, deadlines: Deadlines) -> Option<Instant> {
        self.is_naming.then(|| self.began + deadlines.login)
    }

    /// When it must have taken a byte.
    pub fn write_deadline(&self, deadlines: Deadlines) -> Option<Instant> {
        (!self.outgoing.is_empty()).then(|| self.outgoing.progress() + deadlines.write)
    }

    /// For `/threads`: what is waited for.
    pub fn note_stage(&self) {
        self.status.now(match self.stage {
            Stage::Reading => Doing::Reading,
            Stage::Paused(_) => Doing::Pausing,
            Stage::Behind => Doing::Answering,
            _ => Doing::Leaving,
        });
    }
}
