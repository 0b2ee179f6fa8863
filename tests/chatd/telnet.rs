//! The clients that people have: telnet's sequences, every line end, and the real programs where they are installed.

use crate::harness::{DEADLINE, Server};
use std::{
    io::{Read as _, Write as _},
    process::{Command, Stdio},
    time::Instant,
};

#[test]
pub fn negotiations_are_refused_and_split_anywhere() {
    let server = Server::start(&["--flood", "off"]);
    let [mut bob] = server.enter(["bob"]);
    // WILL terminal type, DO echo, WILL window size with its value, in the middle of a word; then doubled IAC.
    let sent: &[u8] =
        b"h\xff\xfb\x18\xff\xfd\x01\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0i\r\n";
    for cut in 0..sent.len() {
        let mut telnet = server.connect("telnet");
        telnet.says("telnet");
        telnet.hears_until("*** You are in lobby with bob.");
        if cut > 0 {
            telnet.hears_until("*** End of the past.");
        }
        bob.hears("*** telnet entered lobby");
        let (first, second) = sent.split_at(cut);
        telnet.sends(first);
        telnet.sends(b""); // two sends: the server may or may not read them as one
        telnet.sends(second);
        bob.hears("<telnet> hi");
        let mut answers = [0; 9];
        telnet.stream().read_exact(&mut answers).unwrap();
        assert_eq!(
            answers, *b"\xff\xfe\x18\xff\xfc\x01\xff\xfd\x1f",
            "DONT terminal type, WONT echo, DO window size"
        );
        telnet.says("/quit");
        telnet.hears("*** Goodbye.");
        bob.hears("*** telnet left lobby (quit)");
    }
}

#[test]
pub fn the_server_never_begins_a_negotiation() {
    let server = Server::start(&[]);
    let mut client = server.connect("client");
    client.says("client");
    client.says("/who");
    client.says("/quit");
    let mut bytes = Vec::new();
    client.stream().read_to_end(&mut bytes).unwrap();
    assert!(!bytes.contains(&0xff));
}

#[test]
pub fn every_line_end() {
    let server = Server::start(&[]);
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.sends(b"lf\ncrlf\r\ncrnul\r\0");
    for line in ["lf", "crlf", "crnul"] {
        bob.hears(&format!("<alice> {line}"));
    }
}

#[test]
pub fn are_you_there() {
    let server = Server::start(&[]);
    let [mut alice] = server.enter(["alice"]);
    alice.sends(b"\xff\xf6");
    alice.hears("*** Yes, chatd is here.");
}

/// Runs a real client program against the server: types lines, and returns what it printed when the server hung up.
fn with_program(program: &str, args: &[&str]) -> Option<String> {
    if Command::new("which")
        .arg(program)
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| !status.success())
    {
        assert!(
            std::env::var_os("CI").is_none(),
            "{program} is not installed, and CI has to have it"
        );
        println!("SKIPPED: {program} is not installed");
        return None;
    }
    let server = Server::start(&[]);
    let [mut bob] = server.enter(["bob"]);
    let port = server.address.port().to_string();
    let args: Vec<String> = args.iter().map(|arg| arg.replace("PORT", &port)).collect();
    let mut client = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut keyboard = client.stdin.take().unwrap();
    // telnet throws away what is typed before it is connected: wait for the greeting.
    let mut screen = client.stdout.take().unwrap();
    let mut shown = Vec::new();
    let mut read_until = |text: &str| {
        let mut bytes = [0; 4096];
        while !String::from_utf8_lossy(&shown).contains(text) {
            match screen.read(&mut bytes).unwrap() {
                0 => panic!("{program} ended: {}", String::from_utf8_lossy(&shown)),
                n => shown.extend(&bytes[..n]),
            }
        }
    };
    read_until("What is your name?");
    keyboard.write_all(b"alice\n").unwrap();
    bob.hears("*** alice entered lobby");
    keyboard.write_all("hällo bob\n".as_bytes()).unwrap();
    bob.hears("<alice> hällo bob");
    bob.says("hi alice");
    read_until("<bob> hi alice");
    keyboard.write_all(b"/quit\n").unwrap();
    read_until("*** Goodbye.");
    let end = Instant::now() + DEADLINE;
    drop(keyboard);
    while client.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end, "{program} does not end");
        std::thread::yield_now();
    }
    Some(String::from_utf8_lossy(&shown).into_owned())
}

#[test]
pub fn netcat() {
    with_program("nc", &["127.0.0.1", "PORT"]);
}

#[test]
fn ncat() {
    with_program("ncat", &["127.0.0.1", "PORT"]);
}

#[test]
pub fn debians_telnet() {
    with_program("telnet", &["127.0.0.1", "PORT"]);
}

#[test]
fn socat() {
    with_program("socat", &["-", "TCP:127.0.0.1:PORT"]);
}
