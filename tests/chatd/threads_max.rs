//! One thread per client, never more; client 513 is told so; a thread that cannot start is refused the same way.

use crate::harness::{Client, DEADLINE, Server, eventually};
use std::{
    io::Read as _,
    process::Command,
    time::{Duration, Instant},
};

/// Threads that are not clients': accept, fanout, historian, flusher, usher, logger, main (docs/architecture.md).
const HOUSE: usize = 7;

#[test]
fn n_clients_have_n_threads_with_their_names() {
    let server = Server::start(&[]);
    let _clients = server.enter(["alice", "bob", "a-name-of-20-letters"]);
    let expected: [_; HOUSE] =
        ["accept", "chatd", "fanout", "flusher", "historian", "logger", "usher"];
    let mut clients = Vec::new();
    eventually("the main thread is called chatd, and the others by what they do", || {
        let mut house = server.thread_names(); // a thread takes its name itself, a moment after its start
        clients =
            house.extract_if(.., |name| name.starts_with('c') && name.contains(':')).collect();
        house.sort();
        house == expected
    });
    assert_eq!(clients.len(), 3);
    assert!(clients.iter().any(|name| name.ends_with(":alice")), "{clients:?}");
    assert!(
        clients.iter().any(|name| name.contains(":a-name-of-2") && name.len() == 15),
        "{clients:?}"
    );
}

#[test]
fn client_513_is_refused_in_a_sentence_and_nobody_inside_notices() {
    let server = Server::start(&["--threads-max", "512", "--flood", "off"]);
    let [mut alice] = server.enter(["alice"]);
    let mut clients: Vec<Client> = (1..512).map(|i| server.connect(&format!("n{i}"))).collect();
    for client in &mut clients {
        client.hears_until("*** What is your name?");
    }
    assert_eq!(server.thread_names().len(), HOUSE + 512);

    // One talks before it listens, and a lot; the sentence reaches it all the same.
    for flood in [0, 1, 60_000] {
        let mut late = server.connect("late");
        let _ = std::io::Write::write_all(late.stream(), &vec![b'x'; flood]);
        late.hears("*** Sorry: all 512 places are taken. Please try again later.");
        late.is_hung_up();
    }
    // (The place kept for an administrator has a thread for as long as somebody is turned away there.)
    eventually("nobody but them has a thread", || server.thread_names().len() == HOUSE + 512);
    alice.hears_nothing();

    clients.pop();
    eventually("the place of the one who left is free", || {
        let mut late = server.connect("late");
        late.reads().is_some_and(|line| line.starts_with("*** Welcome"))
    });
}

#[test]
pub fn a_class_that_arrives_in_one_second_fits_the_accept_queue() {
    let server = Server::start(&["--threads-max", "600"]);
    server.signal("STOP"); // nothing is accepted: all must fit the queue, or `connect` would wait and try again
    let mut clients: Vec<Client> = (0..512).map(|i| server.connect(&format!("n{i}"))).collect();
    server.signal("CONT");
    for client in &mut clients {
        client.hears("*** Welcome to chatd: {…}");
    }
}

