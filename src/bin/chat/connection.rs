//! Getting a connection, and the half of it that writes. The half that reads is `socket.rs`.
//!
//! [`connect`] runs on `main` for the first connection and on `socket` for those after it; both use
//! [`Link`], and a line is always one write.

use crate::{
    address::{Address, DEFAULT_HOST},
    ending::{CONNECT_LIMIT, Ending},
    tls::{self, TlsStream, Trust},
};
use crossbeam_channel::bounded;
use parking_lot::Mutex;
use socket2::{Domain, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs as _},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How long a line may wait to leave. A server that reads nothing for that long counts as gone.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// A silent network is asked for a sign of life after this time, then every [`SIGN_INTERVAL`],
/// three times (on Windows as often as the system likes).
const SIGN_AFTER: Duration = Duration::from_secs(20);
const SIGN_INTERVAL: Duration = Duration::from_secs(5);
#[cfg(unix)]
const SIGNS_MISSED: u32 = 3;

/// A connection, with or without TLS. One thread reads, any may send.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(TlsStream),
}

impl Stream {
    pub(crate) fn has_tls(&self) -> bool {
        matches!(self, Stream::Tls(_))
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => &tls.tcp,
        }
    }

    /// How long a read may wait.
    pub(crate) fn set_read_timeout(&self, limit: Duration) -> io::Result<()> {
        self.tcp().set_read_timeout(Some(limit))
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => (&*tcp).read(into),
            Stream::Tls(tls) => tls.read(into),
        }
    }

    /// Sends all of it.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(tcp) => (&*tcp).write_all(bytes),
            Stream::Tls(tls) => tls.send(bytes),
        }
    }

    fn half_close(&self) {
        match self {
            Stream::Plain(tcp) => drop(tcp.shutdown(Shutdown::Write)), // gone already: as good
            Stream::Tls(tls) => tls.close(),
        }
    }
}

/// Connects to the first of the host's addresses that answers, and to a server that is trusted where
/// TLS is spoken.
///
/// # Errors
/// The [`Ending`] that this would be, if it was the first connection.
pub(crate) fn connect(to: &Address, trust: &Trust) -> Result<Stream, Ending> {
    let deadline = Instant::now() + CONNECT_LIMIT;
    let tcp = match to.file() {
        Some(path) => connect_to_file(path, to)?,
        None => connect_to_host(to, deadline)?,
    };
    match to.has_tls {
        true => tls::begin(tcp, to, trust, deadline).map(Stream::Tls),
        false => Ok(Stream::Plain(tcp)),
    }
}

fn connect_to_host(to: &Address, deadline: Instant) -> Result<TcpStream, Ending> {
    let mut failure = Ending::UnknownHost(to.clone());
    for address in look_up(to, deadline)? {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Ending::TimedOut(to.clone()));
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return prepare(stream).map_err(|e| unreachable(to, &e)),
            Err(e) => {
                failure = match e.kind() {
                    ErrorKind::ConnectionRefused => Ending::Refused(to.clone()),
                    ErrorKind::TimedOut | ErrorKind::WouldBlock => Ending::TimedOut(to.clone()),
                    _ => unreachable(to, &e),
                }
            }
        }
    }
    Err(failure)
}

/// A Unix-domain socket is read and written by the calls of any other, so it goes by the same type.
fn connect_to_file(path: &str, to: &Address) -> Result<TcpStream, Ending> {
    let connect = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.connect_timeout(&SockAddr::unix(path)?, CONNECT_LIMIT)?;
        socket.set_write_timeout(Some(WRITE_LIMIT))?;
        Ok(socket.into())
    };
    connect().map_err(|e: io::Error| match e.kind() {
        ErrorKind::ConnectionRefused => Ending::Refused(to.clone()),
        _ => unreachable(to, &e),
    })
}

fn unreachable(to: &Address, error: &io::Error) -> Ending {
    Ending::Unreachable(to.clone(), error.to_string())
}

