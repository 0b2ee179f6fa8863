//! `chatd backup`, `chatd restore` and `chatd check`: the database as a file. Runs on thread `main`.

use crate::{
    database,
    print::{print_line, zone},
};
use chatd::store::{self, Restored, Sound, schema};
use jiff::{Timestamp, tz::TimeZone};
use std::path::Path;

/// `path`: the database.
pub(crate) fn back_up(copy: &Path, path: &Path) -> anyhow::Result<()> {
    let bytes = database::open_to_read(path)?.back_up(copy)?;
    print_line(&format!(
        "{} is copied to {}: {}. The copy is sound.",
        path.display(),
        copy.display(),
        size(bytes)
    ));
    Ok(())
}

/// `path`: the database.
pub(crate) fn restore(backup: &Path, path: &Path) -> anyhow::Result<()> {
    let Restored { has, kept } =
        store::put_in_place(backup, path, Timestamp::now(), database::PATIENCE)?;
    print_line(&format!("{} is what {} was:", path.display(), backup.display()));
    describe(&has, &zone());
    if let Some(kept) = kept {
        print_line(&format!("What was there before is kept as {}.", kept.display()));
    }
    Ok(())
}

/// A file that is not sound is an error, so that a script notices.
pub(crate) fn check(path: &Path) -> anyhow::Result<()> {
    let has = Sound::check(&database::open_to_read(path)?)?;
    print_line(&format!("{} is sound.", path.display()));
    describe(&has, &zone());
    Ok(())
}

fn describe(has: &Sound, zone: &TimeZone) {
    let time = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    let span = has.span.map(|(first, last)| format!(", from {} to {}", time(first), time(last)));
    let schema = match has.schema {
        schema::VERSION => String::new(),
        _ => format!(": a server of today makes {} of it, and keeps a copy", schema::VERSION),
    };
    let log = if has.log > 0 { format!(", and a log of {}", size(has.log)) } else { String::new() };
    for (what, how_much) in [
        (
            "lines",
            format!(
                "{} in rooms, {} in private{}",
                has.lines,
                has.private,
                span.unwrap_or_default()
            ),
        ),
        ("rooms", has.rooms.to_string()),
        ("accounts", format!("{}, administrators: {}", has.accounts, has.administrators)),
        ("mail", format!("{} that nobody has deleted", has.mail)),
        ("schema", format!("{}{schema}", has.schema)),
        ("size", format!("{}, {} of it free{log}", size(has.bytes), size(has.free))),
    ] {
        print_line(&format!("  {what:<9} {how_much}"));
    }
}

/// Bytes, as people read them.
fn size(bytes: u64) -> String {
    let kib = bytes as f64 / 1024.0;
    match bytes {
        0..0x10_0000 => format!("{kib:.0} KiB"),
        0x10_0000..0x4000_0000 => format!("{:.1} MiB", kib / 1024.0),
        _ => format!("{:.1} GiB", kib / 1024.0 / 1024.0),
    }
}
