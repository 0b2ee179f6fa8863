//! The keys of a client that has no line editor of its own: those that take back a character, a
//! word or a line, and those that come as escape sequences (arrows, function keys).
//!
//! Windows' telnet, PuTTY and a terminal in raw mode send each key as it is pressed, and often each
//! in a packet of its own. So keys are worked off as they arrive, before anybody looks at the line:
//! a name, a password, a command and talk are all what the person meant. Sequences may be split
//! anywhere across reads. A line end ends every sequence. No I/O.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

pub(super) const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;
/// Ctrl-U.
pub(super) const ERASE_LINE: u8 = 0x15;
/// Ctrl-W.
const ERASE_WORD: u8 = 0x17;
const BELL: u8 = 0x07;
const ESCAPE: u8 = 0x1b;
/// The first of the two bytes that UTF-8 makes of U+009B and its like (C1), which are sequences'
/// beginnings in one character.
const C1_LEAD: u8 = 0xc2;

/// The most bytes of a key's sequence; a terminal sends some ten. The bytes after them are text.
const SEQUENCE_MAX: u8 = 64;
/// The most bytes of a terminal's report (its colour, its name), which ends in BEL or ESC `\`. If
/// it does not end within these, or on the same line, it is text: somebody has pressed Alt-P.
const REPORT_MAX: usize = 256;

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// Behind ESC `[`, ESC `O`, or ESC `(` and its like, and `taken` bytes more.
    Sequence { kind: Kind, taken: u8 },
    /// Inside a report that began at this byte of the line; `escape`: the last byte was ESC.
    Report { from: usize, escape: bool },
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    /// ESC `[`: arrows and most others.
    Csi,
    /// ESC `[` `[`: the function keys of Linux' console; a letter follows.
    Console,
    /// ESC `O`: arrows, in another mode.
    Ss3,
    /// ESC `(` and its like: a character set.
    Charset,
}

/// What was pressed and does not stand in the line (yet).
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Keys {
    state: State,
    /// The line has more bytes than are kept of one.
    is_overlong: bool,
}

/// Bytes as they lie in the buffer: `bytes[line..end]` is the line that is being typed, `most` bytes
/// of it.
struct Typed<'a> {
    bytes: &'a mut [u8],
    most: usize,
    line: usize,
    end: usize,
}

/// Whether none of `bytes` is a key: the usual case. (No early exit, so that the compiler checks 16
/// bytes at a time.)
fn are_plain(bytes: &[u8]) -> bool {
    let is_plain =
        |byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..=0xc1 | 0xc3..);
    bytes.iter().fold(true, |plain, &byte| plain & is_plain(byte))
}

/// How many of `bytes` come before the line that has not ended yet.
fn line_start(bytes: &[u8]) -> usize {
    let is_end =
        |&at: &usize| bytes[at] == b'\n' || (bytes[at] == 0 && bytes[..at].ends_with(b"\r"));
    memchr::memrchr2_iter(b'\n', 0, bytes).find(is_end).map_or(0, |at| at + 1)
}

impl Keys {
    /// Works off the keys in what came: `bytes[came..]`, behind what is waiting for the rest of its
    /// line. Of a line that has not ended, `most` bytes are kept. Returns how many bytes there are
    /// then.
    pub(super) fn work_off(&mut self, bytes: &mut [u8], came: usize, most: usize) -> usize {
        let is_idle = self.state == State::Text && !self.is_overlong;
        let is_whole = bytes[..came].last() != Some(&C1_LEAD);
        if is_idle && is_whole && are_plain(&bytes[came..]) {
            let typed = bytes.len() - memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
            if typed <= most {
                return bytes.len(); // the usual case
            }
        }
        let line = line_start(&bytes[..came]);
        let all = bytes.len();
        let mut typed = Typed { bytes, most, line, end: came };
        for at in came..all {
            let byte = typed.bytes[at];
            self.press(byte, &mut typed);
        }
        typed.end
    }

