//! The historian: one thread that owns the only store, so that nobody else waits for the disk. Runs on thread `historian`.
//!
//! ```text
//!   fanout ── records ──> ┌───────────┐ <── query ── c7:alice
//!          <── news ───── │ historian │ ─── found ─>
//!                         └─────┬─────┘
//!                             SQLite
//! ```
//!
//! The fan-out hands over what has gathered, and goes on; it shows those lines when the [`News`] says that they are
//! written. One parcel is under way at a time, so one transaction serves all that waited for it. A client's thread asks
//! and waits ([`Reading::ask`]). Writing comes first; what nobody waits for (indexing words, forgetting) is done when
//! there is nothing else to do.
//!
//! When the disk is full, or the file locked, damaged or gone, the chat goes on. What is said is kept here, a bounded
//! amount of it, and tried again every second: see `failing.rs`.

use super::{
    failing::Failure,
    status::{Doing, Status},
};
use crate::{
    core::{
        past::PAST_MAX,
        record::{Found, Query, Record, Remembered, What},
        rooms::ROOMS_MAX,
    },
    lock::assert_no_lock_held,
    store::{
        Durability, FORGOTTEN_AT_ONCE, INDEXED_AT_ONCE, Store,
        error::{StoreError, Trouble},
        server_lock::ServerLock,
    },
};
use anyhow::anyhow;
use crossbeam_channel::{Receiver, Sender, bounded, never, select_biased};
use jiff::{SignedDuration, Timestamp};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long another process may have the file locked: as long as a person's command or a backup's last page takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How often it looks whether others changed the file, whether it can be written again, and what there is to tidy up.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// To open a file is to read all of it. If it cannot be opened, a tenth of the time goes into trying, at most.
const OPENING_SHARE: u32 = 10;
/// Questions that may wait. With more, their clients' threads wait for the queue instead of for the answer.
const QUESTIONS_MAX: usize = 64;
/// News that may wait. The fan-out never waits for the historian but for its news, so to wait for room among them comes
/// to an end.
const NEWS_MAX: usize = 4;

/// Where history is kept, and how. By default nowhere.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The database; `None`: accounts and mailboxes live as long as the server, and what is said is not kept.
    pub file: Option<PathBuf>,
    /// What a power cut may cost.
    pub durability: Durability,
    /// Lines older than so many days are forgotten.
    pub history_days: Option<u32>,
}

impl Memory {
    /// Whether what is said is written down.
    pub fn keeps_talk(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn open(&self, patience: Duration) -> Result<Store, StoreError> {
        match &self.file {
            Some(file) => Store::open(file, self.durability, patience),
            None => Store::in_memory(),
        }
    }
}

/// What the fan-out is told, one at a time. Reasons are a few words with a full stop, for everybody to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The parcel that was handed over is on the disk; or it is not, and why. Then what is done anyway
    /// ([`What::is_done_anyway`]) is tried again; the rest is not.
    Written(Result<(), String>),
    /// From now on nothing can be written.
    Failing {
        /// Why.
        why: String,
        /// When the first was said that could not be written.
        since: Timestamp,
    },
    /// It can be written again, and so was what was said meanwhile; but for the oldest of it, if it was much.
    Again {
        /// When the first and the last were said of those that are lost.
        hole: Option<(Timestamp, Timestamp)>,
    },
    /// Another process has changed accounts or sanctions, or another file stands in the file's place. Rooms are left out.
    /// Numbers that were taken meanwhile may be higher than its highest.
    Changed(Remembered),
}

/// The fan-out's side.
pub struct Desk {
    /// What is to be written. The next parcel may be handed over when the last one is answered.
    pub writes: Sender<Vec<Record>>,
    /// What came of it.
    pub news: Receiver<News>,
}

/// The side of those who ask.
#[derive(Clone)]
pub struct Reading {
    questions: Sender<(Query, Sender<Found>)>,
}

impl Reading {
    /// Asks, and waits for the answer.
    pub fn ask(&self, query: Query) -> Found {
        assert_no_lock_held("the historian");
        let (answer, answered) = bounded(1);
        let asked = self.questions.send((query, answer));
        let found = asked.ok().and_then(|()| answered.recv().ok());
        found.unwrap_or_else(|| Found::Unavailable("the server is stopping.".to_owned()))
    }
}

