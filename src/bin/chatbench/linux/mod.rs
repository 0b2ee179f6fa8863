//! The command line: what is measured, how, and with which load.

mod attack;
mod attackers;
mod baseline;
mod canvas;
mod child;
mod churn;
mod class;
mod connect;
mod crowd;
mod figures;
mod latency;
mod load;
mod plot;
mod proc;
mod report;
mod server;
mod slow_disk;
mod soak;
mod socket;
mod table;
mod throughput;
mod timeline;
mod tls;
mod transcript;
mod websocket;
mod wire;

use self::{
    load::{Load, Settings},
    report::Row,
    server::Target,
    table::{Command, Compare, Table},
    wire::Peer,
};
use anyhow::{Context, Result, anyhow};
use argh::FromArgs;
use chatd::socketserver::program;
use std::{env, iter, process::ExitCode};

/// Put a load on chat servers, check every line at every receiver (once, whole, in one order), and
/// say what it cost them. Servers are given as [NAME=]COMMAND, as ADDR:PORT@PID (it runs already,
/// and keeps its cores), or as baseline. A command without options gets those that a measurement
/// needs. Of a server whose NAME begins with tls, every second client speaks TLS, and latency is
/// that of the others; of one called browsers, every second reader is one.
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
    /// runs of each server (default: 1; 5 for table, compare and attack)
    #[argh(option)]
    runs: Option<usize>,
    /// seconds that are measured (default: 2; compare and attack: 1), after a quarter of that as warm-up
    #[argh(option)]
    time: Option<f64>,
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
    Timeline(timeline::Timeline),
    Attack(attack::Attacked),
    Soak(soak::Soak),
    Table(Table),
    Compare(Compare),
}

/// Exit code 0: every run was right. 1: a run failed, or could not be made.
pub fn main() -> ExitCode {
    if child::become_server().is_some() {
        return ExitCode::from(child::NO_PROGRAM);
    }
    match run(&program::options()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chatbench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether no run has failed.
fn run(args: &Args) -> Result<bool> {
    proc::allow_many_descriptors()?;
    // Runs, and seconds of each.
    let (short, long) = ((1, 0.5), (5, 2.0));
    let (mut rows, servers, usual) = match &args.mode {
        Mode::Compare(compare) if compare.class => {
            let [loads, on_disk] = class::commands();
            return class::run(&compare.folder()?, [parse(&loads)?, parse(&on_disk)?]);
        }
        Mode::Attack(attack) => {
            let settings = Settings::of(args.runs.unwrap_or(5), args.time.unwrap_or(1.0))?;
            return attack.run(args.server.as_deref(), &settings);
        }
        Mode::Soak(soak) => return soak.run(args.server.as_deref()),
        Mode::Baseline(baseline) => return baseline.run().map(|()| true),
        Mode::Table(table) => {
            let mut servers = servers(args)?;
            servers.push(Target::baseline("baseline")?);
            (parse(&table.commands()?)?, servers, if table.quick { short } else { long })
        }
        Mode::Compare(compare) => {
            let usual = if compare.quick { short } else { (5, 1.0) };
            (parse(&compare.commands())?, Compare::servers()?, usual)
        }
        mode => {
            let load = mode.load().context("this is no load")?;
            let title = format!("{} clients", load.clients());
            (vec![Row::new(&title, load, &[])], servers(args)?, (1, 2.0))
        }
    };
    let settings = Settings::of(args.runs.unwrap_or(usual.0), args.time.unwrap_or(usual.1))?;
    rows.iter_mut().for_each(|row| row.measure(&servers, &settings));
    program::say(&report::markdown(&rows, &servers, &settings)?);
    if let Mode::Compare(compare) = &args.mode {
        class::draw_all(&rows, &servers, &compare.folder()?)?;
    }
    Ok(rows.iter().all(|row| row.failures().next().is_none()))
}

impl Mode {
    fn load(&self) -> Option<Box<dyn Load>> {
        match *self {
            Mode::Throughput(load) => Some(Box::new(load)),
            Mode::Latency(load) => Some(Box::new(load)),
            Mode::Connect(load) => Some(Box::new(load)),
            Mode::Churn(load) => Some(Box::new(load)),
            Mode::Timeline(load) => Some(Box::new(load)),
            Mode::Attack(_) | Mode::Soak(_) | Mode::Baseline(_) => None,
            Mode::Table(_) | Mode::Compare(_) => None,
        }
    }
}

/// The loads that `table` and `compare` are made of.
fn parse(commands: &[Command]) -> Result<Vec<Row>> {
    let row = |(command, keys): &Command| {
        let words: Vec<&str> = command.split(' ').collect();
        let mode =
            Mode::from_args(&words[..1], &words[1..]).map_err(|exit| anyhow!(exit.output))?;
        Ok(Row::new(command, mode.load().context("this is no load")?, keys))
    };
    commands.iter().map(row).collect()
}

fn servers(args: &Args) -> Result<Vec<Target>> {
    let first = match &args.server {
        Some(command) => Target::parse(command, args.peer)?,
        None => Target::chatd("chatd", &env::current_exe()?.with_file_name("chatd"), "none"),
    };
    let others = args.against.iter().map(|command| Target::parse(command, args.peer));
    iter::once(Ok(first)).chain(others).collect()
}
