//! The bytes that wait for one client to read, in order. It has no lock: the threaded server's
//! outbox keeps it under a lock of its own, and an event loop needs none.

use super::frames::{Header, Passed, Wire, encode, for_telnet, last_words};
use crate::{
    core::{close_reason::CloseReason, wire::hex},
    server::{net, tls::connection::TlsConnection},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    mem::take,
    net::TcpStream,
    time::Instant,
};

/// What of a queue is handed to another server. (Browsers are not.)
#[derive(Serialize, Deserialize)]
pub(crate) struct Frozen {
    #[serde(with = "hex")]
    waiting: Vec<u8>,
    /// The byte that was sent last: whether `waiting` begins inside a line.
    last: u8,
    is_telnet: bool,
    reads_notes: bool,
}

/// Bytes on their way to one client. Nothing here waits: the socket takes what it takes now.
pub struct SendQueue {
    waiting: VecDeque<u8>,
    /// `Some`: what is sent is encrypted, and what waits is not yet.
    tls: Option<Box<TlsConnection>>,
    /// Whether `waiting` begins inside a line or a frame.
    passed: Passed,
    progress: Instant,
    is_shut: bool,
    broken: Option<String>,
    is_cut_off: bool,
    /// The client reads notes, and so their last line has one in front.
    pub reads_notes: bool,
}

impl Default for SendQueue {
    fn default() -> SendQueue {
        SendQueue {
            waiting: VecDeque::new(),
            tls: None,
            passed: Passed::default(),
            progress: Instant::now(),
            is_shut: false,
            broken: None,
            is_cut_off: false,
            reads_notes: false,
        }
    }
}

impl SendQueue {
    // --- What waits ---

