//! The bytes of the measured lines: how a line is composed, and how it is known again when the server has told it on.
//!
//! Every line says who sent it and which of that sender's lines it is; what follows is a text that both numbers
//! decide, so that a piece of another line, of whatever length, does not pass for this one:
//!
//! ```text
//! @000007.00000012 tuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnop
//! ```
//!
//! No sockets, no clock, no state: pure functions of bytes.

use std::str::FromStr;

use memchr::memchr;

/// The number before which nothing is measured: a client says this line to show that it has come in.
pub const ARRIVAL: u32 = 0;
/// Bytes in front of the text: sign, six digits, point, eight digits, space.
const HEAD: usize = 17;
/// The shortest line, its LF included: one letter of text, so that no line ends in a space, which a server may trim.
pub const SHORTEST: usize = HEAD + 2;
/// The longest line, its LF included: 1,024 bytes is what chatd reads.
pub const LONGEST: usize = 1025;
/// The alphabet, often enough for the longest text to begin at any of its letters.
const TEXT: [u8; LONGEST + 26] = alphabet();

/// Which line: the sender's number, and the how-manieth line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineId {
    pub sender: u32,
    pub seq: u32,
}

/// How the server under test shows lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// chatd: asks a name, shows `<b0001> text`; what begins with `*** ` or `(` is not a client's live line.
    Chatd,
    /// Any line server: what a client sent stands somewhere in the line; lines without an `@` are the server's own.
    Line,
    /// The same, but the first line that a client sends is its name.
    Named,
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(name: &str) -> Result<Peer, String> {
        match name {
            "chatd" => Ok(Peer::Chatd),
            "line" => Ok(Peer::Line),
            "named" => Ok(Peer::Named),
            _ => Err("a peer is chatd, line or named".into()),
        }
    }
}

/// What a line that came from the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A measured line, whole.
    Said(LineId),
    /// The server's own: greeting, who entered, what was said before.
    Notice,
    /// Neither: a torn, mixed or changed line.
    Torn,
}

/// The form of all lines of one run.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    pub peer: Peer,
    /// Bytes of a line as it is sent, its LF included.
    pub size: usize,
}

impl Wire {
    /// What a new client sends first: its name if the server asks for one, and the line that shows it is in.
    pub fn entrance(&self, sender: u32) -> Vec<u8> {
        let mut bytes = self.login(sender);
        self.compose(LineId { sender, seq: ARRIVAL }, &mut bytes);
        bytes
    }

    /// The name, if the server asks for one.
    pub fn login(&self, sender: u32) -> Vec<u8> {
        if self.peer == Peer::Line {
            Vec::new()
        } else {
            format!("{}\n", name(sender)).into_bytes()
        }
    }

    /// Appends one line as it is sent.
    pub fn compose(&self, id: LineId, out: &mut Vec<u8>) {
        out.push(b'@');
        push_digits::<6>(id.sender, out);
        out.push(b'.');
        push_digits::<8>(id.seq, out);
        out.push(b' ');
        out.extend_from_slice(text(id, self.size - HEAD - 1));
        out.push(b'\n');
    }

    /// What `line` is. Its LF is not in it any more; a CR at its end is taken for a part of the line's end.
    pub fn read(&self, line: &[u8]) -> Kind {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.peer {
            Peer::Chatd if line.starts_with(b"*** ") || line.starts_with(b"(") => Kind::Notice,
            Peer::Chatd => self.said_by_name(line).map_or(Kind::Torn, Kind::Said),
            Peer::Line | Peer::Named => match memchr(b'@', line) {
                Some(at) => self.said(&line[at..]).map_or(Kind::Torn, Kind::Said),
                None => Kind::Notice,
            },
        }
    }

    /// A line of chatd's: the name must be that of the sender the text names.
    fn said_by_name(&self, line: &[u8]) -> Option<LineId> {
        let (shown, said) = line.strip_prefix(b"<")?.split_at_checked(memchr(b'>', line)? - 1)?;
        let id = self.said(said.strip_prefix(b"> ")?)?;
        (number(shown.strip_prefix(b"b")?) == Some(id.sender)).then_some(id)
    }

    /// The line as it was sent, every byte of it, or nothing.
    fn said(&self, line: &[u8]) -> Option<LineId> {
        if line.len() + 1 != self.size || line[0] != b'@' || line[7] != b'.' || line[16] != b' ' {
            return None;
        }
        let id = LineId { sender: number(&line[1..7])?, seq: number(&line[8..16])? };
        (&line[HEAD..] == text(id, self.size - HEAD - 1)).then_some(id)
    }
}

