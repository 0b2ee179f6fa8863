//! Attacks by whoever can reach the port, each by its name. The others, who talk, lose nothing and see no disorder.
//! (What the others wait meanwhile is measured by `chatbench attack`: docs/reliability.md.)

use crate::{
    harness::{Client, Folder, Server, wait_until},
    machine::hold,
    terminals::with_a_reader,
};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::Shutdown,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// Bytes of other protocols.
const TLS_HELLO: &[u8] =
    b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03\n\x1b[2Jforged\n\x00\x00*** x\n";
const SSH_BANNER: &[u8] = b"SSH-2.0-OpenSSH_9.6\r\n";

/// Bob says `lines` lines, and alice reads each of them, in order, whatever else she reads.
fn talk(bob: &mut Client, alice: &mut Client, lines: usize) {
    for i in 0..lines {
        bob.says(&format!("line {i}"));
        let line = alice.hears_until("<bob> ");
        assert_eq!(line, format!("<bob> line {i}"));
    }
}

/// Threads and descriptors are as few as before.
#[track_caller]
fn nothing_is_left(server: &Server, before: (usize, usize)) {
    let now = || (server.thread_names().len(), server.descriptors());
    wait_until(
        || now().0 <= before.0 && now().1 <= before.1,
        || format!("{before:?} threads and descriptors became {:?}", now()),
    );
}

fn holdings(server: &Server) -> (usize, usize) {
    server.logs("connected from"); // the log has its time zone: no descriptor is open for a moment only
    (server.thread_names().len(), server.descriptors())
}

#[test]
pub fn slow_lorises_on_600_connections_delay_nobody_and_are_gone_in_time() {
    const LORISES: usize = 600;
    let server = Server::start("--threads-max 700 --login-deadline 3");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let before = holdings(&server);
    let began = Instant::now();
    let mut lorises = server.connect_all(0..LORISES);
    let mut round = 0;
    // Each sends a byte now and then, and no line.
    while round < 5 || began.elapsed() < Duration::from_secs(2) {
        for loris in &mut lorises {
            let _ = loris.stream().write_all(b"x"); // the first ones may be gone on a slow machine
        }
        talk(&mut bob, &mut alice, 1);
        round += 1;
    }
    for mut loris in lorises {
        loris.hears_until("*** Hung up: no name within 3 s.");
        drop(loris);
    }
    nothing_is_left(&server, before);
    talk(&mut bob, &mut alice, 3);
}

/// Ways to come and go that no well-behaved client has. Each ends with a reset.
const UGLY: [&[u8]; 10] = [
    b"",
    b"\n",
    b"half a name",
    b"ugly\n",
    b"ugly\nsaid\nhalf a line",
    b"ugly\n/history 1000\n/history 1000\n/history 1000\n/threads\n",
    b"ugly\n/search line\n/register\n",
    b"\xff\xfa\x18\x00 a subnegotiation without an end",
    TLS_HELLO,
    b"GET / HTTP/1.1\r\nHost: x\r\n",
];

#[test]
pub fn storms_of_connections_that_are_reset_leave_nothing_behind() {
    const EACH: usize = 40;
    let folder = Folder::new();
    let server = folder.start("--flood off --source-limits off --threads-max 700 --ghost-after 5");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    talk(&mut bob, &mut alice, 50); // there is something to ask for
    let before = holdings(&server);
    for _ in 0..EACH {
        for ugly in UGLY {
            let mut client = server.connect("ugly");
            client.sends(ugly);
            client.resets();
        }
    }
    talk(&mut bob, &mut alice, 50);
    nothing_is_left(&server, before);
}

#[test]
pub fn ten_flooders_have_ten_bursts_and_no_more_and_the_others_lose_nothing() {
    const FLOODERS: usize = 10;
    const BURST: usize = 32;
    let server = Server::start("");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let began = Instant::now();
    let names: Vec<String> = (0..FLOODERS).map(|i| format!("flooder{i}")).collect();
    let mut flooders: Vec<Client> = names.iter().map(|name| server.lets_in(name)).collect();
    for flooder in &mut flooders {
        flooder.stream().set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        let _ = flooder.stream().write_all("flood flood flood\n".repeat(20_000).as_bytes());
    }
    let (mut flood, mut line) = (0, 0);
    while line < 20 {
        bob.says(&format!("line {line}"));
        loop {
            let read = alice.reads().unwrap();
            flood += usize::from(read.starts_with("<flooder"));
            if read == format!("<bob> line {line}") {
                break;
            }
            assert!(!read.starts_with("<bob>"), "{read}");
        }
        line += 1;
    }
    // The flood does arrive: later, if the machine is busy.
    while flood < FLOODERS * BURST / 2 {
        flood += usize::from(alice.reads().unwrap().starts_with("<flooder"));
    }
    let most = FLOODERS as f64 * (BURST as f64 + 1.0 + 8.0 * began.elapsed().as_secs_f64());
    assert!((flood as f64) <= most, "{flood} lines of the flood, and not {most}");
}

/// They have sent their end of file, read nothing, and never close: what their client has sent is not forgotten, nor are they
/// kept for it.
#[test]
pub fn clients_that_are_half_closed_and_read_nothing_are_gone_in_time() {
    const HALF_CLOSED: usize = 32;
    let server = Server::start("--flood off --write-deadline 2 --threads-max 64");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let before = holdings(&server);
    let mut half: Vec<Client> =
        (0..HALF_CLOSED).map(|i| server.lets_in(&format!("half{i}"))).collect();
    for client in &mut half {
        client.says("/history 300\n/history 300\nlast words");
        client.stops_sending();
    }
    let mut last_words = 0;
    for _ in 0..HALF_CLOSED {
        while !alice.reads().unwrap().contains(" left lobby (connection closed)") {}
        last_words += 1;
    }
    assert_eq!(last_words, HALF_CLOSED);
    talk(&mut bob, &mut alice, 10);
    nothing_is_left(&server, before);
    drop(half); // not before: they never close by themselves
}

/// Each has asked for more than the kernel takes for it, so its thread or the flusher is sending when the reset comes.
#[test]
pub fn clients_that_reset_while_something_is_sent_to_them_harm_nobody() {
    let server = Server::start("--flood off --source-limits off --threads-max 80");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let long = "x".repeat(1000);
    for i in 0..300 {
        bob.says(&format!("{i} {long}"));
        alice.hears_until(&format!("<bob> {i} "));
    }
    let before = holdings(&server);
    for round in 0..4 {
        let mut clients: Vec<Client> =
            (0..16).map(|i| server.lets_in(&format!("cut{round}-{i}"))).collect();
        for (i, client) in clients.iter_mut().enumerate() {
            // Half of them wait for their own long answer, the others for what is said.
            if i % 2 == 0 {
                client.sends("/history 300\n".repeat(20));
            }
        }
        let lines: Vec<String> = (0..60).map(|i| format!("{round} {i} {long}")).collect();
        bob.says(&lines.join("\n"));
        clients.into_iter().for_each(Client::resets);
        for line in lines {
            assert_eq!(alice.hears_until("<bob> "), format!("<bob> {line}"));
        }
    }
    nothing_is_left(&server, before);
    talk(&mut bob, &mut alice, 3);
}

/// Bytes of another protocol reach nobody as anything that could be taken for a line of the server's.
#[test]
pub fn a_hello_of_another_protocol_draws_nothing_on_anybodys_terminal() {
    for options in ["--anonymous", ""] {
        let (server, mut reader) = with_a_reader(options);
        for hello in
            [TLS_HELLO, SSH_BANNER, b"\x80\x2e\x01\x00\x02", b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0"]
        {
            let mut stranger = server.connect("stranger");
            stranger.sends(hello);
            stranger.stops_sending();
            stranger.ends();
        }
        reader.says("/quit");
        for line in reader.hears_to_the_end() {
            assert!(line.chars().all(|c| !c.is_control()), "{line:?}");
            let is_servers = line.starts_with("*** ") && !line.contains("*** x");
            let is_named = line.starts_with('<') && !line.starts_with("<reader>");
            assert!(is_servers || is_named, "{line:?}");
        }
    }
}

#[test]
pub fn thousands_of_names_a_second_cost_no_memory_and_are_read_in_order() {
    const ROUNDS: usize = 1000;
    let server = Server::start("--flood off --source-limits off");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let before = server.memory_kib("VmRSS");
    let changers: Vec<Client> = (0..5).map(|i| server.lets_in(&format!("z{i}"))).collect();
    let began = Instant::now();
    let changes: Vec<_> = (0..)
        .zip(changers)
        .map(|(i, client)| {
            thread::spawn(move || {
                let names: String =
                    (0..ROUNDS).map(|round| format!("/nick z{i}-{round}\n")).collect();
                let mut socket = client.stream();
                let mut answers = socket.try_clone().unwrap();
                let reads =
                    thread::spawn(move || while let Ok(1..) = answers.read(&mut [0; 4096]) {});
                socket.write_all(names.as_bytes()).unwrap();
                client.stream().shutdown(Shutdown::Write).unwrap();
                reads.join().unwrap();
            })
        })
        .collect();
    let mut next = [0; 5];
    let mut gone = 0;
    while gone < 5 {
        let line = alice.reads().unwrap();
        gone += usize::from(line.contains(" left lobby"));
        if let Some((_, new)) = line.split_once(" is now z") {
            let (client, round) = new.split_once('-').unwrap();
            let next = &mut next[client.parse::<usize>().unwrap()];
            assert_eq!(round.parse(), Ok(*next), "{line}");
            *next += 1;
        }
    }
    println!("{} names took {:?}", 5 * ROUNDS, began.elapsed());
    assert_eq!(next, [ROUNDS; 5]);
    changes.into_iter().for_each(|change| change.join().unwrap());
    while bob.has_unread() {
        bob.hears_until("*** z");
    }
    talk(&mut bob, &mut alice, 3);
    let grown = server.memory_kib("VmRSS").saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} KiB"); // with 2 KiB kept of each it would be more
}

/// Fifty ask again as soon as they are answered, and others talk.
#[test]
pub fn fifty_who_ask_for_history_searches_and_threads_in_a_loop_delay_nobody() {
    let folder = Folder::new();
    let server = folder.start("--flood off");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    (0..1000).for_each(|i| alice.says(&format!("about threads and locks: {i}")));
    bob.hears_until("<alice> about threads and locks: 999");
    alice.asks_until("/quiet on", "*** You no longer");
    let is_over = AtomicBool::new(false);
    let ask = |number: usize| {
        let question = ["/history 1000", "/search threads", "/threads"][number % 3];
        let mut asker = server.lets_in(&format!("asker{number}"));
        let mut answers = 0;
        while !is_over.load(Relaxed) {
            asker.says(question);
            asker.has_read_everything();
            answers += 1;
        }
        answers
    };
    let (answers, slowest) = thread::scope(|scope| {
        let ask = &ask;
        let askers: Vec<_> = (0..50).map(|number| scope.spawn(move || ask(number))).collect();
        let (began, mut slowest) = (Instant::now(), Duration::ZERO);
        while began.elapsed() < Duration::from_secs(2) {
            let asked = Instant::now();
            talk(&mut bob, &mut alice, 1);
            slowest = slowest.max(asked.elapsed());
        }
        is_over.store(true, Relaxed);
        (askers.into_iter().map(|asker| asker.join().unwrap()).sum::<usize>(), slowest)
    });
    println!("{answers} answers; the slowest line of the others took {slowest:?}");
    assert!(answers >= 50, "they do get answers: {answers}");
    assert!(slowest < Duration::from_secs(5), "a line of the others took {slowest:?}");
}

/// Bytes that the kernel keeps for the sockets of this port which their peers have not taken.
fn unsent(port: u16) -> Vec<u64> {
    let local = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let sockets = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = sockets.filter(|fields| fields[1].ends_with(&local) && fields[3] != "0A"); // 0A: it listens
    ours.map(|fields| u64::from_str_radix(fields[4].split_once(':').unwrap().0, 16).unwrap())
        .collect()
}

/// Says `lines` lines of a kilobyte.
fn talk_long(talker: &mut Client, reader: &mut Client, lines: usize) {
    let long = "x".repeat(980);
    for i in 0..lines {
        talker.says(&format!("{i} {long}"));
        if i % 16 == 15 {
            reader.hears_until(&format!("<talker> {i} "));
        }
    }
}

/// Without a bound of ours it would be 4 MB for each: 2 GB for a full house.
#[test]
fn what_the_kernel_keeps_for_stuck_readers_is_bounded() {
    const STUCK: usize = 8;
    const LINES: usize = 6000; // 6 MB
    let server = Server::start("--flood off --write-deadline 3600 --high-water 100000000");
    let [mut talker, mut reader] = server.enter(["talker", "reader"]);
    let _stuck: Vec<Client> = (0..STUCK).map(|i| server.lets_in(&format!("stuck{i}"))).collect();
    talk_long(&mut talker, &mut reader, LINES);
    let unsent = unsent(server.address.port());
    assert_eq!(unsent.len(), STUCK + 2, "{unsent:?}");
    assert!(unsent.iter().filter(|bytes| **bytes > 64 * 1024).count() == STUCK, "{unsent:?}");
    assert!(unsent.iter().all(|bytes| *bytes <= 1300 * 1024), "{unsent:?}");
}

/// It would keep it until `--ghost-after`, and their places are free for others who do the same.
#[test]
pub fn what_readers_have_not_read_when_they_are_hung_up_is_thrown_away() {
    const STUCK: usize = 4;
    let server = Server::start("--flood off --write-deadline 1 --ghost-after 3600");
    let [mut talker, mut reader] = server.enter(["talker", "reader"]);
    let _stuck: Vec<Client> = (0..STUCK).map(|i| server.lets_in(&format!("stuck{i}"))).collect();
    talk_long(&mut talker, &mut reader, 6000);
    let kept = || unsent(server.address.port());
    wait_until(|| kept().iter().all(|bytes| *bytes < 64 * 1024), || format!("{:?}", kept()));
    let totals = talker.asks_until("/threads", "*** In ");
    assert!(totals.contains(&format!(", {STUCK} clients too slow,")), "{totals}");
}

/// As when another program takes all of the machine: longer than any client may be slow.
#[test]
pub fn a_server_that_stands_still_for_a_while_loses_nobody_and_nothing() {
    let server = Server::start("--flood off --write-deadline 1 --ghost-after 2");
    let [mut alice, mut bob, mut idle] = server.enter(["alice", "bob", "idle"]);
    server.stands_still();
    let began = Instant::now();
    let mut lines = 0;
    while began.elapsed() < hold(3) {
        bob.says(&format!("line {lines}"));
        alice.hears_nothing_for_now();
        lines += 1;
    }
    server.signal("CONT");
    for i in 0..lines {
        alice.hears(&format!("<bob> line {i}"));
        idle.hears(&format!("<bob> line {i}"));
    }
    talk(&mut bob, &mut alice, 3);
    assert!(!server.log().contains(" left: "), "{}", server.log());
}