/// Opens the memory for a server: what it begins with, the ends of both sides, and what thread `historian` runs.
///
/// A file that is damaged, newer, locked or read-only is no reason not to start: then the first of the news is that it is
/// failing. Which numbers its lines have nobody can know in that case, so new ones begin higher than any: at the
/// microseconds since 1970.
///
/// # Errors
/// What only the operator can put right: the file can neither be opened nor made, or is another program's, or another
/// chatd is using it.
pub fn open(memory: &Memory) -> anyhow::Result<(Remembered, Desk, Reading, Historian)> {
    let store = memory.open(PATIENCE);
    if let Err(error) = &store
        && let Trouble::CannotOpen(_) | Trouble::AnotherPrograms = error.trouble
    {
        return Err(explain(error.clone()));
    }
    let lock = memory.file.as_deref().map(ServerLock::take).transpose().map_err(explain)?;
    let (writes, to_write) = bounded(1);
    let (tell, news) = bounded(NEWS_MAX);
    let (questions, to_answer) = bounded(QUESTIONS_MAX);
    let mut historian = Historian {
        status: Status::new("historian"),
        memory: memory.clone(),
        store,
        failure: None,
        to_write,
        to_answer,
        news: tell,
        look_at: Instant::now() + LOOK_EVERY,
        _lock: lock,
    };
    let remembered = match historian.remembered(ROOMS_MAX, PAST_MAX) {
        Ok(remembered) => remembered,
        Err(error) => {
            historian.fail(error, &[]);
            Remembered { last_line: Timestamp::now().as_microsecond(), ..Remembered::default() }
        }
    };
    if let Ok(store) = &historian.store
        && store.is_read_only()
    {
        historian.fail(store.refuses(), &[]);
    }
    Ok((remembered, Desk { writes, news }, Reading { questions }, historian))
}

fn explain(error: StoreError) -> anyhow::Error {
    match error.trouble {
        Trouble::CannotOpen(_) => {
            anyhow!("{error}. Choose another file, --db FILE, or do without one: --db none")
        }
        _ => error.into(),
    }
}

/// The thread's own.
pub struct Historian {
    /// What it is doing.
    pub status: Arc<Status>,
    pub(super) memory: Memory,
    /// The store; or why there is none now. Then it is failing, too.
    pub(super) store: Result<Store, StoreError>,
    pub(super) failure: Option<Failure>,
    to_write: Receiver<Vec<Record>>,
    to_answer: Receiver<(Query, Sender<Found>)>,
    news: Sender<News>,
    /// When to look around next.
    look_at: Instant,
    _lock: Option<ServerLock>,
}

impl Historian {
    /// The thread runs this until nobody can hand over or ask anything any more.
    pub fn run(mut self) {
        self.status.adopt();
        let (mut is_writing_over, mut is_asking_over) = (false, false);
        while !(is_writing_over && is_asking_over) {
            if Instant::now() >= self.look_at {
                self.look_around();
            }
            self.status.now(Doing::WaitingForRecords);
            assert_no_lock_held("records");
            select_biased! {
                recv(self.to_write) -> records => match records {
                    Ok(records) => self.write(&records),
                    Err(_) => (self.to_write, is_writing_over) = (never(), true),
                },
                recv(self.to_answer) -> question => match question {
                    Ok((query, asker)) => self.answer(&query, &asker),
                    Err(_) => (self.to_answer, is_asking_over) = (never(), true),
                },
                default(self.look_at.saturating_duration_since(Instant::now())) => {}
            }
        }
        self.close();
    }

    // --- What others want ---

    fn write(&mut self, records: &[Record]) {
        self.status.now(Doing::WritingHistory);
        let outcome = self.try_to_write(records);
        let news = News::Written(
            outcome.as_ref().map_err(|error| error.trouble.brief().to_owned()).copied(),
        );
        match outcome {
            Ok(()) => {
                self.tell(news);
                self.status.count_in(records.iter().map(lines_in).sum());
            }
            Err(error) if error.trouble == Trouble::AccountTaken => {
                // The changes of accounts are refused, and nobody knew why they would be. The rest is about to be done,
                // and so it is written first.
                let rest: Vec<Record> =
                    records.iter().filter(|record| record.what.is_done_anyway()).cloned().collect();
                let outcome = self.try_to_write(&rest);
                self.tell(news);
                if let Err(error) = outcome {
                    self.fail(error, &rest);
                }
                self.tell_what_changed();
            }
            Err(error) => {
                self.tell(news);
                self.fail(error, records);
            }
        }
    }

