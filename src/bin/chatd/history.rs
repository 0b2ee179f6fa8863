//! `chatd history …`: what was said in rooms, for people and programs. Runs on thread `main`.

use crate::{database, print::zone, prune::prune};
use anyhow::{Context as _, ensure};
use chatd::{
    core::json::Object,
    server::subcommands::{HistoryAction, HistoryCommand},
    store::{ExportedLine, Form},
};
use jiff::tz::TimeZone;
use std::{
    io::{BufWriter, ErrorKind, Write as _},
    ops::ControlFlow,
    path::Path,
};

/// Does what was asked. `path`: the database.
pub(crate) fn run(command: &HistoryCommand, path: &Path) -> anyhow::Result<()> {
    let HistoryCommand { action, room, json, days, yes, .. } = command;
    let is = |one| *action == one;
    ensure!(
        is(HistoryAction::Export) || (room.is_none() && !json),
        "--room and --json are for chatd history export."
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

/// Prints it on standard output.
fn export(command: &HistoryCommand, path: &Path) -> anyhow::Result<()> {
    let store = database::open_to_read(path)?;
    if let Some(room) = &command.room {
        ensure!(store.has_room(room)?, "Nothing was ever said in a room called {room}.");
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    let zone = zone();
    let failed = store.export(command.room.as_deref(), |line| {
        let text = if command.json { as_json(&line, &zone) } else { as_text(&line, &zone) };
        match out.write_all(text.as_bytes()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    })?;
    match failed.map_or_else(|| out.flush(), Err) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()), // the reader has seen enough
        result => result.context("cannot write to standard output"),
    }
}

fn time(line: &ExportedLine, zone: &TimeZone) -> String {
    line.at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn as_text(line: &ExportedLine, zone: &TimeZone) -> String {
    format!("{} {} {}", time(line, zone), line.room, line.shown())
}

fn as_json(line: &ExportedLine, zone: &TimeZone) -> String {
    let kind = match line.form {
        Form::Said => "said",
        Form::Did => "did",
        Form::Announced => "announced",
        Form::Other => "other",
    };
    Object::of("time", time(line, zone))
        .and("room", line.room.as_str())
        .and("author", line.author.as_str())
        .and("kind", kind)
        .and("text", line.body.as_str())
        .line()
}
