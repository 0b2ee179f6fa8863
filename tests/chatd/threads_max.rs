//! One thread per client, never more; client 513 is told so; a thread that cannot start is refused the same way.

use crate::harness::{Client, DEADLINE, Process, Program, Server, eventually, wait_until};
use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    process::Command,
    time::{Duration, Instant},
};

/// Threads that are not clients' (docs/architecture.md).
const OWN_THREADS: [&str; 7] =
    ["accept", "chatd", "fanout", "flusher", "historian", "linger", "logger"];

#[test]
fn n_clients_have_n_threads_with_their_names() {
    let server = Server::start("");
    let _clients = server.enter(["alice", "bob", "a-name-of-20-letters"]);
    let mut clients = Vec::new();
    eventually("the main thread is called chatd, and the others by what they do", || {
        let mut names = server.thread_names(); // a thread takes its name itself, a moment after its start
        let is_client = |name: &mut String| name.starts_with('c') && name.contains(':');
        clients = names.extract_if(.., is_client).collect();
        names.sort();
        names == OWN_THREADS
    });
    let has = |end| clients.iter().any(|name| name.split_once(end).is_some());
    assert!(
        clients.len() == 3 && has(":alice") && has(":bob") && has(":a-name-of-2"),
        "{clients:?}"
    );
    assert!(clients.iter().all(|name| name.len() <= 15), "{clients:?}");
}

#[test]
pub fn client_513_is_refused_in_a_sentence_and_nobody_inside_notices() {
    let server = Server::start("--threads-max 512 --flood off");
    let [mut alice] = server.enter(["alice"]);
    let mut clients = server.connect_all(1..512);
    for client in &mut clients {
        client.hears_until("*** What is your name?");
    }
    // One talks before it listens, and a lot; the sentence reaches it all the same.
    for flood in [0, 1, 60_000] {
        let mut late = server.connect("late");
        let _ = late.stream().write_all(&vec![b'x'; flood]);
        late.hears("*** Sorry: all 512 places are taken. Please try again later.");
        late.is_hung_up();
    }
    if Program::current() == Program::Chatd {
        // The place kept for an administrator has a thread for as long as somebody is turned away there.
        let all = OWN_THREADS.len() + 512;
        eventually("nobody but them has a thread", || server.thread_names().len() == all);
    }
    alice.hears_nothing();
    clients.pop();
    eventually("the place of the one that left is free", || lets_somebody_in(&server));
}

/// Whether the server has room for one more.
pub fn lets_somebody_in(server: &Server) -> bool {
    server.connect("late").reads().is_some_and(|line| line.starts_with("*** Welcome"))
}

#[test]
pub fn a_class_that_arrives_in_one_second_fits_the_accept_queue() {
    let server = Server::start("--threads-max 600");
    server.signal("STOP"); // nothing is accepted: all must fit the queue, or `connect` would wait and try again
    let mut clients = server.connect_all(0..512);
    server.signal("CONT");
    for client in &mut clients {
        client.hears("*** Welcome to chatd: {…}");
    }
}

