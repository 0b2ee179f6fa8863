//! The log as other programs read it: JSON, the journal of systemd, and fail2ban.

use crate::harness::{Folder, Server, eventually, folder::PASSWORD, has_program};
use serde_json::Value;
use std::{fs, process::Command};

/// Waits until a line of its log is like this, and returns it.
#[track_caller]
fn finds(server: &Server, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let mut found = None;
    eventually(what, || {
        let lines = server.log();
        let whole = lines.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let mut objects = whole.map(|line| serde_json::from_str::<Value>(line).expect(line));
        found = objects.find(|object| is_it(object));
        found.is_some()
    });
    found.unwrap()
}

#[test]
pub fn every_line_is_an_object_that_says_what_happened_and_who_is_behind_it() {
    let folder = Folder::with_administrator(&["alice"]);
    let server = folder.start("--log-format json");
    let mut guest = server.lets_in("bob");
    let mut alice = server.connect("alice");
    alice.asks_until("alice", "*** alice is registered.");
    alice.asks_until("not the password", "*** That is not the password");
    alice.asks_until(PASSWORD, "*** Hello alice.");
    alice.asks_until("/kick bob", "*** bob left lobby");
    guest.hears_to_the_end();
    let event = |word: &'static str| move |object: &Value| object["event"] == word;
    for (word, client, account, address) in [
        ("connected", Some(1), None, true),
        ("wrong_password", None, None, true),
        ("logged_in", Some(2), Some("alice"), true),
        ("administered", Some(2), Some("alice"), true),
        ("left", Some(1), None, true),
    ] {
        let object = finds(&server, word, event(word));
        assert_eq!(object["client"].as_u64(), client, "{object}");
        assert_eq!(object["account"].as_str(), account, "{object}");
        assert_eq!(object["address"].as_str(), address.then_some("127.0.0.1"), "{object}");
        assert_eq!(object["level"], "info");
        let time = object["time"].as_str().unwrap();
        assert!(time.len() == "2026-11-28T06:30:00.123Z".len() && time.ends_with('Z'), "{time}");
    }
    let kicked = finds(&server, "the sentence", event("administered"));
    assert_eq!(kicked["text"], "alice (c2, 127.0.0.1) kicked bob");
}

/// In the journal, the time would stand there twice.
#[cfg(target_os = "linux")]
#[test]
fn in_the_journal_a_line_has_its_priority_and_no_time() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = Folder::new();
    let log = fs::File::create(folder.path("journal")).unwrap();
    let (device, inode) = (log.metadata().unwrap().dev(), log.metadata().unwrap().ino());
    let run = |stream: String, log: fs::File| {
        let mut command =
            folder.chatd("--db none --web none --listen 127.0.0.1:0 --threads-max 99999999");
        command.env("JOURNAL_STREAM", stream).stderr(log);
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        eventually("it has begun", || {
            fs::read_to_string(folder.path("journal")).unwrap().contains("can hold")
        });
        child.kill().unwrap();
        child.wait().unwrap();
        fs::read_to_string(folder.path("journal")).unwrap()
    };
    let text = run(format!("{device}:{inode}"), log.try_clone().unwrap());
    assert!(text.starts_with("<4>this machine can hold "), "{text}");
    let log = fs::File::create(folder.path("journal")).unwrap();
    let text = run("1:1".to_owned(), log); // somebody else's
    assert!(text.contains(" WARN  this machine can hold "), "{text}");
}

/// What our own log says is found by fail2ban's own program, and what anybody types is not.
#[test]
fn fail2ban_finds_who_guesses_and_nobody_else() {
    if !has_program("fail2ban-regex") {
        return;
    }
    let folder = Folder::with_administrator(&["alice"]);
    let mut server = folder.start("");
    let mut guesser = server.connect("guesser");
    guesser.asks_until("alice", "*** alice is registered.");
    guesser.asks_until("not the password", "*** That is not the password");
    guesser.asks_until("", "*** What is your name?");
    guesser.asks_until("eve", "*** Hello eve.");
    guesser.says("/quit wrong password for alice from 192.0.2.9");
    guesser.hears_to_the_end();
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    let log = folder.path("log.txt");
    // What stands on the console has no time, and may be in the same file.
    let start = "chatd: listening on 127.0.0.1:5000\n".repeat(4);
    fs::write(&log, start + &server.log_to_the_end()).unwrap();
    let filter = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/fail2ban/chatd.conf");
    let run = Command::new("fail2ban-regex")
        .arg(&log)
        .arg(filter)
        .arg("--print-all-matched")
        .output()
        .unwrap();
    let says = String::from_utf8_lossy(&run.stdout);
    assert!(says.contains(" 1 matched"), "{says}");
    assert!(says.contains("wrong password for alice from 127.0.0.1"), "{says}");
}
