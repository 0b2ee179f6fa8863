//! Rows into snapshots and answers. Runs on the caller's thread; writes nothing.

use super::{
    returning,
    row::{micros, private_line, room_id, room_line, rows, single, text, time, unless_null},
    search, since,
};
use crate::core::{
    record::{
        Account, AccountId, Author, Found, HistoryLine, LineId, PasswordHash, PasswordMark, Query,
        RoomSnapshot, SETTINGS_ROOMS_MAX, Sanction, SanctionKind, Settings, Snapshot, Target,
    },
    search_words::search_words,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, Result, Row};
use std::collections::BTreeMap;

/// Without a bound, a database that uses more than these bytes is worth a word.
pub const LARGE: u64 = 1024 * 1024 * 1024;
/// Settings of one room that are read. No more than a few have a meaning, but the file may have
/// been edited.
const SETTINGS_MAX: usize = 32;
/// Sanctions that are read: twice as many as the rooms have in force at once. The others have ended,
/// or the file was edited.
const SANCTIONS_MAX: usize = 2_000;

// --- What a server starts with ---

pub(super) fn snapshot(db: &Connection, rooms: usize, lines: usize) -> Result<Snapshot> {
    Ok(Snapshot {
        accounts: accounts(db)?,
        guest_mail: guest_mail(db)?,
        passwords: passwords(db)?,
        sanctions: sanctions(db)?,
        other_settings: other_settings(db, rooms)?,
        rooms: last_rooms(db, rooms, lines)?,
        forgotten: single(db, "SELECT last_line FROM marks")?,
        epoch: Some(single::<i64>(db, "SELECT epoch FROM marks")?.unsigned_abs()),
        returning: if rooms == 0 { Vec::new() } else { returning::read(db)? },
        last_line: single(
            db,
            "SELECT max(last_line, ifnull((SELECT max(id) FROM line), 0),
                        ifnull((SELECT max(id) FROM private), 0)) FROM marks",
        )?,
        last_account: last_account(db)?,
        is_large: used_and_free(db)?.0 > LARGE,
    })
}

/// Bytes in which something is, and free pages.
pub(super) fn used_and_free(db: &Connection) -> Result<(u64, i64)> {
    let [page, pages, free] = ["page_size", "page_count", "freelist_count"]
        .map(|name| single::<i64>(db, &format!("PRAGMA {name}")));
    let (free, page) = (free?, page?);
    Ok((((pages? - free) * page).unsigned_abs(), free))
}

/// The number of the last line that there is.
pub(super) fn last_line(db: &Connection) -> Result<LineId> {
    single(
        db,
        "SELECT max(ifnull((SELECT max(id) FROM line), 0), ifnull((SELECT max(id) FROM private), 0))",
    )
}

/// Whether this line is there, said at this time.
pub(super) fn has_line(db: &Connection, id: LineId, at: Timestamp) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM line WHERE id = ?1 AND at = ?2)
                   OR EXISTS (SELECT 1 FROM private WHERE id = ?1 AND at = ?2)";
    db.prepare_cached(sql)?.query_row((id, micros(at)), |row| row.get(0))
}

pub(super) fn last_account(db: &Connection) -> Result<AccountId> {
    single(db, "SELECT max(last_account, ifnull((SELECT max(id) FROM account), 0)) FROM marks")
}

fn accounts(db: &Connection) -> Result<Vec<Account>> {
    let sql = "SELECT id, name, is_admin, since,
                   (SELECT count(*) FROM mailbox WHERE owner = account.id)
               FROM account ORDER BY id";
    rows(db, sql, [], usize::MAX, |row| {
        Ok(Account {
            id: row.get(0)?,
            name: text(row, 1)?,
            is_admin: row.get(2)?,
            since: time(row, 3)?,
            mail: row.get::<_, u32>(4)? as usize,
        })
    })
}

/// A message whose author's account was deleted counts, too.
fn guest_mail(db: &Connection) -> Result<Vec<(AccountId, usize)>> {
    let sql = "SELECT owner, count(*) FROM mailbox JOIN private ON private.id = mailbox.line
               WHERE author_account IS NULL GROUP BY owner ORDER BY owner";
    rows(db, sql, [], usize::MAX, |row| Ok((row.get(0)?, row.get::<_, u32>(1)? as usize)))
}

