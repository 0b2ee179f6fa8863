//! The crowd: all clients of a run, played by one thread by epoll, and each checked against the transcript.
//!
//! Client 0 is the first watcher: it enters before all others, says nothing that is measured, and by its reading it is
//! known who has come in. A client is *served* when the line it says on entering has come to client 0; that holds for
//! every kind of server alike, whether it greets or not.
//!
//! It is not a load: who says how much, and when, is decided in `throughput.rs`, `latency.rs` and their like.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;
use socket2::{Domain, Socket, Type};

use crate::cli::transcript::{FIRST_WATCHER, Fault, Reader, Transcript, Wrong};
use crate::cli::wire::{LineId, Wire};

/// Bytes read at once: one buffer for all clients.
const CHUNK: usize = 64 * 1024;
/// Clients looked at in one round, so that the clock is looked at often enough.
const EVENTS: usize = 64;
/// Clients that are on their way in at once when no time is taken: fewer than any server's accept queue is long.
const ENTERING: usize = 8;
/// How long nothing may happen before a line or a client counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to listen for lines that ought not to come.
const QUIET: Duration = Duration::from_millis(50);
/// How long to wait for the herald's line to come to the first watcher before it is said again.
const HERALD_PATIENCE: Duration = Duration::from_millis(100);
/// The client who enters after the first watcher.
const HERALD: u32 = 1;

/// What a client does during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Watcher,
    /// Says lines and reads those of the others.
    Sender,
    /// Reads nothing once the run has begun. Its receive buffer is small, so that it is soon full.
    Stuck,
    /// Reads, and nobody looks at what.
    Heedless,
}

struct Client {
    stream: TcpStream,
    role: Role,
    /// Whether the line it says on entering has come to the first watcher.
    served: bool,
    /// What the socket could not take yet.
    unsent: Vec<u8>,
    /// The number of the last line it has said.
    said: u32,
    reader: Reader,
}

pub struct Crowd {
    address: SocketAddr,
    wire: Wire,
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    /// Whom to read from in this round.
    ready: Vec<u32>,
    chunk: Vec<u8>,
    /// Where lines are composed.
    lines: Vec<u8>,
    clients: Vec<Client>,
    transcript: Transcript,
    /// Clients that have read what no watcher has read yet.
    ahead: Vec<u32>,
    /// How many came, said one line and went: their numbers follow those of the clients.
    visits: u32,
}

impl Crowd {
    /// Lets one client in for each role, in this order. The first is a watcher whatever `roles` says.
    pub fn gather(address: SocketAddr, wire: Wire, roles: &[Role]) -> Result<Crowd> {
        let mut crowd = Crowd::found(address, wire, roles[1])?;
        let mut served = 2;
        let mut last = Instant::now();
        while served < roles.len() {
            while crowd.clients.len() < roles.len().min(served + ENTERING) {
                crowd.admit(roles[crowd.clients.len()])?;
            }
            let arrived = crowd.arrivals(Duration::from_millis(100))?.len();
            served += arrived;
            last = if arrived > 0 { Instant::now() } else { last };
            if last.elapsed() > PATIENCE {
                bail!(
                    "{served} clients of {} came in, and then no one for {PATIENCE:?}",
                    roles.len()
                );
            }
        }
        crowd.stop_reading_stuck()?;
        Ok(crowd)
    }

    /// The first watcher and the herald, the client who shows that the first watcher is in.
    pub fn found(address: SocketAddr, wire: Wire, herald: Role) -> Result<Crowd> {
        let mut crowd = Crowd {
            address,
            wire,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(EVENTS),
            ready: Vec::with_capacity(EVENTS),
            chunk: vec![0; CHUNK],
            lines: Vec::new(),
            clients: Vec::new(),
            transcript: Transcript::new(wire),
            ahead: Vec::new(),
            visits: 0,
        };
        crowd.admit(Role::Watcher)?;
        crowd.admit(herald)?;
        crowd.await_herald()?;
        Ok(crowd)
    }

    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// The number of the last line of a client or a visitor.
    pub fn said(&self, one: u32) -> u32 {
        self.clients.get(one as usize).map_or(1, |client| client.said)
    }

