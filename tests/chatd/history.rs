//! What is shown is kept: after `kill -9`, on a full disk, beside another process, with a file that is damaged.

use crate::harness::{Client, Folder, Program, Server, eventually, operate};
use chatd::{
    core::record::{AccountId, Found, PastLine, Query},
    store::{Durability, Store},
};
use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

/// Rounds of the killing test in CI. More by hand: see docs/operations.md.
const KILLS: usize = 12;

// --- kill -9 ---

/// Rounds on one file; the mailbox would hold two messages of each.
const ROUNDS_OF_A_FILE: usize = 25;
/// Lines of one talker in a round, at most.
const LINES_MAX: usize = 5_000;

/// Two rooms, two talkers and a listener for each; one who writes private messages, and mail. Talk at full speed until enough was heard; then `kill -9`.
/// Whatever anybody read is in the file: each line once, in the order it was read.
#[test]
pub fn what_anybody_was_shown_is_there_after_kill_9() {
    let rounds = std::env::var("CHATD_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let folder = Folder::new("kill");
    let (mut lines, mut private, mut mail) = (0, 0, 0);
    for round in 0..rounds {
        // A new file now and then, or a thousand rounds would be spent in reading what the others wrote.
        let db = folder.path(&format!("chatd-{}.db", round / ROUNDS_OF_A_FILE));
        if round % ROUNDS_OF_A_FILE == 0 {
            operate(&db, &["account", "add", "away"], "correct horse\n");
        }
        let shown = talk_until_killed(&db, round);
        let store =
            &mut Store::open(Path::new(&db), Durability::Normal, Duration::from_secs(5)).unwrap();
        for room in ["lobby", "math"] {
            let kept = kept_in(store, room);
            let place: HashMap<&str, usize> =
                kept.iter().enumerate().map(|(i, line)| (&**line, i)).collect();
            assert_eq!(place.len(), kept.len(), "round {round}: a line is in {room} twice");
            for (listener, heard) in shown.rooms.iter().filter(|(of, _)| of == room) {
                let places: Vec<usize> = heard
                    .iter()
                    .map(|line| {
                        *place.get(&**line).unwrap_or_else(|| {
                            panic!(
                                "round {round}: {listener} was shown {line:?}, which is not kept"
                            )
                        })
                    })
                    .collect();
                assert!(
                    places.is_sorted(),
                    "round {round}: {room} is kept in another order than it was shown"
                );
                lines += places.len();
            }
        }
        for (reader, heard) in &shown.private {
            let kept = private_lines(&db);
            for line in heard {
                assert!(
                    kept.contains(line),
                    "round {round}: {reader} was shown {line:?}, which is not kept: {kept:?}"
                );
            }
            private += heard.len();
        }
        let waiting = mailbox(store);
        for line in &shown.mail {
            assert!(
                waiting.contains(line),
                "round {round}: {line:?} was said to be kept, and is not"
            );
        }
        mail += shown.mail.len();
    }
    println!(
        "{rounds} kills: {lines} lines, {private} private ones and {mail} messages were shown, and all are kept"
    );
    assert!(
        lines > 100 * rounds && private > 0 && mail > 0,
        "too little was shown for this to say anything"
    );
}

/// What people were shown before the server was killed.
struct Shown {
    /// Of rooms.
    rooms: Vec<(String, Vec<String>)>,
    /// By its reader.
    private: Vec<(String, Vec<String>)>,
    /// Words of messages that were said to be kept.
    mail: Vec<String>,
}

fn talk_until_killed(db: &str, round: usize) -> Shown {
    let server = Server::start(&["--db", db, "--flood", "off", "--backlog-lines", "0"]);
    let [mut ann, mut bea, mut cat, mut lis, mut len] =
        server.enter(["ann", "bea", "cat", "lis", "len"]);
    for (client, room) in [(&mut cat, "math"), (&mut len, "math"), (&mut bea, "desk")] {
        client.says(&format!("/join {room}"));
        client.hears_until(&format!("*** You are in {room}"));
    }
    lis.has_read_everything();
    let (heard, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let enough = 200 + 37 * (round % 11);
    let (mut rooms, mut private, mut mail) = (Vec::new(), Vec::new(), Vec::new());
    thread::scope(|scope| {
        for (talker, room_lines) in [(&mut ann, true), (&mut cat, true), (&mut bea, false)] {
            let mut writer = talker.stream().try_clone().unwrap();
            scope.spawn(move || {
                for i in 0..LINES_MAX {
                    let line = match (room_lines, i % 2) {
                        (true, _) => format!("{round}.{i}\n"),
                        (false, 0) => format!("/msg lis {round}.{i}\n"),
                        (false, _) => format!("/msg away {round}.{i}\n/msg lis bulk {round}.{i}\n"),
                    };
                    // Mail is bounded, so only the first of them are.
                    let line = if i > 4 { line.replace("/msg away", "/msg lis") } else { line };
                    if std::io::Write::write_all(&mut writer, line.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
        let (heard, answered) = (&heard, &answered);
        let listeners =
            [scope.spawn(|| read_all(&mut lis, heard)), scope.spawn(|| read_all(&mut len, heard))];
        let writer = scope.spawn(|| read_all(&mut bea, answered));
        for talker in [&mut ann, &mut cat] {
            scope.spawn(|| while talker.reads_whole().is_some() {});
        }
        eventually("enough is heard, and answered", || {
            heard.load(Ordering::Relaxed) > enough
                && answered.load(Ordering::Relaxed) > 3 + round % 7
        });
        crate::harness::kill("KILL", server.pid());
        for (listener, room) in listeners.into_iter().zip(["lobby", "math"]) {
            let lines = listener.join().unwrap();
            let told: Vec<String> = lines
                .iter()
                .filter_map(|line| line.strip_prefix("[from bea] "))
                .map(str::to_owned)
                .collect();
            rooms.push((
                room.to_owned(),
                lines.into_iter().filter(|line| line.starts_with('<')).collect(),
            ));
            private.push(("lis".to_owned(), told));
        }
        let lines = writer.join().unwrap();
        // The answers come in the order of the questions: the messages that were kept are the first of those.
        let kept = lines.iter().filter(|line| line.contains("your message is kept")).count();
        mail = [1, 3].into_iter().take(kept).map(|i| format!("{round}.{i}")).collect();
    });
    Shown { rooms, private, mail }
}

/// Reads until the server is gone, and counts along.
fn read_all(client: &mut Client, heard: &AtomicUsize) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(line) = client.reads_whole() {
        heard.fetch_add(1, Ordering::Relaxed);
        lines.push(line);
    }
    lines
}

fn kept_in(store: &mut Store, room: &str) -> Vec<String> {
    let query = Query::Older {
        room: room.to_owned(),
        account: None,
        before: i64::MAX,
        since: None,
        most: 10_000_000,
    };
    lines(store.find(&query).unwrap())
        .into_iter()
        .map(|line| line.text.trim_end().to_owned())
        .collect()
}

/// What bea said in private, to whomever. (The readers have no accounts, so only the file itself has it.)
fn private_lines(db: &str) -> HashSet<String> {
    let file = rusqlite::Connection::open(db).unwrap();
    let mut bodies = file.prepare("SELECT body FROM private WHERE author = 'bea'").unwrap();
    bodies.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn mailbox(store: &mut Store) -> Vec<String> {
    let away: AccountId =
        store.remembered(1, 1).unwrap().accounts.iter().find(|a| a.name == "away").unwrap().id;
    let mail = lines(store.find(&Query::Mail(away)).unwrap());
    mail.iter()
        .map(|line| line.text.trim_end().trim_start_matches("[from bea] ").to_owned())
        .collect()
}

fn lines(found: Found) -> Vec<PastLine> {
    match found {
        Found::Lines(lines) => lines,
        other => panic!("{other:?}"),
    }
}

// --- Files that cannot be used ---

#[test]
fn a_second_server_on_the_same_file_is_refused() {
    let folder = Folder::new("second");
    let db = folder.path("chatd.db");
    let _first = Server::start(&["--db", &db]);
    let second = Command::new(Program::current().path())
        .args(["--listen", "127.0.0.1:0", "--db", &db])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains(&db) && said.contains("another"), "{said}");
}

#[test]
fn a_file_that_is_damaged_is_left_alone_and_the_chat_goes_on() {
    let folder = Folder::new("damaged");
    let db = folder.path("chatd.db");
    fs::write(&db, b"this is no database, and somebody may want it back").unwrap();
    let server = Server::start(&["--db", &db]);
    server.logs("is not written");
    let [mut alice, mut bob] = server.enter_in_trouble(["alice", "bob"]);
    alice.says("hi");
    bob.hears_until("<alice> hi");
    alice.says("/register correct horse");
    alice.hears_until("*** Your name is not kept:");
    assert_eq!(fs::read(&db).unwrap(), b"this is no database, and somebody may want it back");

    // The operator takes it away: history begins, and everybody is told.
    fs::rename(&db, folder.path("away.db")).unwrap();
    alice.hears_until("*** The history is written again");
    bob.hears_until("*** The history is written again");
    alice.says("/register correct horse");
    alice.hears_until("*** alice is yours from now on.");
}

#[test]
fn a_locked_file_is_told_once_and_nothing_is_missing_afterwards() {
    let folder = Folder::new("locked");
    let db = folder.path("chatd.db");
    let server = Server::start(&["--db", &db]);
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.says("before");
    bob.hears("<alice> before");
    let other = rusqlite::Connection::open(&db).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    alice.says("during");
    bob.says("/who"); // is not talk, and does not wait
    bob.hears("*** 2 in lobby:");
    bob.hears_until("<alice> during");
    bob.hears("*** The history is not written since{…}");
    let told = alice.hears_until("*** The history is not written since");
    assert!(told.contains("locked by another program"), "{told}");
    alice.says("more");
    bob.hears("<alice> more");
    other.execute_batch("ROLLBACK").unwrap();
    bob.hears("*** The history is written again; nothing is missing.");
    drop(server);
    let store =
        &mut Store::open(Path::new(&db), Durability::Normal, Duration::from_secs(5)).unwrap();
    assert_eq!(kept_in(store, "lobby"), ["<alice> before", "<alice> during", "<alice> more"]);
}

/// A small disk of its own, taken away at the end.
struct SmallDisk(Folder);

impl SmallDisk {
    /// `None`, said loudly: only root may mount one.
    fn mount(test: &str) -> Option<SmallDisk> {
        let folder = Folder::new(test);
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=600k", "none", &folder.path("")])
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(SmallDisk(folder));
        }
        assert!(std::env::var("CI").is_err(), "{test} needs root, to mount a small disk");
        println!("SKIPPED {test}: only root may mount a small disk");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", &self.0.path("")]).status();
    }
}

#[test]
fn a_full_disk_is_told_once_and_the_chat_goes_on_and_recovers() {
    let Some(disk) = SmallDisk::mount("a_full_disk") else { return };
    let (db, filler) = (disk.0.path("chatd.db"), disk.0.path("filler"));
    let mut server = Server::start(&["--db", &db, "--flood", "off"]);
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.says("before");
    bob.hears("<alice> before");
    // Whatever is left is taken; and then some talk more, for the log that has room already.
    let _ = fs::write(&filler, vec![0; 600 * 1024]);
    let long = "x".repeat(1000);
    let mut said = 0;
    let told = loop {
        alice.says(&format!("{said} {long}"));
        said += 1;
        assert!(said < 2_000, "the disk is never full");
        match bob.reads().unwrap() {
            line if line.starts_with("*** The history is not written since") => break line,
            line => assert!(line.starts_with("<alice> "), "{line}"),
        }
    };
    assert!(told.contains("full"), "{told}");
    alice.says("during");
    bob.hears_until("<alice> during");
    assert!(server.is_running());
    fs::remove_file(&filler).unwrap();
    let back = bob.hears_until("*** The history is written again");
    assert!(back.ends_with("nothing is missing."), "{back}");
    drop(server);
    let store =
        &mut Store::open(Path::new(&db), Durability::Normal, Duration::from_secs(5)).unwrap();
    let kept = kept_in(store, "lobby");
    assert_eq!((kept.len(), kept.last().map(|line| &**line)), (said + 2, Some("<alice> during")));
}

// --- Time ---

#[test]
fn old_lines_are_pruned() {
    let folder = Folder::new("prune");
    let db = folder.path("chatd.db");
    let server = Server::start(&["--db", &db]);
    let [mut alice] = server.enter(["alice"]);
    alice.says("long ago");
    alice.has_read_everything();
    drop(server);
    let other = rusqlite::Connection::open(&db).unwrap();
    let two_days = 2 * 24 * 60 * 60 * 1_000_000_i64;
    other.execute("UPDATE line SET at = at - ?1", [two_days]).unwrap();
    drop(other);
    let server = Server::start(&["--db", &db, "--history-days", "1"]);
    let [mut alice] = server.enter_in_trouble(["alice"]);
    eventually("the line is forgotten on disk", || {
        alice.says("/search long");
        alice.hears_until("*** ").starts_with("*** Nothing with long was said")
    });
}
