//! From bytes to lines. TCP knows no lines: one read may bring half of one, or three and a half.
//!
//! The reader reads straight into [`LineBuffer::space`] and takes whole lines out, in place,
//! without a copy. A partial line stays in the buffer until the
//! rest arrives. Telnet's sequences are taken out on the way.
//! It does no I/O: the caller reads.

use super::telnet::Telnet;

/// The longest line, in bytes without its end. Long enough for a paragraph; short enough that 512
/// half-typed lines, and the lines that wait for a slow reader, stay small (the same order as IRC's
/// 512 and a terminal's 4,096).
pub(crate) const LINE_MAX: usize = 1024;
/// Bytes of the buffer at first. An idle client should cost little; the buffer doubles as soon as a
/// read fills it.
const BUFFER_FIRST: usize = 256;
/// Bytes of the buffer of a client that sends much: fewer reads, and one event for many lines.
const BUFFER_MAX: usize = 16 * 1024;
const _: () = assert!(BUFFER_FIRST < BUFFER_MAX && LINE_MAX + 2 < BUFFER_MAX);

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Text as it was sent: not cleaned yet.
    Text(&'a str),
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Longer than `LINE_MAX`; what remains of it is skipped.
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
    /// Bytes after which a line is cut, in a buffer that refuses no line.
    cut_at: Option<usize>,
    /// The state of the telnet protocol.
    pub(crate) telnet: Telnet,
}

impl Default for LineBuffer {
    fn default() -> Self {
        LineBuffer {
            bytes: vec![0; BUFFER_FIRST],
            start: 0,
            end: 0,
            skipping: false,
            ended: false,
            cut_at: None,
            telnet: Telnet::default(),
        }
    }
}

impl LineBuffer {
    /// A buffer for a client program, which shows whatever comes: a line longer than `limit` bytes
    /// is cut instead of refused, and telnet's sequences stay in the text. Take its lines by
    /// [`Self::next_piece`].
    pub fn cutting_at(limit: usize) -> LineBuffer {
        assert!(4 < limit && 2 * limit <= BUFFER_MAX, "a piece is a letter or more, and fits");
        LineBuffer { cut_at: Some(limit), ..LineBuffer::default() }
    }

    /// The space to read into. It is never empty once all lines (or pieces) are taken.
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
        self.end += match self.cut_at {
            None => self.telnet.filter(&mut self.bytes[self.end..self.end + n]),
            Some(_) => n,
        };
        if filled && self.bytes.len() < BUFFER_MAX {
            // The peer sends more than fits: read more with each call.
            self.bytes.resize(2 * self.bytes.len(), 0);
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
                None => return self.refuse_if_too_long(),
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

    /// The next line of a buffer that cuts, or the next piece of a long one: its bytes as they
    /// came.
    pub fn next_piece(&mut self) -> Option<&[u8]> {
        let limit = self.cut_at.unwrap_or(LINE_MAX);
        let pending = &self.bytes[self.start..self.end];
        let (length, consumed) = match find_end(pending) {
            Some((length, consumed)) if length <= limit => (length, consumed),
            None if pending.len() <= limit && self.ended => return self.take_partial(),
            None if pending.len() <= limit => return None,
            _ => {
                let cut = last_boundary(pending, limit);
                (cut, cut)
            }
        };
        let start = self.start;
        self.start += consumed;
        Some(&self.bytes[start..start + length])
    }

    /// The part of a line that has come, for a reader that no longer waits for its end.
    pub fn take_partial(&mut self) -> Option<&[u8]> {
        let partial = std::mem::replace(&mut self.start, self.end)..self.end;
        (!partial.is_empty()).then(|| &self.bytes[partial])
    }

    /// Refuses a line as soon as it is too long, before its end has come. So the buffer stays
    /// bounded.
    fn refuse_if_too_long(&mut self) -> Option<Line<'static>> {
        let too_long = self.end - self.start > LINE_MAX + 1; // 1: the CR of a CR LF
        if !too_long && !self.skipping {
            return None;
        }
        let ends_in_cr = self.end > self.start && self.bytes[self.end - 1] == b'\r';
        // Its LF or NUL may be the next byte to come.
        self.start = self.end - usize::from(ends_in_cr);
        let newly = !std::mem::replace(&mut self.skipping, true);
        newly.then_some(Line::TooLong)
    }
}

