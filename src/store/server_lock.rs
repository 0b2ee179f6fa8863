//! One server for one file. Any thread may take the lock; it is let go of when it is dropped, or its process ends.
//!
//! SQLite itself would let two servers write in turns. Then both would hand out the same numbers for lines, and each would
//! have accounts that the other does not know. So a server holds a lock of its own, on a file beside the database. The
//! command line does not take it: an administrator is promoted while the server runs.

use super::{
    error::{StoreError, Trouble},
    open::beside,
};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::ErrorKind,
    path::Path,
};

/// The lock, held.
#[derive(Debug)]
pub struct ServerLock {
    _file: Option<File>,
}

impl ServerLock {
    /// Takes the lock for the database at `path`.
    ///
    /// # Errors
    /// Another server has it, or the file beside the database cannot be made.
    pub fn take(path: &Path) -> Result<ServerLock, StoreError> {
        // Two names of one file have one lock.
        let database = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let lock = beside(&database, ".lock");
        let file = match OpenOptions::new().write(true).create(true).truncate(false).open(&lock) {
            Ok(file) => file,
            Err(e) if is_refused(e.kind()) && database.exists() => {
                return Ok(ServerLock { _file: None }); // nothing can be written here, so no other server can, either
            }
            Err(e) => return Err(StoreError::new(&lock, Trouble::CannotOpen(e.to_string()))),
        };
        match file.try_lock() {
            Ok(()) => Ok(ServerLock { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::new(path, Trouble::InUse)),
            Err(TryLockError::Error(e)) => {
                Err(StoreError::new(&lock, Trouble::CannotOpen(e.to_string())))
            }
        }
    }
}

fn is_refused(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}