#[test]
fn a_thread_that_cannot_start_is_refused_in_a_sentence() {
    if !rustix::process::geteuid().is_root() {
        println!(
            "SKIPPED a_thread_that_cannot_start…: it takes root to become somebody with a limit"
        );
        return;
    }
    // A user of its own, whom no other process counts against (this test may run twice at once), with room for a few threads
    // beside the server's. The program is copied to where that user may read it.
    let user = (64_000 + std::process::id() % 1_000).to_string();
    let folder = std::env::temp_dir().join(format!("chatd-test-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("chatd");
    fs::copy(Program::Chatd.path(), &program).unwrap();
    for path in [&folder, &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let as_user = |shell: &str| {
        let mut command = Command::new("setpriv");
        let shell = format!("ulimit -u 20; {shell}");
        command.current_dir("/").arg(format!("--reuid={user}"));
        command.args(["--clear-groups", "bash", "-c", &shell]);
        command
    };
    let options = "--listen 127.0.0.1:0 --web none --db none --threads-max 4 --source-limits off";
    let server = Server::start_program(as_user(&format!("exec {} {options}", program.display())));
    // The limits are compared at the start; whatever else the user starts later takes threads away all the same.
    let others = Process::start(as_user("for i in {1..40}; do sleep 60 & done 2>/dev/null; wait"));
    eventually("a thread cannot start", || {
        let mut client = server.connect("late");
        client.reads().is_some_and(|line| {
            line.starts_with("*** Sorry: the machine cannot start one more thread (")
                && client.reads().is_none()
        })
    });
    server.logs("no thread for 127.0.0.1");
    drop(others); // first: this shell would start the others of its forty in their place
    eventually("the others are gone", || {
        // It succeeds as long as there is one to end. One that has ended counts until it is reaped.
        let pkill = Command::new("pkill").args(["-KILL", "-u", &user, "sleep"]).status();
        pkill.is_ok_and(|status| !status.success())
    });
    eventually("it recovers by itself", || lets_somebody_in(&server));
    let [mut alice] = server.enter(["alice"]);
    alice.hears_nothing();
    drop(server);
    let _ = fs::remove_dir_all(&folder);
}

#[test]
pub fn clients_that_say_one_line_and_go_are_heard_and_leave_nothing_behind() {
    const VISITORS: usize = 1000;
    // A reset is sent once. On a busy machine even loopback drops a packet now and then (/proc/net/softnet_stat), and
    // then it takes the keepalive to find that the visitor has gone.
    let server = Server::start(
        "--anonymous --flood off --source-limits off --threads-max 1100 --ghost-after 5",
    );
    let mut watcher = server.connect("watcher");
    watcher.asks_until("/quiet on", "*** You no longer read who comes and goes.");
    server.logs("connected from"); // the log has its time zone: no descriptor is open for a moment only
    let before = (server.thread_names().len(), server.descriptors());
    for i in 0..VISITORS {
        let mut visitor = server.connect("visitor");
        visitor.says(&format!("line {i}"));
        drop(visitor); // with the greeting unread: this resets the connection
    }
    let mut heard: Vec<usize> = (0..VISITORS)
        .map(|_| {
            let line = watcher.reads().unwrap_or_else(|| panic!("it stays: {}", server.log()));
            let number = line.split_once("> line ").and_then(|(_, i)| i.parse().ok());
            number.unwrap_or_else(|| panic!("{line:?}"))
        })
        .collect();
    heard.sort_unstable();
    assert!(heard.into_iter().eq(0..VISITORS), "every line once");
    let now = || (server.thread_names(), server.descriptors());
    wait_until(
        || now().0.len() <= before.0 && now().1 <= before.1,
        || format!("{before:?} threads and descriptors became {:?}", now()),
    );
}

#[test]
pub fn half_a_line_before_the_end_of_file_is_a_line() {
    let server = Server::start("");
    let [mut alice] = server.enter(["alice"]);
    let mut bob = server.connect("bob");
    bob.sends(b"bob\nhi\nand bye");
    bob.stops_sending();
    assert_eq!(bob.hears_to_the_end().last().unwrap(), "*** Goodbye.");
    alice.hears("*** bob entered lobby");
    alice.hears("<bob> hi");
    alice.hears("<bob> and bye");
    alice.hears("*** bob left lobby (connection closed)");
}

#[test]
pub fn one_that_gives_no_name_in_time_is_hung_up_however_slowly_it_types() {
    let server = Server::start("--login-deadline 1");
    let slow = server.connect("slow");
    let mut stream = slow.stream();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let (started, mut read) = (Instant::now(), Vec::new());
    // A byte now and then must not move the deadline.
    while started.elapsed() < DEADLINE {
        let _ = stream.write_all(b"x");
        let mut bytes = [0; 1024];
        match stream.read(&mut bytes) {
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
    for (options, lines, questions, why) in [
        ("", b"\xc3\n".repeat(4000), 10..=10, "*** Hung up: 10 names were refused."),
        ("", b"7up\n".repeat(10), 10..=10, "*** Hung up: 10 names were refused."),
        // If each line moved it, all of them would be answered.
        (
            "--flood 1/1 --login-deadline 2",
            b"7up\n".repeat(9),
            1..=5,
            "*** Hung up: no name within 2 s.",
        ),
    ] {
        let server = Server::start(options);
        let mut slow = server.connect("slow");
        slow.sends(lines);
        let told = slow.hears_to_the_end();
        assert_eq!(told.last().unwrap(), why);
        let asked = told.iter().filter(|line| line.ends_with(" What is your name?")).count();
        assert!(questions.contains(&asked), "{told:?}");
    }
}

#[test]
fn one_may_quit_in_place_of_a_name() {
    let server = Server::start("");
    let mut client: Client = server.connect("nobody");
    client.hears_until("*** What is your name?");
    client.asks("/quit", "*** Goodbye.");
    client.is_hung_up();
}
