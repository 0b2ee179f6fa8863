//! The memory: one SQLite file. [`Store`] is its table of contents.
//!
//! Every call blocks on the disk, so in the server one thread alone has a store, the historian. Knows no thread, no
//! socket and no chat: only the words of `core/record.rs`, and what they look like in tables (`schema.rs`).
//!
//! Two promises. What [`Store::write`] has returned from is there after `kill -9`; after a power cut, what
//! [`Durability`] says. And whatever the file holds, written by whomever: what comes out of it is clean
//! ([`crate::core::text::clean`]) and bounded.

pub mod accounts;
pub mod error;
pub mod export;
mod forget;
mod open;
mod read;
pub mod schema;
mod search;
pub mod server_lock;
mod write;

use crate::core::record::{Found, Query, Record, Remembered};
use error::{StoreError, Trouble};
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};
pub use search::CHUNK as INDEXED_AT_ONCE;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

/// Lines to forget in one transaction: 2 ms of work, and 60 when the index of words is put in order.
pub const FORGOTTEN_AT_ONCE: usize = 100;

/// An open database file.
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// Which file was opened under that path.
    identity: open::Identity,
    /// And which its log is.
    log: open::Identity,
    /// SQLite's count of what other connections committed, when it was last looked at.
    data_version: i64,
    is_read_only: bool,
}

impl Store {
    /// Opens the file, and makes it if it is missing. Waits so long for another process that has it locked, here and in
    /// every call that follows.
    ///
    /// A file that can only be read is opened, and refuses what is written to it. Reads the whole file once, to know that
    /// it is sound.
    ///
    /// # Errors
    /// What [`Trouble`] lists. A file that is not chatd's, newer or damaged is left as it was, to the byte.
    pub fn open(
        path: &Path,
        durability: Durability,
        patience: Duration,
    ) -> Result<Store, StoreError> {
        open::open(path, durability, patience)
    }

    /// A store without a file: it is empty, and nothing is left of it when it is closed.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn in_memory() -> Result<Store, StoreError> {
        open::in_memory()
    }

    /// Writes all of them, or none.
    ///
    /// # Errors
    /// [`Trouble::AccountTaken`] if another process has made such an account; otherwise what is wrong with the file.
    pub fn write(&mut self, records: &[Record]) -> Result<(), StoreError> {
        self.check_it_is_there()?;
        self.in_transaction(|connection| {
            records.iter().try_for_each(|record| write::record(connection, record))
        })
    }

    /// What a server begins with: of rooms, this many, each with this many lines.
    pub fn remembered(&self, rooms: usize, lines: usize) -> Result<Remembered, StoreError> {
        read::remembered(&self.connection, rooms, lines).map_err(|e| self.error(&e))
    }

    /// Answers. Before a search, indexes what is not indexed yet, if the file can be written just now: see
    /// [`Store::index_some`]. A search that would take long is broken off.
    pub fn find(&mut self, query: &Query) -> Result<Found, StoreError> {
        if matches!(query, Query::Search { .. }) {
            while self.index_some(INDEXED_AT_ONCE).is_ok_and(|indexed| indexed > 0) {}
        }
        read::find(&mut self.connection, query).map_err(|e| self.error(&e))
    }

    /// Indexes the words of so many lines at most that are not indexed yet. Returns of how many; 0: all are.
    pub fn index_some(&mut self, most: usize) -> Result<usize, StoreError> {
        if search::is_complete(&self.connection).map_err(|e| self.error(&e))? {
            return Ok(0);
        }
        self.in_transaction(|connection| search::index_some(connection, most))
    }

    /// Forgets so many lines at most that were said before this time and wait in no mailbox, the oldest first. Returns how
    /// many; 0: there are no more.
    pub fn prune(&mut self, before: Timestamp, most: usize) -> Result<usize, StoreError> {
        if !forget::has_older(&self.connection, before).map_err(|e| self.error(&e))? {
            return Ok(0);
        }
        self.in_transaction(|connection| forget::prune(connection, before, most))
    }

    /// Whether another process has written something since the last call. Also finds out that the file is gone.
    pub fn changed_by_others(&mut self) -> Result<bool, StoreError> {
        self.check_it_is_there()?;
        let now: i64 = self
            .connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|e| self.error(&e))?;
        Ok(std::mem::replace(&mut self.data_version, now) != now)
    }

    /// Writes, but nothing: to know whether that is possible again.
    pub fn try_to_write(&mut self) -> Result<(), StoreError> {
        self.check_it_is_there()?;
        self.in_transaction(|connection| {
            connection.execute("UPDATE marks SET last_line = last_line", []).map(drop)
        })
    }

    /// Waits so long from now on for another process that has the file locked.
    pub fn set_patience(&mut self, patience: Duration) -> Result<(), StoreError> {
        self.connection.busy_timeout(patience).map_err(|e| self.error(&e))
    }

    /// Brings what is in the write-ahead log into the file, and closes it. Not needed for safety: an open store that is
    /// dropped, or killed, loses nothing.
    pub fn close(self) -> Result<(), StoreError> {
        let Store { connection, path, .. } = self;
        connection.close().map_err(|(_, e)| StoreError::from_sqlite(&path, &e))
    }

    /// Leaves a file alone that is not what it was: closes it, and writes nothing more.
    pub fn abandon(self) {
        open::abandon(self);
    }

    /// Whether it refuses to be written.
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// What it says to everybody who writes, if it is read-only.
    pub fn refuses(&self) -> StoreError {
        StoreError::new(&self.path, Trouble::ReadOnly)
    }

    fn in_transaction<T>(
        &mut self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let written = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let value = run(&transaction)?; // dropped on the way out, it rolls back
                transaction.commit()?;
                Ok(value)
            });
        written.map_err(|e| self.error(&e))
    }

    /// SQLite writes on into a file that was deleted: as long as it is open it exists, and is lost when it is closed.
    fn check_it_is_there(&self) -> Result<(), StoreError> {
        if open::identity(&self.path) == self.identity {
            Ok(())
        } else {
            Err(StoreError::new(&self.path, Trouble::Gone))
        }
    }

    fn error(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.path, error)
    }
}

/// What is left after a power cut or a crash of the system. (A crash of the program alone loses nothing, whichever it is.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Everything: each transaction waits until the disk has it.
    Full,
    /// Everything but perhaps the last moments; the file is sound.
    #[default]
    Normal,
    /// Perhaps nothing that can be read.
    Off,
}

impl Durability {
    fn pragma(self) -> &'static str {
        match self {
            Durability::Full => "full",
            Durability::Normal => "normal",
            Durability::Off => "off",
        }
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Durability::Full, Durability::Normal, Durability::Off];
        all.into_iter()
            .find(|durability| durability.pragma() == text)
            .ok_or_else(|| format!("\"{text}\" is none of full, normal, off"))
    }
}
