//! `chatd history …`: what was said in rooms, for people and programs. Runs on thread `main`.

use crate::{export::export, prune::prune};
use anyhow::ensure;
use chatd::server::subcommands::{HistoryAction, HistoryCommand};
use std::path::Path;

/// Does what was asked. `path`: the database.
pub(crate) fn run(command: &HistoryCommand, path: &Path) -> anyhow::Result<()> {
    let HistoryCommand { action, room, format, to, json, days, yes, .. } = command;
    let is = |one| *action == one;
    ensure!(
        is(HistoryAction::Export) || (room.is_none() && format.is_none() && to.is_none() && !json),
        "--room, --format, --json and --to are for chatd history export."
    );
    ensure!(
        is(HistoryAction::Prune) || (days.is_none() && !yes),
        "--days and --yes are for chatd history prune."
    );
    match action {
        HistoryAction::Export => export(command, path),
        HistoryAction::Prune => prune(*days, *yes, path),
    }
}
