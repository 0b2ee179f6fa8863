//! The history, and all else that lasts, in one SQLite file. [`Store`] is the table of contents.
//!
//! Every call blocks on the disk, so in the server one thread alone has a store: `historian`. Knows
//! no thread, no socket and no chat: only the words of `core/record.rs`, and the tables of
//! `schema.rs`.
//!
//! Two promises. What [`Store::append`] has returned from is there after `kill -9`; what is there
//! after a power cut, [`Durability`] says. And whatever is in the file, whoever wrote it: what
//! comes out of it is clean ([`crate::core::wire::sanitize::sanitize`]) and bounded.

mod backup;
mod check;
mod connect;
mod error;
mod export;
mod file;
mod findings;
mod forget;
mod open;
mod prune;
mod read;
mod restore;
mod returning;
mod row;
pub mod schema;
mod search;
mod server_lock;
mod since;
mod size;
#[cfg(test)]
mod tests;
mod write;

pub use self::{
    error::{StoreError, StoreErrorKind},
    export::ExportedLine,
    forget::{GONE, Traces},
    open::Durability,
    prune::{Old, PRUNE_CHUNK, Piece},
    read::LARGE,
    restore::{Restored, put_in_place},
    row::Form,
    search::INDEX_CHUNK,
    server_lock::ServerLock,
    size::Size,
};
pub use check::Sound;

use crate::core::record::{
    Account, AccountId, Change, Found, LineId, Outcome, PasswordHash, Query, Record, Snapshot,
};
pub(crate) use file::Identity;
use file::{beside, identity};
use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, config::DbConfig};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What SQLite keeps beside a file that is open.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// An open database file.
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// Which file was opened under that path.
    identity: Identity,
    /// Which files are its log, and the index of that, which programs that have it open share.
    beside: [Identity; 2],
    /// SQLite's count of what other connections committed, when it was last looked at.
    data_version: i64,
    is_read_only: bool,
    patience: Duration,
}

impl Store {
    /// Opens the file, or makes it. Here and in every later call, waits up to `patience` for
    /// another process that has it locked.
    ///
    /// Reads the whole file once, to know that it is sound. A file of an older schema is migrated,
    /// and a copy of it stays beside it. A file that can only be read is opened, and refuses to be
    /// written.
    ///
    /// # Errors
    /// What [`StoreErrorKind`] lists. A file that is not chatd's, newer or damaged is left as it
    /// was, to the byte.
    pub fn open(
        path: &Path,
        durability: Durability,
        patience: Duration,
    ) -> Result<Store, StoreError> {
        Store::open_unless(path, durability, patience, || false)
    }

    /// The same, unless the caller `gives_up`, which is asked every millisecond or so while the
    /// file is read.
    pub(crate) fn open_unless(
        path: &Path,
        durability: Durability,
        patience: Duration,
        gives_up: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Store, StoreError> {
        let error = |kind| StoreError::new(path, kind);
        let connection = open::open(path, durability, patience, gives_up).map_err(error)?;
        let is_read_only = connection.is_readonly("main").map_err(|e| error(e.into()))?;
        let mut store = Store {
            identity: identity(path),
            is_read_only,
            patience,
            ..Store::new(connection, path)
        };
        store.changed_by_others()?; // what is in it now is no change
        store.beside = BESIDE.map(|ending| identity(&beside(path, ending))); // SQLite has made them
        Ok(store)
    }

    /// Opens a file to look at it or to copy it: one of an older schema is not migrated.
    ///
    /// # Errors
    /// As [`Store::open`]; a file that is not there is not made.
    pub fn open_to_read(path: &Path, patience: Duration) -> Result<Store, StoreError> {
        let connection =
            open::to_read(path, patience).map_err(|kind| StoreError::new(path, kind))?;
        Ok(Store::new(connection, path))
    }

    /// A store without a file. It starts empty, and nothing of it is left when it is closed.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn in_memory() -> Result<Store, StoreError> {
        let path = PathBuf::from("the memory");
        let connection = open::in_memory().map_err(|kind| StoreError::new(&path, kind))?;
        Ok(Store::new(connection, &path))
    }

    fn new(connection: Connection, path: &Path) -> Store {
        Store {
            connection,
            path: path.to_owned(),
            identity: None,
            beside: [None; 2],
            data_version: 0,
            is_read_only: false,
            patience: Duration::ZERO,
        }
    }

