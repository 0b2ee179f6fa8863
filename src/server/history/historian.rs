//! The historian: one thread that owns the only store, so that nobody else waits for the disk. Runs
//! on thread `historian`.
//!
//! ```text
//!   fanout ── records ──> ┌───────────┐ <── query ── c7:alice
//!          <── events ─── │ historian │ ─── found ─>
//!                         └─────┬─────┘
//!                             SQLite
//! ```
//!
//! The fan-out hands over the records of a batch and goes on; it shows the batch when
//! [`HistorianEvent::Committed`] says that they are done with: written, or, in an outage, kept for
//! a retry. One batch is under way at a time, so one transaction writes all that waited for it. A
//! client's thread asks and waits ([`HistoryReader::find`]). Writing comes first; what nobody waits
//! for (indexing words, deleting what is too old) is done when there is nothing else to do.
//!
//! When the disk is full, or the file locked, damaged or gone, the chat goes on; what is said waits
//! in the `RetryQueue`, and is tried again every second. A locked file, or one on a full disk, can
//! still be read. A file that is damaged, gone or replaced is left alone, and opened again when
//! that is possible.

pub use super::handle::{HistorianEvent, HistorianHandle, HistoryReader, StoreConfig};

use super::{
    pruning::Pruning,
    retry::{Outage, RetryQueue},
};
use crate::{
    core::{
        record::{Found, LineId, Query, Record, Snapshot},
        rooms::{ROOMS_MAX, room::SCROLLBACK_MAX},
    },
    lock::assert_no_lock_held,
    server::{
        clock::Clock,
        status::{Activity, Status},
    },
    store::{INDEX_CHUNK, ServerLock, Store, StoreError, StoreErrorKind},
};
use anyhow::anyhow;
use crossbeam_channel::{Receiver, Sender, bounded, never, select_biased};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long the historian waits while another process has the file locked: long enough
/// for an operator's command or for the last page of a backup.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same during an outage: everybody knows of it by then, and queries should not wait again and
/// again.
const PATIENCE_IN_OUTAGE: Duration = Duration::from_millis(50);
/// How often the historian checks whether others changed the file, whether it can be written again,
/// and what to tidy up.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Opening a file reads all of it, so after a failure the wait is this many times as long as the
/// attempt: retries take at most a tenth of the time.
const OPENING_SHARE: u32 = 10;
/// The most queries that wait. With more, their clients' threads wait for the queue instead of for
/// the answer.
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
    let store = config.open(PATIENCE);
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
    let (queries, to_answer) = bounded(QUERIES_MAX);
    let mut historian = Historian {
        status: Status::new("historian"),
        config: config.clone(),
        store,
        outage: None,
        pruning: Pruning::new(config, clock),
        to_write,
        to_answer,
        events: tell,
        look_at: Instant::now() + LOOK_EVERY,
        _lock: lock,
    };
    // Before anybody says anything.
    let _ = historian.store.as_ref().map(|store| historian.pruning.look_at(store));
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
    Ok((snapshot, HistorianHandle { commits, events }, HistoryReader { queries }, historian))
}

fn explain(error: StoreError) -> anyhow::Error {
    match error.kind {
        StoreErrorKind::CannotOpen(_) => {
            anyhow!("{error}. Choose another file, --db FILE, or do without one: --db none")
        }
        _ => error.into(),
    }
}

/// What thread `historian` runs.
pub struct Historian {
    /// What the thread does.
    pub status: Arc<Status>,
    config: StoreConfig,
    /// The store, or why there is none; in that case there is an outage, too.
    store: Result<Store, StoreError>,
    outage: Option<Outage>,
    pruning: Pruning,
    to_write: Receiver<Vec<Record>>,
    to_answer: Receiver<(Query, Sender<Found>)>,
    events: Sender<HistorianEvent>,
    /// When to check the file next.
    look_at: Instant,
    _lock: Option<ServerLock>,
}

