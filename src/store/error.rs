//! What can be wrong with the file, each in one sentence for the person who runs the server. Any
//! thread.

use super::file::is_size_limited;
use rusqlite::{ErrorCode, ffi};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Something is wrong with a database file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    pub(crate) path: PathBuf,
    /// What is wrong with it.
    pub kind: StoreErrorKind,
}

/// What is wrong with the file, or with a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// It cannot be opened or made: no such folder, a folder itself, no permission.
    CannotOpen(String),
    /// Another server is using it.
    InUse,
    /// A server is using it under another name: a hard link.
    OtherName,
    /// It is something else than a database.
    NotADatabase,
    /// It is a database, and not chatd's.
    AnotherPrograms,
    /// It is from a newer chatd.
    Newer {
        /// Its schema's number.
        found: usize,
        /// The highest number that this program knows.
        known: usize,
    },
    /// Its schema is older, and no copy of it could be made before changing that.
    CannotCopy {
        /// Where the copy should be.
        copy: PathBuf,
        /// What was in the way.
        why: String,
    },
    /// It is inconsistent in itself.
    Damaged(String),
    /// It can be read, and not written.
    ReadOnly,
    /// Another program keeps it locked.
    Locked,
    /// There is no room left for it.
    DiskFull,
    /// Somebody deleted it, or put another one in its place, while it was open.
    Gone,
    /// There is an account of this name or number already: another process made one at the same
    /// moment.
    AccountTaken,
    /// There is no such account any more: another process deleted it at the same moment.
    AccountGone,
    /// The disk reports a fault.
    DiskFault(String),
    /// Anything else, in SQLite's words.
    Other(String),
}

impl StoreError {
    pub(super) fn new(path: &Path, kind: StoreErrorKind) -> StoreError {
        StoreError { path: path.to_owned(), kind }
    }
}

impl StoreErrorKind {
    /// Whether one change is refused, and nothing is wrong with the file.
    pub(super) fn is_about_an_account(&self) -> bool {
        matches!(self, StoreErrorKind::AccountTaken | StoreErrorKind::AccountGone)
    }

    /// The end of a sentence for the operator, about a file whose name stands before.
    pub(super) fn cause(self) -> String {
        use StoreErrorKind::*;
        match self {
            DiskFull => {
                "the disk is full, or a file may not become so large (ulimit -f)".to_owned()
            }
            CannotOpen(why) | DiskFault(why) | Other(why) | Damaged(why) => why,
            other => other.brief().trim_end_matches('.').to_owned(),
        }
    }

    /// The end of a sentence, for people in the chat: they need not know where the file is.
    pub(crate) fn brief(&self) -> &'static str {
        use StoreErrorKind::*;
        match self {
            CannotOpen(_) => "its file cannot be opened.",
            InUse | OtherName => "its file is used by another chatd.",
            NotADatabase | Damaged(_) => "its file is damaged.",
            AnotherPrograms => "its file is another program's.",
            Newer { .. } => "its file is from a newer chatd.",
            CannotCopy { .. } => "its file is from an older chatd, and cannot be copied.",
            ReadOnly => "its file is read-only.",
            Locked => "its file is locked by another program.",
            DiskFull => "the disk is full.",
            Gone => "its file was deleted.",
            AccountTaken => "somebody registered that name a moment ago.",
            AccountGone => "that account was deleted a moment ago.",
            DiskFault(_) => "its disk has a fault.",
            Other(_) => "its file does not do what it should.",
        }
    }
}

/// What SQLite reported, sorted.
impl From<rusqlite::Error> for StoreErrorKind {
    fn from(error: rusqlite::Error) -> StoreErrorKind {
        use StoreErrorKind::*;
        let text = error.to_string();
        let code = match &error {
            rusqlite::Error::StatementChangedRows(0) => return AccountGone,
            rusqlite::Error::SqliteFailure(code, _) => code,
            _ => return Other(text),
        };
        match (code.code, code.extended_code) {
            (_, ffi::SQLITE_READONLY_DBMOVED) => Gone, // not the file that was opened
            (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => AccountGone,
            (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => AccountTaken,
            (ErrorCode::CannotOpen, _) => CannotOpen(text),
            (ErrorCode::NotADatabase, _) => NotADatabase,
            (ErrorCode::DatabaseCorrupt, _) => Damaged(text),
            (ErrorCode::ReadOnly, _) => ReadOnly,
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Locked,
            (ErrorCode::DiskFull, _) => DiskFull,
            (
                _,
                ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_TRUNCATE | ffi::SQLITE_IOERR_SHMSIZE,
            ) if is_size_limited() => DiskFull,
            (ErrorCode::SystemIoFailure, _) => DiskFault(text),
            _ => Other(text),
        }
    }
}

impl std::error::Error for StoreError {}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use StoreErrorKind::*;
        let file = self.path.display();
        let left = "and is left as it is. Choose another file with --db.";
        match &self.kind {
            CannotOpen(why) => write!(f, "cannot open {file}: {why}"),
            InUse => write!(
                f,
                "another chatd is using {file}. Stop that one, or give this one a file of its own: \
                 --db FILE"
            ),
            OtherName => {
                write!(
                    f,
                    "a chatd is using {file} under another name, and that one has to be used."
                )
            }
            NotADatabase => write!(f, "{file} is not a database, {left}"),
            AnotherPrograms => write!(f, "{file} is another program's database, {left}"),
            Newer { found, known } => write!(
                f,
                "{file} is from a newer chatd (schema {found}; this one knows {known}), and is \
                 left as it is. Use the newer chatd."
            ),
            CannotCopy { copy, why } => write!(
                f,
                "{file} is from an older chatd, and is left as it is, because no copy could be \
                 made at {} first: {why}.",
                copy.display()
            ),
            Damaged(how) => write!(
                f,
                "{file} is damaged ({how}), and is left as it is. Put a copy in its place, or move \
                 it away and chatd begins a new one."
            ),
            ReadOnly => {
                write!(f, "{file} cannot be written: it, its folder or its disk is read-only.")
            }
            Locked => write!(f, "{file} is locked by another program."),
            DiskFull => write!(
                f,
                "the disk that holds {file} is full, or the file may not become larger (ulimit -f)."
            ),
            Gone => write!(f, "{file} was deleted or replaced while it was open."),
            AccountTaken => write!(
                f,
                "{file} has an account of that name already, made a moment ago. Choose another \
                 name."
            ),
            AccountGone => write!(f, "{file} has no such account any more."),
            DiskFault(what) => {
                write!(f, "the disk that holds {file} has a fault: {what}")
            }
            Other(what) => write!(f, "{file}: {what}"),
        }
    }
}
