//! The few socket calls that `std` does not have, each once, with what it is for. No state, no chat.

use anyhow::Context as _;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::SendFlags,
};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::{
    io::{self, ErrorKind, IoSlice, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::{fd::AsFd, unix::net::UnixStream},
    time::Duration,
};

/// Connections that may wait to be accepted: a whole class that arrives in the same second, and more. `std` asks for
/// 128; the next ones would be dropped and would try again a second later. (The kernel caps it at `somaxconn`.)
const ACCEPT_QUEUE: i32 = 4096;
/// Slices in one vectored send: more than a few are rare, and these stand on the stack of every client's thread.
const SLICES_MAX: usize = 16;

/// Opens a listener. Connections inherit its options: no delay for small sends (`TCP_NODELAY`), and a peer that
/// vanished without a word is found within `ghost_after`, whether we are silent (keepalive) or sending (user time-out).
pub fn listen(address: SocketAddr, ghost_after: Duration) -> anyhow::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?; // IPv4 has a listener of its own
    }
    socket.set_reuse_address(true)?; // a restart need not wait for the old connections' TIME_WAIT
    socket.set_tcp_nodelay(true)?;
    let second = Duration::from_secs(1);
    let probes =
        TcpKeepalive::new().with_time((ghost_after / 2).max(second)).with_interval((ghost_after / 6).max(second));
    socket.set_tcp_keepalive(&probes.with_retries(3))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(ghost_after))?;
    socket.bind(&address.into()).context("bind")?;
    socket.listen(ACCEPT_QUEUE)?;
    Ok(socket.into())
}

/// Sends what the socket takes now, without waiting, and returns how many bytes that was; 0 if it takes none.
pub fn send_now(socket: &TcpStream, slices: &[&[u8]]) -> io::Result<usize> {
    let flags = (SendFlags::DONTWAIT | SendFlags::NOSIGNAL).bits() as i32;
    let mut sent = 0;
    for group in slices.chunks(SLICES_MAX) {
        let mut vectors = [IoSlice::new(&[]); SLICES_MAX];
        for (vector, slice) in vectors.iter_mut().zip(group) {
            *vector = IoSlice::new(slice);
        }
        let wanted: usize = group.iter().map(|slice| slice.len()).sum();
        match SockRef::from(socket).send_vectored_with_flags(&vectors[..group.len()], flags) {
            Ok(n) => sent += n,
            Err(e) if may_pass(&e) => break,
            Err(e) => return Err(e),
        }
        if sent < wanted {
            break; // the kernel's buffer is full
        }
    }
    Ok(sent)
}

/// Whether a send that failed so may succeed a moment later.
fn may_pass(error: &io::Error) -> bool {
    let no_buffers = rustix::io::Errno::NOBUFS.raw_os_error();
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::OutOfMemory)
        || error.raw_os_error() == Some(no_buffers)
}

/// Waits for so long, and fails as soon as the connection is found broken: reset, or timed out.
pub fn wait_broken(socket: &TcpStream, at_most: Duration) -> io::Result<()> {
    let mut waits = [PollFd::new(socket, PollFlags::empty())]; // errors are always reported
    wait(&mut waits, Some(at_most))?;
    if waits[0].revents().is_empty() {
        return Ok(());
    }
    Err(socket.take_error()?.unwrap_or_else(|| ErrorKind::ConnectionReset.into()))
}

/// Whether the peer has sent its end of file, perhaps behind bytes that are not read yet.
pub fn has_peer_ended(socket: &TcpStream) -> bool {
    let mut waits = [PollFd::new(socket, PollFlags::RDHUP)];
    wait(&mut waits, Some(Duration::ZERO)).is_ok() && !waits[0].revents().is_empty()
}

/// Waits until `socket` can take bytes, or the time is over.
pub fn wait_writable(socket: &TcpStream, at_most: Duration) -> io::Result<()> {
    wait(&mut [PollFd::new(socket, PollFlags::OUT)], Some(at_most))
}

/// Waits until one of `sockets` can take bytes, or `waker` is woken, or the time is over.
pub fn wait_any_writable<'a>(
    waker: &Waker,
    sockets: impl Iterator<Item = &'a TcpStream>,
    at_most: Option<Duration>,
) -> io::Result<()> {
    let mut waits = vec![PollFd::from_borrowed_fd(waker.inner.as_fd(), PollFlags::IN)];
    waits.extend(sockets.map(|socket| PollFd::new(socket, PollFlags::OUT)));
    wait(&mut waits, at_most)
}

fn wait(waits: &mut [PollFd<'_>], at_most: Option<Duration>) -> io::Result<()> {
    let timeout = at_most.map(|t| Timespec { tv_sec: t.as_secs() as i64, tv_nsec: i64::from(t.subsec_nanos()) });
    match poll(waits, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Wakes a thread that waits for sockets: a byte in a pipe that it watches with them.
pub struct Waker {
    outer: UnixStream,
    inner: UnixStream,
}

impl Waker {
    /// Two descriptors.
    pub fn new() -> io::Result<Self> {
        let (outer, inner) = UnixStream::pair()?;
        outer.set_nonblocking(true)?;
        inner.set_nonblocking(true)?;
        Ok(Waker { outer, inner })
    }

    /// Never waits: if the pipe is full, the thread is woken anyway.
    pub fn wake(&self) {
        let _ = (&self.outer).write(&[1]);
    }

    /// Forgets the wake-ups so far.
    pub fn clear(&self) {
        while matches!((&self.inner).read(&mut [0; 64]), Ok(64)) {}
    }
}
