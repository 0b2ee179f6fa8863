//! What comes from terminals and programs that are no chat clients, and what terminals make of what is sent: keys, line
//! ends, forged layouts, browsers, half a line, floods of bytes that are no lines.

use crate::harness::{Client, Server};
use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// WILL window size, DO suppress go-ahead: as PuTTY begins.
const NEGOTIATION: &[u8] = b"\xff\xfb\x1f\xff\xfd\x03";

#[test]
pub fn keys_take_back_in_names_passwords_commands_and_talk() {
    let server = Server::start("--flood off");
    let [mut bob] = server.enter(["bob"]);
    let mut raw = server.connect("raw");
    let types = |raw: &mut Client, keys: &str| keys.bytes().for_each(|key| raw.sends([key]));
    raw.hears_until("*** What is your name?");
    types(&mut raw, "zed\x08\x08oe\x1b[D\r\n");
    raw.hears_until("*** Hello zoe.");
    bob.hears("*** zoe entered lobby");
    for (keys, line) in [
        ("helo\x08lo", "hello"),
        ("cafe\u{301}\x7fé", "café"),
        ("one two\x17three\x15four five", "four five"),
        ("\x1b[A\x1bOB\x1b[1;5Chi\x1b]0;x\x07\x1b[3~", "hi"),
        ("a\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\x08b", "ab"),
    ] {
        types(&mut raw, &format!("{keys}\n"));
        bob.hears(&format!("<zoe> {line}"));
    }
    types(&mut raw, "/registr\x7fer\npasswXX\x08\x08ord1\npassword1\n");
    raw.hears_until("*** zoe is yours from now on.");
    types(&mut raw, "\x1b\n/quit\n");
    raw.hears_until("*** Goodbye.");
    let mut zoe = server.connect("zoe");
    zoe.says("zoe\npassword1");
    zoe.hears_until("*** Hello zoe.");
}

#[test]
pub fn who_negotiates_telnet_reads_cr_lf_and_nobody_else_does() {
    let server = Server::start("--flood off --high-water 20000");
    let [mut bob] = server.enter(["bob"]);
    let mut telnet = server.connect("telnet");
    telnet.hears_until("*** What is your name?");
    telnet.sends(NEGOTIATION);
    telnet.receives(b"\xff\xfe\x1f\xff\xfc\x03");
    telnet.says("telnet\r");
    bob.hears("*** telnet entered lobby");
    for i in 0..300 {
        bob.says(&format!("{i} {}", "x".repeat(500)));
    }
    bob.has_read_everything();
    telnet.hears_until("<bob> 299");
    bob.says("/msg telnet psst");
    bob.hears("[to telnet] psst");
    telnet.says(
        "/help\r\n/who\r\n/history 300\r\n/topic tea\r\n/register\r\npassword1\r\n\r\n/quit\r",
    );
    let read = telnet.hears_to_the_end();
    assert!(read.len() > 320, "{} lines", read.len());
    for line in &read {
        assert!(line.ends_with('\r') && line.matches('\r').count() == 1, "{line:?}");
    }
    assert_eq!(read.last().unwrap(), "*** Goodbye.\r");
    bob.says("/quit");
    let read = bob.hears_to_the_end();
    assert!(!read.iter().any(|line| line.contains('\r')), "{read:?}");

    let mut stays = server.connect("stays");
    stays.sends(NEGOTIATION);
    stays.says("stays");
    stays.hears_until("*** You are in lobby");
    server.signal("INT");
    stays.hears_until("*** Hung up: the server is shutting down.\r");
}

/// The rows of a terminal.
fn rows(line: &str, width: usize) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    chars.chunks(width).map(|row| row.iter().collect()).collect()
}

#[test]
pub fn nobody_forges_a_line_by_its_layout() {
    let server = Server::start("--flood off");
    let [mut mallory, mut victim] = server.enter(["mallory", "victim"]);
    for blank in ["\u{a0}", "\u{3000}", "\u{2800}", " \u{200b}", "\t", "\u{3164}", " "] {
        for path in ["x", "/me x", "/topic x", "/msg victim x", "/away x"] {
            for count in 60..75 {
                mallory.says(&format!("{path}{}*** class is over", blank.repeat(count)));
            }
        }
        victim.says("/whois mallory\n/topic\n/who\n/rooms");
    }
    mallory.has_read_everything();
    mallory.says(&format!("/quit x{}*** class is over", "\u{2003}".repeat(60)));
    victim.hears_until("*** mallory left lobby");
    let mut late = server.lets_in("late");
    victim.says("/history 300\n/quit");
    late.says("/quit");
    let lines = [victim.hears_to_the_end(), late.hears_to_the_end()].concat();
    assert!(lines.iter().filter(|line| line.contains("class is over")).count() > 200);
    for line in lines.iter().filter(|line| line.contains("class is over")) {
        for width in [60, 80, 100] {
            let forged = |row: &String| row.trim_start().starts_with("*** class");
            assert!(!rows(line, width).iter().any(forged), "{line:?}");
        }
    }
}

