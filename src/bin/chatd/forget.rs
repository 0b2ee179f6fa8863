//! `chatd account forget`: somebody is taken out of the database. Runs on thread `main`.

use crate::{confirm::confirm, database, print::print_line};
use anyhow::{Context as _, anyhow};
use chatd::{
    core::{name::NameRule, record::Change},
    store::{GONE, ServerLock, Store, StoreErrorKind, Traces},
};
use std::{fs, path::Path};

/// `path`: the database.
pub(crate) fn forget(name: &str, is_meant: bool, path: &Path) -> anyhow::Result<()> {
    NameRule::Ascii
        .check(name, "name")
        .or_else(|why| NameRule::Unicode.check(name, "name").map_err(|_| anyhow!(why)))?;
    let mut store = database::open(path)?;
    let _lock = ServerLock::take(path).map_err(|error| match error.kind {
        StoreErrorKind::InUse => anyhow!(
            "A chatd is using {}, which remembers what {name} said. Stop it before {name} is forgotten.",
            path.display()
        ),
        _ => error.into(),
    })?;
    let traces = Traces::of(&mut store, name)?;
    if traces == Traces::default() {
        sweep(&store)?;
        print_line(&format!("Nothing in {} is of {name} or names them.", path.display()));
        return Ok(());
    }
    describe(name, &traces, path);
    if !is_meant {
        confirm(
            &format!("Forget {name}? It cannot be undone."),
            "Nobody is forgotten.",
            &format!("chatd account forget {name} --yes"),
        )?;
    }
    let done = Traces::erase(&mut store, name)?;
    drop(store);
    let Traces { said, private, named, .. } = done;
    let did = format!(
        "forgot somebody: {said} lines said, {private} private ones deleted, {named} that named them"
    );
    database::write(path, Vec::<Change>::new(), did)?;
    print_line(&format!("{name} is forgotten."));
    sweep(&database::open(path)?)
}

/// Free parts of the file may have text that was deleted long ago.
fn sweep(store: &Store) -> anyhow::Result<()> {
    Traces::sweep(store).context(
        "the file could not be written anew, and free parts of it may have old text. Do it again",
    )
}

fn describe(name: &str, traces: &Traces, path: &Path) {
    let Traces { accounts, said, private, named, named_in_private, noted } = *traces;
    let named = named + named_in_private;
    print_line(&format!("{} has of {name}:", path.display()));
    for (what, how_many, becomes) in [
        ("accounts", accounts, "to be deleted".to_owned()),
        ("private", private, "lines and messages, to be deleted".to_owned()),
        ("said", said, format!("lines in rooms, whose author will be {GONE}")),
        ("named", named, format!("lines of others, in which {GONE} will stand for the name")),
        ("noted", noted, "topics, bans and entries of the audit, the same".to_owned()),
    ] {
        print_line(&format!("  {what:<9} {how_many}: {becomes}"));
    }
    let copies = copies_beside(path);
    let beside =
        if copies.is_empty() { String::new() } else { format!(" ({})", copies.join(", ")) };
    print_line(&format!(
        "Copies of the file{beside} and backups have all of it still: delete them, or make new ones."
    ));
}

/// The names of copies that chatd has left beside the database.
fn copies_beside(path: &Path) -> Vec<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_copy = |name: &String| {
        let ending = name.strip_prefix(&own).unwrap_or_default();
        ending.starts_with(".schema-") || ending.starts_with(".replaced-")
    };
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut copies: Vec<String> = names.filter(is_copy).collect();
    copies.sort();
    copies
}
