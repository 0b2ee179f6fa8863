//! What a stranger typed, made safe for other people's terminals.
//!
//! Every line passes here once, on its way in (`Session`), before it can become talk, a name, a
//! topic or a reason: so there is one place to check, and none to forget.

use super::line::LINE_MAX;
use std::borrow::Cow;
use unicode_width::UnicodeWidthChar as _;
use zeroize::Zeroize as _;

/// What is shown instead of a character that could move somebody's cursor, colour their screen or
/// turn their text around.
const SHOWN_INSTEAD: char = char::REPLACEMENT_CHARACTER;

/// The widest run of blanks at the beginning of a line, in columns: code of three levels, by tabs.
const INDENT_MAX: usize = 24;
/// The widest run of blanks after that. (A run as wide as the terminal would put what follows it at
/// the beginning of a row, where it looks like a line of its own.)
const BLANKS_MAX: usize = 8;
/// The columns that a tab may take.
const TAB: usize = 8;
/// The most characters without a width behind one that has one: accents, vowel signs, joiners. No
/// script needs more.
const MARKS_MAX: usize = 8;

/// Returns `line`, safe to show, to log and to keep. A line that is plain is not copied.
///
/// - Control characters become a visible `�`, as in [`replace_controls`].
/// - Runs of blanks of any kind are cut to `INDENT_MAX` columns in front and `BLANKS_MAX`
///   later, so that nobody can lay out a line that looks like another kind.
/// - Characters that show nothing are left out, except where they belong to a visible one: accents,
///   the joiners of emoji and of Indic and Persian words. So a line of nothing visible is blank.
/// - The result has at most `LINE_MAX` bytes, or as many as `line` has: a line that is longer
///   when it is made visible is cut.
///
/// There may be a password in it: no copy is left in memory but the result.
pub fn sanitize(line: &str) -> Cow<'_, str> {
    // No early exit, so that the compiler checks 16 bytes at a time. Nearly every line costs only
    // this.
    let bytes = line.as_bytes();
    let (mut is_plain, mut has_run) = (true, false);
    for byte in bytes {
        is_plain &= matches!(byte, b' '..=b'~');
    }
    for pair in bytes.windows(2) {
        has_run |= pair == b"  ";
    }
    if is_plain && !has_run {
        return Cow::Borrowed(line);
    }
    let most = line.len().max(LINE_MAX);
    let mut safe = Safe { text: String::with_capacity(most + TAB), ..Safe::default() };
    for c in line.chars() {
        let length = safe.text.len();
        safe.push(c);
        if safe.text.len() > most {
            safe.text.truncate(length);
            break;
        }
    }
    if safe.text != line {
        return Cow::Owned(safe.text);
    }
    safe.text.zeroize();
    Cow::Borrowed(line)
}

/// Returns `line`, with every character replaced that drives a terminal. Its layout stays: for
/// passwords, and for lines of a server's, which may be tables.
///
/// It replaces the control characters except tab (C0, DEL, C1; so also a carriage return inside a
/// line), the bidirectional embeddings, overrides and isolates, and Unicode's line and paragraph
/// separators. A hidden attack becomes a visible `�`.
pub fn replace_controls(line: &str) -> Cow<'_, str> {
    if !line.contains(is_control) {
        return Cow::Borrowed(line);
    }
    // It has its place from the beginning: a string that grows leaves copies behind.
    let mut shown = String::with_capacity(SHOWN_INSTEAD.len_utf8() * line.len());
    shown.extend(line.chars().map(|c| if is_control(c) { SHOWN_INSTEAD } else { c }));
    Cow::Owned(shown)
}

fn is_control(c: char) -> bool {
    match c {
        '\t' => false,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true, // bidi embeddings, overrides, isolates
        '\u{2028}' | '\u{2029}' => true,                           // line and paragraph separator
        _ => c.is_control(),
    }
}

/// How a character takes part in the layout of a line.
enum Kind {
    /// It has a width and shows nothing.
    Blank,
    /// It shows nothing wherever it stands.
    Hidden,
    /// It has no width of its own: it belongs to the one before it.
    Mark,
    Visible,
}

