//! Finding lines by their words. Runs on the caller's thread.
//!
//! The index of words is made later than the lines, when there is time for it, or at the latest
//! when somebody searches. (Measured: made with each line, as by a trigger, a line costs three
//! times as much when it is written alone, and eight times as much among a thousand. Made later it
//! costs 10 µs that nobody waits for.)
//!
//! A search walks the lines of one room, or of one account, that have its words, the newest first:
//! the number of the room or account is a word of the index, too. What takes long all the same is
//! broken off ([`in_time`]), because nobody's line is written meanwhile.

use super::row::{private_line, room_line, text};
use crate::{
    core::{
        record::{AccountId, HistoryLine, LineId},
        search_words::{MARK, SearchWord, fold, spread},
    },
    cpu_time::thread_nanos,
};
use rusqlite::{Connection, ErrorCode, Params, Result, Row};
use std::time::{Duration, Instant};

/// Lines to index in one transaction: 5 ms of work, and 50 when the index is put in order. A line
/// that is said meanwhile waits for that. Smaller transactions make neither shorter.
pub const INDEX_CHUNK: usize = 500;
/// The processor time that a search may take.
const WORK_MAX: Duration = Duration::from_millis(100);
/// The longest that it may take on a machine that is busy with something else, or with a slow disk: a
/// quarter of the time after which a line that is not written is shown all the same. Where the
/// system does not tell a thread's processor time, the other bound holds for this too.
const TIME_MAX: Duration = if cfg!(unix) { Duration::from_millis(500) } else { WORK_MAX };
/// The answer to a search that takes longer.
pub(super) const TOO_MANY: &str = "too many lines have these words; add a rarer one.";
/// SQLite's steps between two looks at the clock. It takes four to read a page of the index, and
/// most are spent on that: one look for 25 pages, every millisecond or so.
const STEPS: i32 = 100;
/// The word of the index that says by which rules it was made: [`spread`] is the third. It stands in
/// a line that nobody will ever say.
const RULES: &str = "rules3";
const RULES_LINE: i64 = i64::MAX;

/// Whether the index was made by today's rules. An older one tells ß from ss, and accents apart that
/// no Latin letter has; or it has no words of scripts without blanks, and no emoji.
fn is_by_todays_rules(db: &Connection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM line_words WHERE line_words MATCH ?1)";
    let expression = format!("room : \"{MARK}{RULES}\"");
    db.prepare_cached(sql)?.query_row([expression], |row| row.get(0))
}

/// Empties an index that was made by older rules, inside the caller's transaction. The lines are
/// indexed again by [`index_some`], a piece at a time.
pub(super) fn begin_again(db: &Connection) -> Result<()> {
    for table in ["line_words", "private_words"] {
        db.execute(&format!("INSERT INTO {table} ({table}) VALUES ('delete-all')"), [])?;
    }
    db.execute("UPDATE marks SET line_indexed = 0, private_indexed = 0", [])?;
    let rules = format!("{MARK}{RULES}");
    db.execute("INSERT INTO line_words (rowid, room) VALUES (?1, ?2)", (RULES_LINE, rules))?;
    Ok(())
}

/// Whether every line up to this one is indexed, by today's rules.
pub(super) fn is_complete(db: &Connection, last: LineId) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM line WHERE id > line_indexed AND id <= ?1)
                  AND NOT EXISTS (SELECT 1 FROM private WHERE id > private_indexed AND id <= ?1)
               FROM marks";
    Ok(is_by_todays_rules(db)? && db.prepare_cached(sql)?.query_row([last], |row| row.get(0))?)
}

/// Indexes up to `most` lines, inside the caller's transaction. Returns their number.
pub(super) fn index_some(db: &Connection, most: usize) -> Result<usize> {
    if !is_by_todays_rules(db)? {
        begin_again(db)?;
    }
    let lines = index_lines(db, most)?;
    Ok(lines + index_private(db, most - lines)?)
}

fn index_lines(db: &Connection, most: usize) -> Result<usize> {
    let mut select = db.prepare_cached(
        "SELECT id, room, author, body FROM line
         WHERE id > (SELECT line_indexed FROM marks) ORDER BY id LIMIT ?1",
    )?;
    let mut insert = db.prepare_cached(
        "INSERT INTO line_words (rowid, room, author, body) VALUES (?1, char(1) || ?2, ?3, ?4)",
    )?;
    let mut done = Indexed::default();
    let mut rows = select.query([most as i64])?;
    while let Some(row) = rows.next()? {
        let (id, room): (i64, i64) = (row.get(0)?, row.get(1)?);
        insert.execute((id, room, words(row, 2)?, words(row, 3)?))?;
        done.add(id);
    }
    done.note(db, "UPDATE marks SET line_indexed = max(line_indexed, ?1)")
}

