//! The machine that the server runs on: it has no descriptors left for a while, starts no more threads, stands still.

use crate::{
    harness::{Client, Folder, Process, Program, preload::preload},
    start::limit_descriptors,
};
use std::{
    net::{SocketAddr, TcpStream},
    process::Command,
    time::{Duration, Instant},
};

/// How long a trouble lasts: in the suite `in_the_suite` seconds, by hand as many as `CHATD_HOLD` says.
pub fn hold(in_the_suite: u64) -> Duration {
    let by_hand = std::env::var("CHATD_HOLD").ok();
    Duration::from_secs(by_hand.map_or(in_the_suite, |seconds| seconds.parse().unwrap()))
}

/// Whoever is inside says, asks, registers, and is not kept waiting; now and then one of them goes, and somebody
/// else has the descriptor at once. Whoever comes waits in the kernel's queue, and is let in afterwards.
#[test]
fn without_descriptors_those_inside_go_on_and_those_outside_come_in_afterwards() {
    const QUEUED: usize = 30;
    let folder = Folder::new();
    let server = folder.start("--threads-max 60 --flood off --source-limits off --web 127.0.0.1:0");
    let web = server.also_at("listening for browsers on ");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let mut leavers: Vec<Client> = (0..10).map(|i| server.lets_in(&format!("l{i}"))).collect();
    alice.says("the first line");
    alice.asks_until("/search first", "*** The newest 1 line of lobby");
    limit_descriptors(&server, server.descriptors());
    let queued = server.connect_all(0..QUEUED);
    let browsers: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(web).unwrap()).collect();
    server.logs("ERROR cannot accept: ");
    server.logs("web: cannot accept: ");
    let (began, hold) = (Instant::now(), hold(3));
    let (mut said, mut slowest) = (0, Duration::ZERO);
    while began.elapsed() < hold {
        let asked = Instant::now();
        alice.says(&said.to_string());
        bob.hears_until(&format!("<alice> {said}"));
        slowest = slowest.max(asked.elapsed());
        for (question, answer) in [
            ("/history 5", "*** The last"),
            ("/search first", "*** The newest 1 line of lobby"),
            ("/threads", "*** Threads of chatd"),
        ] {
            bob.asks_until(question, answer);
        }
        if said == 0 {
            bob.asks_until("/register correct horse", "*** bob is yours from now on.");
        }
        // Ten times while it lasts: a script that does so has no line of the log for each time.
        if began.elapsed() > hold * (10 - leavers.len() as u32) / 10
            && let Some(mut leaver) = leavers.pop()
        {
            leaver.asks_until("/quit", "*** Goodbye.");
            leaver.ends();
        }
        said += 1;
    }
    limit_descriptors(&server, 1000);
    for mut client in queued {
        client.hears_until("*** What is your name?");
    }
    drop(browsers);
    let told = ["cannot accept: ", "accepting again"]
        .map(|text| server.log().lines().filter(|line| line.contains(text)).count());
    println!(
        "{hold:?} without descriptors: {said} lines said, the slowest {slowest:?}; {told:?} lines in the log"
    );
    let most = 4 + 2 * hold.as_secs() as usize / 10; // the thread `web` tells it, too
    assert!(told.iter().all(|told| *told <= most), "{}", server.log());
    assert!(slowest < Duration::from_secs(5), "a line took {slowest:?}");
}

/// Reads what it prints up to where it listens; `None`: it has ended.
fn address_of(process: &mut Process) -> Option<SocketAddr> {
    loop {
        let line = process.next_line()?;
        if let Some(address) = line.split_once("listening on ").and_then(|l| l.1.parse().ok()) {
            return Some(address);
        }
    }
}

/// Each of them fails once, alone or with all that follow: those of the server, those of its clients, and the one
/// that stops it.
#[test]
fn whichever_thread_cannot_start_it_is_said_and_the_others_go_on() {
    const CLIENTS: usize = 3;
    /// The server's own, its clients', and the one that stops it.
    const THREADS: usize = 7 + CLIENTS + 1;
    let Some(library) = preload("tests/harness/threads.c") else { return };
    for (program, at_once) in
        [(Program::Chatd, "--web 127.0.0.1:0"), (Program::Select, ""), (Program::Epoll, "")]
    {
        let (mut refused_starts, mut refused_clients) = (0, 0);
        for at in (1..=THREADS).flat_map(|at| [at.to_string(), format!("{at}+")]) {
            let folder = Folder::new();
            let mut command = Command::new(program.path());
            command.current_dir(folder.path("")).env("LD_PRELOAD", &library);
            command.env("THREAD_FAIL", &at).args(["--listen", "127.0.0.1:0", "--db", "chatd.db"]);
            command.args(["--source-limits", "off"]).args(at_once.split_whitespace());
            let mut process = Process::start(command);
            let Some(address) = address_of(&mut process) else {
                refused_starts += 1;
                assert_eq!(process.exit_code(), Some(1), "{program:?}, thread {at}");
                let said = process.log_to_the_end();
                assert_eq!(said.lines().count(), 1, "{program:?}, thread {at}: {said}");
                assert!(
                    said.contains(": cannot start thread "),
                    "{program:?}, thread {at}: {said}"
                );
                continue;
            };
            let mut inside = Vec::new();
            for i in 0..CLIENTS {
                let mut client = Client::connect(address, &format!("n{i}"));
                let line = client.reads().unwrap_or_default();
                if line.starts_with("*** Sorry: the machine cannot start one more thread (") {
                    client.is_hung_up();
                    refused_clients += 1;
                    continue;
                }
                client.asks_until(&format!("n{i}"), "*** You are in lobby");
                client.has_read_everything();
                inside.push(client);
            }
            assert!(at.ends_with('+') || inside.len() >= CLIENTS - 1, "{program:?}, thread {at}");
            if let [first, .., last] = &mut inside[..] {
                first.says("hi");
                last.hears_until("<n");
            }
            process.signal("TERM");
            for mut client in inside {
                client.hears_until("*** Hung up: the server is shutting down.");
            }
            assert_eq!(process.exit_code(), Some(0), "{program:?}, thread {at}: {}", process.log());
        }
        println!("{program:?}: {refused_starts} starts and {refused_clients} clients were refused");
        assert!(refused_starts > 0);
        assert_eq!(refused_clients > 0, program == Program::Chatd);
    }
}

/// So do the commands: one that computes passwords on several threads.
#[test]
fn a_class_is_not_added_by_a_machine_that_starts_no_threads() {
    let Some(library) = preload("tests/harness/threads.c") else { return };
    let folder = Folder::new();
    std::fs::write(folder.path("class.txt"), "ann\nbob\n").unwrap();
    let mut command = folder.chatd("account import class.txt");
    command.env("LD_PRELOAD", &library).env("THREAD_FAIL", "1+");
    let mut process = Process::start(command);
    assert_eq!(process.exit_code(), Some(1));
    let said = process.log_to_the_end();
    assert!(said.contains("one more thread") && said.lines().count() == 1, "{said}");
}
