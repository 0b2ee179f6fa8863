//! A full events channel slows its talkers down, through TCP. It does not grow, loses nothing, and `/threads` shows it.
//!
//! The fan-out of a server is never slow for long. Here the disk is: until talk is written it is not shown, and with
//! enough of it unwritten, the fan-out takes no more events.

use crate::{
    disk::on_disk,
    harness::{Client, Folder, Server, wait_for},
};
use std::{
    io::{ErrorKind, Write as _},
    thread,
    time::{Duration, Instant},
};

/// What each fsync takes, in milliseconds: well below the time for which a batch waits to be written.
const SLOW: &str = "700";

/// Reads up to a line that begins so, and checks that nothing that the talker says is missing on the way.
#[track_caller]
fn listens(listener: &mut Client, heard: &mut usize, start: &str) -> String {
    loop {
        let line = listener.reads().expect("the listener is hung up");
        if line.starts_with("<talker> ") {
            let next = format!("<talker> {heard} x");
            assert!(line.starts_with(&next), "line {heard} is missing: {line:?}");
            *heard += 1;
        }
        if line.starts_with(start) {
            return line;
        }
    }
}

#[test]
fn a_full_channel_slows_the_talker_and_loses_nothing() {
    let (folder, beside) = (Folder::new(), Folder::new());
    // For so few clients the channel has its least size, 64 events.
    let options = "--threads-max 2 --flood off --high-water 100000000 --durability full";
    let chatd = folder.chatd(&format!("--listen 127.0.0.1:0 --web none --db chatd.db {options}"));
    let well = beside.path("well");
    std::fs::write(&well, "").unwrap();
    let does = [("DISK_SLOW", SLOW), ("DISK_WELL", well.to_str().unwrap())];
    let Some(chatd) = on_disk(chatd, &folder, &does) else { return };
    let server = Server::start_program(chatd);
    let [mut listener, mut talker] = server.enter(["listener", "talker"]);
    std::fs::remove_file(&well).unwrap();

    // The talker talks until its socket takes no more: TCP has stopped it.
    talker.stream().set_nonblocking(true).unwrap();
    let (mut said, mut sent, mut lines, mut stuck) = (Vec::new(), 0, 0, None);
    while stuck.is_none_or(|since: Instant| since.elapsed() < Duration::from_millis(100)) {
        while said.len() < sent + 4096 {
            said.extend(format!("{lines} {}\n", "x".repeat(900)).as_bytes());
            lines += 1;
        }
        match talker.stream().write(&said[sent..]) {
            Ok(n) => (sent, stuck) = (sent + n, None),
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::WouldBlock);
                stuck.get_or_insert_with(Instant::now);
                thread::park_timeout(Duration::from_millis(1));
            }
        }
        assert!(sent < 200_000_000, "nothing slows the talker down");
    }

    // The window on it asks nobody, and so it still works. (For a moment after each fsync the channel has room.)
    let mut heard = 0;
    let mut shown = String::new();
    let is_full = || {
        listener.says("/threads");
        let head = listens(&mut listener, &mut heard, "*** Threads of chatd: 2 of 2 clients, ");
        let row = listens(&mut listener, &mut heard, "*** c2:talker ");
        shown = format!("{head}\n{row}");
        let is_full = head.contains("64 of 64 events") && row.contains("waiting for the channel");
        is_full.then_some(())
    };
    wait_for(is_full, || "the channel is never full".to_owned());
    println!("{shown}");
    // A client that is stopped, too, has first been answered what it asked before.
    listener.says("/help quit\nI wait, too");
    listens(&mut listener, &mut heard, "*** /quit [WHY]: ");

    // The disk is quick again, and every line arrives.
    std::fs::write(well, "").unwrap();
    talker.stream().set_nonblocking(false).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| talker.sends(&said[sent..]));
        listens(&mut listener, &mut heard, &format!("<talker> {} x", lines - 1));
    });
    assert_eq!(heard, lines);
    talker.hears_until("<listener> I wait, too");
    listener.has_read_everything();
}
