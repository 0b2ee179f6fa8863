//! The command line of `chatbench`: what is measured, how, and with which load.
//!
//! Options that hold for every load stand before its name: `chatbench --against floor --runs 5 throughput --window 1`.

mod churn;
mod compare;
mod connect;
mod crowd;
mod floor;
mod generator;
mod latency;
mod load;
mod proc;
mod report;
mod runs;
mod table;
mod target;
mod throughput;
mod timing;
mod transcript;
mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use argh::FromArgs;

use churn::Churn;
use compare::Plan;
use connect::Connect;
use latency::Latency;
use load::{Load, Settings};
use report::Outcome;
use runs::{Lane, interleave};
use target::{Target, Way};
use throughput::{Done, Throughput};
use wire::{Peer, Wire};

/// Put a load on a chat server, check that every line came once, whole and in one order, and say what it cost.
#[derive(FromArgs)]
struct Args {
    /// command that starts the server, or "floor" (default: the chatd beside chatbench)
    #[argh(option)]
    server: Option<String>,
    /// address of the server, if it does not say "listening on ADDR:PORT" itself
    #[argh(option)]
    connect: Option<SocketAddr>,
    /// process id of a server that runs already at --connect
    #[argh(option)]
    pid: Option<u32>,
    /// how the server shows lines: chatd (default), line (any line server; default for floor), or named (one that asks a
    /// name first)
    #[argh(option)]
    peer: Option<Peer>,
    /// a second server, whose runs alternate with those of the first: "floor" or a command
    #[argh(option)]
    against: Option<String>,
    /// how the second server shows lines (default: line)
    #[argh(option, default = "Peer::Line")]
    against_peer: Peer,
    /// runs of each server (default: 1; 5 for table)
    #[argh(option)]
    runs: Option<usize>,
    /// seconds of load before the load that is measured (default: 0.5)
    #[argh(option)]
    warmup: Option<f64>,
    /// seconds that are measured (default: 2)
    #[argh(option)]
    time: Option<f64>,
    /// first-last (default): the server on the first core and the generator on the last; or none
    #[argh(option, from_str_fn(is_pinned), default = "true")]
    pin: bool,
    /// make a run again if others have used more than a tenth of a core meanwhile
    #[argh(switch)]
    undisturbed: bool,
    /// print JSON
    #[argh(switch)]
    json: bool,
    #[argh(subcommand)]
    mode: Mode,
}

#[derive(FromArgs)]
#[argh(subcommand)]
enum Mode {
    Floor(FloorArgs),
    Throughput(ThroughputArgs),
    Latency(LatencyArgs),
    Slow(SlowArgs),
    Connect(ConnectArgs),
    Churn(ChurnArgs),
    Generator(GeneratorArgs),
    Table(TableArgs),
    Compare(CompareArgs),
}

/// Be the yardstick: one thread, epoll, fan-out and nothing else.
#[derive(FromArgs)]
#[argh(subcommand, name = "floor")]
struct FloorArgs {
    /// where to listen (default: 127.0.0.1:0, a free port)
    #[argh(positional, default = "SocketAddr::from(([127, 0, 0, 1], 0))")]
    address: SocketAddr,
}

/// A closed loop: how much is delivered, and what each delivery costs.
#[derive(FromArgs)]
#[argh(subcommand, name = "throughput")]
struct ThroughputArgs {
    /// clients in all (default: 100)
    #[argh(option, default = "100")]
    clients: usize,
    /// how many of them send (default: 10)
    #[argh(option, default = "10")]
    senders: usize,
    /// lines each sender has outstanding (default: 32)
    #[argh(option, default = "32")]
    window: u32,
    /// bytes of a line, its LF included (default: 64)
    #[argh(option, default = "64", from_str_fn(line_size))]
    size: usize,
    /// who must have read a line for its sender to go on: neighbour (default) or first
    #[argh(option, default = "Done::Neighbour")]
    done: Done,
}

/// An open loop: how long a line takes to its readers, from when it was due.
#[derive(FromArgs)]
#[argh(subcommand, name = "latency")]
struct LatencyArgs {
    /// clients in all (default: 100)
    #[argh(option, default = "100")]
    clients: usize,
    /// how many of them send (default: 10)
    #[argh(option, default = "10")]
    senders: usize,
    /// deliveries per second (default: 50000)
    #[argh(option, default = "50_000.0")]
    rate: f64,
    /// bytes of a line, its LF included (default: 64)
    #[argh(option, default = "64", from_str_fn(line_size))]
    size: usize,
}

