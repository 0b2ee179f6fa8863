//! Forgetting: old lines are deleted, a piece at a time, and sanctions and tokens that have ended.
//! Blocks on the disk; knows no thread and no clock.
//!
//! Lines are in the order of their numbers, and nearly in that of their times: a clock may have been
//! wrong for a while. So the time of each line decides, and no line is deleted for the time of
//! another one.

use super::{
    Store, StoreError, returning,
    row::{micros, time, unless_null},
};
use crate::core::record::LineId;
use jiff::Timestamp;
use rusqlite::{Connection, Result, Row, named_params};

/// Lines to look at in one piece, and to delete in one transaction: 2 ms of work, and 60 when the
/// index of words is put in order.
pub const PRUNE_CHUNK: usize = 100;

/// What a piece was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The number of its last line.
    pub last: LineId,
    /// Lines that were deleted.
    pub deleted: usize,
}

/// What was said before a time, and is not waiting in a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Old {
    /// Lines in rooms, and between two people.
    pub lines: usize,
    /// When the first and the last of them were said.
    pub span: Option<(Timestamp, Timestamp)>,
    /// All lines that there are, old or not.
    pub of: usize,
}

impl Store {
    /// When the last line was said, in a room or between two people; `None`: there is none.
    pub fn newest(&self) -> Result<Option<Timestamp>, StoreError> {
        self.time_of(
            "SELECT at FROM (SELECT * FROM (SELECT id, at FROM line ORDER BY id DESC LIMIT 1)
                 UNION ALL SELECT * FROM (SELECT id, at FROM private ORDER BY id DESC LIMIT 1))
             ORDER BY id DESC LIMIT 1",
        )
    }

    /// When the last line was said or the last thing done that administrators do; `None`: nothing was.
    pub(crate) fn newest_record(&self) -> Result<Option<Timestamp>, StoreError> {
        let done = self.time_of("SELECT at FROM audit ORDER BY id DESC LIMIT 1")?;
        Ok(self.newest()?.max(done))
    }

    /// When the first line was said that waits in no mailbox; `None`: there is none.
    pub(crate) fn oldest(&self) -> Result<Option<Timestamp>, StoreError> {
        self.time_of(
            "SELECT at FROM (SELECT * FROM (SELECT id, at FROM line ORDER BY id LIMIT 1)
                 UNION ALL SELECT * FROM (SELECT id, at FROM private
                     WHERE id NOT IN (SELECT line FROM mailbox) ORDER BY id LIMIT 1))
             ORDER BY id LIMIT 1",
        )
    }

    fn time_of(&self, sql: &str) -> Result<Option<Timestamp>, StoreError> {
        let found = self.connection.prepare_cached(sql).and_then(|mut statement| {
            statement.query_map([], |row| time(row, 0))?.next().transpose()
        });
        found.map_err(|e| self.error(e))
    }

    /// Counts what [`Store::prune`] would delete, all pieces together.
    pub fn count_older(&self, before: Timestamp) -> Result<Old, StoreError> {
        let sql = "SELECT count(*) FILTER (WHERE at < ?1), min(at), max(at) FILTER (WHERE at < ?1),
                          count(*)
                   FROM (SELECT at FROM line UNION ALL
                         SELECT at FROM private WHERE id NOT IN (SELECT line FROM mailbox))";
        let old = |row: &Row<'_>| {
            let (first, last) = (unless_null(row, 1, time)?, unless_null(row, 2, time)?);
            let lines = row.get::<_, i64>(0)? as usize;
            Ok(Old { lines, span: first.zip(last), of: row.get::<_, i64>(3)? as usize })
        };
        self.connection.query_row(sql, [micros(before)], old).map_err(|e| self.error(e))
    }

    /// Looks at the `most` lines that follow this number (at first [`LineId::MIN`]) and wait in no mailbox, and deletes those
    /// that were said before this time. `None`: there are no more lines.
    pub fn prune(
        &mut self,
        after: LineId,
        before: Timestamp,
        most: usize,
    ) -> Result<Option<Piece>, StoreError> {
        let (last, old) = look(&self.connection, after, before, most).map_err(|e| self.error(e))?;
        match (last, old) {
            (None, _) => Ok(None),
            (Some(last), 0) => Ok(Some(Piece { last, deleted: 0 })),
            (Some(last), _) => self
                .transact(|transaction| {
                    let audit = "DELETE FROM audit WHERE at < ?1";
                    transaction.prepare_cached(audit)?.execute([micros(before)])?;
                    Ok(delete(transaction, after, last, before)?)
                })
                .map(|deleted| Some(Piece { last, deleted })),
        }
    }

    /// Deletes the sanctions that have ended. Nobody else deletes them: a clock that is wrong for a
    /// moment must not lift a ban for ever.
    pub fn prune_sanctions(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let ended = "SELECT EXISTS (SELECT 1 FROM sanction WHERE until <= ?1)";
        let has_ended: bool = self
            .connection
            .prepare_cached(ended)
            .and_then(|mut statement| statement.query_row([micros(now)], |row| row.get(0)))
            .map_err(|e| self.error(e))?;
        if !has_ended {
            return Ok(0);
        }
        let delete = "DELETE FROM sanction WHERE until <= ?1";
        self.transact(|transaction| Ok(transaction.execute(delete, [micros(now)])?))
    }

    /// Whoever was given a token since the server `started`, and has not left, is here `now`.
    /// Deletes the tokens that are not good any more.
    pub fn note_presence(&mut self, started: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        match returning::is_anybody(&self.connection).map_err(|e| self.error(e))? {
            true => self.transact(|db| Ok(returning::note_presence(db, started, now)?)),
            false => Ok(()),
        }
    }
}

