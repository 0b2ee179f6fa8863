//! A network in memory. A socket of the server's ([`TcpStream`]) takes few bytes, so that most sends take a part; the
//! [`Peer`] at its other end reads when the scheduler wants it to.

pub use super::listener::Listener;
pub(crate) use super::listener::{Backlog, TcpListener};

use super::{Waiting, point, random, time::Instant, wait};
use std::{
    collections::VecDeque,
    fmt,
    io::{self, ErrorKind, Read},
    net::Shutdown,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

pub const READ_TIMEOUT: Duration = Duration::from_hours(24);

struct Wire {
    state: Mutex<State>,
    changes: Waiting,
}

struct State {
    /// Sent by the server, and not read by the peer.
    sent: VecDeque<u8>,
    /// The most bytes of that.
    space: usize,
    /// Sent by the peer, and not read by the server.
    received: VecDeque<u8>,
    /// The server sends no more.
    is_ended: bool,
    /// The server reads no more.
    is_deaf: bool,
    /// The peer sends no more.
    has_peer_ended: bool,
    /// A signal has come: a read that waits ends.
    is_interrupted: bool,
    /// The server's reads do not wait.
    is_nonblocking: bool,
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Changes something, and wakes whoever waits for it.
    fn change(&self, change: impl FnOnce(&mut State)) {
        point();
        change(&mut self.state());
        self.changes.wake();
    }
}

/// The server's end. Several handles of it may be had.
pub struct TcpStream(Arc<End>);

/// When the last handle is dropped, the connection is closed.
struct End(Arc<Wire>);

/// The client's end.
pub(crate) struct Peer(Arc<Wire>);

/// A connection, over which `space` bytes may be on their way to the client.
pub(crate) fn connection(space: usize) -> (TcpStream, Peer) {
    let state = State {
        sent: VecDeque::new(),
        space,
        received: VecDeque::new(),
        is_ended: false,
        is_deaf: false,
        has_peer_ended: false,
        is_interrupted: false,
        is_nonblocking: false,
    };
    let wire = Arc::new(Wire { state: Mutex::new(state), changes: Waiting::default() });
    (TcpStream(Arc::new(End(wire.clone()))), Peer(wire))
}

impl Peer {
    /// Reads some of what has come, or waits for it. Nothing: it was all.
    pub(crate) fn read(&self) -> Vec<u8> {
        let read = wait(&[&self.0.changes], None, || {
            let mut state = self.0.state();
            let count = state.sent.len();
            match count {
                0 => state.is_ended.then(Vec::new),
                _ => {
                    let some = 1 + random(count);
                    Some(state.sent.drain(..some).collect())
                }
            }
        });
        self.0.changes.wake();
        read.expect("there is no time limit")
    }

    /// Reads everything until the end.
    pub(crate) fn read_all(&self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let some = self.read();
            if some.is_empty() {
                return all;
            }
            all.extend(some);
        }
    }

    /// From now on `space` bytes may be on their way.
    pub(crate) fn narrow(&self, space: usize) {
        self.0.change(|state| state.space = space);
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        self.0.change(|state| state.received.extend(bytes));
    }

    /// Sends an end of file.
    pub(crate) fn end(&self) {
        self.0.change(|state| state.has_peer_ended = true);
    }
}

impl TcpStream {
    fn wire(&self) -> &Wire {
        &self.0.0
    }

    pub(crate) fn try_clone(&self) -> io::Result<TcpStream> {
        Ok(TcpStream(self.0.clone()))
    }

    pub(crate) fn local_addr(&self) -> io::Result<std::net::SocketAddr> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(crate) fn set_read_timeout(&self, _at_most: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.wire().change(|state| {
            state.is_ended |= how != Shutdown::Read;
            state.is_deaf |= how != Shutdown::Write;
        });
        Ok(())
    }

    pub(crate) fn set_nonblocking(&self, is_on: bool) -> io::Result<()> {
        self.wire().state().is_nonblocking = is_on;
        Ok(())
    }

    /// Has a read that waits return, as a signal to its thread does.
    pub(crate) fn interrupt(&self) {
        self.wire().change(|state| state.is_interrupted = true);
    }
}

impl Read for &TcpStream {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let is_nonblocking = self.wire().state().is_nonblocking;
        read(self, space, is_nonblocking.then_some(Duration::ZERO))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.state().is_ended = true;
        super::wake_at_end(&self.0.changes);
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TcpStream")
    }
}

// --- The functions of src/server/net.rs that are called here ---

pub(crate) fn prepare(_socket: &TcpStream) {}

pub(crate) fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

pub(crate) fn read(
    socket: &TcpStream,
    space: &mut [u8],
    at_most: Option<Duration>,
) -> io::Result<usize> {
    let until = at_most.map(|at_most| Instant::now() + at_most);
    let wire = socket.wire();
    let read = wait(&[&wire.changes], until, || {
        let mut state = wire.state();
        let count = space.len().min(state.received.len());
        if std::mem::take(&mut state.is_interrupted) {
            return Some(Err(ErrorKind::Interrupted.into()));
        }
        let is_over = state.has_peer_ended || state.is_deaf;
        (count > 0 || is_over).then(|| {
            space[..count]
                .iter_mut()
                .zip(state.received.drain(..count))
                .for_each(|(to, b)| *to = b);
            Ok(count)
        })
    });
    read.unwrap_or_else(|| Err(ErrorKind::WouldBlock.into()))
}

pub(crate) fn read_now(socket: &TcpStream, space: &mut [u8]) -> io::Result<usize> {
    read(socket, space, Some(Duration::ZERO))
}

/// Whether the client has sent its end of file.
pub(crate) fn has_peer_ended(socket: &TcpStream) -> bool {
    socket.wire().state().has_peer_ended
}