/// Latency with clients that read nothing, in turns with none of them.
#[derive(FromArgs)]
#[argh(subcommand, name = "slow")]
struct SlowArgs {
    /// clients in all (default: 512)
    #[argh(option, default = "512")]
    clients: usize,
    /// how many of them read nothing (default: 8)
    #[argh(option, default = "8")]
    stuck: usize,
    /// how many of them send (default: 10)
    #[argh(option, default = "10")]
    senders: usize,
    /// deliveries per second (default: 200000)
    #[argh(option, default = "200_000.0")]
    rate: f64,
    /// bytes of a line, its LF included (default: 64)
    #[argh(option, default = "64", from_str_fn(line_size))]
    size: usize,
}

/// Many clients at once: how soon they are served, what each costs while it idles.
#[derive(FromArgs)]
#[argh(subcommand, name = "connect")]
struct ConnectArgs {
    /// how many connect at once (default: 1000)
    #[argh(option, default = "1000")]
    clients: usize,
}

/// Visitors come, say one line and go: what they leave behind.
#[derive(FromArgs)]
#[argh(subcommand, name = "churn")]
struct ChurnArgs {
    /// visitors per second (default: 500)
    #[argh(option, default = "500.0")]
    rate: f64,
    /// clients that read all of it (default: 20)
    #[argh(option, default = "20")]
    watchers: usize,
    /// bytes of a line, its LF included (default: 64)
    #[argh(option, default = "64", from_str_fn(line_size))]
    size: usize,
}

/// No server: how many lines a second the generator itself can check on one core.
#[derive(FromArgs)]
#[argh(subcommand, name = "generator")]
struct GeneratorArgs {
    /// clients in all (default: 100)
    #[argh(option, default = "100")]
    clients: u32,
    /// bytes of a line, its LF included (default: 64)
    #[argh(option, default = "64", from_str_fn(line_size))]
    size: usize,
}

/// Every load that has a goal, beside the floor, and whether the goal is met.
#[derive(FromArgs)]
#[argh(subcommand, name = "table")]
struct TableArgs {
    /// one short run each, to see that all of it works: no figures to keep
    #[argh(switch)]
    quick: bool,
}

/// Threads, select and epoll beside the floor: tables and plots, in less than 20 minutes.
#[derive(FromArgs)]
#[argh(subcommand, name = "compare")]
struct CompareArgs {
    /// one short run each and no more than 990 clients, for class: no figures to keep
    #[argh(switch)]
    quick: bool,
    /// numbers of clients (default: 10,100,500,990,2000,5000)
    #[argh(option, from_str_fn(numbers))]
    clients: Option<Vec<usize>>,
    /// how many join at once (default: 512)
    #[argh(option, default = "512")]
    joins: usize,
    /// folder for compare.md and the plots (default: docs/figures; target/figures if quick)
    #[argh(option)]
    into: Option<PathBuf>,
    /// do not build the servers: they are built already
    #[argh(switch)]
    built: bool,
}

