//! The two sides of the historian: what the fan-out hands over and is told, and what a client's
//! thread asks. And where all of it is kept.

use super::pieces;
use crate::{
    core::record::{Found, Outcome, Query, Record, Snapshot},
    lock::assert_no_lock_held,
    store::{Durability, Store, StoreError},
};
use anyhow::anyhow;
use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};
use jiff::Timestamp;
use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Where history is kept, and how. By default nowhere.
#[derive(Clone, Debug, Default)]
pub struct StoreConfig {
    /// The database; `None`: accounts and mailboxes live as long as the server, and what is said is
    /// not kept.
    pub file: Option<PathBuf>,
    /// What a power cut may cost.
    pub durability: Durability,
    /// Lines older than this number of days are deleted.
    pub history_days: Option<u32>,
    /// The oldest lines are deleted when more than these bytes are used.
    pub history_max: Option<u64>,
}

impl StoreConfig {
    /// Whether what is said is written.
    pub fn keeps_talk(&self) -> bool {
        self.file.is_some()
    }

    /// `gives_up` is asked every now and then while the file is read to see whether it is sound.
    pub(super) fn open(
        &self,
        patience: Duration,
        gives_up: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Store, StoreError> {
        match &self.file {
            Some(file) => Store::open_unless(file, self.durability, patience, gives_up),
            None => Store::in_memory(),
        }
    }
}

/// What the fan-out is told, one at a time. Reasons are a few words with a full stop, for everybody
/// to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistorianEvent {
    /// The records that were handed over are done with. The outcomes are those of the records that
    /// may fail, in their order; the others are written, or will be after the outage.
    Committed(Vec<Outcome>),
    /// From now on nothing can be written.
    Outage {
        /// The reason.
        why: String,
        /// When the first record that could not be written was made.
        since: Timestamp,
    },
    /// Everything can be written again, and what was said meanwhile is written.
    Recovered {
        /// When the first and the last of the lost lines were said; from [`Timestamp::MIN`] on:
        /// everything, because the file is another one.
        gap: Option<(Timestamp, Timestamp)>,
    },
    /// Nothing can be read either, no password above all, until [`HistorianEvent::Changed`] says what
    /// there is.
    Unreadable,
    /// Another process has changed accounts or sanctions, or another file has replaced the file; or
    /// it can be read again.
    /// Rooms are left out. Numbers may have been given out that are higher than its highest.
    Changed(Snapshot),
}

/// How long a client's thread waits for the historian, in all.
pub(super) const ANSWER_PATIENCE: Duration = Duration::from_secs(5);
/// How often a client's thread that waits looks whether it still has to.
const LOOK_UP: Duration = Duration::from_millis(250);

/// The fan-out's side.
pub struct HistorianHandle {
    /// The records of a batch. The next ones may be handed over when these are answered.
    pub commits: Sender<Vec<Record>>,
    /// Outcomes, and what else happens.
    pub events: Receiver<HistorianEvent>,
}

/// The side of the client threads. There are two queues: somebody who logs in does not wait for
/// those who search.
#[derive(Clone)]
pub struct HistoryReader {
    pub(super) questions: Sender<Question>,
    pub(super) searches: Sender<Question>,
    /// The server stops: see [`HistoryReader::begin_to_stop`].
    pub(super) is_stopping: Arc<AtomicBool>,
    pub(super) loss: Loss,
}

/// What is lost, if something is: the historian says so when it writes nothing more.
pub(super) type Loss = Arc<OnceLock<Option<String>>>;

/// A query, and who waits for what is found.
pub(super) struct Question {
    pub(super) query: Query,
    pub(super) asker: Sender<Found>,
    /// Then the asker waits no longer.
    pub(super) until: Instant,
}

impl HistoryReader {
    /// How many questions and searches wait.
    pub(crate) fn waiting(&self) -> [u64; 2] {
        [self.questions.len() as u64, self.searches.len() as u64]
    }

    /// How many may wait.
    pub(crate) fn capacity(&self) -> [u64; 2] {
        [&self.questions, &self.searches].map(|queue| queue.capacity().unwrap_or(0) as u64)
    }

    /// Asks, and waits for the answer.
    pub fn find(&self, query: Query) -> Found {
        self.find_unless(query, || false)
    }

