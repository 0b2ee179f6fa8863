//! The course, step by step: each program with a client as the tutorial would write it, its flaw where it has one, and
//! its page, whose code has to stand in the compiled file.

#[allow(dead_code, reason = "the other test binaries need the rest")]
#[path = "../harness/mod.rs"]
mod harness;

#[cfg(target_os = "linux")]
mod commands;
mod consoles;
mod costs;
mod deadlock;
mod exercises;
mod files;
#[cfg(target_os = "linux")]
mod lessons;
mod loops;
mod pages;
mod python;
mod reactor;
mod rooms;
#[cfg(target_os = "linux")]
mod shown;
#[cfg(target_os = "linux")]
mod six_terminals;
mod slides;
mod threads;
#[cfg(target_os = "linux")]
mod tools;
mod tutorial;

use harness::{Client, Server, server};
use std::{
    io::{ErrorKind, Write as _},
    time::Duration,
};

/// Starts a program of the course.
#[track_caller]
fn start(name: &str) -> Server {
    server::start_example(name, &[])
}

/// Starts a program of the course, with more arguments behind the address.
#[track_caller]
fn start_with(name: &str, arguments: &[&str]) -> Server {
    server::start_example(name, arguments)
}

/// A port that nobody has, for a program that does not take port 0.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Sends until the server takes no more, and reads nothing.
fn floods(client: &Client, line: &str) {
    let block = line.repeat(4096 / line.len());
    let mut stream = client.stream();
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    for _ in 0..(64 << 20) / 4096 {
        if let Err(e) = stream.write_all(block.as_bytes()) {
            return assert!(matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{e}");
        }
    }
    panic!("it takes without end from one that does not read");
}
