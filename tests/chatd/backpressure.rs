//! A full events channel slows its talkers down, through TCP. It does not grow, loses nothing, and `/threads` shows it.
//!
//! The fan-out of a server is never slow for long. Here somebody else has locked the database: until talk is written it is
//! not shown, and with enough of it unwritten, the fan-out takes no more events. That lasts for two seconds at most.

use crate::harness::Folder;
use std::{
    io::{ErrorKind, Write as _},
    thread,
    time::{Duration, Instant},
};

#[test]
fn a_full_channel_slows_the_talker_and_loses_nothing() {
    let folder = Folder::new();
    // For so few clients the channel has its least size, 64 events.
    let server = folder.start("--threads-max 2 --flood off --high-water 100000000");
    let [mut listener, mut talker] = server.enter(["listener", "talker"]);
    let database = folder.database();
    database.execute_batch("BEGIN EXCLUSIVE").unwrap();

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

    // The window on it asks nobody, and so it still works.
    listener.asks("/threads", "*** Threads of chatd: 2 of 2 clients, 64 of 64 events waiting");
    let row = listener.hears_until("*** c2:talker ");
    assert!(row.contains("waiting for the channel"), "{row:?}");
    // A client that is stopped, too, has first been answered what it asked before.
    listener.asks("/help quit\nI wait, too", "*** /quit [WHY]: {…}");

    // The file is free again, and every line arrives.
    database.execute_batch("ROLLBACK").unwrap();
    talker.stream().set_nonblocking(false).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| talker.sends(&said[sent..]));
        for i in 0..lines {
            let line = listener.reads().unwrap();
            assert!(line.starts_with(&format!("<talker> {i} x")), "line {i} is missing: {line:?}");
        }
    });
    talker.hears("<listener> I wait, too");
    listener.hears_nothing();
}
