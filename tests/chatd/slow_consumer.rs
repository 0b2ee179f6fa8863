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

#[test]
pub fn eight_of_64_stop_reading_and_the_others_get_every_line() {
    // Small kernel buffers would be quicker to fill, but these are the ones that people have.
    let server = Server::start(&["--flood", "off", "--write-deadline", "3600"]);
    let names: Vec<String> = (0..64).map(|i| format!("n{i}")).collect();
    let mut clients = server.enter_all(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut stopped = clients.split_off(56);
    for client in &mut stopped {
        client.says("/quiet on"); // each other's farewells would be in the way below
    }
    let mut pacer = server.connect("pacer");
    let mut talker = server.connect("talker");
    pacer.says("pacer");
    pacer.hears_until("*** Hello");
    talker.says("talker");
    talker.hears_until("*** Hello");

    const LINES: usize = 12_000; // 12 MB to each: more than any kernel buffer holds
    let last = format!("<talker> {} ", LINES - 1);
    let readers: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            let last = last.clone();
            thread::spawn(move || {
                let mut next = 0;
                loop {
                    let line = client.hears_until("<talker> ");
                    assert!(
                        line.starts_with(&format!("<talker> {next} ")),
                        "{} missed line {next}",
                        client.name
                    );
                    next += 1;
                    if line.starts_with(&last) {
                        return client;
                    }
                }
            })
        })
        .collect();
    talk(&mut talker, &mut pacer, LINES);
    let _readers: Vec<Client> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();

    // Those who stopped were hung up at the mark, and are told so behind all that was sent before.
    for mut client in stopped {
        let (lines, half) = client.finds_in_its_buffer();
        let said: Vec<&String> =
            lines.iter().filter(|line| line.starts_with("<talker> ")).collect();
        for (i, line) in said.iter().enumerate() {
            assert!(
                line.starts_with(&format!("<talker> {i} ")) && line.len() > 980,
                "{}: {line:?}",
                client.name
            );
        }
        // Its buffers may have been too full for the farewell; then they end inside a line.
        match lines.last() {
            Some(line) if line.starts_with("*** Hung up") => {
                assert_eq!(line, "*** Hung up: more than 65536 bytes waited for you to read.");
                assert_eq!(half, "");
            }
            _ => assert!(
                format!("<talker> {} ", said.len()).starts_with(&half[..half.len().min(9)]),
                "{half:?}"
            ),
        }
        server.logs(&format!(
            ":{} left: too slow: more than 65536 bytes waited in its outbox",
            client.name
        ));
    }
    talker.says("/threads");
    let totals = talker.hears_until("*** In ");
    assert!(totals.contains("; 8 clients too slow, 0 refused."), "{totals:?}");
}

#[test]
pub fn the_write_deadline_finds_who_reads_nothing_in_a_quiet_room() {
    let server =
        Server::start(&["--flood", "off", "--write-deadline", "1", "--high-water", "100000000"]);
    let [mut talker, mut pacer, mut stuck] = server.enter(["talker", "pacer", "stuck"]);
    talk(&mut talker, &mut pacer, 8_000); // fills the kernel's buffers; some waits in the outbox
    server.logs(":stuck left: too slow: read nothing for 1 s");
    talker.hears_until("*** stuck left lobby (too slow)"); // the pacer may have read it while they talked
    let (lines, _) = stuck.finds_in_its_buffer();
    assert!(lines.len() > 100, "what was sent before can still be read: {}", lines.len());
}

#[test]
pub fn a_long_answer_waits_for_its_reader_and_does_not_count_against_the_mark() {
    let server = Server::start(&["--flood", "off", "--high-water", "2048"]);
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    for i in 0..300 {
        alice.says(&format!("{i} {}", "x".repeat(1000)));
        bob.hears_until(&format!("<alice> {i} "));
    }
    // 60 times 300 KB, far more than mark and kernel buffers, before the first byte of it is read.
    const TIMES: usize = 60;
    for _ in 0..TIMES {
        bob.says("/history 300");
    }
    bob.says("/whois alice");
    for _ in 0..TIMES {
        bob.hears("*** The last 300 lines of lobby (times are {…}):");
        for i in 0..300 {
            bob.hears(&format!("({{…}}) <alice> {i} {{…}}"));
        }
        bob.hears("*** End of the past.");
    }
    bob.hears("*** alice is in lobby, {…}");
}

#[test]
pub fn a_joiner_is_not_delayed_by_who_is_stuck_in_a_long_answer() {
    let server = Server::start(&["--flood", "off", "--write-deadline", "3600"]);
    let [mut alice, mut bob, mut stuck] = server.enter(["alice", "bob", "stuck"]);
    for i in 0..300 {
        alice.says(&format!("{i} {}", "x".repeat(1000)));
        bob.hears_until(&format!("<alice> {i} "));
    }
    for _ in 0..60 {
        stuck.says("/history 300");
    }
    eventually("stuck's thread waits for its reader", || {
        alice.says("/threads");
        alice.hears_until("*** c").contains(":alice");
        alice.hears_until("*** c3:stuck").contains("sending its answer")
    });
    let [mut carol] = {
        let mut carol = server.connect("carol");
        carol.says("carol");
        carol.hears_until("*** You are in lobby with alice, bob, stuck.");
        carol.has_read_everything();
        [carol]
    };
    alice.says("hi");
    carol.hears("<alice> hi");
}

#[test]
pub fn one_who_reads_again_in_time_is_told_why_it_was_hung_up() {
    let server = Server::start(&["--flood", "off", "--write-deadline", "3600"]);
    let [mut talker, mut pacer, mut slow] = server.enter(["talker", "pacer", "slow"]);
    let padding = "x".repeat(980);
    let mut said = 0;
    // Talks until the slow one is over the mark; then it reads, fast.
    while !server.log().contains(":slow left") && said < 20_000 {
        talker.says(&format!("{said} {padding}"));
        pacer.hears_until(&format!("<talker> {said} "));
        said += 1;
        if said % 100 == 0 {
            talker.says("/threads");
            talker.says("/help quit");
            while !talker.reads().unwrap().starts_with("*** /quit") {}
        }
    }
    let (lines, half) = slow.finds_in_its_buffer();
    assert_eq!(
        lines.last().map(String::as_str),
        Some("*** Hung up: more than 65536 bytes waited for you to read.")
    );
    assert_eq!(half, "");
}
