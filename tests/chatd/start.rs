//! Starting: what is said, what is refused, and what the machine's limits allow.

use crate::harness::{Client, Folder, Process, Program, Server, server::after};
use std::{
    net::TcpListener,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

fn chatd(args: &[&str]) -> Output {
    Command::new(Program::Chatd.path()).args(args).output().unwrap()
}

#[test]
fn errors_say_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("--listen {}", taken.local_addr().unwrap());
    for (options, says) in [
        (
            &*taken,
            "The port is taken, perhaps by another chatd. Stop that one, or choose another port",
        ),
        ("--listen 192.0.2.77:5000", "This machine has no such address."),
        (
            "--listen 127.0.0.1:0 --web none --db none --motd /nonexistent/motd",
            "cannot read the message of the day from /nonexistent/motd: No such file",
        ),
        ("--threads-max 0", "--threads-max 0 would let nobody in"),
        ("--flood lots", "is not BURST/PER_SECOND"),
        ("--listen here", "is not ADDR:PORT"),
        ("--no-such-option", "--no-such-option"),
    ] {
        let output = chatd(&options.split(' ').collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(1), "{options}");
        assert!(output.stdout.is_empty(), "{options}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(says), "{options} said {said:?}");
    }
}

#[test]
fn help_and_version() {
    let help = String::from_utf8(chatd(&["--help"]).stdout).unwrap();
    for option in "listen threads-max anonymous unicode-names motd backlog-lines high-water \
        write-deadline login-deadline flood per-source source-limits ghost-after demo log version"
        .split_whitespace()
    {
        assert!(help.contains(&format!("--{option}")), "--{option} is not in\n{help}");
    }
    let version = String::from_utf8(chatd(&["--version"]).stdout).unwrap();
    assert_eq!(version, format!("chatd {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn several_addresses_are_one_server() {
    if TcpListener::bind("[::1]:0").is_err() {
        println!("SKIPPED several_addresses_are_one_server: this machine has no IPv6");
        return;
    }
    let folder = Folder::new();
    let server = Server::start_program(folder.chatd("--listen localhost:0 --web none --db none"));
    let [mut alice] = server.enter(["alice"]);
    let v6 = format!("[::1]:{}", server.address.port());
    Client::connect(v6.parse().unwrap(), "bob").says("bob");
    alice.hears("*** bob entered lobby");
}

#[test]
fn the_true_number_of_places_is_said_and_held() {
    let server = Server::start_after("ulimit -n 64", "--threads-max 512");
    server.logs("can hold 32 clients, not 512: its limit on open files (ulimit -n) is 64");
    let mut clients = server.connect_all(0..32);
    for client in &mut clients {
        client.hears("*** Welcome to chatd: {…}");
    }
    // The refused leave the descriptors for the others.
    for mut late in server.connect_all(32..92) {
        late.hears("*** Sorry: all 32 places are taken. Please try again later.");
    }
    assert!(!server.log().contains("cannot accept"), "{}", server.log());
}

/// 260 come at once; whoever is not let in is told so, and nothing is out of memory: not when they talk either, nor when
/// they are registered, which takes the most.
#[test]
pub fn a_limit_on_address_space_is_said_and_held() {
    let program = Program::current();
    let holds = |flag: &str, kib: usize| {
        let mut server = Server::start_after(&format!("ulimit {flag} {kib}"), "--flood off");
        let mut clients = server.connect_all(0..260);
        for (i, client) in clients.iter_mut().enumerate() {
            client.sends(format!("n{i}\n")); // who is refused may be gone
        }
        let mut inside: Vec<&mut Client> = clients.iter_mut().filter_map(is_let_in).collect();
        let count = inside.len();
        assert!(count >= 30, "only {count} are let in with {flag} {kib}");
        if count < 260 {
            server.logs(&format!(
                "this machine can hold {count} clients, not 512: its limit on KiB of "
            ));
        }
        for client in inside.iter_mut().take(10) {
            client.says(&"x".repeat(1000));
            let told = format!("*** {} is yours from now on.", client.name);
            client.asks_until("/register correct-horse", &told);
        }
        server.signal("TERM");
        assert_eq!(server.exit_code(), Some(0), "with {flag} {kib}: {}", server.log());
    };
    thread::scope(|scope| {
        for (flag, kib) in
            [("-v", 146_484), ("-v", 244_140), ("-v", 488_281), ("-v", 976_562), ("-d", 146_484)]
        {
            scope.spawn(move || program.keeps(|| holds(flag, kib)));
        }
    });
}

/// Whoever comes is let in, or told why not.
pub fn is_let_in(client: &mut Client) -> Option<&mut Client> {
    loop {
        match client.reads() {
            Some(line) if line.starts_with("*** You are in lobby") => return Some(client),
            Some(line) if line.starts_with("*** Sorry: all ") => return None,
            Some(_) => {}
            None => panic!("{} is neither let in nor told why not", client.name),
        }
    }
}

#[test]
fn too_little_address_space_for_a_server_is_refused_with_the_number_to_give() {
    for flag in ["-v", "-d"] {
        let folder = Folder::new();
        let command = after(&format!("ulimit {flag} 60000"), folder.chatd("--db none"));
        let mut process = Process::start(command);
        assert_eq!(process.exit_code(), Some(1));
        let said = process.log_to_the_end();
        let says =
            format!("chatd: the limit of 60000 KiB (ulimit {flag}) is too low for a server.");
        assert!(said.starts_with(&says), "{said}");
        assert!(said.contains(&format!("or more: ulimit {flag} ")), "{said}");
    }
}

/// Sets the limit of open files of a running process.
pub fn limit_descriptors(process: &Process, most: usize) {
    let limit = [format!("--pid={}", process.pid()), format!("--nofile={most}:")];
    assert!(Command::new("prlimit").args(limit).status().unwrap().success());
}

#[test]
fn out_of_descriptors_is_one_log_line_and_recovers() {
    let server = Server::start("--threads-max 10 --flood off");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    limit_descriptors(&server, server.descriptors());
    // The kernel reserves the next connection's descriptor before it waits for one: this client still gets in.
    let mut last = server.connect("last");
    last.hears_until("*** What is your name?");
    server.logs("cannot accept: ");
    let mut late = server.connect("late"); // the kernel connects it; nobody can accept it
    alice.says("hi"); // those inside notice nothing
    bob.hears("<alice> hi");
    alice.asks_until("/threads", "*** accept          waiting for descriptors");
    let ticks = server.cpu_ticks();
    for i in 0..300 {
        alice.asks_until(&format!("/whois {i}"), "*** Nobody"); // time passes
    }
    assert!(server.cpu_ticks() - ticks < 500, "it spins");
    limit_descriptors(&server, 100);
    late.hears_until("*** What is your name?");
    server.logs("accepting again");
    let told = server.log().matches("cannot accept: ").count();
    assert_eq!(told, 1, "a line for each time, not for each try");
}

/// When select and epoll slept instead, each of these lines took 0.1 s.
#[test]
pub fn nobody_inside_waits_for_descriptors() {
    let server = Server::start("--threads-max 10 --flood off");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    limit_descriptors(&server, server.descriptors());
    let _last = server.connect("last");
    let mut late = server.connect("late");
    server.logs("cannot accept: ");
    let mut times: Vec<Duration> = (0..50)
        .map(|i| {
            let began = Instant::now();
            alice.says(&format!("{i}"));
            bob.hears(&format!("<alice> {i}"));
            began.elapsed()
        })
        .collect();
    times.sort();
    // A busy machine makes some of them slow, and not all.
    assert!(times[10] < Duration::from_millis(80), "{times:?}");
    let (ticks, began) = (server.cpu_ticks(), Instant::now());
    (0..4).for_each(|_| bob.hears_nothing_for_now());
    let busy = Duration::from_millis(10) * (server.cpu_ticks() - ticks) as u32;
    assert!(busy < began.elapsed() / 2, "it spins");
    limit_descriptors(&server, 100);
    late.hears_until("*** What is your name?");
    server.logs("accepting again");
}

#[test]
fn a_closed_standard_output_is_no_reason_to_end() {
    let mut command = Command::new("bash");
    // The first line goes through, and then nobody reads on.
    let program = Program::Chatd.path();
    let run = format!(
        "exec '{}' --listen 127.0.0.1:0 --web none --db none > >(head -n 1)",
        program.display()
    );
    command.args(["-c", &run]);
    let mut server = Server::start_program(command);
    let [mut alice] = server.enter(["alice"]);
    alice.hears_nothing();
    assert!(server.is_running());
}
