//! What every thread notes about itself, for `/threads`.
//!
//! A thread stores one relaxed atomic when it begins to do something else; nobody waits for
//! anybody. So the table can be read while threads are stuck, which is when it is needed.

use crate::lock::Locked;
use std::{
    cell::RefCell,
    fmt::Write as _,
    sync::{
        Arc, LazyLock,
        atomic::{
            AtomicU64, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::{Duration, Instant},
};

/// The point from which this process counts its time.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

thread_local! {
    /// The status of this thread, if it was given one by [`Status::attach`].
    static MINE: RefCell<Option<Arc<Status>>> = const { RefCell::new(None) };
}

/// Sets what the calling thread does, if it has a status. For code that runs on several threads.
pub(crate) fn set_activity(activity: Activity) {
    MINE.with_borrow(|mine| mine.iter().for_each(|status| status.set(activity)));
}

fn uptime() -> Duration {
    START.elapsed()
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is explained by its words in ACTIVITIES")]
pub enum Activity {
    Starting,
    Working,
    Accepting,
    WaitingForDescriptors,
    Reading,
    Asking,
    WaitingForChannel,
    WaitingForRegistry,
    Answering,
    Pausing,
    Leaving,
    WaitingForEvents,
    WaitingForTheDisk,
    Applying,
    Sending,
    WaitingForSlowClients,
    Lingering,
    WaitingForLines,
    WaitingForSignal,
    WaitingToHash,
    Hashing,
    WaitingForRecords,
    WritingHistory,
    AnsweringQuery,
    TidyingUp,
    Ended,
}

impl Activity {
    /// Whether a thread may do this for any time, because it waits for others.
    fn is_wait(self) -> bool {
        use Activity::*;
        matches!(
            self,
            Starting
                | Accepting
                | WaitingForDescriptors
                | WaitingForEvents
                | WaitingForTheDisk
                | WaitingForSlowClients
                | Lingering
                | WaitingForLines
                | WaitingForSignal
                | WaitingForRecords
                | Ended
        )
    }
}

/// Every [`Activity`] in its order, and its words; at most 24 letters, for the table.
const ACTIVITIES: [(Activity, &str); 26] = [
    (Activity::Starting, "starting"),
    (Activity::Working, "working"),
    (Activity::Accepting, "accepting"),
    (Activity::WaitingForDescriptors, "waiting for descriptors"),
    (Activity::Reading, "reading"),
    (Activity::Asking, "waiting for an answer"),
    (Activity::WaitingForChannel, "waiting for the channel"),
    (Activity::WaitingForRegistry, "waiting for the registry"),
    (Activity::Answering, "sending its answer"),
    (Activity::Pausing, "pausing"),
    (Activity::Leaving, "leaving"),
    (Activity::WaitingForEvents, "waiting for events"),
    (Activity::WaitingForTheDisk, "waiting for the disk"),
    (Activity::Applying, "applying events"),
    (Activity::Sending, "sending"),
    (Activity::WaitingForSlowClients, "waiting for slow clients"),
    (Activity::Lingering, "waiting for the refused"),
    (Activity::WaitingForLines, "waiting for lines"),
    (Activity::WaitingForSignal, "waiting for a signal"),
    (Activity::WaitingToHash, "waiting to hash"),
    (Activity::Hashing, "hashing a password"),
    (Activity::WaitingForRecords, "waiting for records"),
    (Activity::WritingHistory, "writing history"),
    (Activity::AnsweringQuery, "answering a query"),
    (Activity::TidyingUp, "tidying up"),
    (Activity::Ended, "ended"),
];

/// What one thread notes about itself.
pub struct Status {
    name: Locked<String>,
    /// The [`Activity`], and when it began: milliseconds since the start, shifted left by 8.
    activity: AtomicU64,
    lines_in: AtomicU64,
    lines_out: AtomicU64,
    /// Bytes in the outbox of the thread's client.
    waiting: AtomicUsize,
    /// When a thread that goes round a loop last came to its beginning, in milliseconds since the
    /// start; 0: it does not say.
    turned: AtomicU64,
    /// The client at which such a thread works; 0: none.
    client: AtomicU64,
}

/// What a thread does that has not come round its loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// When the turn began, since the start of the process.
    pub(crate) began: Duration,
    /// What the thread does.
    pub(crate) doing: &'static str,
    /// At which client.
    pub(crate) client: Option<u64>,
}

impl Turn {
    /// How long it has taken so far.
    pub(crate) fn took(&self) -> Duration {
        uptime().saturating_sub(self.began)
    }
}

impl Status {
    /// The status of a thread of this name.
    pub fn new(name: &str) -> Arc<Status> {
        let status = Status {
            name: Locked::new("a thread's name", name.to_owned()),
            activity: AtomicU64::new(0),
            lines_in: AtomicU64::new(0),
            lines_out: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            turned: AtomicU64::new(0),
            client: AtomicU64::new(0),
        };
        status.set(Activity::Starting);
        Arc::new(status)
    }

    /// Makes this the status of the calling thread, for `set_activity`.
    pub fn attach(self: &Arc<Status>) {
        MINE.set(Some(Arc::clone(self)));
    }

    /// Sets what the thread does from now on.
    pub fn set(&self, activity: Activity) {
        self.activity.store((uptime().as_millis() as u64) << 8 | activity as u64, Release);
    }

    /// The same at the beginning of a turn, for a thread that goes round a loop.
    pub(crate) fn turn(&self, activity: Activity) {
        let now = uptime().as_millis() as u64;
        self.turned.store(now, Relaxed);
        self.client.store(0, Relaxed);
        self.activity.store(now << 8 | activity as u64, Release); // after the turn, for `busy`
    }

    /// Notes at which client the thread works from now on.
    pub(crate) fn at_client(&self, client: u64) {
        self.client.store(client, Relaxed);
    }

    /// The turn that the thread is in; `None`: it waits for others, for as long as that takes. A
    /// thread for which events wait does not wait for events, whatever it says.
    pub(crate) fn busy(&self, events: usize) -> Option<Turn> {
        let (activity, doing, since) = self.now();
        let is_waited_for = activity == Activity::WaitingForEvents && events > 0;
        if activity.is_wait() && !is_waited_for {
            return None;
        }
        let turned = self.turned.load(Relaxed);
        let began = if turned == 0 { since } else { Duration::from_millis(turned) };
        let client = Some(self.client.load(Relaxed)).filter(|&client| client > 0);
        Some(Turn { began, doing, client })
    }

    /// What the thread does, in words too, and since when.
    fn now(&self) -> (Activity, &'static str, Duration) {
        let packed = self.activity.load(Acquire);
        let (activity, doing) = ACTIVITIES[(packed & 0xff) as usize];
        (activity, doing, Duration::from_millis(packed >> 8))
    }

    /// Counts lines that came in.
    pub fn count_in(&self, lines: usize) {
        self.lines_in.fetch_add(lines as u64, Relaxed);
    }

    /// Counts lines that went out, to the socket or into the outbox.
    pub fn count_out(&self, lines: usize) {
        self.lines_out.fetch_add(lines as u64, Relaxed);
    }

    /// Sets the bytes that wait in the outbox.
    pub fn set_waiting(&self, bytes: usize) {
        self.waiting.store(bytes, Relaxed);
    }

    /// The bytes that wait in the outbox.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// The lines that came in.
    pub(crate) fn lines_in(&self) -> u64 {
        self.lines_in.load(Relaxed)
    }

    /// The thread's name.
    pub fn name(&self) -> String {
        self.name.lock().clone()
    }

    /// Renames the thread, here only.
    pub fn rename(&self, name: &str) {
        *self.name.lock() = name.to_owned();
    }

    /// Renames the calling thread, here and in the kernel (`ps -L`, `top -H`), which keeps 15
    /// bytes.
    pub(crate) fn rename_thread(&self, name: &str) {
        self.rename(name);
        #[cfg(target_os = "linux")]
        if let Ok(name) = std::ffi::CString::new(shorten(name, 15)) {
            let _ = rustix::thread::set_name(&name); // a thread without its name works as well
        }
    }

    /// The thread's line in the table.
    pub fn row(&self) -> String {
        let (_, activity, since) = self.now();
        format!(
            "*** {:<16} {activity:<24} {:>7} {:>8} {:>8} {:>8}\n",
            shorten(&self.name(), 16),
            brief(uptime().saturating_sub(since)),
            count(self.lines_in.load(Relaxed)),
            count(self.lines_out.load(Relaxed)),
            count(self.waiting.load(Relaxed) as u64),
        )
    }
}

/// Counts of the whole server.
#[derive(Default)]
pub struct Totals {
    /// Lines said.
    pub said: AtomicU64,
    /// Lines delivered, to all clients together.
    pub delivered: AtomicU64,
    /// Clients hung up because they did not read.
    pub too_slow: AtomicU64,
    /// Connections refused.
    pub refused: AtomicU64,
}

/// The table of `/threads`: `summary`, the totals, and a row for each thread.
pub fn table(summary: &str, totals: &Totals, threads: &[Arc<Status>]) -> String {
    let [said, delivered, slow, refused] =
        [&totals.said, &totals.delivered, &totals.too_slow, &totals.refused]
            .map(|total| count(total.load(Relaxed)));
    let mut text = format!("*** Threads of chatd: {summary}\n");
    let up = brief(uptime());
    let _ = writeln!(
        text,
        "*** In {up}: {said} lines said, {delivered} delivered; {slow} clients too slow, {refused} refused."
    );
    text.push_str(
        "*** THREAD           DOING                        FOR       IN      OUT  WAITING\n",
    );
    for thread in threads {
        text.push_str(&thread.row());
    }
    text
}

fn shorten(name: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(name.len())).rev().find(|&end| name.is_char_boundary(end));
    &name[..end.unwrap_or(0)]
}

/// A number in at most seven characters, up to 10^13.
fn count(n: u64) -> String {
    match n {
        0..10_000_000 => n.to_string(),
        10_000_000..10_000_000_000 => format!("{} M", n / 1_000_000),
        _ => format!("{} G", n / 1_000_000_000),
    }
}

fn brief(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        s @ 1..600 => format!("{s} s"),
        s @ 600..36_000 => format!("{} min", s / 60),
        s => format!("{} h", s / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_80_columns() {
        let status = Status::new("c12345:abcdefghijklmnopqrst");
        status.set(Activity::WaitingForRegistry);
        status.count_in(9_999_999);
        status.count_out(9_999_999_999_999);
        status.set_waiting(65_536);
        let table =
            table("512 of 512 clients, 1024 of 1024 events waiting", &Totals::default(), &[status]);
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(table.contains("c12345:abcdefghi waiting for the registry"), "{table}");
    }

    #[test]
    fn every_activity_has_its_words() {
        for (i, (activity, words)) in ACTIVITIES.into_iter().enumerate() {
            assert_eq!(activity as usize, i, "{words} stands in the place of another");
            assert!(words.len() <= 24, "{words}");
        }
    }
}
