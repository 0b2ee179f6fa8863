//! The log: one thread writes it to standard error, so that no other thread ever waits for a
//! terminal.
//!
//! An instructor who presses Ctrl-S, or pipes the log into a pager, stops whoever writes to that
//! terminal. With a logger that writes on the caller's thread (as the usual ones do) that would be
//! the fan-out, and with it the class. Here a full queue loses log lines; their number is logged.
//!
//! A line is written for people, for the journal of systemd, or as JSON for a program: see `log_line`.

use super::{
    clock::wall_clock,
    log_line::{Line, LogFormat},
    repeated::Repeated,
    status::{Activity, Status},
    zone::local_zone,
};
use crate::core::{address::ClientAddress, event::ClientId, rooms::LogLine};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use log::{Level, LevelFilter, Log, Metadata, Record};
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
    /// A line. The thread that writes it formats it. In a box, for the queue has all of its places
    /// in memory from the beginning: 0.2 MiB, and 1.3 with the lines themselves.
    Line(Box<Line>),
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
    format: LogFormat,
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
pub fn install(level: LevelFilter, format: LogFormat) -> anyhow::Result<LogWriter> {
    let (sender, entries) = crossbeam_channel::bounded(LINES_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    let queue = sender.clone();
    log::set_boxed_logger(Box::new(Logger { entries: sender, lost: Arc::clone(&lost) }))?;
    log::set_max_level(level);
    let _ = QUEUE.set((queue, Arc::clone(&lost)));
    Ok(LogWriter { entries, lost, format, status: Status::new("logger") })
}

/// Waits until all lines so far are written; but only half a second if nobody reads them, and no
/// longer than until `latest`.
pub(crate) fn flush(latest: Option<Instant>) {
    let Some((entries, _)) = QUEUE.get() else { return };
    let end = Instant::now() + Duration::from_millis(500);
    let end = latest.map_or(end, |latest| end.min(latest));
    let (done, written) = crossbeam_channel::bounded(1);
    if entries.send_deadline(Entry::Flush(done), end).is_ok() {
        let _ = written.recv_deadline(end);
    }
}

/// Logs a line of the rooms'.
pub fn record(line: &LogLine) {
    let LogLine { event, client, account, address, text } = line;
    let (client, account) = (client.unwrap_or(0), account.as_deref().unwrap_or(""));
    let address = address.map(|address| address.to_string()).unwrap_or_default();
    log::info!(event, client, account, address:%; "{text}");
}

/// Logs a line of which there may be many from one source. After the first ones they are counted:
/// "and 3,214 more `kind` `source` in the last 10 s".
pub(crate) fn counted(
    event: &str,
    client: ClientId,
    (kind, source): (&str, &ClientAddress),
    line: fmt::Arguments<'_>,
) {
    log::info!(event, client, kind, address:% = source; "{line}");
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
        let line = Entry::Line(Box::new(Line::of(wall_clock(), record)));
        if let Err(TrySendError::Full(_)) = self.entries.try_send(line) {
            self.lost.fetch_add(1, Relaxed);
        }
    }

    fn flush(&self) {
        flush(None);
    }
}

impl LogWriter {
    /// Writes for as long as the process lives.
    pub fn run(self) {
        self.status.attach();
        let (mut stderr, (zone, _)) = (std::io::stderr(), local_zone());
        let mut write = |line: &Line| {
            let _ = stderr.write_all(line.format(self.format, &zone).as_bytes()); // nobody is left to tell
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
                Ok(Entry::Line(line)) => {
                    let is_one_of_few = match line.repeats() {
                        Some((kind, source)) => repeated.count(kind, source, Instant::now()),
                        None => true,
                    };
                    if is_one_of_few {
                        write(&line);
                    }
                }
                Ok(Entry::Flush(flushed)) => (is_over, done) = (true, Some(flushed)),
                Err(RecvTimeoutError::Timeout) => is_over = true,
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if is_over {
                for text in repeated.end(Instant::now()) {
                    write(&Line::own(wall_clock(), Level::Info, "repeated", text));
                }
            }
            let lost = self.lost.swap(0, Relaxed);
            if lost > 0 {
                let text = format!("{lost} log lines were lost: standard error did not take them");
                write(&Line::own(wall_clock(), Level::Warn, "log_lost", text));
            }
            if let Some(done) = done {
                let _ = done.send(());
            }
        }
    }
}
