//! A stop takes at most 5 s, and nobody's question waits behind somebody else's: whatever is being indexed, hashed, looked
//! up, or waited for.

use crate::harness::{Client, Folder, Server, eventually, server::after};
use std::{
    io::Write as _,
    process::Stdio,
    time::{Duration, Instant},
};

/// Lines that are in the file, and that no search has found yet: some 2 s of work for the historian.
const UNINDEXED: i64 = 300_000;
/// Accounts `n0`, `n1` and so on, all with one password.
const PASSWORD: &str = "correct horse";

/// A folder with these accounts, and with as many lines, said a moment ago.
fn folder(accounts: usize, lines: i64) -> Folder {
    let folder = Folder::new();
    folder.run("account add n0");
    folder
        .database()
        .execute_batch(&format!(
            "BEGIN;
            INSERT INTO account SELECT value + 1, 'n' || value, 'n' || value, password, 0, since
                FROM account, (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT {accounts} - 1)
                    SELECT value FROM n) WHERE {accounts} > 1;
            INSERT INTO room VALUES (1, 'lobby', 'lobby');
            INSERT INTO line SELECT value, 1e6 * unixepoch() + value, 1, 0, 'ann',
                    'line ' || value || ' about threads, locks and channels: ' || (value % 977)
                FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT {lines})
                    SELECT value FROM n);
            COMMIT"
        ))
        .unwrap();
    folder
}

/// Ends it by a signal. It takes at most 5 s, and little work: a machine that is busy with other things does not make this
/// fail.
#[track_caller]
fn stops(server: &mut Server, what: &str) {
    assert_eq!(stops_with(server, what), Some(0), "{what}: {}", server.log());
}

/// The same; returns its exit code.
#[track_caller]
fn stops_with(server: &mut Server, what: &str) -> Option<i32> {
    let (began, work) = (Instant::now(), server.cpu_ticks());
    server.signal("TERM");
    eventually("it ends", || server.has_ended());
    let (took, work) = (began.elapsed(), server.cpu_ticks() - work);
    println!("{what}: the stop took {took:?} and {work} ticks of 10 ms");
    assert!(took < Duration::from_secs(5), "{what}: the stop took {took:?}");
    assert!(work < 300, "{what}: the stop took {work} ticks of 10 ms");
    server.exit_code()
}

/// The last line that they read says why they were hung up.
#[track_caller]
fn is_told(mut client: Client) {
    let (lines, _) = client.finds_in_its_buffer();
    let last = lines.last().map(String::as_str);
    assert_eq!(last, Some("*** Hung up: the server is shutting down."), "{}", client.name);
}

/// How many lines are indexed.
fn indexed(folder: &Folder) -> i64 {
    folder.select::<i64>("SELECT line_indexed FROM marks")[0]
}

#[test]
fn a_stop_does_not_wait_for_512_passwords() {
    let folder = folder(512, 1);
    let mut server = folder.start("--threads-max 512");
    let clients = log_in(&server, 512);
    stops(&mut server, "512 logins under way");
    clients.into_iter().for_each(is_told);
}