    /// Writes the records in one transaction. Each one that [may fail](Change::may_fail) is written
    /// in a savepoint, so that its failure costs the others nothing. Returns their outcomes, in
    /// their order.
    ///
    /// # Errors
    /// What is wrong with the file. Then none of the records is written.
    pub fn append(&mut self, records: &[Record]) -> Result<Vec<Outcome>, StoreError> {
        self.transact(|transaction| {
            let mut outcomes = Vec::new();
            for record in records {
                if !record.change.may_fail() {
                    write::record(transaction, record)?;
                    continue;
                }
                let savepoint = transaction.savepoint()?;
                match write::record(&savepoint, record).map_err(StoreErrorKind::from) {
                    Ok(()) => {
                        savepoint.commit()?;
                        outcomes.push(Ok(()));
                    }
                    Err(kind) if kind.is_about_an_account() => {
                        savepoint.finish()?; // rolls back
                        outcomes.push(Err(kind.brief().to_owned()));
                    }
                    Err(kind) => return Err(kind),
                }
            }
            Ok(outcomes)
        })
    }

    /// Writes nothing, to find out whether writing is possible again.
    pub(crate) fn try_to_write(&mut self) -> Result<(), StoreError> {
        self.transact(|db| {
            Ok(db.execute("UPDATE marks SET last_line = last_line", []).map(drop)?)
        })
    }

    /// The number of the schema that the file has.
    pub fn schema(&self) -> Result<usize, StoreError> {
        schema::version(&self.connection).map_err(|e| self.error(e))
    }

    /// What a server starts with: all accounts and sanctions, and up to `rooms` rooms, each with up
    /// to `lines` lines.
    pub fn snapshot(&self, rooms: usize, lines: usize) -> Result<Snapshot, StoreError> {
        read::snapshot(&self.connection, rooms, lines).map_err(|e| self.error(e))
    }

    /// Answers a query. A search finds lines that are indexed: see [`Store::index_some`]. One that
    /// would take long is broken off.
    pub fn find(&mut self, query: &Query) -> Result<Found, StoreError> {
        read::find(&mut self.connection, query).map_err(|e| self.error(e))
    }

    /// Indexes the words of up to `most` lines that are not indexed yet. Returns their number; 0:
    /// all lines are indexed.
    pub fn index_some(&mut self, most: usize) -> Result<usize, StoreError> {
        if search::is_complete(&self.connection, LineId::MAX).map_err(|e| self.error(e))? {
            return Ok(0);
        }
        self.transact(|transaction| Ok(search::index_some(transaction, most)?))
    }

    /// Which file it is, whatever its name.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether it has this line, said at this time.
    pub(crate) fn has_line(&self, id: LineId, at: Timestamp) -> Result<bool, StoreError> {
        read::has_line(&self.connection, id, at).map_err(|e| self.error(e))
    }

    /// Whether passwords can be read.
    pub(crate) fn can_be_read(&mut self) -> bool {
        self.check_it_is_there().is_ok()
            && self.find(&Query::Password(AccountId::default())).is_ok()
    }

    /// Whether every line up to this one is indexed.
    pub(crate) fn is_indexed(&self, last: LineId) -> Result<bool, StoreError> {
        search::is_complete(&self.connection, last).map_err(|e| self.error(e))
    }

    /// The number of the last line in the file.
    pub(crate) fn last_line(&self) -> Result<LineId, StoreError> {
        read::last_line(&self.connection).map_err(|e| self.error(e))
    }

