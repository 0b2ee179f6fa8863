//! `chatbench table` and `chatbench compare`: the loads whose figures are kept, and on which
//! servers.

use super::server::Target;
use anyhow::{Context as _, Result, ensure};
use argh::FromArgs;
use std::{env, fs, path::PathBuf};

/// Clients of one select: descriptors 0 to 1,023, less the 32 that chatd-select keeps for itself
/// and for those it refuses.
pub const SELECT_MAX: usize = 992;

/// A load as its command, so that it can be measured again by itself, and the figures to show.
pub type Command = (String, Vec<&'static str>);

/// Every load whose figures are kept, on the servers and on the baseline. With --against
/// before=PATH --against same=PATH, two builds and the first build again, the ratios and their
/// medians say what has changed, and how much two equal servers differ.
#[derive(FromArgs)]
#[argh(subcommand, name = "table")]
pub struct Table {
    /// one short run each, to see that all of it works: no figures to keep
    #[argh(switch)]
    pub quick: bool,
    /// only the loads whose command contains this, to split a long measurement
    #[argh(option, default = "String::new()")]
    only: String,
}

const CPU: &str = "cpu_us_per_delivery";
const MEMORY: &str = "memory_kib_per_client";
const LATENCY: &[&str] = &[CPU, "p50_ms", "p99_ms", "p99_9_ms"];
const STUCK: &[&str] = &["p50_ms", "p99_ms", "p99_ratio_to_none_stuck"];
const CONNECT: &[&str] = &["clients_per_s", "slowest_ms", MEMORY];

const LOADS: [(&str, &[&str]); 15] = [
    ("throughput", &[CPU]),
    ("throughput --size 512", &[CPU]),
    ("throughput --clients 500", &[CPU]),
    ("throughput --window 1", &[CPU]),
    ("throughput --senders 1", &[CPU]),
    ("throughput --senders 100 --window 8", &[CPU]),
    // A server without TCP_NODELAY shows a p99.9 of 40 ms: the delayed acknowledgement.
    ("latency", LATENCY),
    ("latency --rate 200000", LATENCY),
    ("latency --clients 500 --rate 200000", LATENCY),
    ("latency --clients 512 --rate 200000 --stuck 8", STUCK),
    ("latency --clients 512 --rate 200000 --stuck 64", STUCK),
    ("connect --clients 512", CONNECT),
    ("connect --clients 1000", CONNECT),
    ("connect --clients 5000", CONNECT),
    ("churn", &["left_threads", "left_descriptors"]),
];

impl Table {
    pub fn commands(&self) -> Result<Vec<Command>> {
        let chosen = LOADS.iter().filter(|(command, _)| command.contains(&self.only));
        let commands: Vec<Command> =
            chosen.map(|(c, keys)| (c.to_string(), keys.to_vec())).collect();
        ensure!(!commands.is_empty(), "no load of the table contains {:?}", self.only);
        Ok(commands)
    }
}

/// Threads, select, epoll and the textbook's one mutex beside the baseline: a table, and plots. Build
/// them first: cargo build --release --features bench --bins --examples
#[derive(FromArgs)]
#[argh(subcommand, name = "compare")]
pub struct Compare {
    /// one short run each and no more than 990 clients, for class: no figures to keep
    #[argh(switch)]
    pub quick: bool,
    /// two and a half minutes, for class: what decides, also with the history on disk, and latency
    /// over time
    #[argh(switch)]
    pub class: bool,
    /// where the plots go (default: the folder compare in the one that has release/chatbench)
    #[argh(option)]
    plots: Option<PathBuf>,
    /// a number of clients, may be repeated (default: 10, 100, 500, 990, 2000, 5000)
    #[argh(option)]
    clients: Vec<usize>,
    /// how many connect at once (default: 512)
    #[argh(option, default = "512")]
    joins: usize,
}

impl Compare {
    /// The chat servers as they are built beside this program, and the baseline. They share the core,
    /// the options and the protocol; what is compared is how they wait.
    pub fn servers() -> Result<Vec<Target>> {
        let mut servers = Compare::chats(|_| "none".to_owned())?;
        servers.push(Target::baseline("baseline")?);
        Ok(servers)
    }

    /// The chat servers, each with the database `db` of its name.
    pub fn chats(db: impl Fn(&str) -> String) -> Result<Vec<Target>> {
        let this = env::current_exe()?;
        let chat = |(name, program): (&str, &str)| {
            let is_built = this.with_file_name(program).exists();
            ensure!(
                is_built,
                "{program} is not built: cargo build --release --features bench --bins --examples"
            );
            let mut chat = Target::chatd(name, &this.with_file_name(program), &db(name));
            if name == "select" {
                chat.clients_max = SELECT_MAX;
            }
            Ok(chat)
        };
        let programs = [
            ("threads", "chatd"),
            ("select", "examples/chatd-select"),
            ("epoll", "examples/chatd-epoll"),
            ("mutex", "examples/chatd-mutex"),
        ];
        programs.into_iter().map(chat).collect()
    }

    /// Where the plots go.
    pub fn folder(&self) -> Result<PathBuf> {
        let beside = || Some(env::current_exe().ok()?.parent()?.with_file_name("compare"));
        let folder = self.plots.clone().or_else(beside).context("there is no folder for plots")?;
        fs::create_dir_all(&folder).with_context(|| format!("no folder {}", folder.display()))?;
        Ok(folder)
    }

    pub fn commands(&self) -> Vec<Command> {
        let usual = [10, 100, 500, 990, 2000, 5000];
        let chosen = if self.clients.is_empty() { &usual[..] } else { &self.clients };
        let mut commands = Vec::new();
        for (load, keys) in [
            // Below the servers' limit, as in class.
            ("latency", &LATENCY[..3]),
            ("throughput --window 1", &[CPU, "deliveries_per_s"]),
            ("throughput --window 1 --shared", &[CPU, "deliveries_per_s"]),
            ("throughput --window 1 --apart", &[CPU, "switches_per_delivery"]),
        ] {
            for &clients in chosen.iter().filter(|clients| !self.quick || **clients < SELECT_MAX) {
                // One of them watches.
                let senders = 10.min(clients - 1);
                let command = format!("{load} --clients {clients} --senders {senders}");
                commands.push((command, keys.to_vec()));
            }
        }
        commands.push((format!("connect --clients {}", self.joins), Vec::new()));
        commands
    }
}