/// Exit code 0: every run was right. 1: a run failed, or could not be made.
pub fn main() -> ExitCode {
    match run(argh::from_env()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chatbench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<bool> {
    proc::allow_many_descriptors()?;
    match &args.mode {
        Mode::Floor(FloorArgs { address }) => floor::run(*address).map(|()| true),
        Mode::Throughput(t) => {
            let ThroughputArgs { clients, senders, window, size, done } = *t;
            measure(&args, Throughput { clients, senders, window, size, done })
        }
        Mode::Latency(l) => {
            let LatencyArgs { clients, senders, rate, size } = *l;
            measure(&args, Latency { clients, senders, size, rate, stuck: 0 })
        }
        Mode::Connect(ConnectArgs { clients }) => measure(&args, Connect { clients: *clients }),
        Mode::Churn(ChurnArgs { rate, watchers, size }) => {
            measure(&args, Churn { rate: *rate, watchers: *watchers, size: *size })
        }
        Mode::Generator(GeneratorArgs { clients, size }) => {
            let figures = generator::run(
                *clients,
                Wire { peer: Peer::Chatd, size: *size },
                &settings(&args, 0.5, 2.0),
            )?;
            print(
                &args,
                &[Outcome {
                    name: "generator".into(),
                    runs: vec![figures],
                    failures: Vec::new(),
                    disturbed: 0,
                }],
            )
        }
        Mode::Compare(compare) => compare_models(&args, compare),
        Mode::Slow(slow) => measure_slow(&args, slow),
        Mode::Table(TableArgs { quick }) => {
            let (runs, settings) = if *quick {
                (1, settings(&args, 0.2, 0.5))
            } else {
                (5, settings(&args, 0.5, 2.0))
            };
            table::run(
                &server(&args)?,
                &Target::floor()?,
                args.runs.unwrap_or(runs),
                &settings,
                args.json,
            )
        }
    }
}

/// The same load on one server, or on two in turns.
fn measure(args: &Args, load: impl Load + Copy + 'static) -> Result<bool> {
    let mut lanes = vec![Lane::new(&server(args)?, load)];
    match args.against.as_deref() {
        Some("floor") => lanes.push(Lane::new(&Target::floor()?, load)),
        Some(command) => {
            lanes.push(Lane::new(&Target::command(command, args.against_peer, None)?, load))
        }
        None => {}
    }
    compare(args, &lanes)
}

/// The same server with stuck clients and without, in turns.
fn measure_slow(args: &Args, slow: &SlowArgs) -> Result<bool> {
    let SlowArgs { clients, stuck, senders, rate, size } = *slow;
    let target = server(args)?;
    let with = |stuck| Lane::new(&target, Latency { clients, senders, size, rate, stuck });
    compare(args, &[with(stuck).named(&format!("{stuck} stuck")), with(0).named("none stuck")])
}

/// Threads, select, epoll and the floor.
fn compare_models(args: &Args, compare: &CompareArgs) -> Result<bool> {
    let CompareArgs { quick, clients, joins, into, built } = compare;
    let (usual, folder, runs, settings) = if *quick {
        (&[10, 100, 500, 990][..], "target/figures", 1, settings(args, 0.2, 0.5))
    } else {
        (&[10, 100, 500, 990, 2000, 5000][..], "docs/figures", 5, settings(args, 0.2, 1.0))
    };
    let plan = Plan {
        clients: clients.clone().unwrap_or(usual.to_vec()),
        joins: *joins,
        runs: args.runs.unwrap_or(runs),
        folder: into.clone().unwrap_or(folder.into()),
        build: !built,
    };
    compare::run(&plan, &settings, args.json)
}

fn compare(args: &Args, lanes: &[Lane]) -> Result<bool> {
    print(args, &interleave(lanes, args.runs.unwrap_or(1), &settings(args, 0.5, 2.0)))
}

/// Returns whether no run has failed.
fn print(args: &Args, outcomes: &[Outcome]) -> Result<bool> {
    if args.json {
        println!("{}", report::json(outcomes));
    } else {
        print!("{}", report::table(outcomes));
    }
    Ok(outcomes.iter().all(|outcome| outcome.failures.is_empty()))
}

fn settings(args: &Args, warmup: f64, time: f64) -> Settings {
    let pin = if args.pin { proc::two_cores() } else { None };
    if args.pin && pin.is_none() {
        eprintln!("chatbench: there is one core only; server and generator share it");
    }
    let warmup = Duration::from_secs_f64(args.warmup.unwrap_or(warmup));
    let time = Duration::from_secs_f64(args.time.unwrap_or(time));
    Settings { pin, warmup, time, undisturbed: args.undisturbed }
}

fn server(args: &Args) -> Result<Target> {
    let peer = args.peer.unwrap_or(Peer::Chatd);
    match (args.server.as_deref(), args.pid) {
        (None, Some(pid)) => {
            let address = args.connect.context("--pid needs --connect")?;
            Ok(Target { name: format!("process {pid}"), peer, way: Way::Running { address, pid } })
        }
        (Some(_), Some(_)) => {
            bail!("either --server or --pid: chatbench starts a server, or one runs already")
        }
        (Some("floor"), None) => Target::floor(),
        (Some(command), None) => Target::command(command, peer, args.connect),
        (None, None) => Target::chatd(),
    }
}

fn is_pinned(name: &str) -> Result<bool, String> {
    match name {
        "first-last" => Ok(true),
        "none" => Ok(false),
        _ => Err("first-last or none".into()),
    }
}

fn numbers(list: &str) -> Result<Vec<usize>, String> {
    let number = |word: &str| word.parse().ok().filter(|clients| *clients > 2);
    list.split(',')
        .map(|word| number(word).ok_or(format!("{word:?} is no number of clients from 3 on")))
        .collect()
}

fn line_size(bytes: &str) -> Result<usize, String> {
    let bytes = bytes.parse().map_err(|_| "a size is a number of bytes".to_string())?;
    let allowed = wire::SHORTEST..=wire::LONGEST;
    let wrong = format!("a line has {} to {} bytes", allowed.start(), allowed.end());
    allowed.contains(&bytes).then_some(bytes).ok_or(wrong)
}
