//! `/demo`: an administrator shows a class a trouble. It ends by itself, and harms nobody's connection.

use crate::harness::{Client, Folder, Server, eventually};
use std::time::{Duration, Instant};

const PASSWORD: &str = "correct horse";

/// A folder in which boss is an administrator.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.run("account add boss");
    folder.run("account promote boss");
    folder
}

/// Boss is here, and reads no line about who comes and goes.
fn lets_boss_in(server: &Server) -> Client {
    let mut boss = server.connect("boss");
    boss.says(&format!("boss\n{PASSWORD}\n/quiet on"));
    boss.hears_until("*** You no longer read who comes and goes.");
    boss
}

/// Boss shows this, and nothing speaks against it. Returns what they read before: on a slow machine, that another one is over.
#[track_caller]
fn shows(boss: &mut Client, name: &str) -> Vec<String> {
    boss.says(&format!("/demo {name}"));
    let (mut before, mut line) = (Vec::new(), boss.reads().unwrap());
    while line.starts_with("*** End of the demonstration") {
        before.push(std::mem::replace(&mut line, boss.reads().unwrap()));
    }
    assert!(line.starts_with("*** A demonstration: ") && line.ends_with(" (boss)."), "{line}");
    before
}

/// A line of ann's, again and again, until all of these are over; bob reads each, in its order, and so does boss.
/// Returns what boss read besides, behind what they had read before.
fn ann_talks_until(
    over: usize,
    [boss, ann, bob]: [&mut Client; 3],
    mut told: Vec<String>,
) -> Vec<String> {
    let mut number = 0;
    let (is_end, began) =
        (|line: &String| line.starts_with("*** End of the demonstration"), Instant::now());
    while told.iter().filter(|line| is_end(line)).count() < over {
        assert!(began.elapsed() < Duration::from_mins(1), "they do not end: {told:#?}");
        number += 1;
        let line = format!("<ann> line {number}");
        ann.says(&format!("line {number}"));
        assert_eq!(bob.hears_until("<ann>"), line);
        loop {
            match boss.reads() {
                Some(other) if other != line => told.push(other),
                read => break assert!(read.is_some(), "boss is thrown out: {told:#?}"),
            }
        }
    }
    told
}

#[test]
fn every_demonstration_ends_by_itself_and_harms_nobodys_connection() {
    let folder = folder();
    let server = folder.start("--demo --threads-max 256 --flood off");
    let mut boss = lets_boss_in(&server);
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    // All at once, or the test would take half a minute. While the registry is held, no puppet can be let in.
    // The panic is the last, for it is over at once, and nothing is awaited after it.
    let all = ["freeze", "flood", "joins", "logins", "outbox", "registry", "panic"];
    let before = all.iter().flat_map(|name| shows(&mut boss, name)).collect();
    let told = ann_talks_until(all.len(), [&mut boss, &mut ann, &mut bob], before);
    for outcome in [
        "the registry was held for 3.0 s. ",
        "nobody read anything meanwhile. ",
        "every other client is still here. ",
        "fifty passwords were compared in ",
        "demo-frozen read nothing, and was hung up after ",
        "with the limit ",
        "a hundred clients came within ",
    ] {
        assert!(told.iter().any(|line| line.contains(outcome)), "{outcome}: {told:#?}");
    }
    // It is over when all are compared, or else after 10 s.
    for impossible in [": 0 of fifty", ": 50 of fifty", ": fifty passwords were compared in 10."] {
        assert!(told.iter().all(|line| !line.contains(impossible)), "{impossible}: {told:#?}");
    }
    // What a puppet says is shown and not kept, and what was done is.
    let talk = "SELECT count(*) FROM line WHERE author LIKE 'demo-%'";
    assert_eq!(folder.select::<i64>(talk), [0]);
    let audit = folder.select::<String>("SELECT by || ' ' || what FROM audit");
    assert!(audit.contains(&"boss showed freeze".to_owned()), "{audit:?}");
}

