//! The few socket calls that `std` does not have, each once, with what it is for. No state, no
//! chat.
//!
//! Unix and Windows differ in one call that matters here: only on Unix can a single send be told
//! not to wait (`MSG_DONTWAIT`). So there a client's socket blocks, and its thread simply reads. On
//! Windows the socket is non-blocking, and a thread that waits has to `poll`. All that differs for
//! that reason is in this file.

use crate::socketserver::READ_TIMEOUT;
use anyhow::Context as _;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::AsFd as _,
};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::{
    io::{self, ErrorKind, IoSlice, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};
#[cfg(windows)]
use std::{net::Ipv4Addr, net::TcpStream as PipeEnd};
#[cfg(unix)]
use std::{net::Shutdown, os::unix::net::UnixStream as PipeEnd};

/// Connections that may wait to be accepted: a whole class that arrives in the same second, and
/// more. `std` asks for 128; the next ones would be dropped, and would try again a second later.
/// (The kernel caps it at `somaxconn`.)
pub(super) const ACCEPT_QUEUE: i32 = 4096;
/// The most bytes that the kernel keeps unsent for one client: so many that whoever reads a little
/// late on a busy machine is not hung up for it (with 256 KiB some were, in a talk at full speed).
/// Left alone, Linux keeps up to 4 MB for each client that reads nothing (`net.ipv4.tcp_wmem`): 2 GB
/// for 512 of them. Not `SO_SNDBUF`, which counts what is under way, too, and may not be larger than
/// `net.core.wmem_max`, which is 208 KiB on most machines.
#[cfg(target_os = "linux")]
const UNSENT_MAX: u32 = 1024 * 1024;
/// The most slices in one vectored send: more than a few are rare.
const SLICES_MAX: usize = 16;
/// The longest silence before a peer is asked for a sign of life: Linux takes no larger number.
const SILENCE_MAX: Duration = Duration::from_secs(32_767);
/// How often a silent peer is asked for a sign of life. Windows leaves no choice.
const PROBES: u32 = if cfg!(windows) { 10 } else { 3 };
/// For a single send: do not wait, and raise no signal if the peer is gone.
#[cfg(unix)]
const SEND_FLAGS: i32 =
    rustix::net::SendFlags::DONTWAIT.union(rustix::net::SendFlags::NOSIGNAL).bits() as i32;
/// Windows has no such flags: see [`prepare`].
#[cfg(windows)]
const SEND_FLAGS: i32 = 0;
/// How long a thread on Windows waits for one socket before it looks whether the client was hung
/// up.
#[cfg(windows)]
const LOOK_UP: Duration = Duration::from_millis(250);

/// Opens a listener. Connections inherit its options: no delay for small sends (`TCP_NODELAY`), a
/// bounded buffer (`UNSENT_MAX`), and a peer that vanished without a word is found within
/// `ghost_after`, whether we are silent (keepalive) or sending (user time-out).
pub(crate) fn listen(address: SocketAddr, ghost_after: Duration) -> anyhow::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?; // IPv4 has a listener of its own
    }
    // A restart need not wait for the old connections' TIME_WAIT. It never has to on Windows, where
    // this option would let two servers share the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    set_options(&socket, ghost_after)?;
    socket.bind(&address.into()).context("bind")?;
    socket.listen(ACCEPT_QUEUE)?;
    Ok(socket.into())
}

/// Sets what a listener's connections inherit from it.
pub(super) fn set_options(socket: &Socket, ghost_after: Duration) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(Some(READ_TIMEOUT))?;
    let second = Duration::from_secs(1);
    let (silence, interval) = (ghost_after / 2, ghost_after / 2 / PROBES);
    let silence = silence.min(SILENCE_MAX);
    let keepalive =
        TcpKeepalive::new().with_time(silence.max(second)).with_interval(interval.max(second));
    #[cfg(unix)]
    let keepalive = keepalive.with_retries(PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(ghost_after))?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(UNSENT_MAX)?;
    Ok(())
}

/// To be called once for each accepted socket, before any other function here.
#[cfg(unix)]
pub(crate) fn prepare(_socket: &TcpStream) {}

