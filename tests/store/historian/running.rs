//! A historian on a thread of its own, and what a test hands it and hears of it.

use crate::*;
use chatd::{
    core::record::Outcome,
    server::{
        clock::{Clock, Clocks, TimeSource},
        history::historian::{self, HistorianEvent, HistorianHandle, HistoryReader, StoreConfig},
    },
};
use std::{
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

/// How long to wait for anything that has to happen.
pub const DEADLINE: Duration = Duration::from_mins(2);

/// A machine whose clocks the test sets.
#[derive(Clone)]
pub struct Machine(Arc<Mutex<Clocks>>);

impl Machine {
    pub fn new() -> Machine {
        let clocks = Clocks { wall: Timestamp::now(), uptime: Duration::ZERO };
        Machine(Arc::new(Mutex::new(clocks)))
    }

    pub fn time(&self) -> Timestamp {
        self.0.lock().unwrap().wall
    }

    pub fn passes(&self, time: Duration) {
        let mut clocks = self.0.lock().unwrap();
        clocks.wall += time;
        clocks.uptime += time;
    }
}

impl TimeSource for Machine {
    fn read(&self) -> Clocks {
        *self.0.lock().unwrap()
    }
}

/// A historian that runs, and both sides of it.
pub struct Running {
    pub snapshot: Snapshot,
    pub handle: HistorianHandle,
    pub reader: HistoryReader,
    pub thread: JoinHandle<()>,
}

/// Its file is the folder's database.
pub fn config(folder: &Folder) -> StoreConfig {
    StoreConfig { file: Some(folder.database()), ..StoreConfig::default() }
}

impl Running {
    #[track_caller]
    pub fn start(config: &StoreConfig) -> Running {
        Running::start_at(config, Clock::system())
    }

    /// The same by a clock of the test's own.
    #[track_caller]
    pub fn start_at(config: &StoreConfig, clock: Clock) -> Running {
        let (snapshot, handle, reader, historian) = historian::open(config, clock).unwrap();
        let thread = thread::spawn(move || historian.run());
        Running { snapshot, handle, reader, thread }
    }

    /// Hands the records of a batch over, and waits until they are done with. Returns the outcomes
    /// of those that may fail.
    #[track_caller]
    pub fn commits(&self, records: &[Record]) -> Vec<Outcome> {
        self.handle.commits.send(records.to_vec()).unwrap();
        self.hears_of_outcomes()
    }

    /// The same, and with them an outage begins. Returns why, and since when.
    #[track_caller]
    pub fn cannot_commit(&self, records: &[Record]) -> (String, Timestamp, Vec<Outcome>) {
        self.handle.commits.send(records.to_vec()).unwrap();
        let (why, since) = self.hears_of_an_outage();
        (why, since, self.hears_of_outcomes())
    }

    #[track_caller]
    pub fn hears(&self) -> HistorianEvent {
        loop {
            match self.hears_whatever() {
                HistorianEvent::Unreadable => {} // tests of that ask for it
                event => return event,
            }
        }
    }

    #[track_caller]
    pub fn hears_whatever(&self) -> HistorianEvent {
        self.handle.events.recv_timeout(DEADLINE).expect("an event")
    }

    #[track_caller]
    pub fn hears_of_outcomes(&self) -> Vec<Outcome> {
        match self.hears() {
            HistorianEvent::Committed(outcomes) => outcomes,
            event => panic!("{event:?}"),
        }
    }

    #[track_caller]
    pub fn hears_of_an_outage(&self) -> (String, Timestamp) {
        match self.hears() {
            HistorianEvent::Outage { why, since } => (why, since),
            event => panic!("{event:?}"),
        }
    }

    #[track_caller]
    pub fn hears_of_accounts(&self) -> Vec<String> {
        match self.hears() {
            HistorianEvent::Changed(snapshot) => {
                snapshot.accounts.into_iter().map(|account| account.name).collect()
            }
            event => panic!("{event:?}"),
        }
    }

    /// Everything is written again, but for what was said in the gap.
    #[track_caller]
    pub fn recovers(&self, gap: Option<(Timestamp, Timestamp)>) {
        assert_eq!(self.hears(), HistorianEvent::Recovered { gap });
    }

    #[track_caller]
    pub fn finds(&self, query: Query) -> Vec<String> {
        match self.reader.find(query) {
            Found::Lines(lines) => {
                lines.into_iter().map(|line| line.text.trim_end().to_owned()).collect()
            }
            found => panic!("{found:?}"),
        }
    }

    /// The newest lines of the lobby.
    #[track_caller]
    pub fn lobby(&self) -> Vec<String> {
        self.finds(older("lobby", None, 9999))
    }

    /// Drops both ends, and waits for the thread.
    pub fn ends(self) {
        drop((self.handle, self.reader));
        self.thread.join().unwrap();
    }
}
