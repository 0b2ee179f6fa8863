//! The log: one thread writes it to standard error, so that no other thread ever waits for a
//! terminal.
//!
//! An instructor who presses Ctrl-S, or pipes the log into a pager, stops whoever writes to that
//! terminal. With a logger that writes on the caller's thread (as the usual ones do) that would be
//! the fan-out, and with it the class. Here a full queue loses log lines; their number is logged.

use super::{
    clock::wall_clock,
    repeated::Repeated,
    status::{Activity, Status},
    zone::local_zone,
};
use crate::core::address::ClientAddress;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use jiff::Timestamp;
use log::{Level, LevelFilter, Log, Metadata, Record, kv::Key};
use std::{
    fmt,
    io::Write as _,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// The most lines that may wait: more than the goodbyes of a full server's clients, all at once.
pub(crate) const LINES_MAX: usize = 8192;

/// What the queue carries.
enum Entry {
    /// A line. The thread that writes it formats it. If there may be many like it: their kind, and
    /// their source.
    Line(Timestamp, Level, String, Option<(String, String)>),
    /// Everything before this was written: say so.
    Flush(Sender<()>),
}

/// The front: it takes lines from every thread.
struct Logger {
    entries: Sender<Entry>,
    lost: Arc<AtomicU64>,
}

/// The back: it writes them.
pub struct LogWriter {
    entries: Receiver<Entry>,
    lost: Arc<AtomicU64>,
    /// What its thread does.
    pub status: Arc<Status>,
}

/// The queue of the process, once there is one, and the lines that it lost.
static QUEUE: OnceLock<(Sender<Entry>, Arc<AtomicU64>)> = OnceLock::new();

/// Lines that wait to be written.
pub(crate) fn waiting() -> usize {
    QUEUE.get().map_or(0, |(entries, _)| entries.len())
}

/// Lines that were lost, of which the log does not tell yet.
pub(crate) fn lost() -> u64 {
    QUEUE.get().map_or(0, |(_, lost)| lost.load(Relaxed))
}

/// Installs the log of the process. The caller has to run the writer on a thread.
pub fn install(level: LevelFilter) -> anyhow::Result<LogWriter> {
    let (sender, entries) = crossbeam_channel::bounded(LINES_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    let queue = sender.clone();
    log::set_boxed_logger(Box::new(Logger { entries: sender, lost: Arc::clone(&lost) }))?;
    log::set_max_level(level);
    let _ = QUEUE.set((queue, Arc::clone(&lost)));
    Ok(LogWriter { entries, lost, status: Status::new("logger") })
}

/// Logs a line of which there may be many from one source. After the first ones they are counted:
/// "and 3,214 more `kind` `source` in the last 10 s".
pub(crate) fn counted(kind: &str, source: &ClientAddress, line: fmt::Arguments<'_>) {
    log::info!(kind, source:%; "{line}");
}

impl Log for Logger {
    /// Our own lines alone: a crate that reads a browser's messages would log passwords.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level() && metadata.target().starts_with("chatd")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text_of = |key| record.key_values().get(Key::from_str(key)).map(|v| v.to_string());
        let counted = text_of("kind").zip(text_of("source"));
        let line = Entry::Line(wall_clock(), record.level(), record.args().to_string(), counted);
        if let Err(TrySendError::Full(_)) = self.entries.try_send(line) {
            self.lost.fetch_add(1, Relaxed);
        }
    }

    /// Waits until all lines so far are written; at most half a second, if nobody reads them.
    fn flush(&self) {
        let (done, written) = crossbeam_channel::bounded(1);
        let end = Instant::now() + Duration::from_millis(500);
        if self.entries.send_deadline(Entry::Flush(done), end).is_ok() {
            let _ = written.recv_deadline(end);
        }
    }
}

impl LogWriter {
    /// Writes for as long as the process lives.
    pub fn run(self) {
        self.status.attach();
        let (mut stderr, (zone, _)) = (std::io::stderr(), local_zone());
        let mut write = |at: Timestamp, level: Level, text: &str| {
            let time = at.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string();
            let line = format!("{time} {level:<5} {text}\n");
            let _ = stderr.write_all(line.as_bytes()); // nobody is left to tell
        };
        let mut repeated = Repeated::default();
        loop {
            self.status.set(Activity::WaitingForLines);
            let entry = match repeated.left(Instant::now()) {
                None => self.entries.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(left) => self.entries.recv_timeout(left),
            };
            self.status.set(Activity::Working);
            let mut is_over = repeated.left(Instant::now()).is_some_and(|left| left.is_zero());
            let mut done = None;
            match entry {
                Ok(Entry::Line(at, level, text, None)) => write(at, level, &text),
                Ok(Entry::Line(at, level, text, Some((kind, source)))) => {
                    if repeated.count(kind, source, Instant::now()) {
                        write(at, level, &text);
                    }
                }
                Ok(Entry::Flush(flushed)) => (is_over, done) = (true, Some(flushed)),
                Err(RecvTimeoutError::Timeout) => is_over = true,
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if is_over {
                for line in repeated.end(Instant::now()) {
                    write(wall_clock(), Level::Info, &line);
                }
            }
            let lost = self.lost.swap(0, Relaxed);
            if lost > 0 {
                let line = format!("{lost} log lines were lost: standard error did not take them");
                write(wall_clock(), Level::Warn, &line);
            }
            if let Some(done) = done {
                let _ = done.send(());
            }
        }
    }
}
