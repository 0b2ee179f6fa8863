//! From bytes to lines. TCP knows no lines: one read may bring half of one, or three and a half.
//!
//! The reader reads straight into [`LineBuffer::space`] and takes whole lines out, in place, without a copy. A partial
//! line waits for its rest. Telnet's sequences are taken out on the way. Knows no I/O: someone else reads.

use super::telnet::Telnet;

/// Longest line, in bytes without its end. Long enough for a paragraph; short enough that 512 half-typed lines, and
/// the lines that wait for a slow reader, stay small (the same order as IRC's 512 and a terminal's 4,096).
pub const LINE_MAX: usize = 1024;
/// Bytes of the buffer at first. An idle client should cost little; the buffer doubles as soon as a read fills it.
const BUFFER_FIRST: usize = 256;
/// Bytes of the buffer of a client that sends much: fewer reads, and one event for many lines.
const BUFFER_MAX: usize = 16 * 1024;
const _: () = assert!(BUFFER_FIRST < BUFFER_MAX && 2 * (LINE_MAX + 2) <= BUFFER_MAX);

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Text as it was sent: not cleaned yet.
    Text(&'a str),
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Longer than [`LINE_MAX`]; what remains of it is skipped.
    TooLong,
}

/// One connection's unread bytes.
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// `bytes[start..end]` is received and not yet taken.
    start: usize,
    end: usize,
    /// Inside a line that was refused as too long: drop everything to its end.
    skipping: bool,
    /// The peer sent its end of file: what is left is the last line.
    ended: bool,
    /// What telnet asked and told.
    pub telnet: Telnet,
}

impl Default for LineBuffer {
    fn default() -> Self {
        LineBuffer {
            bytes: vec![0; BUFFER_FIRST],
            start: 0,
            end: 0,
            skipping: false,
            ended: false,
            telnet: Telnet::default(),
        }
    }
}

impl LineBuffer {
    /// Where to read into; never empty once [`LineBuffer::next_line`] has returned `None`.
    pub fn space(&mut self) -> &mut [u8] {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        &mut self.bytes[self.end..]
    }

    /// Takes note that `n` bytes were read into [`LineBuffer::space`]; 0 is the end of file.
    pub fn received(&mut self, n: usize) {
        let filled = self.end + n == self.bytes.len();
        self.ended |= n == 0;
        self.end += self.telnet.filter(&mut self.bytes[self.end..self.end + n]);
        if filled && self.bytes.len() < BUFFER_MAX {
            self.bytes.resize(2 * self.bytes.len(), 0); // the peer has more to say than fits: read it in bigger bites
        }
    }

    /// Whether the peer sent its end of file.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The next whole line, or `None` if more bytes are needed.
    pub fn next_line(&mut self) -> Option<Line<'_>> {
        loop {
            let (length, consumed) = match find_end(&self.bytes[self.start..self.end]) {
                Some(found) => found,
                None if self.ended => (self.end - self.start, self.end - self.start),
                None => return self.refuse_partial(),
            };
            let line = self.start..self.start + length;
            self.start += consumed;
            if std::mem::take(&mut self.skipping) {
                continue; // the tail of a line that was refused already
            }
            return match length {
                0 if consumed == 0 => None, // the end of file, and nothing before it
                0..=LINE_MAX => {
                    Some(std::str::from_utf8(&self.bytes[line]).map_or(Line::NotUtf8, Line::Text))
                }
                _ => Some(Line::TooLong),
            };
        }
    }

    /// Refuses a line that is too long already although its end has not come; the buffer never holds more than that.
    fn refuse_partial(&mut self) -> Option<Line<'static>> {
        let too_long = self.end - self.start > LINE_MAX + 1; // 1: the CR of a CR LF
        if !too_long && !self.skipping {
            return None;
        }
        let ends_in_cr = self.end > self.start && self.bytes[self.end - 1] == b'\r';
        self.start = self.end - usize::from(ends_in_cr); // its LF or NUL may be the next byte to come
        let newly = !std::mem::replace(&mut self.skipping, true);
        newly.then_some(Line::TooLong)
    }
}

/// Finds the first line end, LF, CR LF or CR NUL: the line's length, and how many bytes it takes with its end.
fn find_end(bytes: &[u8]) -> Option<(usize, usize)> {
    memchr::memchr2_iter(b'\n', b'\0', bytes).find_map(|at| {
        let after_cr = at > 0 && bytes[at - 1] == b'\r';
        match bytes[at] {
            b'\n' => Some((at - usize::from(after_cr), at + 1)),
            _ if after_cr => Some((at - 1, at + 1)),
            _ => None, // a NUL alone is part of the text, where `clean` shows it
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(line: Line<'_>) -> String {
        match line {
            Line::Text(text) => text.to_owned(),
            Line::NotUtf8 => "(not UTF-8)".to_owned(),
            Line::TooLong => "(too long)".to_owned(),
        }
    }

    /// Feeds `pieces` one read each and collects the lines.
    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut buffer = LineBuffer::default();
        let mut got = Vec::new();
        for mut piece in pieces.iter().copied() {
            while !piece.is_empty() {
                let space = buffer.space();
                let n = piece.len().min(space.len());
                assert!(n > 0, "no space although all lines were taken");
                space[..n].copy_from_slice(&piece[..n]);
                buffer.received(n);
                piece = &piece[n..];
                while let Some(line) = buffer.next_line() {
                    got.push(owned(line));
                }
            }
        }
        buffer.space();
        buffer.received(0);
        while let Some(line) = buffer.next_line() {
            got.push(owned(line));
        }
        got
    }

    #[test]
    fn every_line_end_and_every_cut() {
        let sent = b"one\ntwo\r\nthree\r\0\r\nfour\0\nlast";
        let expected = ["one", "two", "three", "", "four\0", "last"];
        for cut in 0..=sent.len() {
            assert_eq!(lines(&[&sent[..cut], &sent[cut..]]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_of_exactly_the_limit_passes_and_one_more_byte_does_not() {
        let longest = vec![b'x'; LINE_MAX];
        for end in [&b"\n"[..], b"\r\n", b"\r\0"] {
            assert_eq!(
                lines(&[&longest, end, b"after\n"]),
                [String::from_utf8(longest.clone()).unwrap(), "after".into()]
            );
            assert_eq!(lines(&[&longest, b"x", end, b"after\n"]), ["(too long)", "after"]);
        }
    }

    #[test]
    fn an_endless_line_is_refused_once_and_the_buffer_stays_bounded() {
        let endless = vec![b'x'; 1_000_000];
        for end in [&b"\n"[..], b"\r\n", b"\r\0"] {
            for split in 0..end.len() {
                assert_eq!(
                    lines(&[&endless, &end[..split], &end[split..], b"after\n"]),
                    ["(too long)", "after"]
                );
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_whole() {
        assert_eq!(lines(&[b"\xc3\x28\nafter\n"]), ["(not UTF-8)", "after"]);
    }

    #[test]
    fn a_letter_split_between_two_reads_is_whole() {
        assert_eq!(lines(&["é".as_bytes()[..1].as_ref(), &"é\n".as_bytes()[1..]]), ["é"]);
    }
}
