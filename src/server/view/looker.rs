//! Somebody who looks at the view: their socket, and what waits for them to read.
//!
//! Thread `view` sends, and never waits: who is slow is left out of some slots, and then reads their
//! sum. Thread `v1` reads what the page wants (`session.rs`).

use super::slot::Slot;
use crate::{
    lock::{LockKind, Locked},
    server::{
        auth::tickets::Who,
        client::frames::{close_frame, frame},
        net,
        tls::connection::TlsConnection,
    },
};
use std::{
    net::{Shutdown, TcpStream},
    sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::{Duration, Instant},
};

/// Bytes of a file in one message.
const PIECE: usize = 64 * 1024;
/// How long a looker may read nothing. Another one may want the place.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes that wait for a looker: a slot in which 10,000 threads did something, and answers.
const WAITING_MAX: usize = 2 * 1024 * 1024;

/// A looker.
pub(super) struct Looker {
    pub(super) socket: TcpStream,
    pub(super) who: Who,
    /// The ticket with which they may come back.
    pub(super) back: String,
    out: Locked<Out>,
    /// They want the hello and all threads.
    wants_all: AtomicBool,
    /// Nanoseconds of processor time that their thread has used.
    pub(super) cpu: AtomicU64,
}

/// What waits for a looker.
struct Out {
    /// What their connection is encrypted with, if it is.
    tls: Option<Box<TlsConnection>>,
    bytes: Vec<u8>,
    sent: usize,
    /// When they last took something, or there was nothing to take.
    progress: Instant,
    /// The slots that they were too slow for.
    missed: Option<Slot>,
    /// A file, and how much of it has been sent.
    file: Option<(Vec<u8>, usize)>,
    /// Nothing comes behind the close frame.
    is_closed: bool,
}

impl Looker {
    pub(super) fn new(
        socket: TcpStream,
        tls: Option<Box<TlsConnection>>,
        who: Who,
        back: String,
    ) -> Looker {
        let out = Out {
            tls,
            bytes: Vec::new(),
            sent: 0,
            progress: Instant::now(),
            missed: None,
            file: None,
            is_closed: false,
        };
        Looker {
            socket,
            who,
            back,
            out: Locked::new(LockKind::Looker, out),
            wants_all: AtomicBool::new(true),
            cpu: AtomicU64::new(0),
        }
    }

    /// Decrypts what they have sent, if it is encrypted. Called by their own thread.
    pub(super) fn with_tls<R>(&self, act: impl FnOnce(&mut TlsConnection) -> R) -> Option<R> {
        self.out.lock().tls.as_deref_mut().map(act)
    }

    /// Whoever could not enter is refused by their own thread.
    pub(super) fn take_tls(&self) -> Option<Box<TlsConnection>> {
        self.out.lock().tls.take()
    }

    /// They want the hello and all threads.
    pub(super) fn want_all(&self) {
        self.wants_all.store(true, Release);
    }

    /// Whether they do. Asked once a round: then they get it.
    pub(super) fn takes_all(&self) -> bool {
        self.wants_all.swap(false, Acquire)
    }

    /// Sends a message: an answer, or what everybody has to know.
    pub(super) fn say(&self, json: &str) {
        self.send_frames(&frame(true, json.as_bytes()));
    }

    /// Sends whole frames. Does not wait.
    pub(super) fn send_frames(&self, frames: &[u8]) {
        let mut out = self.out.lock();
        out.push(frames);
        out.send(&self.socket);
    }

    /// Begins with the hello and all threads. What was missed is in that.
    pub(super) fn begin(&self, hello: &str, all: &str) {
        let mut out = self.out.lock();
        out.missed = None;
        out.push(&frame(true, hello.as_bytes()));
        out.push(&frame(true, all.as_bytes()));
        out.send(&self.socket);
    }

    /// Sends a slot, `json`, unless the looker is behind: then it is added to what they missed.
    pub(super) fn offer(&self, slot: &Slot, json: &str) {
        let mut out = self.out.lock();
        out.send(&self.socket);
        if !out.is_empty() {
            match &mut out.missed {
                Some(missed) => missed.add(slot),
                None => out.missed = Some(slot.clone()),
            }
            return;
        }
        match out.missed.take() {
            Some(mut missed) => {
                missed.add(slot);
                out.push(&frame(true, missed.to_json().as_bytes()));
            }
            None => out.push(&frame(true, json.as_bytes())),
        }
        out.send_file(&self.socket);
    }