    /// Connects one more client and sends what it enters with. Never waits: the kernel may still be connecting.
    pub fn admit(&mut self, role: Role) -> Result<()> {
        let number = self.clients.len() as u32;
        let socket = Socket::new(Domain::for_address(self.address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if role == Role::Stuck {
            socket.set_recv_buffer_size(4096)?;
        }
        match socket.connect(&self.address.into()) {
            Err(e) if e.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                return Err(e).with_context(|| {
                    format!("client {number} cannot connect to {}", self.address)
                });
            }
            _ => {}
        }
        let stream = TcpStream::from(socket);
        epoll::add(
            &self.epoll,
            &stream,
            epoll::EventData::new_u64(number.into()),
            epoll::EventFlags::IN,
        )?;
        let reader = Reader::new(number, role == Role::Watcher, &self.transcript);
        self.clients.push(Client {
            stream,
            role,
            served: false,
            unsent: Vec::new(),
            said: 0,
            reader,
        });
        let entrance = self.wire.entrance(number);
        self.send(number, &entrance)
    }

    /// The first watcher is in when it reads what the herald says. A line server may be slow to take the first watcher
    /// in, so the herald says it again until it is heard.
    fn await_herald(&mut self) -> Result<()> {
        let begin = Instant::now();
        while self.arrivals(HERALD_PATIENCE)?.is_empty() {
            if begin.elapsed() > PATIENCE {
                bail!(
                    "the line of the second client did not come to the first within {PATIENCE:?}"
                );
            }
            let mut line = Vec::new();
            self.wire.compose(LineId { sender: HERALD, seq: 0 }, &mut line);
            self.send(HERALD, &line)?;
        }
        Ok(())
    }

    /// The first watcher and the herald go to a room of their own, on a server that has rooms; from now on nobody looks
    /// at what all others read, and they have nothing to say. Returns who talks and who listens.
    pub fn withdraw(&mut self) -> Result<(u32, u32)> {
        self.clients[2..].iter_mut().for_each(|other| other.role = Role::Heedless);
        for client in [FIRST_WATCHER, HERALD] {
            self.send(client, b"/join apart\n")?;
        }
        // It is heard again as soon as both are there.
        self.clients[HERALD as usize].served = false;
        self.await_herald()?;
        Ok((HERALD, FIRST_WATCHER))
    }

    /// One round, then who has been served meanwhile.
    pub fn arrivals(&mut self, patience: Duration) -> Result<Vec<u32>> {
        self.wait(patience)?;
        self.hear_all()?;
        let mut arrivals = std::mem::take(&mut self.transcript.arrivals);
        arrivals
            .retain(|client| !std::mem::replace(&mut self.clients[*client as usize].served, true));
        Ok(arrivals)
    }

    /// Waits until clients have something to read, at most for `patience`. Returns how many; `ready` says who.
    pub fn wait(&mut self, patience: Duration) -> Result<usize> {
        let (clients, transcript) = (&self.clients, &self.transcript);
        let may_go_on =
            |client: &mut u32| clients[*client as usize].reader.next() < transcript.end();
        let go_on: Vec<u32> = self.ahead.extract_if(.., may_go_on).collect();
        let patience = if go_on.is_empty() { patience } else { Duration::ZERO };
        let patience =
            Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: patience.subsec_nanos().into() };
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&patience)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e).context("epoll"),
        }
        self.ready.clear();
        self.ready.extend(self.events.iter().map(|event| { event.data }.u64() as u32));
        self.ready.extend(go_on);
        Ok(self.ready.len())
    }

    pub fn ready(&self, at: usize) -> u32 {
        self.ready[at]
    }

    /// Reads once from each client that is ready, and checks it.
    pub fn hear_all(&mut self) -> Result<()> {
        (0..self.ready.len()).try_for_each(|at| self.hear(self.ready(at), &mut |_| {}))
    }

    /// Reads once from `client` and checks it; calls `heard` for each measured line.
    pub fn hear(&mut self, client: u32, heard: &mut impl FnMut(LineId)) -> Result<()> {
        self.flush(client)?;
        let reading = &mut self.clients[client as usize];
        let unchecked = reading.reader.take_unchecked(&mut self.chunk);
        self.chunk.resize(self.chunk.len().max(unchecked + CHUNK), 0);
        let count = match reading.stream.read(&mut self.chunk[unchecked..unchecked + CHUNK]) {
            Ok(0) => bail!("client {client} was hung up by the server"),
            Ok(count) => count,
            // Nothing new, but what it had read before can perhaps be checked by now.
            Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
            Err(e) => {
                return Err(e).with_context(|| format!("client {client} lost its connection"));
            }
        };
        if reading.role == Role::Heedless {
            return Ok(());
        }
        reading.reader.read(&self.chunk[..unchecked + count], &mut self.transcript, heard)?;
        if reading.reader.is_ahead() && !self.ahead.contains(&client) {
            self.ahead.push(client);
        }
        if self.transcript.is_long() {
            self.forget();
        }
        Ok(())
    }

    /// Lets `client` say its next `count` lines, in one send if the socket takes them.
    pub fn say(&mut self, client: u32, count: u32) -> Result<()> {
        let mut lines = std::mem::take(&mut self.lines);
        lines.clear();
        let saying = &mut self.clients[client as usize];
        for _ in 0..count {
            saying.said += 1;
            self.wire.compose(LineId { sender: client, seq: saying.said }, &mut lines);
        }
        let sent = self.send(client, &lines);
        self.lines = lines;
        sent
    }

    /// Somebody comes, says one line and goes at once, without reading what the server has said.
    pub fn visit(&mut self) -> Result<()> {
        let visitor = self.clients.len() as u32 + self.visits;
        let mut bytes = self.wire.login(visitor);
        self.wire.compose(LineId { sender: visitor, seq: 1 }, &mut bytes);
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)
            .context("a visitor cannot connect")?;
        stream.write_all(&bytes).context("a visitor cannot speak")?;
        self.visits += 1;
        Ok(())
    }

    /// How many visitors' lines have come to nobody.
    pub fn unheard_visits(&self) -> usize {
        let first = self.clients.len() as u32;
        (first..first + self.visits)
            .filter(|visitor| self.transcript.last_of(*visitor) == 0)
            .count()
    }

    /// Reads on until everybody has read everything, and then a little longer. What has not come by then is lost.
    pub fn settle(&mut self, heard: &mut impl FnMut(u32, LineId)) -> Result<()> {
        let begin = Instant::now();
        loop {
            let missing = self.missing();
            let ready = self.wait(if missing.is_some() { PATIENCE } else { QUIET })?;
            match missing {
                None if ready == 0 => return self.nothing_is_left_over(),
                Some(fault) if begin.elapsed() > PATIENCE => return Err(fault.into()),
                _ => {}
            }
            for at in 0..ready {
                let client = self.ready(at);
                self.hear(client, &mut |id| heard(client, id))?;
            }
        }
    }

    /// How many of the stuck clients the server has hung up meanwhile.
    pub fn hung_up(&mut self) -> usize {
        let stuck = self.clients.iter_mut().filter(|client| client.role == Role::Stuck);
        stuck.filter_map(|client| drain(&mut client.stream, &mut self.chunk).err()).count()
    }

    /// The first line that somebody has not read and should have.
    fn missing(&self) -> Option<Fault> {
        let everyone = 0..self.clients.len() as u32 + self.visits;
        if let Some(sender) =
            everyone.into_iter().find(|one| self.transcript.last_of(*one) < self.said(*one))
        {
            let wrong = Wrong::Lost(LineId { sender, seq: self.transcript.last_of(sender) + 1 });
            return Some(Fault { client: FIRST_WATCHER, wrong, read: "and so did nobody".into() });
        }
        self.readers().find_map(|client| client.reader.lacks(&self.transcript))
    }

    fn nothing_is_left_over(&self) -> Result<()> {
        match self.readers().find_map(|client| client.reader.left_over(&self.transcript)) {
            Some(fault) => Err(fault.into()),
            None => Ok(()),
        }
    }

    fn readers(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter().filter(|client| matches!(client.role, Role::Watcher | Role::Sender))
    }

    fn forget(&mut self) {
        let read_by_all = self.readers().map(|client| client.reader.next()).min();
        self.transcript.forget(read_by_all.unwrap_or(0));
    }

    fn stop_reading_stuck(&mut self) -> Result<()> {
        for client in self.clients.iter().filter(|client| client.role == Role::Stuck) {
            epoll::delete(&self.epoll, &client.stream)?;
        }
        Ok(())
    }

    /// Sends now what goes, and keeps the rest for when the socket takes it.
    fn send(&mut self, client: u32, bytes: &[u8]) -> Result<()> {
        let sending = &mut self.clients[client as usize];
        if !sending.unsent.is_empty() {
            sending.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let sent = write_some(&mut sending.stream, bytes)
            .with_context(|| format!("client {client} cannot send"))?;
        if sent < bytes.len() {
            sending.unsent.extend_from_slice(&bytes[sent..]);
            self.await_flags(client, epoll::EventFlags::IN | epoll::EventFlags::OUT)?;
        }
        Ok(())
    }

    fn flush(&mut self, client: u32) -> Result<()> {
        let sending = &mut self.clients[client as usize];
        if sending.unsent.is_empty() {
            return Ok(());
        }
        let sent = write_some(&mut sending.stream, &sending.unsent)
            .with_context(|| format!("client {client} cannot send"))?;
        sending.unsent.drain(..sent);
        if sending.unsent.is_empty() {
            self.await_flags(client, epoll::EventFlags::IN)?;
        }
        Ok(())
    }

    fn await_flags(&self, client: u32, flags: epoll::EventFlags) -> Result<()> {
        let stream = &self.clients[client as usize].stream;
        Ok(epoll::modify(&self.epoll, stream, epoll::EventData::new_u64(client.into()), flags)?)
    }
}

/// Writes what the socket takes now.
fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match stream.write(bytes) {
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}

/// Reads what has come, without waiting; an end or an error of the connection is an error.
fn drain(stream: &mut TcpStream, chunk: &mut [u8]) -> io::Result<()> {
    loop {
        match stream.read(chunk) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        }
    }
}