fn kind(c: char) -> Kind {
    match c {
        '!'..='~' => Kind::Visible,
        _ if c.is_whitespace() => Kind::Blank,
        // Hangul fillers, a braille pattern without dots, an empty note, empty hieroglyphs.
        '\u{115F}' | '\u{3164}' | '\u{FFA0}' | '\u{2800}' | '\u{1D159}' | '\u{13441}'
        | '\u{13442}' => Kind::Blank,
        // Soft hyphen, and format characters for programs. (Direction marks and joiners are none.)
        '\u{AD}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' => Kind::Hidden,
        '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' => Kind::Hidden,
        '\u{13430}'..='\u{1343F}' | '\u{1D173}'..='\u{1D17A}' => Kind::Hidden,
        // Tags: the flags of England, Scotland and Wales are written with them.
        '\u{E0020}'..='\u{E007F}' => Kind::Mark,
        '\u{E0000}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}' => Kind::Hidden,
        _ if c.width() == Some(0) => Kind::Mark,
        _ => Kind::Visible,
    }
}

/// A line that is being made safe.
#[derive(Default)]
struct Safe {
    text: String,
    /// The columns of the run of blanks that it ends in.
    blanks: usize,
    has_text: bool,
    /// The last character with a width, if no blank follows it, and the marks behind it.
    base: Option<char>,
    marks: usize,
}

impl Safe {
    fn push(&mut self, c: char) {
        if is_control(c) {
            return self.show(SHOWN_INSTEAD);
        }
        match kind(c) {
            Kind::Visible => self.show(c),
            Kind::Blank => self.leave_blank(c),
            Kind::Hidden => {}
            Kind::Mark => {
                let is_tag = matches!(c, '\u{E0020}'..='\u{E007F}');
                let belongs = self.base.is_some_and(|base| !is_tag || base == '\u{1F3F4}');
                if belongs && self.marks < MARKS_MAX {
                    self.marks += 1;
                    self.text.push(c);
                }
            }
        }
    }

    fn show(&mut self, c: char) {
        self.text.push(c);
        (self.blanks, self.has_text, self.base, self.marks) = (0, true, Some(c), 0);
    }

