//! One client of a loop: a socket that never waits, and the queue of what it has not taken yet. Used from step 6 on.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
};

/// Bytes that may wait for a client. At this mark nothing more is read from it.
pub const QUEUE_MAX: usize = 64 * 1024;

/// A connected client.
#[allow(dead_code, reason = "not every step asks whose it is")]
pub struct Client {
    /// Its socket, non-blocking.
    pub stream: TcpStream,
    /// Whose it is.
    pub peer: SocketAddr,
    /// What is to be sent to it.
    pub queue: Vec<u8>,
    /// The first bytes of a character whose last ones have not come yet: [`Client::answers_in_upper_case`].
    pub cut: Vec<u8>,
    /// It sent its end of file, or it is gone: nothing more will come.
    pub ended: bool,
}

/// Accepts a client, if one waits (`listener` is non-blocking). An error means that the process has no descriptor left:
/// before a client has gone, there is no use in trying again.
pub fn accept(listener: &TcpListener) -> io::Result<Option<Client>> {
    match listener.accept() {
        Ok((stream, peer)) => {
            stream.set_nonblocking(true)?;
            Ok(Some(Client { stream, peer, queue: Vec::new(), cut: Vec::new(), ended: false }))
        }
        Err(e) if is_not_now(&e) || e.kind() == ErrorKind::ConnectionAborted => Ok(None),
        Err(e) => Err(e),
    }
}

#[allow(dead_code, reason = "no step needs all of it")]
impl Client {
    /// Reads what is there: how many bytes of `buffer`; 0 if there are none now, or if none will come.
    pub fn receive(&mut self, buffer: &mut [u8]) -> usize {
        match self.stream.read(buffer) {
            Ok(0) => self.ended = true,
            Ok(n) => return n,
            Err(e) if is_not_now(&e) => {}
            Err(_) => self.drop_queue(),
        }
        0
    }

    /// Sends what the socket takes; the rest stays in the queue.
    pub fn send(&mut self) {
        match self.stream.write(&self.queue) {
            Ok(n) => drop(self.queue.drain(..n)),
            Err(e) if is_not_now(&e) => {}
            Err(_) => self.drop_queue(),
        }
    }

    /// Queues text in upper case: `größe` becomes `GRÖSSE`. A read may end inside a character; its first bytes wait for the
    /// rest. What is no UTF-8 goes back as it came.
    pub fn answers_in_upper_case(&mut self, bytes: &[u8]) {
        let text = [std::mem::take(&mut self.cut).as_slice(), bytes].concat();
        for part in text.utf8_chunks() {
            self.queue.extend(part.valid().to_uppercase().into_bytes());
            match str::from_utf8(part.invalid()) {
                Err(e) if e.error_len().is_none() => self.cut = part.invalid().to_vec(),
                _ => self.queue.extend(part.invalid()),
            }
        }
    }

    /// Whether there is room for what it may send.
    pub fn may_receive(&self) -> bool {
        !self.ended && self.queue.len() < QUEUE_MAX
    }

    /// Whether it can go: nothing will come, and nothing is left to send.
    pub fn is_over(&self) -> bool {
        self.ended && self.queue.is_empty()
    }

    /// Gives it up.
    pub fn drop_queue(&mut self) {
        self.ended = true;
        self.queue.clear();
    }
}

fn is_not_now(e: &io::Error) -> bool {
    matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
