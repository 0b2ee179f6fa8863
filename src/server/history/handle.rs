//! The two sides of the historian: what the fan-out hands over and is told, and what a client's
//! thread asks. And where all of it is kept.

use crate::{
    core::record::{Found, Outcome, Query, Record, Snapshot},
    lock::assert_no_lock_held,
    store::{Durability, Store, StoreError},
};
use crossbeam_channel::{Receiver, Sender, bounded};
use jiff::Timestamp;
use std::{
    path::PathBuf,
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
}

impl StoreConfig {
    /// Whether what is said is written.
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
        /// When the first and the last of the lost lines were said.
        gap: Option<(Timestamp, Timestamp)>,
    },
    /// Another process has changed accounts or sanctions, or another file has replaced the file.
    /// Rooms are left out. Numbers may have been given out that are higher than its highest.
    Changed(Snapshot),
}

/// How long a client's thread waits for the historian, in all.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

/// The fan-out's side.
pub struct HistorianHandle {
    /// The records of a batch. The next ones may be handed over when these are answered.
    pub commits: Sender<Vec<Record>>,
    /// Outcomes, and what else happens.
    pub events: Receiver<HistorianEvent>,
}

/// The side of the client threads.
#[derive(Clone)]
pub struct HistoryReader {
    pub(super) queries: Sender<(Query, Sender<Found>)>,
}

impl HistoryReader {
    /// Asks, and waits for the answer; but not for a disk that does not answer, or a stop would
    /// wait for it too.
    pub fn find(&self, query: Query) -> Found {
        assert_no_lock_held("the historian");
        let (answer, answered) = bounded(1);
        let deadline = Instant::now() + ANSWER_PATIENCE;
        let asked = self.queries.send_deadline((query, answer), deadline);
        let found = asked
            .map_err(|error| error.is_timeout())
            .and_then(|()| answered.recv_deadline(deadline).map_err(|error| error.is_timeout()));
        found.unwrap_or_else(|is_late| {
            Found::Unavailable(match is_late {
                true => {
                    format!("the history did not answer within {} s.", ANSWER_PATIENCE.as_secs())
                }
                false => "the server is stopping.".to_owned(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::AccountId;

    #[test]
    fn nobody_waits_for_ever_for_a_historian_that_does_not_answer() {
        let (queries, to_answer) = bounded(1);
        let reader = HistoryReader { queries };
        let asks = || reader.find(Query::Password(AccountId(1)));
        let late = Found::Unavailable("the history did not answer within 5 s.".to_owned());
        std::thread::scope(|scope| {
            let waits = [scope.spawn(asks), scope.spawn(asks)]; // one of them does not get a place
            assert!(waits.into_iter().all(|asker| asker.join().unwrap() == late));
        });
        drop(to_answer);
        assert_eq!(asks(), Found::Unavailable("the server is stopping.".to_owned()));
    }
}
