//! Step 11: a chat room on threads, and what goes wrong first. Each flaw is asserted: these tests pass as long as the
//! programs are wrong.

use crate::{floods, harness::*, start};
use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::Shutdown,
    process::Command,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

/// Lets two talk to a third one at full speed, and gives `is_enough` what the third one reads, line by line.
fn two_talk(server: Server, mut is_enough: impl FnMut(&str) -> bool) {
    let mut reader = server.connect("reader");
    let talkers = server.connect_all(0..2);
    thread::scope(|scope| {
        for mut stream in talkers.iter().map(Client::stream) {
            scope.spawn(move || while stream.write_all(b"a whole line\n").is_ok() {});
            scope.spawn(move || io::copy(&mut stream, &mut io::sink()));
        }
        let end = Instant::now() + DEADLINE;
        while !is_enough(&reader.reads().expect("they talk")) {
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
    let mut lines = 0;
    two_talk(start("room-torn"), |line| {
        lines += 1;
        println!("line {lines}: {line}");
        !is_whole(line)
    });
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
fn until_heard(from: &mut Client, to: &mut Client) {
    eventually("one hears the other", || {
        from.says("here");
        thread::park_timeout(Duration::from_millis(5)); // it takes a moment to arrive
        to.has_unread()
    });
}

/// Reads for as long as something comes at least once a second.
fn reads_until_silence(reader: &Client) {
    let mut stream = reader.stream();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut bytes = vec![0; 64 * 1024];
    let silence = loop {
        match stream.read(&mut bytes) {
            Ok(n) => assert_ne!(n, 0),
            Err(e) if e.kind() == ErrorKind::Interrupted => {} // the machine was stopped meanwhile
            Err(e) => break e.kind(),
        }
    };
    assert!(matches!(silence, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
}

/// One never reads, one reads, one talks: more than the kernel's buffers hold for the first. When nothing has come to
/// the reader for a second and the talker is not done, `is_frozen` looks at the room; then the first one goes.
fn one_does_not_read(mut server: Server, is_frozen: impl FnOnce(&Server, &mut Client)) {
    const LINES: usize = 32_000; // of 1,000 bytes
    let [mut reader, mut frozen] = ["reader", "frozen"].map(|name| server.connect(name));
    until_heard(&mut frozen, &mut reader); // the reader stands before the frozen one in the list
    until_heard(&mut reader, &mut frozen);
    let mut talker = server.connect("talker");
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let line = "x".repeat(999);
            (0..LINES).for_each(|_| talker.says(&line));
            is_done.store(true, SeqCst);
        });
        reads_until_silence(&reader);
        assert!(!is_done.load(SeqCst), "the talker could say everything: nobody is frozen");
        is_frozen(&server, &mut reader);
        drop(frozen); // it goes, and the others go on
        scope.spawn(|| io::copy(&mut reader.stream(), &mut io::sink()));
        eventually("the talker is done", || is_done.load(SeqCst));
        server.ends_on_ctrl_c();
    });
}

/// Somebody comes and speaks, and the reader hears nothing of it.
fn nobody_is_heard(server: &Server, reader: &mut Client) {
    server.connect("other").says("and I?");
    reader.hears_nothing_for_now();
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
fn without_the_lock_one_that_speaks_freezes() {
    one_does_not_read(start("room-released"), |server, reader| {
        let mut other = server.connect("other");
        other.says("and I?"); // it can enter, and whoever stands before the frozen one hears it
        assert!(reader.reads().unwrap().ends_with("> and I?"));
        // Now it waits for the frozen one, too, as soon as the kernel takes nothing more for that one.
        let mut stream = other.stream();
        thread::scope(|scope| {
            let line = format!("{}\n", "y".repeat(999));
            scope.spawn(move || while stream.write_all(line.as_bytes()).is_ok() {});
            reads_until_silence(reader);
            stream.shutdown(Shutdown::Both).unwrap();
        });
    });
}

#[test]
fn with_a_queue_for_each_nobody_waits_for_one_that_does_not_read() {
    let mut server = start("room-channel");
    let [mut frozen, mut reader] = ["frozen", "reader"].map(|name| server.connect(name));
    until_heard(&mut reader, &mut frozen);
    let mut talker = server.connect("talker");
    let block = "x".repeat(999);
    for number in 0..10_000 {
        // 10 MB in all: more than the queue and the kernel's buffers hold for the frozen one.
        talker.says(&block);
        assert!(reader.reads().unwrap().ends_with(&block), "line {number}");
    }
    frozen.ends(); // disconnected
    server.ends_on_ctrl_c();
}

/// The page's own terminals: one is stopped, one reads as fast as it can, and `yes` talks as fast as it can.
#[test]
fn who_reads_stays_and_who_is_stopped_is_disconnected_while_yes_talks() {
    if !has_program("nc") {
        return;
    }
    let mut server = start("room-channel");
    let [mut frozen, mut reader] = ["frozen", "reader"].map(|name| server.connect(name));
    until_heard(&mut reader, &mut frozen);
    let mut yes = Command::new("bash");
    let line = "y".repeat(99); // of one letter, it would take twice as long until the kernel's buffers are full
    let port = server.address.port();
    yes.args(["-c", &format!("yes {line} | nc 127.0.0.1 {port} > /dev/null")]);
    let yes = Process::start(yes);
    let mut reads_on = |lines| {
        (0..lines).for_each(|_| assert!(reader.reads().is_some_and(|read| read.ends_with(&line))));
    };
    let end = Instant::now() + DEADLINE;
    while server.thread_names().contains(&"c1".to_owned()) {
        assert!(Instant::now() < end, "who does not read is not disconnected");
        reads_on(100);
    }
    reads_on(10_000);
    server.ends_on_ctrl_c();
    drop((frozen, yes));
}

/// Two talk and two read: returns what each of these read, without what was said before all were there.
fn two_read(mut server: Server, lines: usize) -> [Vec<String>; 2] {
    let mut readers = ["reader", "other reader"].map(|name| server.connect(name));
    let mut talkers = ["ann", "ben"].map(|name| server.connect(name));
    for reader in &mut readers {
        until_heard(&mut talkers[0], reader);
    }
    let read = thread::scope(|scope| {
        for talker in &mut talkers {
            scope.spawn(|| {
                (0..lines / 2).for_each(|n| talker.says(&format!("{} {n}", talker.name.clone())));
            });
        }
        let reading = readers.each_mut().map(|reader| {
            let said = std::iter::from_fn(|| reader.reads()).filter(|line| !line.contains("here"));
            scope.spawn(move || said.take(lines).collect())
        });
        reading.map(|thread| thread.join().unwrap())
    });
    server.ends_on_ctrl_c();
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

/// Both are told that the name is free, and both take it.
pub fn two_get_one_name(server: &Server) {
    let mut both = server.connect_all(0..2);
    for person in &mut both {
        person.hears("Your name?");
        person.asks("ann", "ann is free. Do you want it? (yes)");
    }
    for person in &mut both {
        person.asks("yes", "You are ann. Return leaves.");
    }
    let mut third = server.connect("third");
    third.hears("Your name?");
    third.asks("ann", "ann is taken."); // the one that comes later is not fooled
}

#[test]
fn a_name_taken_twice() {
    let mut server = start("room-names");
    two_get_one_name(&server);
    server.ends_on_ctrl_c();
}

#[test]
fn a_room_ends_on_ctrl_c_although_a_talker_has_a_million_lines_ready() {
    let mut server = start("room-channel");
    let talker = server.connect("talker");
    floods(&talker, "y\n");
    let before = server.cpu_ticks();
    server.signal("INT");
    eventually("it ends", || server.has_ended());
    let work = server.cpu_ticks() - before;
    // Of 10 ms, however busy the machine is. The figure is 6; with all that came it worked for seconds.
    assert!(work < 100, "{work} ticks");
    server.ends();
}
