//! Ctrl-C: everybody is told, what was accepted is delivered, every thread is joined, exit code 0.

use crate::harness::{Folder, Program, Server, eventually, has_program, server::after};
use std::{
    io::Write as _,
    thread,
    time::{Duration, Instant},
};

#[test]
pub fn everybody_is_told_and_the_exit_code_is_0() {
    let program = Program::current();
    let stops = |signal| {
        let mut server = Server::start("");
        let [alice, bob] = server.enter(["alice", "bob"]);
        let mut nameless = server.connect("nameless");
        nameless.hears_until("*** What is your name?");
        server.signal(signal);
        for mut client in [alice, bob, nameless] {
            client.hears("*** Hung up: the server is shutting down.");
            client.is_hung_up();
        }
        assert_eq!(server.exit_code(), Some(0), "after SIG{signal}");
        server.logs(" has ended");
        let log = server.log_to_the_end();
        assert!(!log.contains(" and chatd ends without it"), "{log}");
    };
    thread::scope(|scope| {
        for signal in ["INT", "TERM", "HUP"] {
            scope.spawn(move || program.keeps(|| stops(signal)));
        }
    });
}

#[test]
pub fn what_was_accepted_is_delivered() {
    let mut server = Server::start("--flood off --high-water 100000000");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    const LINES: usize = 20_000;
    (0..LINES).for_each(|i| alice.says(&i.to_string()));
    alice.has_read_everything(); // it was answered: all before it was accepted
    server.signal("INT");
    (0..LINES).for_each(|i| bob.hears(&format!("<alice> {i}")));
    bob.hears("*** Hung up: the server is shutting down.");
    assert_eq!(server.exit_code(), Some(0));
}

/// The file is damaged, locked, and sound.
#[test]
pub fn a_stop_that_loses_something_says_so_and_does_not_end_with_0() {
    let program = Program::current();
    let stops = |is_damaged: bool, lock: &str, lines: &[&str], lost: Option<&str>| {
        let folder = Folder::new();
        if is_damaged {
            std::fs::write(folder.path("chatd.db"), b"no database").unwrap();
        }
        let mut server = folder.start("");
        let other = (!is_damaged).then(|| folder.database());
        other.iter().for_each(|other| other.execute_batch(lock).unwrap());
        let [mut alice, _bob] = ["alice", "bob"].map(|name| server.lets_in(name));
        for line in lines {
            alice.says(line);
            alice.asks_until("/names", "*** lobby (2)"); // it was accepted
        }
        server.signal("TERM");
        let code = server.exit_code();
        let log = server.log_to_the_end();
        let said: Vec<&str> = log.lines().filter(|line| line.contains("and lost, since")).collect();
        assert_eq!(
            (code, said.len()),
            (Some(i32::from(lost.is_some())), usize::from(lost.is_some()))
        );
        assert!(lost.is_none_or(|lost| said[0].contains(lost)), "{log}");
    };
    const LOCK: &str = "BEGIN IMMEDIATE";
    let cases: [(bool, &str, &[&str], Option<&str>); 6] = [
        (false, "", &[], None),
        (false, "", &["hi"], None),
        (false, LOCK, &[], None), // nobody said anything
        (
            false,
            LOCK,
            &["/topic one", "two", "three"],
            Some(": 3 records, 2 of them lines of talk."),
        ),
        (true, "", &["hi"], Some(": 1 record, a line of talk.")),
        (true, "", &[], None),
    ];
    thread::scope(|scope| {
        for (is_damaged, lock, lines, lost) in cases {
            scope.spawn(move || program.keeps(|| stops(is_damaged, lock, lines, lost)));
        }
    });
}