/// To be called once for each accepted socket, before any other function here.
#[cfg(windows)]
pub(crate) fn prepare(socket: &TcpStream) {
    // If it fails, the socket is broken and the next call says so.
    let _ = socket.set_nonblocking(true);
    let _ = socket.set_nodelay(true); // not promised to be inherited from the listener
}

/// Reads what there is, or waits for it: for the socket's time-out, or for `at_most`, and then
/// fails with `WouldBlock`.
#[cfg(unix)]
pub(crate) fn read(
    mut socket: &TcpStream,
    space: &mut [u8],
    at_most: Option<Duration>,
) -> io::Result<usize> {
    if at_most.is_some() {
        socket.set_read_timeout(at_most)?;
    }
    socket.read(space)
}

/// Whether a read that failed like this has only found nothing.
pub(crate) fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Reads what there is, or fails with `WouldBlock`.
#[cfg(unix)]
pub(crate) fn read_now(socket: &TcpStream, space: &mut [u8]) -> io::Result<usize> {
    let (count, _) = rustix::net::recv(socket, space, rustix::net::RecvFlags::DONTWAIT)?;
    Ok(count)
}

/// Looks at what [`read_now`] would read, and leaves it there.
#[cfg(unix)]
pub(crate) fn peek_now(socket: &TcpStream, space: &mut [u8]) -> io::Result<usize> {
    let flags = rustix::net::RecvFlags::DONTWAIT.union(rustix::net::RecvFlags::PEEK);
    let (count, _) = rustix::net::recv(socket, space, flags)?;
    Ok(count)
}

/// Looks at what [`read_now`] would read, and leaves it there.
#[cfg(windows)]
pub(crate) fn peek_now(socket: &TcpStream, space: &mut [u8]) -> io::Result<usize> {
    socket.peek(space)
}

/// Reads what there is, or fails with `WouldBlock`.
#[cfg(windows)]
pub(crate) fn read_now(mut socket: &TcpStream, space: &mut [u8]) -> io::Result<usize> {
    socket.read(space)
}

/// Reads what there is, or waits for it a moment, `at_most` or less. Then it fails with
/// `WouldBlock`.
#[cfg(windows)]
pub(crate) fn read(
    mut socket: &TcpStream,
    space: &mut [u8],
    at_most: Option<Duration>,
) -> io::Result<usize> {
    let moment = at_most.map_or(LOOK_UP, |at_most| at_most.min(LOOK_UP));
    wait(&mut [PollFd::new(socket, PollFlags::IN)], Some(moment))?;
    socket.read(space)
}

/// Makes a [`read`] that waits return, and later ones not wait: they find an end of file after what
/// has already arrived.
#[cfg(unix)]
pub(crate) fn end_reading(socket: &TcpStream) {
    // Fails if the peer is gone: then the read returns anyway.
    let _ = socket.shutdown(Shutdown::Read);
}

/// Does nothing: [`read`] returns soon by itself. Windows would answer the peer's next byte with a
/// reset, and the peer would lose the last line.
#[cfg(windows)]
pub(crate) fn end_reading(_socket: &TcpStream) {}

/// Sends what the socket takes of these slices now, without waiting. Returns the number of bytes; 0
/// if it takes none.
pub fn send_now(socket: &TcpStream, slices: &[&[u8]]) -> io::Result<usize> {
    send_behind(socket, &[], slices)
}

/// The same, with `first` in front of the slices: a header that is made for this socket alone.
pub(crate) fn send_behind(socket: &TcpStream, first: &[u8], slices: &[&[u8]]) -> io::Result<usize> {
    let first = Some(first).filter(|first| !first.is_empty());
    let (mut left, mut sent) = (first.into_iter().chain(slices.iter().copied()), 0);
    loop {
        let mut vectors = [IoSlice::new(&[]); SLICES_MAX];
        let (mut count, mut bytes) = (0, 0);
        for (vector, slice) in vectors.iter_mut().zip(&mut left) {
            *vector = IoSlice::new(slice);
            (count, bytes) = (count + 1, bytes + slice.len());
        }
        if count == 0 {
            return Ok(sent);
        }
        match SockRef::from(socket).send_vectored_with_flags(&vectors[..count], SEND_FLAGS) {
            Ok(taken) => {
                sent += taken;
                if taken < bytes {
                    return Ok(sent); // the kernel's buffer is full
                }
            }
            Err(e) if may_pass(&e) => return Ok(sent),
            Err(e) => return Err(e),
        }
    }
}