pub(crate) fn has_peer_gone(socket: &TcpStream) -> bool {
    let state = socket.wire().state();
    state.has_peer_ended && state.received.is_empty()
}

/// No connection is ever found broken.
pub(crate) fn wait_broken(socket: &TcpStream, at_most: Duration) -> io::Result<()> {
    wait(&[&socket.wire().changes], Some(Instant::now() + at_most), || None::<()>);
    Ok(())
}

pub(crate) fn wait_end(socket: &TcpStream, at_most: Duration) -> io::Result<bool> {
    let until = Some(Instant::now() + at_most);
    wait(&[&socket.wire().changes], until, || has_peer_ended(socket).then_some(()));
    Ok(has_peer_ended(socket))
}

pub(crate) fn end_reading(socket: &TcpStream) {
    socket.wire().change(|state| state.is_deaf = true);
}

pub(crate) fn forget_unsent(_socket: &TcpStream) {}

pub(crate) fn cut_off(_socket: &TcpStream) -> Option<String> {
    None
}

pub(crate) fn send_now(socket: &TcpStream, slices: &[&[u8]]) -> io::Result<usize> {
    send_behind(socket, &[], slices)
}

pub(crate) fn send_behind(socket: &TcpStream, first: &[u8], slices: &[&[u8]]) -> io::Result<usize> {
    point();
    let mut sent = 0;
    {
        let mut state = socket.wire().state();
        if state.is_ended {
            return Err(ErrorKind::BrokenPipe.into());
        }
        for slice in std::iter::once(&first).chain(slices) {
            let count = slice.len().min(state.space.saturating_sub(state.sent.len()));
            crate::scenarios::on_send(&slice[..count]);
            state.sent.extend(&slice[..count]);
            sent += count;
            if count < slice.len() {
                break;
            }
        }
    }
    socket.wire().changes.wake();
    Ok(sent)
}

pub(crate) fn send_vectored_now(
    socket: &TcpStream,
    slices: &[io::IoSlice<'_>],
) -> io::Result<usize> {
    let slices: Vec<&[u8]> = slices.iter().map(|slice| &slice[..]).collect();
    send_now(socket, &slices)
}

pub(crate) fn peek_now(socket: &TcpStream, space: &mut [u8]) -> io::Result<usize> {
    point();
    let state = socket.wire().state();
    if state.received.is_empty() && !(state.has_peer_ended || state.is_deaf) {
        return Err(ErrorKind::WouldBlock.into());
    }
    Ok(space.iter_mut().zip(&state.received).map(|(to, byte)| *to = *byte).count())
}

fn is_readable(socket: &TcpStream) -> bool {
    let state = socket.wire().state();
    !state.received.is_empty() || state.has_peer_ended || state.is_deaf
}

fn is_writable(socket: &TcpStream) -> bool {
    let state = socket.wire().state();
    state.sent.len() < state.space || state.is_ended
}

pub(crate) fn wait_writable(socket: &TcpStream, at_most: Duration) -> io::Result<()> {
    let until = Some(Instant::now() + at_most);
    wait(&[&socket.wire().changes], until, || is_writable(socket).then_some(()));
    Ok(())
}

pub(crate) fn wait_any_writable<'a>(
    waker: &Waker,
    sockets: impl Iterator<Item = &'a TcpStream>,
    at_most: Option<Duration>,
) -> io::Result<()> {
    let sockets: Vec<_> = sockets.collect();
    let mut all: Vec<&Waiting> = sockets.iter().map(|socket| &socket.wire().changes).collect();
    all.push(&waker.changes);
    let until = at_most.map(|at_most| Instant::now() + at_most);
    wait(&all, until, || {
        let is_woken = *waker.is_woken.lock().unwrap();
        (is_woken || sockets.iter().any(|socket| is_writable(socket))).then_some(())
    });
    Ok(())
}

/// Waits for any of them. Returns which of the sockets are ready: to be read, or to be written to.
pub(crate) fn wait_any<'a>(
    waker: &Waker,
    listeners: &[TcpListener],
    sockets: impl Iterator<Item = (&'a TcpStream, bool)>,
    at_most: Option<Duration>,
) -> io::Result<Vec<bool>> {
    let sockets: Vec<_> = sockets.collect();
    let mut all: Vec<&Waiting> = sockets.iter().map(|(socket, _)| &socket.wire().changes).collect();
    all.extend(listeners.iter().map(|listener| &listener.0.changes));
    all.push(&waker.changes);
    let look = || -> Vec<bool> {
        let is_ready = |&(socket, is_to_write): &(&TcpStream, bool)| match is_to_write {
            true => is_writable(socket),
            false => is_readable(socket),
        };
        sockets.iter().map(is_ready).collect()
    };
    let has_come = |listener: &TcpListener| {
        listener.0.queue.lock().unwrap().as_ref().is_some_and(|queue| !queue.is_empty())
    };
    let until = at_most.map(|at_most| Instant::now() + at_most);
    wait(&all, until, || {
        let is_any = *waker.is_woken.lock().unwrap()
            || listeners.iter().any(has_come)
            || look().contains(&true);
        is_any.then_some(())
    });
    Ok(look())
}

pub(crate) struct Waker {
    is_woken: Mutex<bool>,
    changes: Waiting,
}

impl Waker {
    pub(crate) fn new() -> io::Result<Waker> {
        Ok(Waker { is_woken: Mutex::new(false), changes: Waiting::default() })
    }

    pub(crate) fn wake(&self) {
        point();
        *self.is_woken.lock().unwrap() = true;
        self.changes.wake();
    }

    pub(crate) fn clear(&self) {
        point();
        *self.is_woken.lock().unwrap() = false;
    }
}
