//! Step 11: a chat room on threads, and what goes wrong first. Each flaw is asserted: these tests pass as long as the
//! programs are wrong.

use super::harness::*;
use std::{
    io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

/// Lets two talk to a third one at full speed, and gives `is_enough` what he reads, line by line.
fn two_talk(server: Server, mut is_enough: impl FnMut(&str) -> bool) {
    let mut lines = BufReader::new(Peer::connect(&server).0).lines();
    let talkers = [Peer::connect(&server), Peer::connect(&server)];
    thread::scope(|scope| {
        for talker in &talkers {
            scope.spawn(|| while (&talker.0).write_all(b"a whole line\n").is_ok() {});
            scope.spawn(|| io::copy(&mut &talker.0, &mut io::sink()));
        }
        let end = Instant::now() + DEADLINE;
        while !is_enough(&lines.next().expect("they talk").unwrap()) {
            assert!(Instant::now() < end, "it does not happen");
        }
        drop(server); // the talkers see it, and end
    });
}

fn is_whole(line: &str) -> bool {
    let number = line.strip_prefix("<c").and_then(|rest| rest.strip_suffix("> a whole line"));
    number.is_some_and(|number| number.parse::<u64>().is_ok())
}

#[test]
fn two_threads_tear_a_line() {
    two_talk(start("room-torn"), |line| !is_whole(line));
}

#[test]
fn under_one_lock_no_line_is_torn() {
    let mut read = 0;
    two_talk(start("room-frozen"), |line| {
        assert!(is_whole(line), "{line:?}");
        read += 1;
        read == 5000
    });
}

#[test]
fn a_frozen_reader_freezes_everyone() {
    const LINES: usize = 32_000; // of 1,000 bytes: more than the kernel's buffers hold for the frozen one
    let server = start("room-frozen");
    let (mut frozen, mut reader) = (Peer::connect(&server), Peer::connect(&server));
    // Both are in the room when each hears the other.
    for (from, to) in [(0, 1), (1, 0)] {
        let mut both = [&mut frozen, &mut reader];
        eventually("one hears the other", || {
            both[from].sends("here\n");
            both[to].0.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            both[to].0.read(&mut [0; 4096]).is_ok()
        });
    }
    let talker = Peer::connect(&server);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let line = format!("{}\n", "x".repeat(999));
            (0..LINES).for_each(|_| (&talker.0).write_all(line.as_bytes()).unwrap());
            is_done.store(true, SeqCst);
        });
        // The reader reads all that comes, until nothing does for a second.
        reader.0.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut bytes = [0; 64 * 1024];
        let silence = loop {
            match reader.0.read(&mut bytes) {
                Ok(n) => assert_ne!(n, 0),
                Err(e) => break e,
            }
        };
        assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
        assert!(!is_done.load(SeqCst), "the talker could say everything: nobody is frozen");
        drop(frozen); // he goes, and it goes on
        reader.0.set_read_timeout(Some(DEADLINE)).unwrap();
        scope.spawn(|| io::copy(&mut &reader.0, &mut io::sink()));
        eventually("the talker is done", || is_done.load(SeqCst));
        ends_on_ctrl_c(server);
    });
}

#[test]
fn a_name_taken_twice() {
    let server = start("room-names");
    let mut both = [Peer::connect(&server), Peer::connect(&server)];
    for person in &mut both {
        person.reads("Your name?\n");
        person.sends("ann\n");
        person.reads("ann is free. Do you want it? (yes)\n");
    }
    for person in &mut both {
        person.sends("yes\n");
        person.reads("You are ann. Return leaves.\n");
    }
    let mut third = Peer::connect(&server);
    third.reads("Your name?\n");
    third.sends("ann\n");
    third.reads("ann is taken.\n"); // who comes later is not fooled
    drop(third);
    ends_on_ctrl_c(server);
}