    /// Appends a blank, or as much of it as the run may still have. One that is no space to a
    /// program becomes one, so that whoever asks whether a text is blank need not know of it.
    fn leave_blank(&mut self, c: char) {
        let left = if self.has_text { BLANKS_MAX } else { INDENT_MAX } - self.blanks;
        let width = match c {
            '\t' => TAB,
            '\u{3164}' => 2,
            _ => c.width().unwrap_or(1).clamp(1, 2),
        };
        if c.is_whitespace() && width <= left {
            self.text.push(c);
        } else {
            self.text.extend(std::iter::repeat_n(' ', width.min(left)));
        }
        self.blanks += width.min(left);
        self.base = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal of this width shows of a line, row by row. Tabs go to the next multiple of
    /// 8.
    fn rows(line: &str, width: usize) -> Vec<String> {
        let (mut rows, mut column) = (vec![String::new()], 0);
        for c in line.chars() {
            let columns = if c == '\t' { TAB - column % TAB } else { c.width().unwrap_or(0) };
            if column + columns > width {
                rows.push(String::new());
                column = 0;
            }
            rows.last_mut().unwrap().push(c);
            column += columns;
        }
        rows
    }

    #[test]
    fn plain_text_is_not_copied() {
        for line in [
            "hi there\tyou",
            "été 日本語 👩‍💻",
            "  two, and    four",
            "                        24 in front",
            "\t\t\tint x;        // eight",
            "می‌خواهم",
            "क्‍ष \u{928}\u{93F}",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F} 👨‍👩‍👧‍👦 ❤️ 1️⃣ 🇫🇷",
            "שָׁלוֹם\u{200F} x",
            "e\u{301}\u{323}",
            "",
        ] {
            assert!(matches!(sanitize(line), Cow::Borrowed(_)), "{line:?}: {:?}", sanitize(line));
        }
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
            "\u{2029}",
            "\u{85}",
            "\x0b",
            "\x0c",
            "\0",
        ] {
            for place in 0..70 {
                let line = format!("{}{attack}{}", "a".repeat(place), "b".repeat(70 - place));
                for safe in [sanitize(&line), replace_controls(&line)] {
                    assert!(safe.contains(SHOWN_INSTEAD), "{line:?} passed");
                    assert!(!safe.contains(is_control), "{line:?} passed as {safe:?}");
                }
            }
        }
    }

    #[test]
    fn no_run_of_blanks_reaches_the_next_row() {
        const FORGED: &str = "*** Announcement by teacher: class is over, go home.";
        let blanks = [
            " ",
            "\t",
            "\u{a0}",
            "\u{2003}",
            "\u{3000}",
            "\u{2800}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{115f}",
            "\u{1d159}",
            "\u{1680}",
            "\u{205f}",
            "\u{202f}",
            " \u{200b}",
            "\u{a0}\u{ad}",
            " \u{2060}",
            " \u{feff}",
            " \u{200d}",
            " \u{200c}",
            " \u{fe0f}",
            " \u{e0041}",
            " \u{301}",
            " \u{34f}",
            " \u{180e}",
            "\u{2800}\u{301}",
            "\t \u{200e}",
            " \u{e0100}",
            "\u{13441}",
            " \u{1160}",
            "\u{3000}\u{2063}",
            "\u{200b}",
            "\u{301}",
            "\u{fff9} ",
        ];
        for blank in blanks {
            for (lead, counts) in [("x", 1..=130), ("", 60..=75), ("int x;", 60..=75)] {
                for count in counts {
                    let line = format!("{lead}{}{FORGED}", blank.repeat(count));
                    let safe = sanitize(&line);
                    let shown = format!("<mallory> {safe}");
                    for width in [80, 100, 132] {
                        let rows = rows(&shown, width);
                        let forged = |row: &String| row.trim_start().starts_with("***");
                        assert!(!rows.iter().any(forged), "{blank:?} × {count}: {rows:?}");
                    }
                    assert_eq!(sanitize(&safe), safe, "once is enough");
                }
            }
        }
    }

    #[test]
    fn marks_are_few_and_a_line_of_nothing_visible_is_blank() {
        let zalgo = format!("a{}b", "\u{301}".repeat(300));
        assert_eq!(sanitize(&zalgo), format!("a{}b", "\u{301}".repeat(MARKS_MAX)));
        for nothing in [
            "\u{200b}",
            "\u{301}\u{302}",
            "\u{2800}\u{2800}",
            "\u{3164}",
            "\u{ad}",
            "\u{feff}",
            "\u{200d}\u{200c}",
            "\u{e0041}\u{e007f}",
            " \u{a0}\u{3000}\t",
            "\u{fe0f}",
            "\u{200e}",
            "\u{1160}",
            "\u{1d159}",
            "\u{2063}",
        ] {
            assert_eq!(sanitize(nothing).trim(), "", "{nothing:?}");
        }
        assert_eq!(sanitize("\u{feff}hi"), "hi", "a file's mark");
        assert_eq!(sanitize("a\t\tb"), "a\tb");
        assert_eq!(sanitize("a  \tb"), "a        b");
        assert_eq!(
            sanitize(&format!("{}x", " ".repeat(40))),
            format!("{}x", " ".repeat(INDENT_MAX))
        );
    }

    #[test]
    fn a_line_is_never_longer_than_the_longest() {
        for c in ["\u{1}", "\u{1}a", "\u{9b}", "\u{202e}", "é\u{7f}", "\t\t", "\u{3164}"] {
            let line = c.repeat(LINE_MAX / c.len());
            let safe = sanitize(&line);
            assert!(safe.len() <= LINE_MAX, "{c:?}: {} bytes", safe.len());
        }
    }

    #[test]
    fn what_shows_nothing_is_left_out_also_behind_a_letter() {
        for c in "\u{ad}\u{200b}\u{2060}\u{fff9}\u{13430}\u{1d173}\u{e0001}\u{e01f0}".chars() {
            assert_eq!(sanitize(&format!("a{c}b")), "ab", "{c:?}");
        }
        assert_eq!(sanitize("a\u{3164}b"), "a  b", "it is two columns wide");
    }

    #[test]
    fn a_line_of_blanks_is_short_and_the_longest_line_is_whole() {
        assert_eq!(sanitize(&" ".repeat(100)).len(), INDENT_MAX);
        let longest = format!("é{}", "x".repeat(LINE_MAX - 2));
        assert_eq!(sanitize(&longest), longest);
    }
}
