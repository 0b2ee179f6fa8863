//! `chatbench table` and `chatbench compare`: the loads whose figures are kept, and on which servers.

use super::{
    churn::Churn, connect::Connect, latency::Latency, report::Row, server::Target,
    throughput::Throughput,
};
use anyhow::Result;
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

impl Table {
    pub fn rows() -> Vec<Row> {
        let mut rows = Vec::new();
        for (clients, senders, window, size) in [
            (100, 10, 32, 64),
            (100, 10, 32, 512),
            (500, 10, 32, 64),
            (100, 10, 1, 64),
            (100, 1, 32, 64),
            (100, 100, 8, 64),
        ] {
            let load = Throughput { clients, senders, window, size, shared: false, apart: false };
            let title = format!("{clients} clients, {senders} send, window {window}, {size} bytes");
            rows.push(Row::new(title, clients, load, &["cpu_us_per_delivery"]));
        }
        // A server without TCP_NODELAY shows a p99.9 of 40 ms: the delayed acknowledgement.
        let all = &["cpu_us_per_delivery", "p50_ms", "p99_ms", "p99_9_ms"][..];
        for (clients, rate, stuck, keys) in [
            (100, 50_000.0, 0, all),
            (100, 200_000.0, 0, all),
            (500, 200_000.0, 0, &["p99_ms"]),
            (512, 200_000.0, 8, &["p99_ms", "p99_ratio_to_none_stuck"]),
            (512, 200_000.0, 64, &["p99_ms", "p99_ratio_to_none_stuck"]),
        ] {
            let load = Latency { clients, senders: 10, rate, size: 64, stuck };
            let title = format!("{clients} clients, {stuck} stuck, {rate} deliveries/s");
            rows.push(Row::new(title, clients, load, keys));
        }
        let (speed, memory) = (["clients_per_s", "slowest_ms"], "memory_kib_per_client");
        for (clients, keys) in
            [(512, &[memory][..]), (1000, &speed), (5000, &[speed[0], speed[1], memory])]
        {
            let title = format!("{clients} clients connect at once");
            rows.push(Row::new(title, clients, Connect { clients }, keys));
        }
        let load = Churn { rate: 500.0, watchers: 20 };
        let title = "500 visitors a second, 20 watchers".into();
        rows.push(Row::new(title, load.watchers, load, &["left_threads", "left_descriptors"]));
        rows
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

    pub fn rows(&self) -> Vec<Row> {
        let usual = [10, 100, 500, 990, 2000, 5000];
        let chosen = if self.clients.is_empty() { &usual[..] } else { &self.clients };
        let chosen = chosen.iter().copied().filter(|clients| !self.quick || *clients < SELECT_MAX);
        let each = |row: &dyn Fn(usize) -> Row| chosen.clone().map(row).collect::<Vec<Row>>();
        let speed = &["cpu_us_per_delivery", "deliveries_per_s"];

        // Below the servers' limit, as in class.
        let mut rows = each(&|clients| {
            let senders = 10.min(clients - 1);
            let load = Latency { clients, senders, rate: 50_000.0, size: 64, stuck: 0 };
            let title = format!("{clients} clients, 50000 deliveries/s");
            Row::new(title, clients, load, &["cpu_us_per_delivery", "p50_ms", "p99_ms"])
        });
        for (title, shared) in [("one core", false), ("all cores", true)] {
            rows.extend(each(&|clients| {
                let (senders, window) = (10.min(clients - 1), 1);
                let load = Throughput { clients, senders, window, size: 64, shared, apart: false };
                Row::new(format!("{clients} clients, {title}"), clients, load, speed)
            }));
        }
        rows.extend(each(&|clients| {
            let (senders, window) = (1, 1);
            let load =
                Throughput { clients, senders, window, size: 64, shared: false, apart: true };
            let title = format!("{clients} clients, two of them talk");
            Row::new(title, clients, load, &["cpu_us_per_delivery", "switches_per_delivery"])
        }));
        let title = format!("{} clients connect at once", self.joins);
        rows.push(Row::new(title, self.joins, Connect { clients: self.joins }, &[]));
        rows
    }
}