/// The last place up to `at` where a character begins, or `at` if the bytes are not UTF-8.
fn last_boundary(bytes: &[u8], at: usize) -> usize {
    let begins = |i: &usize| bytes[*i] & 0b1100_0000 != 0b1000_0000;
    (at - 3..=at).rev().find(begins).unwrap_or(at)
}

/// Finds the first line end, LF, CR LF or CR NUL: the line's length, and how many bytes it takes
/// with its end.
fn find_end(bytes: &[u8]) -> Option<(usize, usize)> {
    memchr::memchr2_iter(b'\n', b'\0', bytes).find_map(|at| {
        let after_cr = at > 0 && bytes[at - 1] == b'\r';
        match bytes[at] {
            b'\n' => Some((at - usize::from(after_cr), at + 1)),
            _ if after_cr => Some((at - 1, at + 1)),
            _ => None, // a NUL alone is part of the text, where `sanitize` shows it
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

    /// Feeds `reads` one by one, an end of file after them, and has `take` called after each.
    fn feed(buffer: &mut LineBuffer, reads: &[&[u8]], mut take: impl FnMut(&mut LineBuffer)) {
        for mut bytes in reads.iter().copied() {
            while !bytes.is_empty() {
                let space = buffer.space();
                let n = bytes.len().min(space.len());
                assert!(n > 0, "no space although all lines were taken");
                space[..n].copy_from_slice(&bytes[..n]);
                buffer.received(n);
                bytes = &bytes[n..];
                take(buffer);
            }
        }
        buffer.space();
        buffer.received(0);
        take(buffer);
    }

    fn lines(reads: &[&[u8]]) -> Vec<String> {
        let mut got = Vec::new();
        feed(&mut LineBuffer::default(), reads, |buffer| {
            while let Some(line) = buffer.next_line() {
                got.push(owned(line));
            }
        });
        got
    }

    const LIMIT: usize = 4096;

    fn pieces(reads: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut got = Vec::new();
        feed(&mut LineBuffer::cutting_at(LIMIT), reads, |buffer| {
            while let Some(piece) = buffer.next_piece() {
                got.push(piece.to_owned());
            }
        });
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

    #[test]
    fn a_buffer_that_cuts_refuses_nothing() {
        let sent = "*** hi\r\n<bob> 日本語\n\nlast".as_bytes();
        let expected =
            ["*** hi", "<bob> 日本語", "", "last"].map(|line| line.as_bytes().to_owned());
        for cut in 0..=sent.len() {
            assert_eq!(pieces(&[&sent[..cut], &sent[cut..]]), expected, "cut at {cut}");
        }
        assert_eq!(pieces(&[b"\xff\xfb\x01ok\xc3\n"]), [b"\xff\xfb\x01ok\xc3"]);
    }

    #[test]
    fn a_long_line_is_cut_between_letters() {
        for endless in ["é".repeat(LIMIT).into_bytes(), vec![0x80; 3 * LIMIT]] {
            let reads: Vec<&[u8]> = endless.chunks(1000).collect();
            let pieces = pieces(&reads);
            assert!(pieces.iter().all(|piece| piece.len() <= LIMIT));
            let is_text = std::str::from_utf8(&endless).is_ok();
            assert!(pieces.iter().all(|piece| std::str::from_utf8(piece).is_ok() == is_text));
            assert_eq!(pieces.concat(), endless);
        }
    }

    #[test]
    fn a_part_of_a_line_can_be_taken() {
        let mut buffer = LineBuffer::cutting_at(LIMIT);
        buffer.space()[..7].copy_from_slice(b"login: ");
        buffer.received(7);
        assert_eq!(buffer.next_piece(), None);
        assert_eq!(buffer.take_partial(), Some(&b"login: "[..]));
        assert_eq!(buffer.take_partial(), None);
    }
}
