//! What a stranger typed, made safe for other people's terminals.
//!
//! Every line passes here once, on its way in (`Session`), before it can become talk, a name, a topic or a reason:
//! so there is one place to check, and none to forget. Knows no I/O.

use std::borrow::Cow;

/// What is shown instead of a character that could move somebody's cursor, colour his screen or turn his text around.
const SHOWN_INSTEAD: char = char::REPLACEMENT_CHARACTER;

/// Returns `line` with every character replaced that may not reach another terminal, a log or the history.
///
/// Replaced are the control characters but tab (C0, DEL, C1; so also a carriage return inside a line), the
/// bidirectional embeddings, overrides and isolates, and Unicode's line and paragraph separators. A hidden attack
/// becomes a visible `�`. Lines that are plain ASCII are returned as they are, without a copy.
pub fn clean(line: &str) -> Cow<'_, str> {
    // No early end: so the compiler looks at 16 bytes at a time, which is what nearly every line costs here.
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

/// Appends `words` as server lines no wider than a terminal: `lead` in front of the first, `***   ` of the others.
///
/// For lists of names: 500 of them in one line would be 10 KiB, which few terminals show well.
pub fn push_wrapped(text: &mut String, lead: &str, words: &[&str]) {
    const WIDTH: usize = 78;
    text.push_str(lead);
    let mut column = lead.chars().count();
    for (i, word) in words.iter().enumerate() {
        let comma = if i + 1 < words.len() { "," } else { "" };
        if column + 1 + word.chars().count() + comma.len() > WIDTH && i > 0 {
            text.push_str("\n***  ");
            column = 5;
        }
        text.push(' ');
        text.push_str(word);
        text.push_str(comma);
        column += 1 + word.chars().count() + comma.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(clean("hi there\tyou"), Cow::Borrowed(_)));
        assert!(matches!(clean("été 日本語 👩‍💻"), Cow::Borrowed(_)));
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
                let cleaned = clean(&line);
                assert!(cleaned.contains(SHOWN_INSTEAD), "{line:?} passed");
                assert!(!cleaned.contains(is_unsafe), "{line:?} passed as {cleaned:?}");
            }
        }
    }

    #[test]
    fn lists_wrap_before_the_edge() {
        let names: Vec<String> = (0..60).map(|i| format!("name{i}")).collect();
        let words: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut text = String::new();
        push_wrapped(&mut text, "*** lobby (60):", &words);
        assert!(text.lines().all(|line| line.len() <= 78 && line.starts_with("*** ")));
        assert_eq!(text.matches("name").count(), 60);
    }
}
