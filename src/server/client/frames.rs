//! How the bytes for one client stand on the wire: as they are, with telnet's line ends, or in the
//! frames of WebSocket. No I/O.
//!
//! A server's frames have no mask, so what is said to a room is the same bytes for everybody: a
//! browser gets a header in front, of two to ten bytes.

use std::borrow::Cow;

/// The byte that begins a telnet sequence.
const IAC: u8 = 255;
/// The most bytes of an answer in one frame. An answer is cut at line ends.
const FRAME_MAX: usize = 16 * 1024;
/// The most bytes of the sentence in a close frame.
const REASON_MAX: usize = 123;
/// First bytes of a whole frame, one that is not continued.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

/// What a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Lines.
    #[default]
    Plain,
    /// Lines with telnet's ends.
    Telnet,
    /// WebSocket: whole lines in text frames.
    Frames,
}

/// The header of a frame.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    bytes: [u8; 10],
    len: usize,
}

impl Header {
    /// No header: the client does not speak WebSocket.
    pub(super) const NONE: Header = Header { bytes: [0; 10], len: 0 };

    /// The header of a text frame with `length` bytes in it.
    pub(super) fn text(length: usize) -> Header {
        Header::new(TEXT, length)
    }

    fn new(kind: u8, length: usize) -> Header {
        let mut bytes = [kind, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let len = match length {
            0..126 => {
                bytes[1] = length as u8;
                2
            }
            126..0x1_0000 => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&(length as u16).to_be_bytes());
                4
            }
            _ => {
                bytes[1] = 127;
                bytes[2..10].copy_from_slice(&(length as u64).to_be_bytes());
                10
            }
        };
        Header { bytes, len }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Lines, or telnet's sequences, as a client gets them.
pub(super) fn encode(bytes: &[u8], wire: Wire) -> Cow<'_, [u8]> {
    match wire {
        Wire::Plain => Cow::Borrowed(bytes),
        Wire::Telnet => Cow::Owned(for_telnet(&[bytes])),
        Wire::Frames => Cow::Owned(in_frames(bytes)),
    }
}

/// Whole lines as text frames, each as long as it may be.
fn in_frames(mut lines: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(lines.len() + 16);
    while !lines.is_empty() {
        let most = &lines[..lines.len().min(FRAME_MAX)];
        // A line is far shorter than a frame, so there is an end in it.
        let end = memchr::memrchr(b'\n', most).map_or(most.len(), |at| at + 1);
        let (frame, rest) = lines.split_at(end);
        wire.extend_from_slice(Header::text(frame.len()).bytes());
        wire.extend_from_slice(frame);
        lines = rest;
    }
    wire
}

/// A whole frame with text or with bytes in it.
pub(crate) fn frame(is_text: bool, payload: &[u8]) -> Vec<u8> {
    let header = Header::new(if is_text { TEXT } else { BINARY }, payload.len());
    [header.bytes(), payload].concat()
}

/// A close frame: a code, and a sentence, of which as much as fits is sent.
pub(crate) fn close_frame(code: u16, sentence: &str) -> Vec<u8> {
    let sentence = &sentence[..sentence.floor_char_boundary(REASON_MAX)];
    let mut wire = Header::new(CLOSE, 2 + sentence.len()).bytes().to_vec();
    wire.extend_from_slice(&code.to_be_bytes());
    wire.extend_from_slice(sentence.as_bytes());
    wire
}

/// The last words to a client: a line, or none, and for a browser a close frame with the same
/// sentence.
pub(crate) fn last_words(line: &str, code: u16, wire: Wire) -> Vec<u8> {
    let mut words = encode(line.as_bytes(), wire).into_owned();
    if wire == Wire::Frames {
        words.extend(close_frame(code, line.trim_start_matches("*** ").trim_end()));
    }
    words
}

/// Lines and telnet's sequences, with CR LF for each line end. (A sequence may have a byte that looks
/// like one: option 10.)
pub(super) fn for_telnet(slices: &[&[u8]]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(slices.iter().map(|slice| slice.len() + 16).sum());
    for mut rest in slices.iter().copied() {
        while let Some(at) = memchr::memchr2(b'\n', IAC, rest) {
            let (before, end): (_, &[u8]) = match rest[at] {
                b'\n' => (&rest[..at], b"\r\n"),
                _ => (&rest[..at], &rest[at..rest.len().min(at + 3)]),
            };
            wire.extend_from_slice(before);
            wire.extend_from_slice(end);
            rest = &rest[(at + if rest[at] == IAC { 3 } else { 1 }).min(rest.len())..];
        }
        wire.extend_from_slice(rest);
    }
    wire
}

/// How far what was sent reaches into a line or a frame, which has to be sent to its end.
pub(super) struct Passed {
    /// What the client speaks.
    pub(super) wire: Wire,
    last: u8,
    walk: FrameWalk,
}

impl Default for Passed {
    fn default() -> Passed {
        Passed { wire: Wire::default(), last: b'\n', walk: FrameWalk::default() }
    }
}

impl Passed {
    /// The byte that was sent last.
    pub(super) fn last(&self) -> u8 {
        self.last
    }

    /// These bytes were sent.
    pub(super) fn pass(&mut self, sent: &[u8]) {
        if self.wire == Wire::Frames {
            self.walk.pass(sent);
        }
        self.last = sent.last().copied().unwrap_or(self.last);
    }

