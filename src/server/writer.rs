//! The writer handle: one connected client, as the other threads see it.
//!
//! Its own thread reads; three others may write to it: the fan-out (what the room says), its own thread (answers to
//! its own commands) and the flusher (what did not fit). They meet in the outbox, under one lock, which nobody holds
//! while waiting. See [`WriterHandle::deliver`] for what they promise each other.

use super::{
    flusher::FlusherQueue,
    net,
    outbox::{Gate, Outbox},
    status::{Doing, Status},
};
use crate::{
    core::{
        delivery::Delivery,
        event::{Answer, ClientId},
        farewell::Farewell,
    },
    lock::{Guard, Locked, assert_no_lock_held},
};
use parking_lot::Condvar;
use std::{
    io::{self, ErrorKind, IoSlice},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// How long a client is given to read its farewell, and then to close its side. (A slow consumer has the write
/// deadline for the first: it is only slow, perhaps.)
pub const GOODBYE: Duration = Duration::from_secs(1);
/// How often a thread that waits for its own client looks whether somebody hung the client up meanwhile.
const LOOK_UP: Duration = Duration::from_millis(250);
/// Bytes of an answer that are sent while the outbox is locked, at most: the fan-out waits that long for the lock.
const AT_ONCE_MAX: usize = 16 * 1024;
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
    /// To its own thread: there is an answer.
    news: Condvar,
    /// Set with the farewell; can be read for each line without the lock.
    hung_up: AtomicBool,
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
        net::adopt(&socket);
        Arc::new(WriterHandle {
            number,
            peer,
            status: Status::new(&format!("c{number}")),
            socket,
            limits,
            flusher,
            outbox: Locked::new("an outbox", Outbox::default()),
            news: Condvar::new(),
            hung_up: AtomicBool::new(false),
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
            outbox.gate = Gate::AnswerAfter(outbox.waiting.len());
            outbox.answer = Some(answer);
            self.news.notify_all();
        }
        outbox.put(&self.socket, delivery.after);
        if let Some(farewell) = delivery.farewell {
            outbox.farewell.get_or_insert(farewell);
            self.stop_reading(outbox);
        } else if outbox.waiting.len() > self.limits.high_water {
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
        if outbox.gate == Gate::Open {
            outbox.send_waiting(&self.socket, now);
        }
        self.status.set_waiting(outbox.waiting.len());
        let deadline = outbox.progress + self.limits.write_deadline;
        outbox.flushing = outbox.gate == Gate::Open && !outbox.waiting.is_empty() && !outbox.deaf;
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

    /// Reads what there is, or waits for it: for ever, or for `at_most` and then fails with `WouldBlock` (on Windows
    /// sooner, see [`net::read`]).
    pub fn read(&self, space: &mut [u8], at_most: Option<Duration>) -> io::Result<usize> {
        assert_no_lock_held("a socket");
        self.status.now(Doing::Reading);
        let read = net::read(&self.socket, space, at_most);
        self.status.now(Doing::Working);
        read
    }

    /// Reads what there is, or fails with `WouldBlock`.
    pub fn read_now(&self, space: &mut [u8]) -> io::Result<usize> {
        net::read_now(&self.socket, space)
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
        self.status.count_out(memchr::memchr_iter(b'\n', answer).count());
        let mut outbox = self.outbox.lock();
        let before = match outbox.gate {
            Gate::AnswerAfter(before) => before,
            Gate::Open | Gate::OwnThread => outbox.waiting.len(),
        };
        let (mut sent, now) = (0, Instant::now());
        if before == 0 && answer.len() <= AT_ONCE_MAX && !outbox.deaf {
            sent = outbox.send_before_waiting(&self.socket, answer, now);
        }
        if sent == answer.len() {
            outbox.gate = Gate::Open; // as good as always
            outbox.progress = now; // what was held back begins to wait only now
            self.status.set_waiting(outbox.waiting.len());
            return self.flush_later(outbox);
        }
        outbox.gate = Gate::OwnThread;
        let before: Vec<u8> = outbox.waiting.drain(..before).collect();
        drop(outbox);
        self.write_long_answer(&before, &answer[sent..]);
    }

    /// Writes an answer that the client does not take at once.
    #[inline(never)] // see `Session::run`
    fn write_long_answer(self: &Arc<Self>, before: &[u8], answer: &[u8]) {
        self.status.now(Doing::Answering);
        let unsent = self.write_waiting(before);
        let unanswered = if unsent.is_empty() { self.write_waiting(answer) } else { answer };
        self.status.now(Doing::Working);

        let mut outbox = self.outbox.lock();
        outbox.gate = Gate::Open;
        outbox.progress = Instant::now(); // what was held back begins to wait only now
        if !unanswered.is_empty() {
            // Given up. The line that was begun can still be ended before the farewell.
            outbox.waiting = unsent.iter().chain(unanswered).copied().collect();
            outbox.refuse_more(Farewell::TooLate(self.limits.write_deadline.as_secs()));
            self.stop_reading(outbox);
        } else {
            outbox.send_waiting(&self.socket, Instant::now());
            self.status.set_waiting(outbox.waiting.len());
            self.flush_later(outbox);
        }
    }

    /// Waits for so long, or until the client is hung up, or its connection is found broken: that is returned.
    pub fn pause(&self, at_most: Duration) -> io::Result<()> {
        let end = Instant::now() + at_most;
        self.status.now(Doing::Pausing);
        while self.farewell().is_none() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            assert_no_lock_held("the end of a pause");
            net::wait_broken(&self.socket, left.min(LOOK_UP))?;
        }
        Ok(())
    }

    /// Whether the peer has sent its end of file, perhaps behind bytes that are not read yet.
    pub fn has_peer_ended(&self) -> bool {
        net::has_peer_ended(&self.socket)
    }

    /// Why the connection is broken, if a send has found it so.
    pub fn broken(&self) -> Option<String> {
        self.outbox.lock().broken.clone()
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
            outbox.gate = Gate::OwnThread; // nobody else sends any more
            std::mem::take(&mut outbox.waiting).into()
        };
        bytes.extend(farewell.to_client().map(|line| line + "\n").unwrap_or_default().as_bytes());
        let patience = if farewell.is_slow() { self.limits.write_deadline } else { GOODBYE };
        let end = Instant::now() + patience;
        let mut rest = &bytes[..];
        while !rest.is_empty() && Instant::now() < end {
            match net::send_now(&self.socket, &[IoSlice::new(rest)]) {
                Ok(0) => drop(net::wait_writable(
                    &self.socket,
                    end.saturating_duration_since(Instant::now()),
                )),
                Ok(sent) => rest = &rest[sent..],
                Err(_) => return, // nobody is there
            }
        }
        linger(&self.socket, Instant::now() + GOODBYE);
    }

    // --- Called by anybody ---

    /// Whether somebody hung the client up.
    pub fn is_hung_up(&self) -> bool {
        self.hung_up.load(Relaxed)
    }

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
        self.hung_up.store(true, Relaxed);
        net::end_reading(&self.socket);
    }

    /// Puts the client on the flusher's list if something waits that nobody else will send.
    fn flush_later(self: &Arc<Self>, mut outbox: Guard<'_, Outbox>) {
        if outbox.waiting.is_empty() {
            return;
        }
        self.status.set_waiting(outbox.waiting.len());
        let needed = outbox.gate == Gate::Open && !outbox.deaf && !outbox.flushing;
        outbox.flushing |= needed;
        drop(outbox);
        if needed {
            self.flusher.add(self);
        }
    }

    /// Writes whole lines as long as the client reads. Returns what it did not take: nothing, unless somebody hung it
    /// up, or it took nothing for the whole write deadline.
    fn write_waiting<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let mut sent = 0;
        let mut progress = Instant::now();
        while sent < bytes.len() {
            match net::send_now(&self.socket, &[IoSlice::new(&bytes[sent..])]) {
                Ok(0) => {
                    if self.farewell().is_some() || progress.elapsed() >= self.limits.write_deadline
                    {
                        break;
                    }
                    assert_no_lock_held("a socket");
                    let _ =
                        net::wait_writable(&self.socket, LOOK_UP.min(self.limits.write_deadline));
                }
                Ok(n) => {
                    sent += n;
                    progress = Instant::now();
                }
                Err(e) => {
                    self.outbox.lock().break_off(&e); // what it sent will still be read, what it asked is moot
                    sent = bytes.len();
                }
            }
        }
        match sent {
            0 => {}
            _ if sent == bytes.len() => self.outbox.lock().last_sent = b'\n',
            _ => self.outbox.lock().last_sent = bytes[sent - 1],
        }
        &bytes[sent..]
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