    fn press(&mut self, byte: u8, typed: &mut Typed<'_>) {
        let state = std::mem::take(&mut self.state);
        self.state = match (state, byte) {
            (State::Text, _) => return self.type_byte(byte, typed),
            (State::Report { from, escape: true }, b'\\') | (State::Report { from, .. }, BELL) => {
                return typed.shorten_to(from);
            }
            (State::Report { from, .. }, 0x9c) if typed.text().last() == Some(&C1_LEAD) => {
                return typed.shorten_to(from);
            }
            (State::Report { from, escape: false }, ESCAPE) => State::Report { from, escape: true },
            (State::Report { from, escape: false }, _) => {
                let line = typed.line;
                self.type_byte(byte, typed);
                let is_in_line = typed.line == line && typed.has_place_behind(from);
                match self.state {
                    State::Text if is_in_line => State::Report { from, escape: false },
                    state => state,
                }
            }
            (_, ESCAPE) => State::Escape,
            (State::Escape | State::Report { escape: true, .. }, _) => match byte {
                b'[' => State::Sequence { kind: Kind::Csi, taken: 0 },
                b'O' => State::Sequence { kind: Kind::Ss3, taken: 0 },
                b' '..=b'/' => State::Sequence { kind: Kind::Charset, taken: 0 },
                b'P' | b'X' | b']'..=b'_' => typed.begin_report(),
                b'0'..=b'~' => State::Text,
                _ => return self.type_byte(byte, typed),
            },
            (State::Sequence { kind, taken }, _) => match (kind, byte) {
                (Kind::Csi, b'[') if taken == 0 => State::Sequence { kind: Kind::Console, taken },
                (Kind::Csi, b' '..=b'?')
                | (Kind::Ss3, b'0'..=b'9' | b';')
                | (Kind::Charset, b' '..=b'/')
                    if taken < SEQUENCE_MAX =>
                {
                    State::Sequence { kind, taken: taken + 1 }
                }
                (Kind::Csi | Kind::Ss3, b'@'..=b'~') => State::Text,
                (Kind::Console, b' '..=b'~') | (Kind::Charset, b'0'..=b'~') => State::Text,
                _ => return self.type_byte(byte, typed),
            },
        };
    }

    /// A byte that belongs to no sequence, unless it begins one.
    fn type_byte(&mut self, byte: u8, typed: &mut Typed<'_>) {
        match byte {
            b'\n' => {
                typed.end_line(byte);
                self.is_overlong = false;
            }
            0 if typed.text().last() == Some(&b'\r') => {
                typed.end_line(byte);
                self.is_overlong = false;
            }
            ERASE_LINE => {
                typed.end = typed.line;
                self.is_overlong = false;
            }
            BACKSPACE | DELETE if !self.is_overlong => typed.take_back_character(),
            ERASE_WORD if !self.is_overlong => typed.take_back_word(),
            ESCAPE => self.state = State::Escape,
            0x80..=0x9f if typed.text().last() == Some(&C1_LEAD) => self.type_c1(byte, typed),
            _ => self.is_overlong |= !typed.push(byte),
        }
    }

    /// The second byte of a character from U+0080 to U+009F.
    fn type_c1(&mut self, byte: u8, typed: &mut Typed<'_>) {
        let from = typed.text().len() - 1;
        self.state = match (byte, self.state) {
            (0x9b, _) => State::Sequence { kind: Kind::Csi, taken: 0 },
            (0x8f, _) => State::Sequence { kind: Kind::Ss3, taken: 0 },
            (0x90 | 0x98 | 0x9d..=0x9f, _) => State::Report { from, escape: false },
            _ => {
                self.is_overlong |= !typed.push(byte);
                return;
            }
        };
        typed.shorten_to(from);
    }
}

impl Typed<'_> {
    fn text(&self) -> &[u8] {
        &self.bytes[self.line..self.end]
    }

    /// Appends a byte of the line. `false`: there is no place; it replaces the last one (a CR in
    /// front of a NUL has to be known).
    fn push(&mut self, byte: u8) -> bool {
        let has_place = self.text().len() < self.most;
        self.end += usize::from(has_place);
        self.bytes[self.end - 1] = byte;
        has_place
    }

    fn end_line(&mut self, byte: u8) {
        self.bytes[self.end] = byte;
        self.end += 1;
        self.line = self.end;
    }

    fn shorten_to(&mut self, length: usize) {
        self.end = self.end.min(self.line + length);
    }

    fn begin_report(&self) -> State {
        State::Report { from: self.text().len(), escape: false }
    }

    /// Whether a report that began at `from` may go on: it is not too long, and was not taken back.
    fn has_place_behind(&self, from: usize) -> bool {
        self.text().len().checked_sub(from).is_some_and(|length| length < REPORT_MAX)
    }

    /// The end of the line as text, behind the last byte that is none; or such bytes, if they are
    /// last: a character that has not come whole.
    fn last(&self) -> Result<&str, usize> {
        match self.text().utf8_chunks().last() {
            Some(chunk) if !chunk.invalid().is_empty() => Err(chunk.invalid().len()),
            chunk => Ok(chunk.map_or("", |chunk| chunk.valid())),
        }
    }

    /// Takes back what a reader sees as one character: a letter with its accents, a flag.
    fn take_back_character(&mut self) {
        let last = self.last().map(|text| text.graphemes(true).next_back().map_or(0, str::len));
        self.end -= last.unwrap_or_else(|cut| cut);
    }

    /// Takes back a word, and the blanks behind it.
    fn take_back_word(&mut self) {
        let last = self.last().map(|text| {
            text.len() - text.trim_end().trim_end_matches(|c: char| !c.is_whitespace()).len()
        });
        self.end -= last.unwrap_or_else(|cut| cut);
    }
}
