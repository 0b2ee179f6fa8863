//! Nobody waits for somebody else's terminal.

use crate::harness::{Client, Server, eventually};
use std::thread;

/// Says `count` lines of about 1,000 bytes, in pieces that readers can keep up with: the next ones when `reader` has
/// read the last.
fn talk(talker: &mut Client, reader: &mut Client, count: usize) {
    let padding = "x".repeat(980);
    for i in 0..count {
        talker.says(&format!("{i} {padding}"));
        if i % 16 == 15 {
            reader.hears_until(&format!("<talker> {i} "));
        }
    }
}

/// The answer to `/history 300` is 300 KB from now on.
fn fill_the_past(talker: &mut Client, reader: &mut Client) {
    talk(talker, reader, 304);
}

#[test]
pub fn eight_of_64_stop_reading_and_the_others_get_every_line() {
    const LINES: usize = 12_000; // 12 MB to each: more than any kernel buffer holds
    const TOO_SLOW: &str = "*** Hung up: more than 65536 bytes waited for you to read.";
    // Small kernel buffers would be quicker to fill, but these are the ones that people have.
    let server = Server::start("--flood off --write-deadline 3600");
    let names: Vec<String> = (0..64).map(|i| format!("n{i}")).collect();
    let mut clients = server.enter_all(&names);
    let mut stopped = clients.split_off(56);
    for client in &mut stopped {
        client.says("/quiet on"); // the news of who left would be in the way below
    }
    let [mut pacer, mut talker] = ["pacer", "talker"].map(|name| server.lets_in(name));
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| {
                for i in 0..LINES {
                    let line = client.hears_until("<talker> ");
                    let is_next = line.starts_with(&format!("<talker> {i} "));
                    assert!(is_next, "{} missed line {i}", client.name);
                }
            });
        }
        talk(&mut talker, &mut pacer, LINES);
    });

    // Those that stopped were hung up at the mark, and are told so behind all that was sent before.
    for mut client in stopped {
        let (lines, half) = client.finds_in_its_buffer();
        let said = lines.iter().filter(|line| line.starts_with("<talker> "));
        let mut count = 0;
        for line in said {
            let is_next = line.starts_with(&format!("<talker> {count} ")) && line.len() > 980;
            assert!(is_next, "{}: {line:?}", client.name);
            count += 1;
        }
        // Its buffers may have been too full for the last sentence; then they end inside a line.
        let last = lines.last().filter(|line| line.starts_with("*** Hung up"));
        match last {
            Some(line) => assert_eq!((&**line, &*half), (TOO_SLOW, "")),
            None => {
                let next = format!("<talker> {count} ");
                assert!(next.starts_with(&half[..half.len().min(9)]), "{half:?}");
            }
        }
        let why = "too slow: more than 65536 bytes waited in the outbox";
        server.logs(&format!(":{} left: {why}", client.name));
    }
    let totals = talker.asks_until("/threads", "*** In ");
    assert!(totals.contains(", 8 clients too slow, 0 refused."), "{totals:?}");
}

#[test]
pub fn the_write_deadline_finds_who_reads_nothing_in_a_quiet_room() {
    let server = Server::start("--flood off --write-deadline 1 --high-water 100000000");
    let [mut talker, mut pacer, mut stuck] = server.enter(["talker", "pacer", "stuck"]);
    talk(&mut talker, &mut pacer, 8_000); // fills the kernel's buffers; some waits in the outbox
    server.logs(":stuck left: too slow: read nothing for 1 s");
    talker.hears_until("*** stuck left lobby (too slow)"); // the pacer may have read it while they talked
    let (lines, _) = stuck.finds_in_its_buffer();
    assert!(lines.len() > 100, "what was sent before can still be read: {}", lines.len());
}

/// Their own thread writes it, and nobody else looks after them meanwhile.
#[test]
fn the_write_deadline_finds_who_reads_nothing_of_a_long_answer() {
    let server = Server::start("--flood off --write-deadline 1");
    let [mut talker, mut bob, mut stuck] = server.enter(["talker", "bob", "stuck"]);
    fill_the_past(&mut talker, &mut bob);
    stuck.sends("/history 300\n".repeat(60));
    server.logs(":stuck left: too slow: read nothing for 1 s");
}

#[test]
pub fn a_long_answer_waits_for_its_reader_and_does_not_count_against_the_mark() {
    // 60 times 300 KB, far more than mark and kernel buffers, before the first byte of it is read.
    const TIMES: usize = 60;
    let server = Server::start("--flood off --high-water 2048");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let padding = "x".repeat(1000);
    for i in 0..300 {
        alice.says(&format!("{i} {padding}"));
        bob.hears_until(&format!("<alice> {i} "));
    }
    bob.sends("/history 300\n".repeat(TIMES));
    bob.says("/whois alice");
    for _ in 0..TIMES {
        bob.hears("*** The last 300 lines of lobby (times are {…}):");
        for i in 0..300 {
            let line = bob.reads().unwrap();
            assert!(line.contains(&format!(") <alice> {i} x")) && line.len() > 1000, "{line:?}");
        }
        bob.hears("*** End of the history.");
    }
    bob.hears("*** alice is in lobby, {…}");
}

#[test]
pub fn a_joiner_does_not_wait_for_one_that_is_stuck_in_a_long_answer() {
    let server = Server::start("--flood off --write-deadline 3600");
    let [mut talker, mut bob, mut stuck] = server.enter(["talker", "bob", "stuck"]);
    fill_the_past(&mut talker, &mut bob);
    stuck.sends("/history 300\n".repeat(60));
    eventually("stuck's thread waits for its reader", || {
        talker.asks_until("/threads", "*** c3:stuck").contains("sending its answer")
    });
    let mut carol = server.connect("carol");
    carol.asks_until("carol", "*** You are in lobby with bob, stuck, talker.");
    carol.has_read_everything();
    talker.says("hi");
    carol.hears("<talker> hi");
}

#[test]
pub fn one_that_reads_again_in_time_is_told_why_it_was_hung_up() {
    let server = Server::start("--flood off --write-deadline 3600");
    let [mut talker, mut pacer, mut slow] = server.enter(["talker", "pacer", "slow"]);
    // They talk until the slow one is over the mark; then it reads, fast.
    for _ in 0..1_000 {
        talk(&mut talker, &mut pacer, 16);
        talker.has_read_everything();
        if server.log().contains(":slow left") {
            break;
        }
    }
    let (lines, half) = slow.finds_in_its_buffer();
    let last = lines.last().map(String::as_str);
    let why = "*** Hung up: more than 65536 bytes waited for you to read.";
    assert_eq!((last, &*half), (Some(why), ""));
}
