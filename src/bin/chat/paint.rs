//! Colours. The text that gets here is harmless already, so the only escape sequences on the screen
//! are these. No I/O.

use crate::server_line::{LineKind, ServerLine};

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const MARKED: &str = "\x1b[7m"; // reverse: seen on light and dark screens alike

/// Colours are of the palette of 256, whose upper 240 look the same in every terminal. Each has a
/// contrast of at least 3.7 on black and on white.
pub(crate) const NOTICE: u8 = 130;
pub(crate) const PRIVATE: u8 = 164;

/// What names are coloured with: without those of notices and private lines.
const NAME_COLOURS: [u8; 12] = [160, 166, 100, 64, 28, 29, 30, 31, 27, 63, 98, 162];

/// The colour of a name: the same on every day and in every client, and in any case of letters.
pub(crate) fn colour_of(name: &str) -> u8 {
    // FNV-1a: short, and spreads short names well; nobody gains by a collision.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let at = (hash ^ (hash >> 32)) % NAME_COLOURS.len() as u64;
    NAME_COLOURS[usize::try_from(at).unwrap_or_default()]
}

/// The sequence that begins a colour.
fn begin(colour: u8) -> String {
    format!("\x1b[38;5;{colour}m")
}

/// Appends a line with its colours and without its end. Where it mentions `me`, or has one of these
/// words, is marked.
pub(crate) fn paint(line: &ServerLine, me: Option<&str>, words: &[String], to: &mut String) {
    let mut push = |parts: &[&str]| parts.iter().for_each(|part| to.push_str(part));
    if !line.time().is_empty() {
        push(&[DIM, line.time(), RESET]);
    }
    let (marks, name, body) = (line.marks(), line.name(), line.body());
    match line.kind {
        LineKind::Sentence => push(&[DIM, line.without_time(), RESET]),
        LineKind::Plain => push(&[line.without_time()]),
        LineKind::PrivateFrom | LineKind::PrivateTo => {
            push(&[BOLD, &begin(PRIVATE), marks.0, name, marks.1, RESET, body]);
        }
        LineKind::Say | LineKind::Act => {
            push(&[marks.0, &begin(colour_of(name)), name, RESET, marks.1]);
            let mut end = 0;
            for at in line.mentions(me, words) {
                push(&[&body[end..at.start], MARKED, &body[at.clone()], RESET]);
                end = at.end;
            }
            push(&[&body[end..]]);
        }
    }
}

/// A sentence of the client's own.
pub(crate) fn notice(text: &str) -> String {
    format!("{}chat: {text}{RESET}", begin(NOTICE))
}

/// The prompt: our name in the colour that others see it in.
pub(crate) fn prompt(name: &str, rest: &str) -> String {
    format!("{BOLD}{}{name}{RESET}{rest}", begin(colour_of(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(text: &str) -> String {
        let mut painted = String::new();
        paint(&ServerLine::new(text.as_bytes()), Some("alice"), &[], &mut painted);
        painted
    }

    #[test]
    fn colours_change_no_text() {
        for text in [
            "*** bob entered lobby",
            "<bob> hi alice, hi",
            "* bob waves at alice",
            "[from bob] psst",
            "(12:30) <bob> hi",
            "[12:30] [to bob] x",
            "",
            "plain",
            "<bob>",
            "<@bob> hi",
            "* @bob waves",
        ] {
            let mut plain = painted(text);
            while let Some(at) = plain.find('\x1b') {
                let end = at + plain[at..].find('m').unwrap();
                plain.replace_range(at..=end, "");
            }
            assert_eq!(plain, text);
        }
    }

    #[test]
    fn a_name_keeps_its_colour() {
        assert_eq!(colour_of("Alice"), colour_of("alice"));
        assert_eq!(colour_of("alice"), 28, "a change here changes everybody's colours");
        let many: std::collections::HashSet<_> =
            (0..100).map(|n| colour_of(&format!("student{n}"))).collect();
        assert_eq!(many.len(), NAME_COLOURS.len());
    }

    /// As the web's accessibility guidelines count it.
    #[test]
    fn colours_can_be_read_on_black_and_on_white() {
        let steps = [0_u8, 95, 135, 175, 215, 255];
        let linear = |step: u8| {
            let part = f64::from(step) / 255.0;
            if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        for colour in NAME_COLOURS.into_iter().chain([NOTICE, PRIVATE]) {
            let cube = usize::from(colour - 16);
            let [r, g, b] = [cube / 36, cube / 6 % 6, cube % 6].map(|at| linear(steps[at]));
            let light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            let contrasts = [(light + 0.05) / 0.05, 1.05 / (light + 0.05)];
            assert!(contrasts.iter().all(|contrast| *contrast >= 3.7), "{colour}: {contrasts:?}");
        }
    }

    #[test]
    fn mentions_are_marked() {
        assert!(painted("<bob> hi Alice!").contains("\x1b[7mAlice\x1b[0m!"));
        assert!(!painted("<bob> malice").contains("\x1b[7m"));
    }
}
