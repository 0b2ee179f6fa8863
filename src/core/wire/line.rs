//! From bytes to lines. TCP knows no lines: one read may bring half of one, or three and a half.
//!
//! The reader reads straight into [`LineBuffer::space`] and takes whole lines out, in place,
//! without a copy. A partial line stays in the buffer until the
//! rest arrives. Telnet's sequences are taken out on the way, and keys are worked off.
//! It does no I/O: the caller reads.

use super::{keys::Keys, telnet::Telnet};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

/// The longest line, in bytes without its end. Long enough for a paragraph; short enough that 512
/// half-typed lines, and the lines that wait for a slow reader, stay small (the same order as IRC's
/// 512 and a terminal's 4,096).
pub(crate) const LINE_MAX: usize = 1024;
/// The most bytes of a line that is being typed: twice the longest line, so that whoever typed too
/// much can take it back. Of a longer line the rest is dropped, and it is too long whatever is
/// taken back, unless the whole line is.
const TYPED_MAX: usize = 2 * LINE_MAX;
/// Bytes of the buffer at first. An idle client should cost little; the buffer doubles as soon as a
/// read fills it.
const BUFFER_FIRST: usize = 256;
/// Bytes of the buffer of a client that sends much: fewer reads, and one event for many lines.
const BUFFER_MAX: usize = 16 * 1024;
const _: () = assert!(BUFFER_FIRST < BUFFER_MAX && TYPED_MAX + 2 < BUFFER_MAX);
/// What a read that brings no line counts as, in bytes that are no lines: 64 of them cost as much as
/// a line does. Somebody who sends each key in a packet of its own needs some for each line.
const READ_COST: usize = LINE_MAX / 64;
/// The first bytes of a TLS handshake.
const TLS: [u8; 2] = [0x16, 0x03];

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Text as it was sent: not cleaned yet.
    Text(&'a str),
    /// Bytes that are not UTF-8.
    NotUtf8(&'a [u8]),
    /// Longer than `LINE_MAX`: the beginning of it.
    TooLong(&'a [u8]),
}

impl Line<'_> {
    /// Its bytes, or the first of them.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Line::Text(text) => text.as_bytes(),
            Line::NotUtf8(bytes) | Line::TooLong(bytes) => bytes,
        }
    }
}

/// One connection's unread bytes.
#[derive(Serialize, Deserialize)]
pub struct LineBuffer {
    /// Overwritten when they are dropped: a password may be among them.
    #[serde(with = "super::hex")]
    bytes: Zeroizing<Vec<u8>>,
    /// `bytes[start..end]` is received and not yet taken.
    start: usize,
    end: usize,
    /// The peer sent its end of file: what is left is the last line.
    ended: bool,
    /// The first bytes of all, and how many of them have come.
    opening: ([u8; 2], usize),
    /// Bytes that came and belong to no line, as far as they are not charged yet.
    waste: usize,
    /// Bytes after which a line is cut, in a buffer that refuses no line.
    cut_at: Option<usize>,
    keys: Keys,
    /// The state of the telnet protocol.
    pub(crate) telnet: Telnet,
}

impl Default for LineBuffer {
    fn default() -> Self {
        LineBuffer {
            bytes: vec![0; BUFFER_FIRST].into(),
            start: 0,
            end: 0,
            ended: false,
            opening: ([0; 2], 0),
            waste: 0,
            cut_at: None,
            keys: Keys::default(),
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
        let (before, came) = (self.end, &mut self.bytes[self.end..self.end + n]);
        self.end += n;
        if self.cut_at.is_none() {
            let (first, count) = &mut self.opening;
            for (place, byte) in first.iter_mut().skip(*count).zip(&*came) {
                (*place, *count) = (*byte, *count + 1);
            }
            let text = self.telnet.filter(came);
            let waiting = &mut self.bytes[self.start..before + text];
            let kept = self.keys.work_off(waiting, before - self.start, TYPED_MAX);
            self.waste += READ_COST + self.end - (self.start + kept);
            self.end = self.start + kept;
        }
        if filled && self.bytes.len() < BUFFER_MAX {
            // The peer sends more than fits: read more with each call.
            let mut larger = vec![0; 2 * self.bytes.len()];
            larger[..self.end].copy_from_slice(&self.bytes[..self.end]);
            self.bytes = larger.into();
        }
    }

    /// Whether what came first is no line, but a TLS handshake.
    pub(crate) fn is_tls(&self) -> bool {
        self.opening == (TLS, TLS.len())
    }

    /// How many lines could have been sent in place of the bytes that made none: telnet's
    /// sequences, keys, what a line had too much. To be asked when all lines are taken.
    pub(crate) fn take_waste(&mut self) -> usize {
        let lines = self.waste / LINE_MAX;
        self.waste %= LINE_MAX;
        lines
    }

    /// Counts something that came and has no bytes of a line in it: a browser's ping, say.
    pub(crate) fn note_waste(&mut self, bytes: usize) {
        self.waste += READ_COST + bytes;
    }

    /// Whether the peer sent its end of file.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The next whole line, or `None` if more bytes are needed.
    pub fn next_line(&mut self) -> Option<Line<'_>> {
        let pending = &self.bytes[self.start..self.end];
        let (length, consumed) = match find_end(pending) {
            Some(found) => found,
            None if self.ended && !pending.is_empty() => (pending.len(), pending.len()),
            None => return None,
        };
        let line = self.start..self.start + length;
        self.start += consumed;
        self.waste = self.waste.saturating_sub(READ_COST) + length.saturating_sub(LINE_MAX);
        let bytes = &self.bytes[line];
        Some(match std::str::from_utf8(bytes) {
            _ if length > LINE_MAX => Line::TooLong(bytes),
            Ok(text) => Line::Text(text),
            Err(_) => Line::NotUtf8(bytes),
        })
    }

    /// Overwrites the lines that were taken: there was a password among them. Behind what waits there
    /// may be a copy of it, or of its beginning, from before it was moved to the front.
    pub(crate) fn overwrite_taken(&mut self) {
        self.bytes[..self.start].zeroize();
        self.bytes[self.end..].zeroize();
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
mod tests;