fn index_private(db: &Connection, most: usize) -> Result<usize> {
    let mut select = db.prepare_cached(
        "SELECT id, concat_ws(' ', char(1) || author_account, char(1) || reader_account),
             author, reader, body FROM private
         WHERE id > (SELECT private_indexed FROM marks) ORDER BY id LIMIT ?1",
    )?;
    let mut insert = db.prepare_cached(
        "INSERT INTO private_words (rowid, parties, author, reader, body)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let mut done = Indexed::default();
    let mut rows = select.query([most as i64])?;
    while let Some(row) = rows.next()? {
        let (id, parties): (i64, String) = (row.get(0)?, row.get(1)?);
        insert.execute((id, parties, words(row, 2)?, words(row, 3)?, words(row, 4)?))?;
        done.add(id);
    }
    done.note(db, "UPDATE marks SET private_indexed = max(private_indexed, ?1)")
}

/// A text as the index takes it.
fn words(row: &Row<'_>, column: usize) -> Result<String> {
    text(row, column).map(|text| spread(&text).into_owned())
}

/// What was indexed of one table.
#[derive(Default)]
struct Indexed {
    lines: usize,
    last: i64,
}

impl Indexed {
    fn add(&mut self, id: i64) {
        (self.lines, self.last) = (self.lines + 1, id);
    }

    /// Sets the mark behind it. Returns the number of lines.
    fn note(self, db: &Connection, mark: &str) -> Result<usize> {
        if self.lines > 0 {
            db.prepare_cached(mark)?.execute([self.last])?;
        }
        Ok(self.lines)
    }
}

/// Words as an expression of FTS5 in which nothing is syntax: every word is a string, and a `*` is
/// behind it only where a beginning is meant.
fn expression(words: &[SearchWord]) -> String {
    let quote = |word: &SearchWord| {
        let star = if word.is_beginning() { " *" } else { "" };
        format!("\"{}\"{star}", word.indexed().trim().replace('"', "\"\""))
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Runs a search. `None`: it was too much work for [`WORK_MAX`], or took longer than [`TIME_MAX`],
/// and was broken off.
pub(super) fn in_time<T>(
    db: &mut Connection,
    search: impl FnOnce(&Connection) -> Result<T>,
) -> Result<Option<T>> {
    let (began, worked) = (Instant::now(), thread_nanos());
    let is_over = move || {
        thread_nanos() - worked >= WORK_MAX.as_nanos() as u64 || began.elapsed() >= TIME_MAX
    };
    until(db, is_over, search)
}

/// Asks every [`STEPS`] steps whether the time is over.
fn until<T>(
    db: &mut Connection,
    is_over: impl FnMut() -> bool + Send + 'static,
    search: impl FnOnce(&Connection) -> Result<T>,
) -> Result<Option<T>> {
    db.progress_handler(STEPS, Some(is_over))?;
    let found = search(db);
    db.progress_handler(STEPS, None::<fn() -> bool>)?;
    match found {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok(None)
        }
        found => found.map(Some),
    }
}

/// The newest lines of a room that match.
pub(super) fn room_lines(
    db: &Connection,
    words: &[SearchWord],
    room: i64,
    most: usize,
) -> Result<Vec<HistoryLine>> {
    let sql = "SELECT id, at, form, line.author, line.body
               FROM line_words JOIN line ON line.id = line_words.rowid
               WHERE line_words MATCH ?1 AND line.room = ?2 ORDER BY line_words.rowid DESC";
    let found = expression(words);
    let expression = format!("room : \"{MARK}{room}\" AND {{author body}} : ({found})");
    matching(db, sql, (expression, room), words, most, room_line)
}

/// The newest lines that match of those that an account's owner wrote or was sent in private. The
/// table says whose they are: a deleted account is still a word of the index.
pub(super) fn private_lines(
    db: &Connection,
    words: &[SearchWord],
    account: AccountId,
    most: usize,
) -> Result<Vec<HistoryLine>> {
    let sql = "SELECT id, at, private.author, private.reader, private.body, author_account IS ?2
               FROM private_words JOIN private ON private.id = private_words.rowid
               WHERE private_words MATCH ?1 AND (author_account = ?2 OR reader_account = ?2)
               ORDER BY private_words.rowid DESC";
    let found = expression(words);
    let expression =
        format!("parties : \"{MARK}{account}\" AND {{author reader body}} : ({found})");
    matching(db, sql, (expression, account), words, most, private_line)
}

/// The first `most` lines that the index has found and that have the words, with their signs.
fn matching(
    db: &Connection,
    sql: &str,
    values: impl Params,
    words: &[SearchWord],
    most: usize,
    read: impl FnMut(&Row<'_>) -> Result<HistoryLine>,
) -> Result<Vec<HistoryLine>> {
    let signed: Vec<&SearchWord> = words.iter().filter(|word| word.has_signs()).collect();
    let has_signs = |line: &HistoryLine| {
        signed.is_empty() || {
            let text = fold(&line.text);
            signed.iter().all(|word| word.is_in(&text))
        }
    };
    let found = |line: &Result<HistoryLine>| line.as_ref().map_or(true, has_signs);
    db.prepare_cached(sql)?.query_map(values, read)?.filter(found).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        Instant, WORK_MAX, expression, in_time, index_some, private_lines, room_lines,
        thread_nanos, until,
    };
    use crate::{
        core::{record::AccountId, search_words::search_words},
        store::schema,
    };
    use rusqlite::Connection;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    };

    /// Lines of room 1, and of accounts 1 and 2.
    const MANY: i64 = 5000;

    /// They all have a word in common, and another that begins alike. Room 2 has one such line, and
    /// account 3.
    fn crowded(many: i64) -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        schema::create(&mut db, schema::VERSION).unwrap();
        for sql in [
            "INSERT INTO account
             VALUES (1, 'a', 'a', '', 0, 0), (2, 'b', 'b', '', 0, 0), (3, 'c', 'c', '', 0, 0)",
            "INSERT INTO room (id, name, folded) VALUES (1, 'lobby', 'lobby'), (2, 'rare', 'rare')",
        ] {
            db.execute(sql, []).unwrap();
        }
        let transaction = db.unchecked_transaction().unwrap();
        for id in 1..=many + 1 {
            let (room, reader, body) = if id <= many {
                (1, 2, format!("common c{id}"))
            } else {
                (2, 3, "common".to_owned())
            };
            for sql in [
                "INSERT INTO line VALUES (?1, 0, ?2, 0, 'alice', ?4)",
                "INSERT INTO private VALUES (?1, 0, 'a', 1, 'b', ?3, ?4)",
            ] {
                let mut insert = transaction.prepare_cached(sql).unwrap();
                insert.execute((id, room, reader, &body)).unwrap();
            }
        }
        transaction.commit().unwrap();
        while index_some(&db, 500).unwrap() > 0 {}
        db
    }

    /// Lines that were found, or none if it was broken off at this look at the clock; and how often
    /// it looked.
    fn search(
        db: &mut Connection,
        typed: &str,
        in_private: bool,
        whose: i64,
        over_at: usize,
    ) -> (Option<usize>, usize) {
        let (words, looks) = (search_words(typed), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&looks);
        let found = until(
            db,
            move || counted.fetch_add(1, Relaxed) + 1 >= over_at,
            |db| match in_private {
                true => private_lines(db, &words, AccountId(whose), 9),
                false => room_lines(db, &words, whose, 9),
            },
        );
        (found.unwrap().map(|lines| lines.len()), looks.load(Relaxed))
    }

    #[test]
    fn a_search_costs_what_its_own_room_or_account_holds() {
        let mut db = crowded(MANY);
        for in_private in [false, true] {
            let rare = if in_private { 3 } else { 2 };
            for typed in ["common", "common a*"] {
                let (found, looks) = search(&mut db, typed, in_private, rare, usize::MAX);
                assert_eq!(found, Some(1), "{typed}");
                assert!(looks < 10, "{typed}: {looks} of {MANY} lines");
            }
        }
    }

    #[test]
    fn a_search_can_be_broken_off_anywhere_and_the_next_one_finds() {
        let mut db = crowded(MANY);
        for in_private in [false, true] {
            let mut looks = 0;
            loop {
                looks += 1;
                let (found, looked) = search(&mut db, "c* common", in_private, 1, looks);
                // It looks once more when it ends.
                assert!(looked <= looks + 1, "it went on: {looked}, and not {looks}");
                assert_eq!(
                    search(&mut db, "common", in_private, 1, usize::MAX).0,
                    Some(9),
                    "broken off at {looks}"
                );
                if found.is_some() {
                    assert_eq!(found, Some(9));
                    break;
                }
            }
            assert!(looks > 5, "it was hardly ever broken off: {looks}");
        }
    }

    /// A machine that is busy with something else takes no search away; much work does.
    #[test]
    #[cfg(unix)]
    fn a_search_is_broken_off_for_its_work_and_not_for_waiting() {
        let (mut db, words) = (crowded(500), search_words("common"));
        let mut is_found = |has_begun: &dyn Fn(Instant, u64) -> bool| {
            let (began, worked) = (Instant::now(), thread_nanos());
            let found = in_time(&mut db, |db| {
                while !has_begun(began, worked) {
                    std::thread::yield_now();
                }
                room_lines(db, &words, 1, 999)
            });
            found.unwrap().is_some_and(|lines| lines.len() == 500)
        };
        assert!(is_found(&|began, _| {
            std::thread::park_timeout(WORK_MAX);
            began.elapsed() > WORK_MAX
        }));
        assert!(!is_found(&|_, worked| thread_nanos() - worked > WORK_MAX.as_nanos() as u64));
    }

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
            ("^x -y (z)", "\"^x\" \"y\" \"z\""),
            ("a\0b", "\"a\" \"b\""),
            ("\u{1}1", "\"1\""),
            ("\u{1}1*", "\"1\" *"),
            ("hi :-)", "\"hi\""),
            ("C言*", "\"c \u{1}u8a00\""),
        ] {
            assert_eq!(expression(&search_words(typed)), expected, "{typed:?}");
        }
    }
}