/// This machine, whatever a name server says of it, and where no file names it (in a bare chroot).
fn loopback(host: &str, port: u16) -> Option<Vec<SocketAddr>> {
    let is_it = host.eq_ignore_ascii_case(DEFAULT_HOST);
    is_it.then(|| vec![(Ipv6Addr::LOCALHOST, port).into(), (Ipv4Addr::LOCALHOST, port).into()])
}

/// Looking a name up can take a minute and cannot be given a time limit, so it has a thread that
/// can be left behind.
fn look_up(to: &Address, deadline: Instant) -> Result<Vec<SocketAddr>, Ending> {
    if let Some(here) = loopback(&to.host, to.port) {
        return Ok(here);
    }
    let (found, answer) = bounded(1);
    let (host, port) = (to.host.clone(), to.port);
    thread::Builder::new()
        .name("lookup".to_owned())
        .spawn(move || {
            let addresses = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            let _ = found.send(addresses); // nobody waits any more: too late
        })
        .map_err(|e| unreachable(to, &e))?;
    match answer.recv_deadline(deadline) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(_)) => Err(Ending::UnknownHost(to.clone())),
        Err(_) => Err(Ending::TimedOut(to.clone())),
    }
}

/// Makes lines go out at once and never wait for ever, and notices a network that fell silent.
fn prepare(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_LIMIT))?;
    let keepalive = TcpKeepalive::new().with_time(SIGN_AFTER).with_interval(SIGN_INTERVAL);
    #[cfg(unix)]
    let keepalive = keepalive.with_retries(SIGNS_MISSED);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    SockRef::from(&stream).set_tcp_user_timeout(Some(SIGN_AFTER + SIGN_INTERVAL * SIGNS_MISSED))?;
    Ok(stream)
}

/// The present connection, for those who write to it or end it.
#[derive(Default)]
pub(crate) struct Link {
    present: Mutex<Present>, // locked to look, never while writing
}

#[derive(Default)]
struct Present {
    stream: Option<Arc<Stream>>,
    is_hung_up: bool,
    /// How many `/connect`s were carried out when it began.
    connects: u64,
}

impl Link {
    pub(crate) fn set(&self, stream: Option<Arc<Stream>>, connects: u64) {
        *self.present.lock() = Present { stream, is_hung_up: false, connects };
    }

    /// It, if there is one.
    pub(crate) fn stream(&self) -> io::Result<Arc<Stream>> {
        self.present.lock().stream.clone().ok_or_else(|| ErrorKind::NotConnected.into())
    }

    pub(crate) fn send_line(&self, line: &str) -> io::Result<()> {
        self.send(format!("{line}\n").as_bytes())
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.stream()?.send(bytes)
    }

    /// Says that nothing more will be sent; what comes can still be read.
    pub(crate) fn half_close(&self) {
        if let Ok(stream) = self.stream() {
            stream.half_close();
        }
    }

    /// Ends the connection. Whoever reads from it reads an end of file: every ending is that one
    /// path.
    pub(crate) fn hang_up(&self) {
        self.hang_up_before(u64::MAX);
    }

    /// The same, but not with the one that the `/connect` of this number has asked for.
    pub(crate) fn hang_up_before(&self, connect: u64) {
        let stream = {
            let mut present = self.present.lock();
            if present.connects >= connect {
                return;
            }
            present.is_hung_up = true;
            present.stream.clone()
        };
        if let Some(stream) = stream {
            let _ = stream.tcp().shutdown(Shutdown::Both); // gone already: as good
        }
    }

    /// Whether it is we who ended it.
    pub(crate) fn is_hung_up(&self) -> bool {
        self.present.lock().is_hung_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_never_looked_up() {
        let here = ["[::1]:7", "127.0.0.1:7"].map(|address| address.parse().unwrap());
        assert_eq!(loopback("LocalHost", 7).as_deref(), Some(&here[..]));
        assert_eq!(loopback("localhost.example.org", 7), None);
    }
}
