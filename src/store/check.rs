//! Whether a file is sound: more than an opened file is known to be. Blocks on the disk; knows no
//! thread.

use super::{
    Store, StoreError, StoreErrorKind,
    file::beside,
    findings::first_finding,
    row::{single, time, unless_null},
    schema,
};
use jiff::Timestamp;
use rusqlite::Result;
use std::fs;

/// What a sound file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sound {
    /// The number of its schema.
    pub schema: usize,
    /// Lines in rooms.
    pub lines: usize,
    /// Lines between two people.
    pub private: usize,
    /// When the first and the last of all these were said.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Rooms with lines or settings.
    pub rooms: usize,
    /// Accounts.
    pub accounts: usize,
    /// Those of them whose owners are administrators.
    pub administrators: usize,
    /// Messages that wait in mailboxes.
    pub mail: usize,
    /// The length of the file in bytes, with what is still in the log and not in the file.
    pub bytes: u64,
    /// Those of them that nothing is in.
    pub free: u64,
    /// The length of the log beside the file in bytes.
    pub log: u64,
}

impl Sound {
    /// Reads all of the file, also while a server writes it, and compares what it has twice: rows and
    /// their indexes, lines and the index of words, references and what they refer to. (To open it
    /// reads every page, and compares nothing.)
    ///
    /// # Errors
    /// [`StoreErrorKind::Damaged`], with the first finding and their number, or what else is wrong.
    pub fn check(store: &Store) -> std::result::Result<Sound, StoreError> {
        match first_finding(&store.connection).map_err(|e| store.error(e))? {
            Some(how) => Err(StoreError::new(&store.path, StoreErrorKind::Damaged(how))),
            None => Sound::count(store).map_err(|e| store.error(e)),
        }
    }

    /// Counts what is in it. The tables of every schema have these.
    fn count(store: &Store) -> Result<Sound> {
        let db = &store.connection;
        let number = |sql: &str| single::<i64>(db, sql).map(|number| number.max(0) as usize);
        let page = number("PRAGMA page_size")? as u64;
        let span = "SELECT min(at), max(at) FROM
                        (SELECT at FROM line UNION ALL SELECT at FROM private)";
        let span = db.query_row(span, [], |row| {
            Ok(unless_null(row, 0, time)?.zip(unless_null(row, 1, time)?))
        })?;
        Ok(Sound {
            schema: schema::version(db)?,
            lines: number("SELECT count(*) FROM line")?,
            private: number("SELECT count(*) FROM private")?,
            span,
            rooms: number("SELECT count(*) FROM room")?,
            accounts: number("SELECT count(*) FROM account")?,
            administrators: number("SELECT count(*) FROM account WHERE is_admin")?,
            mail: number("SELECT count(*) FROM mailbox")?,
            bytes: number("PRAGMA page_count")? as u64 * page,
            free: number("PRAGMA freelist_count")? as u64 * page,
            log: fs::metadata(beside(&store.path, "-wal")).map_or(0, |log| log.len()),
        })
    }
}
