//! What a browser sends: messages, turned into lines. Runs on the client's own thread.
//!
//! tungstenite reads the frames, over a half of the socket that cannot write. What tungstenite
//! wants to write (a pong) goes to the outbox as a whole frame, like everything that is sent. So it
//! cannot get into the middle of another frame, and nobody waits for it.

use super::outbox::WriterHandle;
use crate::{
    core::{close_reason::CloseReason, wire::line::LineBuffer},
    server::net,
};
use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
    time::Duration,
};
use tungstenite::{
    Error, Message, Utf8Bytes, WebSocket,
    error::{CapacityError, ProtocolError},
    protocol::{Role, WebSocketConfig},
};

/// The longest message: a dozen of the longest lines. More is refused before it is read.
const MESSAGE_MAX: usize = 16 * 1024;
/// Bytes read at once: a line as people type it. With tungstenite's own 128 KiB an idle browser
/// would cost 145 KiB.
const READ_BYTES: usize = 256;

const TOO_LONG: CloseReason =
    CloseReason::BadMessage(1009, "that message has more than 16384 bytes and was not said.");
const NO_TEXT: CloseReason = CloseReason::BadMessage(1003, "that message is not text.");
const NO_UTF8: CloseReason = CloseReason::BadMessage(1007, "that message is not UTF-8 text.");
const NO_FRAME: CloseReason = CloseReason::BadMessage(1002, "that is no frame of a WebSocket.");

/// How long a read may wait.
#[derive(Clone, Copy)]
pub(crate) enum Wait {
    /// Not at all.
    No,
    /// For this time, or for ever.
    AtMost(Option<Duration>),
}

/// Why nothing was read.
pub(crate) enum ReadError {
    Io(io::Error),
    /// What was sent is no line, and the client is hung up for it.
    Bad(CloseReason),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

/// The code with which a connection is closed on which this was read; `None`: it has ended by itself.
pub(crate) fn close_code(error: &Error) -> Option<u16> {
    match error {
        Error::Io(_)
        | Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Some(1009),
        Error::Utf8(_) => Some(1007),
        _ => Some(1002),
    }
}

/// One browser's messages.
pub(crate) struct MessageReader {
    messages: WebSocket<Half>,
    /// The message that is being handed on, and how much of it has been.
    text: Utf8Bytes,
    taken: usize,
    /// The browser has closed.
    ended: bool,
}

impl MessageReader {
    /// `first`: bytes that have come already, behind the request.
    #[inline(never)] // it would be in every client's frame
    pub(crate) fn new(client: &Arc<WriterHandle>, first: Vec<u8>) -> Box<MessageReader> {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX));
        let half =
            Half { client: Arc::clone(client), wait: None, has_read: false, to_write: Vec::new() };
        let messages = WebSocket::from_partially_read(half, first, Role::Server, Some(config));
        Box::new(MessageReader { messages, text: Utf8Bytes::default(), taken: 0, ended: false })
    }

    /// Reads into `input` what there is, at most one message. If there is nothing, waits; then it
    /// fails with `WouldBlock`. So it does when what came makes no line: part of a message, a ping.
    /// Returns the number of bytes, for `input` to take note of; 0 is the end.
    #[inline(never)] // see `Session::hear`
    pub(crate) fn read(&mut self, input: &mut LineBuffer, wait: Wait) -> Result<usize, ReadError> {
        if self.has_text() {
            return Ok(self.take_text(input.space()));
        }
        if self.ended {
            return Ok(0);
        }
        let half = self.messages.get_mut();
        (half.wait, half.has_read) = (Some(wait), false);
        let message = self.messages.read();
        self.messages.get_mut().hand_over();
        let waste = match message {
            Ok(Message::Text(text)) if !text.is_empty() => {
                (self.text, self.taken) = (text, 0);
                return Ok(self.take_text(input.space()));
            }
            Ok(Message::Binary(_)) => return Err(ReadError::Bad(NO_TEXT)),
            Ok(Message::Close(_)) => return Ok(self.end()), // the last words answer it
            Ok(message) => message.len(),
            // Something came, and makes no message yet.
            Err(Error::Io(e)) if net::is_nothing(&e) && self.messages.get_ref().has_read => 0,
            Err(error) => return self.explain(error),
        };
        input.note_waste(waste);
        Err(ReadError::Io(ErrorKind::WouldBlock.into()))
    }

    fn explain(&mut self, error: Error) -> Result<usize, ReadError> {
        match (close_code(&error), error) {
            (None, Error::Io(e)) => Err(e.into()),
            (None, _) => Ok(self.end()),
            (Some(1009), _) => Err(ReadError::Bad(TOO_LONG)),
            (Some(1007), _) => Err(ReadError::Bad(NO_UTF8)),
            _ => Err(ReadError::Bad(NO_FRAME)),
        }
    }

    fn end(&mut self) -> usize {
        self.ended = true;
        0
    }

    /// A message without a line end has one added.
    fn has_text(&self) -> bool {
        let lacks_end = !self.text.is_empty() && !self.text.ends_with('\n');
        self.taken < self.text.len() + usize::from(lacks_end)
    }

    fn take_text(&mut self, space: &mut [u8]) -> usize {
        let rest = &self.text.as_bytes()[self.taken.min(self.text.len())..];
        let count = rest.len().min(space.len());
        space[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        if count == space.len() {
            return count;
        }
        let mut added = 0;
        if self.has_text() {
            space[count] = b'\n';
            added = 1;
        }
        (self.text, self.taken) = (Utf8Bytes::default(), 0); // an idle client keeps no memory
        count + added
    }
}