/// Everybody gives their password; none of them has been compared yet.
fn log_in(server: &Server, count: usize) -> Vec<Client> {
    let mut clients = server.connect_all(0..count);
    for client in &mut clients {
        client.says(&client.name.clone());
        client.says(PASSWORD);
    }
    eventually("everybody is connected, and the passwords are on their way", || {
        let names = server.thread_names();
        let is_client = |name: &&String| {
            name.strip_prefix('c')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        names.iter().filter(is_client).count() >= count
            && names.iter().any(|name| name.contains(":n"))
    });
    clients
}

#[test]
fn a_stop_does_not_wait_until_everything_is_indexed() {
    for searchers in [0, 20] {
        let folder = folder(1, UNINDEXED);
        let mut server = folder.start("");
        let mut clients = server.connect_all(1..searchers + 1);
        for client in &mut clients {
            client.asks_until(&client.name.clone(), "*** Hello");
            client.says("/search threads locks");
        }
        eventually("it has begun to index", || indexed(&folder) > 0);
        stops(&mut server, &format!("{searchers} search, and much is not indexed"));
        assert!(indexed(&folder) < UNINDEXED, "the rest is left for the next start");
        clients.into_iter().for_each(is_told);
    }
}

#[test]
fn a_stop_does_not_wait_for_another_program() {
    for (lock, is_told_before) in [("BEGIN EXCLUSIVE", false), ("BEGIN IMMEDIATE", true)] {
        let folder = folder(1, UNINDEXED);
        let mut server = folder.start("");
        let [mut alice, mut bob] = server.enter(["alice", "bob"]);
        let other = folder.database();
        other.busy_timeout(Duration::from_secs(9)).unwrap(); // the historian may be indexing
        other.execute_batch(lock).unwrap();
        alice.says("during");
        bob.says("/search during\n/history 1000");
        alice.has_read_everything(); // it was accepted
        if is_told_before {
            bob.hears_until("<alice> during");
        }
        assert_eq!(stops_with(&mut server, lock), Some(1), "what was said is not written");
        server.logs(": 1 record, a line of talk. ");
        other.execute_batch("ROLLBACK").unwrap();
        if !is_told_before {
            bob.hears_until("<alice> during");
        }
        [alice, bob].into_iter().for_each(is_told);
    }
}

/// However long that takes on a busy machine, as long as it goes on.
fn is_indexed(folder: &Folder) {
    let mut before = 0;
    while before < UNINDEXED {
        eventually("it goes on to index", || indexed(folder) > before);
        before = indexed(folder);
    }
}

// --- Questions ---

/// Two who search nothing. One is in; the other one has an account, and is asked for the password.
fn others(server: &Server) -> [Client; 2] {
    let (reader, mut owner) = (server.lets_in("reader"), server.connect("n0"));
    owner.asks_until("n0", "*** n0 is registered.");
    [reader, owner]
}

/// They ask for older lines, and give the password. What the server works until the first is answered is what that waits for,
/// and a busy machine does not add to it. (It does to the hash of the password, however soon its turn comes.)
#[track_caller]
fn are_answered_soon(server: &Server, [mut reader, mut owner]: [Client; 2]) {
    let ticks = server.cpu_ticks();
    reader.says("/history 1000");
    owner.says(PASSWORD);
    reader.hears_until("*** The last 1000 lines of lobby");
    let work = server.cpu_ticks() - ticks;
    owner.hears_until("*** Hello n0.");
    println!("{work} ticks of 10 ms until others were answered");
    assert!(work < 100, "{work} ticks of 10 ms");
}

#[test]
fn nobody_waits_for_a_search_for_which_lines_are_indexed() {
    let folder = folder(1, UNINDEXED);
    let server = folder.start("");
    let (others, mut searcher) = (others(&server), server.lets_in("searcher"));
    searcher.asks_until("/quiet on", "*** You no longer");
    searcher.says("/search threads locks 77");
    eventually("it has begun to index", || indexed(&folder) > 0);
    assert!(indexed(&folder) < UNINDEXED, "they are not asked in time");
    are_answered_soon(&server, others);
    let answer = searcher.reads().unwrap();
    assert!(answer.contains(" with threads locks 77") || answer.contains("now:"), "{answer}");
}

#[test]
fn nobody_waits_for_fifty_who_search() {
    let folder = folder(1, UNINDEXED);
    let server = folder.start("");
    let mut searchers = server.connect_all(1..51);
    for searcher in &mut searchers {
        searcher.asks_until(&searcher.name.clone(), "*** Hello");
        searcher.asks_until("/quiet on", "*** You no longer");
    }
    is_indexed(&folder);
    let others = others(&server);
    // Every line has all of these words but the last, and that one begins in many ways.
    searchers
        .iter_mut()
        .for_each(|searcher| searcher.says("/search threads and locks 1* 2* 3* 99*"));
    are_answered_soon(&server, others);
    for searcher in &mut searchers {
        let answer = searcher.reads().unwrap();
        assert!(answer.contains("threads and locks") || answer.contains("now:"), "{answer}");
    }
}

// --- Files that may not become larger ---

#[test]
fn a_file_that_may_not_become_larger_is_a_full_disk() {
    let folder = folder(1, 1);
    let command =
        after("ulimit -f 200", folder.chatd("--listen 127.0.0.1:0 --web none --flood off"));
    let mut server = Server::start_program(command);
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let long = "x".repeat(1000);
    (0..300).for_each(|i| alice.says(&format!("{i} {long}")));
    let told = bob.hears_until("*** The history has not been written since");
    assert!(told.ends_with(": the disk is full."), "{told}");
    bob.hears_until("<alice> 299");
    bob.asks_until("/history 5", "*** The last 5 lines of lobby");
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(1), "what was said is not all written");
    server.logs("(ulimit -f)");
    assert_eq!(folder.select::<String>("PRAGMA integrity_check"), ["ok"]);
}

/// Not even an account can be added; and what the log cannot take is lost, and nothing else.
#[test]
fn no_limit_on_files_ends_chatd_with_a_signal() {
    for kib in [0, 1, 4, 16, 60, 90] {
        let folder = Folder::new();
        let mut command = after(&format!("ulimit -f {kib}"), folder.chatd("account add ann"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(b"correct horse\n").unwrap();
        let ended = process.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{kib} KiB: {error}");
        assert!(error.contains("(ulimit -f)"), "{kib} KiB: {error}");
    }
    for (kib, place) in [(0, "log"), (1, "log"), (8, "log"), (1, "/dev/full")] {
        let folder = Folder::new();
        let preparation = format!("ulimit -f {kib}; exec 2>{place}");
        let mut server = Server::start_program(after(
            &preparation,
            folder.chatd("--listen 127.0.0.1:0 --web none --db none"),
        ));
        for i in 0..40 {
            server.lets_in(&format!("n{i}")); // each is some lines of log
        }
        let [mut alice, mut bob] = server.enter(["alice", "bob"]);
        alice.says("hi");
        bob.hears("<alice> hi");
        server.signal("TERM");
        assert_eq!(server.exit_code(), Some(0), "{kib} KiB for {place}");
    }
}
