//! What the select and the epoll version of chatd share: all but the call that waits. One thread, `main`, runs it.
//!
//! ```text
//!   round:  ready clients ─> read ─> LineBuffer ─> Session ─> Rooms::apply       (turns.rs, hall.rs)
//!           due alarms    ─> a pause is over, a deadline has passed              (alarms.rs)
//!           newcomers     ─> accept, or refuse in a sentence                     (door.rs)
//!           Rooms::flush  ─> one send per client, never waiting; what a client
//!                            cannot take now waits in its outgoing queue         (outgoing.rs)
//!   then the loop in chatd_select.rs or chatd_epoll.rs waits for the next round.
//! ```
//!
//! The core is chatd's own (`chatd::core`), and so are options, limits, log and `send_slices_now` (`chatd::server`). What is
//! not here: threads for clients, a channel, a lock. And so: whatever one session computes, everybody waits for. The log
//! has its thread as in chatd: nobody may wait for the instructor's terminal.

mod alarms;
mod client;
mod door;
mod endings;
mod hall;
mod house;
mod memory;
mod outgoing;
mod stop;
mod turns;

pub use client::{Interest, Who};
pub use house::House;

use anyhow::Context as _;
use argh::FromArgs as _;
use chatd::{
    core::session::Model,
    server::{limits, logger, options::Options, start_thread, status::Status},
};
use door::Door;
use memory::Memory;
use std::{io::Write as _, process::ExitCode, time::Duration};
use stop::StopPipe;

/// What differs between the versions, beside the loop.
pub struct Version {
    /// The program.
    pub name: &'static str,
    /// How it greets: see [`Model`].
    pub model: &'static str,
    /// What it can watch, if there is a bound.
    pub wall: Option<Wall>,
    /// Its loop, which returns after a signal when everybody has left.
    pub serve: fn(&mut House<'_>) -> anyhow::Result<()>,
}

/// A bound of the I/O model itself: only descriptors below it can be watched.
#[derive(Clone, Copy)]
pub struct Wall {
    /// What the number is.
    pub name: &'static str,
    /// The number.
    pub descriptors: usize,
}

/// The program: options, start, loop.
pub fn main(version: &Version) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let options = match Options::from_args(&[version.name], &args) {
        Ok(options) => options,
        Err(argh::EarlyExit { output, status: Ok(()) }) => {
            say(
                "The options are chatd's. Here no client has a thread: --threads-max is just the most clients.\n",
            );
            say(&output);
            return ExitCode::SUCCESS;
        }
        Err(argh::EarlyExit { output, .. }) => {
            eprintln!("{output}");
            return ExitCode::FAILURE;
        }
    };
    if options.version {
        say(&format!("{} {}", version.name, env!("CARGO_PKG_VERSION")));
        return ExitCode::SUCCESS;
    }
    match run(version, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error:#}", version.name);
            ExitCode::FAILURE
        }
    }
}

fn run(version: &Version, mut options: Options) -> anyhow::Result<()> {
    options.check()?;
    let log_writer = logger::install(options.log)?;
    let threads = [Status::new("main"), log_writer.status.clone()];
    start_thread("logger", move || log_writer.run())?;
    threads[0].adopt();
    std::panic::set_hook(Box::new(|panic| log::error!("panicked: {panic}")));
    options.threads_max = say_true_number(version, options.threads_max);

    let stop = StopPipe::new().context("cannot watch for signals")?;
    let listeners =
        chatd::server::listen(&options.listen_on(), Duration::from_secs(options.ghost_after))?;
    let door = Door::new(listeners, version.wall, limits::refused_possible(options.threads_max))?;
    for address in door.addresses() {
        say(&format!("{}: listening on {address}", version.name));
    }
    let mut config = options.session_config()?;
    config.model = Model(version.model);
    let (memory, remembered) = Memory::open(&options)?;
    let rooms = (options.rooms_config(&options.memory()), remembered);
    let mut house = House::new(&options, &config, rooms, memory, threads, door, stop);
    (version.serve)(&mut house)?;
    house.memory.close();
    log::info!("the loop has ended");
    log::logger().flush();
    Ok(())
}

/// How many clients there can be.
fn say_true_number(version: &Version, wanted: usize) -> usize {
    let wall = version.wall.map(|wall| (wall.name, wall.descriptors));
    let (possible, limit) = limits::clients_possible_in_a_loop(wanted, wall);
    if let Some(limit) = limit {
        log::warn!(
            "this machine can hold {possible} clients, not {wanted}: its limit on {} is {}",
            limit.name,
            limit.value
        );
    }
    possible
}

/// Prints a line. Whoever closed our standard output does not want it; that is no reason to end.
fn say(line: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
