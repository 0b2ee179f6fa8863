//! One connection of a browser that is not a WebSocket yet. Nothing here waits.

use super::{
    answer::{Answer, Outcome, Port, Rules, Target},
    head::{self, HEAD_MAX, Head, Problem},
};
use crate::server::{net, tls::connection::TlsConnection};
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
    pub(super) tls: Option<Box<TlsConnection>>,
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
    /// The browser, to close: we have, and have thrown away this many bytes since.
    Lingering(usize),
}

/// What becomes of a connection.
pub(super) enum Next {
    /// It goes on.
    Stay(Connection),
    /// It has ended.
    Gone,
    /// The handshake with somebody at this address has failed.
    NoTls(SocketAddr, io::Error),
    Switch(Upgraded),
}

pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// `Some`: it is encrypted.
    tls: Option<Box<TlsConnection>>,
    peer: SocketAddr,
    port: Port,
    state: State,
    /// What came and belongs to no request yet.
    bytes: Vec<u8>,
    /// Until when it may wait.
    until: Instant,
    /// When it last got on.
    since: Instant,
    /// More requests may have come with the last one, which was answered.
    has_more: bool,
}

impl Connection {
    pub(super) fn new(
        (stream, tls): (TcpStream, Option<Box<TlsConnection>>),
        peer: SocketAddr,
        port: Port,
        now: Instant,
    ) -> Connection {
        net::prepare(&stream);
        let until = now + HEAD_PATIENCE;
        let (state, bytes) = (State::Reading, Vec::new());
        Connection { stream, tls, peer, port, state, bytes, until, since: now, has_more: false }
    }

    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Whether it waits to send, and not to read.
    pub(super) fn wants_to_send(&self) -> bool {
        matches!(self.state, State::Answering(..)) || self.has_unsent()
    }