    /// Whether another process has written something since the last call. Also finds out that the
    /// file is gone.
    pub fn changed_by_others(&mut self) -> Result<bool, StoreError> {
        self.check_it_is_there()?;
        let now: i64 = self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|e| self.error(e))?;
        Ok(std::mem::replace(&mut self.data_version, now) != now)
    }

    /// Makes an account, also while a server runs. The server hands out the numbers of accounts
    /// ahead of writing; here the next number is taken in the transaction that uses it.
    ///
    /// # Errors
    /// [`StoreErrorKind::AccountTaken`], or what is wrong with the file.
    pub fn add_account(
        &mut self,
        name: &str,
        password: PasswordHash,
        at: Timestamp,
    ) -> Result<AccountId, StoreError> {
        self.transact(|db| {
            let id = read::last_account(db)?.next();
            let account =
                Account { id, name: name.to_owned(), is_admin: false, since: at, mail: 0 };
            let change = Change::Registered(account, password);
            write::record(db, &Record { at, change })?;
            Ok(id)
        })
    }

    /// Makes several accounts, and notes what was done: all of it or nothing. Also while a server
    /// runs.
    ///
    /// # Errors
    /// As [`Store::add_account`].
    pub fn add_accounts(
        &mut self,
        accounts: Vec<(String, PasswordHash)>,
        at: Timestamp,
        audit: Change,
    ) -> Result<(), StoreError> {
        self.transact(|db| {
            for (name, password) in accounts {
                let id = read::last_account(db)?.next();
                let account = Account { id, name, is_admin: false, since: at, mail: 0 };
                let change = Change::Registered(account, password);
                write::record(db, &Record { at, change })?;
            }
            Ok(write::record(db, &Record { at, change: audit })?)
        })
    }

    /// Makes the owner of an account an administrator, or takes that back. Also while a server
    /// runs.
    pub fn set_admin(&mut self, account: AccountId, is_admin: bool) -> Result<(), StoreError> {
        self.transact(|db| Ok(write::set_admin(db, account, is_admin)?))
    }

    /// From now on, waits up to `patience` for another process that has the file locked.
    pub(crate) fn set_patience(&mut self, patience: Duration) -> Result<(), StoreError> {
        self.patience = patience;
        self.connection.busy_timeout(patience).map_err(|e| self.error(e))
    }

    /// Works, and waits for no other program that has the file locked. For work that nobody waits
    /// for: whoever says something meanwhile would wait twice.
    pub(crate) fn without_waiting<T>(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let patience = self.patience;
        self.set_patience(Duration::ZERO)?;
        let done = work(self);
        self.set_patience(patience)?;
        done
    }

    /// Copies the whole file, also while a server writes it: the copy is as the file was at one
    /// moment, and sound. Returns its length in bytes. What is there already is never overwritten.
    ///
    /// # Errors
    /// A sentence for the operator. Then there is no copy.
    pub fn back_up(&self, copy: &Path) -> anyhow::Result<u64> {
        backup::back_up(&self.connection, copy)
    }

    /// Brings the write-ahead log into the file, and closes it. Not needed for safety: a store that
    /// is dropped, or killed, loses nothing.
    pub fn close(self) -> Result<(), StoreError> {
        let Store { connection, path, .. } = self;
        connection.close().map_err(|(_, e)| StoreError::new(&path, e.into()))
    }

    /// Closes a file that is slow, or not what it was, and writes nothing more; the log stays beside
    /// it. SQLite would bring the log into the file, or delete the log of another file that stands
    /// in its place now. There a log that stayed would be taken for that other file's; so would its
    /// index, as long as another program has it open.
    pub(crate) fn abandon(self) {
        let files = BESIDE.map(|ending| beside(&self.path, ending));
        let (ours, is_replaced) = (self.beside, self.check_it_is_there().is_err());
        let is_ours =
            |(file, ours): &(PathBuf, Identity)| ours.is_some() && identity(file) == *ours;
        let to_delete: Vec<_> = files.into_iter().zip(ours).filter(is_ours).collect();
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        drop(self);
        for (file, _) in to_delete.iter().filter(|_| is_replaced) {
            let _ = fs::remove_file(file);
        }
    }

    /// Whether it refuses to be written.
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// The error for everybody who writes to a read-only file.
    pub(crate) fn read_only_error(&self) -> StoreError {
        StoreError::new(&self.path, StoreErrorKind::ReadOnly)
    }

    fn transact<T>(
        &mut self,
        run: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreErrorKind>,
    ) -> Result<T, StoreError> {
        self.check_it_is_there()?;
        let write = || {
            let mut transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = run(&mut transaction)?; // dropped on the way out, it rolls back
            transaction.commit()?;
            Ok(value)
        };
        write().map_err(|kind| StoreError::new(&self.path, kind))
    }

    /// SQLite goes on writing into a deleted file: it exists while it is open, and is lost when it
    /// is closed.
    fn check_it_is_there(&self) -> Result<(), StoreError> {
        if identity(&self.path) == self.identity {
            Ok(())
        } else {
            Err(StoreError::new(&self.path, StoreErrorKind::Gone))
        }
    }

    fn error(&self, error: rusqlite::Error) -> StoreError {
        StoreError::new(&self.path, error.into())
    }
}
