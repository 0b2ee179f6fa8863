//! What comes over the wire besides well-behaved lines: other protocols, keys, bytes that are no lines.

use super::*;
use crate::core::{
    session::{EVENT_MAX, TALK_MAX},
    wire::line::LINE_MAX,
};

#[test]
fn the_largest_event_is_bounded_as_its_readers_count_it() {
    let config = config();
    for c in ["\u{1}", "x", "\u{9b}x", "é"] {
        for length in [1, 8, 100, LINE_MAX] {
            let mut client = Client::is_alice(&config);
            let mut line = c.repeat(length.div_ceil(c.len())).into_bytes();
            line.truncate(length);
            line.push(b'\n');
            let mut rest: &[u8] = &line.repeat(3 * TALK_MAX / line.len());
            let mut largest = 0;
            while !rest.is_empty() {
                let (now, later) =
                    rest.split_at(rest.len().min(client.session.input.space().len()));
                client.receives(now);
                rest = later;
                loop {
                    match client.session.hear(client.now, &mut client.driver) {
                        Heard::Talk(talk) => largest = largest.max(talk.wire_bytes()),
                        Heard::Dialogue => {}
                        _ => break,
                    }
                }
            }
            assert!(largest <= EVENT_MAX, "{c:?} × {length}: {largest} bytes");
            assert!(c != "x" || largest > 8 * 1024, "what comes at once is few events: {largest}");
        }
    }
}

#[test]
fn a_request_at_the_beginning_is_held_back_with_names_and_without() {
    for anonymous in [false, true] {
        let config = SessionConfig { anonymous, ..config() };
        let connects = || {
            let named =
                Answer::Named(Name::of_address("192.0.2.7:5000", "c7"), String::new(), None);
            let answers = if anonymous { vec![named] } else { Vec::new() };
            let mut client = Client::connects(&config, None, answers);
            client.reads();
            client.driver.asked.clear();
            client
        };
        for request in ["POST /x HTTP/1.1", "get / http/1.0", "M-SEARCH * HTTP/1.1", "GET /"] {
            for next in ["Host: h\r\nCookie: session=SECRET\r\n\r\n/topic pwned\r\nhello", ""] {
                let mut client = connects();
                let heard = client.sends(&format!("\r\n{request}\r\n{next}\r\n"));
                assert_eq!(heard, ["closes: sent an HTTP request"], "{request}, {next}");
                assert!(client.driver.asked.is_empty());
            }
            let mut client = connects();
            client.driver.answers.push_back(named("bob"));
            client.sends(&format!("{request}\r\n"));
            assert_eq!(client.reads(), "", "it is not said, and not refused as a name either");
            let heard = client.sends("bob\r\n");
            assert!(
                client.reads().starts_with("*** That was not said. Type it again to say it.\n")
            );
            assert!(!client.session.is_naming());
            assert_eq!(heard.len(), usize::from(anonymous), "bob is a name, or talk");
            assert_eq!(client.sends(&format!("{request}\r\n")).len(), 1, "later it is talk");
        }
        let mut client = connects();
        let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(1100));
        for piece in long.as_bytes().chunks(1) {
            client.receives(piece);
            assert!(client.hears().is_empty());
        }
        assert!(client.reads().is_empty());
        assert_eq!(client.sends("Host: h\r\n"), ["closes: sent an HTTP request"]);
        for (sent, what) in [
            (&b"SSH-2.0-OpenSSH_9.6\r\n"[..], "an SSH client's first line"),
            (b"\x16\x03\x01\x02\x00\x15\x08\n", "a TLS handshake"),
            (b"\x16\x03\x01\x02\x00\xfc\n\x00\x16\n\x00\x14\r\nhi\n", "a TLS handshake"),
            (b"\x16\x03\x01\n\x15hi\n", "a TLS handshake"),
            (b"\x16\x03\x03\x00", "a TLS handshake"),
            (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "a PROXY line"),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", "a PROXY header"),
        ] {
            let mut client = connects();
            client.receives(&sent[..1]);
            assert!(client.hears().is_empty());
            client.receives(&sent[1..]);
            assert_eq!(client.hears(), [format!("closes: sent {what}")]);
        }
        let mut client = connects();
        client.sends("GET / HTTP/1.1\r\n");
        client.receives(b"");
        assert_eq!(client.hears(), ["closes: connection closed"], "nothing was said");
        assert!(client.driver.asked.is_empty());
    }
}

#[test]
fn what_makes_no_line_costs_as_much_as_lines_do() {
    let flood = FloodLimit { burst: 4.0, per_second: 2.0 };
    let config = SessionConfig { flood: Some(flood), ..config() };
    for bytes in [&b"\xff\xf1"[..], b"x", b"\x1b[A", b"x\x08", b"\xff\xfd\x01"] {
        let mut client = Client::is_alice(&config);
        let (mut sent, mut pauses) = (0, 0);
        while sent < 100 * LINE_MAX {
            let piece = bytes.repeat(client.session.input.space().len() / bytes.len());
            sent += piece.len();
            client.receives(&piece);
            pauses += client.hears().len();
        }
        assert!(client.now > Duration::from_secs(40), "{bytes:?}: {:?}", client.now);
        assert!(pauses > 2);
        assert_eq!(client.reads().matches("More than 4 lines at once").count(), 1);
    }
}

#[test]
fn nothing_visible_is_not_said_and_a_password_keeps_its_blanks() {
    let config = config();
    let mut client = Client::is_alice(&config);
    for nothing in
        ["", "\t ", "\u{200b}", "\u{2800}\u{3164}", "\u{301}", "\u{a0}\u{3000}", "x\x08", "\x1b[A"]
    {
        assert!(client.sends(&format!("{nothing}\n")).is_empty(), "{nothing:?}");
        client.sends(&format!("/me {nothing}\n"));
        assert_eq!(client.reads(), "*** Like this: /me ACTION\n", "{nothing:?}");
    }
    let password = format!("a{}b\u{ad}c", " ".repeat(20));
    client.sends(&format!("/register {password}\n"));
    client.sends(&format!("/register\n{password}\n{password}\n"));
    assert_eq!(client.driver.hashed, [password.clone(), password]);
}
