//! The table of `/threads`: what every thread has noted about itself, as a person reads it.

pub(crate) use crate::thread_status::set_activity;
pub use crate::thread_status::{Status, activity::Activity};

use super::{
    board::Board,
    trace::Trace,
    turned_away::{REASONS, Reason},
};
use crate::{
    core::{
        close_reason::{CLOSE_WORDS, CloseReason},
        notice::push_wrapped,
    },
    lock::{LOCK_KINDS, LockWaits},
    thread_status::{Sample, activity::ActivityKind, shorten, uptime},
};
use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

/// Counts of the whole server.
#[derive(Default)]
pub struct Totals {
    /// Lines said.
    pub said: AtomicU64,
    /// Lines delivered, to all clients together.
    pub delivered: AtomicU64,
    /// Clients hung up because they did not read.
    pub too_slow: AtomicU64,
    /// Connections that were not let in, by [`Reason`].
    pub refused: [AtomicU64; REASONS.len()],
    /// Connections of clients that have ended, by the [kind](CLOSE_WORDS) of the reason.
    pub(crate) ended: [AtomicU64; CLOSE_WORDS.len()],
    /// How often the history began not to be written.
    pub(crate) outages: AtomicU64,
    /// Bytes that the batches have for clients to read, now.
    pub(crate) to_show: AtomicUsize,
    /// Bytes of records that are not written, now.
    pub(crate) to_write: AtomicUsize,
    /// Everybody was told that nothing is written.
    pub(crate) is_outage: AtomicBool,
    /// The line whose way is followed.
    pub(crate) trace: Trace,
    /// The class's question.
    pub(crate) board: Board,
}

impl Totals {
    /// Connections that were not let in.
    pub fn refused(&self) -> u64 {
        self.refused.iter().map(|count| count.load(Relaxed)).sum()
    }

    /// Counts a client's connection that ends.
    pub fn count_end(&self, reason: &CloseReason) {
        self.ended[reason.kind()].fetch_add(1, Relaxed);
        self.too_slow.fetch_add(u64::from(reason.is_slow()), Relaxed);
        let is_full = matches!(reason, CloseReason::Full(_));
        self.refused[Reason::Full as usize].fetch_add(u64::from(is_full), Relaxed);
    }
}

/// The table of `/threads`: `summary`, the totals, and a row for each thread.
pub fn table(summary: &str, totals: &Totals, threads: &[Arc<Status>]) -> String {
    let [said, delivered, slow] =
        [&totals.said, &totals.delivered, &totals.too_slow].map(|total| count(total.load(Relaxed)));
    let refused = count(totals.refused());
    let mut text = format!("*** Threads of chatd: {summary}\n");
    let up = brief(uptime());
    let lines = if said == "1" { "line" } else { "lines" };
    let clients = if slow == "1" { "client" } else { "clients" };
    let totals = [
        format!("{said} {lines} said"),
        format!("{delivered} delivered"),
        format!("{slow} {clients} too slow"),
        format!("{refused} refused"),
    ];
    push_list(&mut text, &format!("In {up}:"), &totals);
    push_list(&mut text, "Waits for locks:", &lock_waits());
    text.push_str(
        "*** THREAD          DOING                       FOR BUSY    IN   OUT QUEUE LOCKS\n",
    );
    threads.iter().for_each(|thread| text.push_str(&row(thread)));
    let holder_of = |id| threads.iter().find(|thread| id > 0 && thread.id == id);
    for thread in threads {
        let sample = thread.sample();
        if let Some((kind, holder)) = sample.waits_for
            && let Some(holder) = holder_of(holder)
        {
            let (name, what) = (thread.name(), LOCK_KINDS[kind as usize].1);
            let _ = writeln!(text, "*** {name} waits for {what}, which {} holds.", holder.name());
        }
    }
    text
}

/// `the registry 3 (1 ms)`, `an outbox 12 (0 ms)`; or `none`.
fn lock_waits() -> Vec<String> {
    let waits = LOCK_KINDS.iter().filter_map(|&(kind, words)| {
        let [waits, _, longest] = LockWaits::of(kind).totals();
        let longest = brief(Duration::from_nanos(longest));
        (waits > 0).then(|| format!("{words} {} ({longest})", count(waits)))
    });
    let waits: Vec<String> = waits.collect();
    if waits.is_empty() { vec!["none".to_owned()] } else { waits }
}

/// `*** lead one, two.`, in lines that fit a terminal.
fn push_list(text: &mut String, lead: &str, items: &[String]) {
    push_wrapped(text, lead, items);
    text.push_str(".\n");
}

/// A thread's line in the table.
pub fn row(thread: &Status) -> String {
    let sample = thread.sample();
    format!(
        "*** {:<15} {:<24} {:>6} {:>4} {:>5} {:>5} {:>5} {:>5}\n",
        shorten(&thread.name(), 15),
        sample.activity.words(),
        brief(Duration::from_nanos(sample.since)),
        busy(&sample),
        count(sample.lines_in),
        count(sample.lines_out),
        count(sample.waiting as u64),
        count(u64::from(sample.lock_waits)),
    )
}

/// The share of its life in which a thread worked, in at most four characters.
fn busy(sample: &Sample) -> String {
    let share = sample.spent_on(ActivityKind::Works) as f64 * 100.0 / sample.life.max(1) as f64;
    if share < 9.95 { format!("{share:.1}%") } else { format!("{share:.0}%") }
}

/// A number in at most five characters, up to 10^13.
fn count(n: u64) -> String {
    match n {
        0..100_000 => n.to_string(),
        100_000..10_000_000 => format!("{}k", n / 1_000),
        10_000_000..10_000_000_000 => format!("{}M", n / 1_000_000),
        _ => format!("{}G", n / 1_000_000_000),
    }
}

/// A time in at most six characters, up to 11 years.
fn brief(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        s @ 1..600 => format!("{s} s"),
        s @ 600..6_000 => format!("{} min", s / 60),
        s if s < 3_600_000 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
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
        let totals = Totals::default();
        for total in [&totals.said, &totals.delivered, &totals.too_slow, &totals.refused[0]] {
            total.store(9_999_999, Relaxed);
        }
        let table = table("512 of 512 clients, 1024 of 1024 events waiting", &totals, &[status]);
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(
            table.contains("c12345:abcdefgh waiting for the registry   0 ms 0.0% 9999k 9999G"),
            "{table}"
        );
        let (_, columns) = table.split_once("*** THREAD").unwrap();
        let [heading, row] = [0, 1].map(|line| columns.lines().nth(line).unwrap());
        assert_eq!("*** THREAD".len() + heading.len(), row.len(), "{table}");
    }

    #[test]
    fn a_number_and_a_time_fit_their_columns() {
        for n in [0, 99_999, 100_000, 9_999_999, 10_000_000, 9_999_999_999, 9_999_999_999_999] {
            assert!(count(n).len() <= 5, "{n}: {}", count(n));
        }
        for seconds in [0, 599, 600, 5_999, 6_000, 3_599_999, 3_600_000, 300_000_000] {
            let brief = brief(Duration::from_secs(seconds));
            assert!(brief.len() <= 6, "{seconds} s: {brief}");
        }
        assert_eq!(brief(Duration::from_millis(999)), "999 ms");
    }
}
