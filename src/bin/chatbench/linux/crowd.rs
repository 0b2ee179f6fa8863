//! The crowd: all clients of a run, played by one thread, each checked against the transcript.
//!
//! Client 0 is the first watcher. It enters before all others, sends nothing that is measured, and
//! shows by what it reads who has entered: a client is *served* when the line that it sends on
//! entering has come to client 0. That holds for every kind of server, whether it greets or not.
//! Client 1 is the probe: its line shows that client 0 itself has entered.

use super::{
    socket::{Other, Poller, Socket},
    transcript::{FIRST_WATCHER, Reader, Transcript},
    wire::{ARRIVAL, LineId, Wire},
};
use anyhow::{Context, Error, Result, anyhow, ensure};
use rustix::io::Errno;
use socket2::{Domain, Type};
use std::{
    io::{self, Write},
    mem,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    ops::RangeInclusive,
    time::{Duration, Instant},
};

/// Bytes read at once: one buffer for all clients.
const CHUNK: usize = 64 * 1024;
/// Clients read from between two looks at the clock.
const EVENTS: usize = 64;
/// Clients that connect at once while nothing is measured: fewer than any accept queue takes.
const CONNECTING: usize = 8;
/// Clients that begin to connect between two looks at who has been served.
const STRIDE: usize = 16;
/// How long nothing may happen before a line or a client counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to listen for lines that should not come.
const QUIET: Duration = Duration::from_millis(50);
/// How long to wait for the probe's line before it is sent again: until then the server may not
/// have taken the first watcher in.
const PROBE_WAIT: Duration = Duration::from_millis(100);
pub const PROBE: usize = 1;

/// What a client does during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Watcher,
    Sender,
    /// Reads nothing once the run has begun. Its receive buffer is small, and soon full.
    Stuck,
    /// Reads, and what it reads is not checked.
    Ignored,
}

/// Where clients connect, and where every second of them does, in turn.
pub type Addresses = (SocketAddr, Vec<Other>);

struct Client {
    socket: Socket,
    role: Role,
    is_served: bool,
    reader: Reader,
}

pub struct Crowd {
    address: SocketAddr,
    /// Where every second client connects, if it is by TLS; those that only read, by WebSocket.
    others: Vec<Other>,
    wire: Wire,
    poller: Poller,
    chunk: Vec<u8>,
    clients: Vec<Client>,
    /// How many lines each has sent: the clients, then the visitors, who have left.
    said: Vec<usize>,
    transcript: Transcript,
    /// Clients that have read lines which no watcher has read yet.
    ahead: Vec<usize>,
}

impl Crowd {
    /// Connects one client for each role, in this order. The first is a watcher in any case.
    pub fn connect(addresses: Addresses, wire: Wire, roles: &[Role]) -> Result<Crowd> {
        let mut crowd = Crowd::new(addresses, wire, roles[1])?;
        crowd.enter(&roles[2..], CONNECTING, QUIET)?;
        for client in crowd.clients.iter().filter(|client| client.role == Role::Stuck) {
            client.socket.ignore()?;
        }
        Ok(crowd)
    }

    /// The first watcher and the probe alone.
    pub fn new((address, others): Addresses, wire: Wire, probe: Role) -> Result<Crowd> {
        let mut crowd = Crowd {
            address,
            others,
            wire,
            poller: Poller::new(EVENTS)?,
            chunk: vec![0; CHUNK],
            clients: Vec::new(),
            said: Vec::new(),
            transcript: Transcript::new(wire),
            ahead: Vec::new(),
        };
        crowd.add(Role::Watcher)?;
        crowd.add(probe)?;
        crowd.await_probe()?;
        Ok(crowd)
    }

    /// Lets clients enter, at most `at_once` at a time. Returns the time until all were served, and
    /// the longest that one client has waited.
    pub fn enter(
        &mut self,
        roles: &[Role],
        at_once: usize,
        wait: Duration,
    ) -> Result<(Duration, Duration)> {
        let (begin, first, all) = (Instant::now(), self.len(), roles.len());
        let mut begun = Vec::with_capacity(all);
        let (mut served, mut last, mut slowest) = (0, begin, Duration::ZERO);
        while served < all {
            let free = at_once - (begun.len() - served);
            for role in roles[begun.len()..].iter().take(free.min(STRIDE)) {
                begun.push(Instant::now());
                self.add(*role)?;
            }
            let may_more_begin = begun.len() < all && begun.len() - served < at_once;
            for client in self.arrivals(if may_more_begin { Duration::ZERO } else { wait })? {
                last = Instant::now();
                slowest = slowest.max(last - begun[client - first]);
                served += 1;
            }
            let is_alive = last.elapsed() < PATIENCE;
            ensure!(is_alive, "{served} of {all} clients were served, then none for {PATIENCE:?}");
        }
        Ok((last - begin, slowest))
    }

