//! Where connections are accepted: a TCP port, or a file of this machine.

use crate::origin::Origin;
use std::{
    fmt, io,
    net::{SocketAddr, TcpListener, TcpStream},
};
#[cfg(target_os = "linux")]
use {super::unix_socket::UnixSocket, std::os::fd::OwnedFd};

/// A listener of either kind.
#[derive(Debug)]
pub enum Listener {
    /// A TCP port.
    Tcp(TcpListener),
    /// A TCP port that another process has opened and keeps, systemd as a rule. Connections go on to
    /// queue there after this process has ended.
    #[cfg(unix)]
    Lent(TcpListener),
    /// A Unix-domain socket. (On Linux alone: elsewhere the system says in other ways who connects.)
    #[cfg(target_os = "linux")]
    Unix(UnixSocket),
}

/// How long a read of a socket waits that has to wait for ever; and an `accept`. Linux ends a wait for
/// a signal only where there is a time-out, however long.
pub const READ_TIMEOUT: std::time::Duration = std::time::Duration::from_hours(24 * 365);

impl Listener {
    /// How long an `accept` of a [`Listener::Lent`] waits before it looks whether the server stops.
    #[cfg(unix)]
    pub const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(100);

    /// A port that another process keeps.
    #[cfg(unix)]
    pub fn lent(listener: TcpListener) -> io::Result<Listener> {
        listener.set_nonblocking(false)?;
        socket2::SockRef::from(&listener).set_read_timeout(Some(Listener::LOOK_EVERY))?;
        Ok(Listener::Lent(listener))
    }

    /// Waits for a connection, if the listener blocks.
    ///
    /// Both kinds of sockets are read, written to and shut down by the same system calls, and
    /// `TcpStream` is the standard library's name for these calls. So a handler need not know which
    /// of the two it has. (What belongs to TCP alone fails on the other: `set_nodelay`, addresses.)
    pub fn accept(&self) -> io::Result<(TcpStream, Origin)> {
        match self {
            Listener::Tcp(listener) => accept(listener),
            #[cfg(unix)]
            Listener::Lent(listener) => {
                let (stream, peer) = accept(listener).map_err(|e| match e.kind() {
                    io::ErrorKind::WouldBlock => io::ErrorKind::Interrupted.into(), // it is time to look
                    _ => e,
                })?;
                stream.set_read_timeout(Some(READ_TIMEOUT))?; // it has that of the listener
                Ok((stream, peer))
            }
            #[cfg(target_os = "linux")]
            Listener::Unix(socket) => {
                let (stream, uid) = socket.accept()?;
                Ok((OwnedFd::from(stream).into(), Origin::Uid(uid)))
            }
        }
    }

    /// Its address, with the actual port, if port 0 was asked for. `None`: it is no TCP port.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Listener::Lent(listener) => listener.local_addr().ok(),
            #[cfg(target_os = "linux")]
            Listener::Unix(_) => None,
        }
    }

    /// Whether [`Listener::accept`] fails with `WouldBlock` where it would wait.
    pub fn set_nonblocking(&self, is_on: bool) -> io::Result<()> {
        match self {
            Listener::Tcp(listener) => listener.set_nonblocking(is_on),
            #[cfg(unix)]
            Listener::Lent(listener) => listener.set_nonblocking(is_on),
            #[cfg(target_os = "linux")]
            Listener::Unix(socket) => socket.set_nonblocking(is_on),
        }
    }

    /// Makes an `accept` that waits return. On Linux it is enough to shut the listener down;
    /// elsewhere, a connection has to arrive.
    pub(super) fn wake(&self) {
        #[cfg(unix)]
        if let Listener::Lent(_) = self {
            return; // shut down, it would be so for whoever has lent it, too; it looks by itself
        }
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(self).shutdown(std::net::Shutdown::Both);
        #[cfg(not(target_os = "linux"))]
        if let Some(mut address) = self.address() {
            if address.ip().is_unspecified() {
                let loopback: (std::net::IpAddr, std::net::IpAddr) =
                    ([127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into());
                address.set_ip(if address.is_ipv4() { loopback.0 } else { loopback.1 });
            }
            let _ = TcpStream::connect_timeout(&address, std::time::Duration::from_secs(1));
        }
    }
}

/// As the standard library does, but a signal ends the wait.
fn accept(listener: &TcpListener) -> io::Result<(TcpStream, Origin)> {
    let (stream, peer) = socket2::SockRef::from(listener).accept()?;
    let peer = peer.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((stream.into(), peer.into()))
}

/// `127.0.0.1:5000`, or `unix:/run/chatd.sock`.
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listener::Tcp(listener) => display(listener, f),
            #[cfg(unix)]
            Listener::Lent(listener) => display(listener, f),
            #[cfg(target_os = "linux")]
            Listener::Unix(socket) => socket.fmt(f),
        }
    }
}

fn display(listener: &TcpListener, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match listener.local_addr() {
        Ok(address) => write!(f, "{address}"),
        Err(error) => write!(f, "{error}"),
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Listener {
        Listener::Tcp(listener)
    }
}

#[cfg(target_os = "linux")]
impl From<UnixSocket> for Listener {
    fn from(socket: UnixSocket) -> Listener {
        Listener::Unix(socket)
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for Listener {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match self {
            Listener::Tcp(listener) | Listener::Lent(listener) => listener.as_fd(),
            #[cfg(target_os = "linux")]
            Listener::Unix(socket) => socket.as_fd(),
        }
    }
}