    /// Bytes that wait. (Those of a record that is on its way do not: like those that the system has
    /// taken.)
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.tls.as_ref().is_none_or(|tls| !tls.has_unsent())
    }

    /// When the client last took a byte, or the first one began to wait.
    pub fn progress(&self) -> Instant {
        self.progress
    }

    /// Nothing more is sent: the client is too slow, or the socket is broken.
    pub(crate) fn is_shut(&self) -> bool {
        self.is_shut
    }

    /// The system's error, if a send found the socket broken: a read may then find only an end of
    /// file.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// The same error, unless the client had closed their side before: then what they sent last is
    /// whole.
    pub fn cut_off(&self) -> Option<&str> {
        self.broken().filter(|_| self.is_cut_off)
    }

    // --- What the client speaks ---

    /// From now on, what is sent and pushed goes in frames, and so does what is sent in front of it.
    pub(super) fn begin_frames(&mut self) {
        self.passed.wire = Wire::Frames;
    }

    /// From now on, what is sent and pushed gets line ends as telnet wants them. What is sent in
    /// front of it (`send_waiting`) has to have them already.
    pub fn begin_telnet(&mut self) {
        self.passed.wire = Wire::Telnet;
    }

    /// Whether the client speaks telnet.
    pub fn is_telnet(&self) -> bool {
        self.wire() == Wire::Telnet
    }

    /// What the client speaks.
    pub(super) fn wire(&self) -> Wire {
        self.passed.wire
    }

    // --- Sending ---

    /// Sends whole lines behind everything that waits: as much as the socket takes now; the rest
    /// waits. A browser gets all of them in one frame: its header is all that is made for each.
    pub fn send(&mut self, socket: &TcpStream, slices: &[&[u8]]) {
        if self.is_shut || !self.waiting.is_empty() {
            return self.push(slices);
        }
        let (copy, whole);
        let slices = match self.wire() {
            Wire::Plain | Wire::Frames => slices,
            Wire::Telnet => {
                copy = for_telnet(slices); // for them alone
                whole = [&copy[..]];
                &whole
            }
        };
        let header = self.header(slices);
        let first = header.bytes();
        let sent = match &mut self.tls {
            None => net::send_behind(socket, first, slices),
            Some(tls) => send_encrypted(tls, &mut self.progress, socket, first, slices),
        };
        let mut sent = match sent {
            Ok(sent) => sent,
            Err(e) => return self.break_off(&e),
        };
        if sent == header.bytes().len() + length(slices) {
            return; // the usual case
        }
        for slice in std::iter::once(&header.bytes()).chain(slices) {
            let (gone, rest) = slice.split_at(sent.min(slice.len()));
            sent -= gone.len();
            self.passed.pass(gone);
            self.push_encoded(rest);
        }
    }

    /// Puts whole lines behind what waits.
    pub(crate) fn push(&mut self, slices: &[&[u8]]) {
        if self.is_telnet() {
            return self.push_encoded(&for_telnet(slices));
        }
        self.push_encoded(self.header(slices).bytes());
        slices.iter().for_each(|slice| self.push_encoded(slice));
    }

    /// The header of a frame with these slices, if the client wants one and there is something in
    /// them.
    fn header(&self, slices: &[&[u8]]) -> Header {
        match self.wire() {
            Wire::Plain | Wire::Telnet => Header::NONE,
            Wire::Frames => match length(slices) {
                0 => Header::NONE,
                length => Header::text(length),
            },
        }
    }

    /// Puts bytes behind what waits that are as the client gets them.
    pub(super) fn push_encoded(&mut self, bytes: &[u8]) {
        if self.is_shut || bytes.is_empty() {
            return;
        }
        if self.is_empty() {
            self.progress = Instant::now();
        }
        self.waiting.extend(bytes);
    }

    /// Sends `first` and then what waits, in one send, as much as the socket takes. Returns how
    /// many bytes of `first` are done: all of them, if the socket is broken.
    pub fn send_waiting(&mut self, socket: &TcpStream, first: &[u8], now: Instant) -> usize {
        if self.is_shut || (first.is_empty() && self.is_empty()) {
            return 0;
        }
        let (front, back) = self.waiting.as_slices();
        let tls = (&mut self.tls, &mut self.progress);
        let sent = match send_now(tls, socket, &[first, front, back]) {
            Ok(sent) => sent,
            Err(e) => {
                self.break_off(&e);
                return first.len();
            }
        };
        let (of_first, of_waiting) = (sent.min(first.len()), sent.saturating_sub(first.len()));
        match of_first == first.len() && of_first > 0 {
            true => self.passed.pass_answer(first),
            false => self.passed.pass(&first[..of_first]),
        }
        let of_front = of_waiting.min(front.len());
        self.passed.pass(&front[..of_front]);
        self.passed.pass(&back[..of_waiting - of_front]);
        self.waiting.drain(..of_waiting);
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new(); // an idle client keeps no memory
        }
        if sent > 0 {
            self.progress = now;
        }
        of_first
    }

    // --- While the server is handed over ---

    /// What another server has to know.
    pub(super) fn freeze(&self) -> Frozen {
        let (waiting, last) = (self.waiting.iter().copied().collect(), self.passed.last());
        Frozen { waiting, last, is_telnet: self.is_telnet(), reads_notes: self.reads_notes }
    }

    /// Goes on from there.
    pub(super) fn refill(&mut self, frozen: Frozen) {
        let Frozen { waiting, last, is_telnet, reads_notes } = frozen;
        if is_telnet {
            self.begin_telnet();
        }
        self.passed.pass(&[last]);
        (self.waiting, self.reads_notes) = (waiting.into(), reads_notes);
    }

    // --- Ending ---

    /// Notes that the socket is broken: nobody will read what waits.
    pub(crate) fn break_off(&mut self, error: &io::Error) {
        self.is_shut = true;
        // The first error counts: every later send finds a broken pipe.
        self.is_cut_off |= self.broken.is_none() && error.kind() != ErrorKind::BrokenPipe;
        self.broken.get_or_insert_with(|| error.to_string());
        self.waiting = VecDeque::new();
    }

    /// Shuts a slow consumer's queue: what waits is dropped, except the rest of a line, or of
    /// a frame, that was begun. Returns the length of that rest.
    pub fn refuse_more(&mut self) -> usize {
        let begun = self.passed.rest(self.waiting.as_slices());
        self.waiting.truncate(begun);
        self.is_shut = true;
        begun
    }

    /// Takes what waits, and behind it the last words, as the client wants them. Nothing comes behind
    /// them.
    pub fn take_with_last_words(&mut self, reason: &CloseReason) -> Vec<u8> {
        let mut bytes: Vec<u8> = take(&mut self.waiting).into();
        let note = if self.reads_notes { reason.to_program() } else { String::new() };
        bytes.extend_from_slice(&encode(note.as_bytes(), self.wire()));
        bytes.extend(last_words(&reason.to_client(), reason.close_code(), self.wire()));
        match self.tls.take() {
            Some(tls) => tls.finish(&bytes),
            None => bytes,
        }
    }

    // --- What is encrypted ---

    /// From now on, what is sent is encrypted.
    pub(super) fn begin_tls(&mut self, tls: Box<TlsConnection>) {
        self.tls = Some(tls);
    }

    /// The keys and buffers, if there are any, for the thread that reads.
    pub(super) fn tls(&mut self) -> Option<&mut TlsConnection> {
        self.tls.as_deref_mut()
    }

    /// Sends what the socket takes now of an answer that the client's own thread writes. Returns how
    /// many of its bytes are done.
    pub(super) fn send_answer(&mut self, socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        send_now((&mut self.tls, &mut self.progress), socket, &[bytes])
    }

    // --- For a thread that has taken bytes to send them itself ---

    /// Takes the first of what waits.
    pub(super) fn take_first(&mut self, count: usize) -> Vec<u8> {
        self.waiting.drain(..count).collect()
    }

    /// Notes what this thread has sent.
    pub(super) fn note_sent(&mut self, sent: &[u8]) {
        self.passed.pass(sent);
    }

    /// Notes that what was kept back begins to wait only now.
    pub(super) fn begin_to_wait(&mut self, now: Instant) {
        self.progress = now;
    }

    /// Puts back what the thread could not send. What was kept back behind it is dropped.
    pub(super) fn put_back(&mut self, bytes: impl Iterator<Item = u8>) {
        self.waiting = bytes.collect();
    }
}

