//! The bytes between a client and the server: as they are, encrypted, or in the messages of a WebSocket.

use super::tls::Tls;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
};
use tungstenite::{Error, Message, Utf8Bytes, WebSocket, error::ProtocolError};

pub enum Wire {
    Plain(TcpStream),
    Tls(Box<Tls>),
    Browser(Box<Browser>),
}

/// A client that speaks as a browser does.
pub struct Browser {
    pub messages: WebSocket<TcpStream>,
    text: Utf8Bytes,
    taken: usize,
    /// Of a line that is not typed to its end.
    typed: Vec<u8>,
    /// The code and the sentence with which the server has closed.
    pub closed: Option<(u16, String)>,
}

impl Wire {
    pub fn browser(stream: TcpStream) -> io::Result<Wire> {
        let url = format!("ws://{}/chat", stream.peer_addr()?);
        let shaken = tungstenite::client(url, stream);
        let (messages, _) = shaken.map_err(|e| io::Error::other(e.to_string()))?;
        let (text, taken, typed) = (Utf8Bytes::default(), 0, Vec::new());
        Ok(Wire::Browser(Box::new(Browser { messages, text, taken, typed, closed: None })))
    }

    pub fn socket(&self) -> &TcpStream {
        match self {
            Wire::Plain(stream) => stream,
            Wire::Tls(tls) => &tls.stream.sock,
            Wire::Browser(browser) => browser.messages.get_ref(),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(stream) => stream.read(space),
            Wire::Tls(tls) => tls.read(space),
            Wire::Browser(browser) => browser.read(space),
        }
    }
}

impl Browser {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.text.len() {
            match self.messages.read() {
                Ok(Message::Text(text)) => (self.text, self.taken) = (text, 0),
                Ok(Message::Close(frame)) => {
                    self.closed = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                }
                Ok(_) => {}
                Err(
                    Error::ConnectionClosed
                    | Error::AlreadyClosed
                    | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
                ) => return Ok(0),
                // It answers the server's close, and nobody is there any more.
                Err(Error::Io(_)) if self.closed.is_some() => return Ok(0),
                Err(Error::Io(e)) => return Err(e),
                Err(e) => panic!("what the server sends is no WebSocket's: {e}"),
            }
        }
        let rest = &self.text.as_bytes()[self.taken..];
        let count = rest.len().min(space.len());
        space[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

impl Write for Wire {
    /// A browser sends whole lines.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let browser = match self {
            Wire::Plain(stream) => return stream.write(bytes),
            Wire::Tls(tls) => return tls.stream.write(bytes),
            Wire::Browser(browser) => browser,
        };
        browser.typed.extend_from_slice(bytes);
        let whole = memchr::memrchr(b'\n', &browser.typed).map_or(0, |end| end + 1);
        for lines in pieces(&browser.typed[..whole]) {
            let text = String::from_utf8(lines.to_vec()).expect("a browser sends text");
            match browser.messages.send(Message::text(text)) {
                Ok(()) => {}
                Err(Error::Io(e)) => return Err(e),
                Err(e) => return Err(io::Error::new(ErrorKind::BrokenPipe, e)),
            }
        }
        browser.typed.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lines in pieces that fit a message, cut at their ends.
fn pieces(mut lines: &[u8]) -> Vec<&[u8]> {
    const MOST: usize = 8 * 1024;
    let mut pieces = Vec::new();
    while !lines.is_empty() {
        let most = &lines[..lines.len().min(MOST)];
        let end = memchr::memrchr(b'\n', most).map_or(lines.len(), |end| end + 1);
        let (piece, rest) = lines.split_at(end);
        pieces.push(piece);
        lines = rest;
    }
    pieces
}
