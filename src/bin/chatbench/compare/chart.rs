//! What is shown of the comparison: each chart's figure, its words, and its table.

use crate::cli::compare::Measured;
use crate::cli::compare::models;
use crate::cli::report::{Outcome, Spread, ratio};

/// One figure against the number of clients.
pub struct Chart {
    /// Its file, without `.svg`.
    pub name: &'static str,
    pub title: &'static str,
    /// What stands at the upright axis.
    pub unit: &'static str,
    /// Of which figure.
    pub key: &'static str,
    /// Under which load, in a sentence.
    pub load: &'static str,
}

const PACED: &str = "10 talk, paced: 50,000 lines a second are delivered. The server has one core, the generator the other.";
const ONE_CORE: &str =
    "10 talk, each as soon as its neighbour has read its last line. The server has one core.";
const ALL_CORES: &str =
    "The same on all cores: the system puts server and generator where it likes.";
const TWO_TALK: &str = "One says a line, another reads it and the next is said, in a room of their own. All other clients \
                        are connected and silent. (The floor has no rooms.)";

/// All charts, in the order of the page.
pub const CHARTS: [Chart; 9] = [
    Chart {
        name: "paced-cpu",
        title: "CPU time for a delivered line, at 50,000 a second",
        unit: "µs of the server",
        key: "paced_cpu_us",
        load: PACED,
    },
    Chart {
        name: "paced-p50",
        title: "How long a line takes: the middle one (p50)",
        unit: "ms",
        key: "paced_p50_ms",
        load: PACED,
    },
    Chart {
        name: "paced-p99",
        title: "How long a line takes: 99 of 100 are sooner (p99)",
        unit: "ms",
        key: "paced_p99_ms",
        load: PACED,
    },
    Chart {
        name: "one-core-cpu",
        title: "CPU time for a delivered line, one core, full speed",
        unit: "µs of the server",
        key: "one_core_cpu_us",
        load: ONE_CORE,
    },
    Chart {
        name: "one-core-deliveries",
        title: "Deliveries a second, one core",
        unit: "lines a second",
        key: "one_core_deliveries_per_s",
        load: ONE_CORE,
    },
    Chart {
        name: "all-cores-cpu",
        title: "CPU time for a delivered line, all cores, full speed",
        unit: "µs of the server",
        key: "all_cores_cpu_us",
        load: ALL_CORES,
    },
    Chart {
        name: "all-cores-deliveries",
        title: "Deliveries a second, all cores",
        unit: "lines a second",
        key: "all_cores_deliveries_per_s",
        load: ALL_CORES,
    },
    Chart {
        name: "two-talk-cpu",
        title: "CPU time for one message, all others silent",
        unit: "µs of the server",
        key: "two_talk_cpu_us",
        load: TWO_TALK,
    },
    Chart {
        name: "two-talk-switches",
        title: "Context switches for one message, all others silent",
        unit: "switches of the server",
        key: "two_talk_switches",
        load: TWO_TALK,
    },
];

impl Chart {
    /// One model's points: clients, and what was measured with so many.
    pub fn points(&self, model: &str, sizes: &[Measured]) -> Vec<(usize, Spread)> {
        let point = |at: &Measured| Some((at.clients, at.outcome(model)?.spread(self.key)?));
        sizes.iter().filter_map(point).collect()
    }

    /// The table, one line for each number of clients.
    pub fn table(&self, sizes: &[Measured]) -> String {
        let mut out = format!(
            "| clients | {} | threads ÷ select | threads ÷ epoll |\n",
            models::NAMES.join(" | ")
        );
        out.push_str(&format!("| --- {}|\n", "| --- ".repeat(models::NAMES.len() + 2)));
        for at in sizes {
            let figures =
                models::NAMES.map(|model| cell(at.outcome(model).and_then(|o| o.spread(self.key))));
            let beside = |other| ratio(at.outcome("threads")?, at.outcome(other)?, self.key);
            let [by_select, by_epoll] = ["select", "epoll"].map(|other| cell(beside(other)));
            out.push_str(&format!(
                "| {} | {} | {by_select} | {by_epoll} |\n",
                at.clients,
                figures.join(" | ")
            ));
        }
        out
    }
}

impl Measured {
    /// One model's outcome, if it was measured and no run of it failed.
    pub fn outcome(&self, model: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.name == model && outcome.failures.is_empty())
    }
}

/// A figure and its spread, or a dash.
pub fn cell(spread: Option<Spread>) -> String {
    spread.map_or("–".into(), |spread| spread.show())
}
