//! In a pipe: exact lines, no colours, no editing.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::server::Server;
use crate::{DEADLINE, folder};

/// The program with all its ends in pipes.
pub struct Piped {
    child: Child,
    input: Option<ChildStdin>,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Piped {
    pub fn start(arguments: &[&str]) -> Piped {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chat"))
            .args(arguments)
            .env("XDG_DATA_HOME", folder())
            .env("USER", "lee 9")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, err) = (all(child.stdout.take().unwrap()), all(child.stderr.take().unwrap()));
        Piped { input: child.stdin.take(), child, out, err }
    }

    pub fn reads(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub fn reads_no_more(&mut self) {
        self.input = None;
    }

    /// Waits for the end: exit code, standard output, standard error.
    #[track_caller]
    pub fn ends(mut self) -> (i32, String, String) {
        let (out, err) = (self.out.recv_timeout(DEADLINE), self.err.recv_timeout(DEADLINE));
        let (out, err) = (out.expect("it does not end"), err.expect("it does not end"));
        (self.child.wait().unwrap().code().unwrap(), out, err)
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill(); // a test that failed half-way; otherwise it has ended
        let _ = self.child.wait();
    }
}

/// Everything up to the end of file.
fn all(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        tell.send(text)
    });
    told
}

#[test]
fn echo_into_chat() {
    let server = Server::start();
    let mut piped = Piped::start(&[&server.address(), "--name", "bob"]);
    piped.reads("hi\n"); // long before the server asks for the name
    piped.reads_no_more();
    let client = server.accepts();
    client.enters_as("bob");
    client.says("hi");
    client.says_no_more();
    client.is_told("<alice> hi bob");
    client.sees_off();
    let (code, out, err) = piped.ends();
    assert_eq!((code, err.as_str()), (0, ""));
    let expected = "*** Welcome to chatd: one thread per connection, and yours is c1.\n*** What is your name?\n\
        *** Hello bob. Type to talk; /help lists the commands, /quit leaves.\n*** You are in lobby with bob and carol.\n\
        <alice> hi bob\n*** Goodbye.\n";
    assert_eq!(out, expected);
}

#[test]
fn without_a_name_the_login_is_one() {
    let server = Server::start();
    let mut piped = Piped::start(&[&server.address()]);
    piped.reads("hi\n");
    let client = server.accepts();
    client.enters_as("lee9");
    client.says("hi");
    piped.reads_no_more();
    client.says_no_more();
    client.sees_off();
    assert_eq!(piped.ends().0, 0);
}

#[test]
fn lines_come_out_exactly_but_harmless() {
    let server = Server::start();
    let mut piped = Piped::start(&[&server.address(), "--name", "bob"]);
    let client = server.accepts();
    client.enters_as("bob");
    let lines: String = (0..10_000).map(|n| format!("<alice> {n} bob\n")).collect();
    client.is_sent(lines.as_bytes());
    client.is_told("<eve> \x1b[2Jtab\there\n[12:30] <alice> é");
    piped.reads_no_more();
    client.says_no_more();
    client.sees_off();
    let (code, out, _) = piped.ends();
    assert_eq!(code, 0);
    let rest = out.split_once("carol.\n").unwrap().1;
    assert!(
        rest == format!("{lines}<eve> \u{fffd}[2Jtab\there\n[12:30] <alice> é\n*** Goodbye.\n")
    );
}

#[test]
fn a_line_server_in_a_pipe() {
    let server = Server::start();
    let mut piped = Piped::start(&[&server.address(), "--name", "bob"]);
    piped.reads("first\nlast, without an end");
    piped.reads_no_more();
    let client = server.accepts();
    client.says("first");
    client.says("last, without an end");
    client.says_no_more();
    client.is_told("<user1> seen");
    client.hangs_up();
    let (code, out, _) = piped.ends();
    assert_eq!((code, out.as_str()), (0, "<user1> seen\n"));
}

#[test]
fn the_wait_for_last_words_is_bounded() {
    let server = Server::start();
    let mut piped = Piped::start(&[&server.address(), "--name", "bob", "--wait", "1"]);
    piped.reads_no_more();
    let client = server.accepts();
    client.enters_as("bob");
    client.says_no_more(); // and the server neither answers nor closes
    assert_eq!(piped.ends().0, 0);
}

#[test]
fn a_room_to_go_to() {
    let server = Server::start();
    let mut piped = Piped::start(&[&server.address(), "--name", "bob", "--room", "math"]);
    let client = server.accepts();
    client.enters_as("bob");
    client.says("/join math");
    client.is_told("*** You are in math, alone.");
    piped.reads("1 + 1\n");
    client.says("1 + 1");
    piped.reads_no_more();
    client.sees_off();
    assert_eq!(piped.ends().0, 0);
}

#[test]
fn quit_in_a_pipe_is_no_accident() {
    let server = Server::start();
    let mut piped = Piped::start(&[&server.address(), "--name", "bob"]);
    let client = server.accepts();
    client.enters_as("bob");
    piped.reads("/quit\n");
    client.says("/quit");
    client.sees_off();
    assert_eq!(piped.ends().0, 0);
}

/// `chat HOST | tee log`: a person types as into nc, and the log has exactly what came.
#[cfg(unix)]
#[test]
fn chat_into_tee() {
    let server = Server::start();
    let person = crate::person::Start::new(&server, &[]).shell("\"$@\" | tee log").go();
    let client = server.accepts();
    client.is_welcomed();
    person.sees("What is your name?");
    person.types("alice\n");
    client.says("alice");
    client.is_told("*** Password for alice:");
    person.sees("Password for alice:");
    person.sees_echo(false);
    person.types("hunter2!\n");
    client.says("hunter2!");
    person.sees_echo(true);
    client.is_let_in("alice", "alone.");
    client.is_told("<bob> hi alice");
    person.types("hi\n");
    client.says("hi");
    person.sees("<bob> hi alice");
    person.types("\x04");
    client.says_no_more();
    client.sees_off();
    assert_eq!(person.ends(), 0);
    let expected = "*** Welcome to chatd: one thread per connection, and yours is c1.\n*** What is your name?\n\
        *** Password for alice:\n*** Hello alice. Type to talk; /help lists the commands, /quit leaves.\n\
        *** You are in lobby, alone.\n<bob> hi alice\n*** Goodbye.\n";
    assert_eq!(std::fs::read_to_string(person.data.join("log")).unwrap(), expected);
    assert!(!String::from_utf8_lossy(&person.bytes()).contains("hunter"), "seen");
    person.finds_the_terminal_as_it_was();
}