/// Sends what the socket takes now.
fn send_now(
    (tls, progress): (&mut Option<Box<TlsConnection>>, &mut Instant),
    socket: &TcpStream,
    slices: &[&[u8]],
) -> io::Result<usize> {
    match tls {
        None => net::send_now(socket, slices),
        Some(tls) => send_encrypted(tls, progress, socket, &[], slices),
    }
}

/// The same, encrypted. Then a record may be left that the socket has not taken, so it is noted here
/// when it has taken some of it.
#[inline(never)] // it needs room on the stack
fn send_encrypted(
    tls: &mut TlsConnection,
    progress: &mut Instant,
    socket: &TcpStream,
    first: &[u8],
    slices: &[&[u8]],
) -> io::Result<usize> {
    let was_waiting = tls.has_unsent();
    let sent = tls.send(socket, first, slices);
    if tls.take_moved() || !was_waiting {
        *progress = Instant::now();
    }
    sent
}

fn length(slices: &[&[u8]]) -> usize {
    slices.iter().map(|slice| slice.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        time::Duration,
    };

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().unwrap().0, peer)
    }

    #[test]
    fn telnet_gets_cr_lf_and_its_sequences_as_they_are() {
        let mut queue = SendQueue::default();
        assert_eq!(&*encode(b"hi\n", queue.wire()), b"hi\n");
        queue.begin_telnet();
        for (lines, wire) in [
            (&b"hi\n"[..], &b"hi\r\n"[..]),
            (b"a\n\nb\n", b"a\r\n\r\nb\r\n"),
            (b"\xff\xfe\x0a\xff\xfc\x0ahi\n", b"\xff\xfe\x0a\xff\xfc\x0ahi\r\n"),
            (b"", b""),
            (b"\xff\xfb", b"\xff\xfb"),
        ] {
            assert_eq!(&*encode(lines, queue.wire()), wire);
        }
    }

    #[test]
    fn what_waits_for_a_telnet_client_is_counted_as_it_is_sent() {
        let (server, mut peer) = pair();
        let mut queue = SendQueue::default();
        queue.begin_telnet();
        queue.push(&[b"a\n", b"b\n"]);
        assert_eq!(queue.len(), 6);
        queue.send(&server, &[b"c\n"]);
        assert_eq!(queue.len(), 9);
        queue.send_waiting(&server, b"answer\r\n", Instant::now());
        queue.send(&server, &[b"d\n"]);
        drop(server);
        let mut read = String::new();
        peer.read_to_string(&mut read).unwrap();
        assert_eq!(read, "answer\r\na\r\nb\r\nc\r\nd\r\n");
    }

    /// Who reads too slowly is hung up. What they have got by then ends with a whole line, also if the
    /// server was handed over meanwhile.
    #[cfg(unix)]
    #[test]
    fn a_line_that_was_begun_is_kept_though_the_socket_takes_nothing_more() {
        // No TCP: there the kernel moves bytes from one side to the other when it likes, and then the
        // socket takes more.
        let (server, _peer) = std::os::unix::net::UnixStream::pair().unwrap();
        let server = TcpStream::from(std::os::fd::OwnedFd::from(server));
        let mut queue = SendQueue::default();
        queue.send(&server, &[b"before\n", &vec![b'x'; 32 << 20], b"\n"]);
        queue.send_waiting(&server, &[], Instant::now()); // the send before may have been a part
        let begun = queue.len();
        assert!(begun > 1, "the socket has taken 32 MiB");
        let much_later = Instant::now() + Duration::from_hours(1);
        queue.send_waiting(&server, &[], much_later);
        assert!(queue.progress() < much_later, "the write deadline goes on");
        queue.send(&server, &[b"behind\n"]);
        let mut in_the_next_server = SendQueue::default();
        in_the_next_server.refill(queue.freeze());
        for mut queue in [queue, in_the_next_server] {
            assert_eq!(queue.refuse_more(), begun);
            assert_eq!(queue.len(), begun, "and nothing behind it");
        }
    }

    /// Sends until the connection is found broken.
    fn finds_it_broken(queue: &mut SendQueue, server: &TcpStream) {
        let end = Instant::now() + Duration::from_secs(30);
        while queue.broken().is_none() {
            assert!(Instant::now() < end, "it is never found broken");
            queue.send(server, &[b"x\n"]);
            queue.take_with_last_words(&CloseReason::Closed);
        }
    }

    #[test]
    fn a_reset_cuts_off_and_an_end_of_file_before_it_does_not() {
        for ends_first in [false, true] {
            let ((mut server, mut peer), mut queue) = (pair(), SendQueue::default());
            assert!(queue.cut_off().is_none() && net::cut_off(&server).is_none());
            peer.write_all(b"half").unwrap();
            if ends_first {
                peer.shutdown(std::net::Shutdown::Write).unwrap();
            }
            socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
            drop(peer);
            finds_it_broken(&mut queue, &server);
            assert_eq!(queue.cut_off().is_none(), ends_first, "{:?}", queue.broken());
            queue.break_off(&ErrorKind::BrokenPipe.into()); // by an answer
            assert_eq!(queue.cut_off().is_none(), ends_first, "{:?}", queue.broken());
            let mut read = Vec::new();
            let end = server.read_to_end(&mut read); // the send has taken the error away
            assert!(end.is_ok(), "{end:?}");
        }
    }
}
