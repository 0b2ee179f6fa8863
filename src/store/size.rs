//! The size of the file: the oldest lines are deleted, and the disk gets back what is free. Blocks on
//! the disk; knows no thread.

use super::{
    PRUNE_CHUNK, Store, StoreError,
    prune::{delete, look},
    read::{LARGE, used_and_free},
    row::single,
};
use crate::core::record::LineId;
use jiff::Timestamp;
use rusqlite::Connection;

/// Free pages that stay: they are used for what is said next.
const FREE_PAGES: i64 = 64;
/// The most pages given back in one transaction: 1 MiB, which is some 5 ms of work.
const GIVEN_BACK: i64 = 256;
/// SQLite's number for a file that gives pages back when it is told to.
const INCREMENTAL: i64 = 2;

/// The size of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes in which something is.
    pub used: u64,
    /// Free pages.
    free: i64,
}

impl Size {
    /// Reads no more than the file's header.
    pub fn of(store: &Store) -> Result<Size, StoreError> {
        read(&store.connection).map_err(|e| store.error(e))
    }

    #[cfg(test)]
    pub(crate) fn with(used: u64) -> Size {
        Size { used, free: 0 }
    }

    /// Whether it uses more than [`LARGE`].
    pub fn is_large(&self) -> bool {
        self.used > LARGE
    }

    /// Makes a file one that can give space back. One that is not is written anew for it, once, which
    /// needs as much room again. Returns whether it was.
    pub fn prepare(store: &Store) -> Result<bool, StoreError> {
        let db = &store.connection;
        let prepare = || {
            if single::<i64>(db, "PRAGMA auto_vacuum")? == INCREMENTAL {
                return Ok(false);
            }
            db.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
            db.execute_batch("VACUUM")?;
            // Or the log stays as long as the file.
            db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(true))
        };
        prepare().map_err(|e| store.error(e))
    }

    /// Deletes some of the oldest lines that wait in no mailbox. Returns their number; 0: there are
    /// none.
    pub fn delete_oldest(store: &mut Store) -> Result<usize, StoreError> {
        let (first, ever) = (LineId::MIN, Timestamp::MAX);
        let (last, _) =
            look(&store.connection, first, ever, PRUNE_CHUNK).map_err(|e| store.error(e))?;
        match last {
            Some(last) => store.transact(|transaction| Ok(delete(transaction, first, last, ever)?)),
            None => Ok(0),
        }
    }

    /// Gives some of the free space back to the disk. Returns whether there may be more.
    pub fn give_back(self, store: &mut Store) -> Result<bool, StoreError> {
        let pages = (self.free - FREE_PAGES).min(GIVEN_BACK);
        if pages <= 0 {
            return Ok(false);
        }
        store.transact(|transaction| {
            let sql = format!("PRAGMA incremental_vacuum({pages})");
            let mut statement = transaction.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {} // each step gives back a page
            Ok(read(transaction)?.free < self.free)
        })
    }
}

fn read(db: &Connection) -> rusqlite::Result<Size> {
    let (used, free) = used_and_free(db)?;
    Ok(Size { used, free })
}
