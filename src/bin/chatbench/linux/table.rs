//! `chatbench table` and `chatbench compare`: the loads whose figures are kept, and on which servers.

use super::{Mode, report::Row, server::Target};
use anyhow::{Context, Result, anyhow};
use argh::FromArgs;
use std::env;

/// Clients of one select: descriptors 0 to 1,023, less the 32 that chatd-select keeps for itself and
/// for those it refuses.
const SELECT_MAX: usize = 992;

/// Every load whose figures are kept, on the servers and on the baseline.
#[derive(FromArgs)]
#[argh(subcommand, name = "table")]
pub struct Table {
    /// one short run each, to see that all of it works: no figures to keep
    #[argh(switch)]
    pub quick: bool,
}

/// Each load as its command, so that one row can be measured again by itself, and its figures.
const ROWS: [(&str, &[&str]); 15] = [
    ("throughput", &[COST]),
    ("throughput --size 512", &[COST]),
    ("throughput --clients 500", &[COST]),
    ("throughput --window 1", &[COST]),
    ("throughput --senders 1", &[COST]),
    ("throughput --senders 100 --window 8", &[COST]),
    // A server without TCP_NODELAY shows a p99.9 of 40 ms: the delayed acknowledgement.
    ("latency", &[COST, "p50_ms", "p99_ms", "p99_9_ms"]),
    ("latency --rate 200000", &[COST, "p50_ms", "p99_ms", "p99_9_ms"]),
    ("latency --clients 500 --rate 200000", &["p99_ms"]),
    ("latency --clients 512 --rate 200000 --stuck 8", &["p99_ms", "p99_ratio_to_none_stuck"]),
    ("latency --clients 512 --rate 200000 --stuck 64", &["p99_ms", "p99_ratio_to_none_stuck"]),
    ("connect --clients 512", &[MEMORY]),
    ("connect --clients 1000", &["clients_per_s", "slowest_ms"]),
    ("connect --clients 5000", &["clients_per_s", "slowest_ms", MEMORY]),
    ("churn", &["left_threads", "left_descriptors"]),
];
const COST: &str = "cpu_us_per_delivery";
const MEMORY: &str = "memory_kib_per_client";

fn row(command: &str, keys: &[&'static str]) -> Result<Row> {
    let words: Vec<&str> = command.split(' ').collect();
    let mode = Mode::from_args(&words[..1], &words[1..]).map_err(|exit| anyhow!(exit.output))?;
    let load = mode.load().context("this is no load")?;
    Ok(Row { title: command.into(), load, keys: keys.to_vec() })
}

impl Table {
    pub fn rows() -> Result<Vec<Row>> {
        ROWS.iter().map(|(command, keys)| row(command, keys)).collect()
    }
}

/// Threads, select and epoll beside the baseline. Build them first: cargo build --release --bins
/// --examples
#[derive(FromArgs)]
#[argh(subcommand, name = "compare")]
pub struct Compare {
    /// one short run each and no more than 990 clients, for class: no figures to keep
    #[argh(switch)]
    pub quick: bool,
    /// a number of clients, may be repeated (default: 10, 100, 500, 990, 2000, 5000)
    #[argh(option)]
    clients: Vec<usize>,
    /// how many connect at once (default: 512)
    #[argh(option, default = "512")]
    joins: usize,
}

impl Compare {
    /// The three chat servers as they are built beside this program. They share the core, the
    /// options and the protocol; what is compared is how they wait.
    pub fn servers() -> Result<Vec<Target>> {
        let this = env::current_exe()?;
        let chat = |name, program| Target::chatd(name, &this.with_file_name(program));
        let mut select = chat("select", "examples/chatd-select");
        select.clients_max = SELECT_MAX;
        let epoll = chat("epoll", "examples/chatd-epoll");
        Ok(vec![chat("threads", "chatd"), select, epoll, Target::baseline("baseline")?])
    }

    pub fn rows(&self) -> Result<Vec<Row>> {
        let usual = [10, 100, 500, 990, 2000, 5000];
        let chosen = if self.clients.is_empty() { &usual[..] } else { &self.clients };
        let mut rows = Vec::new();
        for (load, keys) in [
            // Below the servers' limit, as in class.
            ("latency", &[COST, "p50_ms", "p99_ms"][..]),
            ("throughput --window 1", &[COST, "deliveries_per_s"]),
            ("throughput --window 1 --shared", &[COST, "deliveries_per_s"]),
            ("throughput --window 1 --apart", &[COST, "switches_per_delivery"]),
        ] {
            for &clients in chosen.iter().filter(|clients| !self.quick || **clients < SELECT_MAX) {
                // One of them watches.
                let senders = 10.min(clients - 1);
                let command = format!("{load} --clients {clients} --senders {senders}");
                rows.push(row(&command, keys)?);
            }
        }
        rows.push(row(&format!("connect --clients {}", self.joins), &[])?);
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_row_is_a_command() {
        assert_eq!(super::Table::rows().unwrap().len(), super::ROWS.len());
    }
}
