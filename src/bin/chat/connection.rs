//! Getting a connection, and the half of it that writes. The half that reads is `socket.rs`.
//!
//! [`connect`] runs on `main` for the first connection and on `socket` for those after it; both use
//! [`Link`], and a line is always one write.

use crate::{
    address::Address,
    ending::{CONNECT_LIMIT, Ending},
};
use crossbeam_channel::bounded;
use parking_lot::Mutex;
use socket2::{Domain, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use std::{
    io::{self, ErrorKind, Write as _},
    net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs as _},
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

/// Connects to the first of the host's addresses that answers.
///
/// # Errors
/// The [`Ending`] that this would be, if it was the first connection.
pub(crate) fn connect(to: &Address) -> Result<TcpStream, Ending> {
    if let Some(path) = to.file() {
        return connect_to_file(path, to);
    }
    let deadline = Instant::now() + CONNECT_LIMIT;
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

/// Looking a name up can take a minute and cannot be given a time limit, so it has a thread that
/// can be left behind.
fn look_up(to: &Address, deadline: Instant) -> Result<Vec<SocketAddr>, Ending> {
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
    stream: Mutex<Option<Arc<TcpStream>>>, // locked to look, never while writing
}

impl Link {
    pub(crate) fn set(&self, stream: Option<Arc<TcpStream>>) {
        *self.stream.lock() = stream;
    }

    /// It, if there is one.
    pub(crate) fn stream(&self) -> io::Result<Arc<TcpStream>> {
        self.stream.lock().clone().ok_or_else(|| ErrorKind::NotConnected.into())
    }

    pub(crate) fn send_line(&self, line: &str) -> io::Result<()> {
        self.send(format!("{line}\n").as_bytes())
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.stream()?.as_ref().write_all(bytes)
    }

    /// Says that nothing more will be sent; what comes can still be read.
    pub(crate) fn half_close(&self) {
        self.shut_down(Shutdown::Write);
    }

    /// Ends the connection. Whoever reads from it reads an end of file: every ending is that one
    /// path.
    pub(crate) fn hang_up(&self) {
        self.shut_down(Shutdown::Both);
    }

    fn shut_down(&self, how: Shutdown) {
        if let Ok(stream) = self.stream() {
            let _ = stream.shutdown(how); // gone already: as good
        }
    }
}
