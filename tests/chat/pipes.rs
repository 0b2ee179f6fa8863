//! In a pipe: exact lines, no colours, no editing.

use crate::{
    DEADLINE, folder,
    server::{Client, Server},
};
use std::{
    io::{Read, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
};

/// The program with all its ends in pipes.
pub struct Piped {
    child: Child,
    input: Option<ChildStdin>,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Piped {
    pub fn start(arguments: &[&str]) -> Piped {
        Piped::start_in(&folder(), arguments)
    }

    /// With its files in this folder.
    pub fn start_in(folder: &Path, arguments: &[&str]) -> Piped {
        Piped::start_with(folder, arguments, &[])
    }

    /// With variables of the environment, too.
    pub fn start_with(folder: &Path, arguments: &[&str], variables: &[(&str, &Path)]) -> Piped {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chat"))
            .args(arguments)
            .env("XDG_DATA_HOME", folder)
            .env("XDG_CONFIG_HOME", folder)
            .env("USER", "lee 9")
            .envs(variables.iter().copied())
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

    /// Waits until the program has ended with this exit code, and said this on standard error
    /// (nothing, if it is empty); its standard output.
    #[track_caller]
    pub fn ends_with(mut self, code: i32, sentence: &str) -> String {
        let (out, err) = (self.out.recv_timeout(DEADLINE), self.err.recv_timeout(DEADLINE));
        let (out, err) = (out.expect("it does not end"), err.expect("it does not end"));
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{err}");
        assert!(err.contains(sentence) && err.is_empty() == sentence.is_empty(), "{err}");
        out
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

/// The program, which has connected, and the server's end of it.
pub fn piped(arguments: &[&str]) -> (Server, Client, Piped) {
    let server = Server::start();
    let piped = Piped::start(&[&[&*server.address()], arguments].concat());
    let client = server.accepts();
    (server, client, piped)
}

#[test]
fn echo_into_chat() {
    let (_server, client, mut piped) = piped(&["--name", "bob"]);
    piped.reads("hi\n"); // before the server asks for the name
    piped.reads_no_more();
    client.enters_as("bob");
    client.says("hi");
    client.says_no_more();
    client.gets("<alice> hi bob");
    client.gets_goodbye();
    assert_eq!(
        piped.ends_with(0, ""),
        "*** Welcome to chatd: one thread per connection, and yours is c1.\n\
         *** What is your name?\n\
         *** Hello bob. Type to talk; /help lists the commands, /quit leaves.\n\
         *** You are in lobby.\n\
         <alice> hi bob\n\
         *** Goodbye.\n"
    );
}

#[test]
fn without_a_name_the_login_is_one() {
    let (_server, client, mut piped) = piped(&[]);
    piped.reads("hi\n");
    client.enters_as("lee9");
    client.says("hi");
    piped.reads_no_more();
    client.leaves();
    piped.ends_with(0, "");
}

#[test]
fn lines_come_out_exactly_but_harmless() {
    let (_server, client, mut piped) = piped(&["--name", "bob"]);
    client.enters_as("bob");
    let lines: String = (0..10_000).map(|n| format!("<alice> {n} bob\n")).collect();
    client.gets_bytes(lines.as_bytes());
    client.gets("<eve> \x1b[2Jtab\there\n[12:30] <alice> é");
    piped.reads_no_more();
    client.leaves();
    let out = piped.ends_with(0, "");
    let rest = out.split_once("You are in lobby.\n").unwrap().1;
    assert!(rest == format!("{lines}<eve> �[2Jtab\there\n[12:30] <alice> é\n*** Goodbye.\n"));
}

#[test]
fn a_line_server_in_a_pipe() {
    let (_server, client, mut piped) = piped(&["--name", "bob"]);
    piped.reads("first\nlast, without an end");
    piped.reads_no_more();
    client.says("first");
    client.says("last, without an end");
    client.says_no_more();
    client.gets("<user1> seen");
    client.loses_connection();
    assert_eq!(piped.ends_with(0, ""), "<user1> seen\n");
}

#[test]
fn the_wait_for_last_words_is_bounded() {
    let (_server, client, mut piped) = piped(&["--name", "bob", "--wait", "1"]);
    piped.reads_no_more();
    client.enters_as("bob");
    client.says_no_more(); // and the server neither answers nor closes
    piped.ends_with(0, "");
}

#[test]
fn a_room_to_go_to() {
    let (_server, client, mut piped) = piped(&["--name", "bob", "--room", "math"]);
    client.enters_as("bob");
    client.says("/join math");
    client.moves_to("math");
    piped.reads("1 + 1\n");
    client.says("1 + 1");
    piped.reads_no_more();
    client.gets_goodbye();
    piped.ends_with(0, "");
}

#[test]
fn quit_in_a_pipe_is_no_accident() {
    let (_server, client, mut piped) = piped(&["--name", "bob"]);
    client.enters_as("bob");
    piped.reads("/quit\n");
    client.says("/quit");
    client.gets_goodbye();
    piped.ends_with(0, "");
}

/// `chat HOST | tee log`: a person types as into nc, and the log has exactly what came.
#[cfg(unix)]
#[test]
fn chat_into_tee() {
    let server = Server::start();
    let person = crate::person::Start::new(&server, &[]).shell("\"$@\" | tee log").go();
    let client = server.accepts();
    client.gets_welcome();
    person.sees("What is your name?");
    person.types("alice\n");
    client.says("alice");
    client.gets_password_question("*** Password for alice:");
    person.sees("Password for alice:");
    person.sees_echo(false);
    person.types("hunter2!\n");
    client.says("hunter2!");
    person.sees_echo(true);
    client.gets_in("alice", &[]);
    client.gets("<bob> hi alice");
    person.types("hi\n");
    client.says("hi");
    person.sees("<bob> hi alice");
    person.types("\x04");
    client.leaves();
    person.ends_with(0);
    assert_eq!(
        std::fs::read_to_string(person.data.join("log")).unwrap(),
        "*** Welcome to chatd: one thread per connection, and yours is c1.\n\
         *** What is your name?\n\
         *** Password for alice:\n\
         *** Hello alice. Type to talk; /help lists the commands, /quit leaves.\n\
         *** You are in lobby.\n\
         <bob> hi alice\n\
         *** Goodbye.\n"
    );
    assert!(!person.bytes().contains("hunter"), "seen");
}

/// A disk that is full is told, and the exit code says it.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_an_error() {
    let server = Server::start();
    let start = crate::person::Start::new(&server, &["--name", "bob"]);
    let person = start.shell("echo hi | \"$@\" > /dev/full").go();
    server.accepts().gets("*** Welcome to chatd: one thread per connection, and yours is c1.");
    person.ends_with(1);
    person.sees("chat: what comes cannot be written: No space left on device");
}

/// A terminal that obeys nothing: lines come in their order, and one's own are not told again.
#[cfg(unix)]
#[test]
fn a_dumb_terminal() {
    let server = Server::start();
    let start = crate::person::Start::new(&server, &["--name", "alice"]);
    let person = start.variable("TERM", "dumb").go();
    let client = server.accepts();
    client.enters_as("alice");
    person.types("one\r/ME shouts\r");
    client.says("one");
    client.says("/ME shouts");
    client.gets("<alice> one\n<bob> two\n{\"last\":12}");
    client
        .gets_bytes(b"{\"bye\":1012,\"again\":true}\n*** Hung up: the server is shutting down.\n");
    client.loses_connection();
    let client = server.accepts();
    client.gets_welcome();
    client.says_among("/resume T0KEN");
    let missed = "(12:00) * alice shouts\n(12:00) <bob> three";
    client.gets(&format!("*** Hello again alice.\n{missed}\n{}", crate::server::who("alice")));
    client.gets_room("lobby", &["bob"], 99);
    person.sees("<bob> three");
    person.types("four\r");
    client.says("four");
    let rows = person.all_rows();
    let at = |end: &str| {
        rows.iter().position(|row| row.ends_with(end)).unwrap_or_else(|| panic!("{end}: {rows:?}"))
    };
    let order =
        ["<bob> two", "shutting down.", "in 0.5 s.", "again.", "Hello again alice.", "<bob> three"]
            .map(at);
    assert!(order.is_sorted(), "{order:?} {rows:?}");
    assert!(!rows.iter().any(|row| row.contains("<alice>") || row.contains("* alice")), "{rows:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_socket_of_this_machine_is_a_server_like_any_other() {
    use crate::harness::{Folder, Server};
    let folder = Folder::new();
    let server = Server::start_in(&folder, "--db none --listen unix:s");
    server.prints("listening on unix:s");
    let [mut alice] = server.enter(["alice"]);
    let socket = format!("unix:{}", folder.path("s").display());
    let mut piped = Piped::start(&[&socket, "--name", "bob"]);
    piped.reads("hi\n");
    alice.hears("*** bob entered lobby");
    alice.hears("<bob> hi");
    piped.reads_no_more();
    let out = piped.ends_with(0, "");
    assert!(out.contains("*** You are in lobby with alice."), "{out}");

    let nowhere = format!("unix:{}", folder.path("none").display());
    Piped::start(&[&nowhere]).ends_with(9, "No such file or directory");
    Piped::start(&[&socket, "5000"]).ends_with(2, "a socket has no port");
    server.signal("KILL");
    drop(server);
    let piped = Piped::start(&[&socket]);
    piped.ends_with(4, &format!("nobody answers at {socket}. Is the server started?"));
}