impl Historian {
    /// The thread runs this until nobody can hand over or ask anything any more.
    pub fn run(mut self) {
        self.status.attach();
        let (mut is_writing_over, mut is_asking_over) = (false, false);
        while !(is_writing_over && is_asking_over) {
            if Instant::now() >= self.look_at {
                self.look_around();
            }
            self.status.set(Activity::WaitingForRecords);
            assert_no_lock_held("records");
            select_biased! {
                recv(self.to_write) -> records => match records {
                    Ok(records) => self.commit(&records),
                    Err(_) => (self.to_write, is_writing_over) = (never(), true),
                },
                recv(self.to_answer) -> query => match query {
                    Ok((query, asker)) => self.answer(&query, &asker),
                    Err(_) => (self.to_answer, is_asking_over) = (never(), true),
                },
                default(self.look_at.saturating_duration_since(Instant::now())) => {}
            }
        }
        let status = Arc::clone(&self.status);
        self.close();
        status.set(Activity::Ended);
    }

    // --- What others want ---

    /// Writes the records of a batch in one transaction. During an outage these join what waits for
    /// a retry.
    fn commit(&mut self, records: &[Record]) {
        self.status.set(Activity::WritingHistory);
        let written = match (&self.outage, &mut self.store) {
            (Some(outage), _) => Err(outage.error.clone()),
            (None, Ok(store)) => store.append(records),
            (None, Err(error)) => Err(error.clone()),
        };
        let outcomes = match written {
            Ok(outcomes) => {
                self.status.count_in(records.iter().map(|record| record.change.line_count()).sum());
                outcomes
            }
            Err(error) => {
                let why = error.kind.brief().to_owned();
                self.fail(error, records);
                let may_fail = records.iter().filter(|record| record.change.may_fail());
                may_fail.map(|_| Err(why.clone())).collect()
            }
        };
        // After a refusal: another process has changed accounts, and the core does not know it yet.
        let is_refused = self.outage.is_none() && outcomes.iter().any(Result::is_err);
        self.tell(HistorianEvent::Committed(outcomes));
        if is_refused {
            self.tell_what_changed();
        }
    }

    fn answer(&mut self, query: &Query, asker: &Sender<Found>) {
        if let Query::Search { .. } = query {
            self.index_all();
        }
        self.status.set(Activity::AnsweringQuery);
        let found =
            self.store.as_mut().map_err(|error| error.clone()).and_then(|store| store.find(query));
        let found = found.unwrap_or_else(|error| {
            let why = error.kind.brief().to_owned();
            match error.kind {
                // The query itself may be at fault.
                StoreErrorKind::Other(_) => log::error!("a query could not be answered: {error}"),
                _ => self.fail(error, &[]),
            }
            Found::Unavailable(why)
        });
        if let Found::Lines(lines) = &found {
            self.status.count_out(lines.len());
        }
        let _ = asker.send(found); // they may have gone
    }

    /// Indexes every line, for a search. Records that come meanwhile are written first.
    fn index_all(&mut self) {
        self.status.set(Activity::TidyingUp);
        while let Ok(store) = &mut self.store
            && store.index_some(INDEX_CHUNK).is_ok_and(|indexed| indexed > 0)
        {
            self.status.set(Activity::TidyingUp); // it goes on
            if let Ok(records) = self.to_write.try_recv() {
                self.commit(&records);
            }
        }
    }

    // --- What it does by itself, once a second ---

    fn look_around(&mut self) {
        self.status.set(Activity::Working);
        let began = Instant::now();
        self.look_at = began + LOOK_EVERY;
        self.pruning.clock.look(); // or nobody notices a jump while it is quiet
        if self.outage.is_some() {
            self.try_again();
            self.look_at = Instant::now() + LOOK_EVERY.max(began.elapsed() * OPENING_SHARE);
        } else if let Err(error) = self.look_for_changes().and_then(|()| self.tidy_up())
            && error.kind != StoreErrorKind::Locked
        {
            self.fail(error, &[]);
        }
    }

    fn look_for_changes(&mut self) -> Result<(), StoreError> {
        let Ok(store) = &mut self.store else { return Ok(()) };
        if store.changed_by_others()? {
            self.tell_what_changed();
        }
        Ok(())
    }

    /// Indexes, and deletes what is too old. It waits for no other process: whoever says something
    /// meanwhile would wait twice, and read that the disk does not answer.
    fn tidy_up(&mut self) -> Result<(), StoreError> {
        self.set_patience(Duration::ZERO)?;
        let done = self.tidy_up_while_nobody_waits();
        self.set_patience(PATIENCE)?;
        done
    }

    fn set_patience(&mut self, patience: Duration) -> Result<(), StoreError> {
        self.store.as_mut().map_or(Ok(()), |store| store.set_patience(patience))
    }

