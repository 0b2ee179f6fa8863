//! What stands in a row, in both directions: names, times, and the forms of lines. Runs on the
//! caller's thread; writes nothing.
//!
//! The file may have been edited by others, or be older than a rule of today. So every text that
//! comes out of it passes [`text`], whatever its bytes, and every time [`time`].

use crate::core::{
    record::{HistoryLine, REMEMBERED_MAX},
    wire::sanitize::sanitize,
};
use jiff::Timestamp;
use rusqlite::{
    Connection, OptionalExtension as _, Params, Result, Row,
    types::{FromSql, ValueRef},
};

/// The most bytes of a text that are taken out of the file: as many as of a line that is
/// remembered.
const TEXT_MAX: usize = REMEMBERED_MAX;

/// How a line of a room begins. The author's name is stored once, and the words alone are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `<alice> hi`
    Said = 0,
    /// `* alice waves`
    Did = 1,
    /// `*** Announcement by alice: the exam begins`
    Announced = 2,
    /// As it stands.
    Other = 3,
}

impl Form {
    /// The form of a line by this author, and the words behind its beginning.
    pub(super) fn of<'a>(line: &'a str, author: &str) -> (Form, &'a str) {
        let behind = |lead: &str, end: &str| {
            line.strip_prefix(lead)?.strip_prefix(author)?.strip_prefix(end)
        };
        None.or_else(|| Some((Form::Said, behind("<", "> ")?)))
            .or_else(|| Some((Form::Did, behind("* ", " ")?)))
            .or_else(|| Some((Form::Announced, behind("*** Announcement by ", ": ")?)))
            .unwrap_or((Form::Other, line))
    }

    pub(super) fn from_number(number: i64) -> Form {
        match number {
            0 => Form::Said,
            1 => Form::Did,
            2 => Form::Announced,
            _ => Form::Other,
        }
    }

    /// The line as it was shown, with its end.
    pub(super) fn show(self, author: &str, body: &str) -> String {
        let line = match self {
            Form::Said => format!("<{author}> {body}"),
            Form::Did => format!("* {author} {body}"),
            Form::Announced => format!("*** Announcement by {author}: {body}"),
            Form::Other => body.to_owned(),
        };
        clean(&line)
    }
}

/// A line that is put together of texts that were clean each, with its end: together they may be laid
/// out to look like something else, if the file was edited.
fn clean(line: &str) -> String {
    sanitize(line).into_owned() + "\n"
}

/// What two spellings of a name have in common.
pub(super) fn fold(name: &str) -> String {
    name.to_lowercase()
}

pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

// --- Out of rows ---

pub(super) fn room_id(db: &Connection, name: &str) -> Result<Option<i64>> {
    db.prepare_cached("SELECT id FROM room WHERE folded = ?1")?
        .query_row([fold(name)], |row| row.get(0))
        .optional()
}

/// The first `most` rows.
pub(super) fn rows<T>(
    db: &Connection,
    sql: &str,
    values: impl Params,
    most: usize,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(values, read)?.take(most).collect()
}

/// The value of a query for a single one.
pub(super) fn single<T: FromSql>(db: &Connection, sql: &str) -> Result<T> {
    db.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

pub(super) fn unless_null<T>(
    row: &Row<'_>,
    column: usize,
    read: impl Fn(&Row<'_>, usize) -> Result<T>,
) -> Result<Option<T>> {
    if row.get_ref(column)? == ValueRef::Null { Ok(None) } else { read(row, column).map(Some) }
}

/// A text, clean and bounded, whatever bytes are there.
pub(super) fn text(row: &Row<'_>, column: usize) -> Result<String> {
    let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = row.get_ref(column)? else {
        return Ok(String::new());
    };
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_MAX)]);
    Ok(sanitize(&text[..text.floor_char_boundary(TEXT_MAX)]).into_owned())
}

/// A time. One beyond all calendars becomes 1970.
pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    Ok(Timestamp::from_microsecond(row.get(column)?).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A row (id, at, form, author, body) as members of the room read it.
pub(super) fn room_line(row: &Row<'_>) -> Result<HistoryLine> {
    let shown = Form::from_number(row.get(2)?).show(&text(row, 3)?, &text(row, 4)?);
    Ok(HistoryLine { id: row.get(0)?, at: time(row, 1)?, text: shown })
}

/// A row (id, at, author, reader, body, whether it is shown to its author) as that person reads it.
pub(super) fn private_line(row: &Row<'_>) -> Result<HistoryLine> {
    let to_author: bool = row.get(5)?;
    let (word, name) = if to_author { ("to", text(row, 3)?) } else { ("from", text(row, 2)?) };
    let shown = clean(&format!("[{word} {name}] {}", text(row, 4)?));
    Ok(HistoryLine { id: row.get(0)?, at: time(row, 1)?, text: shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_and_put_together_again() {
        for (line, form, body) in [
            ("<alice> hi", Form::Said, "hi"),
            ("<alice> ", Form::Said, ""),
            ("* alice waves", Form::Did, "waves"),
            ("*** Announcement by alice: go: home", Form::Announced, "go: home"),
            ("<alice2> hi", Form::Other, "<alice2> hi"),
            ("*** alice is now bob", Form::Other, "*** alice is now bob"),
        ] {
            assert_eq!(Form::of(line, "alice"), (form, body), "{line:?}");
            assert_eq!(form.show("alice", body), format!("{line}\n"));
            assert_eq!(Form::from_number(form as i64), form);
        }
    }
}
