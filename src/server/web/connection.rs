//! One connection of a browser that is not a WebSocket yet. Nothing here waits.

use super::{
    answer::{Answer, Outcome, Rules, Target},
    head::{self, HEAD_MAX, Head, Problem},
};
use crate::server::net;
use std::{
    io,
    net::{Shutdown, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// How long a request's head may take.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer may wait for its reader to take more of it.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may be idle after an answer: a page loads its files one after the other.
const IDLE_PATIENCE: Duration = Duration::from_secs(5);
/// How long, and for how many bytes, a connection that we have closed is listened to: see
/// `linger.rs`.
const LINGER_PATIENCE: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 * 1024;
/// Bytes read at once.
const BITE: usize = 2048;

/// A connection that becomes a WebSocket.
pub(super) struct Upgraded {
    pub(super) target: Target,
    pub(super) stream: TcpStream,
    /// Where the browser is.
    pub(super) peer: SocketAddr,
    /// What it has sent already.
    pub(super) first: Vec<u8>,
}

/// What a connection waits for.
enum State {
    /// The next head, or more of it.
    Reading,
    /// The browser, to take the rest of an answer.
    Answering(Answer, usize),
    /// The browser, to close; so many bytes were thrown away since we have.
    Lingering(usize),
}

/// What becomes of a connection.
pub(super) enum Next {
    /// It goes on.
    Stay(Connection),
    /// It has ended.
    Gone,
    Switch(Upgraded),
}

pub(super) struct Connection {
    pub(super) stream: TcpStream,
    peer: SocketAddr,
    state: State,
    /// What came and belongs to no request yet.
    bytes: Vec<u8>,
    /// Until when it may wait.
    until: Instant,
    /// When it last got on.
    since: Instant,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, now: Instant) -> Connection {
        net::prepare(&stream);
        let until = now + HEAD_PATIENCE;
        Connection { stream, peer, state: State::Reading, bytes: Vec::new(), until, since: now }
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Whether it waits to send, and not to read.
    pub(super) fn wants_to_send(&self) -> bool {
        matches!(self.state, State::Answering(..))
    }

    /// Since when it has been idle; `None`: an answer is on its way.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        (!self.wants_to_send()).then_some(self.since)
    }

    /// Does what can be done now. `is_ready`: the socket can be read, or written to.
    pub(super) fn go_on(mut self, is_ready: bool, rules: &Rules, now: Instant) -> Next {
        if is_ready {
            self.since = now;
            match self.advance(rules, now) {
                Ok(None) => {}
                Ok(Some((target, answer, peer))) => return self.switch(target, &answer, peer),
                Err(_) => return Next::Gone,
            }
        }
        if now < self.until {
            return Next::Stay(self);
        }
        match self.state {
            // Part of a request; nothing at all is a browser's connection for later.
            State::Reading if !self.bytes.is_empty() => {
                self.bytes.clear();
                let answer = rules.refuse(Problem::Late, false, false);
                match self.begin(answer, now).and_then(|()| self.send(now)) {
                    Ok(()) => Next::Stay(self),
                    Err(_) => Next::Gone,
                }
            }
            _ => Next::Gone,
        }
    }

    /// Reads and answers as far as that goes without waiting. Fails if the connection has ended.
    fn advance(
        &mut self,
        rules: &Rules,
        now: Instant,
    ) -> io::Result<Option<(Target, String, SocketAddr)>> {
        if self.wants_to_send() {
            self.send(now)?;
        }
        let mut bite = [0; BITE];
        let mut is_more = true;
        while !self.wants_to_send() {
            if is_more && self.bytes.len() < HEAD_MAX {
                let space = BITE.min(HEAD_MAX - self.bytes.len());
                match net::read_now(&self.stream, &mut bite[..space]) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(count) => self.take(&bite[..count], now)?,
                    Err(e) if net::is_nothing(&e) => is_more = false,
                    Err(e) => return Err(e),
                }
            }
            if let State::Lingering(_) = self.state {
                if is_more {
                    continue;
                }
                return Ok(None);
            }
            let answer = match head::read(&self.bytes) {
                Head::Partial if is_more => continue,
                Head::Partial => return Ok(None),
                Head::Other => rules.other_port(),
                Head::Bad(problem) => rules.refuse(problem, false, false),
                Head::Whole(request, length) => {
                    self.bytes.drain(..length);
                    match rules.answer(&request, self.peer) {
                        Outcome::Answer(answer) => answer,
                        Outcome::Switch { target, answer, peer } => {
                            return Ok(Some((target, answer, peer)));
                        }
                    }
                }
            };
            self.begin(answer, now)?;
            self.send(now)?;
        }
        Ok(None)
    }

    fn take(&mut self, bytes: &[u8], now: Instant) -> io::Result<()> {
        match &mut self.state {
            State::Lingering(count) if *count > LINGER_BYTES => {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            State::Lingering(count) => *count += bytes.len(),
            _ => {
                if self.bytes.is_empty() {
                    self.until = now + HEAD_PATIENCE;
                }
                self.bytes.extend_from_slice(bytes);
            }
        }
        Ok(())
    }

    fn begin(&mut self, answer: Answer, now: Instant) -> io::Result<()> {
        self.until = now + ANSWER_PATIENCE;
        self.state = State::Answering(answer, 0);
        Ok(())
    }

    /// Sends what the browser takes now of the answer.
    fn send(&mut self, now: Instant) -> io::Result<()> {
        let State::Answering(answer, sent) = &mut self.state else { return Ok(()) };
        let (head, body) = (answer.head.as_bytes(), &answer.body[..]);
        let rest_of_head = &head[(*sent).min(head.len())..];
        let rest_of_body = &body[sent.saturating_sub(head.len())..];
        let count = net::send_now(&self.stream, &[rest_of_head, rest_of_body])?;
        *sent += count;
        if *sent < head.len() + body.len() {
            if count > 0 {
                self.until = now + ANSWER_PATIENCE;
            }
            return Ok(());
        }
        if answer.keeps_open {
            self.until = now + IDLE_PATIENCE;
            self.state = State::Reading;
        } else {
            self.bytes = Vec::new();
            self.until = now + LINGER_PATIENCE;
            self.state = State::Lingering(0);
            self.stream.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    /// Answers the handshake. The socket's buffer is empty, or nearly so: a browser that has left it
    /// full of other answers does without.
    fn switch(self, target: Target, answer: &str, peer: SocketAddr) -> Next {
        match net::send_now(&self.stream, &[answer.as_bytes()]) {
            Ok(sent) if sent == answer.len() => {
                Next::Switch(Upgraded { target, stream: self.stream, peer, first: self.bytes })
            }
            _ => Next::Gone,
        }
    }
}
