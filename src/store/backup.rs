//! Copies of the whole file: before a migration, and for whoever keeps backups. A copy has what is in
//! the write-ahead log, too, and is on the disk when it is told to be there. Blocks on the disk;
//! knows no thread.

use super::{
    StoreErrorKind,
    connect::immutable,
    file::{beside, create_private, sync_folder},
    findings::first_finding,
    server_lock::is_taken,
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
    path::{Path, PathBuf},
    time::Duration,
};

/// See [`Store::back_up`](super::Store::back_up).
pub(super) fn back_up(connection: &Connection, copy: &Path) -> anyhow::Result<u64> {
    ensure!(!copy.exists(), "{} is there already. Give another name.", copy.display());
    write_sound_copy(connection, copy)?;
    Ok(fs::metadata(copy).context("the copy is gone")?.len())
}

/// Writes a copy where none is, and reads it again before it has its name. If it fails, there is
/// none.
pub(super) fn write_sound_copy(connection: &Connection, copy: &Path) -> anyhow::Result<()> {
    let unfinished = Unfinished::begin(beside(copy, ".unfinished"))
        .and_then(|unfinished| {
            unfinished.fill(connection)?;
            let written = immutable(&unfinished.path, Duration::ZERO)?;
            match first_finding(&written)? {
                Some(found) => Err(format!("what was written is not sound: {found}").into()),
                None => Ok(unfinished),
            }
        })
        .and_then(|unfinished| unfinished.rename(copy));
    unfinished.map_err(|why| anyhow!("{} cannot be written: {}", copy.display(), sentence(why)))
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
    let written = Connection::open_with_flags(path, flags).map_err(Into::into).and_then(|from| {
        let unfinished = Unfinished::begin(unfinished)?;
        unfinished.fill(&from)?;
        match copy.exists() {
            false => unfinished.rename(&copy),
            true if have_same_bytes(&unfinished.path, &copy)? => Ok(()),
            true => Err("another one is there already; move it away".into()),
        }
    });
    written.map_err(|why| StoreErrorKind::CannotCopy { copy, why: sentence(why) })
}

/// A copy that is being written. Dropped, it is deleted.
struct Unfinished {
    path: PathBuf,
    /// Locked, so that no other chatd takes it for one that a crash has left.
    file: File,
}

impl Unfinished {
    fn begin(path: PathBuf) -> Result<Unfinished, Box<dyn Error>> {
        if path.exists() {
            if is_taken(&File::open(&path)?) {
                return Err("another chatd is writing it".into());
            }
            fs::remove_file(&path)?; // a crash left it
        }
        let file = create_private(&path)?;
        let _ = is_taken(&file); // by us, from now on
        Ok(Unfinished { path, file })
    }

    /// SQLite copies the database at one moment, in order and without gaps.
    fn fill(&self, from: &Connection) -> Result<(), Box<dyn Error>> {
        let path = std::path::absolute(&self.path)?; // SQLite reads more into a name like file:x
        let name = ValueRef::Text(path.as_os_str().as_encoded_bytes());
        from.execute("VACUUM INTO ?1", [ToSqlOutput::Borrowed(name)])?;
        Ok(self.file.sync_all()?)
    }

    fn rename(self, copy: &Path) -> Result<(), Box<dyn Error>> {
        fs::rename(&self.path, copy)?;
        Ok(sync_folder(copy)?)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // unless it has its name
    }
}

/// What went wrong, for the end of a sentence.
fn sentence(why: Box<dyn Error>) -> String {
    match why.downcast::<rusqlite::Error>() {
        Ok(error) => StoreErrorKind::from(*error).cause(),
        Err(other) => match other.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(std::io::ErrorKind::NotFound) => "there is no such folder".to_owned(),
            _ => other.to_string(),
        },
    }
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
