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

/// `from` speaks until `to` hears it: both are in the room.
fn until_heard(from: &mut Peer, to: &mut Peer) {
    to.0.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    eventually("one hears the other", || {
        from.sends("here\n");
        to.0.read(&mut [0; 4096]).is_ok()
    });
    to.0.set_read_timeout(Some(DEADLINE)).unwrap();
}

/// One never reads, one reads, one talks: more than the kernel's buffers hold for the first. When nothing has come to
/// the reader for a second and the talker is not done, `is_frozen` looks at the room; then the first one goes.
fn one_does_not_read(server: Server, is_frozen: impl FnOnce(&Server, &mut Peer)) {
    const LINES: usize = 32_000; // of 1,000 bytes
    let (mut reader, mut frozen) = (Peer::connect(&server), Peer::connect(&server));
    until_heard(&mut frozen, &mut reader); // the reader stands before the frozen one in the list
    until_heard(&mut reader, &mut frozen);
    let talker = Peer::connect(&server);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let line = format!("{}\n", "x".repeat(999));
            (0..LINES).for_each(|_| (&talker.0).write_all(line.as_bytes()).unwrap());
            is_done.store(true, SeqCst);
        });
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
        reader.0.set_read_timeout(Some(DEADLINE)).unwrap();
        is_frozen(&server, &mut reader);
        drop(frozen); // he goes, and it goes on
        scope.spawn(|| io::copy(&mut &reader.0, &mut io::sink()));
        eventually("the talker is done", || is_done.load(SeqCst));
        ends_on_ctrl_c(server);
    });
}

/// Somebody comes and speaks, and the reader hears nothing of it.
fn nobody_is_heard(server: &Server, reader: &mut Peer) {
    Peer::connect(server).sends("and I?\n");
    reader.hears_nothing();
}

#[test]
fn a_frozen_reader_freezes_everyone() {
    one_does_not_read(start("room-frozen"), nobody_is_heard);
}

#[test]
fn a_send_that_waits_freezes_the_loop() {
    one_does_not_read(start("room-blocking"), nobody_is_heard);
}

#[test]
fn without_the_lock_who_speaks_freezes() {
    one_does_not_read(start("room-released"), |server, reader| {
        let mut other = Peer::connect(server);
        other.sends("and I?\n"); // he can enter, and whoever stands before the frozen one hears him
        assert!(reader.reads_line().ends_with("> and I?\n"));
        // Now he waits for the frozen one, too, as soon as the kernel takes nothing more for that one.
        let line = format!("{}\n", "y".repeat(999));
        reader.0.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let is_frozen = (0..1000).any(|_| {
            other.sends(&line);
            reader.0.read(&mut [0; 4096]).is_err()
        });
        reader.0.set_read_timeout(Some(DEADLINE)).unwrap();
        assert!(is_frozen, "he could say everything");
        drop(other);
    });
}

#[test]
fn with_a_queue_for_each_nobody_waits_for_one_who_does_not_read() {
    let server = start("room-channel");
    let (mut frozen, mut reader) = (Peer::connect(&server), Peer::connect(&server));
    until_heard(&mut reader, &mut frozen);
    let mut talker = Peer::connect(&server);
    let mut lines = BufReader::new(&reader.0).lines();
    let block = "x".repeat(999);
    for number in 0..10_000 {
        // 10 MB in all: more than the queue and the kernel's buffers hold for the frozen one.
        talker.sends(format!("{block}\n"));
        assert!(lines.next().unwrap().unwrap().ends_with(&block), "line {number}");
    }
    frozen.ends(); // hung up
    ends_on_ctrl_c(server);
}

/// Two talk and two read: returns what each of these read, without what was said before all were there.
fn two_read(server: Server, lines: usize) -> [Vec<String>; 2] {
    let mut readers = [Peer::connect(&server), Peer::connect(&server)];
    let mut talkers = [Peer::connect(&server), Peer::connect(&server)];
    for reader in &mut readers {
        until_heard(&mut talkers[0], reader);
    }
    let read = thread::scope(|scope| {
        for (talker, name) in talkers.iter().zip(["ann", "ben"]) {
            scope.spawn(move || {
                (0..lines / 2).for_each(|n| {
                    (&talker.0).write_all(format!("{name} {n}\n").as_bytes()).unwrap()
                });
            });
        }
        let reading = readers.each_mut().map(|reader| {
            scope.spawn(move || {
                let said = BufReader::new(&reader.0)
                    .lines()
                    .map(Result::unwrap)
                    .filter(|line| !line.contains("here"));
                said.take(lines).collect()
            })
        });
        reading.map(|thread| thread.join().unwrap())
    });
    ends_on_ctrl_c(server);
    read
}

#[test]
fn without_the_lock_two_readers_read_two_orders() {
    eventually("two orders", || {
        let [one, other] = two_read(start("room-released"), 1000);
        one != other
    });
}

#[test]
fn one_channel_makes_one_order_and_so_does_one_lock() {
    for name in ["room-channel", "room-frozen"] {
        let [one, other] = two_read(start(name), 1000);
        assert_eq!(one, other, "{name}");
    }
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