/// The last of the `most` lines that follow `after`, and how many of them are old.
pub(super) fn look(
    db: &Connection,
    after: LineId,
    before: Timestamp,
    most: usize,
) -> Result<(Option<LineId>, usize)> {
    let sql = "SELECT max(id), count(*) FILTER (WHERE at < :before) FROM (
                   SELECT * FROM (SELECT id, at FROM line WHERE id > :after ORDER BY id LIMIT :most)
                   UNION ALL
                   SELECT * FROM (SELECT id, at FROM private
                       WHERE id > :after AND id NOT IN (SELECT line FROM mailbox)
                       ORDER BY id LIMIT :most)
                   ORDER BY id LIMIT :most)";
    let values = named_params! { ":after": after, ":before": micros(before), ":most": most as i64 };
    db.prepare_cached(sql)?
        .query_row(values, |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as usize)))
}

/// Deletes the old lines behind `after` up to `last`, and all that only they needed.
pub(super) fn delete(
    db: &Connection,
    after: LineId,
    last: LineId,
    before: Timestamp,
) -> Result<usize> {
    // The number of the last line that there ever was must not be lost with it. And a server that
    // runs has to know which lines are gone: it remembers some of them.
    let mark = "UPDATE marks SET last_line = max(last_line,
                    ifnull((SELECT max(id) FROM line WHERE id > ?1 AND id <= ?2 AND at < ?3), 0),
                    ifnull((SELECT max(id) FROM private WHERE id > ?1 AND id <= ?2 AND at < ?3), 0))";
    db.prepare_cached(mark)?.execute((after, last, micros(before)))?;
    let mut deleted = 0;
    for [words, lines] in [
        [
            "DELETE FROM line_words WHERE rowid IN (
                 SELECT id FROM line WHERE id > ?1 AND id <= ?2 AND at < ?3)",
            "DELETE FROM line WHERE id > ?1 AND id <= ?2 AND at < ?3",
        ],
        [
            "DELETE FROM private_words WHERE rowid IN (
                 SELECT id FROM private WHERE id > ?1 AND id <= ?2 AND at < ?3
                     AND id NOT IN (SELECT line FROM mailbox))",
            "DELETE FROM private WHERE id > ?1 AND id <= ?2 AND at < ?3
                 AND id NOT IN (SELECT line FROM mailbox)",
        ],
    ] {
        let piece = (after, last, micros(before));
        db.prepare_cached(words)?.execute(piece)?;
        deleted += db.prepare_cached(lines)?.execute(piece)?;
    }
    let silent = "DELETE FROM room WHERE NOT EXISTS (SELECT 1 FROM line WHERE line.room = room.id)
                  AND NOT EXISTS (SELECT 1 FROM room_setting WHERE room_setting.room = room.id)";
    db.prepare_cached(silent)?.execute([])?;
    Ok(deleted)
}