    /// Sends a file, piece by piece.
    pub(super) fn hand_over(&self, name: &str, file: Vec<u8>) {
        let head = format!(
            "{{\"file\":{{\"name\":\"{name}\",\"type\":\"application/json\",\"bytes\":{}}}}}",
            file.len()
        );
        let mut out = self.out.lock();
        out.push(&frame(true, head.as_bytes()));
        out.file = Some((file, 0));
        out.send_file(&self.socket);
    }

    /// Says why it is over, and closes. The page's end of it ends the thread.
    pub(super) fn close(&self, code: u16, sentence: &str) {
        let json = format!("{{\"over\":{}}}", super::slot::quoted(sentence));
        let mut frames = frame(true, json.as_bytes());
        frames.extend(close_frame(code, sentence));
        {
            let mut out = self.out.lock();
            out.push(&frames);
            out.send(&self.socket);
            (out.is_closed, out.file) = (true, None);
            if let Some(tls) = out.tls.take() {
                let _ = net::send_now(&self.socket, &[&tls.finish(&[])]);
            }
        }
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Cuts off who has read nothing for long.
    pub(super) fn cut_if_stuck(&self) {
        let is_stuck = {
            let out = self.out.lock();
            out.bytes.len() > WAITING_MAX || !out.is_empty() && out.progress.elapsed() > PATIENCE
        };
        if is_stuck {
            let _ = self.socket.shutdown(Shutdown::Both);
        }
    }

    /// Processor time of thread `v1` until now.
    pub(super) fn cpu(&self) -> u64 {
        self.cpu.load(Relaxed)
    }
}

impl Out {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.tls.as_ref().is_none_or(|tls| !tls.has_unsent())
    }

    fn push(&mut self, frames: &[u8]) {
        if self.is_closed {
            return;
        }
        if self.bytes.is_empty() {
            self.progress = Instant::now();
        }
        self.bytes.extend_from_slice(frames);
    }

    /// Sends what the socket takes now.
    fn send(&mut self, socket: &TcpStream) {
        while !self.is_empty() {
            let rest = &self.bytes[self.sent..];
            let sent = match &mut self.tls {
                None => net::send_now(socket, &[rest]),
                Some(tls) => tls.send(socket, rest, &[]),
            };
            let has_moved = self.tls.as_mut().is_some_and(|tls| tls.take_moved());
            match sent {
                Ok(0) if !has_moved => return,
                Ok(sent) => (self.sent, self.progress) = (self.sent + sent, Instant::now()),
                Err(_) => {
                    (self.bytes, self.sent) = (Vec::new(), 0);
                    return; // their thread finds out why
                }
            }
            if self.sent == self.bytes.len() {
                (self.bytes, self.sent) = (Vec::new(), 0);
            }
        }
        (self.bytes, self.sent) = (Vec::new(), 0);
    }

    /// Sends as much of the file as the socket takes now.
    fn send_file(&mut self, socket: &TcpStream) {
        self.send(socket);
        while self.is_empty()
            && let Some((file, done)) = &mut self.file
        {
            let piece = &file[*done..file.len().min(*done + PIECE)];
            if piece.is_empty() {
                self.file = None;
                return;
            }
            *done += piece.len();
            let piece = frame(false, piece);
            self.push(&piece);
            self.send(socket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn who_is_slow_is_told_the_sum_of_what_they_missed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = listener.accept().unwrap().0;
        let who = Who { name: "alice".to_owned(), may: false };
        let looker = Looker::new(socket, None, who, String::new());
        let slot = Slot { count: 1, ..Slot::default() };
        let long = format!("\"{}\"", "x".repeat(100_000));
        // The kernel may find room for more some time after it had none, and then all is told.
        let (mut offered, mut missed) = (0, 0);
        while missed < 5 {
            looker.offer(&slot, &long);
            let now = looker.out.lock().missed.as_ref().map_or(0, |missed| missed.count);
            assert!(now == missed + 1 || now == 0, "{missed} were missed, and now {now}");
            (offered, missed) = (offered + 1, now);
            assert!(offered < 1000, "loopback takes a hundred megabytes");
        }
        assert!(looker.out.lock().bytes.len() < 2 * long.len(), "one message waits at most");
        drop(peer);
    }
}
