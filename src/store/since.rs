//! What was said between two lines. Blocks on the disk; knows no thread.

use super::row::{private_line, room_id, room_line, rows};
use crate::core::record::{AccountId, COUNTED_MAX, Found, HistoryLine, LineId, Query};
use rusqlite::{Connection, Result};

pub(super) fn find(db: &Connection, query: &Query) -> Result<Found> {
    match query {
        Query::Since { room, account, after, before, most } => {
            let mut lines = lines(db, room_id(db, room)?, *account, (*after, *before), *most)?;
            lines.sort_by_key(|line| line.id);
            lines.drain(..lines.len().saturating_sub(*most));
            Ok(Found::Lines(lines))
        }
        Query::CountSince { room, account, after, before } => {
            count(db, room_id(db, room)?, *account, (*after, *before)).map(Found::Count)
        }
        _ => Ok(Found::Lines(Vec::new())),
    }
}

/// The last lines of a room and the last private lines of an account, the newest first of each kind.
fn lines(
    db: &Connection,
    room: Option<i64>,
    account: Option<AccountId>,
    (after, before): (LineId, LineId),
    most: usize,
) -> Result<Vec<HistoryLine>> {
    let said = "SELECT id, at, form, author, body FROM line
                WHERE room = ?1 AND id > ?2 AND id < ?3 ORDER BY id DESC";
    let written = "SELECT id, at, author, reader, body, TRUE FROM private
                   WHERE author_account = ?1 AND id > ?2 AND id < ?3 ORDER BY id DESC";
    let received = "SELECT id, at, author, reader, body, FALSE FROM private
                    WHERE reader_account = ?1 AND id > ?2 AND id < ?3
                        AND author_account IS NOT ?1
                    ORDER BY id DESC";
    let mut lines = match room {
        Some(room) => rows(db, said, (room, after, before), most, room_line)?,
        None => Vec::new(),
    };
    if let Some(account) = account {
        lines.extend(rows(db, written, (account, after, before), most, private_line)?);
        lines.extend(rows(db, received, (account, after, before), most, private_line)?);
    }
    Ok(lines)
}

/// How many there are, up to [`COUNTED_MAX`].
fn count(
    db: &Connection,
    room: Option<i64>,
    account: Option<AccountId>,
    (after, before): (LineId, LineId),
) -> Result<usize> {
    // With NULL for the room, or the account, nothing is found.
    let sql = "SELECT (SELECT count(*) FROM (
                           SELECT 1 FROM line WHERE room = ?1 AND id > ?3 AND id < ?4 LIMIT ?5))
                    + (SELECT count(*) FROM (
                           SELECT 1 FROM private
                           WHERE author_account = ?2 AND id > ?3 AND id < ?4 LIMIT ?5))
                    + (SELECT count(*) FROM (
                           SELECT 1 FROM private WHERE reader_account = ?2 AND id > ?3
                               AND id < ?4 AND author_account IS NOT ?2 LIMIT ?5))";
    let values = (room, account, after, before, COUNTED_MAX as i64);
    let count: i64 = db.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    Ok((count as usize).min(COUNTED_MAX))
}