fn passwords(db: &Connection) -> Result<BTreeMap<AccountId, PasswordMark>> {
    let marks = rows(db, "SELECT id, password FROM account", [], usize::MAX, |row| {
        Ok((row.get(0)?, PasswordHash(text(row, 1)?).mark()))
    })?;
    Ok(marks.into_iter().collect())
}

/// Those that have ended too, as far as they are still there: whether one has is for the time of an
/// event to say. The ones that last longest come first, if there are too many.
fn sanctions(db: &Connection) -> Result<Vec<Sanction>> {
    let sql = "SELECT kind, whom, subject, until, by, why FROM sanction
               ORDER BY until IS NOT NULL, until DESC";
    rows(db, sql, [], SANCTIONS_MAX, |row| {
        let target = text(row, 2)?;
        let is_name = text(row, 1)? == "name";
        Ok(Sanction {
            kind: if text(row, 0)? == "ban" { SanctionKind::Ban } else { SanctionKind::Mute },
            target: if is_name { Target::Name(target) } else { Target::Address(target) },
            until: unless_null(row, 3, time)?,
            by: text(row, 4)?,
            why: unless_null(row, 5, text)?,
        })
    })
}

fn last_rooms(db: &Connection, most: usize, most_lines: usize) -> Result<Vec<RoomSnapshot>> {
    let sql = "SELECT id, name, (SELECT max(id) FROM line WHERE line.room = room.id) AS last
               FROM room WHERE last IS NOT NULL
                   OR EXISTS (SELECT 1 FROM room_setting WHERE room_setting.room = room.id)
               ORDER BY last DESC";
    rows(db, sql, [], most, |row| {
        let room = row.get(0)?;
        let lines = room_lines(db, room, LineId::MAX, None, most_lines)?;
        Ok(RoomSnapshot {
            name: text(row, 1)?,
            settings: room_settings(db, room)?,
            lines: in_order(lines, most_lines),
        })
    })
}

/// The settings of all rooms but the first `rooms`, which [`last_rooms`] reads. Those of the lobby,
/// where everybody starts, come first, if it is one of these.
fn other_settings(db: &Connection, rooms: usize) -> Result<Vec<(String, Settings)>> {
    if rooms == 0 {
        return Ok(Vec::new()); // nothing of the rooms is wanted
    }
    let sql = "SELECT id, name FROM (
                   SELECT id, name, folded, (SELECT max(id) FROM line WHERE line.room = room.id) AS last
                   FROM room WHERE last IS NOT NULL
                       OR EXISTS (SELECT 1 FROM room_setting WHERE room_setting.room = room.id)
                   ORDER BY last DESC LIMIT -1 OFFSET ?1
               ) AS other
               WHERE EXISTS (SELECT 1 FROM room_setting WHERE room_setting.room = other.id)
               ORDER BY folded = 'lobby' DESC, last DESC";
    rows(db, sql, [rooms as i64], SETTINGS_ROOMS_MAX, |row| {
        Ok((text(row, 1)?, room_settings(db, row.get(0)?)?))
    })
}

fn room_settings(db: &Connection, room: i64) -> Result<Settings> {
    let sql = "SELECT name, value, by, account FROM room_setting WHERE room = ?1 ORDER BY name";
    let settings = rows(db, sql, [room], SETTINGS_MAX, |row| {
        let by = Author { name: text(row, 2)?, account: row.get(3)? };
        Ok((text(row, 0)?, (text(row, 1)?, by)))
    })?;
    Ok(settings.into_iter().collect())
}

// --- What is asked ---

