//! Entries laid out as rows of the window: wrapped at words, with their times in front. No I/O.

use super::{
    scrollback::{Entry, Shown},
    style,
};
use crate::server_line::{LineKind, ServerLine};
use jiff::civil::Date;
use ratatui::{
    style::Style,
    text::{Line, Span},
};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns of a time and the blank behind it.
const TIME: usize = 6;

/// Blanks in front of rows after the first, where no time stands: else what somebody says could be made to
/// begin a row, where a line begins.
const INDENT: usize = 2;

/// A window narrower than this has no times.
const WIDTH_WITH_TIMES: usize = 30;

/// Columns of chatd's tables.
const TABLE: usize = 80;

/// Blanks that a tab becomes.
const TAB: &str = "    ";

/// How rows are laid out.
#[derive(Clone, Copy)]
pub(crate) struct Layout<'a> {
    pub(crate) width: usize,
    /// Whose mentions are marked.
    pub(crate) me: Option<&'a str>,
    /// Up to here one has read: a rule stands behind it.
    pub(crate) marker: Option<u64>,
    /// What is looked for, in small letters.
    pub(crate) found: Option<u64>,
    pub(crate) has_colours: bool,
    pub(crate) has_times: bool,
    /// They are marked as mentions are.
    pub(crate) words: &'a [String],
}

impl Layout<'_> {
    /// The rows of an entry; `before` is the one above it.
    pub(crate) fn rows(&self, entry: &Entry, before: Option<&Entry>) -> Vec<Line<'static>> {
        let mut rows = Vec::new();
        let day = day_of(entry);
        if before.is_none_or(|before| day_of(before) != day) {
            rows.push(self.rule(&day.strftime("%A, %-d %B %Y").to_string()));
        }
        if let Some(before) = before
            && self.marker == Some(before.number)
        {
            rows.push(self.rule("read up to here"));
        }
        let has_times = self.has_times && self.width >= WIDTH_WITH_TIMES;
        let mut parts = Vec::new();
        let indent = if has_times { TIME } else { INDENT };
        let fits = self.width >= if has_times { TABLE + TIME } else { TABLE };
        if let Some(row) = row_of_table(entry, before).filter(|_| !fits) {
            let is_found = self.found == Some(entry.number);
            let style = if is_found { style::mention() } else { style::sentence() };
            rows.extend(wrap(&[Span::styled(row.to_owned(), style)], self.width, INDENT));
            return rows;
        }
        if has_times {
            let style = style::time(self.found == Some(entry.number));
            parts.push(Span::styled(time_of(entry), style));
            parts.push(Span::raw(" "));
        }
        match &entry.shown {
            Shown::Line(line) => self.line(line, &mut parts),
            Shown::Notice(text) => {
                parts.push(Span::styled(format!("chat: {text}"), style::notice(self.has_colours)));
            }
        }
        rows.extend(wrap(&parts, self.width, indent));
        rows
    }

    /// A line of ours that is not said yet, on one row.
    pub(crate) fn on_its_way(&self, line: &str) -> Line<'static> {
        Line::styled(format!("  …   {}", line.replace('\t', TAB)), style::sentence())
    }

    fn rule(&self, text: &str) -> Line<'static> {
        let sides = self.width.saturating_sub(text.width() + 2);
        let (left, right) = (sides / 2, sides - sides / 2);
        let text = format!("{} {text} {}", "─".repeat(left), "─".repeat(right));
        Line::styled(text, style::rule())
    }

    fn line(&self, line: &ServerLine, parts: &mut Vec<Span<'static>>) {
        let mut push =
            |text: &str, style: Style| parts.push(Span::styled(text.replace('\t', TAB), style));
        let plain = Style::new();
        match line.kind {
            LineKind::Sentence => push(line.without_time(), style::sentence()),
            LineKind::Plain => push(line.without_time(), plain),
            LineKind::PrivateFrom | LineKind::PrivateTo => {
                let marks = line.marks();
                let name = [marks.0, line.name(), marks.1].concat();
                push(&name, style::private(self.has_colours));
                push(line.body(), plain);
            }
            LineKind::Say | LineKind::Act => {
                let (marks, body) = (line.marks(), line.body());
                push(marks.0, plain);
                push(line.name(), style::name(line.name(), self.me, self.has_colours));
                push(marks.1, plain);
                let mut end = 0;
                for at in line.mentions(self.me, self.words) {
                    push(&body[end..at.start], plain);
                    push(&body[at.clone()], style::mention());
                    end = at.end;
                }
                push(&body[end..], plain);
            }
        }
    }
}

/// A row of a table, without the mark in front of it. In a narrow window it has no time, either, or
/// it would not fit. It begins with blanks or with a word and blanks, or another row stands above it:
/// blanks further on are somebody's own, in a topic, or in why they leave.
fn row_of_table<'a>(entry: &'a Entry, before: Option<&Entry>) -> Option<&'a str> {
    fn sentence(entry: &Entry) -> Option<&str> {
        let Shown::Line(line) = &entry.shown else { return None };
        line.text.strip_prefix("*** ")
    }
    let row = sentence(entry)?;
    let is_first =
        row.split_once(' ').is_some_and(|(_, rest)| row.starts_with(' ') || rest.starts_with(' '));
    let is_below = || before.and_then(sentence).is_some_and(|before| before.contains("  "));
    (is_first || row.contains("  ") && is_below()).then_some(row)
}

/// The day of an entry: a past line may say it.
fn day_of(entry: &Entry) -> Date {
    let told = match &entry.shown {
        Shown::Line(line) => line.time().get(1..11).and_then(|date| date.parse().ok()),
        Shown::Notice(_) => None,
    };
    told.unwrap_or(entry.at.date)
}