/// The name client `sender` asks for: `b0001`.
pub fn name(sender: u32) -> String {
    format!("b{sender:04}")
}

/// The text of a line: as many letters of the alphabet as are asked for, from a letter that the line's numbers choose.
fn text(id: LineId, length: usize) -> &'static [u8] {
    let first = (id.sender.wrapping_mul(7).wrapping_add(id.seq) % 26) as usize;
    &TEXT[first..first + length]
}

fn push_digits<const WIDTH: usize>(mut number: u32, out: &mut Vec<u8>) {
    let mut digits = [b'0'; WIDTH];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    debug_assert_eq!(number, 0, "a number with more digits than its field");
    out.extend_from_slice(&digits);
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
    })
}

const fn alphabet() -> [u8; LONGEST + 26] {
    let mut letters = [0; LONGEST + 26];
    let mut at = 0;
    while at < letters.len() {
        letters[at] = b'a' + (at % 26) as u8;
        at += 1;
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHATD: Wire = Wire { peer: Peer::Chatd, size: 64 };
    const LINE: Wire = Wire { peer: Peer::Line, size: 64 };
    const ID: LineId = LineId { sender: 7, seq: 12 };

    fn sent(wire: &Wire, id: LineId) -> String {
        let mut bytes = Vec::new();
        wire.compose(id, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_has_the_asked_size_and_is_known_again() {
        for size in [SHORTEST, 64, 512, LONGEST] {
            let wire = Wire { peer: Peer::Line, size };
            let line = sent(&wire, ID);
            assert_eq!(line.len(), size);
            assert_eq!(wire.read(line.trim_end().as_bytes()), Kind::Said(ID), "{size} bytes");
        }
    }

    #[test]
    fn the_largest_numbers_fit() {
        let id = LineId { sender: 999_999, seq: 99_999_999 };
        assert_eq!(LINE.read(sent(&LINE, id).trim_end().as_bytes()), Kind::Said(id));
    }

    #[test]
    fn what_a_peer_puts_around_a_line_is_read_through() {
        let line = sent(&LINE, ID);
        let line = line.trim_end();
        assert_eq!(LINE.read(format!("<user5> {line}").as_bytes()), Kind::Said(ID));
        assert_eq!(LINE.read(format!("{line}\r").as_bytes()), Kind::Said(ID));
        assert_eq!(LINE.read(b"<announce> 127.0.0.1 is connected as <user5>."), Kind::Notice);
        assert_eq!(CHATD.read(format!("<b0007> {line}").as_bytes()), Kind::Said(ID));
        assert_eq!(CHATD.read(b"*** b0008 entered lobby"), Kind::Notice);
        assert_eq!(CHATD.read(format!("(12:30) <b0007> {line}").as_bytes()), Kind::Notice);
    }

    #[test]
    fn a_name_that_is_not_the_senders_is_a_changed_line() {
        let line = sent(&CHATD, ID);
        assert_eq!(CHATD.read(format!("<b0008> {}", line.trim_end()).as_bytes()), Kind::Torn);
        assert_eq!(CHATD.read(line.trim_end().as_bytes()), Kind::Torn, "without a name");
    }

    #[test]
    fn every_cut_of_a_line_is_torn() {
        let line = sent(&LINE, ID);
        let line = line.trim_end().as_bytes();
        for cut in 1..line.len() {
            assert_eq!(LINE.read(&line[..cut]), Kind::Torn, "the first {cut} bytes");
        }
    }

    #[test]
    fn two_lines_mixed_at_any_place_are_torn() {
        let (one, other) = (sent(&LINE, ID), sent(&LINE, LineId { sender: 8, seq: 13 }));
        for cut in 7..63 {
            let mixed = format!("{}{}", &one[..cut], &other[cut..63]);
            assert_eq!(LINE.read(mixed.as_bytes()), Kind::Torn, "mixed after {cut} bytes");
        }
    }

    #[test]
    fn the_entrance_is_what_the_peer_asks() {
        assert!(CHATD.entrance(7).starts_with(b"b0007\n@000007.00000000 "));
        assert!(LINE.entrance(7).starts_with(b"@000007.00000000 "));
        let named = Wire { peer: Peer::Named, size: 64 };
        assert!(named.entrance(7).starts_with(b"b0007\n@000007.00000000 "));
        assert_eq!(
            named.read(format!("b0007: {}", sent(&LINE, ID).trim_end()).as_bytes()),
            Kind::Said(ID)
        );
    }
}
