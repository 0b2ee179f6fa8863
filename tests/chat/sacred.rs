//! Nothing that happens to the terminal touches what is half typed.

use crate::{
    full::alice_on,
    person::{Person, alice},
    server::{Client, Server},
};
use pty_process::{Size, blocking};
use rustix::process::Signal;
use std::{fs, io::Write as _};

/// Alice, printed inline and on the full screen.
fn both() -> [(Server, Client, Person); 2] {
    [alice(), alice_on(24, 80)]
}

/// What an older PuTTY sends for é; half a letter; answers to what some program before asked.
#[test]
fn a_stray_byte_or_a_terminals_answer_is_not_typed() {
    let (_server, client, person) = alice_on(24, 80);
    for stray in [
        &b"\xe9"[..],
        b"\xc3",
        b"\x1b[24;80R",
        b"\x1b[>0;276;0c",
        b"\x1b[?2026;1$y",
        b"\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
        b"\x1bP>|tmux 3.3a\x1b\\",
    ] {
        person.types_bytes(&[b"caf", stray, b" au lait\r"].concat());
        client.says("caf au lait");
    }
}

/// A shell has the terminal meanwhile, and changes its mode.
#[test]
fn stopped_by_somebody_else_and_continued() {
    for (_server, client, person) in both() {
        person.half_types("half");
        for signal in [Signal::TSTP, Signal::STOP] {
            person.kills(signal);
            person.sees_it_stopped();
            if signal == Signal::TSTP {
                person.finds_the_terminal_as_it_was();
            }
            person.puts_the_terminal_back();
            person.kills(Signal::CONT);
            person.sees_that("the modes are on", vt100::Screen::bracketed_paste);
            person.sees_echo(false);
            person.types("x");
            person.sees_that("the typed line", |screen| {
                screen.contents().trim_end().contains("alice@lobby> halfx")
            });
            person.types("\x7f");
            person.sees_prompt("alice@lobby> half");
        }
        person.types("!\r");
        client.says("half!");
    }
}

/// The terminal is closed, and nothing tells the program but the end of its input.
#[test]
fn a_terminal_that_is_gone() {
    for mode in ["--inline", "--bell"] {
        let server = Server::start();
        let (mut pty, pts) = blocking::open().unwrap();
        pty.resize(Size::new(24, 80)).unwrap();
        let child = blocking::Command::new("sh")
            .args(["-c", "trap '' HUP; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_chat")])
            .args([&*server.address(), "--name", "alice", mode])
            .env("TERM", "xterm")
            .env("XDG_DATA_HOME", crate::folder())
            .spawn(pts);
        let client = server.accepts();
        client.enters_as("alice");
        pty.write_all(b"hi\r").unwrap();
        client.says("hi");
        drop(pty);
        client.says_no_more();
        child.unwrap().wait().unwrap();
    }
}

/// However one leaves a line that one has begun, it is still there.
#[test]
fn a_half_typed_line_is_not_lost_among_earlier_ones() {
    let (_server, client, person) = alice_on(24, 80);
    for line in ["alpha", "beta"] {
        person.types(&format!("{line}\r"));
        client.says(line);
    }
    // An earlier line that was changed is still changed when one has looked at others.
    person.types("half\x1b[A, or not\x1b[A\x1b[B");
    person.sees_prompt("alice@lobby> beta, or not");
    person.types("\x1b[B");
    person.sees_prompt("alice@lobby> half");
    // Ctrl-C in a search ends the search.
    person.types("\x12alp\x03");
    person.sees_prompt("alice@lobby> half");
    // What was half typed when an earlier line was sent is an earlier line itself.
    person.types("\x1b[A\x1b[A\r");
    client.says("alpha");
    person.types("\x1b[A\x1b[A");
    person.sees_prompt("alice@lobby> half");
    person.types("\x15other\x12bet\r");
    client.says("beta");
    person.types("\x1b[A\x1b[A");
    person.sees_prompt("alice@lobby> other");
    // It is not kept: it was not sent.
    let history = fs::read_to_string(person.data.join("chatd/chat-history")).unwrap();
    assert!(history.contains("beta") && !history.contains("half"), "{history}");
}
