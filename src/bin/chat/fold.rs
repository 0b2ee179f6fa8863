//! Long lines in a terminal that wraps by itself (`--inline`): broken at blanks, and indented. No I/O.

use unicode_width::UnicodeWidthChar as _;

/// In front of rows after the first, so that none of them looks like a line.
const INDENT: &str = "  ";

/// Breaks the lines of a text, in which colours take no room, for a window of this width. A link that is
/// longer than a row is left to the terminal, so that it is copied whole. Any other word is broken: the
/// terminal would let its rest begin where a line begins.
pub(crate) fn fold(text: &str, columns: usize) -> String {
    let mut folded = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut column = 0;
        for (at, word) in line.split(' ').enumerate() {
            let width: usize = cells(word).map(|(_, width)| width.unwrap_or(0)).sum();
            let fits_below = INDENT.len() + width <= columns;
            if at > 0 && column + 1 + width > columns && fits_below && column > INDENT.len() {
                column = begin_row(&mut folded);
            } else if at > 0 {
                folded.push(' ');
                column += 1;
            }
            let is_broken = !fits_below && columns > 2 * INDENT.len() && !is_link(word);
            for (c, width) in cells(word) {
                let width = width.unwrap_or(0);
                if is_broken && width > 0 && column + width > columns {
                    column = begin_row(&mut folded);
                }
                folded.push(c);
                column += width;
            }
            if column > columns {
                column = (column - 1) % columns.max(1) + 1;
            }
        }
    }
    folded
}

/// Begins another row of the same line. Returns its column.
fn begin_row(folded: &mut String) -> usize {
    folded.push('\n');
    folded.push_str(INDENT);
    INDENT.len()
}

/// Whether a word is a link, and no part of it can be taken for the beginning of a line: a mark, a name,
/// or the client's own `chat:`.
fn is_link(word: &str) -> bool {
    let word: String = cells(word).filter(|(_, width)| width.is_some()).map(|(c, _)| c).collect();
    let word = word.trim_end();
    (word.starts_with("http://") || word.starts_with("https://"))
        && !word.contains(['<', '>', '*', '[', '('])
        && !word.ends_with(':')
}

/// The characters of a word with their columns; `None`: it belongs to a colour. A tab counts as the most
/// that it can be.
fn cells(word: &str) -> impl Iterator<Item = (char, Option<usize>)> {
    let mut is_colour = false;
    word.chars().map(move |c| {
        is_colour |= c == '\x1b';
        let width = match c {
            _ if is_colour => None,
            '\t' => Some(8),
            c => Some(c.width().unwrap_or(0)),
        };
        is_colour &= c != 'm';
        (c, width)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_no_row_begins_where_a_line_does() {
        for (text, columns, folded) in [
            ("one two\n", 7, "one two\n"),
            ("one two three\nfour\n", 7, "one two\n  three\nfour\n"),
            ("<bob> a b c d", 7, "<bob> a\n  b c d"),
            ("<bob> abcdefghi jk now", 7, "<bob> a\n  bcdef\n  ghi\n  jk\n  now"),
            ("<bob> zzzz<eve> go", 10, "<bob> zzzz\n  <eve> go"),
            ("a \x1b[2mbcdefghijk\x1b[0m l", 7, "a \x1b[2mbcdef\n  ghijk\x1b[0m\n  l"),
            ("a http://b.c/d e", 7, "a http://b.c/d\n  e"),
            ("a \x1b[2mhttp://b.c/d\x1b[0m\n", 7, "a \x1b[2mhttp://b.c/d\x1b[0m\n"),
            ("a http://<eve> e", 9, "a http://\n  <eve> e"),
            ("http://b.chat: e", 9, "http://b.\n  chat: e"),
            ("\x1b[2m*** one two\x1b[0m three", 11, "\x1b[2m*** one two\x1b[0m\n  three"),
            ("日本 語の 文", 7, "日本\n  語の\n  文"),
            ("日本語の文", 5, "日本\n  語\n  の\n  文"),
            ("a b c", 1, "a b c"),
            ("a b c", 0, "a b c"),
            ("", 5, ""),
            ("\x1b[A\n", 5, "\x1b[A\n"),
        ] {
            assert_eq!(fold(text, columns), folded, "{text:?} at {columns}");
        }
    }
}
