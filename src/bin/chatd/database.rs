//! Which database a command is about, and opening it beside a server that has it open. Runs on
//! thread `main`.

use anyhow::{Context as _, anyhow, ensure};
use chatd::{
    core::record::{Account, Change, Record},
    server::options::Options,
    store::{Durability, ServerLock, Store},
};
use jiff::Timestamp;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a server's transaction may take: it is done in a moment, or something is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The file: given behind the command, or before it, or the usual one.
pub(crate) fn path(behind: Option<&Path>, options: &Options) -> anyhow::Result<PathBuf> {
    let path =
        behind.or(options.database()).context("--db none is no file: nothing is kept there.")?;
    Ok(path.to_owned())
}

/// Opens it. What is changed by hand is changed for good: not even a power cut takes it back.
pub(crate) fn open_or_create(path: &Path) -> anyhow::Result<Store> {
    ServerLock::check_name(path)?;
    Ok(Store::open(path, Durability::Full, PATIENCE)?)
}

/// Opens it, if there is one.
pub(crate) fn open(path: &Path) -> anyhow::Result<Store> {
    must_exist(path)?;
    open_or_create(path)
}

/// Opens it as it is, to read it: an older schema stays.
pub(crate) fn open_to_read(path: &Path) -> anyhow::Result<Store> {
    must_exist(path)?;
    ServerLock::check_name(path)?;
    Ok(Store::open_to_read(path, PATIENCE)?)
}

fn must_exist(path: &Path) -> anyhow::Result<()> {
    ensure!(
        path.exists(),
        "There is no database {}. A server makes one where it is started; \
         --db FILE says which one is meant.",
        path.display()
    );
    Ok(())
}

/// The operator, as the audit and whoever is banned read it.
pub(crate) const OPERATOR: &str = "operator";

/// Writes what the operator did, and notes it. Opened anew: nothing stays open, or locked, while a
/// person thinks of a password.
pub(crate) fn write(path: &Path, changes: Vec<Change>, did: String) -> anyhow::Result<()> {
    let mut store = open(path)?;
    let at = Timestamp::now();
    let record = |change| Record { at, change };
    let changes: Vec<Record> = changes.into_iter().map(record).collect();
    let outcomes = store.append(&changes)?;
    outcomes
        .into_iter()
        .try_for_each(|outcome| outcome.map_err(|why| anyhow!("not done: {why}")))?;
    store.append(&[record(Change::Audit { by: OPERATOR.to_owned(), what: did })])?;
    Ok(())
}

pub(crate) fn accounts(store: &Store) -> anyhow::Result<Vec<Account>> {
    Ok(store.snapshot(0, 0)?.accounts)
}

pub(crate) fn is_called(account: &Account, name: &str) -> bool {
    account.name.to_lowercase() == name.to_lowercase()
}
