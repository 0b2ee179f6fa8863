//! What a stranger typed, made safe for other people's terminals.
//!
//! Every line passes here once, on its way in (`Session`), before it can become talk, a name, a
//! topic or a reason: so there is one place to check, and none to forget.

use std::borrow::Cow;

/// What is shown instead of a character that could move somebody's cursor, colour their screen or
/// turn their text around.
const SHOWN_INSTEAD: char = char::REPLACEMENT_CHARACTER;

/// Returns `line`, with every character replaced that must not reach another terminal, a log or the
/// history.
///
/// It replaces the control characters except tab (C0, DEL, C1; so also a carriage return inside a
/// line), the bidirectional embeddings, overrides and isolates, and Unicode's line and paragraph
/// separators. A hidden attack becomes a visible `�`. Lines that are plain ASCII are returned as
/// they are, without a copy.
pub fn sanitize(line: &str) -> Cow<'_, str> {
    // No early exit, so that the compiler checks 16 bytes at a time. Nearly every line costs only
    // this.
    let is_plain =
        line.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~' | b'\t'));
    if is_plain || !line.contains(is_unsafe) {
        return Cow::Borrowed(line);
    }
    Cow::Owned(line.chars().map(|c| if is_unsafe(c) { SHOWN_INSTEAD } else { c }).collect())
}

fn is_unsafe(c: char) -> bool {
    match c {
        '\t' => false,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true, // bidi embeddings, overrides, isolates
        '\u{2028}' | '\u{2029}' => true,                           // line and paragraph separator
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(sanitize("hi there\tyou"), Cow::Borrowed(_)));
        assert!(matches!(sanitize("été 日本語 👩‍💻"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_moves_a_cursor_is_shown() {
        for attack in [
            "\x1b[2J",
            "\x07",
            "\x08",
            "a\rb",
            "\x7f",
            "\u{9b}31m",
            "\u{202e}txt",
            "\u{2066}",
            "\u{2028}",
            "\0",
        ] {
            for place in 0..70 {
                let line = format!("{}{attack}{}", "a".repeat(place), "b".repeat(70 - place));
                let safe = sanitize(&line);
                assert!(safe.contains(SHOWN_INSTEAD), "{line:?} passed");
                assert!(!safe.contains(is_unsafe), "{line:?} passed as {safe:?}");
            }
        }
    }
}
