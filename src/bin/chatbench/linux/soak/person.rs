//! Somebody in a scene: says lines, and checks each line that comes against the one that is due. So
//! a line that is lost, repeated, torn or out of order ends the scene.

use crate::linux::socket::{Other, Poller, Socket};
use anyhow::{Context as _, Result, bail, ensure};
use memchr::memchr;
use rustix::io::Errno;
use socket2::{Domain, Type};
use std::{
    fmt::{self, Display},
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

/// How long what is due may take. It is long, because the machine may have other things to do.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes read at once: more than a record of TLS has.
const CHUNK: usize = 64 * 1024;

pub struct Person {
    name: String,
    socket: Socket,
    poller: Poller,
    chunk: Vec<u8>,
    /// Bytes that came and were not looked at.
    unread: Vec<u8>,
}

impl Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Person {
    /// Connects from one of loopback's addresses; by TLS or as a browser, if `other` says so.
    pub fn connect(
        name: &str,
        from: Ipv4Addr,
        address: SocketAddr,
        other: Option<&Other>,
    ) -> Result<Person> {
        let (name, poller) = (name.to_owned(), Poller::new(1)?);
        let address = other.map_or(address, Other::address);
        let socket = socket2::Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&address.into()) {
            Err(e) if Errno::from_io_error(&e) != Some(Errno::INPROGRESS) => {
                return Err(e).with_context(|| format!("{name} cannot connect"));
            }
            Ok(()) | Err(_) => {}
        }
        let mut socket = Socket::new(socket.into(), &poller, 0)?;
        other.cloned().map_or(Ok(()), |other| socket.begin(other))?;
        Ok(Person { name, socket, poller, chunk: vec![0; CHUNK], unread: Vec::new() })
    }

    /// Gives the name, and a password if the name has one, and goes to a room.
    pub fn enters(&mut self, room: &str, password: Option<&str>) -> Result<Vec<String>> {
        self.says(&self.name.clone())?;
        if let Some(password) = password {
            self.skips_to(&format!("*** {} is registered.", self.name))?;
            self.says(password)?;
        }
        let mut skipped = self.skips_to("*** You are in lobby")?;
        skipped.extend(self.goes_to(room)?);
        Ok(skipped)
    }

    /// Goes to a room, and returns what the server told meanwhile.
    pub fn goes_to(&mut self, room: &str) -> Result<Vec<String>> {
        self.says(&format!("/join {room}\n/whoami"))?;
        self.skips_to(&format!("*** You are {}:", self.name))
    }

    pub fn takes_name(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    /// Sends a line, or several.
    pub fn says(&mut self, text: &str) -> Result<()> {
        self.sends(&format!("{text}\n"))
    }

    /// Sends this, and no line's end.
    pub fn sends(&mut self, text: &str) -> Result<()> {
        let sent = self.socket.send([text.as_bytes(), b""]);
        sent.with_context(|| format!("{self} cannot send"))
    }

    /// The next line is this one.
    pub fn hears(&mut self, due: &str) -> Result<()> {
        let line = self.line(deadline()).with_context(|| format!("{due:?} was due"))?;
        ensure!(line == due, "{self} read {line:?} where {due:?} was due");
        Ok(())
    }

    /// The next line begins and ends so.
    pub fn hears_like(&mut self, begin: &str, end: &str) -> Result<String> {
        let line = self.line(deadline()).with_context(|| format!("{begin:?} was due"))?;
        let is_due = line.starts_with(begin) && line.ends_with(end);
        ensure!(is_due, "{self} read {line:?} where {begin:?} … {end:?} was due");
        Ok(line)
    }

    /// Reads up to a line that begins so, and returns all of it.
    pub fn skips_to(&mut self, begin: &str) -> Result<Vec<String>> {
        let (deadline, mut skipped) = (deadline(), Vec::new());
        loop {
            let line = self.line(deadline).with_context(|| {
                let last = skipped.last().map_or("", String::as_str);
                format!("{begin:?} was due, behind {last:?}")
            })?;
            let is_found = line.starts_with(begin);
            skipped.push(line);
            if is_found {
                return Ok(skipped);
            }
        }
    }

    /// Whether nobody of this name is here.
    pub fn finds_nobody(&mut self, name: &str) -> Result<bool> {
        self.says(&format!("/whois {name}"))?;
        let (deadline, nobody) = (deadline(), format!("*** Nobody here is called {name}."));
        loop {
            let line = self.line(deadline)?;
            if line.starts_with(&nobody) || line.starts_with(&format!("*** {name} is in ")) {
                return Ok(line.starts_with(&nobody));
            } // else it is told to everybody: that the disk is slow, say
        }
    }

    /// Leaves, and is told so.
    pub fn quits(mut self) -> Result<()> {
        self.says("/quit")?;
        self.hears("*** Goodbye.")?;
        let name = self.name.clone();
        let more = self.reads_to_the_end()?;
        ensure!(more.is_empty(), "{name} read {more:?} behind the last line");
        Ok(())
    }

    /// Reads to the end of the connection, which the server has made, and returns what came before.
    pub fn reads_to_the_end(mut self) -> Result<String> {
        let deadline = deadline();
        while self.reads(deadline).is_ok() {}
        ensure!(Instant::now() < deadline, "{self} was not hung up");
        Ok(String::from_utf8_lossy(&self.unread).into_owned())
    }

    /// Ends the connection, and whatever was sent or came is lost.
    pub fn resets(self) -> Result<()> {
        self.socket.reset()
    }

    fn line(&mut self, deadline: Instant) -> Result<String> {
        loop {
            if let Some(end) = memchr(b'\n', &self.unread) {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.reads(deadline)?;
        }
    }

    fn reads(&mut self, deadline: Instant) -> Result<()> {
        let patience = deadline.saturating_duration_since(Instant::now());
        if patience.is_zero() {
            bail!("a line lost: {self} read nothing more for {PATIENCE:?}");
        }
        self.poller.wait(Some(patience))?;
        let read = self.socket.flush().and_then(|()| self.socket.read(&mut self.chunk));
        let count = read.with_context(|| format!("{self} was hung up"))?;
        self.unread.extend_from_slice(&self.chunk[..count]);
        Ok(())
    }
}

fn deadline() -> Instant {
    Instant::now() + PATIENCE
}
