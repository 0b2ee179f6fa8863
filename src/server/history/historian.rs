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
//! client's thread asks and waits ([`HistoryReader::find`]).
//!
//! Everything is done in short pieces, the most urgent first: records, then questions (somebody
//! waits to log in), then searches, one at a time, then what nobody waits for: indexing and
//! forgetting (`tidy_up`). A search
//! may need many pieces, because lines are indexed for it (`searching`); between two pieces
//! records and questions go first. So a stop waits for one piece at most.
//!
//! When the disk is full, or the file locked, damaged or gone, the chat goes on (`outage`); what is
//! said waits in the `RetryQueue`, and is tried again every second. A locked file, or one on a full
//! disk, can still be read. A file that is damaged, gone or replaced is left alone, and opened again
//! when that is possible.

mod leaving;
mod opening;
mod outage;
mod searching;

pub use super::handle::{HistorianEvent, HistorianHandle, HistoryReader, StoreConfig};
pub use opening::open;

use super::{
    clock_check,
    handle::{Loss, Question},
    pruning::Pruning,
    retry::Outage,
    unwritten,
    witness::Witness,
};
use crate::{
    core::record::{Found, LineId, Record, Snapshot},
    lock::assert_no_lock_held,
    server::{
        cues::Brake,
        parking::RestChannel,
        status::{Activity, Status},
    },
    store::{INDEX_CHUNK, ServerLock, Store, StoreError, StoreErrorKind},
};
use crossbeam_channel::{Receiver, Sender, never, select_biased};
use jiff::Timestamp;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
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
/// A disk that takes this long for a transaction has at a stop no time for what can wait for the next
/// start: to note who is here, and to bring the log into the file, which takes two syncs.
const SLOW: Duration = Duration::from_millis(250);

/// What thread `historian` runs.
pub struct Historian {
    /// What the thread does.
    pub status: Arc<Status>,
    config: StoreConfig,
    /// Holds the thread up before each batch, to show a class a slow disk.
    pub(crate) brake: Arc<Brake>,
    /// The store, or why there is none; in that case there is an outage, too.
    store: Result<Store, StoreError>,
    outage: Option<Outage>,
    pruning: Pruning,
    /// There may be something to index, or to forget.
    is_untidy: bool,
    /// The last transaction took [`SLOW`].
    is_slow: bool,
    /// The search that is under way.
    search: Option<Search>,
    to_write: Receiver<Vec<Record>>,
    to_answer: Receiver<Question>,
    to_search: Receiver<Question>,
    events: Sender<HistorianEvent>,
    is_stopping: Arc<AtomicBool>,
    /// See [`HistoryReader::loss`].
    loss: Loss,
    /// What the file has to have, or it is another one.
    witness: Witness,
    /// When to check the file next.
    look_at: Instant,
    /// Another server is to have the file.
    pub(crate) rest: RestChannel<()>,
    _lock: Option<ServerLock>,
}

/// A search that is under way.
struct Search {
    question: Question,
    /// The last line that was written when it began: it need not find what is said later.
    last: LineId,
}

impl Historian {
    /// The thread runs this until nobody can hand over or ask anything any more.
    pub fn run(mut self) {
        self.status.attach();
        let nobody = never();
        let (mut is_writing_over, mut is_asking_over) = (false, false);
        while !(is_writing_over && is_asking_over) {
            if Instant::now() >= self.look_at {
                self.look_around();
            }
            let to_search = if self.search.is_none() { &self.to_search } else { &nobody };
            self.status.set(Activity::WaitingForRecords);
            assert_no_lock_held("records");
            select_biased! {
                recv(self.to_write) -> records => match records {
                    Ok(records) => self.commit(&records),
                    Err(_) => (self.to_write, is_writing_over) = (never(), true),
                },
                recv(self.to_answer) -> question => match question {
                    Ok(question) => self.answer(question, None),
                    Err(_) => (self.to_answer, is_asking_over) = (never(), true),
                },
                recv(to_search) -> question => match question {
                    Ok(question) => self.begin_search(question),
                    Err(_) => self.to_search = never(),
                },
                recv(self.rest.asked) -> asked => asked.iter().for_each(|asked| self.leave(asked)),
                default(self.pause()) => self.do_a_piece(),
            }
        }
        let status = Arc::clone(&self.status);
        self.close();
        status.set(Activity::Ended);
    }

