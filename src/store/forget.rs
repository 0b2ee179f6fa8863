//! Forgetting what is older than the house wants to keep. Runs inside the caller's transaction, a bounded piece at a time.

use super::write::micros;
use jiff::Timestamp;
use rusqlite::{Connection, Result, named_params};

/// Lines have the order of their times, so only the oldest one is looked at.
pub(super) fn has_older(db: &Connection, before: Timestamp) -> Result<bool> {
    let is_older = |sql: &str| -> Result<bool> {
        db.prepare_cached(sql)?
            .query_row([micros(before)], |row| row.get::<_, Option<bool>>(0))
            .map(|is| is == Some(true))
    };
    Ok(is_older("SELECT (SELECT at FROM line ORDER BY id LIMIT 1) < ?1")?
        || is_older(
            "SELECT (SELECT at FROM private WHERE id NOT IN (SELECT line FROM mailbox) ORDER BY id LIMIT 1) < ?1",
        )?)
}

pub(super) fn prune(db: &Connection, before: Timestamp, most: usize) -> Result<usize> {
    let last_line = "SELECT ifnull(max(id), 0) FROM (SELECT id, at FROM line ORDER BY id LIMIT :most) WHERE at < :before";
    let last_told = "SELECT ifnull(max(id), 0) FROM (
                         SELECT id, at FROM private WHERE id NOT IN (SELECT line FROM mailbox) ORDER BY id LIMIT :most
                     ) WHERE at < :before";
    let mut forgotten = 0;
    for (last, forget_words, forget) in [
        (last_line, "DELETE FROM line_words WHERE rowid <= ?1", "DELETE FROM line WHERE id <= ?1"),
        (
            last_told,
            "DELETE FROM private_words WHERE rowid IN (
                 SELECT id FROM private WHERE id <= ?1 AND id NOT IN (SELECT line FROM mailbox)
             )",
            "DELETE FROM private WHERE id <= ?1 AND id NOT IN (SELECT line FROM mailbox)",
        ),
    ] {
        let limits =
            named_params! { ":before": micros(before), ":most": (most - forgotten) as i64 };
        let last: i64 = db.prepare_cached(last)?.query_row(limits, |row| row.get(0))?;
        // The number of the last line there ever was must not be forgotten with it.
        db.prepare_cached("UPDATE marks SET last_line = max(last_line, ?1)")?.execute([last])?;
        db.prepare_cached(forget_words)?.execute([last])?;
        forgotten += db.prepare_cached(forget)?.execute([last])?;
    }
    db.prepare_cached("DELETE FROM audit WHERE at < ?1")?.execute([micros(before)])?;
    let silent = "DELETE FROM room WHERE topic IS NULL AND NOT EXISTS (SELECT 1 FROM line WHERE line.room = room.id)";
    db.prepare_cached(silent)?.execute([])?;
    Ok(forgotten)
}
