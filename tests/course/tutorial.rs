//! Clients as the tutorials write them, in Python (tests/course/tutorial), against each step.

use super::harness::*;
use std::{
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

const SENTENCE: &str = "Thank you, I have read it.\n";
const SLOW: &str = "That took me one second.\n";

/// A client that runs; killed when it is dropped.
struct Script {
    child: Child,
    keyboard: ChildStdin,
    printed: Arc<Mutex<String>>,
}

/// Starts a client. Without Python there is none, and no test: CI has it.
fn script(name: &str, arguments: &[&str]) -> Option<Script> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/course/tutorial").join(name);
    let mut command = Command::new("python3");
    command
        .args(["-u", "-X", "utf8"])
        .arg(file)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        assert!(
            std::env::var_os("CI").is_none(),
            "python3 is not installed, and CI has to have it"
        );
        println!("SKIPPED tutorial/{name}: python3 is not installed");
        return None;
    };
    let (keyboard, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let printed = Arc::<Mutex<String>>::default();
    let printing = Arc::clone(&printed);
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = output.read(&mut bytes) {
            printing.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
    });
    Some(Script { child, keyboard, printed })
}

/// What a client has printed when it ends, for a program of the course on this port.
fn output(name: &str, server: &Server, more: &[&str]) -> Option<String> {
    let port = server.address.port().to_string();
    Some(script(name, &[&[&*port], more].concat())?.ends())
}

impl Script {
    /// What it has printed so far.
    fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    /// Waits until it has printed this.
    #[track_caller]
    fn prints(&self, expected: &str) {
        eventually(&format!("it prints {expected:?}"), || self.printed().contains(expected));
    }

    fn types(&mut self, line: &str) {
        self.keyboard.write_all(line.as_bytes()).unwrap();
    }

    /// Waits until it ends well and all it has printed is read: the reading thread then has let go of the text.
    #[track_caller]
    fn ends(mut self) -> String {
        eventually("the client ends", || self.child.try_wait().unwrap().is_some());
        assert!(self.child.wait().unwrap().success(), "it printed {}", self.printed());
        eventually("its output is read", || Arc::strong_count(&self.printed) == 1);
        self.printed()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn tutorial_iterative() {
    let server = start("iterative");
    if let Some(printed) = output("iterative.py", &server, &[]) {
        assert_eq!(printed, SENTENCE.repeat(3));
    }
}

#[test]
fn tutorial_files() {
    let (from, to) = (folder("tutorial-from"), folder("tutorial-to"));
    let big: Vec<u8> = (0..100_000u32).map(|n| (n % 253) as u8).collect();
    let files = [("notes.txt", &b"one\ntwo\n"[..]), ("empty", b""), ("größe.bin", &big)];
    for (name, content) in files {
        fs::write(from.join(name), content).unwrap();
    }
    let server = start_with("files", &[to.to_str().unwrap()]);
    let paths = files.map(|(name, _)| from.join(name).to_str().unwrap().to_owned());
    if let Some(printed) = output("send_files.py", &server, &paths.each_ref().map(String::as_str)) {
        assert_eq!(printed, "sent 3\n");
        for (name, content) in files {
            eventually(name, || fs::read(to.join(name)).is_ok_and(|saved| saved == content));
        }
    }
}

#[test]
fn tutorial_files_attacked() {
    let outer = folder("tutorial-attacked");
    let inner = outer.join("received");
    fs::create_dir(&inner).unwrap();
    let server = start_with("files", &[inner.to_str().unwrap()]);
    if let Some(printed) = output("attack_files.py", &server, &[]) {
        assert_eq!(printed, "done\n");
        let names = |folder: &Path| {
            let mut names: Vec<_> =
                fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&outer), ["received"], "something was written outside");
        assert_eq!(names(&inner), ["above", "absolute", "er", "one", "other"]);
        assert_eq!(
            ["one", "other"].map(|name| fs::read(inner.join(name)).unwrap()),
            [b"abcdef"; 2]
        );
    }
}

#[test]
fn tutorial_one_second_answers() {
    for name in ["fork", "slow-answer"] {
        if let Some(printed) = output("one_line.py", &start(name), &[]) {
            assert_eq!(printed, SLOW, "{name}");
        }
    }
}

#[test]
fn tutorial_hello() {
    if let Some(printed) = output("hello.py", &start("hello"), &[]) {
        assert_eq!(printed, "Hello World!\n");
    }
}

#[test]
fn tutorial_upper_case_of_all_models() {
    for (name, arguments) in [
        ("upper", &[][..]),
        ("upper-pool", &[]),
        ("poll-upper", &[]),
        ("epoll", &["level"]),
        ("epoll", &["edge"]),
    ] {
        if let Some(printed) = output("upper.py", &start_with(name, arguments), &[]) {
            assert_eq!(
                printed, "HELLO\nTHREADING\nTCP SERVER\nand then b''\n",
                "{name} {arguments:?}"
            );
        }
    }
}

#[test]
fn tutorial_select_echo_with_two_connections() {
    if let Some(printed) = output("two_connections.py", &start("select-echo"), &[]) {
        let parts = ["This is the message. ", "It will be sent ", "in parts."];
        assert_eq!(printed, parts.map(|part| format!("0 {part}\n1 {part}\n")).concat());
    }
}

#[test]
fn tutorial_reactor_echo() {
    if let Some(printed) = output("echo_count.py", &start("reactor-echo"), &[]) {
        assert_eq!(printed, "Open connections: 1\nOpen connections: 2\nhello\r\n");
    }
}

#[test]
fn tutorial_private_chat() {
    if let Some(printed) = output("private_chat.py", &start("private-chat"), &[]) {
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines.len(), 11, "{printed}");
        assert!(lines[3].starts_with("ben: ann is taken"), "{printed}");
        assert_eq!(lines[5], "ben: ann ben");
        let told = [
            "ben: ann:how are you?",
            "ben: ann:and the cat?",
            "ben: No message for you.",
            "ben: Bye from server!",
        ];
        assert_eq!(lines[7..], told);
    }
}

