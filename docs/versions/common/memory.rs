//! What is on disk, for a loop: the historian and its file are chatd's own, but here the loop waits for them, because it
//! has nobody else who could. A slow disk is everybody's. Runs on thread `main`.

use chatd::{
    core::{
        record::{Found, Query, Remembered},
        rooms::Rooms,
    },
    server::{
        historian::{self, Desk, News, Reading},
        options::Options,
        start_thread,
        status::Status,
    },
};
use jiff::Timestamp;
use std::{
    collections::VecDeque,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How often the loop looks whether the historian has something to tell: it has no descriptor to watch.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The way to the historian.
pub struct Memory {
    desk: Desk,
    /// Told while the loop was asking something else.
    told: VecDeque<News>,
    reading: Reading,
    historian: JoinHandle<()>,
    /// Its notes.
    pub status: Arc<Status>,
    look_at: Instant,
}

impl Memory {
    /// Opens the file, and starts the historian.
    pub fn open(options: &Options) -> anyhow::Result<(Memory, Remembered)> {
        let (remembered, desk, reading, historian) = historian::open(&options.memory())?;
        let status = Arc::clone(&historian.status);
        let historian = start_thread("historian", move || historian.run())?;
        let look_at = Instant::now() + LOOK_EVERY;
        Ok((
            Memory { desk, told: VecDeque::new(), reading, historian, status, look_at },
            remembered,
        ))
    }

    /// Writes what the rooms hold, and waits until that is done. Then they hold nothing.
    pub fn write(&mut self, rooms: &mut Rooms<usize>, now: Timestamp) {
        self.apply_told(rooms, now); // before what is told from here on: accounts as they were must not undo newer ones
        loop {
            let records = rooms.take_records();
            if records.is_empty() || self.desk.writes.send(records).is_err() {
                return;
            }
            while let Ok(news) = self.desk.news.recv() {
                if apply(rooms, now, news) {
                    break;
                }
            }
        }
    }

    /// Asks, and waits for the answer. (The historian must not wait meanwhile for somebody to listen to its news.)
    pub fn find(&mut self, query: Query) -> Found {
        self.told.extend(self.desk.news.try_iter());
        self.reading.ask(query)
    }

    /// When to look whether it has something to tell.
    pub fn deadline(&self) -> Option<Instant> {
        Some(self.look_at)
    }

    /// Looks, if it is time.
    pub fn look_after(&mut self, rooms: &mut Rooms<usize>, now: Instant) {
        if self.look_at > now {
            return;
        }
        self.look_at = now + LOOK_EVERY;
        self.told.extend(self.desk.news.try_iter());
        self.apply_told(rooms, Timestamp::now());
    }

    fn apply_told(&mut self, rooms: &mut Rooms<usize>, now: Timestamp) {
        for news in self.told.drain(..) {
            apply(rooms, now, news);
        }
    }

    /// Ends the historian, and waits for it.
    pub fn close(self) {
        let Memory { desk, reading, historian, .. } = self;
        drop((desk, reading));
        let _ = historian.join(); // its panic has ended the process
    }
}

/// Returns whether a parcel was answered.
fn apply(rooms: &mut Rooms<usize>, now: Timestamp, news: News) -> bool {
    match news {
        News::Written(outcome) => {
            rooms.written(outcome);
            rooms.go_on(now, usize::MAX); // little is held here: see `House::flush_if_much`
            return true;
        }
        News::Failing { why, since } => rooms.memory_fails(&why, since),
        News::Again { hole } => rooms.memory_is_back(hole),
        News::Changed(remembered) => rooms.remember(remembered),
    }
    false
}