/// The same for slices that are one for the system already.
pub(crate) fn send_vectored_now(socket: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    match SockRef::from(socket).send_vectored_with_flags(slices, SEND_FLAGS) {
        Err(e) if may_pass(&e) => Ok(0),
        sent => sent,
    }
}

/// Whether a send that failed like this may succeed a moment later.
fn may_pass(error: &io::Error) -> bool {
    let no_buffers = rustix::io::Errno::NOBUFS.raw_os_error();
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::OutOfMemory)
        || error.raw_os_error() == Some(no_buffers)
}

/// When the socket is closed, the connection is reset, and what the peer has not taken is thrown away.
/// Else the kernel would keep it until `ghost_after`, up to `UNSENT_MAX`.
pub fn forget_unsent(socket: &TcpStream) {
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}

/// Waits for `at_most`, and fails as soon as the connection is found broken: reset, or timed out.
#[cfg(unix)]
pub fn wait_broken(socket: &TcpStream, at_most: Duration) -> io::Result<()> {
    let mut waits = [PollFd::new(socket, PollFlags::empty())]; // errors are always reported
    wait(&mut waits, Some(at_most))?;
    let found = waits[0].revents();
    if found.is_empty() {
        return Ok(());
    }
    if found == PollFlags::HUP && is_unix(socket) {
        // Its peer has closed it, and what they sent can still be read. TCP tells less, and a later
        // send fails. So that neither differs from the other, the time is waited.
        std::thread::sleep(at_most);
        return Ok(());
    }
    Err(socket.take_error()?.unwrap_or_else(|| ErrorKind::ConnectionReset.into()))
}

/// Whether it is a Unix-domain socket.
#[cfg(unix)]
fn is_unix(socket: &TcpStream) -> bool {
    rustix::net::sockopt::socket_domain(socket) == Ok(rustix::net::AddressFamily::UNIX)
}

/// Why the connection is broken, if it is and nobody was told so yet. Not if the peer had closed its
/// side before: what it sent last is whole then. (The kernel says "broken pipe" there.)
pub fn cut_off(socket: &TcpStream) -> Option<String> {
    let error = socket.take_error().unwrap_or_else(Some)?;
    (error.kind() != ErrorKind::BrokenPipe).then(|| error.to_string())
}

/// Waits for `at_most`, or until the peer has sent its end of file; returns whether it has. Fails as
/// [`wait_broken`] does.
#[cfg(unix)]
pub(crate) fn wait_end(socket: &TcpStream, at_most: Duration) -> io::Result<bool> {
    let mut waits = [PollFd::new(socket, PollFlags::RDHUP)];
    wait(&mut waits, Some(at_most))?;
    if waits[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
        wait_broken(socket, Duration::ZERO)?;
    }
    Ok(!waits[0].revents().is_empty())
}

/// The same. (On Windows the whole time is waited.)
#[cfg(windows)]
pub(crate) fn wait_end(socket: &TcpStream, at_most: Duration) -> io::Result<bool> {
    wait_broken(socket, at_most)?;
    Ok(has_peer_ended(socket))
}

/// Whether the peer has sent its end of file, perhaps behind bytes that are not read yet.
#[cfg(unix)]
pub fn has_peer_ended(socket: &TcpStream) -> bool {
    let mut waits = [PollFd::new(socket, PollFlags::RDHUP)];
    wait(&mut waits, Some(Duration::ZERO)).is_ok() && !waits[0].revents().is_empty()
}

/// Whether the connection is broken; or, of a peer that has sent its end of file, whether no bytes
/// are left to read before that.
pub(crate) fn has_peer_gone(socket: &TcpStream) -> bool {
    wait_broken(socket, Duration::ZERO).is_err() || matches!(socket.peek(&mut [0]), Ok(0) | Err(_))
}

/// Waits for `at_most`, and fails if the connection is broken then. (A poll on Windows reports an
/// end of file, too.)
#[cfg(windows)]
pub fn wait_broken(socket: &TcpStream, at_most: Duration) -> io::Result<()> {
    std::thread::sleep(at_most);
    socket.take_error()?.map_or(Ok(()), Err)
}

