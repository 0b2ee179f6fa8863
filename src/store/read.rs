//! Rows into what was remembered and what was found. Runs on the caller's thread; writes nothing.
//!
//! The file may have been edited by others, or be older than a rule of today. So every text that comes out of it passes
//! [`text`], whatever its bytes, and every time [`time`].

use super::{
    search,
    write::{Form, micros},
};
use crate::core::{
    record::{
        Account, AccountId, Found, LineId, Party, PasswordHash, PastLine, Query, Remembered,
        RoomRemembered, Sanction, SanctionKind, Subject,
    },
    text::clean,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, Result, Row, types::ValueRef};

/// Bytes of any text that are taken out of the file. Nothing that chatd writes is longer than a line (1 KiB) and a name.
const TEXT_MAX: usize = 4096;

// --- What a server begins with ---

pub(super) fn remembered(db: &Connection, rooms: usize, lines: usize) -> Result<Remembered> {
    Ok(Remembered {
        accounts: accounts(db)?,
        sanctions: sanctions(db, Timestamp::now())?,
        rooms: last_rooms(db, rooms, lines)?,
        last_line: number(
            db,
            "SELECT max(last_line, ifnull((SELECT max(id) FROM line), 0), ifnull((SELECT max(id) FROM private), 0))
             FROM marks",
        )?,
        last_account: last_account(db)?,
    })
}

pub(super) fn last_account(db: &Connection) -> Result<AccountId> {
    number(db, "SELECT max(last_account, ifnull((SELECT max(id) FROM account), 0)) FROM marks")
}

