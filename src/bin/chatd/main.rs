//! The program `chatd`: options, start, wait for a signal, stop; or one command, and no server.
//! Runs on thread `main`.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

mod accounts;
mod database;
mod history;
mod password;
mod print;

use anyhow::Context as _;
use chatd::server::{
    Chatd, limits, logger,
    options::{Options, address_for_others},
    start_thread,
    status::{Activity, Status},
    subcommands::Subcommand,
};
use print::print_line;
use std::{net::SocketAddr, process::ExitCode};

fn main() -> ExitCode {
    let mut options: Options = argh::from_env();
    if options.version {
        print_line(&format!("chatd {}", env!("CARGO_PKG_VERSION")));
        return ExitCode::SUCCESS;
    }
    let result = match options.command.take() {
        None => run(options),
        Some(command) => obey(command, &options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chatd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does one thing that needs no server.
fn obey(command: Subcommand, options: &Options) -> anyhow::Result<()> {
    match command {
        Subcommand::Account(command) => {
            let path = database::path(command.db.as_deref(), options)?;
            accounts::run(command, &path)
        }
        Subcommand::History(command) => {
            history::run(&command, &database::path(command.db.as_deref(), options)?)
        }
    }
}

fn run(mut options: Options) -> anyhow::Result<()> {
    options.check()?;
    let log_writer = logger::install(options.log)?;
    let status = Status::new("main");
    let server_threads = vec![log_writer.status.clone(), status.clone()];
    start_thread("logger", move || log_writer.run())?;
    log_panics();

    let (possible, limit) = limits::clients_possible(options.threads_max);
    if let Some(limit) = limit {
        log::warn!(
            "this machine can hold {possible} clients, not {}: its limit on {} is {}",
            options.threads_max,
            limit.name,
            limit.value
        );
        options.threads_max = possible;
    }
    let stop = StopSignals::new()?;
    let chatd = Chatd::start(&options, server_threads, stop.raiser())?;
    tell_how_to_join(&chatd.addresses());

    status.set(Activity::WaitingForSignal);
    stop.wait();
    status.set(Activity::Working);
    chatd.shutdown();
    log::logger().flush();
    Ok(())
}

/// Prints the addresses, and what to tell the class.
fn tell_how_to_join(addresses: &[SocketAddr]) {
    for address in addresses {
        print_line(&format!("chatd: listening on {address}"));
    }
    let Some(address) = addresses.first() else { return };
    let port = address.port();
    match address_for_others() {
        Some(ip) if address.ip().is_unspecified() => {
            print_line(&format!("Join from another machine: nc {ip} {port}"));
        }
        _ if address.ip().is_unspecified() => {
            print_line(&format!("Join from this machine: nc localhost {port}"));
        }
        _ if address.ip().is_loopback() => {
            print_line(&format!("Join from this machine: nc {} {port}", address.ip()));
        }
        _ => print_line(&format!("Join from another machine: nc {} {port}", address.ip())),
    }
}

/// A panic goes through the log like everything else.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        log::error!("thread {} panicked: {panic}", thread.name().unwrap_or("?"));
    }));
}

/// Ctrl-C and its like: the first one stops the server, a second one ends it at once.
#[cfg(unix)]
struct StopSignals(signal_hook::iterator::Signals);

#[cfg(unix)]
impl StopSignals {
    fn new() -> anyhow::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let stopping = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the first signal finds the flag down and raises it, the second finds
            // it up.
            signal_hook::flag::register_conditional_shutdown(signal, 130, stopping.clone())?;
            signal_hook::flag::register(signal, stopping.clone())?;
        }
        Ok(StopSignals(
            signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
                .context("cannot watch for signals")?,
        ))
    }

    /// Something that does what such a signal does.
    fn raiser(&self) -> impl Fn() + Send + 'static {
        || {
            let _ = signal_hook::low_level::raise(signal_hook::consts::SIGTERM);
        }
    }

    fn wait(mut self) {
        self.0.forever().next();
    }
}

/// The same where there are no signals: Ctrl-C, and the console being closed.
#[cfg(windows)]
struct StopSignals(std::sync::mpsc::SyncSender<()>, std::sync::mpsc::Receiver<()>);

#[cfg(windows)]
impl StopSignals {
    fn new() -> anyhow::Result<Self> {
        let (stop, stopped) = std::sync::mpsc::sync_channel(1);
        let first = stop.clone();
        let asked = move || {
            if stop.try_send(()).is_err() {
                std::process::exit(130); // the second one: the first still waits, or nobody does
            }
        };
        ctrlc::set_handler(asked).context("cannot watch for Ctrl-C")?;
        Ok(StopSignals(first, stopped))
    }

    /// Something that does what Ctrl-C does.
    fn raiser(&self) -> impl Fn() + Send + 'static {
        let stop = self.0.clone();
        move || {
            let _ = stop.try_send(()); // one that waits is enough
        }
    }

    fn wait(self) {
        let _ = self.1.recv();
    }
}