    /// A whole answer was sent: lines, or telnet's sequences, which end as they like.
    pub(super) fn pass_answer(&mut self, sent: &[u8]) {
        self.pass(sent);
        self.last = b'\n';
    }

    /// How many of the bytes that wait (in two slices) belong to what has begun.
    pub(super) fn rest(&self, waiting: (&[u8], &[u8])) -> usize {
        match self.wire {
            Wire::Frames => self.walk.rest_of_frame(waiting),
            _ if self.last == b'\n' => 0,
            _ => waiting.0.iter().chain(waiting.1).take_while(|&&byte| byte != b'\n').count() + 1,
        }
    }
}

/// How far what was sent reaches into a frame: it reads the headers of what goes by.
#[derive(Clone, Default)]
pub(super) struct FrameWalk {
    header: [u8; 10],
    /// Bytes of the header that have gone by.
    have: usize,
    /// Bytes of the frame that have not, once its header has.
    left: u64,
}

impl FrameWalk {
    /// Whether the last byte that went by was a frame's last.
    fn is_between(&self) -> bool {
        self.have == 0 && self.left == 0
    }

    /// These bytes go by.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = &bytes[self.step(bytes)..];
        }
    }

    /// How many of `waiting` (in two slices) belong to the frame that has begun.
    pub(super) fn rest_of_frame(&self, waiting: (&[u8], &[u8])) -> usize {
        let (mut walk, mut count) = (self.clone(), 0);
        for mut bytes in [waiting.0, waiting.1] {
            while !bytes.is_empty() && !walk.is_between() {
                let passed = walk.step(bytes);
                count += passed;
                bytes = &bytes[passed..];
            }
        }
        count
    }

    /// Lets some of the bytes go by, up to the frame's end at most; returns how many.
    fn step(&mut self, bytes: &[u8]) -> usize {
        if self.left > 0 {
            let passed = self.left.min(bytes.len() as u64);
            self.left -= passed;
            return passed as usize;
        }
        self.header[self.have] = bytes[0];
        self.have += 1;
        if let Some(length) = self.length() {
            (self.have, self.left) = (0, length);
        }
        1
    }

    /// The length that the header says, once it is whole.
    fn length(&self) -> Option<u64> {
        let long = |from: usize| {
            let bytes = self.header[2..from].iter();
            bytes.fold(0, |length, byte| length << 8 | u64::from(*byte))
        };
        match (self.have, self.header[1]) {
            (2, short @ 0..126) => Some(u64::from(short)),
            (4, 126) => Some(long(4)),
            (10, _) => Some(long(10)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_finds_every_end_however_the_bytes_are_cut() {
        let lengths = [0, 1, 125, 126, 127, 300, 65_535, 65_536, 70_000, 2];
        let mut wire = Vec::new();
        let mut ends = vec![0];
        for length in lengths {
            wire.extend_from_slice(Header::text(length).bytes());
            wire.extend(std::iter::repeat_n(b'x', length));
            ends.push(wire.len());
        }
        wire.extend(close_frame(1000, "bye"));
        ends.push(wire.len());
        let mut walk = FrameWalk::default();
        for (at, byte) in wire.iter().enumerate() {
            assert_eq!(walk.is_between(), ends.contains(&at), "at {at}");
            let near = ends.iter().any(|end| at.abs_diff(*end) < 12);
            if near || at % 997 == 0 {
                let end = ends.iter().find(|end| **end >= at).unwrap();
                let cut = at + (wire.len() - at) / 3;
                let rest = walk.rest_of_frame((&wire[at..cut], &wire[cut..]));
                assert_eq!(at + rest, *end, "at {at}");
                let mut quick = FrameWalk::default();
                quick.pass(&wire[..at]);
                assert_eq!(at + quick.rest_of_frame((&wire[at..], &[])), *end, "at {at}");
            }
            walk.pass(&[*byte]);
        }
        assert!(walk.is_between());
    }

    #[test]
    fn an_answer_is_cut_at_line_ends() {
        let line = "x".repeat(1000) + "\n";
        let answer = line.repeat(40);
        let wire = encode(answer.as_bytes(), Wire::Frames);
        let (mut rest, mut frames) = (&wire[..], Vec::new());
        while !rest.is_empty() {
            assert_eq!(rest[0], TEXT);
            let length = match rest[1] {
                126 => usize::from(u16::from_be_bytes([rest[2], rest[3]])),
                short => usize::from(short),
            };
            let header = if length < 126 { 2 } else { 4 };
            assert!(length <= FRAME_MAX && rest[header + length - 1] == b'\n');
            frames.extend_from_slice(&rest[header..header + length]);
            rest = &rest[header + length..];
        }
        assert_eq!(frames, answer.as_bytes());
        assert!(encode(b"", Wire::Frames).is_empty());
    }

    #[test]
    fn a_close_frame_is_a_control_frame_and_its_sentence_is_whole_letters() {
        let frame = close_frame(4003, &"é".repeat(100));
        assert_eq!(frame[..4], [CLOSE, 2 + 122, 0x0f, 0xa3]);
        assert_eq!(std::str::from_utf8(&frame[4..]).unwrap(), "é".repeat(61));
        assert_eq!(last_words("*** Goodbye.\n", 1000, Wire::Plain), b"*** Goodbye.\n");
        let words = last_words("*** Goodbye.\n", 1000, Wire::Frames);
        assert!(words.ends_with(b"\x88\x0a\x03\xe8Goodbye."), "{words:?}");
    }
}
