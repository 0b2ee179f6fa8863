//! What docs/protocol.md says of lines, as a program that is short rather than fast.

use unicode_width::UnicodeWidthChar as _;

pub const LINE_MAX: usize = 1024;
/// Whoever types more than this can take nothing back; of such lines the page says nothing.
const KEYS_MAX: usize = 2000;

#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Text(String),
    NotUtf8,
    TooLong,
}

/// The lines in these bytes, up to the end of file. `None`: there is one, and the page does not say
/// exactly what it is. `false`: nor does it say what follows.
pub fn lines(bytes: &[u8]) -> (Vec<Option<Heard>>, bool) {
    let (mut lines, mut line, mut is_known) = (Vec::new(), Vec::new(), true);
    for byte in without_telnet(bytes) {
        if byte == 0 && !is_known {
            return (lines, false); // a line end, if an open sequence does not end with the CR
        }
        let is_end = byte == b'\n' || (byte == 0 && line.last() == Some(&b'\r'));
        match byte {
            _ if is_end => {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                lines.push(is_known.then(|| heard(&line)));
                (line, is_known) = (Vec::new(), true);
            }
            0x15 => (line, is_known) = (Vec::new(), is_known && is_plain(&line)),
            8 | 127 | 0x17 => {
                is_known &= is_plain(&line);
                if byte == 0x17 {
                    let text = line.trim_ascii_end();
                    let word =
                        text.iter().rposition(u8::is_ascii_whitespace).map_or(0, |at| at + 1);
                    line.truncate(word);
                } else {
                    line.pop();
                }
            }
            // An escape sequence may begin.
            0x1b | 0xc2 => {
                is_known = false;
                line.push(byte);
            }
            _ => line.push(byte),
        }
        is_known &= line.len() < KEYS_MAX || is_plain(&line);
    }
    if is_known && !line.is_empty() {
        lines.push(Some(heard(&line)));
    }
    (lines, is_known)
}

/// Whether each byte is a character that one press takes back.
fn is_plain(line: &[u8]) -> bool {
    line.len() < KEYS_MAX && line.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn heard(line: &[u8]) -> Heard {
    match str::from_utf8(line) {
        _ if line.len() > LINE_MAX => Heard::TooLong,
        Ok(text) => Heard::Text(text.to_owned()),
        Err(_) => Heard::NotUtf8,
    }
}

/// RFC 854: what is left of the bytes without IAC and what belongs to it. A sub-negotiation has 1,024
/// bytes at most.
fn without_telnet(bytes: &[u8]) -> Vec<u8> {
    let (mut text, mut bytes) = (Vec::new(), bytes.iter().copied());
    while let Some(byte) = bytes.next() {
        if byte != 255 {
            text.push(byte);
            continue;
        }
        match bytes.next() {
            Some(255) => text.push(255),
            Some(251..=254) => drop(bytes.next()),
            Some(247) => text.push(8),
            Some(248) => text.push(0x15),
            Some(250) => {
                let mut taken = 0;
                while taken < 1024 {
                    match bytes.next() {
                        Some(255) => match bytes.next() {
                            Some(240) | None => break,
                            Some(_) => taken += 1,
                        },
                        Some(_) => taken += 1,
                        None => break,
                    }
                }
            }
            _ => {}
        }
    }
    text
}

/// What no reader is ever sent: C0 but tab, DEL, C1, bidi overrides, line separators.
pub fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0a'..='\x1f' | '\x7f'..='\u{9f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

pub fn assert_no_control(text: &str) {
    assert!(!text.contains(is_forbidden), "{text:?} moves a cursor");
}

/// No control character; runs of blanks are cut; whatever takes no room stands behind something that
/// does, eight times at most; and something is visible, or it is blank.
pub fn assert_safe(text: &str) {
    assert_no_control(text);
    let (mut blanks, mut marks, mut is_first) = (0, 0, true);
    for c in text.chars() {
        let is_blank =
            c.is_whitespace() || matches!(c, '\u{3164}' | '\u{2800}' | '\u{ffa0}' | '\u{115f}');
        if is_blank {
            blanks += if c == '\t' { 8 } else { 1 };
            assert!(blanks <= if is_first { 24 } else { 8 }, "{text:?} is laid out");
            marks = 8; // none behind a blank
        } else if c.width().unwrap_or(0) == 0 {
            marks += 1;
            assert!(marks <= 8, "{text:?} has what is not seen");
        } else {
            (blanks, marks, is_first) = (0, 0, false);
        }
    }
    assert!(!is_first || text.trim().is_empty(), "{text:?} shows nothing");
}
