//! What can be wrong with the file, each in one sentence for the person who runs the server. No I/O, any thread.

use rusqlite::{ErrorCode, ffi};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Something is wrong with a database file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub trouble: Trouble,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It cannot be opened or made: no such folder, a folder itself, no permission.
    CannotOpen(String),
    /// Another server is using it.
    InUse,
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
    /// There is an account of this name or number already: another process made one at the same moment.
    AccountTaken,
    /// The disk reports a fault.
    DiskFault(String),
    /// Anything else, in SQLite's words.
    Other(String),
}

impl StoreError {
    /// This trouble with that file.
    pub fn new(path: &Path, trouble: Trouble) -> StoreError {
        StoreError { path: path.to_owned(), trouble }
    }

    /// What SQLite reported, sorted.
    pub(super) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> StoreError {
        let trouble = match error.sqlite_error() {
            // The file is no longer the one that was opened.
            Some(e) if e.extended_code == ffi::SQLITE_READONLY_DBMOVED => Trouble::Gone,
            Some(e) => match e.code {
                ErrorCode::CannotOpen => Trouble::CannotOpen(error.to_string()),
                ErrorCode::NotADatabase => Trouble::NotADatabase,
                ErrorCode::DatabaseCorrupt => Trouble::Damaged(error.to_string()),
                ErrorCode::ReadOnly => Trouble::ReadOnly,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Trouble::Locked,
                ErrorCode::DiskFull => Trouble::DiskFull,
                ErrorCode::SystemIoFailure => Trouble::DiskFault(error.to_string()),
                ErrorCode::ConstraintViolation => Trouble::AccountTaken, // the only one that a record can break
                _ => Trouble::Other(error.to_string()),
            },
            None => Trouble::Other(error.to_string()),
        };
        StoreError::new(path, trouble)
    }
}

impl Trouble {
    /// The end of a sentence, for people in the chat: they need not know where the file is.
    pub fn brief(&self) -> &'static str {
        match self {
            Trouble::CannotOpen(_) => "its file cannot be opened.",
            Trouble::InUse => "its file is used by another chatd.",
            Trouble::NotADatabase | Trouble::Damaged(_) => "its file is damaged.",
            Trouble::AnotherPrograms => "its file is another program's.",
            Trouble::Newer { .. } => "its file is from a newer chatd.",
            Trouble::CannotCopy { .. } => "its file is from an older chatd, and cannot be copied.",
            Trouble::ReadOnly => "its file is read-only.",
            Trouble::Locked => "its file is locked by another program.",
            Trouble::DiskFull => "the disk is full.",
            Trouble::Gone => "its file was deleted.",
            Trouble::AccountTaken => "somebody registered that name a moment ago.",
            Trouble::DiskFault(_) => "its disk has a fault.",
            Trouble::Other(_) => "its file does not do what it should.",
        }
    }
}

impl std::error::Error for StoreError {}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.path.display();
        match &self.trouble {
            Trouble::CannotOpen(why) => write!(f, "cannot open {file}: {why}"),
            Trouble::InUse => {
                write!(
                    f,
                    "another chatd is using {file}. Stop that one, or give this one a file of its own: --db FILE"
                )
            }
            Trouble::NotADatabase => {
                write!(
                    f,
                    "{file} is not a database, and is left as it is. Choose another file with --db."
                )
            }
            Trouble::AnotherPrograms => {
                write!(
                    f,
                    "{file} is another program's database, and is left as it is. Choose another file with --db."
                )
            }
            Trouble::Newer { found, known } => write!(
                f,
                "{file} is from a newer chatd (schema {found}; this one knows {known}), and is left as it is. \
                 Use the newer chatd."
            ),
            Trouble::CannotCopy { copy, why } => write!(
                f,
                "{file} is from an older chatd, and is left as it is, because no copy could be made at {} first: {why}.",
                copy.display()
            ),
            Trouble::Damaged(how) => write!(
                f,
                "{file} is damaged ({how}), and is left as it is. Put a copy in its place, or move it away and chatd \
                 begins a new one."
            ),
            Trouble::ReadOnly => {
                write!(f, "{file} cannot be written: it, its folder or its disk is read-only.")
            }
            Trouble::Locked => write!(f, "{file} is locked by another program."),
            Trouble::DiskFull => write!(f, "the disk that holds {file} is full."),
            Trouble::Gone => write!(f, "{file} was deleted or replaced while it was open."),
            Trouble::AccountTaken => {
                write!(
                    f,
                    "{file} has an account of that name already, made a moment ago. Choose another name."
                )
            }
            Trouble::DiskFault(what) => write!(f, "the disk that holds {file} has a fault: {what}"),
            Trouble::Other(what) => write!(f, "{file}: {what}"),
        }
    }
}