    /// How long to wait for others before it does something by itself.
    fn pause(&self) -> Duration {
        let has_work = self.search.is_some() || self.is_untidy;
        match has_work && !self.is_stopping() {
            true => Duration::ZERO,
            false => self.look_at.saturating_duration_since(Instant::now()),
        }
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Relaxed)
    }

    // --- What others want ---

    /// Writes the records of a batch in one transaction. During an outage these join what waits for
    /// a retry.
    fn commit(&mut self, records: &[Record]) {
        self.status.set(Activity::WritingHistory);
        let began = Instant::now();
        self.brake.wait();
        let written = match (&self.outage, &mut self.store) {
            (Some(outage), _) => Err(outage.error.clone()),
            (None, Ok(store)) => store.append(records),
            (None, Err(error)) => Err(error.clone()),
        };
        self.is_slow = began.elapsed() >= SLOW;
        let outcomes = match written {
            Ok(outcomes) => {
                self.witness.note(records);
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

    /// Answers a question. `missing`: why some lines could not be looked at.
    fn answer(&mut self, question: Question, missing: Option<String>) {
        if question.until <= Instant::now() {
            return; // the asker waits no longer
        }
        self.status.set(Activity::AnsweringQuery);
        let store = self.store.as_mut().map_err(|error| error.clone());
        let found = store.and_then(|store| store.find(&question.query));
        let found = found.unwrap_or_else(|error| {
            let why = error.kind.brief().to_owned();
            match error.kind {
                // The query itself may be at fault.
                StoreErrorKind::Other(_) => log::error!("a query could not be answered: {error}"),
                _ => self.fail(error, &[]),
            }
            Found::Unavailable(why)
        });
        let found = match (found, missing) {
            (Found::Lines(lines), Some(why)) => Found::Partly { lines, why },
            (found, _) => found,
        };
        let waiting = self.outage.as_ref().map(|outage| outage.retry.find(&question.query));
        let found = unwritten::add(found, waiting.unwrap_or_default());
        if let Found::Lines(lines) | Found::Partly { lines, .. } = &found {
            self.status.count_out(lines.len());
        }
        let _ = question.asker.send(found); // they may have gone
        std::thread::yield_now(); // however many ask: whoever talks goes first
    }

    // --- What it does by itself ---

    /// Before anybody says anything. (Whether the file can be read is seen when that is needed.)
    fn look_at_the_start(&mut self, written_at: Option<Timestamp>) {
        self.witness.look_at(self.store.as_ref().ok());
        if let Ok(store) = &self.store {
            let file = self.config.file.as_deref();
            let _ = clock_check::check(&self.pruning.clock, file, written_at, store);
            let _ = self.pruning.look_at(store);
            self.pruning.prepare_to_shrink(store);
        }
    }

    /// Once a second.
    fn look_around(&mut self) {
        self.status.set(Activity::Working);
        let began = Instant::now();
        self.look_at = began + LOOK_EVERY;
        self.pruning.clock.look(); // or nobody notices a jump while it is quiet
        if self.is_stopping() {
            return; // `close` looks once more
        }
        if self.outage.is_some() {
            self.try_again();
            self.look_at = Instant::now() + LOOK_EVERY.max(began.elapsed() * OPENING_SHARE);
            return;
        }
        match self.without_waiting(Store::changed_by_others) {
            Ok(true) => self.tell_what_changed(),
            Ok(false) => {}
            Err(error) => return self.fail_unless_locked(error),
        }
        self.is_untidy = true;
    }

    /// Does a piece of the search that is under way, or tidies up.
    fn do_a_piece(&mut self) {
        if let Some(search) = self.search.take() {
            self.go_on_searching(search);
        } else if self.is_untidy && !self.is_stopping() {
            self.tidy_up().unwrap_or_else(|error| self.fail_unless_locked(error));
        }
    }

    /// Indexes some lines, and forgets some: 7 ms of work, and 110 when the index of words is put
    /// in order.
    fn tidy_up(&mut self) -> Result<(), StoreError> {
        self.status.set(Activity::TidyingUp);
        self.is_untidy = false; // unless there is more to do
        let Historian { store: Ok(store), pruning, .. } = self else { return Ok(()) };
        self.is_untidy = store.without_waiting(|store| {
            let indexed = store.index_some(INDEX_CHUNK)?;
            let goes_on = pruning.forget_some(store)? | pruning.shrink(store)?;
            Ok(goes_on || indexed > 0)
        })?;
        if self.pruning.has_shrunk() {
            self.tell_what_changed();
        }
        Ok(())
    }

    // --- Helpers ---

    /// See [`Store::without_waiting`].
    fn without_waiting<T>(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.store.as_mut().map_err(|error| error.clone())?.without_waiting(work)
    }

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
