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
    /// A Unix-domain socket. (On Linux alone: elsewhere the system says in other ways who connects.)
    #[cfg(target_os = "linux")]
    Unix(UnixSocket),
}

impl Listener {
    /// Waits for a connection, if the listener blocks.
    ///
    /// Both kinds of sockets are read, written to and shut down by the same system calls, and
    /// `TcpStream` is the standard library's name for these calls. So a handler need not know which
    /// of the two it has. (What belongs to TCP alone fails on the other: `set_nodelay`, addresses.)
    pub fn accept(&self) -> io::Result<(TcpStream, Origin)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept()?;
                Ok((stream, peer.into()))
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
            #[cfg(target_os = "linux")]
            Listener::Unix(_) => None,
        }
    }

    /// Whether [`Listener::accept`] fails with `WouldBlock` where it would wait.
    pub fn set_nonblocking(&self, is_on: bool) -> io::Result<()> {
        match self {
            Listener::Tcp(listener) => listener.set_nonblocking(is_on),
            #[cfg(target_os = "linux")]
            Listener::Unix(socket) => socket.set_nonblocking(is_on),
        }
    }

    /// Makes an `accept` that waits return. On Linux it is enough to shut the listener down;
    /// elsewhere, a connection has to arrive.
    pub(super) fn wake(&self) {
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

/// `127.0.0.1:5000`, or `unix:/run/chatd.sock`.
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listener::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(f),
                Err(error) => error.fmt(f),
            },
            #[cfg(target_os = "linux")]
            Listener::Unix(socket) => socket.fmt(f),
        }
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
            Listener::Tcp(listener) => listener.as_fd(),
            #[cfg(target_os = "linux")]
            Listener::Unix(socket) => socket.as_fd(),
        }
    }
}