/// The half of the socket that can be read.
struct Half {
    client: Arc<WriterHandle>,
    /// How the next read waits; `None`: there was one, and it must not wait again.
    wait: Option<Wait>,
    /// That read has brought something.
    has_read: bool,
    /// What tungstenite has written.
    to_write: Vec<u8>,
}

impl Half {
    fn hand_over(&mut self) {
        if !self.to_write.is_empty() {
            self.client.send_control(&std::mem::take(&mut self.to_write));
        }
    }

    /// The same for a connection that is encrypted: what was decrypted comes first, without a wait.
    fn read_encrypted(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let mut read = self.client.decrypt(space);
        if read.as_ref().is_err_and(net::is_nothing)
            && let Some(wait) = self.wait.take()
        {
            self.has_read |= self.client.read_records(space, wait)?;
            read = self.client.decrypt(space);
        }
        self.has_read |= read.is_ok();
        read
    }
}

impl Read for Half {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if self.client.is_encrypted() {
            return self.read_encrypted(space);
        }
        let read = match self.wait.take() {
            Some(Wait::No) => net::read_now(self.client.socket(), space),
            Some(Wait::AtMost(at_most)) => net::read(self.client.socket(), space, at_most),
            None => Err(ErrorKind::WouldBlock.into()),
        };
        self.has_read |= read.is_ok();
        read
    }
}

impl Write for Half {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to_write.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_over();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::client::{flusher::FlusherQueue, outbox::SlowLimits};
    use std::net::{TcpListener, TcpStream};

    fn client() -> (Arc<WriterHandle>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, address) = listener.accept().unwrap();
        let limits = SlowLimits { high_water: 65_536, write_deadline: Duration::from_secs(10) };
        let (flusher, _) = FlusherQueue::new().unwrap();
        let client = WriterHandle::new(1, socket, address.into(), limits, flusher);
        client.begin_frames();
        (client, peer)
    }

    /// Reads all that these bytes say; as lines, and why it ends.
    fn read_all(client: &Arc<WriterHandle>, bytes: &[u8]) -> (Vec<u8>, Option<CloseReason>) {
        let mut reader = MessageReader::new(client, bytes.to_vec());
        let (mut input, mut lines) = (LineBuffer::default(), Vec::new());
        for _ in 0..=bytes.len() + 2 {
            match reader.read(&mut input, Wait::No) {
                Ok(0) => return (lines, None),
                Ok(count) => lines.extend_from_slice(&input.space()[..count]),
                Err(ReadError::Bad(reason)) => return (lines, Some(reason)),
                Err(ReadError::Io(_)) => {}
            }
        }
        (lines, None)
    }

    #[test]
    fn a_message_is_lines_whatever_its_end() {
        let (client, _peer) = client();
        let long = "x".repeat(3000);
        for (message, lines) in [("a", "a\n"), ("a\n", "a\n"), ("a\nb", "a\nb\n"), ("", "")] {
            let frame =
                [&[0x81, 0x80 | message.len() as u8, 0, 0, 0, 0], message.as_bytes()].concat();
            assert_eq!(read_all(&client, &frame), (lines.as_bytes().to_vec(), None), "{message:?}");
        }
        let length = (long.len() as u16).to_be_bytes();
        let frame = [&[0x81, 0xfe, length[0], length[1], 0, 0, 0, 0], long.as_bytes()].concat();
        assert_eq!(read_all(&client, &frame), (format!("{long}\n").into_bytes(), None));
    }

    /// What anybody may send: few inputs here, and as many as `CHATD_FUZZ` says.
    #[test]
    fn whatever_is_sent_becomes_lines_or_a_reason() {
        let count = std::env::var("CHATD_FUZZ").ok().and_then(|count| count.parse().ok());
        let (client, peer) = client();
        let reading = std::thread::spawn(move || io::copy(&mut &peer, &mut io::sink()));
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % below as u64) as usize
        };
        for _ in 0..count.unwrap_or(20_000_u64) {
            let mut bytes = Vec::new();
            for _ in 0..=random(3) {
                let length = random(130);
                let kinds = [0x81, 0x01, 0x80, 0x00, 0x89, 0x8a, 0x82, 0x88, random(256) as u8];
                bytes.push(kinds[random(kinds.len())]);
                match random(12) {
                    0 => bytes.push(random(256) as u8),
                    1 => bytes.extend([0xfe, 0, length as u8]),
                    2 => bytes.extend([0xff, 0, 0, 0, 0, 0, 0, 0, length as u8]),
                    3 => bytes.extend((0..10).map(|_| random(256) as u8)),
                    _ => bytes.push(0x80 | length.min(125) as u8),
                }
                bytes.extend([0; 4]);
                let is_text = random(4) > 0;
                bytes.extend((0..length).map(|_| match is_text {
                    true => b"abc \n\r\x08/"[random(8)],
                    false => random(256) as u8,
                }));
            }
            bytes.truncate(random(bytes.len() * 2).max(1));
            let (lines, _) = read_all(&client, &bytes);
            assert!(std::str::from_utf8(&lines).is_ok(), "{bytes:?}");
            assert!(lines.is_empty() || lines.ends_with(b"\n"), "{bytes:?} is {lines:?}");
        }
        client.cut();
        drop(client);
        let _ = reading.join();
    }
}
