//! The writer handle: one connected client, as the other threads see it.
//!
//! Its own thread reads; three others may write to it: the fan-out (what the room says), its own thread (answers to
//! its own commands) and the flusher (what did not fit). They meet in the outbox, under one lock, which nobody holds
//! while waiting. See [`WriterHandle::deliver`] for what they promise each other.

use super::{
    flusher::FlusherQueue,
    net,
    status::{Doing, Status},
};
use crate::{
    core::{
        event::{Answer, ClientId},
        farewell::Farewell,
        rooms::Delivery,
    },
    lock::{Guard, Locked, assert_no_lock_held},
};
use parking_lot::Condvar;
use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Read as _},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a client is given to read its farewell, and then to close its side. (A slow consumer has the write
/// deadline for the first: it is only slow, perhaps.)
pub const GOODBYE: Duration = Duration::from_secs(1);
/// How often a thread that waits for its own client looks whether somebody hung the client up meanwhile.
const LOOK_UP: Duration = Duration::from_millis(250);
/// Read after the farewell and thrown away, at most.
pub const LINGER_BYTES: usize = 256 * 1024;

/// What makes a client a slow consumer.
#[derive(Clone, Copy)]
pub struct SlowLimits {
    /// Bytes that may wait in an outbox.
    pub high_water: usize,
    /// How long bytes may wait without the client taking any.
    pub write_deadline: Duration,
}

/// One connected client.
pub struct WriterHandle {
    /// Its number.
    pub number: ClientId,
    /// Its address.
    pub peer: SocketAddr,
    /// What its thread is doing.
    pub status: Arc<Status>,
    socket: TcpStream,
    limits: SlowLimits,
    flusher: Arc<FlusherQueue>,
    outbox: Locked<Outbox>,
    /// To its own thread: there is an answer, or it was hung up.
    news: Condvar,
}

/// What waits for the client to read.
struct Outbox {
    waiting: VecDeque<u8>,
    /// The last byte that was sent: if it is no line end, `waiting` begins inside a line.
    last_sent: u8,
    /// When the client last took a byte, or the first one began to wait.
    progress: Instant,
    /// Only so many of `waiting` may go out before the answer that the client's own thread is about to write.
    held: Option<usize>,
    /// The answer to its question, for its own thread to take.
    answer: Option<Answer>,
    /// On the flusher's list.
    flushing: bool,
    /// The socket is broken, or the client too slow: it takes nothing more.
    deaf: bool,
    /// Why it is being hung up.
    farewell: Option<Farewell>,
}

impl WriterHandle {
    /// A handle of an accepted socket.
    pub fn new(
        number: ClientId,
        socket: TcpStream,
        peer: SocketAddr,
        limits: SlowLimits,
        flusher: Arc<FlusherQueue>,
    ) -> Arc<Self> {
        Arc::new(WriterHandle {
            number,
            peer,
            status: Status::new(&format!("c{number}")),
            socket,
            limits,
            flusher,
            outbox: Locked::new(
                "an outbox",
                Outbox {
                    waiting: VecDeque::new(),
                    last_sent: b'\n',
                    progress: Instant::now(),
                    held: None,
                    answer: None,
                    flushing: false,
                    deaf: false,
                    farewell: None,
                },
            ),
            news: Condvar::new(),
        })
    }

    // --- Called by the fan-out ---

    /// Delivers what the rooms tell this client.
    ///
    /// 1. It MUST NOT wait: the socket takes what it takes now, the rest goes into the outbox.
    /// 2. It MUST NOT reorder: once something waits in the outbox, everything goes behind it.
    /// 3. Two threads MUST NOT tear a line: every send to this socket happens under this lock, or by the client's own
    ///    thread while the outbox is held and nobody else sends.
    /// 4. A client over its high-water mark (bytes) or its write deadline (seconds) MUST be hung up, told why if it
    ///    can still read, and counted.
    ///
    /// The answer to the client's own question is handed to its thread, which writes it with back-pressure on itself;
    /// what comes `after` is held until that is done, so that nothing live is read before a long answer's end.
    pub fn deliver(self: &Arc<Self>, delivery: Delivery<'_>) {
        let mut outbox = self.outbox.lock();
        outbox.put(&self.socket, delivery.before);
        if let Some(answer) = delivery.answer {
            outbox.held = Some(outbox.waiting.len());
            outbox.answer = Some(answer);
            self.news.notify_all();
        }
        outbox.put(&self.socket, delivery.after);
        if outbox.waiting.len() > self.limits.high_water {
            outbox.refuse_more(Farewell::TooSlow(self.limits.high_water));
            self.stop_reading(outbox);
        } else {
            self.flush_later(outbox);
        }
        self.status.count_out(delivery.lines);
    }

    // --- Called by the flusher ---

    /// Sends what the client takes now. Returns until when to wait for it to take more; `None`: it is off the list.
    pub fn flush(&self, now: Instant) -> Option<Instant> {
        let mut outbox = self.outbox.lock();
        if outbox.held.is_none() {
            outbox.send_waiting(&self.socket, now);
        }
        self.status.set_waiting(outbox.waiting.len());
        let deadline = outbox.progress + self.limits.write_deadline;
        outbox.flushing = outbox.held.is_none() && !outbox.waiting.is_empty() && !outbox.deaf;
        if !outbox.flushing {
            return None;
        }
        if now < deadline {
            return Some(deadline);
        }
        outbox.refuse_more(Farewell::TooLate(self.limits.write_deadline.as_secs()));
        outbox.flushing = false;
        self.stop_reading(outbox);
        None
    }

    /// Its socket, to wait for.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    // --- Called by its own thread ---

    /// Reads what there is, or waits for it: for ever, or for `at_most` and then fails with `WouldBlock`.
    pub fn read(&self, space: &mut [u8], at_most: Option<Duration>) -> io::Result<usize> {
        assert_no_lock_held("a socket");
        if at_most.is_some() {
            self.socket.set_read_timeout(at_most)?;
        }
        self.status.now(Doing::Reading);
        let read = (&self.socket).read(space);
        self.status.now(Doing::Working);
        read
    }

    /// From now on [`WriterHandle::read`] waits for ever.
    pub fn read_without_deadline(&self) {
        let _ = self.socket.set_read_timeout(None); // if it fails, the socket is broken and `read` says so
    }

    /// Waits for the answer to what was asked through the events channel. The fan-out always gives one.
    pub fn wait_for_answer(&self) -> Answer {
        assert_no_lock_held("an answer");
        self.status.now(Doing::Asking);
        let mut outbox = self.outbox.lock();
        loop {
            if let Some(answer) = outbox.answer.take() {
                self.status.now(Doing::Working);
                return answer;
            }
            outbox.wait_on(&self.news, LOOK_UP);
        }
    }

    /// Writes an answer of any length to this client, waiting for it to read, and then lets out what was held behind
    /// it. It does not count against the high-water mark: who reads slowly here delays only itself.
    pub fn write_answer(self: &Arc<Self>, answer: &[u8]) {
        let bytes = {
            let mut outbox = self.outbox.lock();
            let before = outbox.held.unwrap_or(outbox.waiting.len());
            outbox.held = Some(0);
            let mut bytes: Vec<u8> = outbox.waiting.drain(..before).collect();
            bytes.extend_from_slice(answer);
            bytes
        };
        self.status.count_out(memchr::memchr_iter(b'\n', answer).count());
        self.status.now(Doing::Answering);
        let sent = self.write_waiting(&bytes);
        self.status.now(Doing::Working);

        let mut outbox = self.outbox.lock();
        outbox.held = None;
        outbox.note_sent(&bytes[..sent]);
        if sent < bytes.len() {
            // Given up. The line that was begun can still be ended before the farewell.
            outbox.waiting = bytes[sent..].iter().copied().collect();
            outbox.refuse_more(Farewell::TooLate(self.limits.write_deadline.as_secs()));
            self.stop_reading(outbox);
        } else {
            outbox.send_waiting(&self.socket, Instant::now());
            self.flush_later(outbox);
        }
    }

    /// Waits for so long, or until the client is hung up.
    pub fn pause(&self, at_most: Duration) {
        let end = Instant::now() + at_most;
        self.status.now(Doing::Pausing);
        let mut outbox = self.outbox.lock();
        while outbox.farewell.is_none() && Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            outbox.wait_on(&self.news, left);
        }
    }

    /// Settles the one reason of the end: this one, if nobody had another before.
    pub fn settle(&self, farewell: Farewell) -> Farewell {
        self.outbox.lock().farewell.get_or_insert(farewell).clone()
    }

    /// The last words: what still waits, then the reason. Then the connection is closed in such a way that the peer
    /// can read them: our end of file first, its bytes read and thrown away until it closes too. All of it bounded.
    pub fn say_goodbye(&self, farewell: &Farewell) {
        self.status.now(Doing::Leaving);
        let mut bytes: Vec<u8> = {
            let mut outbox = self.outbox.lock();
            outbox.held = Some(0); // nobody else sends any more
            std::mem::take(&mut outbox.waiting).into()
        };
        bytes.extend(farewell.to_client().map(|line| line + "\n").unwrap_or_default().as_bytes());
        let patience = if farewell.is_slow() { self.limits.write_deadline } else { GOODBYE };
        let end = Instant::now() + patience;
        let mut rest = &bytes[..];
        while !rest.is_empty() && Instant::now() < end {
            match net::send_now(&self.socket, &[rest]) {
                Ok(0) => drop(net::wait_writable(&self.socket, end.saturating_duration_since(Instant::now()))),
                Ok(sent) => rest = &rest[sent..],
                Err(_) => return, // nobody is there
            }
        }
        linger(&self.socket, Instant::now() + GOODBYE);
    }

    // --- Called by anybody ---

    /// Hangs the client up: its own thread's read returns, and that thread does the rest.
    pub fn hang_up(&self, farewell: Farewell) {
        let mut outbox = self.outbox.lock();
        outbox.farewell.get_or_insert(farewell);
        self.stop_reading(outbox);
    }

    /// Why it is being hung up, if it is.
    pub fn farewell(&self) -> Option<Farewell> {
        self.outbox.lock().farewell.clone()
    }

    /// Cuts the connection, so that no thread waits for it any longer.
    pub fn cut(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    // --- Helpers ---

    fn stop_reading(&self, outbox: Guard<'_, Outbox>) {
        self.status.set_waiting(outbox.waiting.len());
        drop(outbox);
        self.news.notify_all();
        let _ = self.socket.shutdown(Shutdown::Read); // fails if the peer is gone: then the read returns anyway
    }

    /// Puts the client on the flusher's list if something waits that nobody else will send.
    fn flush_later(self: &Arc<Self>, mut outbox: Guard<'_, Outbox>) {
        if outbox.waiting.is_empty() {
            return;
        }
        self.status.set_waiting(outbox.waiting.len());
        let needed = outbox.held.is_none() && !outbox.deaf && !outbox.flushing;
        outbox.flushing |= needed;
        drop(outbox);
        if needed {
            self.flusher.add(self);
        }
    }

    /// Writes as long as the client reads. Returns how many bytes it took: less than all if the socket broke, somebody
    /// hung it up, or it took nothing for the whole write deadline.
    fn write_waiting(&self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        let mut progress = Instant::now();
        while sent < bytes.len() {
            match net::send_now(&self.socket, &[&bytes[sent..]]) {
                Ok(0) => {
                    if self.farewell().is_some() || progress.elapsed() >= self.limits.write_deadline {
                        return sent;
                    }
                    assert_no_lock_held("a socket");
                    let _ = net::wait_writable(&self.socket, LOOK_UP.min(self.limits.write_deadline));
                }
                Ok(n) => {
                    sent += n;
                    progress = Instant::now();
                }
                Err(_) => {
                    self.outbox.lock().deaf = true; // gone: what it still sent will be read, what it asked is moot
                    return bytes.len();
                }
            }
        }
        sent
    }
}

impl Outbox {
    /// Sends `slices`, or as much as the socket takes; the rest waits, in order.
    fn put(&mut self, socket: &TcpStream, slices: &[&[u8]]) {
        if self.deaf || slices.is_empty() {
            return;
        }
        let mut sent = 0;
        if self.waiting.is_empty() && self.held.is_none() {
            match net::send_now(socket, slices) {
                Ok(n) => sent = n,
                Err(_) => return self.deaf = true, // its own thread's read will say why
            }
            if sent == slices.iter().map(|slice| slice.len()).sum() {
                return; // as good as always
            }
            self.progress = Instant::now();
        }
        for slice in slices {
            let (gone, rest) = slice.split_at(sent.min(slice.len()));
            sent -= gone.len();
            self.note_sent(gone);
            self.waiting.extend(rest);
        }
    }

    /// Sends of what waits as much as the socket takes.
    fn send_waiting(&mut self, socket: &TcpStream, now: Instant) {
        if self.waiting.is_empty() || self.deaf {
            return;
        }
        let (front, back) = self.waiting.as_slices();
        match net::send_now(socket, &[front, back]) {
            Ok(0) => {}
            Ok(sent) => {
                self.last_sent = self.waiting[sent - 1];
                self.waiting.drain(..sent);
                self.progress = now;
            }
            Err(_) => self.deaf = true,
        }
        if self.waiting.is_empty() || self.deaf {
            self.waiting = VecDeque::new(); // an idle client keeps no memory
        }
    }

    fn note_sent(&mut self, bytes: &[u8]) {
        self.last_sent = bytes.last().copied().unwrap_or(self.last_sent);
    }

    /// Hangs up a slow consumer: what waits is dropped, but for the end of a line that was begun.
    fn refuse_more(&mut self, farewell: Farewell) {
        let begun =
            if self.last_sent == b'\n' { 0 } else { self.waiting.iter().take_while(|&&b| b != b'\n').count() + 1 };
        self.waiting.truncate(begun);
        self.held = self.held.map(|held| held.min(begun));
        self.deaf = true;
        self.farewell.get_or_insert(farewell);
    }
}

/// Sends our end of file and waits for the peer's. If a socket is closed with bytes unread, TCP resets the connection,
/// and the peer may lose the last line it was sent.
pub fn linger(socket: &TcpStream, until: Instant) {
    if socket.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let mut thrown_away = 0;
    while thrown_away < LINGER_BYTES {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || socket.set_read_timeout(Some(left)).is_err() {
            return;
        }
        match (&*socket).read(&mut [0; 4096]) {
            Ok(0) => return,
            Ok(n) => thrown_away += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
