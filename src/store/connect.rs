//! A connection to the file, before anything is known of what is in it. Blocks on the disk; knows no
//! thread.

use super::{file::beside, schema};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{path::Path, time::Duration};

/// The most statements kept prepared: more than there are.
pub(super) const STATEMENTS: usize = 64;

/// Opens for writing, or for reading where that is all there is.
pub(super) fn connect(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    use rusqlite::ErrorCode::{CannotOpen, ReadOnly};
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags)
        .and_then(|connection| prepare(connection, patience));
    match opened {
        // A disk that cannot be written has no place for a log. Then nothing is missing from the
        // file.
        Err(e)
            if matches!(e.sqlite_error_code(), Some(CannotOpen | ReadOnly))
                && !beside(path, "-wal").exists() =>
        {
            immutable(path, patience)
        }
        opened => opened,
    }
}

/// Opens a file that nobody changes meanwhile: SQLite then leaves nothing beside it.
pub(super) fn immutable(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(immutable_uri(path), flags)
        .and_then(|connection| prepare(connection, patience))
}

fn prepare(connection: Connection, patience: Duration) -> rusqlite::Result<Connection> {
    connection.busy_timeout(patience)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Closing must not bring a log into a file that turns out to be damaged, or newer.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // The file may have been prepared by somebody to do us harm.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    schema::version(&connection)?; // SQLite opens a file when it first reads it
    Ok(connection)
}

/// The path as an address that tells SQLite that nobody changes the file.
fn immutable_uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b':' | b'.' | b'-' | b'_' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri + "?immutable=1"
}