#[test]
fn what_lasts_is_told_to_who_comes_later_and_is_stopped_by_a_word() {
    let folder = folder();
    let server = folder.start("--demo --threads-max 64");
    let mut boss = lets_boss_in(&server);
    boss.asks(
        "/demo slow",
        "*** A demonstration: the fan-out waits 200 ms between its steps (boss).",
    );
    boss.asks("/demo slow", "*** That is being shown now. /demo stop ends it.");
    boss.says("/demo");
    assert!(boss.hears_until("***   slow ").ends_with(" (now)"));
    boss.says("/demo disk 50");
    boss.hears("*** A demonstration: the disk takes 50 ms more for each batch, {…} (boss).");
    let mut ann = server.connect("ann");
    ann.says("ann");
    ann.hears_until("*** A demonstration is under way: slow motion.");
    ann.hears("*** A demonstration is under way: slow disk.");
    boss.says("/demo stop");
    for _ in 0..2 {
        boss.hears_until("*** The demonstration is stopped: slow ");
    }
    boss.asks("/demo stop", "*** Nothing is being shown.");
    let mut bob = server.connect("bob");
    bob.says("bob");
    bob.hears_until("*** Hello bob.");
    bob.hears("*** You are in lobby with {…}");
}

#[test]
fn a_demonstration_leaves_places_free_and_is_for_administrators_alone() {
    let folder = folder();
    let server = folder.start("--demo --threads-max 36");
    let mut boss = lets_boss_in(&server);
    let mut ann = server.lets_in("ann");
    ann.has_read_everything();
    ann.asks("/demo panic", "*** That is for administrators.");
    let full = "*** That takes 100 places, and 32 have to stay free for people: 34 are free.";
    boss.says("/demo joins");
    assert_eq!(boss.hears_until("*** That"), full);
    boss.asks("/demo panic 3", "*** /demo panic takes no number.");
    boss.asks("/demo disk 2001", "*** /demo disk: 1 to 2000 ms.");
    boss.asks("/demo xyzzy", "*** There is freeze, flood, panic, {…}");
    let question = "*** boss asks: Who is thrown out when one client's thread panics? (A) {…}; (B) {…}; (C) everybody?";
    boss.asks("/demo ask panic", question);
    ann.hears_until("*** boss asks: Who is thrown out");
    let plain = folder_without_demo();
    let mut carl = plain.1.lets_in("carl");
    carl.asks_until("/demo", "*** There is no command /demo.");
}

/// Nothing would be seen, and the outcome that is told would be wrong.
#[test]
fn what_has_no_passwords_and_no_disk_is_not_shown_with_them() {
    let server = Server::start("--demo --instructor --anonymous");
    let mut boss = server.connect("boss");
    boss.hears_until("*** You are in lobby");
    let code = format!("/instructor {}", server.pairing_code());
    boss.asks_until(&code, "*** You are an instructor");
    boss.asks("/demo logins", "*** Nobody has a password here: --anonymous.");
    boss.asks("/demo disk", "*** There is no disk to be slow: --db none.");
}

/// Each would leave enough places free, and both together would not.
#[test]
fn two_demonstrations_at_once_leave_places_free_too() {
    let folder = folder();
    let server = folder.start("--demo --threads-max 160");
    let mut boss = lets_boss_in(&server);
    // One after the other: an announcement may come later than the answer to the next command. Those that join wait for
    // the registry, and are no people meanwhile.
    shows(&mut boss, "registry");
    shows(&mut boss, "joins");
    eventually("a hundred and boss have a thread", || {
        server.thread_names().iter().filter(|name| is_clients(name)).count() > 100
    });
    shows(&mut boss, "panic");
    boss.says("/demo logins");
    boss.hears_until("*** That takes 50 places, and 32 have to stay free for people: ");
    boss.says("/demo stop");
    boss.hears_until("*** The demonstration is stopped: 100 join.");
    let mut ann = server.connect("ann");
    ann.asks_until("ann", "*** Hello ann.");
}

/// `c7:demo-1`.
fn is_clients(thread: &str) -> bool {
    thread
        .strip_prefix('c')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

fn folder_without_demo() -> (Folder, Server) {
    let folder = Folder::new();
    let server = folder.start("");
    (folder, server)
}

#[test]
fn a_demonstration_does_not_hold_up_a_stop() {
    let folder = folder();
    let mut server = folder.start("--demo --threads-max 256");
    let mut boss = lets_boss_in(&server);
    for name in ["joins", "flood", "freeze", "registry", "disk 2000"] {
        shows(&mut boss, name);
    }
    let began = Instant::now();
    server.signal("TERM");
    eventually("it ends", || server.has_ended());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(server.exit_code(), Some(0));
}
