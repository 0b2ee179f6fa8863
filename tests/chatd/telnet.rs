//! The clients that people have: telnet's sequences, every line end, and the real programs where they are installed.

use crate::harness::{Process, Server, has_program};
use std::process::Command;

#[test]
fn negotiations_are_refused_and_split_anywhere() {
    let server = Server::start("--flood off");
    let [mut bob] = server.enter(["bob"]);
    // WILL terminal type, DO echo, WILL window size with its value, in the middle of a word; then doubled IAC.
    let sent: &[u8] =
        b"h\xff\xfb\x18\xff\xfd\x01\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0i\r\n";
    for cut in 0..sent.len() {
        let mut telnet = server.connect("telnet");
        telnet.asks_until("telnet", "*** You are in lobby with bob.");
        if cut > 0 {
            telnet.hears_until("*** End of the history.");
        }
        bob.hears("*** telnet entered lobby");
        let (first, second) = sent.split_at(cut);
        telnet.sends(first); // two sends: the server may or may not read them as one
        telnet.sends(second);
        bob.hears("<telnet> hi");
        // DONT terminal type, WONT echo, DONT window size
        telnet.receives(b"\xff\xfe\x18\xff\xfc\x01\xff\xfe\x1f");
        telnet.asks("/quit", "*** Goodbye.\r"); // from now on line ends are telnet's
        bob.hears("*** telnet left lobby (quit)");
    }
}

#[test]
fn the_server_never_begins_a_negotiation() {
    let server = Server::start("");
    let mut client = server.connect("client");
    client.says("client\n/who\n/quit");
    let read = client.receives_to_the_end(); // it is text, so there is no IAC in it
    assert!(read.ends_with("*** Goodbye.\n"), "{read}");
}

#[test]
fn every_line_end_and_are_you_there() {
    let server = Server::start("");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.sends(b"lf\ncrlf\r\ncrnul\r\0");
    for line in ["lf", "crlf", "crnul"] {
        bob.hears(&format!("<alice> {line}"));
    }
    alice.sends(b"\xff\xf6");
    alice.hears("*** Yes, chatd is here.");
}

/// A real client program against the server: what is typed is said, what is said is shown, and it ends with the server's
/// last sentence.
fn works_with(program: &str, arguments: &str) {
    if !has_program(program) {
        return;
    }
    let server = Server::start("");
    let [mut bob] = server.enter(["bob"]);
    let arguments = arguments.replace("PORT", &server.address.port().to_string());
    let mut command = Command::new(program);
    command.args(arguments.split(' '));
    let mut client = Process::start(command);
    client.prints("What is your name?"); // telnet throws away what is typed before it is connected
    client.types("alice\n");
    bob.hears("*** alice entered lobby");
    client.types("hällo bob\n");
    bob.hears("<alice> hällo bob");
    bob.says("hi alice");
    client.prints("<bob> hi alice");
    client.types("/quit\n");
    client.prints("*** Goodbye.");
    client.closes_its_keyboard();
    client.exit_code();
}

#[test]
fn netcat() {
    works_with("nc", "127.0.0.1 PORT");
}

#[test]
fn ncat() {
    works_with("ncat", "127.0.0.1 PORT");
}

#[test]
fn debians_telnet() {
    works_with("telnet", "127.0.0.1 PORT");
}

#[test]
fn socat() {
    works_with("socat", "- TCP:127.0.0.1:PORT");
}