/// Much waits in their sockets, and they go on.
#[test]
pub fn a_stop_takes_nothing_more_of_those_who_talk_without_end() {
    /// What waits in the server at that moment: the events channel, two batches, and what a thread had read.
    const WAITING_MAX: i64 = 4 << 20;
    let folder = Folder::new();
    let mut server = folder.start("--flood off --high-water 100000000");
    let mut listener = server.lets_in("listener");
    let mut talkers = ["alice", "bob"].map(|name| server.lets_in(name));
    let line = format!("{}\n", "x".repeat(60)).repeat(500);
    thread::scope(|scope| {
        for talker in &mut talkers {
            let line = &line;
            scope.spawn(move || while talker.stream().write_all(line.as_bytes()).is_ok() {});
        }
        listener.hears_until("<bob> x");
        for _ in 0..30_000 {
            listener.reads().unwrap();
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        server.signal("TERM");
        let last = std::iter::from_fn(|| listener.reads()).last();
        assert_eq!(last.as_deref(), Some("*** Hung up: the server is shutting down."));
        drop(listener);
        assert_eq!(server.exit_code(), Some(0));
        let said_later =
            format!("SELECT sum(length(body)) FROM line WHERE at > {}", now.as_micros());
        let taken = folder.select::<Option<i64>>(&said_later)[0].unwrap_or(0);
        println!("{taken} bytes were said after the signal");
        assert!(taken < WAITING_MAX, "{taken} bytes were said after the signal");
    });
}

#[test]
pub fn stuck_clients_do_not_hold_it_up() {
    let mut server = Server::start("--flood off --write-deadline 3600 --high-water 100000000");
    let [mut talker] = server.enter(["talker"]);
    let mut stuck: Vec<_> = (0..64).map(|i| server.lets_in(&format!("n{i}"))).collect();
    // Half of them are stuck in the fan-out's outboxes, half in their own long answers.
    let padding = "x".repeat(1000);
    (0..300).for_each(|i| talker.says(&format!("{i} {padding}")));
    talker.has_read_everything(); // all is said before anybody asks for it
    for client in &mut stuck[..32] {
        client.sends("/history 300\n".repeat(60));
    }
    (0..8_000).for_each(|i| talker.says(&format!("{i} {padding}")));
    eventually("many threads wait for their readers", || {
        talker.says("/threads\n/help quit");
        let lines = std::iter::from_fn(|| talker.reads());
        let lines = lines.take_while(|line| !line.starts_with("*** /quit"));
        lines.filter(|line| line.contains("sending its answer")).count() >= 32
    });
    let began = Instant::now();
    server.signal("INT");
    assert_eq!(server.exit_code(), Some(0), "{}", server.log());
    // The promise is 5 s. The time of a busy machine is no fault of ours, hence the slack: a server that waits for a
    // stuck client would wait for the write deadline, an hour.
    assert!(began.elapsed() < Duration::from_secs(25), "it took {:?}", began.elapsed());
    server.logs(" has ended");
}

#[test]
pub fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start("");
    let _clients = server.enter(["alice", "bob"]);
    // Both signals are there before it can do anything about the first.
    for signal in ["STOP", "INT", "TERM", "CONT"] {
        server.signal(signal);
    }
    assert!(server.exit_code().is_some_and(|code| code == 130 || code == 0));
}

/// Its shell sends it, and then the kernel.
#[test]
pub fn a_terminal_that_is_closed_is_one_signal() {
    let mut server = Server::start("");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    for signal in ["STOP", "HUP", "CONT", "HUP"] {
        server.signal(signal);
    }
    for client in [&mut alice, &mut bob] {
        client.hears("*** Hung up: the server is shutting down.");
    }
    assert_eq!(server.exit_code(), Some(0));
}

/// What `nohup` does, and a shell with what it runs in the background. SIGTERM stops a server in any case.
#[test]
pub fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let program = Program::current();
    let lives = |ignored: &str, signals: &[&str]| {
        let mut server = Server::start_after(&format!("trap '' {ignored}"), "");
        let [mut alice, mut bob] = server.enter(["alice", "bob"]);
        for signal in signals {
            server.signal(signal);
            alice.says(signal);
            bob.hears(&format!("<alice> {signal}"));
        }
        server.signal("TERM");
        bob.hears("*** Hung up: the server is shutting down.");
        assert_eq!(server.exit_code(), Some(0), "after {signals:?}");
    };
    let cases: [(&str, &[&str]); 5] = [
        ("HUP", &["HUP", "HUP"]),
        ("INT", &["INT", "INT"]),
        ("INT QUIT", &["INT", "QUIT", "INT"]),
        ("HUP INT QUIT", &["HUP", "INT", "QUIT", "HUP"]),
        ("TERM", &[]), // or nothing but SIGKILL would be left
    ];
    thread::scope(|scope| {
        for (ignored, signals) in cases {
            scope.spawn(move || program.keeps(|| lives(ignored, signals)));
        }
    });
}

#[test]
fn a_server_under_nohup_outlives_its_terminal() {
    if !has_program("nohup") {
        return;
    }
    let folder = Folder::new();
    let mut server = Server::start_program(after(
        "exec nohup \"$@\"",
        folder.chatd("--listen 127.0.0.1:0 --web none"),
    ));
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    server.signal("HUP");
    alice.says("hi");
    bob.hears("<alice> hi");
    server.signal("INT");
    assert_eq!(server.exit_code(), Some(0), "the other signals stop it");
}
