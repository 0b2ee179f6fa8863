//! Opening the store when the server starts. Runs on thread `main`.

use super::{Historian, HistorianHandle, HistoryReader, LOOK_EVERY, PATIENCE, StoreConfig};
use crate::{
    core::{
        record::{LineId, Snapshot},
        rooms::{ROOMS_MAX, room::SCROLLBACK_MAX},
    },
    server::{
        clock::Clock,
        history::{clock_check, handle::Loss, pruning::Pruning, witness::Witness},
        parking::RestChannel,
        status::Status,
    },
    store::{ServerLock, StoreError, StoreErrorKind},
};
use anyhow::anyhow;
use crossbeam_channel::bounded;
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

/// The most questions that wait, and the most searches. With more, their clients' threads wait for
/// the queue instead of for the answer.
const QUERIES_MAX: usize = 64;
/// The most events that wait. The historian may wait for room among them without a deadlock,
/// because the fan-out never waits for the historian except by taking these events.
const EVENTS_MAX: usize = 4;

/// Opens the store for a server. Returns what the store has, the ends for both sides, and what
/// thread `historian` runs.
///
/// The server starts even if the file is damaged, newer, locked or read-only: then the first event
/// is an outage. If the file cannot be read, the numbers of its lines are not known. New lines then
/// begin at a higher number: the microseconds since 1970.
///
/// # Errors
/// The operator has to act: the file can be neither opened nor created, is another program's, or
/// cannot be copied before its migration, or another chatd is using it.
pub fn open(
    config: &StoreConfig,
    clock: Clock,
) -> anyhow::Result<(Snapshot, HistorianHandle, HistoryReader, Historian)> {
    config.file.as_deref().map_or(Ok(()), ServerLock::check)?;
    let written_at = clock_check::written_at(config.file.as_deref());
    let store = config.open(PATIENCE, || false);
    if let Err(error) = &store
        && let StoreErrorKind::CannotOpen(_)
        | StoreErrorKind::AnotherPrograms
        | StoreErrorKind::CannotCopy { .. } = error.kind
    {
        return Err(explain(error.clone()));
    }
    let lock = config.file.as_deref().map(ServerLock::take).transpose().map_err(explain)?;
    let (commits, to_write) = bounded(1);
    let (tell, events) = bounded(EVENTS_MAX);
    let (questions, to_answer) = bounded(QUERIES_MAX);
    let (searches, to_search) = bounded(QUERIES_MAX);
    let (is_stopping, loss) = (Arc::<AtomicBool>::default(), Loss::default());
    let mut historian = Historian {
        status: Status::new("historian"),
        brake: Arc::default(),
        config: config.clone(),
        store,
        outage: None,
        pruning: Pruning::new(config, clock),
        is_untidy: false,
        is_slow: false,
        search: None,
        to_write,
        to_answer,
        to_search,
        events: tell,
        is_stopping: Arc::clone(&is_stopping),
        loss: Arc::clone(&loss),
        witness: Witness::default(),
        look_at: Instant::now() + LOOK_EVERY,
        rest: RestChannel::default(),
        _lock: lock,
    };
    historian.look_at_the_start(written_at);
    let snapshot = match historian.snapshot(ROOMS_MAX, SCROLLBACK_MAX) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            historian.fail(error, &[]);
            // As if it was opened anew: the fan-out is told what the file has when it can be read.
            historian.outage.iter_mut().for_each(|outage| outage.is_reopened = true);
            let last_line = LineId(historian.pruning.clock.now().as_microsecond());
            Snapshot { last_line, ..Snapshot::default() }
        }
    };
    if let Ok(store) = &historian.store
        && store.is_read_only()
    {
        historian.fail(store.read_only_error(), &[]);
    }
    let reader = HistoryReader { questions, searches, is_stopping, loss };
    Ok((snapshot, HistorianHandle { commits, events }, reader, historian))
}

fn explain(error: StoreError) -> anyhow::Error {
    match error.kind {
        StoreErrorKind::CannotOpen(_) => {
            anyhow!("{error}. Choose another file, --db FILE, or do without one: --db none")
        }
        _ => error.into(),
    }
}
