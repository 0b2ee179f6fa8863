//! Bytes from the server into clean lines, whatever the server sends. No socket: it reads from any `Read`.
//!
//! The server is a stranger. So a line is bounded, is made valid UTF-8, and loses every character that could move the
//! cursor, colour the screen or turn text around. Nothing else of the client prints what came over the wire.
//! Runs on the `socket` thread.

use std::io::{self, ErrorKind, Read};

/// The longest line kept whole, in bytes. Four times what chatd's protocol allows a person to type, so that its longest
/// line fits with name and time; what is longer is cut there and goes on as a line of its own.
pub const LINE_MAX: usize = 4096;

/// Bytes taken from the socket at once.
const CHUNK: usize = 16 * 1024;

/// Cuts a stream of bytes into clean lines.
pub struct LineReader<R> {
    from: R,
    pending: Vec<u8>,
    /// How far `pending` is known to hold no line end.
    searched: usize,
}

/// What reading came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Read1 {
    /// A line, clean and without its end.
    Line(String),
    /// The read's time limit passed; nothing whole has come.
    Quiet,
    /// End of file: no line will follow.
    End,
}

impl<R: Read> LineReader<R> {
    /// A reader with nothing read yet.
    pub fn new(from: R) -> LineReader<R> {
        LineReader { from, pending: Vec::new(), searched: 0 }
    }

    /// Waits for the next line. Without its end it is given only at the end of file, or by [`LineReader::take_part`].
    ///
    /// # Errors
    /// Those of the read, but for interruptions and time limits.
    pub fn next(&mut self) -> io::Result<Read1> {
        loop {
            if let Some(line) = self.cut() {
                return Ok(Read1::Line(line));
            }
            let before = self.pending.len();
            self.pending.resize(before + CHUNK, 0);
            let result = self.from.read(&mut self.pending[before..]);
            self.pending.truncate(before + *result.as_ref().unwrap_or(&0));
            match result {
                Ok(0) => return Ok(self.take_part().map_or(Read1::End, Read1::Line)),
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ok(Read1::Quiet);
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Gives up waiting for a line's end: `login: ` is all that some servers send before they want an answer.
    pub fn take_part(&mut self) -> Option<String> {
        self.searched = 0;
        (!self.pending.is_empty()).then(|| clean(&std::mem::take(&mut self.pending)))
    }

    fn cut(&mut self) -> Option<String> {
        let end = match memchr::memchr(b'\n', &self.pending[self.searched..]) {
            Some(at) if self.searched + at <= LINE_MAX => self.searched + at,
            None if self.pending.len() <= LINE_MAX => {
                self.searched = self.pending.len();
                return None;
            }
            _ => {
                let piece = boundary(&self.pending, LINE_MAX);
                return Some(self.take(piece, 0));
            }
        };
        Some(self.take(end, 1))
    }

    fn take(&mut self, len: usize, end: usize) -> String {
        let line = clean(&self.pending[..len]);
        self.pending.drain(..len + end);
        self.searched = 0;
        line
    }
}

/// The last place not after `at` where a character begins; `at` itself if the bytes are no UTF-8.
fn boundary(bytes: &[u8], at: usize) -> usize {
    let is_start = |i: &usize| bytes[*i] & 0b1100_0000 != 0b1000_0000;
    (at - 3..=at).rev().find(is_start).unwrap_or(at)
}

/// Makes one line fit to be printed: valid UTF-8, no carriage returns around it, nothing a terminal would obey.
pub fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_matches('\r');
    chatd::core::text::clean(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one piece for each read, as a socket might.
    struct Pieces(Vec<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            into[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    fn all(pieces: &[&[u8]]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut reader = LineReader::new(Pieces(pieces.iter().map(|p| p.to_vec()).collect()));
        while let Read1::Line(line) = reader.next().unwrap() {
            lines.push(line);
        }
        lines
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_arrive() {
        let bytes = "*** hi\r\n<bob> 日本語\n\nlast".as_bytes();
        let whole = all(&[bytes]);
        assert_eq!(whole, ["*** hi", "<bob> 日本語", "", "last"]);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(all(&single), whole);
    }

    #[test]
    fn nothing_a_terminal_obeys_is_left() {
        let line = clean("a\x1b[31mb\x07\x08\x7f\u{9b}1m\u{202e}\u{2066}\u{2028}c\td".as_bytes());
        assert_eq!(
            line,
            "a\u{fffd}[31mb\u{fffd}\u{fffd}\u{fffd}\u{fffd}1m\u{fffd}\u{fffd}\u{fffd}c\td"
        );
        assert_eq!(clean(b"\xff\xfb\x01ok\xc3"), "\u{fffd}\u{fffd}\u{fffd}ok\u{fffd}");
        assert_eq!(clean(b"\rover\rwritten\r"), "over\u{fffd}written");
    }

    #[test]
    fn a_line_without_an_end_is_cut_between_characters() {
        let endless = "é".repeat(LINE_MAX);
        let pieces: Vec<&[u8]> = endless.as_bytes().chunks(1000).collect();
        let lines = all(&pieces);
        assert!(
            lines.iter().all(|line| line.len() <= LINE_MAX && !line.contains('\u{fffd}')),
            "{lines:?}"
        );
        assert_eq!(lines.concat(), endless);
    }

    #[test]
    fn bytes_that_are_no_text_are_bounded_too() {
        let junk = vec![0x80_u8; 3 * LINE_MAX];
        let pieces: Vec<&[u8]> = junk.chunks(CHUNK).collect();
        assert_eq!(all(&pieces).concat().chars().count(), 3 * LINE_MAX);
    }
}
