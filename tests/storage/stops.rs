//! A stop at any moment, also while the server starts, while the disk is slow or has a fault, while another
//! program has the file, and whatever clients do: it takes 5 s at most.

use crate::{
    Dice,
    disk::on_disk,
    harness::{Folder, Process, Server, eventually},
    rounds,
};
use chatd::store::{Durability, Sound, Store};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// In CI; by hand as many as CHATD_ROUNDS says.
const STOPS: usize = 20;
/// At once: most wait for the slow disk.
const AT_ONCE: usize = 4;
/// What docs/architecture.md promises.
const STOP_MAX: Duration = Duration::from_secs(5);
/// The latest moment, after the program was started: the slowest start is long over then.
const LATEST: usize = 1_500; // ms

/// What is in the way of a stop.
const TROUBLES: [&str; 4] = ["none", "a fault of the disk", "another program", "a slow disk"];

/// What one client does until it is hung up. Half of them do not read.
fn acts(address: SocketAddr, number: usize) {
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    if number.is_multiple_of(2) {
        let mut reader = stream.try_clone().unwrap();
        thread::spawn(move || while reader.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {});
    }
    let (name, line) = match number {
        0..4 => (format!("t{number}\n"), "so it goes on and on\n"),
        4 => ("s4\n".to_owned(), "/search goes\n"),
        5 => ("s5\n".to_owned(), "/history 1000\n"),
        6 => ("r6\n/register\n".to_owned(), "correct horse\n"),
        _ => ("away\n".to_owned(), "not the password\n"),
    };
    let mut say = |text: &str| stream.write_all(text.as_bytes()).is_ok();
    if say(&name) {
        for _ in 0..20_000 {
            if !say(line) {
                return;
            }
        }
    }
}

/// Starts a server, stops it at that moment, and returns how long that took, and whether something is lost.
fn stop(moment: Duration, trouble: usize, fails: usize) -> Option<(Duration, bool)> {
    let folder = Folder::with_accounts(&["away"]);
    let fails = format!("{fails}:5:ever");
    let does: &[(&str, &str)] = match trouble {
        1 => &[("DISK_FAIL", &fails)],
        3 => &[("DISK_SLOW", "2000")],
        _ => &[],
    };
    let options = "--db chatd.db --listen 127.0.0.1:0 --web none --flood off --durability full";
    let mut process = Process::start(on_disk(folder.chatd(options), &folder, does)?);
    let end = Instant::now() + moment;
    let mut other = None;
    let mut is_listening = false;
    eventually("it is time", || {
        let address = || process.printed().lines().find_map(address_in);
        if !is_listening && let Some(address) = address() {
            is_listening = true;
            (0..8).for_each(|number| drop(thread::spawn(move || acts(address, number))));
            if trouble == 2 {
                let database = folder.database();
                let _ = database.execute_batch("BEGIN IMMEDIATE");
                other = Some(database);
            }
        }
        Instant::now() >= end
    });
    let began = Instant::now();
    process.stop();
    let code = process.exit_code();
    let took = began.elapsed();
    let log = process.log_to_the_end();
    match code {
        Some(0) => {}
        Some(1) => {
            assert!(trouble > 0 && log.contains("ERROR") || log.contains("chatd.db"), "{log}");
        }
        None => assert!(!is_listening, "a signal ended it: {log}"), // it had not begun to listen for any
        Some(_) => panic!("{code:?}: {log}"),
    }
    drop(other);
    let store = Store::open(&folder.path("chatd.db"), Durability::Normal, STOP_MAX).unwrap();
    Sound::check(&store).unwrap();
    Some((took, code == Some(1)))
}

fn address_in(line: &str) -> Option<SocketAddr> {
    line.split_once("listening on ")?.1.parse().ok()
}

#[test]
fn a_stop_at_any_moment_takes_5_s_at_most() {
    let (stops, mut dice) = (rounds(STOPS), Dice(seed()));
    let moments: Vec<_> = (0..stops)
        .map(|round| (round % TROUBLES.len(), dice.roll(LATEST), 1 + dice.roll(200)))
        .collect();
    let (next, took) = (AtomicUsize::new(0), Mutex::new([const { Vec::new() }; TROUBLES.len()]));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(&(trouble, ms, fails)) = moments.get(next.fetch_add(1, Relaxed)) {
                    let moment = Duration::from_millis(ms as u64);
                    let Some(stopped) = stop(moment, trouble, fails) else { return };
                    took.lock().unwrap()[trouble].push(stopped);
                }
            });
        }
    });
    for (trouble, took) in TROUBLES.iter().zip(took.into_inner().unwrap()) {
        let late = took.iter().filter(|(took, _)| *took > STOP_MAX).count();
        let losses = took.iter().filter(|(_, loses)| *loses).count();
        let longest = took.iter().map(|(took, _)| took).max();
        println!(
            "{} stops; in the way: {trouble}; the longest took {longest:?}, {late} too long; {losses} lost something",
            took.len()
        );
        assert_eq!(late, 0, "{longest:?} with {trouble}");
    }
}

/// By hand: other moments than those of CI.
fn seed() -> u64 {
    std::env::var("CHATD_SEED").map_or(5, |seed| seed.parse().unwrap())
}

/// What was said is written, and a stop waits for nothing else: when it had the log brought into the file, which
/// takes two syncs more, it had to give up.
#[test]
fn a_stop_on_a_slow_disk_loses_nothing() {
    let folder = Folder::new();
    let well = folder.path("well");
    std::fs::write(&well, "").unwrap();
    let options = "--db chatd.db --listen 127.0.0.1:0 --web none --durability full";
    let does = [("DISK_SLOW", "1500"), ("DISK_WELL", well.to_str().unwrap())];
    let Some(command) = on_disk(folder.chatd(options), &folder, &does) else { return };
    let mut server = Server::start_program(command);
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.says("before"); // the first transaction takes more syncs than others
    bob.hears("<alice> before");
    std::fs::remove_file(well).unwrap();
    for line in ["under way", "behind it"] {
        alice.says(line);
        alice.asks_until("/help quit", "*** /quit"); // the line is accepted
    }
    let began = Instant::now();
    server.stop();
    let (code, took) = (server.exit_code(), began.elapsed());
    assert_eq!(code, Some(0), "{}", server.log());
    assert!(took < STOP_MAX, "{took:?}");
    bob.hears("<alice> under way");
    bob.hears("<alice> behind it");
    let lines: Vec<String> = folder.select("SELECT body FROM line ORDER BY id");
    assert_eq!(lines, ["before", "under way", "behind it"]);
    Sound::check(&Store::open(&folder.path("chatd.db"), Durability::Full, STOP_MAX).unwrap())
        .unwrap();
}

/// Nobody has been shown anything yet, so it waits for nothing: a new file takes seven syncs, and a large one is read.
#[test]
fn a_server_that_starts_is_stopped_at_once() {
    let folder = Folder::new();
    let command = folder.chatd("--db chatd.db --listen 127.0.0.1:0 --web none");
    let Some(command) = on_disk(command, &folder, &[("DISK_SLOW", "2000")]) else { return };
    let mut process = Process::start(command);
    eventually("it makes the file", || folder.path("chatd.db-journal").exists());
    let began = Instant::now();
    process.stop();
    assert_eq!(process.exit_code(), Some(0), "{}", process.log());
    assert!(began.elapsed() < STOP_MAX, "{:?}", began.elapsed());
    let store = Store::open(&folder.path("chatd.db"), Durability::Normal, STOP_MAX).unwrap();
    Sound::check(&store).unwrap();
}
