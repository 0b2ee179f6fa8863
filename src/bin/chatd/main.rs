//! The program `chatd`: options, start, wait for a signal, stop; or one command, and no server.
//! Runs on thread `main`.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

mod accounts;
mod backup;
mod bans;
mod class_list;
mod config;
mod confirm;
mod database;
mod export;
mod forget;
mod history;
mod import;
mod join;
mod password;
mod print;
mod prune;
mod service;
mod tls;
mod upgrade;

use anyhow::Context as _;
use chatd::{
    server::{
        Chatd,
        config_file::Given,
        held_signals::HeldSignals,
        lent::LentListeners,
        limits, logger, space, start_thread,
        status::{Activity, Status},
        subcommands::Subcommand,
        upkeep::Reminder,
        watch::LOOK_EVERY,
    },
    socketserver::signals::{Hangup, StopSignals, survive_full_files},
};
use print::{print_error, print_line};
use service::{Service, is_managed};
use std::{path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    let result = survive_full_files().map_err(Into::into);
    let result = result.and_then(|()| config::given()).and_then(|mut given| {
        if given.options.version {
            print_line(&format!("chatd {}", env!("CARGO_PKG_VERSION")));
            return Ok(ExitCode::SUCCESS);
        }
        match given.options.command.take() {
            None => run(given),
            Some(command) => obey(command, &given).map(|()| ExitCode::SUCCESS),
        }
    });
    result.unwrap_or_else(|error| {
        if !upgrade::refuse(&error) {
            print_error(&format!("{error:#}"));
        }
        ExitCode::FAILURE
    })
}

/// Does one thing that needs no server.
fn obey(command: Subcommand, given: &Given) -> anyhow::Result<()> {
    let path = |behind: &Option<PathBuf>| database::path(behind.as_deref(), &given.options);
    match command {
        Subcommand::Account(command) => {
            let join = join::by_options(&given.options);
            accounts::run(&command, &path(&command.db)?, join.as_deref())
        }
        Subcommand::Backup(command) => backup::back_up(&command.file, &path(&command.db)?),
        Subcommand::Ban(command) => bans::run(&command, &path(&command.db)?),
        Subcommand::Check(command) => backup::check(&path(&command.db)?),
        Subcommand::Config(command) => config::run(&command, given),
        Subcommand::History(command) => history::run(&command, &path(&command.db)?),
        Subcommand::Upgrade(command) => upgrade::run(&path(&command.db)?),
        Subcommand::Restore(command) => backup::restore(&command.file, &path(&command.db)?),
        Subcommand::Tls(command) => tls::run(&command, &given.options),
    }
}

fn run(given: Given) -> anyhow::Result<ExitCode> {
    let held = HeldSignals::hold(); // what they do is said by `StopSignals::watch`
    let mut options = given.options.clone();
    options.check()?;
    if !given.is_off("instructor") {
        options.look_for_terminal();
    }
    space::begin()?;
    let lent = LentListeners::take(&options)?;
    let log_writer = logger::install(options.log, options.log_format.for_stderr())?;
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
    let stop = StopSignals::watch(hangup(&given)).context("cannot watch for signals")?;
    stop.end_at_once(!upgrade::is_taking_over()); // a large file takes long to read
    drop(held);
    let chatd = Chatd::start(&options, lent, server_threads, stop.raiser()?)?;
    stop.end_at_once(false);
    join::tell(&chatd);

    let (mut watch, mut reminder) = (chatd.watch(), Reminder::begin(&chatd));
    let mut service = Service::new(options.threads_max);
    service.ready(&chatd);
    status.set(Activity::WaitingForSignal);
    let mut given = given;
    while !stop.wait(LOOK_EVERY)? {
        if stop.wants_reload() {
            Service::reloading();
            given = config::reload(given, &chatd);
            service.ready(&chatd);
        }
        upgrade::look(&stop, &chatd, options.database());
        service.look(&chatd, &watch);
        reminder.look(&chatd);
        for (level, line) in watch.look() {
            log::log!(level, "{line}");
        }
    }
    status.set(Activity::Working);
    Service::stopping();
    let stopped = chatd.shutdown();
    Ok(if stopped.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// SIGHUP ends a server that somebody has started at a terminal, and has a service read its options
/// again.
fn hangup(given: &Given) -> Hangup {
    match given.options.config_file().is_some() || is_managed() {
        true => Hangup::Reloads,
        false => Hangup::Stops,
    }
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
