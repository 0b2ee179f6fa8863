//! The bytes of measured lines: how a line is composed, and how it is recognised when it comes
//! back.
//!
//! Every line names its sender and its number among that sender's lines. The text behind them
//! depends on both numbers, so a piece of another line never passes for this one:
//!
//! ```text
//! @000007.00000012 tuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnop
//! ```

use argh::FromArgValue;
use memchr::memchr;
use std::{ops::RangeInclusive, sync::LazyLock};

/// The number of the line that a client sends to show that it has entered; it is not measured.
pub const ARRIVAL: usize = 0;
/// How the names of those begin who are not of the crowd.
const STRANGER: &[u8] = b"<x-";
/// Bytes before the text: sign, six digits, point, eight digits, space.
const HEAD: usize = 17;
/// Bytes of a line, LF included: at least one letter of text, at most what chatd reads.
pub const SIZES: RangeInclusive<usize> = HEAD + 2..=1025;

pub const USUAL_SIZE: usize = 64;

/// The alphabet, long enough for the longest text to begin at any letter.
static TEXT: LazyLock<Vec<u8>> =
    LazyLock::new(|| (b'a'..=b'z').cycle().take(SIZES.end() + 26).collect());

/// How an option takes the bytes of a line.
pub fn line_size(bytes: &str) -> Result<usize, String> {
    let size = bytes.parse().ok().filter(|size| SIZES.contains(size));
    size.ok_or(format!("a line has {} to {} bytes", SIZES.start(), SIZES.end()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineId {
    pub sender: usize,
    pub seq: usize,
}

/// How the server under test shows lines.
#[derive(FromArgValue, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// chatd: asks for a name, shows `<b0001> text`. Its own lines begin with `*** ` or `(`.
    Chatd,
    /// Any line server: shows what a client sent, perhaps behind a prefix without an `@`.
    Line,
    /// The same, but it takes a client's first line for its name.
    Named,
}

/// What a line from the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A measured line, whole.
    Said(LineId),
    /// The server's own: greeting, who entered, history; or a stranger's.
    Notice,
    /// Neither: a torn, mixed or changed line.
    Torn,
}

/// The form of all lines of one run.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    pub peer: Peer,
    /// Bytes of a line as it is sent, LF included.
    pub size: usize,
}

impl Wire {
    /// The name, if the server asks for one.
    pub fn login(&self, sender: usize) -> Vec<u8> {
        match self.peer {
            Peer::Line => Vec::new(),
            Peer::Chatd | Peer::Named => format!("b{sender:04}\n").into_bytes(),
        }
    }

    /// Appends one line as it is sent. Half a million lines a second are composed, so it does not
    /// use `write!`, which would cost the generator a twentieth of its speed.
    pub fn compose(&self, id: LineId, out: &mut Vec<u8>) {
        let mut head = *b"@000000.00000000 ";
        for (digits, mut number) in [(1..7, id.sender), (8..16, id.seq)] {
            for digit in head[digits].iter_mut().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        out.extend_from_slice(&head);
        out.extend_from_slice(self.text(id));
        out.push(b'\n');
    }

    /// What `line` is; it has no LF any more. A CR at its end belongs to the line's end.
    pub fn read(&self, line: &[u8]) -> Kind {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let said = match self.peer {
            Peer::Chatd if [&b"*** "[..], b"(", STRANGER].iter().any(|it| line.starts_with(it)) => {
                return Kind::Notice;
            }
            Peer::Chatd => self.said_by_name(line),
            Peer::Line | Peer::Named => match memchr(b'@', line) {
                Some(at) => self.said(&line[at..]),
                None => return Kind::Notice,
            },
        };
        said.map_or(Kind::Torn, Kind::Said)
    }

    /// A line as chatd shows it. The name must belong to the sender whom the text names.
    fn said_by_name(&self, line: &[u8]) -> Option<LineId> {
        let (name, said) = line.strip_prefix(b"<b")?.split_at_checked(memchr(b'>', line)? - 2)?;
        let id = self.said(said.strip_prefix(b"> ")?)?;
        (number(name) == Some(id.sender)).then_some(id)
    }

    /// The line exactly as it was sent, or nothing.
    fn said(&self, line: &[u8]) -> Option<LineId> {
        if line.len() + 1 != self.size || (line[0], line[7], line[16]) != (b'@', b'.', b' ') {
            return None;
        }
        let id = LineId { sender: number(&line[1..7])?, seq: number(&line[8..16])? };
        (&line[HEAD..] == self.text(id)).then_some(id)
    }

    /// Letters of the alphabet, from one that the line's numbers choose.
    fn text(&self, id: LineId) -> &'static [u8] {
        let first = (id.sender * 7 + id.seq) % 26;
        &TEXT[first..first + self.size - HEAD - 1]
    }
}

/// `str::parse` alone would also take a sign, which is a changed byte.
fn number(digits: &[u8]) -> Option<usize> {
    let digits = str::from_utf8(digits).ok()?;
    digits.parse().ok().filter(|_| !digits.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: LineId = LineId { sender: 7, seq: 12 };

    /// A line as it is sent, without its LF.
    fn sent(size: usize, id: LineId) -> String {
        let mut bytes = Vec::new();
        Wire { peer: Peer::Line, size }.compose(id, &mut bytes);
        assert_eq!(bytes.len(), size);
        String::from_utf8(bytes).unwrap().trim_end().into()
    }

    #[test]
    fn a_line_is_recognised_whatever_its_size_its_numbers_and_its_frame() {
        let line = sent(64, ID);
        for (peer, shown, kind) in [
            (Peer::Line, format!("<user5> {line}"), Kind::Said(ID)),
            (Peer::Line, format!("{line}\r"), Kind::Said(ID)),
            (Peer::Line, "<announce> user5 is connected".into(), Kind::Notice),
            (Peer::Named, format!("b0007: {line}"), Kind::Said(ID)),
            (Peer::Chatd, format!("<b0007> {line}"), Kind::Said(ID)),
            (Peer::Chatd, "*** b0008 entered lobby".into(), Kind::Notice),
            (Peer::Chatd, format!("<x-7> {line}"), Kind::Notice), // a stranger's
            (Peer::Chatd, format!("(12:30) <b0007> {line}"), Kind::Notice),
            (Peer::Chatd, format!("<b0008> {line}"), Kind::Torn), // another's name
            (Peer::Chatd, line.clone(), Kind::Torn),              // no name
        ] {
            assert_eq!(Wire { peer, size: 64 }.read(shown.as_bytes()), kind, "{shown}");
        }
        for size in [*SIZES.start(), *SIZES.end()] {
            let id = LineId { sender: 999_999, seq: 99_999_999 };
            let read = Wire { peer: Peer::Line, size }.read(sent(size, id).as_bytes());
            assert_eq!(read, Kind::Said(id));
        }
    }

    #[test]
    fn a_cut_or_mixed_line_is_torn() {
        let (one, other) = (sent(64, ID), sent(64, LineId { sender: 8, seq: 13 }));
        for cut in 7..63 {
            for torn in [&one[..cut], &format!("{}{}", &one[..cut], &other[cut..])] {
                assert_eq!(Wire { peer: Peer::Line, size: 64 }.read(torn.as_bytes()), Kind::Torn);
            }
        }
    }
}
