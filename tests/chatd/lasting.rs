//! What lasts is told to whoever comes later: that nothing is written, that nobody can prove who they are, that the server
//! is about to stop.

use crate::harness::Folder;
use std::fs;

#[test]
pub fn while_accounts_cannot_be_read_names_are_marked_and_everybody_is_told() {
    const DAMAGED: &[u8] = b"this is no database, and somebody may want it back";
    let folder = Folder::with_administrator(&["teacher"]);
    let [good, away] = ["chatd.db", "away.db"].map(|name| folder.path(name));
    fs::rename(&good, &away).unwrap();
    fs::write(&good, DAMAGED).unwrap();

    let server = folder.start("");
    let mut mallory = server.connect("mallory");
    mallory.asks_until("teacher", "*** Hello teacher."); // and no password is asked for
    let told = mallory.hears_until("*** The history has not been written since");
    assert!(told.ends_with(": its file is damaged."), "{told}");
    mallory.hears("*** No password can be read now, so nobody can prove who they are. You are shown as teacher?.");
    let mut bob = server.lets_in("bob");
    bob.hears_until("*** No password can be read now");
    bob.hears("*** You are in lobby with teacher?.");
    bob.has_read_everything();
    mallory.says("your passwords, please");
    bob.hears("<teacher?> your passwords, please");
    bob.asks_until("/msg teacher it is 1234", "*** Nobody knows whether that is teacher");
    mallory.asks_until("/kick bob", "*** That is for administrators.");
    bob.asks_until("/history 5", "*** Older lines cannot be read now: its file is damaged.");
    bob.hears("*** The last 1 line of lobby (times are {…}):");
    bob.hears("({…}) <teacher?> your passwords, please");

    // The operator puts a copy in its place.
    fs::rename(&away, &good).unwrap();
    bob.hears_until("*** Passwords can be read again.");
    bob.hears_until("*** The history is written again;");
    mallory.hears_until("*** teacher is registered, so you are still shown as teacher?.");
    let mut carol = server.lets_in("carol");
    carol.hears("*** You are in lobby with bob, teacher?.");
    let _teacher = server.logs_in("teacher");
    mallory.hears_until("*** Hung up:");
    carol.hears_until("*** teacher entered lobby");
    carol.asks_until("/names", "*** lobby (3): bob, carol, @teacher");
}

#[test]
pub fn a_file_that_can_be_read_and_not_written_leaves_nobody_unchecked() {
    let folder = Folder::with_accounts(&["anna"]);
    let server = folder.start("");
    let [mut alice] = server.enter(["alice"]);
    let other = folder.database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    alice.says("during");
    alice.hears_until("*** The history has not been written since");
    let mut bob = server.lets_in("bob");
    let told = bob.hears_until("*** The history has not been written since");
    assert!(told.ends_with("its file is locked by another program."), "{told}");
    bob.hears("*** You are in lobby with alice.");
    let _anna = server.logs_in("anna");
    // What is not written yet is not forgotten meanwhile.
    bob.asks_until("/search during", "*** The newest 1 line of lobby with during");
    other.execute_batch("ROLLBACK").unwrap();
    bob.hears_until("*** The history is written again; nothing is missing.");
}

/// As an operator's `sqlite3` has it that looks around.
#[test]
fn another_program_that_has_the_deleted_file_open_holds_nothing_up() {
    for is_copied_back in [false, true] {
        let folder = Folder::new();
        let server = folder.start("");
        let [mut alice, mut bob] = server.enter(["alice", "bob"]);
        let [file, copy] = ["chatd.db", "copy.db"].map(|name| folder.path(name));
        let other = folder.database();
        other.execute("VACUUM INTO ?1", [copy.to_str()]).unwrap();
        alice.says("before");
        bob.hears_until("<alice> before");
        fs::remove_file(&file).unwrap();
        if is_copied_back {
            fs::rename(&copy, &file).unwrap();
        }
        alice.says("after");
        bob.hears_until("*** The history has not been written since");
        let told = bob.hears_until("*** The history is written again;");
        assert!(told.ends_with(" is missing."), "{told}");
        let lines = "SELECT group_concat(body) FROM line";
        let found: String = folder.database().query_row(lines, [], |row| row.get(0)).unwrap();
        assert_eq!(found, "after");
        drop(other);
    }
}

#[test]
pub fn who_comes_before_a_shutdown_is_told() {
    let folder = Folder::with_administrator(&["teacher"]);
    let server = folder.start("");
    let mut teacher = server.logs_in("teacher");
    teacher.asks_until("/shutdown 3000", "*** teacher shuts the server down in 3000 s.");
    let mut bob = server.lets_in("bob");
    let told = bob.reads().unwrap();
    let left =
        told.strip_prefix("*** The server stops in ").and_then(|rest| rest.strip_suffix(" s."));
    let left: u64 = left.unwrap_or_else(|| panic!("{told}")).parse().unwrap();
    assert!((2900..3000).contains(&left), "{told}");
    teacher.asks_until("/shutdown off", "*** teacher called the shutdown off.");
    let mut carol = server.lets_in("carol");
    carol.hears("*** You are in lobby with {…}.");
}
