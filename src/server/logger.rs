//! The log: one thread writes it to standard error, so that no other thread ever waits for a
//! terminal.
//!
//! An instructor who presses Ctrl-S, or pipes the log into a pager, stops whoever writes to that
//! terminal. With a logger that writes on the caller's thread (as the usual ones do) that would be
//! the fan-out, and with it the class. Here a full queue loses log lines; their number is logged.

use super::{
    clock::wall_clock,
    status::{Activity, Status},
    zone::local_zone,
};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use jiff::Timestamp;
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// The most lines that may wait: more than the goodbyes of a full server's clients, all at once.
const LINES_MAX: usize = 8192;

/// What the queue carries.
enum Entry {
    /// A line. The thread that writes it formats it.
    Line(Timestamp, Level, String),
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

/// Installs the log of the process. The caller has to run the writer on a thread.
pub fn install(level: LevelFilter) -> anyhow::Result<LogWriter> {
    let (sender, entries) = crossbeam_channel::bounded(LINES_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    log::set_boxed_logger(Box::new(Logger { entries: sender, lost: Arc::clone(&lost) }))?;
    log::set_max_level(level);
    Ok(LogWriter { entries, lost, status: Status::new("logger") })
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = Entry::Line(wall_clock(), record.level(), record.args().to_string());
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
        let (mut stderr, (zone, _)) = (std::io::stderr(), local_zone());
        loop {
            self.status.set(Activity::WaitingForLines);
            let Ok(entry) = self.entries.recv() else { return };
            self.status.set(Activity::Working);
            match entry {
                Entry::Line(at, level, text) => {
                    let time = at.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string();
                    let line = format!("{time} {level:<5} {text}\n");
                    let _ = stderr.write_all(line.as_bytes()); // nobody is left to tell
                }
                Entry::Flush(done) => {
                    let _ = done.send(());
                }
            }
            let lost = self.lost.swap(0, Relaxed);
            if lost > 0 {
                let _ = writeln!(
                    stderr,
                    "({lost} log lines were lost: standard error did not take them)"
                );
            }
        }
    }
}
