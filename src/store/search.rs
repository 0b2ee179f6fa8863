//! Finding lines by their words. Runs on the caller's thread.
//!
//! The index of words is made later than the lines, when there is time for it, or at the latest when somebody searches.
//! (Measured: made with each line, as by a trigger, a line costs three times as much when it is written alone, and eight
//! times as much among a thousand. Made later it costs 10 µs, that nobody waits for.)

use super::read::{number, rows, said_line, told_line};
use crate::core::record::{AccountId, PastLine};
use rusqlite::{Connection, Result};

/// Lines indexed in one transaction: 5 ms of work, and 50 when the index is put in order. A line that is said meanwhile
/// waits for that. Fewer at once make neither shorter.
pub const CHUNK: usize = 500;
/// Words of one search that count. More narrow nothing down, and each costs time.
const WORDS_MAX: usize = 16;

/// Whether every line is indexed.
pub(super) fn is_complete(db: &Connection) -> Result<bool> {
    let missing = "SELECT EXISTS (SELECT 1 FROM line WHERE id > line_indexed)
                        OR EXISTS (SELECT 1 FROM private WHERE id > private_indexed) FROM marks";
    number(db, missing).map(|missing| missing == 0)
}

/// Indexes so many lines at most. Runs inside the caller's transaction.
pub(super) fn index_some(db: &Connection, most: usize) -> Result<usize> {
    let lines = index_table(
        db,
        most,
        "SELECT ifnull(max(id), 0) FROM (SELECT id FROM line WHERE id > (SELECT line_indexed FROM marks) ORDER BY id LIMIT ?1)",
        "INSERT INTO line_words (rowid, author, body)
         SELECT id, author, body FROM line WHERE id > (SELECT line_indexed FROM marks) AND id <= ?1",
        "UPDATE marks SET line_indexed = ?1",
    )?;
    let told = index_table(
        db,
        most - lines,
        "SELECT ifnull(max(id), 0) FROM (SELECT id FROM private WHERE id > (SELECT private_indexed FROM marks) ORDER BY id LIMIT ?1)",
        "INSERT INTO private_words (rowid, author, reader, body)
         SELECT id, author, reader, body FROM private WHERE id > (SELECT private_indexed FROM marks) AND id <= ?1",
        "UPDATE marks SET private_indexed = ?1",
    )?;
    Ok(lines + told)
}

fn index_table(db: &Connection, most: usize, last: &str, insert: &str, mark: &str) -> Result<usize> {
    let last: i64 = db.prepare_cached(last)?.query_row([most as i64], |row| row.get(0))?;
    if last == 0 {
        return Ok(0);
    }
    let indexed = db.prepare_cached(insert)?.execute([last])?;
    db.prepare_cached(mark)?.execute([last])?;
    Ok(indexed)
}

/// What was typed as an expression of FTS5 in which nothing is its syntax: every word a string, and a `*` behind it only
/// where one was typed. `None`: there is no word in it.
pub(super) fn expression(typed: &str) -> Option<String> {
    let quote = |word: &str| {
        let beginning = word.trim_end_matches('*');
        let star = if beginning.len() < word.len() { " *" } else { "" };
        // SQLite reads an expression up to its first NUL.
        let quoted = beginning.replace('"', "\"\"").replace('\0', " ");
        beginning.contains(char::is_alphanumeric).then(|| format!("\"{quoted}\"{star}"))
    };
    let words: Vec<String> = typed.split_whitespace().filter_map(quote).take(WORDS_MAX).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The newest lines of a room that match.
pub(super) fn said(db: &Connection, expression: &str, room: i64, most: usize) -> Result<Vec<PastLine>> {
    let sql = "SELECT id, at, form, line.author, line.body FROM line_words JOIN line ON line.id = line_words.rowid
               WHERE line_words MATCH ?1 AND room = ?2 ORDER BY line_words.rowid DESC";
    rows(db, sql, (expression, room), most, said_line)
}

/// The newest lines that match of those that an account wrote or was told in private.
pub(super) fn told(db: &Connection, expression: &str, account: AccountId, most: usize) -> Result<Vec<PastLine>> {
    let sql = "SELECT id, at, private.author, private.reader, private.body, author_account IS ?2
               FROM private_words JOIN private ON private.id = private_words.rowid
               WHERE private_words MATCH ?1 AND (author_account = ?2 OR reader_account = ?2)
               ORDER BY private_words.rowid DESC";
    rows(db, sql, (expression, account), most, told_line)
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn nothing_typed_is_syntax() {
        for (typed, expected) in [
            ("hello", "\"hello\""),
            ("  two words ", "\"two\" \"words\""),
            ("hel*", "\"hel\" *"),
            ("hel***", "\"hel\" *"),
            ("a OR b", "\"a\" \"OR\" \"b\""),
            ("author:bob", "\"author:bob\""),
            ("say\"hi", "\"say\"\"hi\""),
            ("^x -y (z)", "\"^x\" \"-y\" \"(z)\""),
            ("a\0b", "\"a b\""),
            ("hi :-)", "\"hi\""),
        ] {
            assert_eq!(expression(typed).as_deref(), Some(expected), "{typed:?}");
        }
        for nothing in ["", "   ", "*", "\"", "***", ":-)", "\0"] {
            assert_eq!(expression(nothing), None, "{nothing:?}");
        }
    }
}