    pub fn len(&self) -> usize {
        self.clients.len()
    }

    pub fn senders(&self) -> Vec<usize> {
        let all = 0..self.len();
        all.filter(|client| self.role(*client) == Role::Sender).collect()
    }

    pub fn role(&self, client: usize) -> Role {
        self.clients[client].role
    }

    pub fn is_encrypted(&self, client: usize) -> bool {
        self.clients[client].socket.is_encrypted()
    }

    /// Connects one more client and sends what it enters with. It does not wait: the kernel may
    /// still be connecting.
    pub fn add(&mut self, role: Role) -> Result<()> {
        let number = self.len();
        let is_second = number > PROBE && number.is_multiple_of(2);
        let may_be = |other: &&Other| role == Role::Watcher || matches!(other, Other::Tls(..));
        let other = self.others.get(number / 2 % self.others.len().max(1));
        let other = other.filter(|_| is_second).filter(may_be).cloned();
        let address = other.as_ref().map_or(self.address, Other::address);
        let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if role == Role::Stuck {
            socket.set_recv_buffer_size(4096)?;
        }
        match socket.connect(&address.into()) {
            Err(e) if Errno::from_io_error(&e) != Some(Errno::INPROGRESS) => {
                return Err(e).context(format!("client {number} cannot connect"));
            }
            Ok(()) | Err(_) => {}
        }
        let mut socket = Socket::new(socket.into(), &self.poller, number)?;
        if let Some(other) = other {
            let begun = socket.begin(other);
            begun.with_context(|| format!("client {number} cannot send"))?;
        }
        let reader = Reader::new(number, role == Role::Watcher, &self.transcript);
        let is_served = number == FIRST_WATCHER;
        self.clients.push(Client { socket, role, is_served, reader });
        self.said.push(0);
        let mut entrance = self.wire.login(number);
        self.wire.compose(LineId { sender: number, seq: ARRIVAL }, &mut entrance);
        self.send(number, &entrance)
    }

    fn await_probe(&mut self) -> Result<()> {
        let begin = Instant::now();
        while self.arrivals(PROBE_WAIT)?.is_empty() {
            ensure!(begin.elapsed() < PATIENCE, "client 1's line did not come to client 0");
            self.send_lines(PROBE, ARRIVAL..=ARRIVAL)?;
        }
        Ok(())
    }

    /// Moves the first watcher and the probe to a room of their own, where the probe sends. The
    /// others are silent from now on, and what they read is not checked.
    pub fn talk_apart(&mut self) -> Result<()> {
        self.clients[2..].iter_mut().for_each(|other| other.role = Role::Ignored);
        self.clients[PROBE].role = Role::Sender;
        self.clients[PROBE].is_served = false;
        self.send(FIRST_WATCHER, b"/join apart\n")?;
        self.send(PROBE, b"/join apart\n")?;
        self.await_probe()
    }

    /// Reads one round, and returns who has been served meanwhile.
    pub fn arrivals(&mut self, patience: Duration) -> Result<Vec<usize>> {
        self.read_round(patience)?;
        let mut arrivals = mem::take(&mut self.transcript.arrivals);
        arrivals.retain(|client| {
            let client = self.clients.get_mut(*client);
            client.is_some_and(|client| !mem::replace(&mut client.is_served, true))
        });
        Ok(arrivals)
    }

    /// Reads once from each client that is ready within `patience`, and checks it. Returns how
    /// many.
    pub fn read_round(&mut self, patience: Duration) -> Result<usize> {
        let ready = self.wait(patience)?;
        ready.iter().try_for_each(|client| self.read(*client, &mut |_| {}))?;
        Ok(ready.len())
    }

    /// Waits until clients can read, at most for `patience`, and returns some of them.
    pub fn wait(&mut self, patience: Duration) -> Result<Vec<usize>> {
        let (clients, transcript) = (&self.clients, &self.transcript);
        let may_go_on = |client: &mut usize| clients[*client].reader.is_behind(transcript);
        let mut ready: Vec<usize> = self.ahead.extract_if(.., may_go_on).collect();
        let patience = if ready.is_empty() { patience } else { Duration::ZERO };
        let events = self.poller.wait(Some(patience))?;
        ready.extend(events.into_iter().map(|(client, _)| client));
        // What the generator decrypts comes last, so that nobody else's lines wait for that.
        ready.sort_by_key(|client| clients[*client].socket.is_encrypted());
        Ok(ready)
    }