#[test]
fn tutorial_log_server() {
    let file = folder("tutorial-log").join("log.txt");
    let server = start_with("log-server", &[file.to_str().unwrap()]);
    if let Some(printed) = output("log_lines.py", &server, &[]) {
        let (who, answers) = printed.split_once('\n').unwrap();
        assert_eq!(answers, "It is written.\n".repeat(2));
        let written = format!("{who} === the disk is full\n{who} === the disk is empty again\n");
        assert_eq!(fs::read_to_string(file).unwrap(), written);
    }
}

#[test]
fn tutorial_chat_client_in_the_tutorials_room() {
    const CONNECTED: &str = "Connected to remote host. Start sending messages\n<You> ";
    let server = start("broadcast");
    let port = server.address.port().to_string();
    let Some(ann) = script("telnet.py", &["127.0.0.1", &port]) else { return };
    ann.prints(CONNECTED);
    let mut ben = script("telnet.py", &["127.0.0.1", &port]).unwrap();
    ben.prints(CONNECTED);
    ann.prints("] entered room\n<You> ");
    ben.types("hi class\n");
    ann.prints(")> hi class\n<You> ");
    ben.prints("<You> <You> "); // nothing of his own
    assert!(ann.printed().contains("\r<('127.0.0.1', "), "{:?}", ann.printed());
    drop(ben);
    ann.prints(") is offline<You> ");
    ends_on_ctrl_c(server);
    assert!(ann.ends().ends_with("\nDisconnected from chat server\n"));
}

#[test]
fn tutorial_chat_client_on_its_own() {
    let Some(usage) = script("telnet.py", &["127.0.0.1"]) else { return };
    assert_eq!(usage.ends(), "Usage : python telnet.py hostname port\n");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
        .to_string();
    assert_eq!(script("telnet.py", &["127.0.0.1", &nobody]).unwrap().ends(), "Unable to connect\n");
}
