//! The promises of chatd, each tried on a real server process, over real sockets on loopback. A file for each.

#[allow(dead_code, reason = "the other test binaries need the rest")]
#[path = "../harness/mod.rs"]
mod harness;

/// A test for each of these promises, under its own name: the same test, on another program, or with clients that come
/// otherwise.
macro_rules! keeps {
    ($which:expr, { $($file:ident::$promise:ident,)* }) => {
        $(#[test] fn $promise() { $which.keeps(crate::$file::$promise); })*
    };
}

mod accounts;
mod asking;
#[cfg(target_os = "linux")]
mod attacks;
mod browsers;
#[cfg(unix)]
mod certificates;
mod class;
#[cfg(unix)]
mod completions;
mod config;
mod demonstrations;
mod ends;
mod flood;
mod ghosts;
mod guessers;
mod history;
mod hostile;
mod identity;
mod instructor;
mod internals;
#[cfg(target_os = "linux")]
mod io_models;
mod lasting;
#[cfg(unix)]
mod lent;
mod log;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod network;
mod operator;
mod options;
mod order;
#[cfg(unix)]
mod package;
#[allow(dead_code, reason = "the test without sockets needs the rest")]
#[path = "../model/page/mod.rs"]
mod page;
mod page_model;
mod protocol;
#[cfg(unix)]
mod proxies;
#[allow(dead_code, reason = "the test without sockets needs the rest")]
#[path = "../model/random.rs"]
mod random;
mod resuming;
#[cfg(target_os = "linux")]
mod secrets;
mod shutdown;
mod slow_consumer;
mod sources;
mod start;
#[cfg(unix)]
mod stuck;
mod telnet;
mod terminals;
mod threads_max;
mod time;
#[cfg(unix)]
mod tls;
#[cfg(unix)]
mod tls_records;
#[cfg(target_os = "linux")]
mod unit;
#[cfg(target_os = "linux")]
mod unix_sockets;
#[cfg(target_os = "linux")]
mod upgrade;
#[cfg(target_os = "linux")]
mod upgrade_command;