pub(super) fn find(db: &mut Connection, query: &Query) -> Result<Found> {
    match query {
        Query::Password(account) => {
            let found = db
                .prepare_cached("SELECT password FROM account WHERE id = ?1")?
                .query_row([account], |row| text(row, 0).map(PasswordHash));
            Ok(Found::Password(found.optional()?))
        }
        Query::Older { room, account, before, since, most } => {
            let mut lines = match room_id(db, room)? {
                Some(room) => room_lines(db, room, *before, *since, *most)?,
                None => Vec::new(),
            };
            if let Some(account) = account {
                lines.extend(private_lines(db, *account, *before, *since, *most)?);
            }
            Ok(Found::Lines(in_order(lines, *most)))
        }
        Query::Since { .. } | Query::CountSince { .. } => since::find(db, query),
        Query::Search { room, account, words, most } => {
            let words = search_words(words);
            if words.is_empty() {
                return Ok(Found::Lines(Vec::new()));
            }
            let found = search::in_time(db, |db| {
                let mut lines = match room_id(db, room)? {
                    Some(room) => search::room_lines(db, &words, room, *most)?,
                    None => Vec::new(),
                };
                if let Some(account) = account {
                    lines.extend(search::private_lines(db, &words, *account, *most)?);
                }
                Ok(lines)
            })?;
            Ok(match found {
                Some(lines) => Found::Lines(in_order(lines, *most)),
                None => Found::Unavailable(search::TOO_MANY.to_owned()),
            })
        }
        Query::Mail(account) => {
            let sql = "SELECT id, at, author, reader, body, FALSE
                       FROM mailbox JOIN private ON private.id = mailbox.line
                       WHERE owner = ?1 ORDER BY line";
            rows(db, sql, [account], usize::MAX, private_line).map(Found::Lines)
        }
        Query::AuthorOf(line) => {
            let found = db
                .prepare_cached("SELECT author, author_account FROM private WHERE id = ?1")?
                .query_row([line], |row| Ok(Author { name: text(row, 0)?, account: row.get(1)? }));
            Ok(Found::Author(found.optional()?))
        }
        Query::Private { account, most } => {
            let lines = private_lines(db, *account, LineId::MAX, None, *most)?;
            Ok(Found::Lines(in_order(lines, *most)))
        }
    }
}

/// The last lines of a room, the newest first.
fn room_lines(
    db: &Connection,
    room: i64,
    before: LineId,
    since: Option<Timestamp>,
    most: usize,
) -> Result<Vec<HistoryLine>> {
    let sql = "SELECT id, at, form, author, body FROM line WHERE room = ?1 AND id < ?2
               ORDER BY id DESC";
    rows_since(db, sql, (room, before), since, most, room_line)
}

/// The last lines that an account's owner wrote or was sent in private, the newest first of each. A
/// line that they wrote to themselves comes once.
fn private_lines(
    db: &Connection,
    account: AccountId,
    before: LineId,
    since: Option<Timestamp>,
    most: usize,
) -> Result<Vec<HistoryLine>> {
    let written = "SELECT id, at, author, reader, body, TRUE FROM private
                   WHERE author_account = ?1 AND id < ?2 ORDER BY id DESC";
    let received = "SELECT id, at, author, reader, body, FALSE FROM private
                    WHERE reader_account = ?1 AND id < ?2 AND author_account IS NOT ?1
                    ORDER BY id DESC";
    let mut lines = rows_since(db, written, (account, before), since, most, private_line)?;
    lines.extend(rows_since(db, received, (account, before), since, most, private_line)?);
    Ok(lines)
}

/// The newest `most`, in the order in which they were said.
fn in_order(mut lines: Vec<HistoryLine>, most: usize) -> Vec<HistoryLine> {
    lines.sort_by_key(|line| line.id);
    lines.drain(..lines.len().saturating_sub(most));
    lines
}

/// The first `most` rows, up to the first that was said before `since`.
///
/// The first line before that time ends the search: nobody must be able to have all of a long
/// history read again and again, and lines are in the order of their times but for a clock that was
/// set back.
fn rows_since(
    db: &Connection,
    sql: &str,
    values: impl Params,
    since: Option<Timestamp>,
    most: usize,
    read: impl FnMut(&Row<'_>) -> Result<HistoryLine>,
) -> Result<Vec<HistoryLine>> {
    let is_late = |line: &Result<HistoryLine>| {
        line.as_ref().map_or(true, |line| since.is_none_or(|since| line.at >= since))
    };
    db.prepare_cached(sql)?.query_map(values, read)?.take_while(is_late).take(most).collect()
}
