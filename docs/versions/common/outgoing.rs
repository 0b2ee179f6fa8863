//! What waits for one client to read: the outgoing queue. chatd's outbox without its lock. Runs on thread `main`.

use chatd::server::net;
use std::{collections::VecDeque, net::TcpStream, time::Instant};

/// Bytes on their way to one client, in order. Nobody here waits: the socket takes what it takes now.
pub struct Outgoing {
    waiting: VecDeque<u8>,
    /// So many of `waiting`, up to the end of the last answer to the client's own command, do not count against the
    /// high-water mark: they have back-pressure instead (see [`Outgoing::is_behind`]).
    own: usize,
    /// The last byte that was sent: if it is no line end, `waiting` begins inside a line.
    last_sent: u8,
    /// When the client last took a byte, or the first one began to wait.
    progress: Instant,
    /// It is hung up: what the rooms still say is not for it any more.
    refusing: bool,
    broken: bool,
}

impl Outgoing {
    /// An empty one.
    pub fn new(now: Instant) -> Self {
        let waiting = VecDeque::new();
        Outgoing {
            waiting,
            own: 0,
            last_sent: b'\n',
            progress: now,
            refusing: false,
            broken: false,
        }
    }

    /// Sends what the rooms tell, in one call, or as much as the socket takes; the rest waits.
    pub fn put(&mut self, socket: &TcpStream, slices: &[&[u8]], now: Instant) {
        if !self.refusing && !slices.is_empty() {
            self.append(socket, slices, now);
        }
    }

    /// The same for an answer to the client's own command, of any length.
    pub fn answer(&mut self, socket: &TcpStream, bytes: &[u8], now: Instant) {
        self.put(socket, &[bytes], now);
        self.own = self.waiting.len();
    }

    /// The last line of all, behind everything that waits.
    pub fn last_words(&mut self, socket: &TcpStream, line: &str, now: Instant) {
        self.append(socket, &[line.as_bytes()], now);
        self.refusing = true;
    }

    fn append(&mut self, socket: &TcpStream, slices: &[&[u8]], now: Instant) {
        if self.broken {
            return;
        }
        let mut sent = 0;
        if self.waiting.is_empty() {
            match net::send_slices_now(socket, slices) {
                Ok(n) => sent = n,
                Err(_) => return self.break_off(),
            }
            self.progress = now;
        }
        for slice in slices {
            let (gone, rest) = slice.split_at(sent.min(slice.len()));
            sent -= gone.len();
            self.last_sent = gone.last().copied().unwrap_or(self.last_sent);
            self.waiting.extend(rest);
        }
    }

    /// Sends of what waits as much as the socket takes.
    pub fn send(&mut self, socket: &TcpStream, now: Instant) {
        if self.waiting.is_empty() {
            return;
        }
        let (front, back) = self.waiting.as_slices();
        match net::send_slices_now(socket, &[front, back]) {
            Ok(0) => {}
            Ok(sent) => {
                self.last_sent = self.waiting[sent - 1];
                self.waiting.drain(..sent);
                self.own = self.own.saturating_sub(sent);
                self.progress = now;
            }
            Err(_) => self.break_off(),
        }
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new(); // an idle client keeps no memory
        }
    }

    /// Nobody is there to read. What the client sent before will still be read, and the end of it will say why.
    fn break_off(&mut self) {
        self.broken = true;
        self.waiting = VecDeque::new();
        self.own = 0;
    }

    /// Whether the client has still to read the answer to its own command. It is not read until it has.
    pub fn is_behind(&self) -> bool {
        self.own > 0
    }

    /// Bytes that count against the high-water mark.
    pub fn counted(&self) -> usize {
        self.waiting.len() - self.own
    }

    /// Whether it has been told to take no more, or has broken.
    pub fn is_refusing(&self) -> bool {
        self.refusing || self.broken
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none do.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When the client last took a byte, or the first one began to wait.
    pub fn progress(&self) -> Instant {
        self.progress
    }

    /// Hangs up a slow consumer: what waits is dropped, but for the end of a line that was begun.
    pub fn refuse_more(&mut self) {
        let end_of_line = self.waiting.iter().take_while(|&&byte| byte != b'\n').count() + 1;
        self.waiting.truncate(if self.last_sent == b'\n' { 0 } else { end_of_line });
        self.own = self.own.min(self.waiting.len());
        self.refusing = true;
    }
}