    /// Whether something is encrypted that the socket has not taken.
    fn has_unsent(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.has_unsent())
    }

    /// When it last got on.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Whether there is something to do before anything more comes.
    pub(super) fn is_due(&self) -> bool {
        let has_more = self.has_more || self.tls.as_ref().is_some_and(|tls| tls.has_read_ahead());
        has_more && !self.wants_to_send()
    }

    /// Does what can be done now, for one request at most. `is_ready`: the socket can be read, or
    /// written to.
    pub(super) fn go_on(mut self, is_ready: bool, rules: &Rules, now: Instant) -> Next {
        if is_ready || self.is_due() {
            self.since = now;
            match self.advance(rules, now) {
                Ok(None) => {}
                Ok(Some((target, answer, peer))) => return self.switch(target, &answer, peer),
                Err(error) => return self.fail(error),
            }
        }
        if now < self.until {
            return Next::Stay(self);
        }
        match self.state {
            // Part of a request; nothing at all is a browser's connection for later.
            State::Reading if !self.bytes.is_empty() => {
                // Somebody at a terminal has pressed Enter, and waits for the chat.
                let answer = match self.bytes.trim_ascii().is_empty() {
                    true => rules.other_port(),
                    false => rules.refuse(Problem::Late, false, false),
                };
                self.bytes.clear();
                match self.begin(answer, now).and_then(|()| self.send(now)) {
                    Ok(()) => Next::Stay(self),
                    Err(_) => Next::Gone,
                }
            }
            _ => Next::Gone,
        }
    }

    /// Reads, and answers one request, as far as that goes without waiting: whoever sends many at once
    /// waits for the others' turns. Fails if the connection has ended.
    fn advance(
        &mut self,
        rules: &Rules,
        now: Instant,
    ) -> io::Result<Option<(Target, String, SocketAddr)>> {
        self.send(now)?;
        if self.wants_to_send() {
            return Ok(None);
        }
        self.look_for_tls();
        let mut bite = [0; BITE];
        let mut is_more = true;
        loop {
            // What has come already is answered first: behind it there may be the end.
            if is_more && !self.has_more && self.bytes.len() < HEAD_MAX {
                let space = BITE.min(HEAD_MAX - self.bytes.len());
                match self.read_now(&mut bite[..space]) {
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
                Head::Partial if is_more => {
                    self.has_more = false;
                    continue;
                }
                Head::Partial => return Ok(None),
                Head::Other => rules.other_port(),
                Head::Bad(problem) => rules.refuse(problem, false, false),
                Head::Whole(request, _) if self.port == Port::Encrypted && self.tls.is_none() => {
                    rules.elsewhere(&request)
                }
                Head::Whole(mut request, length) => {
                    self.bytes.drain(..length);
                    request.is_https |= self.tls.is_some();
                    match rules.answer(&request, self.peer, self.port) {
                        Outcome::Answer(answer) => answer,
                        Outcome::Switch { target, answer, peer } => {
                            return Ok(Some((target, answer, peer)));
                        }
                    }
                }
            };
            self.begin(answer, now)?;
            self.send(now)?;
            self.has_more = !self.bytes.is_empty();
            return Ok(None);
        }
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

    /// Somebody may speak http where https is spoken: they are told so, and not in TLS. The very first
    /// byte shows it. (Later ones show nothing: the rest of a long hello may begin with any letter.)
    fn look_for_tls(&mut self) {
        let mut first = [0];
        if self.tls.as_ref().is_some_and(|tls| !tls.has_begun())
            && matches!(net::peek_now(&self.stream, &mut first), Ok(1))
            && first[0].is_ascii_alphabetic()
        {
            self.tls = None;
        }
    }

    fn read_now(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => net::read_now(&self.stream, space),
            Some(tls) => tls.read_now(&self.stream, space),
        }
    }

    /// How it ends after this error.
    fn fail(self, error: io::Error) -> Next {
        match self.tls {
            Some(tls) if tls.is_handshaking() => Next::NoTls(self.peer, error),
            _ => Next::Gone,
        }
    }

    fn begin(&mut self, answer: Answer, now: Instant) -> io::Result<()> {
        self.until = now + ANSWER_PATIENCE;
        self.state = State::Answering(answer, 0);
        Ok(())
    }

    /// Sends what the browser takes now of the answer.
    fn send(&mut self, now: Instant) -> io::Result<()> {
        let State::Answering(answer, sent) = &mut self.state else {
            return self.tls.as_mut().map_or(Ok(()), |tls| tls.flush(&self.stream).map(drop));
        };
        let (head, body) = (answer.head.as_bytes(), &answer.body[..]);
        let rest_of_head = &head[(*sent).min(head.len())..];
        let rest_of_body = &body[sent.saturating_sub(head.len())..];
        let slices = [rest_of_head, rest_of_body];
        let (count, has_moved, has_unsent) = match &mut self.tls {
            None => (net::send_now(&self.stream, &slices)?, false, false),
            Some(tls) => {
                let count = tls.send(&self.stream, &[], &slices)?;
                (count, tls.take_moved(), tls.has_unsent())
            }
        };
        *sent += count;
        if *sent < head.len() + body.len() || has_unsent {
            if count > 0 || has_moved {
                self.until = now + ANSWER_PATIENCE;
            }
            return Ok(());
        }
        if answer.keeps_open {
            self.until = now + IDLE_PATIENCE;
            self.state = State::Reading;
        } else {
            // What came behind the last request is not read as one.
            (self.bytes, self.has_more) = (Vec::new(), false);
            self.until = now + LINGER_PATIENCE;
            self.state = State::Lingering(0);
            if let Some(tls) = self.tls.take() {
                let _ = net::send_now(&self.stream, &[&tls.finish(&[])]); // the socket is empty
            }
            self.stream.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }

    /// Answers the handshake. The socket's buffer is empty, or nearly so: a browser that has left it
    /// full of other answers does without.
    fn switch(mut self, target: Target, answer: &str, peer: SocketAddr) -> Next {
        self.bytes.shrink_to_fit(); // they are kept as long as the client is here
        let sent = match &mut self.tls {
            None => net::send_now(&self.stream, &[answer.as_bytes()]),
            Some(tls) => tls.send(&self.stream, answer.as_bytes(), &[]),
        };
        let Connection { stream, tls, bytes: first, .. } = self;
        match sent {
            Ok(sent) if sent == answer.len() => {
                Next::Switch(Upgraded { target, stream, tls, peer, first })
            }
            _ => Next::Gone,
        }
    }
}
