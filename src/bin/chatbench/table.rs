//! `chatbench table`: every load for which a goal has been set, with its goal, and whether it is met.

use anyhow::Result;

use crate::cli::churn::Churn;
use crate::cli::connect::Connect;
use crate::cli::latency::Latency;
use crate::cli::load::Settings;
use crate::cli::report::{self, Outcome, Spread, array, quoted, ratio};
use crate::cli::runs::{Lane, interleave};
use crate::cli::target::Target;
use crate::cli::throughput::{Done, Throughput};

/// What a figure is to be.
#[derive(Clone, Copy, Debug)]
enum Goal {
    /// At most so many times the other lane's.
    TimesAtMost(f64),
    /// At least so many times the other lane's.
    TimesAtLeast(f64),
    /// At most this, whatever the other lane has.
    Most(f64),
}

/// One load, and what is to hold of the first lane beside the second.
struct Row {
    title: String,
    lanes: Vec<Lane>,
    goals: Vec<(&'static str, Goal)>,
}

/// A goal held against the runs.
struct Verdict {
    key: &'static str,
    goal: Goal,
    /// The ratio, or the figure itself; nothing if runs failed.
    found: Option<Spread>,
}

impl Verdict {
    fn is_met(&self) -> bool {
        self.found.is_some_and(|found| match self.goal {
            Goal::TimesAtMost(most) | Goal::Most(most) => found.median <= most,
            Goal::TimesAtLeast(least) => found.median >= least,
        })
    }
}

/// Runs all rows and prints each as it is done. Returns whether no run has failed; a goal that is missed is a figure.
pub fn run(
    server: &Target,
    floor: &Target,
    runs: usize,
    settings: &Settings,
    as_json: bool,
) -> Result<bool> {
    let mut none_failed = true;
    let mut rows = Vec::new();
    for row in all_rows(server, floor) {
        eprintln!("{}", row.title);
        let outcomes = interleave(&row.lanes, runs, settings);
        let verdicts = judge(&row, &outcomes);
        none_failed &= outcomes.iter().all(|outcome| outcome.failures.is_empty());
        if as_json {
            rows.push(json(&row, &outcomes, &verdicts));
        } else {
            print!("{}", show(&row, &outcomes, &verdicts));
        }
    }
    if as_json {
        println!("{}", array(rows.into_iter()));
    }
    Ok(none_failed)
}

fn all_rows(server: &Target, floor: &Target) -> Vec<Row> {
    let mut rows = throughput_rows(server, floor);
    rows.extend(latency_rows(server, floor));
    rows.extend([8, 64].map(|stuck| stuck_row(server, stuck)));
    rows.extend(connect_rows(server, floor));
    rows.push(churn_row(server));
    rows
}

fn throughput_rows(server: &Target, floor: &Target) -> Vec<Row> {
    let row = |clients, senders, window, size, most| {
        let load = Throughput { clients, senders, window, size, done: Done::Neighbour };
        Row {
            title: format!("{clients} clients, {senders} senders, window {window}, {size} bytes"),
            lanes: vec![Lane::new(server, load), Lane::new(floor, load)],
            goals: vec![("cpu_us_per_delivery", Goal::TimesAtMost(most))],
        }
    };
    vec![
        row(100, 10, 32, 64, 1.4),
        row(100, 10, 32, 512, 1.4),
        row(500, 10, 32, 64, 1.3),
        row(100, 10, 1, 64, 1.25),
        row(100, 1, 32, 64, 1.2),
        row(100, 100, 8, 64, 1.5),
    ]
}

fn latency_rows(server: &Target, floor: &Target) -> Vec<Row> {
    let row = |clients, rate, goals: &[(&'static str, Goal)]| {
        let load = Latency { clients, senders: 10, size: 64, rate, stuck: 0 };
        Row {
            title: format!("{clients} clients, {} deliveries/s", report::short(rate)),
            lanes: vec![Lane::new(server, load), Lane::new(floor, load)],
            goals: goals.to_vec(),
        }
    };
    let usual = [
        ("cpu_us_per_delivery", Goal::TimesAtMost(1.2)),
        ("p50_ms", Goal::TimesAtMost(1.15)),
        ("p99_ms", Goal::TimesAtMost(1.3)),
        // A server that forgets TCP_NODELAY waits for the 40 ms of a delayed acknowledgement.
        ("p99_9_ms", Goal::Most(39.0)),
    ];
    vec![
        row(100, 50_000.0, &usual),
        row(100, 200_000.0, &usual),
        row(500, 200_000.0, &[("p99_ms", Goal::TimesAtMost(1.3))]),
    ]
}

fn stuck_row(server: &Target, stuck: usize) -> Row {
    let load = |stuck| Latency { clients: 512, senders: 10, size: 64, rate: 200_000.0, stuck };
    Row {
        title: format!("512 clients, {stuck} of them stuck, against none stuck"),
        lanes: vec![
            Lane::new(server, load(stuck)).named(&format!("{}, {stuck} stuck", server.name)),
            Lane::new(server, load(0)).named(&format!("{}, none stuck", server.name)),
        ],
        goals: vec![("p99_ms", Goal::TimesAtMost(1.1))],
    }
}

fn connect_rows(server: &Target, floor: &Target) -> Vec<Row> {
    let row = |clients, goals: &[(&'static str, Goal)]| Row {
        title: format!("{clients} clients connect at once"),
        lanes: vec![Lane::new(server, Connect { clients }), Lane::new(floor, Connect { clients })],
        goals: goals.to_vec(),
    };
    let memory = ("memory_kib_per_client", Goal::Most(16.0));
    let speed = [("clients_per_s", Goal::TimesAtLeast(0.5)), ("slowest_ms", Goal::Most(1000.0))];
    vec![row(512, &[memory]), row(1000, &speed), row(5000, &[speed[0], speed[1], memory])]
}

fn churn_row(server: &Target) -> Row {
    Row {
        title: "500 clients a second come, say one line and go, 20 watchers".into(),
        lanes: vec![Lane::new(server, Churn { rate: 500.0, watchers: 20, size: 64 })],
        goals: ["lost_lines", "left_threads", "left_descriptors"]
            .map(|key| (key, Goal::Most(0.0)))
            .to_vec(),
    }
}

fn judge(row: &Row, outcomes: &[Outcome]) -> Vec<Verdict> {
    let failed = outcomes.iter().any(|outcome| !outcome.failures.is_empty());
    let found = |key, goal| match goal {
        _ if failed => None,
        Goal::Most(_) => outcomes[0].spread(key),
        Goal::TimesAtMost(_) | Goal::TimesAtLeast(_) => ratio(&outcomes[0], &outcomes[1], key),
    };
    row.goals
        .iter()
        .map(|(key, goal)| Verdict { key, goal: *goal, found: found(key, *goal) })
        .collect()
}

fn show(row: &Row, outcomes: &[Outcome], verdicts: &[Verdict]) -> String {
    let mut out = format!("{}\n", row.title);
    for verdict in verdicts {
        let Verdict { key, goal, found } = verdict;
        let goal = match goal {
            Goal::TimesAtMost(most) => format!("at most {most} x"),
            Goal::TimesAtLeast(least) => format!("at least {least} x"),
            Goal::Most(most) => format!("at most {most}"),
        };
        let met = if verdict.is_met() { "met" } else { "NOT MET" };
        let found = found.map_or("no result".into(), |found| found.show());
        let each = outcomes
            .iter()
            .map(|o| format!("{} {}", o.name, o.spread(key).map_or("-".into(), |s| s.show())));
        let each = each.collect::<Vec<_>>().join(" · ");
        out.push_str(&format!("  {key:24}{goal:16}{met:9}{found:26}{each}\n"));
    }
    for outcome in outcomes {
        outcome
            .failures
            .iter()
            .for_each(|why| out.push_str(&format!("  FAILED {}: {why}\n", outcome.name)));
    }
    out
}

fn json(row: &Row, outcomes: &[Outcome], verdicts: &[Verdict]) -> String {
    let goals = verdicts.iter().map(|verdict| {
        let found = verdict.found.map_or("null".into(), |found| found.median.to_string());
        format!(
            "{{\"key\":{},\"found\":{found},\"met\":{}}}",
            quoted(verdict.key),
            verdict.is_met()
        )
    });
    let (title, goals) = (quoted(&row.title), array(goals));
    format!("{{\"row\":{title},\"goals\":{goals},\"outcomes\":{}}}", report::json(outcomes))
}
