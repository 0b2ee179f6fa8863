//! Copies of the whole file: before a migration, and for whoever keeps backups. A copy has what is in
//! the write-ahead log, too, and is on the disk when it is told to be there. Blocks on the disk;
//! knows no thread.

use super::{
    StoreErrorKind,
    file::{beside, create_private},
};
use anyhow::{Context as _, anyhow, ensure};
use rusqlite::{
    Connection, OpenFlags,
    types::{ToSqlOutput, ValueRef},
};
use std::{
    error::Error,
    fs::{self, File},
    io::{BufReader, Read as _},
    path::Path,
};

/// See [`Store::back_up`](super::Store::back_up).
pub(super) fn back_up(connection: &Connection, copy: &Path) -> anyhow::Result<u64> {
    ensure!(!copy.exists(), "{} is there already. Give another name.", copy.display());
    let unfinished = beside(copy, ".unfinished");
    write_copy(connection, &unfinished, copy).map_err(|why| {
        let _ = fs::remove_file(&unfinished);
        anyhow!("{} cannot be written: {why}", copy.display())
    })?;
    Ok(fs::metadata(copy).context("the copy is gone")?.len())
}

/// Leaves a copy of the file beside it: the way back to the older chatd. The copy of `chatd.db`
/// with schema 1 is `chatd.db.schema-1`. It is on the disk when this returns.
///
/// The caller's transaction keeps other writers out meanwhile. A copy that is there already is
/// never overwritten. If it is the same, it will do: a migration that was cut leaves it.
pub(super) fn keep_copy(path: &Path, old_schema: usize) -> Result<(), StoreErrorKind> {
    let copy = beside(path, &format!(".schema-{old_schema}"));
    let unfinished = beside(&copy, ".unfinished");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let written = Connection::open_with_flags(path, flags)
        .map_err(Into::into)
        .and_then(|connection| write_copy(&connection, &unfinished, &copy));
    written.map_err(|why| {
        let _ = fs::remove_file(&unfinished);
        StoreErrorKind::CannotCopy { copy, why: why.to_string() }
    })
}

fn write_copy(
    connection: &Connection,
    unfinished: &Path,
    copy: &Path,
) -> Result<(), Box<dyn Error>> {
    if unfinished.exists() {
        fs::remove_file(unfinished)?; // a crash left it
    }
    let file = create_private(unfinished)?;
    let name = ValueRef::Text(unfinished.as_os_str().as_encoded_bytes());
    connection.execute("VACUUM INTO ?1", [ToSqlOutput::Borrowed(name)])?;
    file.sync_all()?;
    if copy.exists() {
        if !have_same_bytes(unfinished, copy)? {
            return Err("another one is there already; move it away".into());
        }
        fs::remove_file(unfinished)?;
    } else {
        fs::rename(unfinished, copy)?;
    }
    #[cfg(unix)] // elsewhere a folder cannot be opened
    File::open(copy.canonicalize()?.parent().unwrap_or(Path::new("/")))?.sync_all()?;
    Ok(())
}

fn have_same_bytes(a: &Path, b: &Path) -> std::io::Result<bool> {
    let (a, b) = (File::open(a)?, File::open(b)?);
    if a.metadata()?.len() != b.metadata()?.len() {
        return Ok(false);
    }
    for (a, b) in BufReader::new(a).bytes().zip(BufReader::new(b).bytes()) {
        if a? != b? {
            return Ok(false);
        }
    }
    Ok(true)
}
