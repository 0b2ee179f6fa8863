//! What the select and the epoll version of chatd share: all but the call that waits. One thread, `main`, runs it.
//!
//! ```text
//!   round:  ready clients   ─> read ─> Session ─> Chat::apply           turns.rs, driver.rs
//!           ready listeners ─> accept, or refuse in a sentence          turns.rs
//!           timers          ─> a pause or a deadline is over            timers.rs
//!           the batch       ─> is written, then one send per client;
//!                              what they cannot take now waits          server.rs, client.rs
//!   then the loop in chatd_select.rs or chatd_epoll.rs waits for the next round.
//! ```
//!
//! The core is chatd's own (`chatd::core`), and so are options, limits, log and historian (`chatd::server`). What is not
//! here: threads for clients, a channel for events, a lock.

mod client;
mod driver;
mod server;
mod timers;
mod turns;

pub use client::Interest;
pub use server::{Server, Source};

use anyhow::Context as _;
use chatd::{
    server::{
        config_file::Given, limits, logger, options::Options, space, start_thread, status::Status,
    },
    socketserver::{
        program::say,
        signals::{Hangup, StopSignals, survive_full_files},
    },
};
use std::{process::ExitCode, sync::Arc};

/// What differs between the versions.
pub struct Version {
    /// The program.
    pub name: &'static str,
    /// The words of the greeting before the connection's name.
    pub io_model: &'static str,
    /// Only descriptors below this number can be watched.
    pub wall: Option<usize>,
    /// The loop, which returns when the server was stopped and everybody has left.
    pub serve: fn(&mut Server<'_>) -> anyhow::Result<()>,
}

/// The program: options, start, loop.
pub fn main(version: &Version) -> ExitCode {
    let options = match Given::from_command_line() {
        Ok(given) => given.options,
        Err(error) => return fail(version, &error),
    };
    if options.version {
        say(&format!("{} {}", version.name, env!("CARGO_PKG_VERSION")));
        return ExitCode::SUCCESS;
    }
    match run(version, options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(version, &error),
    }
}

fn fail(version: &Version, error: &anyhow::Error) -> ExitCode {
    eprintln!("{}: {error:#}", version.name);
    ExitCode::FAILURE
}

fn run(version: &Version, mut options: Options) -> anyhow::Result<()> {
    options.check()?;
    options.look_for_terminal();
    survive_full_files()?;
    space::begin()?;
    let log_writer = logger::install(options.log, options.log_format.for_stderr())?;
    let threads = [Status::new("main"), Arc::clone(&log_writer.status)];
    threads[0].attach();
    start_thread("logger", move || log_writer.run())?;
    std::panic::set_hook(Box::new(|panic| {
        log::error!("panicked: {panic}");
        log::logger().flush();
    }));
    options.serve_no_browsers()?;
    options.encrypt_nothing()?;
    options.threads_max = clients_possible(version, options.threads_max);
    let signals =
        StopSignals::watch(Hangup::Stops).context("cannot watch for signals")?.into_socket();
    signals.set_nonblocking(true)?;
    let mut session = options.session_config()?;
    session.io_model = version.io_model;
    let mut server = Server::start(version, &options, &session, threads, signals)?;
    for listener in &server.listeners {
        say(&format!("{}: listening on {}", version.name, listener));
    }
    if let Some(code) = server.authenticator.code() {
        say(&format!("Instructor: type /instructor {code}"));
    }
    (version.serve)(&mut server)?;
    server.end()?;
    log::info!("the loop has ended");
    log::logger().flush();
    Ok(())
}

/// How many clients there can be. If they are fewer than was asked, the log says why.
fn clients_possible(version: &Version, wanted: usize) -> usize {
    let wall = version.wall.map(|wall| ("descriptors in one select (FD_SETSIZE)", wall));
    let (possible, limit) = limits::clients_possible_in_a_loop(wanted, wall);
    if let Some(limits::Limit { name, value, .. }) = limit {
        log::warn!(
            "this machine can hold {possible} clients, not {wanted}: its limit on {name} is {value}"
        );
    }
    possible
}
