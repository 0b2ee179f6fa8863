//! Closing a connection so that its peer can still read the last sentence.
//!
//! If a socket is closed while bytes from its peer are unread, TCP resets the connection, and the
//! last sentence may be lost. So our end of file is sent first, and the peer's bytes are read and
//! thrown away until the peer closes too, or time is over. A client's own thread does that for its
//! client (`say_goodbye`). For a refused connection ([`Refused`]) thread `linger` does it, so that
//! the accept loop need not wait.

use super::outbox::WriterHandle;
use crate::{
    core::{close_reason::CloseReason, notice::notice},
    server::{net, status::Activity},
};
use std::{
    io::{ErrorKind, Read as _},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

/// How long a client may take to read the last sentence, and then to close their side. (A slow
/// consumer may take the whole write deadline: perhaps they are only slow.)
pub const GOODBYE: Duration = Duration::from_secs(1);
/// The most bytes from a client that are read and thrown away after the last sentence.
const LINGER_BYTES: usize = 256 * 1024;
/// How long a refused connection is kept.
pub const REFUSED_PATIENCE: Duration = Duration::from_secs(2);
/// How long our end of file is held back from a client whose address was refused often: scripts
/// wait for it before they connect again.
const HELD: Duration = Duration::from_secs(1);
/// The most bytes read from one refused connection in a round.
const BITE: usize = 4096;

// --- A client, on their own thread ---

/// Sends what still waits, then the reason, and then closes the connection politely. Each step has
/// a time limit.
pub(crate) fn say_goodbye(client: &WriterHandle, reason: &CloseReason) {
    client.status.set(Activity::Leaving);
    let bytes = client.take_waiting(reason);
    let patience = if reason.is_slow() { client.write_deadline() } else { GOODBYE };
    let end = Instant::now() + patience;
    let mut rest = &bytes[..];
    while !rest.is_empty() && Instant::now() < end {
        match net::send_now(client.socket(), &[rest]) {
            Ok(0) => {
                let left = end.saturating_duration_since(Instant::now());
                let _ = net::wait_writable(client.socket(), left);
            }
            Ok(sent) => rest = &rest[sent..],
            Err(_) => return, // nobody is there
        }
    }
    if !rest.is_empty() && reason.is_slow() {
        // They have made no room for the last words in all that time.
        return net::forget_unsent(client.socket());
    }
    linger(client.socket(), Instant::now() + GOODBYE);
}

/// Closes the connection of a client who could not be served, politely, with these last words.
#[inline(never)] // its bytes would be in the frame of every client
pub(super) fn part(client: &WriterHandle, words: &[u8]) {
    client.status.set(Activity::Leaving);
    let _ = net::send_now(client.socket(), &[words]); // a new socket takes them, or nobody is there
    linger(client.socket(), Instant::now() + GOODBYE);
}

/// Sends our end of file and waits for the peer's.
fn linger(socket: &TcpStream, until: Instant) {
    if socket.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let mut thrown_away = 0;
    while thrown_away < LINGER_BYTES {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        match net::read(socket, &mut [0; 512], Some(left)) {
            Ok(0) => return,
            Ok(n) => thrown_away += n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => return,
        }
    }
}

// --- Refused connections ---

/// A refused connection.
pub struct Refused {
    socket: TcpStream,
    /// When our end of file is sent, if it has not been.
    ends_at: Option<Instant>,
    until: Instant,
}

impl Refused {
    /// Tells a client why they are refused. Our end of file comes with it; or, if the client
    /// `has_to_wait`, later. Does not wait.
    pub fn new(socket: TcpStream, sentence: &str, has_to_wait: bool) -> Refused {
        Refused::with_words(socket, notice(sentence).as_bytes(), has_to_wait)
    }

    /// The same with the last words as they are sent.
    pub(crate) fn with_words(socket: TcpStream, words: &[u8], has_to_wait: bool) -> Refused {
        net::prepare(&socket);
        // A new socket's buffer is empty: the words fit. If the peer is gone already, nobody misses
        // them.
        let _ = net::send_now(&socket, &[words]);
        let now = Instant::now();
        let ends_at = Some(if has_to_wait { now + HELD } else { now });
        let mut refused = Refused { socket, ends_at, until: now + REFUSED_PATIENCE };
        refused.send_end(now);
        refused
    }

    fn send_end(&mut self, now: Instant) {
        if self.ends_at.take_if(|at| *at <= now).is_some() {
            let _ = self.socket.shutdown(Shutdown::Write);
        }
    }

    /// Makes it possible to look at it without waiting.
    pub(super) fn is_ready(&self) -> bool {
        self.socket.set_nonblocking(true).is_ok()
    }

    /// Does what is due. Returns whether the peer is worth waiting for. The socket must be
    /// non-blocking.
    pub fn look(&mut self, now: Instant) -> bool {
        self.send_end(now);
        now < self.until && is_still_there(&self.socket)
    }
}

/// Reads what a peer sends, and throws it away. Returns whether the peer is worth waiting for. The
/// socket must be non-blocking.
pub fn is_still_there(mut socket: &TcpStream) -> bool {
    match socket.read(&mut [0; BITE]) {
        Ok(n) => n > 0,
        Err(e) => matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write as _,
        net::{TcpListener, TcpStream},
        thread,
    };

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().unwrap().0, peer)
    }

    /// To close at once, with bytes that nobody has read, would be a reset, and take the last words
    /// away.
    #[test]
    fn who_is_still_sending_reads_the_last_words_and_their_end() {
        let (mut server, mut peer) = pair();
        peer.write_all(&[b'x'; 10_000]).unwrap();
        server.write_all(b"bye").unwrap();
        let lingers =
            thread::spawn(move || linger(&server, Instant::now() + Duration::from_mins(1)));
        let mut read = String::new();
        peer.read_to_string(&mut read).unwrap();
        assert_eq!(read, "bye");
        peer.write_all(b"and so on").unwrap();
        drop(peer);
        lingers.join().unwrap();
    }

    #[test]
    fn whoever_is_refused_while_they_send_is_waited_for() {
        let (server, mut peer) = pair();
        peer.write_all(b"alice\n").unwrap();
        let mut refused = Refused::new(server, "No place.", false);
        assert!(refused.is_ready());
        let now = Instant::now();
        assert!(refused.look(now) && refused.look(now));
        assert!(!refused.look(now + REFUSED_PATIENCE), "not for ever");
    }
}
