//! At the start: whether the clock is behind what the file has. Runs on thread `main`.
//!
//! A machine without a battery goes on at the time at which it was switched off, or at that of its
//! system's image. Nothing else tells that it is wrong: see [`Clock`], which compares what passes.

use crate::{
    server::clock::Clock,
    store::{Store, StoreError},
};
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};

/// A clock may be so much behind without a word: a time server sets it back by less.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// When the file was last written, as the file system has it. To be asked before it is opened: that
/// may write it.
pub(super) fn written_at(file: Option<&Path>) -> Option<Timestamp> {
    let file = file?;
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let modified = |file: PathBuf| file.metadata().ok()?.modified().ok()?.try_into().ok();
    [file.to_owned(), log.into()].into_iter().filter_map(modified).max()
}

/// Tells the clock which time it cannot be, and the log, if it is behind. `written_at`: see
/// [`written_at`].
pub(super) fn check(
    clock: &Clock,
    file: Option<&Path>,
    written_at: Option<Timestamp>,
    store: &Store,
) -> Result<(), StoreError> {
    let said = store.newest_record()?;
    let Some(last) = said.max(written_at) else { return Ok(()) };
    let now = clock.now();
    clock.cannot_be_before(last);
    if now.duration_since(last) >= -SLACK {
        return Ok(());
    }
    let what = if said == Some(last) { "has something that was said" } else { "was written" };
    let [now, last] = [now, last].map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC"));
    let file = file.map(|file| file.display().to_string()).unwrap_or_default();
    log::warn!(
        "the clock says {now}, but {file} {what} at {last}: the clock is behind, or was ahead then. While it is behind, times are wrong, and bans and mutes last longer than they should. When it is set right, chatd goes on in that time at once"
    );
    Ok(())
}
