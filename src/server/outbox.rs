//! The outbox: what waits for one client to read, and who may send it. Always under its client's lock, on whichever
//! thread holds it; nothing here waits.

use super::net;
use crate::core::{event::Answer, farewell::Farewell};
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    net::TcpStream,
    time::Instant,
};

/// What waits for the client to read.
pub struct Outbox {
    /// The bytes.
    pub waiting: VecDeque<u8>,
    /// The last byte that was sent: if it is no line end, `waiting` begins inside a line.
    pub last_sent: u8,
    /// When the client last took a byte, or the first one began to wait.
    pub progress: Instant,
    /// Who may send them.
    pub gate: Gate,
    /// The answer to its question, for its own thread to take.
    pub answer: Option<Answer>,
    /// On the flusher's list.
    pub flushing: bool,
    /// The client takes nothing more: it is too slow, or its socket is broken.
    pub deaf: bool,
    /// The system's words, if a send found the socket broken: the read may then find no more than an end of file.
    pub broken: Option<String>,
    /// Why it is being hung up.
    pub farewell: Option<Farewell>,
}

/// Who may send what waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Whoever comes by.
    Open,
    /// Nobody: the client's own thread is about to write an answer, behind so many of the bytes that wait.
    AnswerAfter(usize),
    /// Nobody but the client's own thread, which is writing.
    OwnThread,
}

impl Default for Outbox {
    fn default() -> Self {
        Outbox {
            waiting: VecDeque::new(),
            last_sent: b'\n',
            progress: Instant::now(),
            gate: Gate::Open,
            answer: None,
            flushing: false,
            deaf: false,
            broken: None,
            farewell: None,
        }
    }
}

impl Outbox {
    /// Sends `slices`, or as much as the socket takes; the rest waits, in order.
    pub fn put(&mut self, socket: &TcpStream, slices: &[&[u8]]) {
        if self.deaf || slices.is_empty() {
            return;
        }
        let mut sent = 0;
        if self.waiting.is_empty() && self.gate == Gate::Open {
            match net::send_slices_now(socket, slices) {
                Ok(n) => sent = n,
                Err(e) => return self.break_off(&e),
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
    pub fn send_waiting(&mut self, socket: &TcpStream, now: Instant) {
        if !self.waiting.is_empty() && !self.deaf {
            self.send_before_waiting(socket, &[], now);
        }
    }

    /// Sends `first`, and then of what waits, as much as the socket takes, in one send. Returns how much of `first` need
    /// not be sent any more.
    pub fn send_before_waiting(&mut self, socket: &TcpStream, first: &[u8], now: Instant) -> usize {
        let (front, back) = self.waiting.as_slices();
        let sent = match net::send_now(socket, &[first, front, back].map(IoSlice::new)) {
            Ok(sent) => sent,
            Err(e) => {
                self.break_off(&e);
                self.waiting = VecDeque::new();
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

    /// The socket is broken. Its own thread's read returns, and sees to the rest.
    pub fn break_off(&mut self, error: &io::Error) {
        self.deaf = true;
        self.broken = Some(error.to_string());
    }

    /// Takes note of the last byte sent.
    pub fn note_sent(&mut self, bytes: &[u8]) {
        self.last_sent = bytes.last().copied().unwrap_or(self.last_sent);
    }

    /// Hangs up a slow consumer: what waits is dropped, but for the end of a line that was begun.
    pub fn refuse_more(&mut self, farewell: Farewell) {
        let begun = if self.last_sent == b'\n' {
            0
        } else {
            self.waiting.iter().take_while(|&&b| b != b'\n').count() + 1
        };
        self.waiting.truncate(begun);
        if let Gate::AnswerAfter(before) = &mut self.gate {
            *before = begun.min(*before);
        }
        self.deaf = true;
        self.farewell.get_or_insert(farewell);
    }
}