#[test]
fn a_thread_that_cannot_start_is_refused_in_a_sentence() {
    if !rustix::process::geteuid().is_root() {
        println!(
            "SKIPPED a_thread_that_cannot_start_is_refused_in_a_sentence: it takes root to become somebody with a limit"
        );
        return;
    }
    // A user of its own, whom no other process counts against, with room for a few threads beside the server's.
    // The program is copied to where that user may read it.
    let folder = std::env::temp_dir().join(format!("chatd-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("chatd");
    std::fs::copy(env!("CARGO_BIN_EXE_chatd"), &program).unwrap();
    for path in [&folder, &program] {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new("setpriv");
    let shell = format!(
        "ulimit -u 20; exec {} --listen 127.0.0.1:0 --db none --threads-max 4",
        program.display()
    );
    command.current_dir("/").args(["--reuid=64123", "--clear-groups", "bash", "-c", &shell]);
    let server = Server::start_program(command);
    // The limits are compared at the start; whatever else the user starts later takes threads away all the same.
    let mut others = Command::new("setpriv");
    others.args([
        "--reuid=64123",
        "--clear-groups",
        "bash",
        "-c",
        "ulimit -u 20; for i in {1..40}; do sleep 60 & done 2>/dev/null; wait",
    ]);
    let mut others = others.stderr(std::process::Stdio::null()).spawn().unwrap();

    eventually("a thread cannot start", || {
        let mut client = server.connect("late");
        client.reads().is_some_and(|line| {
            line.starts_with("*** Sorry: the machine cannot start one more thread (")
                && client.reads().is_none()
        })
    });
    server.logs("no thread for 127.0.0.1");
    let _ = Command::new("pkill").args(["-u", "64123", "sleep"]).status();
    let _ = others.kill();
    let _ = others.wait();
    let [mut alice] = server.enter(["alice"]); // it recovers by itself
    alice.hears_nothing();
    drop(server);
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
pub fn clients_that_say_one_line_and_go_are_heard_and_leave_nothing_behind() {
    // A reset is sent once. On a busy machine even loopback drops a packet now and then (/proc/net/softnet_stat), and
    // then it takes the keepalive to find that the visitor has gone.
    let server = Server::start(&[
        "--anonymous",
        "--flood",
        "off",
        "--threads-max",
        "1100",
        "--ghost-after",
        "5",
    ]);
    let mut watcher = server.connect("watcher");
    watcher.says("/quiet on");
    watcher.hears_until("*** You no longer read who comes and goes.");
    server.logs("connected from"); // the log has its time zone: no descriptor is open for a moment only
    let (threads, descriptors) = (server.thread_names().len(), server.descriptors());

    const VISITORS: usize = 1000;
    let mut heard: Vec<usize> = Vec::new();
    for i in 0..VISITORS {
        let mut visitor = server.connect("visitor");
        visitor.sends(format!("line {i}\n").as_bytes());
        visitor.leaves(); // with the greeting unread: this resets the connection
    }
    while heard.len() < VISITORS {
        let line = watcher.reads().unwrap_or_else(|| panic!("the watcher stays: {}", server.log()));
        heard.push(
            line.split_once("> line ")
                .and_then(|(_, i)| i.parse().ok())
                .unwrap_or_else(|| panic!("{line:?}")),
        );
    }
    heard.sort_unstable();
    assert!(heard.iter().copied().eq(0..VISITORS), "every line once");
    let (mut left, mut open) = (server.thread_names(), server.descriptors());
    let end = Instant::now() + DEADLINE;
    while left.len() > threads || open > descriptors {
        assert!(
            Instant::now() < end,
            "{threads} threads and {descriptors} descriptors became {left:?} and {open}"
        );
        (left, open) = (server.thread_names(), server.descriptors());
    }
    println!(
        "{threads} threads and {descriptors} descriptors before, {} and {open} after",
        left.len()
    );
}

#[test]
pub fn half_a_line_before_the_end_of_file_is_a_line() {
    let server = Server::start(&[]);
    let [mut alice] = server.enter(["alice"]);
    let mut bob = server.connect("bob");
    bob.sends(b"bob\nhi\nand bye");
    bob.stops_sending();
    let lines = bob.hears_to_the_end();
    assert_eq!(lines.last().map(String::as_str), Some("*** Goodbye."), "{lines:?}");
    alice.hears("*** bob entered lobby");
    alice.hears("<bob> hi");
    alice.hears("<bob> and bye");
    alice.hears("*** bob left lobby (connection closed)");
}

#[test]
pub fn no_name_in_time_is_hung_up_however_slowly_it_types() {
    let server = Server::start(&["--login-deadline", "1"]);
    let mut slow = server.connect("slow");
    let started = Instant::now();
    slow.stream().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut read = Vec::new();
    // A byte now and then must not move the deadline.
    while started.elapsed() < DEADLINE {
        let _ = std::io::Write::write_all(slow.stream(), b"x");
        let mut bytes = [0; 1024];
        match slow.stream().read(&mut bytes) {
            Ok(0) => break,
            Ok(n) => read.extend(&bytes[..n]),
            Err(_) => {}
        }
    }
    let read = String::from_utf8(read).unwrap();
    assert!(read.ends_with("*** Hung up: no name within 1 s.\n"), "{read:?}");
}

#[test]
fn lines_that_are_no_names_do_not_move_the_login_deadline() {
    let server = Server::start(&["--login-deadline", "1"]);
    let mut slow = server.connect("slow");
    slow.sends(&b"\xc3\n".repeat(4000));
    let lines = slow.hears_to_the_end();
    assert_eq!(
        lines.last().map(String::as_str),
        Some("*** Hung up: 10 names were refused."),
        "{lines:?}"
    );

    let server = Server::start(&["--login-deadline", "1", "--flood", "1/1"]);
    let mut slow = server.connect("slow");
    slow.sends(&b"7up\n".repeat(9));
    let lines = slow.hears_to_the_end();
    assert_eq!(
        lines.last().map(String::as_str),
        Some("*** Hung up: no name within 1 s."),
        "{lines:?}"
    );
}

#[test]
fn a_name_may_be_quit_at() {
    let server = Server::start(&[]);
    let mut client = server.connect("nobody");
    client.hears_until("*** What is your name?");
    client.says("/quit");
    client.hears("*** Goodbye.");
    client.is_hung_up();
}