    /// While it is failing, nothing is written before what is kept.
    fn try_to_write(&mut self, records: &[Record]) -> Result<(), StoreError> {
        match &self.failure {
            Some(failure) => Err(failure.error.clone()),
            None => self.store.as_mut().map_err(|error| error.clone())?.write(records),
        }
    }

    fn answer(&mut self, query: &Query, asker: &Sender<Found>) {
        if let Query::Search { .. } = query {
            self.index_all();
        }
        self.status.now(Doing::AnsweringQuery);
        let found =
            self.store.as_mut().map_err(|error| error.clone()).and_then(|store| store.find(query));
        let found = found.unwrap_or_else(|error| {
            let why = error.trouble.brief().to_owned();
            match error.trouble {
                Trouble::Other(_) => log::error!("a question could not be answered: {error}"), // the fault may be its own
                _ => self.fail(error, &[]),
            }
            Found::Unavailable(why)
        });
        if let Found::Lines(lines) = &found {
            self.status.count_out(lines.len());
        }
        let _ = asker.send(found); // it may have gone
    }

    /// What a search has to know. Those who write meanwhile come first.
    fn index_all(&mut self) {
        self.status.now(Doing::TidyingUp);
        while let Ok(store) = &mut self.store
            && store.index_some(INDEXED_AT_ONCE).is_ok_and(|indexed| indexed > 0)
        {
            if let Ok(records) = self.to_write.try_recv() {
                self.write(&records);
            }
        }
    }

    // --- What it does by itself, once a second ---

    fn look_around(&mut self) {
        self.status.now(Doing::Working);
        let began = Instant::now();
        self.look_at = began + LOOK_EVERY;
        if self.failure.is_some() {
            self.try_again();
            self.look_at = Instant::now() + LOOK_EVERY.max(began.elapsed() * OPENING_SHARE);
        } else if let Err(error) = self.look_for_changes().and_then(|()| self.tidy_up())
            && error.trouble != Trouble::Locked
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

    /// Indexes and forgets, a piece at a time, for as long as nobody waits.
    fn tidy_up(&mut self) -> Result<(), StoreError> {
        let Ok(store) = &mut self.store else { return Ok(()) };
        let days =
            self.memory.history_days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
        let before = days.and_then(|days| Timestamp::now().checked_sub(days).ok());
        self.status.now(Doing::TidyingUp);
        while self.to_write.is_empty() && self.to_answer.is_empty() {
            let indexed = store.index_some(INDEXED_AT_ONCE)?;
            let forgotten =
                before.map_or(Ok(0), |before| store.prune(before, FORGOTTEN_AT_ONCE))?;
            if indexed + forgotten == 0 {
                break;
            }
        }
        Ok(())
    }

    fn close(mut self) {
        self.try_again();
        if let Some(failure) = &mut self.failure {
            let lost: usize = failure.kept.records().iter().map(lines_in).sum();
            log::error!(
                "what was said since {} is lost, {lost} lines: {}",
                failure.since,
                failure.error
            );
        }
        if let Ok(Err(error)) = self.store.map(Store::close) {
            log::warn!("{error}");
        }
    }

    // --- Helpers ---

    pub(super) fn remembered(&self, rooms: usize, lines: usize) -> Result<Remembered, StoreError> {
        self.store.as_ref().map_err(|error| error.clone())?.remembered(rooms, lines)
    }

    fn tell_what_changed(&mut self) {
        match self.remembered(0, 0) {
            Ok(remembered) => self.tell(News::Changed(remembered)),
            Err(error) => self.fail(error, &[]),
        }
    }

    pub(super) fn tell(&self, news: News) {
        assert_no_lock_held("the fan-out");
        let _ = self.news.send(news); // at the very end nobody is left to be told
    }
}

fn lines_in(record: &Record) -> usize {
    match &record.what {
        What::Said { text, .. } => text.matches('\n').count(),
        What::Told { .. } => 1,
        _ => 0,
    }
}
