//! `/metrics` and `/healthz`, for the tools that watch a server: Prometheus and its kin, and load
//! balancers. Runs on thread `web`.
//!
//! The text is Prometheus' own format: three lines for each number. It reads what the threads have
//! noted and takes no lock that may be held for long, so it answers while something hangs.

use crate::{
    core::close_reason::CLOSE_WORDS,
    lock::{LOCK_KINDS, LockWaits},
    server::{client::handler::ChatHandler, turned_away::REASONS, view::queues, watch::Watch},
    thread_status::uptime,
};
use jiff::Timestamp;
use std::{
    fmt::{Display, Write as _},
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// What is watched.
pub(super) struct Metrics {
    chat: Arc<ChatHandler>,
    watch: Watch,
    /// Seconds since 1970.
    started: f64,
}

impl Metrics {
    pub(super) fn new(chat: Arc<ChatHandler>, watch: Watch) -> Metrics {
        let now = Timestamp::now().as_duration().as_secs_f64();
        Metrics { chat, watch, started: now - uptime().as_secs_f64() }
    }

    /// Whether the chat goes on. If not, a sentence says what hangs.
    pub(super) fn health(&self) -> Result<(), String> {
        match self.watch.is_turning("fanout") {
            true => Ok(()),
            false => Err("The thread fanout does not go on: nothing is delivered.".to_owned()),
        }
    }

    /// Every number, as Prometheus reads it.
    pub(super) fn text(&self) -> String {
        let mut page = Page(String::new());
        let (chat, totals) = (&*self.chat, &self.chat.totals);
        let (clients, queues) = queues::now(chat);
        let version = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
        page.gauge("chatd_build_info", "The version, as a label.", [(version, 1)]);
        page.gauge(
            "process_start_time_seconds",
            "When the server was started, in seconds since 1970.",
            [("", self.started)],
        );
        page.gauge("chatd_clients", "Clients connected.", [("", clients)]);
        page.gauge("chatd_clients_max", "Places for clients.", [("", chat.threads_max)]);
        page.counter("chatd_lines_total", "Lines said.", [("", totals.said.load(Relaxed))]);
        page.counter(
            "chatd_deliveries_total",
            "Lines delivered, to all clients together.",
            [("", totals.delivered.load(Relaxed))],
        );
        let reasons = REASONS.iter().zip(&totals.refused);
        page.counter(
            "chatd_refused_total",
            "Connections that were not let in, by the reason.",
            reasons.map(|(word, count)| (format!("reason=\"{word}\""), count.load(Relaxed))),
        );
        let reasons = CLOSE_WORDS.iter().zip(&totals.ended);
        page.counter(
            "chatd_closed_total",
            "Connections that have ended, by the reason.",
            reasons.map(|(word, count)| (format!("reason=\"{word}\""), count.load(Relaxed))),
        );
        let label = |name: &str| format!("queue=\"{name}\"");
        page.gauge(
            "chatd_queue_length",
            "What waits: events, lines, clients or bytes, see the view.",
            queues.iter().map(|queue| (label(queue.name), queue.waiting)),
        );
        page.gauge(
            "chatd_queue_bound",
            "The most that may wait there.",
            queues.iter().filter_map(|queue| Some((label(queue.name), queue.bound?))),
        );
        self.history(&mut page);
        locks(&mut page);
        page.0
    }

    fn history(&self, page: &mut Page) {
        let is_outage = u8::from(self.chat.totals.is_outage.load(Relaxed));
        page.gauge(
            "chatd_history_outage",
            "1 while the history is not written and everybody was told so.",
            [("", is_outage)],
        );
        page.counter(
            "chatd_history_outages_total",
            "How often that has begun.",
            [("", self.chat.totals.outages.load(Relaxed))],
        );
    }
}

fn locks(page: &mut Page) {
    let waits = LOCK_KINDS.map(|(kind, words)| {
        let [count, nanos, _] = LockWaits::of(kind).totals();
        (format!("lock=\"{words}\""), count, nanos as f64 / 1e9)
    });
    page.counter(
        "chatd_lock_waits_total",
        "How often a thread waited for a lock.",
        waits.iter().map(|(lock, count, _)| (lock, count)),
    );
    page.counter(
        "chatd_lock_wait_seconds_total",
        "How long threads waited for locks.",
        waits.iter().map(|(lock, _, seconds)| (lock, seconds)),
    );
}

/// The text, as far as it is written.
struct Page(String);

impl Page {
    /// A number that goes up and down, for each of some labels.
    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        of: impl IntoIterator<Item = (impl Display, impl Display)>,
    ) {
        self.metric(name, help, "gauge", of);
    }

    /// A number that only grows.
    fn counter(
        &mut self,
        name: &str,
        help: &str,
        of: impl IntoIterator<Item = (impl Display, impl Display)>,
    ) {
        self.metric(name, help, "counter", of);
    }

    fn metric(
        &mut self,
        name: &str,
        help: &str,
        kind: &str,
        of: impl IntoIterator<Item = (impl Display, impl Display)>,
    ) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in of {
            let labels = labels.to_string();
            let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}