    /// A piece at a time.
    fn tidy_up_while_nobody_waits(&mut self) -> Result<(), StoreError> {
        let Ok(store) = &mut self.store else { return Ok(()) };
        while self.to_write.is_empty() && self.to_answer.is_empty() {
            self.status.set(Activity::TidyingUp);
            let indexed = store.index_some(INDEX_CHUNK)?;
            let goes_on = self.pruning.forget_some(store)?;
            if indexed == 0 && !goes_on {
                break;
            }
        }
        Ok(())
    }

    fn close(mut self) {
        self.status.set(Activity::WritingHistory);
        self.try_again();
        self.pruning.end_round(Duration::ZERO);
        if let Some(outage) = &mut self.outage {
            let lost: usize = outage.retry.line_count();
            let (since, error) = (outage.since, &outage.error);
            log::error!("what was said since {since} is lost, {lost} lines: {error}");
        }
        if let Ok(Err(error)) = self.store.map(Store::close) {
            log::warn!("{error}");
        }
    }

    // --- When nothing can be written ---

    /// Notes that these records could not be written, and why. The first failure is reported.
    fn fail(&mut self, error: StoreError, records: &[Record]) {
        self.leave_alone(&error);
        match &mut self.outage {
            Some(outage) => outage.error = error,
            None => {
                let since =
                    records.first().map_or_else(|| self.pruning.clock.now(), |record| record.at);
                log::error!("the history is not written, and tried again every second: {error}");
                self.tell(HistorianEvent::Outage { why: error.kind.brief().to_owned(), since });
                let retry = RetryQueue::default();
                self.outage = Some(Outage { error, since, retry, is_reopened: false });
            }
        }
        if let Some(outage) = &mut self.outage {
            outage.retry.push(records);
            self.status.set_waiting(outage.retry.bytes());
        }
    }

    /// Keeps an intact file open, so that it can still be read. Gives up any other file: it is
    /// opened anew later, by `write_retry`.
    fn leave_alone(&mut self, error: &StoreError) {
        let is_intact = matches!(
            error.kind,
            StoreErrorKind::DiskFull | StoreErrorKind::Locked | StoreErrorKind::ReadOnly
        );
        match &mut self.store {
            Ok(store) if is_intact => {
                let _ = store.set_patience(PATIENCE_IN_OUTAGE); // there is an outage already
            }
            store => {
                if let Ok(store) = std::mem::replace(store, Err(error.clone())) {
                    store.abandon();
                }
            }
        }
    }

    fn try_again(&mut self) {
        let Some(mut outage) = self.outage.take() else { return };
        match self.write_retry(&mut outage) {
            Ok(changed) => {
                log::info!("the history is written again; it was not since {}", outage.since);
                self.status.set_waiting(0);
                if let Some(snapshot) = changed {
                    self.tell(HistorianEvent::Changed(snapshot));
                }
                self.tell(HistorianEvent::Recovered { gap: outage.retry.gap() });
            }
            Err(error) => {
                self.outage = Some(outage);
                self.fail(error, &[]);
            }
        }
    }

    /// Writes what waits. Returns a snapshot if the file was opened again during the outage.
    fn write_retry(&mut self, outage: &mut Outage) -> Result<Option<Snapshot>, StoreError> {
        if self.store.as_ref().map_or(true, Store::is_read_only) {
            self.store = self.config.open(PATIENCE_IN_OUTAGE);
            outage.is_reopened = true;
        }
        let store = self.store.as_mut().map_err(|error| error.clone())?;
        store.try_to_write()?;
        store.append(outage.retry.records())?;
        store.set_patience(PATIENCE)?;
        if outage.is_reopened { store.snapshot(0, 0).map(Some) } else { Ok(None) }
    }

    // --- Helpers ---

    fn snapshot(&self, rooms: usize, lines: usize) -> Result<Snapshot, StoreError> {
        self.store.as_ref().map_err(Clone::clone)?.snapshot(rooms, lines)
    }

    fn tell_what_changed(&mut self) {
        match self.snapshot(0, 0) {
            Ok(snapshot) => self.tell(HistorianEvent::Changed(snapshot)),
            Err(error) => self.fail(error, &[]),
        }
    }

    fn tell(&self, event: HistorianEvent) {
        assert_no_lock_held("the fan-out");
        let _ = self.events.send(event); // at the very end nobody is left to be told
    }
}

#[cfg(test)]
mod tests;
