//! A client that speaks by WebSocket: what it sends goes in a frame, and of what comes only what is
//! in the frames is left. The mask is zero, which leaves the bytes as they are.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

/// The bytes of a frame's header that says how long it is: 2, 4 or 10.
const HEADER_MAX: usize = 10;

/// How far into the answer to the handshake, or into a frame, the bytes have come.
pub struct Frames {
    /// The last bytes of the answer, up to its empty line.
    answer: Option<[u8; 4]>,
    header: Vec<u8>,
    left: u64,
    /// The server has closed.
    is_over: bool,
}

impl Frames {
    /// The request to begin with, and the state of what comes.
    pub fn begin(address: SocketAddr) -> (String, Frames) {
        let request = format!(
            "GET /chat HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        (request, Frames { answer: Some([0; 4]), header: Vec::new(), left: 0, is_over: false })
    }

    /// A text frame.
    pub fn frame(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut frame = vec![0x81];
        match u16::try_from(bytes.len()).map_err(|_| ErrorKind::InvalidInput)? {
            length @ 0..126 => frame.push(0x80 | length as u8),
            length => {
                frame.push(0xfe);
                frame.extend(length.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend_from_slice(bytes);
        Ok(frame)
    }

    /// Leaves what is in text frames at the beginning of `bytes`, and returns its length. Behind the
    /// last one is the server's close: then there is an error.
    pub fn strip(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let (mut at, mut kept) = (0, 0);
        while at < bytes.len() && !self.is_over {
            if self.left > 0 {
                let count = self.left.min((bytes.len() - at) as u64) as usize;
                bytes.copy_within(at..at + count, kept);
                (at, kept, self.left) = (at + count, kept + count, self.left - count as u64);
                continue;
            }
            let byte = bytes[at];
            at += 1;
            if let Some(last) = &mut self.answer {
                last.rotate_left(1);
                last[3] = byte;
                self.answer.take_if(|last| last == b"\r\n\r\n");
                continue;
            }
            self.header.push(byte);
            self.is_over = self.header[0] != 0x81;
            let length_of = |from: usize, header: &[u8]| {
                header[2..from].iter().fold(0, |length, byte| length << 8 | u64::from(*byte))
            };
            let length = match (self.header.len(), self.header.get(1)) {
                (2, Some(short @ 0..126)) => Some(u64::from(*short)),
                (4, Some(126)) => Some(length_of(4, &self.header)),
                (HEADER_MAX, _) => Some(length_of(HEADER_MAX, &self.header)),
                _ => None,
            };
            if let Some(length) = length {
                self.left = length;
                self.header.clear();
            }
        }
        if self.is_over && kept == 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(kept) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_frames_is_left_however_they_are_cut() {
        let long = "x".repeat(300);
        let mut wire =
            b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n\x81\x03hi\n\x81\x00".to_vec();
        wire.extend([0x81, 126, 1, 44]);
        wire.extend(long.bytes());
        for size in 1..wire.len() {
            let (_, mut frames) = Frames::begin(([127, 0, 0, 1], 1).into());
            let mut left = Vec::new();
            for piece in wire.chunks(size) {
                let mut piece = piece.to_vec();
                let count = frames.strip(&mut piece).unwrap();
                left.extend_from_slice(&piece[..count]);
            }
            assert_eq!(left, format!("hi\n{long}").into_bytes());
            let mut last = *b"\x81\x04bye\n\x88\x02\x03\xe8";
            assert_eq!(frames.strip(&mut last).unwrap(), 4);
            assert!(last.starts_with(b"bye\n") && frames.strip(&mut last).is_err());
        }
    }
}
