//! Colours. The text that gets here is harmless already, so the only escape sequences on the screen
//! are these. No I/O.

use crate::server_line::{LineKind, ServerLine};

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const MARKED: &str = "\x1b[7m"; // reverse: seen on light and dark screens alike
const NOTICE: &str = "\x1b[33m";
const PRIVATE: &str = "\x1b[1;35m";

/// What names are coloured with: the terminal's own palette, so that it fits the screen; without
/// black, white and the magenta of private lines.
const NAME_COLOURS: [&str; 10] = [
    "\x1b[31m", "\x1b[32m", "\x1b[34m", "\x1b[36m", "\x1b[33m", "\x1b[91m", "\x1b[92m", "\x1b[94m",
    "\x1b[96m", "\x1b[93m",
];

/// The colour of a name: the same on every day and in every client, and in any case of letters.
pub(crate) fn name_colour(name: &str) -> &'static str {
    // FNV-1a: short, and spreads short names well; nobody gains by a collision.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let at = (hash ^ (hash >> 32)) % NAME_COLOURS.len() as u64;
    NAME_COLOURS[usize::try_from(at).unwrap_or_default()]
}

/// Appends a line with its colours and without its end. `me` is whose mentions are marked.
pub(crate) fn paint(line: &ServerLine, me: Option<&str>, to: &mut String) {
    let mut push = |parts: &[&str]| parts.iter().for_each(|part| to.push_str(part));
    if !line.time().is_empty() {
        push(&[DIM, line.time(), RESET]);
    }
    let (marks, name, body) = (line.marks(), line.name(), line.body());
    match line.kind {
        LineKind::Sentence => push(&[DIM, line.without_time(), RESET]),
        LineKind::Plain => push(&[line.without_time()]),
        LineKind::PrivateFrom | LineKind::PrivateTo => {
            push(&[PRIVATE, marks.0, name, marks.1, RESET, body]);
        }
        LineKind::Say | LineKind::Act => {
            push(&[marks.0, name_colour(name), name, RESET, marks.1]);
            match me.and_then(|me| line.mention_of(me)) {
                None => push(&[body]),
                Some(at) => {
                    push(&[&body[..at.start], MARKED, &body[at.clone()], RESET, &body[at.end..]]);
                }
            }
        }
    }
}

/// A sentence of the client's own.
pub(crate) fn notice(text: &str) -> String {
    format!("{NOTICE}chat: {text}{RESET}")
}

/// The prompt: our name in the colour that others see it in.
pub(crate) fn prompt(name: &str, rest: &str) -> String {
    format!("{BOLD}{}{name}{RESET}{rest}", name_colour(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(text: &str) -> String {
        let mut painted = String::new();
        paint(&ServerLine::new(text.as_bytes()), Some("alice"), &mut painted);
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
        assert_eq!(name_colour("Alice"), name_colour("alice"));
        assert_eq!(name_colour("alice"), "\x1b[92m", "a change here changes everybody's colours");
        let many: std::collections::HashSet<_> =
            (0..100).map(|n| name_colour(&format!("student{n}"))).collect();
        assert_eq!(many.len(), NAME_COLOURS.len());
    }

    #[test]
    fn mentions_are_marked() {
        assert!(painted("<bob> hi Alice!").contains("\x1b[7mAlice\x1b[0m!"));
        assert!(!painted("<bob> malice").contains("\x1b[7m"));
    }
}
