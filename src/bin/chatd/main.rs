//! The program `chatd`: options, start, wait for a signal, stop; or one command, and no server.
//! Runs on thread `main`.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

mod accounts;
mod bans;
mod database;
mod history;
mod join;
mod password;
mod print;
mod prune;

use anyhow::Context as _;
use chatd::{
    server::{
        Chatd, limits, logger,
        options::Options,
        space, start_thread,
        status::{Activity, Status},
        subcommands::Subcommand,
        watch::LOOK_EVERY,
    },
    socketserver::signals::{StopSignals, survive_full_files},
};
use print::{print_error, print_line};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut options: Options = argh::from_env();
    if options.version {
        print_line(&format!("chatd {}", env!("CARGO_PKG_VERSION")));
        return ExitCode::SUCCESS;
    }
    let result =
        survive_full_files().map_err(Into::into).and_then(|()| match options.command.take() {
            None => run(options),
            Some(command) => obey(command, &options).map(|()| ExitCode::SUCCESS),
        });
    result.unwrap_or_else(|error| {
        print_error(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

/// Does one thing that needs no server.
fn obey(command: Subcommand, options: &Options) -> anyhow::Result<()> {
    match command {
        Subcommand::Account(command) => {
            let path = database::path(command.db.as_deref(), options)?;
            accounts::run(&command, &path)
        }
        Subcommand::Ban(command) => {
            bans::run(&command, &database::path(command.db.as_deref(), options)?)
        }
        Subcommand::History(command) => {
            history::run(&command, &database::path(command.db.as_deref(), options)?)
        }
    }
}

fn run(mut options: Options) -> anyhow::Result<ExitCode> {
    options.check()?;
    options.look_for_terminal();
    space::begin()?;
    let log_writer = logger::install(options.log)?;
    let status = Status::new("main");
    status.attach();
    let server_threads = vec![log_writer.status.clone(), status.clone()];
    start_thread("logger", move || log_writer.run())?;
    log_panics();

    let (possible, limit) =
        limits::clients_possible(options.threads_max, options.serves_browsers());
    if let Some(limit) = limit {
        log::warn!(
            "this machine can hold {possible} clients, not {}: its limit on {} is {}",
            options.threads_max,
            limit.name,
            limit.value
        );
        options.threads_max = possible;
    }
    let stop = StopSignals::watch().context("cannot watch for signals")?;
    let chatd = Chatd::start(&options, server_threads, stop.raiser()?)?;
    join::tell(&chatd.addresses(), chatd.web_addresses());
    if let Some(code) = chatd.pairing_code() {
        print_line(&format!("Instructor: type  /instructor {code}"));
    }

    let mut watch = chatd.watch();
    status.set(Activity::WaitingForSignal);
    while !stop.wait(LOOK_EVERY)? {
        for (level, line) in watch.look() {
            log::log!(level, "{line}");
        }
    }
    status.set(Activity::Working);
    let stopped = chatd.shutdown();
    if let Err(error) = &stopped {
        log::error!("{error:#}"); // by the logger: a terminal that is stopped must not stop us
    }
    log::logger().flush();
    Ok(if stopped.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A panic goes through the log like everything else.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        log::error!("thread {} panicked: {panic}", thread.name().unwrap_or("?"));
        if thread.name() == Some("main") {
            log::logger().flush(); // the process ends now
        }
    }));
}
