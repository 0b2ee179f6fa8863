//! The command line: what is measured, how, and with which load.

mod baseline;
mod churn;
mod connect;
mod crowd;
mod latency;
mod load;
mod proc;
mod report;
mod server;
mod socket;
mod table;
mod throughput;
mod transcript;
mod wire;

use self::{
    load::{Load, Settings},
    report::{Measured, Row},
    server::Target,
    table::{Compare, Table},
    wire::Peer,
};
use anyhow::{Context, Result};
use argh::FromArgs;
use std::{env, net::SocketAddr, process::ExitCode, time::Duration};

/// Put a load on chat servers, check every line at every receiver (once, whole, in one order), and
/// say what it cost them. Servers are given as [NAME=]COMMAND, or as baseline; a command without
/// options gets those that a measurement needs.
#[derive(FromArgs)]
struct Args {
    /// the server (default: the chatd beside chatbench)
    #[argh(option)]
    server: Option<String>,
    /// another server, measured in turn with the first; may be repeated
    #[argh(option)]
    against: Vec<String>,
    /// how the servers show lines: chatd (default), line (any line server), or named (a line server
    /// that asks for a name first)
    #[argh(option, default = "Peer::Chatd")]
    peer: Peer,
    /// in place of --server: the address of a server that runs already (needs --pid); it keeps its
    /// cores
    #[argh(option)]
    connect: Option<SocketAddr>,
    /// process id of the server at --connect
    #[argh(option)]
    pid: Option<u32>,
    /// runs of each server (default: 1; 5 for table and compare)
    #[argh(option)]
    runs: Option<usize>,
    /// seconds of load before the load that is measured (default: 0.5)
    #[argh(option)]
    warmup: Option<f64>,
    /// seconds that are measured (default: 2)
    #[argh(option)]
    time: Option<f64>,
    /// print JSON
    #[argh(switch)]
    json: bool,
    #[argh(subcommand)]
    mode: Mode,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Mode {
    Baseline(baseline::Baseline),
    Throughput(throughput::Throughput),
    Latency(latency::Latency),
    Connect(connect::Connect),
    Churn(churn::Churn),
    Table(Table),
    Compare(Compare),
}

impl Mode {
    /// One load; `table` and `compare` are many.
    fn load(&self) -> Option<Box<dyn Load>> {
        match *self {
            Mode::Throughput(load) => Some(Box::new(load)),
            Mode::Latency(load) => Some(Box::new(load)),
            Mode::Connect(load) => Some(Box::new(load)),
            Mode::Churn(load) => Some(Box::new(load)),
            Mode::Baseline(_) | Mode::Table(_) | Mode::Compare(_) => None,
        }
    }
}

/// Exit code 0: every run was right. 1: a run failed, or could not be made.
pub fn main() -> ExitCode {
    match run(&argh::from_env()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chatbench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool> {
    proc::allow_many_descriptors()?;
    let (short, long) = ((1, 0.2, 0.5), (5, 0.5, 2.0));
    match &args.mode {
        Mode::Baseline(baseline) => baseline.run().map(|()| true),
        Mode::Table(table) => {
            let mut servers = servers(args)?;
            servers.push(Target::baseline("baseline")?);
            measure(args, &Table::rows()?, &servers, if table.quick { short } else { long })
        }
        Mode::Compare(compare) => {
            let usual = if compare.quick { short } else { (5, 0.2, 1.0) };
            measure(args, &compare.rows()?, &Compare::servers()?, usual)
        }
        Mode::Throughput(_) | Mode::Latency(_) | Mode::Connect(_) | Mode::Churn(_) => {
            let row = |load: Box<dyn Load>| {
                let title = format!("{} clients", load.clients());
                Row { title, load, keys: Vec::new() }
            };
            let rows: Vec<Row> = args.mode.load().into_iter().map(row).collect();
            measure(args, &rows, &servers(args)?, (1, 0.5, 2.0))
        }
    }
}

/// Returns whether no run has failed. `usual`: runs, seconds of warm-up, seconds of load.
fn measure(
    args: &Args,
    rows: &[Row],
    servers: &[Target],
    usual: (usize, f64, f64),
) -> Result<bool> {
    let pin = proc::two_cores();
    if pin.is_none() {
        eprintln!("chatbench: there is one core only; server and generator share it");
    }
    let settings = Settings {
        runs: args.runs.unwrap_or(usual.0),
        pin,
        warmup: Duration::from_secs_f64(args.warmup.unwrap_or(usual.1)),
        time: Duration::from_secs_f64(args.time.unwrap_or(usual.2)),
    };
    let rows: Vec<Measured> = rows.iter().map(|row| row.measure(servers, &settings)).collect();
    if args.json {
        println!("{}", rows.iter().map(Measured::json).collect::<serde_json::Value>());
    } else {
        print!("{}", report::markdown(&rows, servers, &settings)?);
    }
    Ok(rows.iter().all(|row| row.failures().next().is_none()))
}

fn servers(args: &Args) -> Result<Vec<Target>> {
    let mut servers = vec![match (&args.server, args.connect) {
        (Some(command), _) => Target::parse(command, args.peer)?,
        (None, Some(address)) => {
            Target::running(address, args.pid.context("--connect needs --pid")?, args.peer)
        }
        (None, None) => Target::chatd("chatd", &env::current_exe()?.with_file_name("chatd")),
    }];
    for command in &args.against {
        servers.push(Target::parse(command, args.peer)?);
    }
    Ok(servers)
}

fn line_size(bytes: &str) -> Result<usize, String> {
    let size = bytes.parse().ok().filter(|size| wire::SIZES.contains(size));
    size.ok_or(format!("a line has {} to {} bytes", wire::SIZES.start(), wire::SIZES.end()))
}