/// Whether the peer has sent its end of file and all bytes before it are read.
#[cfg(windows)]
pub fn has_peer_ended(socket: &TcpStream) -> bool {
    matches!(socket.peek(&mut [0]), Ok(0))
}

/// Waits until `socket` can take bytes, or the time is over. (On Windows it may return sooner.)
pub(crate) fn wait_writable(socket: &TcpStream, at_most: Duration) -> io::Result<()> {
    #[cfg(windows)]
    // The wait may not end when the socket is shut down meanwhile, so it is kept short.
    let at_most = at_most.min(LOOK_UP);
    wait(&mut [PollFd::new(socket, PollFlags::OUT)], Some(at_most))
}

/// Waits until one of `sockets` can take bytes, or `waker` is woken, or the time is over.
pub(crate) fn wait_any_writable<'a>(
    waker: &Waker,
    sockets: impl Iterator<Item = &'a TcpStream>,
    at_most: Option<Duration>,
) -> io::Result<()> {
    let mut waits = vec![PollFd::from_borrowed_fd(waker.inner.as_fd(), PollFlags::IN)];
    waits.extend(sockets.map(|socket| PollFd::new(socket, PollFlags::OUT)));
    wait(&mut waits, at_most)
}

/// Waits until something can be accepted from one of `listeners`, or one of `sockets` can be read
/// (or, where that is asked for, written to), or `waker` is woken, or the time is over. Returns for
/// each of the sockets whether it is ready.
pub(crate) fn wait_any<'a>(
    waker: &Waker,
    listeners: &[TcpListener],
    sockets: impl Iterator<Item = (&'a TcpStream, bool)>,
    at_most: Option<Duration>,
) -> io::Result<Vec<bool>> {
    let mut waits = vec![PollFd::from_borrowed_fd(waker.inner.as_fd(), PollFlags::IN)];
    waits.extend(listeners.iter().map(|listener| PollFd::new(listener, PollFlags::IN)));
    waits.extend(sockets.map(|(socket, is_to_write)| {
        PollFd::new(socket, if is_to_write { PollFlags::OUT } else { PollFlags::IN })
    }));
    wait(&mut waits, at_most)?;
    Ok(waits[1 + listeners.len()..].iter().map(|wait| !wait.revents().is_empty()).collect())
}

fn wait(waits: &mut [PollFd<'_>], at_most: Option<Duration>) -> io::Result<()> {
    let timeout =
        at_most.map(|t| Timespec { tv_sec: t.as_secs() as i64, tv_nsec: t.subsec_nanos() as _ });
    match poll(waits, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Wakes a thread that waits for sockets: a byte in a pipe that it watches with them.
pub(crate) struct Waker {
    outer: PipeEnd,
    inner: PipeEnd,
}

impl Waker {
    /// Takes two descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        let (outer, inner) = pipe()?;
        outer.set_nonblocking(true)?;
        inner.set_nonblocking(true)?;
        Ok(Waker { outer, inner })
    }

    /// Never waits: if the pipe is full, the thread is woken anyway.
    pub(crate) fn wake(&self) {
        let _ = (&self.outer).write(&[1]);
    }

    /// Forgets the wake-ups so far.
    pub(crate) fn clear(&self) {
        while matches!((&self.inner).read(&mut [0; 64]), Ok(64)) {}
    }
}

#[cfg(unix)]
fn pipe() -> io::Result<(PipeEnd, PipeEnd)> {
    PipeEnd::pair()
}

/// Windows can poll sockets alone, so the pipe is a connection of the process with itself.
#[cfg(windows)]
fn pipe() -> io::Result<(PipeEnd, PipeEnd)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let outer = PipeEnd::connect(listener.local_addr()?)?;
    outer.set_nodelay(true)?;
    loop {
        let (inner, peer) = listener.accept()?;
        if peer == outer.local_addr()? {
            return Ok((outer, inner)); // and no stranger who found the port
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever waits would not sleep any more.
    #[test]
    fn wake_ups_that_are_forgotten_wake_nobody() {
        let waker = Waker::new().unwrap();
        (0..200).for_each(|_| waker.wake());
        waker.clear();
        let left = (&waker.inner).read(&mut [0; 64]);
        assert_eq!(left.unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}
