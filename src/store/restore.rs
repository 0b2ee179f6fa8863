//! A backup in the place of the database, in one step: whenever it is cut off, the old file or the new
//! one is there. Blocks on the disk; knows no thread.

use super::{
    ServerLock, Sound, Store, StoreErrorKind,
    backup::write_sound_copy,
    connect::connect,
    file::{beside, sync_folder},
    row::micros,
    schema,
};
use anyhow::{Context as _, anyhow, bail, ensure};
use jiff::Timestamp;
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What SQLite may keep beside a file. Beside another one it would be taken for that one's.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];
/// The most databases that were replaced and are kept: whoever has more has forgotten them.
const KEPT_MAX: usize = 100;

/// What a restored database has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What is in it.
    pub has: Sound,
    /// Where the database is kept that was there before.
    pub kept: Option<PathBuf>,
}

/// Puts a copy of `backup` in the place of the database, for a server that starts `at` this time or
/// later; in today's schema, whatever the backup's is. Waits up to `patience` for other programs.
///
/// Lines that were said since the backup have numbers that will be given out again, to others. So
/// the numbers belong to a new epoch, and no token from before is good: clients begin anew.
///
/// # Errors
/// A sentence for the operator. Then nothing is changed.
pub fn put_in_place(
    backup: &Path,
    path: &Path,
    at: Timestamp,
    patience: Duration,
) -> anyhow::Result<Restored> {
    ensure!(backup.exists(), "There is no file {}.", backup.display());
    ensure!(
        backup.canonicalize().ok() != path.canonicalize().ok(),
        "{} is the database itself, and no backup of it.",
        backup.display()
    );
    let path = &if path.is_symlink() { path.canonicalize()? } else { path.to_owned() };
    let _lock = ServerLock::take(path).map_err(|error| match error.kind {
        StoreErrorKind::InUse => anyhow!(
            "A chatd is using {}, and nothing is changed. Stop it before you restore a backup.",
            path.display()
        ),
        _ => error.into(),
    })?;
    let from = Store::open_to_read(backup, patience).map_err(|error| match error.kind {
        StoreErrorKind::NotADatabase | StoreErrorKind::AnotherPrograms => anyhow!(
            "{} is no backup: it is not a database of chatd's. Nothing is changed.",
            backup.display()
        ),
        _ => error.into(),
    })?;
    let new = beside(path, ".restored");
    let _ = fs::remove_file(&new); // a restoration that was cut off left it
    write_sound_copy(&from.connection, &new)?;
    let restored = begin_anew(&new, backup, at).and_then(|()| {
        let has = Sound::check(&Store::open_to_read(&new, patience)?)?;
        keep_owner(path, &new);
        let kept = set_aside(path, patience)?;
        fs::rename(&new, path)?;
        sync_folder(path)?;
        Ok(Restored { has, kept })
    });
    let _ = fs::remove_file(&new); // unless it is in its place
    restored.with_context(|| format!("{} is not restored", path.display()))
}

/// Makes the copy one that a server can go on with.
fn begin_anew(new: &Path, backup: &Path, at: Timestamp) -> anyhow::Result<()> {
    let mut db = Connection::open(new)?;
    db.pragma_update_and_check(None, "journal_mode", "memory", |_| Ok(()))?; // no file beside it
    let transaction = db.transaction()?;
    schema::update(&transaction)?;
    transaction.execute("UPDATE marks SET epoch = random() & 9007199254740991", [])?;
    transaction.execute("DELETE FROM returning_client", [])?;
    transaction.execute(
        "INSERT INTO audit (at, by, what) VALUES (?1, 'operator', ?2)",
        (micros(at), format!("restored the database from {}", backup.display())),
    )?;
    transaction.commit()?;
    db.close().map_err(|(_, error)| error)?;
    Ok(fs::File::open(new)?.sync_all()?)
}

/// The server has to be able to open it, whoever restores it: if they may, it belongs to the owner of
/// the old one.
fn keep_owner(old: &Path, new: &Path) {
    #[cfg(unix)]
    if let Ok(owner) = fs::metadata(old) {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let _ = chown(new, Some(owner.uid()), Some(owner.gid()));
    }
    let _ = (old, new);
}

/// Keeps the database under another name, and takes away what belongs to it. It stays in its place,
/// too, until the new one replaces it, where a file can have two names.
fn set_aside(path: &Path, patience: Duration) -> anyhow::Result<Option<PathBuf>> {
    let is_there = path.exists();
    if is_there {
        bring_in_log(path, patience)?;
    }
    let free = |number| {
        let kept = beside(path, &format!(".replaced-{number}"));
        (!kept.exists()).then_some(kept)
    };
    let kept = (1..=KEPT_MAX).find_map(free);
    let kept = kept.with_context(|| {
        format!("{KEPT_MAX} databases that were replaced are beside it. Delete some of them")
    })?;
    for (ending, old) in BESIDE.map(|ending| (ending, beside(path, ending))) {
        match fs::metadata(&old) {
            // Of a file that is damaged, the log may be worth a look.
            Ok(found) if is_there && found.len() > 0 && ending != "-shm" => {
                fs::rename(&old, beside(&kept, ending))?;
            }
            Ok(_) => fs::remove_file(&old)?,
            Err(_) => {}
        }
    }
    if !is_there {
        return Ok(None);
    }
    fs::hard_link(path, &kept).or_else(|_| fs::rename(path, &kept))?;
    Ok(Some(kept))
}

/// Brings the log into the file, so that the file alone has everything. One that is damaged, or none
/// of ours, stays as it is.
fn bring_in_log(path: &Path, patience: Duration) -> anyhow::Result<()> {
    if !BESIDE.iter().any(|ending| beside(path, ending).exists()) {
        return Ok(());
    }
    let brought_in = connect(path, patience).and_then(|db| {
        let is_busy = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(is_busy)
    });
    match brought_in.map_err(StoreErrorKind::from) {
        Ok(true) | Err(StoreErrorKind::Locked) => {
            bail!("another program has it open, and is in the middle of something")
        }
        Ok(false) | Err(_) => Ok(()),
    }
}