fn accounts(db: &Connection) -> Result<Vec<Account>> {
    let sql =
        "SELECT id, name, is_admin, since, (SELECT count(*) FROM mailbox WHERE owner = account.id)
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

fn sanctions(db: &Connection, now: Timestamp) -> Result<Vec<Sanction>> {
    let sql = "SELECT kind, whom, subject, until, by, why FROM sanction WHERE until IS NULL OR until > ?1";
    rows(db, sql, [micros(now)], usize::MAX, |row| {
        let subject = text(row, 2)?;
        Ok(Sanction {
            kind: if text(row, 0)? == "ban" { SanctionKind::Ban } else { SanctionKind::Mute },
            subject: if text(row, 1)? == "name" {
                Subject::Name(subject)
            } else {
                Subject::Address(subject)
            },
            until: if is_null(row, 3)? { None } else { Some(time(row, 3)?) },
            by: text(row, 4)?,
            why: if is_null(row, 5)? { None } else { Some(text(row, 5)?) },
        })
    })
}

fn last_rooms(db: &Connection, most: usize, lines: usize) -> Result<Vec<RoomRemembered>> {
    let sql = "SELECT id, name, topic, topic_by, topic_account,
                   (SELECT max(id) FROM line WHERE line.room = room.id) AS last
               FROM room WHERE last IS NOT NULL OR topic IS NOT NULL ORDER BY last DESC";
    let found = rows(db, sql, [], most, |row| {
        let topic = if is_null(row, 2)? {
            None
        } else {
            Some((text(row, 2)?, Party { name: text(row, 3)?, account: row.get(4)? }))
        };
        let room = RoomRemembered { name: text(row, 1)?, topic, lines: Vec::new() };
        Ok((row.get(0)?, room))
    })?;
    let fill = |(id, room): (i64, RoomRemembered)| {
        Ok(RoomRemembered {
            lines: in_order(said(db, id, LineId::MAX, None, lines)?, lines),
            ..room
        })
    };
    found.into_iter().map(fill).collect()
}

// --- What is asked ---

pub(super) fn find(db: &mut Connection, query: &Query) -> Result<Found> {
    match query {
        Query::Password(account) => password(db, *account).map(Found::Password),
        Query::Older { room, account, before, since, most } => {
            let mut lines = match room_id(db, room)? {
                Some(room) => said(db, room, *before, *since, *most)?,
                None => Vec::new(),
            };
            if let Some(account) = account {
                lines.extend(told(db, *account, *before, *since, *most)?);
            }
            Ok(Found::Lines(in_order(lines, *most)))
        }
        Query::Search { room, account, words, most } => {
            let Some(words) = search::expression(words) else {
                return Ok(Found::Lines(Vec::new()));
            };
            let found = search::in_time(db, |db| {
                let mut lines = match room_id(db, room)? {
                    Some(room) => search::said(db, &words, room, *most)?,
                    None => Vec::new(),
                };
                if let Some(account) = account {
                    lines.extend(search::told(db, &words, *account, *most)?);
                }
                Ok(lines)
            })?;
            Ok(match found {
                Some(lines) => Found::Lines(in_order(lines, *most)),
                None => Found::Unavailable(search::TOO_MANY.to_owned()),
            })
        }
        Query::Mail(account) => mail(db, *account).map(Found::Lines),
        Query::Private { account, most } => {
            Ok(Found::Lines(in_order(told(db, *account, LineId::MAX, None, *most)?, *most)))
        }
    }
}

fn password(db: &Connection, account: AccountId) -> Result<Option<PasswordHash>> {
    db.prepare_cached("SELECT password FROM account WHERE id = ?1")?
        .query_row([account], |row| text(row, 0).map(PasswordHash))
        .optional()
}

pub(super) fn room_id(db: &Connection, name: &str) -> Result<Option<i64>> {
    db.prepare_cached("SELECT id FROM room WHERE folded = ?1")?
        .query_row([super::write::fold(name)], |row| row.get(0))
        .optional()
}

/// The last lines of a room, the newest first.
///
/// A time stops the search at the first line before it: a talker must not be able to have all of a long history read
/// again and again, and lines are in the order of their times but for a clock that was set back.
fn said(
    db: &Connection,
    room: i64,
    before: LineId,
    since: Option<Timestamp>,
    most: usize,
) -> Result<Vec<PastLine>> {
    let sql =
        "SELECT id, at, form, author, body FROM line WHERE room = ?1 AND id < ?2 ORDER BY id DESC";
    rows_since(db, sql, (room, before), since, most, said_line)
}

/// The last lines that an account wrote or was told in private, the newest first of each. One that it wrote to itself is
/// found once.
fn told(
    db: &Connection,
    account: AccountId,
    before: LineId,
    since: Option<Timestamp>,
    most: usize,
) -> Result<Vec<PastLine>> {
    let written =
        "SELECT id, at, author, reader, body, 1 FROM private WHERE author_account = ?1 AND id < ?2
                   ORDER BY id DESC";
    let heard = "SELECT id, at, author, reader, body, 0 FROM private
                 WHERE reader_account = ?1 AND id < ?2 AND author_account IS NOT ?1 ORDER BY id DESC";
    let mut lines = rows_since(db, written, (account, before), since, most, told_line)?;
    lines.extend(rows_since(db, heard, (account, before), since, most, told_line)?);
    Ok(lines)
}

fn mail(db: &Connection, account: AccountId) -> Result<Vec<PastLine>> {
    let sql = "SELECT id, at, author, reader, body, 0 FROM mailbox JOIN private ON private.id = mailbox.line
               WHERE owner = ?1 ORDER BY line";
    rows(db, sql, [account], usize::MAX, told_line)
}

/// A row (id, at, form, author, body) as its reader is shown it.
pub(super) fn said_line(row: &Row<'_>) -> Result<PastLine> {
    let shown = Form::from_number(row.get(2)?).show(&text(row, 3)?, &text(row, 4)?);
    Ok(PastLine { id: row.get(0)?, at: time(row, 1)?, text: shown })
}

/// A row (id, at, author, reader, body, whether its reader is now its author) as that one is shown it.
pub(super) fn told_line(row: &Row<'_>) -> Result<PastLine> {
    let is_mine: bool = row.get(5)?;
    let (word, name) = if is_mine { ("to", text(row, 3)?) } else { ("from", text(row, 2)?) };
    let shown = format!("[{word} {name}] {}\n", text(row, 4)?);
    Ok(PastLine { id: row.get(0)?, at: time(row, 1)?, text: shown })
}

/// The newest `most`, in the order they were said.
fn in_order(mut lines: Vec<PastLine>, most: usize) -> Vec<PastLine> {
    lines.sort_by_key(|line| line.id);
    lines.drain(..lines.len().saturating_sub(most));
    lines
}

// --- Out of rows ---

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

/// The first `most` rows, up to the first that was said before `since`.
fn rows_since(
    db: &Connection,
    sql: &str,
    values: impl Params,
    since: Option<Timestamp>,
    most: usize,
    read: impl FnMut(&Row<'_>) -> Result<PastLine>,
) -> Result<Vec<PastLine>> {
    let is_late = |line: &Result<PastLine>| {
        line.as_ref().map_or(true, |line| since.is_none_or(|since| line.at >= since))
    };
    db.prepare_cached(sql)?.query_map(values, read)?.take_while(is_late).take(most).collect()
}

pub(super) fn number(db: &Connection, sql: &str) -> Result<i64> {
    db.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

fn is_null(row: &Row<'_>, column: usize) -> Result<bool> {
    Ok(matches!(row.get_ref(column)?, ValueRef::Null))
}

/// A text, clean and bounded, whatever bytes are there.
pub(super) fn text(row: &Row<'_>, column: usize) -> Result<String> {
    let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = row.get_ref(column)? else {
        return Ok(String::new());
    };
    let bytes = &bytes[..bytes.len().min(TEXT_MAX)];
    Ok(clean(&String::from_utf8_lossy(bytes)).into_owned())
}

/// A time; what is beyond all calendars is 1970.
pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    Ok(Timestamp::from_microsecond(row.get(column)?).unwrap_or(Timestamp::UNIX_EPOCH))
}
