//! Long lines in a terminal that wraps by itself (`--inline`): broken at blanks, and indented. No I/O.

use unicode_width::UnicodeWidthChar as _;

/// In front of rows after the first, so that none of them looks like a line.
const INDENT: &str = "  ";

/// Breaks the lines of a text, in which colours take no room, for a window of this width. A word that is
/// longer than a row is left to the terminal: so a link is copied whole.
pub(crate) fn fold(text: &str, columns: usize) -> String {
    let mut folded = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut column = 0;
        for (at, word) in line.split(' ').enumerate() {
            let width = width(word);
            let fits_below = INDENT.len() + width <= columns;
            if at > 0 && column + 1 + width > columns && fits_below && column > INDENT.len() {
                folded.push('\n');
                folded.push_str(INDENT);
                column = INDENT.len();
            } else if at > 0 {
                folded.push(' ');
                column += 1;
            }
            folded.push_str(word);
            column += width;
            if column > columns {
                column = (column - 1) % columns.max(1) + 1;
            }
        }
    }
    folded
}

/// Columns of a word; a tab counts as the most that it can be.
fn width(word: &str) -> usize {
    let mut is_colour = false;
    let mut columns = 0;
    for c in word.chars() {
        match c {
            '\x1b' => is_colour = true,
            'm' if is_colour => is_colour = false,
            _ if is_colour => {}
            '\t' => columns += 8,
            c => columns += c.width().unwrap_or(0),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_long_words_are_not_touched() {
        for (text, columns, folded) in [
            ("one two\n", 7, "one two\n"),
            ("one two three\nfour\n", 7, "one two\n  three\nfour\n"),
            ("<bob> a b c d", 7, "<bob> a\n  b c d"),
            ("<bob> abcdefghi jk now", 7, "<bob> abcdefghi jk\n  now"),
            ("\x1b[2m*** one two\x1b[0m three", 11, "\x1b[2m*** one two\x1b[0m\n  three"),
            ("日本 語の 文", 7, "日本\n  語の\n  文"),
            ("a b c", 1, "a b c"),
            ("a b c", 0, "a b c"),
            ("", 5, ""),
            ("\x1b[A\n", 5, "\x1b[A\n"),
        ] {
            assert_eq!(fold(text, columns), folded, "{text:?} at {columns}");
        }
    }
}