/// A server, with names or `--anonymous`, and somebody who reads.
pub fn with_a_reader(options: &str) -> (Server, Client) {
    let server = Server::start(options);
    let mut reader = server.connect("reader");
    if options.is_empty() {
        reader.says("reader");
    }
    reader.hears_until("*** You are in lobby");
    (server, reader)
}

#[test]
pub fn a_browser_says_nothing_to_the_room() {
    for options in ["--anonymous", ""] {
        let (server, mut reader) = with_a_reader(options);
        for request in [
            "POST /submit HTTP/1.1\r\nHost: h\r\nCookie: session=SECRET\r\n\r\n/topic pwned\r\nhello\r\n",
            "get / http/1.1\nhost: h\n\n",
            "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n",
            "GET /\r\n\r\n",
            "\r\nCONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            for in_pieces in [false, true] {
                let mut browser = server.connect("browser");
                let pieces = request.as_bytes().chunks(if in_pieces { 3 } else { 1000 });
                use std::io::Write as _;
                for piece in pieces {
                    let _ = browser.stream().write_all(piece); // the end may have come before
                }
                browser.hears_until(
                    "*** Hung up: this is a chat server, and that was an HTTP request.",
                );
                browser.ends();
            }
        }
        let mut cut = server.connect("cut");
        cut.says("GET / HTTP/1.1");
        cut.stops_sending();
        cut.ends();
        reader.says("/topic\n/quit");
        let read = reader.hears_to_the_end();
        let is_presence =
            |line: &String| line.contains(" entered lobby") || line.contains(" left lobby");
        let rest: Vec<&String> = read.iter().filter(|line| !is_presence(line)).collect();
        assert_eq!(
            rest,
            ["*** lobby has no topic. /topic TEXT sets one.", "*** Goodbye."],
            "{options}"
        );
    }
}

/// Ends the talk when the test ends, however it does.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// The answer to a name waits until the socket has been looked at once more, and that look may find
/// the reset. (Elsewhere a reset throws away what was not read before, so the name does not come.)
#[cfg(target_os = "linux")]
#[test]
fn half_a_line_behind_a_name_is_dropped_too() {
    const ROUNDS: usize = 60;
    let server = Server::start("--flood off");
    let [mut reader] = server.enter(["reader"]);
    let halves = ["HALF of it", "/topic HALF", "/me HALF", "/nick HALF", "/quit HALF"];
    for (round, half) in (0..ROUNDS).zip(halves.iter().cycle()) {
        let mut client = server.connect("half");
        (0..2).for_each(|_| drop(client.reads())); // the welcome, and the question
        client.sends(format!("h{round}\n{half}"));
        client.resets();
        loop {
            let line = reader.reads().unwrap();
            assert!(!line.contains("HALF"), "round {round}: {line}");
            if line.contains(" left lobby") {
                break;
            }
        }
    }
}

/// A send that finds the connection reset takes the error with it; the read after it finds an end of file.
#[test]
pub fn half_a_line_that_a_reset_cuts_off_is_dropped() {
    let server = Server::start("--flood off");
    let [mut talker, mut reader] = server.enter(["talker", "reader"]);
    const ROUNDS: usize = 8;
    const AT_ONCE: usize = 20;
    let (lines_read, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut half_said = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut said = 0;
            while !is_over.load(Relaxed) {
                if said < lines_read.load(Relaxed) + 2000 {
                    talker.sends("l\n");
                    said += 1;
                } else {
                    std::thread::yield_now();
                }
            }
            assert!(said > 1000, "{said} lines");
        });
        let _over = Over(&is_over);
        let left = Cell::new(0);
        let mut reads = || {
            let line = reader.reads().unwrap();
            lines_read.fetch_add(usize::from(line.starts_with("<talker>")), Relaxed);
            left.set(left.get() + usize::from(line.contains(" left lobby")));
            half_said.extend(line.contains("HALF").then(|| line.clone()));
            line
        };
        for round in 0..ROUNDS {
            let mut clients: Vec<Client> = (0..AT_ONCE)
                .map(|i| {
                    let mut client = server.connect("half");
                    client.says(&format!("h{round}-{i}"));
                    while !reads().contains(" entered lobby") {}
                    client.sends(if i % 2 == 0 { "HALF of it" } else { "/topic HALF of it" });
                    client
                })
                .collect();
            (0..200).for_each(|_| drop(reads())); // what was sent has been read meanwhile
            clients.drain(..).for_each(Client::resets);
            while left.get() < (round + 1) * AT_ONCE {
                reads();
            }
        }
    });
    assert_eq!(half_said, [""; 0]);
}