    /// Asks, and waits for the answer; but neither for a disk that does not answer, nor when the
    /// server stops, nor once the caller `gives_up`, which is asked four times a second.
    pub(crate) fn find_unless(&self, query: Query, gives_up: impl Fn() -> bool) -> Found {
        let until = Instant::now() + ANSWER_PATIENCE;
        pieces::find(query, |piece| self.ask(piece, until, &gives_up))
    }

    /// Asks once, and waits for the answer.
    fn ask(&self, query: Query, until: Instant, gives_up: &impl Fn() -> bool) -> Found {
        assert_no_lock_held("the historian");
        let queue = match query {
            Query::Search { .. } => &self.searches,
            _ => &self.questions,
        };
        let (asker, answered) = bounded(1);
        let mut question = Some(Question { query, asker, until });
        loop {
            let look_at = until.min(Instant::now() + LOOK_UP);
            let is_over = match question.take() {
                Some(asked) => match queue.send_deadline(asked, look_at) {
                    Ok(()) => continue,
                    Err(SendTimeoutError::Timeout(again)) => {
                        question = Some(again);
                        false
                    }
                    Err(SendTimeoutError::Disconnected(_)) => true,
                },
                None => match answered.recv_deadline(look_at) {
                    Ok(found) => return found,
                    Err(error) => error == RecvTimeoutError::Disconnected,
                },
            };
            if is_over || self.is_stopping.load(Relaxed) || gives_up() {
                return Found::Unavailable("the server is stopping.".to_owned());
            }
            if Instant::now() >= until {
                let seconds = ANSWER_PATIENCE.as_secs();
                return Found::Unavailable(format!(
                    "the history did not answer within {seconds} s."
                ));
            }
        }
    }

    /// The server stops: whoever waits for an answer gives up, and the historian does nothing any
    /// more that can be done after the next start. What is handed over is still written.
    pub fn begin_to_stop(&self) {
        self.is_stopping.store(true, Relaxed);
    }

    /// `None`: the historian may have something to write. Else an error if it could not write all that
    /// was said and done. To be asked at the very end; this reader must be gone by then, or the
    /// historian would not end.
    pub fn loss(&self) -> impl Fn() -> Option<anyhow::Result<()>> + use<> {
        let loss = Arc::clone(&self.loss);
        move || match loss.get()? {
            None => Some(Ok(())),
            Some(sentence) => Some(Err(anyhow!("{sentence}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::AccountId;

    fn reader() -> (HistoryReader, Receiver<Question>, Receiver<Question>) {
        let ((questions, to_answer), (searches, to_search)) = (bounded(1), bounded(1));
        let (is_stopping, loss) = (Arc::default(), Arc::default());
        (HistoryReader { questions, searches, is_stopping, loss }, to_answer, to_search)
    }

    fn password() -> Query {
        Query::Password(AccountId(1))
    }

    fn stopping() -> Found {
        Found::Unavailable("the server is stopping.".to_owned())
    }

    #[test]
    fn nobody_waits_for_ever_for_a_historian_that_does_not_answer() {
        let (reader, to_answer, _to_search) = reader();
        let late = Found::Unavailable("the history did not answer within 5 s.".to_owned());
        std::thread::scope(|scope| {
            // One of them does not get a place.
            let waits = [(); 2].map(|()| scope.spawn(|| reader.find(password())));
            assert!(waits.into_iter().all(|asker| asker.join().unwrap() == late));
        });
        drop(to_answer);
        assert_eq!(reader.find(password()), stopping());
    }

    #[test]
    fn who_is_hung_up_gives_up_and_so_does_everybody_when_the_server_stops() {
        let (reader, _to_answer, _to_search) = reader();
        let began = Instant::now();
        assert_eq!(reader.find_unless(password(), || true), stopping());
        std::thread::scope(|scope| {
            let waits = [(); 3].map(|()| scope.spawn(|| reader.find(password())));
            reader.begin_to_stop();
            assert!(waits.into_iter().all(|asker| asker.join().unwrap() == stopping()));
        });
        assert!(began.elapsed() < ANSWER_PATIENCE, "{:?}", began.elapsed());
    }
}