    /// Reads once from `client` and checks it. Calls `heard` for each measured line.
    pub fn read(&mut self, client: usize, heard: &mut impl FnMut(LineId)) -> Result<()> {
        let Client { socket, role, reader, .. } = &mut self.clients[client];
        let unchecked = reader.take_unchecked(&mut self.chunk);
        self.chunk.resize(self.chunk.len().max(unchecked + CHUNK), 0);
        let free = &mut self.chunk[unchecked..unchecked + CHUNK];
        let read = socket.flush().and_then(|()| socket.read(free));
        let count = read.with_context(|| format!("client {client} was hung up by the server"))?;
        if *role == Role::Ignored {
            return Ok(());
        }
        // Even if nothing has come: the unchecked bytes can perhaps be checked by now.
        reader.read(&self.chunk[..unchecked + count], &mut self.transcript, heard)?;
        if reader.has_unchecked() && !self.ahead.contains(&client) {
            self.ahead.push(client);
        }
        Ok(())
    }

    /// Lets `client` send its next `count` lines, in one call if the socket takes them.
    pub fn say(&mut self, client: usize, count: usize) -> Result<()> {
        let said = &mut self.said[client];
        let (first, last) = (*said + 1, *said + count);
        *said = last;
        self.send_lines(client, first..=last)
    }

    fn send_lines(&mut self, client: usize, numbers: RangeInclusive<usize>) -> Result<()> {
        let mut lines = Vec::with_capacity(numbers.clone().count() * self.wire.size);
        numbers.for_each(|seq| self.wire.compose(LineId { sender: client, seq }, &mut lines));
        self.send(client, &lines)
    }

    fn send(&mut self, client: usize, bytes: &[u8]) -> Result<()> {
        let sent = self.clients[client].socket.send([bytes, b""]);
        sent.with_context(|| format!("client {client} cannot send"))
    }

    /// Somebody connects, sends one line and leaves at once, without reading.
    pub fn visit(&mut self) -> Result<()> {
        let visitor = self.said.len();
        let mut bytes = self.wire.login(visitor);
        self.wire.compose(LineId { sender: visitor, seq: 1 }, &mut bytes);
        self.said.push(1);
        let stream = self.connect_from(visitor).context("a visitor cannot connect")?;
        (&stream).write_all(&bytes).context("a visitor cannot send")
    }

    /// On loopback each comes from an address of its own: of two that come from one at the same time
    /// a server with limits may ask one to wait, and a visitor does not.
    fn connect_from(&self, visitor: usize) -> io::Result<TcpStream> {
        let socket = socket2::Socket::new(Domain::for_address(self.address), Type::STREAM, None)?;
        if self.address.ip() == Ipv4Addr::LOCALHOST {
            let from = Ipv4Addr::new(127, 2, (visitor / 250) as u8, 1 + (visitor % 250) as u8);
            socket.bind(&SocketAddr::from((from, 0)).into())?;
        }
        socket.connect_timeout(&self.address.into(), PATIENCE)?;
        Ok(socket.into())
    }

    /// Reads on until every client has read every line, and a little longer.
    pub fn settle(&mut self, heard: &mut impl FnMut(usize, LineId)) -> Result<()> {
        let begin = Instant::now();
        loop {
            let unfinished = self.unfinished();
            let ready = self.wait(if unfinished.is_some() { PATIENCE } else { QUIET })?;
            match unfinished {
                None if ready.is_empty() => return Ok(()),
                Some(fault) if begin.elapsed() > PATIENCE => return Err(fault),
                Some(_) | None => {}
            }
            for client in ready {
                self.read(client, &mut |id| heard(client, id))?;
            }
        }
    }

    /// The first line that somebody should have read and has not.
    fn unfinished(&self) -> Option<Error> {
        for (sender, said) in (0..).zip(&self.said) {
            let last = self.transcript.last_of(sender);
            if last < *said {
                return Some(anyhow!("a line lost: line {} of client {sender}, at all", last + 1));
            }
        }
        let is_checked = |client: &&Client| matches!(client.role, Role::Watcher | Role::Sender);
        let mut checked = self.clients.iter().filter(is_checked);
        checked.find_map(|client| client.reader.unfinished(&self.transcript))
    }
}