#[test]
pub fn half_a_line_is_dropped_when_the_server_hangs_up() {
    let mut server = Server::start("--flood off --login-deadline 1");
    let [mut alice] = server.enter(["alice"]);
    let mut slow = server.connect("slow");
    slow.sends("slow");
    slow.hears_until("*** Hung up: no name within 1 s.");
    let [mut stays] = [server.lets_in("stays")];
    alice.hears("*** stays entered lobby");
    stays.sends("HALF");
    stays.hears_until("*** You are in lobby");
    alice.sends("/topic HALF");
    server.signal("TERM");
    alice.hears("*** Hung up: the server is shutting down.");
    stays.hears_until("*** Hung up: the server is shutting down.");
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
pub fn bytes_that_are_no_lines_are_limited_like_lines() {
    const SENDERS: usize = 20;
    let floods: [Vec<u8>; 5] = [
        b"\xff\xf1".repeat(8192),
        b"\xff\xfd\x01".repeat(8192),
        vec![b'y'; 16 * 1024],
        b"\x1b[A".repeat(8192),
        b"\n".repeat(16 * 1024),
    ];
    let server = Server::start("");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let senders: Vec<Client> =
        server.enter_all(&std::array::from_fn::<_, SENDERS, _>(|i| format!("s{i}")));
    for _ in 0..SENDERS {
        alice.hears_until("*** s");
        bob.hears_until("*** s");
    }
    let (ticks, began) = (server.cpu_ticks(), Instant::now());
    let end = began + Duration::from_secs(3);
    let threads: Vec<_> = senders
        .into_iter()
        .enumerate()
        .map(|(i, sender)| {
            let flood = floods[i % floods.len()].clone();
            std::thread::spawn(move || {
                use std::io::Write as _;
                let stream = sender.stream();
                stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
                while Instant::now() < end {
                    let _ = (&mut &*stream).write(&flood);
                }
                sender
            })
        })
        .collect();
    for i in 0..10 {
        bob.says(&i.to_string());
        alice.hears(&format!("<bob> {i}"));
    }
    let senders: Vec<Client> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let (spent, took) = (server.cpu_ticks() - ticks, began.elapsed());
    let most = 20 * took.as_secs().max(3); // a fifth of a core, and as many lines are read each second
    assert!(spent < most, "{spent} ticks of 10 ms in {took:?}, for {SENDERS} senders");
    for mut sender in senders {
        // Telnet's answers may stand in front.
        let told = "*** More than 32 lines at once: yours are read at 8 a second for a while.";
        while !sender.reads().unwrap().contains(told) {}
        sender.resets();
    }
}

#[test]
pub fn lines_that_grow_when_they_are_shown_put_nobody_over_the_mark() {
    let server = Server::start("--flood off");
    let [mut talker, mut reader] = server.enter(["talker", "reader"]);
    reader.asks_until("/timestamps on", "*** Live lines have");
    const LINES: usize = 1000;
    let line = [[1; 1024].as_slice(), b"\n"].concat();
    let talks = std::thread::spawn(move || {
        talker.sends(line.repeat(LINES));
        talker.has_read_everything();
        talker
    });
    for _ in 0..LINES {
        let line = reader.reads().unwrap();
        assert!(
            line.ends_with('\u{fffd}') && line.len() <= 1024 + "[12:30] <talker> ".len(),
            "{line:?}"
        );
    }
    let mut talker = talks.join().unwrap();
    let end = "*** End of the history.";
    talker.says("/history 1000");
    let (mut bytes, mut line) = (0, String::new());
    while line != end {
        line = talker.reads().unwrap();
        bytes += line.len() + 1;
    }
    assert!(bytes < 11 * 1024 * 1024 / 10, "{bytes} bytes");
    reader.hears_nothing();
}
