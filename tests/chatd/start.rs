//! Starting: what is said, what is refused, and what the machine's limits allow.

use crate::harness::{Client, Server};
use std::{
    net::TcpListener,
    process::{Command, Output},
};

fn chatd(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chatd")).args(args).output().unwrap()
}

/// Runs it with options that cannot work, and returns what it said.
fn fails(args: &[&str]) -> String {
    let output = chatd(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    assert!(output.stdout.is_empty(), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn errors_say_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let motd = ["--listen", "127.0.0.1:0", "--db", "none", "--motd", "/nonexistent/motd"];
    for (args, says) in [
        (
            &["--listen", &taken][..],
            "The port is taken, perhaps by another chatd. Stop that one, or choose another port",
        ),
        (&["--listen", "192.0.2.77:5000"], "This machine has no such address."),
        (&motd, "cannot read the message of the day from /nonexistent/motd: No such file"),
        (&["--threads-max", "0"], "--threads-max 0 would let nobody in"),
        (&["--flood", "lots"], "is not BURST/PER_SECOND"),
        (&["--listen", "here"], "is not ADDR:PORT"),
        (&["--no-such-option"], "--no-such-option"),
    ] {
        let said = fails(args);
        assert!(said.contains(says), "{args:?} said {said:?}");
    }
}

#[test]
fn help_and_version() {
    let help = String::from_utf8(chatd(&["--help"]).stdout).unwrap();
    for option in [
        "--listen",
        "--threads-max",
        "--anonymous",
        "--unicode-names",
        "--motd",
        "--backlog-lines",
        "--high-water",
        "--write-deadline",
        "--login-deadline",
        "--flood",
        "--per-source",
        "--ghost-after",
        "--demo",
        "--log",
        "--version",
    ] {
        assert!(help.contains(option), "{option} is not in\n{help}");
    }
    let version = String::from_utf8(chatd(&["--version"]).stdout).unwrap();
    assert_eq!(version, format!("chatd {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn several_addresses_are_one_server() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatd"));
    command.args(["--listen", "localhost:0", "--db", "none"]);
    let server = Server::start_program(command);
    let [mut alice] = server.enter(["alice"]);
    let v6 = format!("[::1]:{}", server.address.port());
    if TcpListener::bind("[::1]:0").is_err() {
        println!("SKIPPED several_addresses_are_one_server: this machine has no IPv6");
        return;
    }
    let mut bob = Client::connect(v6.parse().unwrap(), "bob");
    bob.says("bob");
    alice.hears("*** bob entered lobby");
}

/// chatd under a limit of 64 descriptors.
fn start_with_64_descriptors() -> Server {
    let mut command = Command::new("bash");
    let program = env!("CARGO_BIN_EXE_chatd");
    command.args([
        "-c",
        &format!("ulimit -n 64; exec {program} --listen 127.0.0.1:0 --db none --threads-max 512"),
    ]);
    Server::start_program(command)
}

#[test]
fn the_true_number_is_said_and_held() {
    let server = start_with_64_descriptors();
    server.logs(
        "this machine can hold 32 clients, not 512: its limit on open files (ulimit -n) is 64",
    );
    let mut clients: Vec<Client> = (0..32).map(|i| server.connect(&format!("n{i}"))).collect();
    for client in &mut clients {
        client.hears("*** Welcome to chatd: {…}");
    }
    let mut late = server.connect("late");
    late.hears("*** Sorry: all 32 places are taken. Please try again later.");
}

/// Sets the limit of open files of a running process.
fn limit_descriptors(pid: u32, most: usize) {
    let status = Command::new("prlimit")
        .args([&format!("--pid={pid}"), &format!("--nofile={most}:")])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn out_of_descriptors_is_one_log_line_and_recovers() {
    let server = Server::start(&["--threads-max", "10", "--flood", "off"]);
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    limit_descriptors(server.pid(), server.descriptors());
    // The kernel reserves the next connection's descriptor before it waits for one: this client still gets in.
    let mut last = server.connect("last");
    last.hears_until("*** What is your name?");
    server.logs("cannot accept: ");
    let mut late = server.connect("late"); // the kernel connects it; nobody can accept it
    alice.says("hi"); // who is inside notices nothing
    bob.hears("<alice> hi");
    alice.says("/threads");
    alice.hears_until("*** accept           waiting for descriptors");
    let ticks = cpu_ticks(server.pid());
    for i in 0..300 {
        alice.says(&format!("/whois {i}")); // time passes
        alice.hears_until("*** Nobody");
    }
    assert!(cpu_ticks(server.pid()) - ticks < 500, "it spins");
    limit_descriptors(server.pid(), 100);
    late.hears_until("*** What is your name?");
    server.logs("accepting again");
    assert_eq!(
        server.log().matches("cannot accept: ").count(),
        1,
        "a line for each time, not for each try"
    );
}

/// Processor time used so far, in hundredths of a second.
fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn refused_clients_do_not_eat_the_descriptors() {
    let server = start_with_64_descriptors();
    let mut clients: Vec<Client> = (0..32).map(|i| server.connect(&format!("n{i}"))).collect();
    for client in &mut clients {
        client.hears_until("*** What is your name?");
    }
    let mut crowd: Vec<Client> = (0..60).map(|i| server.connect(&format!("late{i}"))).collect();
    for late in &mut crowd {
        late.hears("*** Sorry: all 32 places are taken. Please try again later.");
    }
    assert!(!server.log().contains("cannot accept"), "{}", server.log());
}

#[test]
fn a_closed_standard_output_is_no_reason_to_end() {
    let mut command = Command::new("bash");
    let program = env!("CARGO_BIN_EXE_chatd");
    // The first line goes through, and then nobody reads on.
    command.args(["-c", &format!("exec {program} --listen 127.0.0.1:0 --db none > >(head -n 1)")]);
    let mut server = Server::start_program(command);
    let [mut alice] = server.enter(["alice"]);
    alice.hears_nothing();
    assert!(server.is_running());
}