/// The time of an entry: its own, or when it came.
fn time_of(entry: &Entry) -> String {
    let told = match &entry.shown {
        Shown::Line(line) => line.time().trim_end_matches([')', ']', ' ']),
        Shown::Notice(_) => "",
    };
    match told.len().checked_sub("12:30".len()).and_then(|at| told.get(at..)) {
        Some(time) => time.to_owned(),
        None => format!("{:02}:{:02}", entry.at.hour, entry.at.minute),
    }
}

/// Wraps at blanks; a word that is longer than a row is broken. Rows after the first are indented.
fn wrap(parts: &[Span<'static>], width: usize, indent: usize) -> Vec<Line<'static>> {
    let cells: Vec<(&str, Style)> = parts
        .iter()
        .flat_map(|part| part.content.graphemes(true).map(|cell| (cell, part.style)))
        .collect();
    let indent = if width > 2 * indent { indent } else { 0 };
    let (mut rows, mut start) = (Vec::new(), 0);
    while start < cells.len() || rows.is_empty() {
        let is_first = rows.is_empty();
        let room = (width - if is_first { 0 } else { indent }).max(1);
        let end = end_of_row(&cells, start, room, if is_first { indent } else { 0 });
        let mut row = vec![Span::raw(" ".repeat(if is_first { 0 } else { indent }))];
        for (cell, style) in &cells[start..end] {
            match row.last_mut() {
                Some(last) if last.style == *style => last.content.to_mut().push_str(cell),
                _ => row.push(Span::styled((*cell).to_owned(), *style)),
            }
        }
        rows.push(Line::from(row));
        start = end;
        if cells.get(start).is_some_and(|(cell, _)| *cell == " ") {
            start += 1; // the blank at which it was broken
        }
    }
    rows
}

/// Where the row that begins at `start` ends. It is not broken within the first `fixed` cells.
fn end_of_row(cells: &[(&str, Style)], start: usize, room: usize, fixed: usize) -> usize {
    let (mut used, mut blank) = (0, None);
    for (at, (cell, _)) in cells.iter().enumerate().skip(start) {
        used += cell.width();
        if *cell == " " && at >= start + fixed {
            blank = Some(at);
        }
        if used > room {
            return blank.unwrap_or(at).max(start + 1);
        }
    }
    cells.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp::Stamp;

    fn wrapped(text: &str, width: usize, indent: usize) -> Vec<String> {
        let parts = [Span::raw(text.to_owned())];
        wrap(&parts, width, indent).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn text_is_wrapped_at_words_and_a_long_word_is_broken() {
        assert_eq!(wrapped("one two three", 8, 0), ["one two", "three"]);
        assert_eq!(wrapped("12:30 one two", 10, 6), ["12:30 one", "two"]);
        assert_eq!(
            wrapped("12:30 one two three four", 14, 6),
            ["12:30 one two", "      three", "      four"]
        );
        assert_eq!(wrapped("abcdefgh", 3, 0), ["abc", "def", "gh"]);
        assert_eq!(wrapped("日本語", 4, 0), ["日本", "語"]);
        assert_eq!(wrapped("日本", 1, 0), ["日", "本"], "as well as it can be");
        assert_eq!(wrapped("", 5, 0), [""]);
        let long = "x".repeat(1000);
        assert_eq!(wrapped(&long, 80, 6).concat().replace(' ', ""), long);
    }

    #[test]
    fn rows_of_a_table_fit_a_terminal_of_80_columns() {
        let layout = |width| Layout {
            width,
            me: None,
            marker: None,
            found: None,
            has_colours: false,
            has_times: true,
            words: &[],
        };
        let row = format!("*** {:<74}|", "c1:alice");
        let at = Stamp { date: Date::constant(2026, 11, 28), hour: 12, minute: 30 };
        let entry = |text: &str| {
            let shown = Shown::Line(ServerLine::new(text.as_bytes()));
            Entry { number: 1, at, shown }
        };
        let rows = |text: &str, width| {
            let (before, entry) = (entry("*** Threads"), entry(text));
            let rows = layout(width).rows(&entry, Some(&before));
            rows.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        for width in [78, 85] {
            assert_eq!(rows(&row, width), [&row[4..]]);
        }
        assert_eq!(rows(&row, 86), [format!("12:30 {row}")]);
        assert_eq!(rows("*** bob entered lobby", 80), ["12:30 *** bob entered lobby"]);
    }

    /// Where a line begins stands nothing that somebody else has written: neither blanks that look like
    /// a table's, nor a window without times makes room for it.
    #[test]
    fn no_row_after_the_first_begins_where_a_line_begins() {
        let at = Stamp { date: Date::constant(2026, 11, 28), hour: 12, minute: 30 };
        let entry = |text: &str| {
            let shown = Shown::Line(ServerLine::new(text.as_bytes()));
            Entry { number: 1, at, shown }
        };
        let before = entry("*** Rooms:");
        for has_times in [true, false] {
            for width in [20, 79, 80, 85, 86, 100] {
                for head in [
                    "<eve> ",
                    "*** eve left lobby (quit: a  ",
                    "***   math   1 here   ",
                    "***   a  ",
                ] {
                    let text = format!("{head}{} 12:31 <@boss> go home", "z".repeat(width - 8));
                    let layout = Layout {
                        width,
                        me: None,
                        marker: None,
                        found: None,
                        has_colours: false,
                        has_times,
                        words: &[],
                    };
                    for row in layout.rows(&entry(&text), Some(&before)).iter().skip(1) {
                        assert!(row.to_string().starts_with("  "), "{width} {text}: {row}");
                    }
                }
            }
        }
    }
}
