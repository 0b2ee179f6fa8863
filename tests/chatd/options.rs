//! Every option with a number: at its least, at its most, and around the numbers inside the server that it meets. A value
//! that is admitted works, on all I/O models; one that cannot work is refused in a sentence with the number to give.

use crate::harness::{Client, Folder, Program, Server, example::example};
use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// Conversations at a time.
const AT_ONCE: usize = 4;

/// Options that are admitted; each row is a server of its own. A line of 20 KiB, a batch of 64 KiB, an event of 16 KiB, 300
/// lines of a room's past and 4 MiB of answers are what they meet.
const ADMITTED: &[&str] = &[
    // Every option at its least that leaves room for these two clients, and every option at its most.
    "--threads-max 3 --high-water 2048 --backlog-lines 0 --write-deadline 1 --login-deadline 2 --ghost-after 1 \
        --per-source 1 --history-days 1 --flood 1/1",
    "--threads-max 18446744073709551615 --high-water 18446744073709551615 --backlog-lines 300 --write-deadline 86400 \
        --login-deadline 86400 --ghost-after 86400 --per-source 18446744073709551615 --history-days 4294967295 \
        --flood 1000000/1000000",
    "--high-water 2049",
    "--high-water 16383",
    "--high-water 16384",
    "--high-water 16385",
    "--high-water 19583 --flood 1000000/1",
    "--high-water 19584 --flood 1/1000000",
    "--high-water 19585 --backlog-lines 1",
    "--high-water 20480 --backlog-lines 299",
    "--high-water 65535 --threads-max 511",
    "--high-water 65536 --threads-max 512",
    "--high-water 65537 --threads-max 513 --history-days 36500",
    "--high-water 4194304 --threads-max 8193 --history-days 106751991",
    "--high-water 9223372036854775807 --threads-max 9223372036854775807 --history-days 1000000",
];

#[test]
pub fn a_value_that_is_admitted_works() {
    let (program, next) = (Program::current(), AtomicUsize::new(0));
    let play_some = || {
        program.keeps(|| {
            while let Some(options) = ADMITTED.get(next.fetch_add(1, Relaxed)) {
                play(options);
            }
        });
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(play_some))));
}

/// One place at a time is little, and it works.
#[test]
pub fn one_place_is_enough_for_one_client() {
    let folder = Folder::new();
    let mut server = folder.start("--threads-max 1 --per-source 1");
    let [mut ann] = server.enter(["ann"]);
    ann.asks_until("/register correct-horse", "*** ann is yours from now on.");
    let mut bob = server.connect("bob");
    bob.hears_until("*** Sorry: the only place is taken.");
    ann.says("hi");
    ann.asks_until("/history", "*** ");
    stops(&mut server, &mut [ann]);
}

/// Two come, one registers, both talk, ask for the past, come again with a password, and the server is stopped.
fn play(options: &str) {
    println!("{options}"); // shown if it fails
    let folder = Folder::new();
    let mut server = folder.start(options);
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    ann.says("hi");
    bob.hears("<ann> hi");
    ann.asks_until("/register correct-horse", "*** ann is yours from now on.");
    let many = if options.contains("--flood 1/1 ") || options.ends_with("/1") { 2 } else { 24 };
    let long = "x".repeat(1000);
    ann.says(&vec![&*long; many].join("\n")); // more than one event holds
    (0..many).for_each(|_| bob.hears(&format!("<ann> {long}")));
    bob.says("/history 3");
    let past = std::iter::from_fn(|| bob.reads()).find(|line| line.contains("<ann> xxx"));
    assert!(past.is_some(), "the past has what was said");
    ann.asks_until("/quit", "*** Goodbye.");
    bob.hears_until("*** ann left lobby");
    let mut ann = server.connect("ann");
    ann.asks_until("ann", "*** ann is registered.");
    ann.asks_until("correct-horse", "*** Hello ann.");
    bob.hears_until("*** ann entered lobby");
    ann.says("back");
    bob.hears("<ann> back");
    stops(&mut server, &mut [ann, bob]);
}

#[track_caller]
fn stops(server: &mut Server, clients: &mut [Client]) {
    let began = Instant::now();
    server.signal("TERM");
    for client in clients {
        client.hears_until("*** Hung up: the server is shutting down.");
    }
    assert_eq!(server.exit_code(), Some(0));
    // The promise is 5 s; a busy machine may take longer.
    assert!(began.elapsed() < Duration::from_secs(25), "the stop took {:?}", began.elapsed());
}

/// As `--help | head` does.
#[test]
fn help_that_nobody_reads_to_its_end_is_no_panic() {
    let others = ["chatd-select", "chatd-epoll", "grade", "interleave"];
    let built = [option_env!("CARGO_BIN_EXE_chat"), option_env!("CARGO_BIN_EXE_chatbench")];
    let built = built.into_iter().flatten().chain([env!("CARGO_BIN_EXE_chatd")]);
    for program in built.map(PathBuf::from).chain(others.map(example)) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(&program);
        let ran = command.arg("--help").stdin(Stdio::null()).stdout(writer).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && said.is_empty(), "{}: {said}", program.display());
    }
}
