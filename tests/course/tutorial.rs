//! Clients as the tutorials write them, in Python (tests/course/tutorial), against each step.

use crate::{
    harness::{Folder, Process, Server, eventually, folder::files_of, has_program},
    start, start_with,
};
use std::{fs, path::Path, process::Command, thread};

const SENTENCE: &str = "Thank you, I have read it.\n";
const SLOW: &str = "That took me one second.\n";

/// Starts a client. Without Python there is none, and no test.
fn script(name: &str, arguments: &[&str]) -> Option<Process> {
    has_program("python3").then(|| {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/course/tutorial");
        let mut command = Command::new("python3");
        command.args(["-u", "-X", "utf8"]).arg(scripts.join(name)).args(arguments);
        Process::start(command)
    })
}

/// What a client has printed when it ends, for a program of the course.
pub fn output(name: &str, server: &Server, more: &[&str]) -> Option<String> {
    let port = server.address.port().to_string();
    script(name, &[&[&*port], more].concat()).map(|mut script| script.ends())
}

#[test]
fn tutorial_clients_print_what_they_are_to_print() {
    let parts = ["This is the message. ", "It will be sent ", "in parts."];
    let parts = parts.map(|part| format!("0 {part}\n1 {part}\n")).concat();
    let upper = "HELLO\nTHREADING\nTCP SERVER\nand then b''\n";
    let connections = "Open connections: 1\nOpen connections: 2\nhello\r\n";
    let table: [(&str, &str, &[&str], &str); 11] = [
        ("iterative.py", "iterative", &[], &SENTENCE.repeat(3)),
        ("one_line.py", "fork", &[], SLOW),
        ("one_line.py", "slow-answer", &[], SLOW),
        ("hello.py", "hello", &[], "Hello World!\n"),
        ("upper.py", "upper", &[], upper),
        ("upper.py", "upper-pool", &[], upper),
        ("upper.py", "poll-upper", &[], upper),
        ("upper.py", "epoll", &["level"], upper),
        ("upper.py", "epoll", &["edge"], upper),
        ("two_connections.py", "select-echo", &[], &parts),
        ("echo_count.py", "reactor-echo", &[], connections),
    ];
    thread::scope(|scope| {
        for (client, program, arguments, expected) in &table {
            scope.spawn(move || {
                if let Some(printed) = output(client, &start_with(program, arguments), &[]) {
                    assert_eq!(printed, *expected, "{client} with {program} {arguments:?}");
                }
            });
        }
    });
}

#[test]
fn tutorial_files() {
    let (from, to) = (Folder::new(), Folder::new());
    let big: Vec<u8> = (0..100_000u32).map(|n| (n % 253) as u8).collect();
    let files = [("notes.txt", &b"one\ntwo\n"[..]), ("empty", b""), ("größe.bin", &big)];
    let paths = files.map(|(name, content)| {
        fs::write(from.path(name), content).unwrap();
        from.path(name).to_str().unwrap().to_owned()
    });
    let server = start_with("files", &[to.path("").to_str().unwrap()]);
    if let Some(printed) = output("send_files.py", &server, &paths.each_ref().map(String::as_str)) {
        assert_eq!(printed, "sent 3\n");
        for (name, content) in files {
            eventually(name, || fs::read(to.path(name)).is_ok_and(|saved| saved == content));
        }
    }
}

#[test]
fn tutorial_files_attacked() {
    let outer = Folder::new();
    let inner = outer.path("received");
    fs::create_dir(&inner).unwrap();
    let server = start_with("files", &[inner.to_str().unwrap()]);
    if let Some(printed) = output("attack_files.py", &server, &[]) {
        assert_eq!(printed, "done\n");
        assert_eq!(outer.files(), ["received"], "something was written outside");
        assert_eq!(files_of(&inner), ["above", "absolute", "er", "one", "other"]);
        let saved = ["one", "other"].map(|name| fs::read(inner.join(name)).unwrap());
        assert_eq!(saved, [b"abcdef"; 2]);
    }
}

#[test]
fn tutorial_private_chat() {
    if let Some(printed) = output("private_chat.py", &start("private-chat"), &[]) {
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines.len(), 11, "{printed}");
        assert!(lines[3].starts_with("ben: ann is taken"), "{printed}");
        assert_eq!(lines[5], "ben: ann ben");
        let told =
            ["ann:how are you?", "ann:and the cat?", "No message for you.", "Bye from server!"];
        assert_eq!(lines[7..], told.map(|line| format!("ben: {line}")));
    }
}

#[test]
fn tutorial_log_server() {
    let folder = Folder::new();
    let file = folder.path("log.txt");
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
    let mut server = start("broadcast");
    let port = server.address.port().to_string();
    let Some(mut ann) = script("telnet.py", &["127.0.0.1", &port]) else { return };
    ann.prints(CONNECTED);
    let mut ben = script("telnet.py", &["127.0.0.1", &port]).unwrap();
    ben.prints(CONNECTED);
    ann.prints("] entered room\n<You> ");
    ben.types("hi class\n");
    ann.prints(")> hi class\n<You> ");
    ben.prints("<You> <You> "); // nothing of its own
    assert!(ann.printed().contains("\r<('127.0.0.1', "), "{:?}", ann.printed());
    drop(ben);
    ann.prints(") is offline<You> ");
    server.ends_on_ctrl_c();
    assert!(ann.ends().ends_with("\nDisconnected from chat server\n"));
}

#[test]
fn tutorial_chat_client_on_its_own() {
    let Some(mut usage) = script("telnet.py", &["127.0.0.1"]) else { return };
    assert_eq!(usage.ends(), "Usage : python telnet.py hostname port\n");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut unable = script("telnet.py", &["127.0.0.1", &nobody.port().to_string()]).unwrap();
    assert_eq!(unable.ends(), "Unable to connect\n");
}
