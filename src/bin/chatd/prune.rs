//! `chatd history prune`: deletes what is old, also while a server runs on the same file. Runs on
//! thread `main`.
//!
//! A server forgets by itself (`--history-days`) only if the clock can be relied on. Here a person
//! says so: they are shown what would go, and by which clock.

use crate::{
    confirm::confirm,
    database,
    print::{print_line, zone},
};
use anyhow::{Context as _, bail, ensure};
use chatd::{
    core::record::LineId,
    store::{Old, PRUNE_CHUNK, Store},
};
use jiff::{SignedDuration, Timestamp};
use std::{path::Path, thread, time::Instant};

/// `path`: the database.
pub(crate) fn prune(days: Option<u32>, is_meant: bool, path: &Path) -> anyhow::Result<()> {
    let days = days.context("How old? chatd history prune --days 30 deletes what is older.")?;
    ensure!(days > 0, "--days 0 would delete everything that was ever said. Give 1 or more.");
    let mut store = database::open(path)?;
    let now = Timestamp::now();
    let age = SignedDuration::from_hours(24 * i64::from(days));
    let Ok(before) = now.checked_sub(age) else {
        bail!("--days {days}: there is no time that long ago. Give 4000000 or less.");
    };
    let old = store.count_older(before)?;
    if old.lines == 0 {
        print_line(&format!("Nothing in {} is more than {days} days old.", path.display()));
        return Ok(());
    }
    print_line(&describe(&old, days, now, path));
    if !is_meant {
        confirm(
            "Delete them? They cannot be brought back.",
            "Nothing is deleted.",
            &format!("chatd history prune --days {days} --yes"),
        )?;
    }
    let deleted = delete(&mut store, before)?;
    drop(store);
    let did = format!("deleted {deleted} lines that were said more than {days} days ago");
    database::write(path, Vec::new(), did)?;
    print_line(&format!("{deleted} lines are deleted."));
    Ok(())
}

fn describe(old: &Old, days: u32, now: Timestamp, path: &Path) -> String {
    let zone = zone();
    let time = |at: Timestamp| zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
    let (path, Old { lines, of, .. }) = (path.display(), old);
    let span = old.span.map(|(first, last)| format!(", from {} to {}", time(first), time(last)));
    let is_all = if lines == of { " That is everything." } else { "" };
    format!(
        "{path}: {lines} of {of} lines, in rooms and in private, were said more than {days} days ago{}.{is_all} By the clock it is {} now.",
        span.unwrap_or_default(),
        time(now)
    )
}

/// A piece at a time. After each the file is free for as long as the piece took: a server may want
/// to write.
fn delete(store: &mut Store, before: Timestamp) -> anyhow::Result<usize> {
    let (mut after, mut deleted) = (LineId::MIN, 0);
    loop {
        let began = Instant::now();
        let Some(piece) = store.prune(after, before, PRUNE_CHUNK)? else { return Ok(deleted) };
        (after, deleted) = (piece.last, deleted + piece.deleted);
        if piece.deleted > 0 {
            thread::sleep(began.elapsed());
        }
    }
}
