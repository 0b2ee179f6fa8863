//! The bytes that wait for one client to read, in order. It has no lock: the threaded server's
//! outbox keeps it under a lock of its own, and an event loop needs none.

use crate::server::net;
use std::{collections::VecDeque, io, mem::take, net::TcpStream, time::Instant};

/// Bytes on their way to one client. Nothing here waits: the socket takes what it takes now.
pub struct SendQueue {
    waiting: VecDeque<u8>,
    /// The last byte that was sent. If it is not a line end, `waiting` begins inside a line.
    last_sent: u8,
    progress: Instant,
    is_shut: bool,
    broken: Option<String>,
}

impl Default for SendQueue {
    fn default() -> SendQueue {
        SendQueue {
            waiting: VecDeque::new(),
            last_sent: b'\n',
            progress: Instant::now(),
            is_shut: false,
            broken: None,
        }
    }
}

impl SendQueue {
    // --- What waits ---

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
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

    // --- Sending ---

    /// Sends whole lines behind everything that waits: as much as the socket takes now; the rest
    /// waits.
    pub fn send(&mut self, socket: &TcpStream, slices: &[&[u8]]) {
        if self.is_shut || !self.waiting.is_empty() {
            return self.push(slices);
        }
        let mut sent = match net::send_now(socket, slices) {
            Ok(sent) => sent,
            Err(e) => return self.break_off(&e),
        };
        if sent == slices.iter().map(|slice| slice.len()).sum::<usize>() {
            return; // the usual case
        }
        for slice in slices {
            let (gone, rest) = slice.split_at(sent.min(slice.len()));
            sent -= gone.len();
            self.last_sent = gone.last().copied().unwrap_or(self.last_sent);
            self.push(&[rest]);
        }
    }

    /// Puts whole lines behind what waits.
    pub(crate) fn push(&mut self, slices: &[&[u8]]) {
        for slice in slices.iter().filter(|slice| !self.is_shut && !slice.is_empty()) {
            if self.waiting.is_empty() {
                self.progress = Instant::now();
            }
            self.waiting.extend(*slice);
        }
    }

    /// Sends `first` and then what waits, in one send, as much as the socket takes. Returns how
    /// many bytes of `first` are done: all of them, if the socket is broken.
    pub fn send_waiting(&mut self, socket: &TcpStream, first: &[u8], now: Instant) -> usize {
        if self.is_shut || (first.is_empty() && self.waiting.is_empty()) {
            return 0;
        }
        let (front, back) = self.waiting.as_slices();
        let sent = match net::send_now(socket, &[first, front, back]) {
            Ok(sent) => sent,
            Err(e) => {
                self.break_off(&e);
                return first.len();
            }
        };
        let (of_first, of_waiting) = (sent.min(first.len()), sent.saturating_sub(first.len()));
        self.last_sent = match (of_waiting, of_first) {
            (1.., _) => self.waiting[of_waiting - 1],
            (0, 1..) if of_first == first.len() => b'\n', // an answer is whole lines, or telnet's
            (0, 1..) => first[of_first - 1],
            (0, 0) => self.last_sent,
        };
        self.waiting.drain(..of_waiting);
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new(); // an idle client keeps no memory
        }
        if sent > 0 {
            self.progress = now;
        }
        of_first
    }

    // --- Ending ---

    /// Notes that the socket is broken: nobody will read what waits.
    pub(crate) fn break_off(&mut self, error: &io::Error) {
        self.is_shut = true;
        self.broken = Some(error.to_string());
        self.waiting = VecDeque::new();
    }

    /// Shuts a slow consumer's queue: what waits is dropped, except the rest of a line that was
    /// begun. Returns the length of that rest.
    pub fn refuse_more(&mut self) -> usize {
        let begun = match self.last_sent {
            b'\n' => 0,
            _ => self.waiting.iter().take_while(|&&b| b != b'\n').count() + 1,
        };
        self.waiting.truncate(begun);
        self.is_shut = true;
        begun
    }

    /// Takes what waits.
    pub fn take(&mut self) -> Vec<u8> {
        take(&mut self.waiting).into()
    }

    // --- For a thread that has taken bytes to send them itself ---

    /// Takes the first of what waits.
    pub(super) fn take_first(&mut self, count: usize) -> Vec<u8> {
        self.waiting.drain(..count).collect()
    }

    /// Notes the last byte that this thread has sent.
    pub(super) fn note_sent(&mut self, last: u8) {
        self.last_sent = last;
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
