//! compare.md: the plots and the tables, and what was measured on what; the same as JSON.

use std::time::Duration;

use crate::cli::compare::Measured;
use crate::cli::compare::chart::{CHARTS, cell};
use crate::cli::compare::models;
use crate::cli::compare::sizes::SIZE;
use crate::cli::load::Settings;
use crate::cli::report::{self, array, quoted, ratio};

/// All that was measured.
pub struct Results {
    pub sizes: Vec<Measured>,
    pub joins: Measured,
    pub settings: Settings,
    pub machine: String,
    pub took: Duration,
}

/// What is shown of the clients that join at once, and what it is called.
const JOINS: [(&str, &str); 6] = [
    ("clients_per_s", "clients served a second"),
    ("slowest_ms", "the slowest waits, ms"),
    ("threads_per_client", "threads"),
    ("addresses_kib_per_client", "address space, KiB"),
    ("memory_kib_per_client", "resident memory, KiB"),
    ("kernel_kib_per_client", "kernel: stacks, page tables, KiB"),
];

impl Results {
    /// What went wrong.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        let outcomes = self
            .sizes
            .iter()
            .chain([&self.joins])
            .flat_map(|at| at.outcomes.iter().map(|o| (at.clients, o)));
        outcomes.flat_map(|(clients, o)| {
            o.failures.iter().map(move |why| format!("{}, {clients} clients: {why}", o.name))
        })
    }

    fn runs(&self) -> String {
        let runs =
            |at: &Measured| at.outcomes.iter().map(|outcome| outcome.runs.len()).max().unwrap_or(0);
        let (all, fewest) = (runs(&self.joins), self.sizes.iter().map(runs).min().unwrap_or(0));
        if all == fewest {
            format!("{all} runs")
        } else {
            format!("{all} runs ({fewest} with the most clients)")
        }
    }
}

/// The page.
pub fn markdown(results: &Results) -> String {
    let Results { sizes, joins, settings, machine, took } = results;
    let (minutes, seconds, runs) =
        (took.as_secs_f64() / 60.0, settings.time.as_secs_f64(), results.runs());
    let mut out = format!(
        "# Threads, select, epoll: the figures\n\n\
         Written by `cargo run --release --bin chatbench -- compare` on {machine}, in {minutes:.0} minutes. What it \
         means: [threads-vs-select.md](../threads-vs-select.md).\n\n\
         Each figure is the median of {runs} of {seconds} s, and between which values they lay. The servers took turns. \
         Lines of {SIZE} bytes; every line was checked at every receiver: once, whole, in one order. *floor* is the \
         yardstick, an epoll loop that knows no names, no rooms and no checks. A dash: this server cannot have so many \
         clients (select ends at 992), or it was not measured.\n"
    );
    for why in results.failures() {
        out.push_str(&format!("\n**A run failed: {why}**\n"));
    }
    let mut load = "";
    for chart in &CHARTS {
        out.push_str(&format!("\n## {}\n", chart.title));
        if load != chart.load {
            load = chart.load;
            out.push_str(&format!("\n{load}\n"));
        }
        out.push_str(&format!(
            "\n![{}]({}.svg)\n\nIn {}:\n\n{}",
            chart.title,
            chart.name,
            chart.unit,
            chart.table(sizes)
        ));
    }
    out.push_str(&format!("\n## {} clients join at once, and then are idle\n\n", joins.clients));
    out.push_str(
        "Memory is for each client. Of the kernel's it is the stacks of threads and the page tables; the connection \
         itself is the same for all.\n\n",
    );
    out.push_str(&format!("| | {} | threads ÷ epoll |\n", models::NAMES.join(" | ")));
    out.push_str(&format!("| --- {}|\n", "| --- ".repeat(models::NAMES.len() + 1)));
    for (key, title) in JOINS {
        let figures =
            models::NAMES.map(|model| cell(joins.outcome(model).and_then(|o| o.spread(key))));
        let by_epoll = joins
            .outcome("threads")
            .zip(joins.outcome("epoll"))
            .and_then(|(a, b)| ratio(a, b, key));
        out.push_str(&format!("| {title} | {} | {} |\n", figures.join(" | "), cell(by_epoll)));
    }
    out
}

/// All runs with all their figures.
pub fn json(results: &Results) -> String {
    let measured = |at: &Measured| {
        format!("{{\"clients\":{},\"outcomes\":{}}}", at.clients, report::json(&at.outcomes))
    };
    let (machine, sizes, joins) = (
        quoted(&results.machine),
        array(results.sizes.iter().map(measured)),
        measured(&results.joins),
    );
    format!("{{\"machine\":{machine},\"sizes\":{sizes},\"joins\":{joins}}}")
}
