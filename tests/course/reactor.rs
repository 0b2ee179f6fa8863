//! Steps 9 and 10: the programs on the reactor, and the tutorials' chat room, byte for byte.

use crate::{floods, harness::*, start, start_with};

#[test]
fn reactor_echo_with_the_number_of_connections() {
    let mut server = start("reactor-echo");
    let mut first = server.connect("first");
    first.receives("Open connections: 1\n");
    let mut second = server.connect("second");
    second.receives("Open connections: 2\n");
    first.sends(b"\0any bytes\xff");
    first.receives(b"\0any bytes\xff");
    first.stops_sending();
    first.ends();
    server.connect("third").receives("Open connections: 2\n");
    server.ends_on_ctrl_c();
}

const HELP: &str = "Say `list`, `NAME:TEXT`, `YOUR-NAME:getmessage` or `bye`.";

/// Sends a line as telnet does, and reads the answer.
#[track_caller]
fn ask(client: &mut Client, line: &str, answer: &str) {
    client.sends(format!("{line}\r\n"));
    client.receives(format!("{answer}\r\n"));
}

/// Connects, and takes a name.
fn enter(server: &Server, name: &str) -> Client {
    let mut person = server.connect(name);
    person.receives("What is your nickname?\r\n");
    ask(&mut person, name, &format!("Welcome {name}. {HELP}"));
    person
}

#[test]
fn private_chat_as_the_table_says() {
    let mut server = start("private-chat");
    let mut ann = enter(&server, "ann");
    let mut ben = server.connect("ben");
    ben.receives("What is your nickname?\r\n");
    for (line, answer) in [
        ("ann", "ann is taken. Another nickname?"),
        ("a:b", "A nickname has 1 to 20 characters, no space and no colon. Another one?"),
        ("ben", &format!("Welcome ben. {HELP}")),
    ] {
        ask(&mut ben, line, answer);
    }
    ask(&mut ann, "list", "ann ben");
    ask(&mut ann, "ann:getmessage", "No message for you.");
    ann.sends("ben:one\r\nben:two: and more\r\n");
    ask(&mut ann, "hm?", HELP);
    for message in ["ann:one", "ann:two: and more", "No message for you."] {
        ask(&mut ben, "ben:getmessage", message);
    }
    ask(&mut ann, "bye", "Bye from server!");
    ann.ends();
    eventually("the name is free", || {
        ben.sends("list\r\n");
        ben.reads().unwrap() == "ben\r"
    });
    ask(&mut enter(&server, "ann"), "ann:getmessage", "No message for you.");
    server.ends_on_ctrl_c();
}

#[test]
fn private_chat_keeps_a_message_for_one_who_is_not_there_yet() {
    let mut server = start("private-chat");
    let mut ann = enter(&server, "ann");
    ann.sends("zoe:welcome\r\n");
    ask(&mut ann, "list", "ann");
    let mut zoe = enter(&server, "zoe");
    ask(&mut zoe, "list", "ann zoe");
    ask(&mut zoe, "zoe:getmessage", "ann:welcome");
    drop(zoe);
    drop(ann);
    server.ends_on_ctrl_c();
}

#[test]
fn private_chat_is_private_and_bounded() {
    let mut server = start("private-chat");
    let [mut ann, mut eve] = ["ann", "eve"].map(|name| enter(&server, name));
    ask(&mut eve, "ann:getmessage", &format!("The mailbox of ann is not yours. {HELP}"));
    ask(&mut eve, "a name:hi", &format!("Nothing can be kept for a name. {HELP}"));
    eve.sends((0..100).map(|n| format!("absent{n}:hi\r\n")).collect::<String>());
    ask(&mut eve, "zoe:hi", &format!("Nothing can be kept for zoe. {HELP}"));
    eve.sends("ann:\x1b[2Jx\r\n".repeat(100));
    ask(&mut eve, "ann:one more", "The mailbox of ann is full.");
    ask(&mut ann, "ann:getmessage", "eve:x");
    ask(&mut eve, &"x".repeat(2000), "That line is too long.");
    drop(eve);
    server.ends_on_ctrl_c();
}

#[test]
fn a_reactor_is_not_stopped_by_one_that_does_not_read() {
    let mut server = start("private-chat");
    let [stuck, mut ann] = ["eve", "ann"].map(|name| enter(&server, name));
    floods(&stuck, "list\n");
    (0..10).for_each(|_| ask(&mut ann, "list", "ann eve"));
    server.ends_on_ctrl_c();
}

#[test]
fn log_server_as_the_table_says() {
    let folder = Folder::new();
    let file = folder.path("log.txt");
    let mut server = start_with("log-server", &[file.to_str().unwrap()]);
    let [mut first, mut second] = ["first", "second"].map(|name| server.connect(name));
    ask(&mut first, "one", "It is written.");
    ask(&mut second, "two\x1b[2J", "It is written.");
    ask(&mut first, &"x".repeat(2000), "It is not written: That line is too long.");
    first.sends("thr");
    ask(&mut second, "four", "It is written.");
    ask(&mut first, "ee", "It is written.");
    let (a, b) = (first.address(), second.address());
    let expected = [
        format!("{a} === one"),
        format!("{b} === two"),
        format!("{b} === four"),
        format!("{a} === three"),
    ];
    let written = std::fs::read_to_string(&file).unwrap(); // while it runs: it is flushed
    assert_eq!(written.lines().collect::<Vec<_>>(), expected);
    assert_eq!(server.ends_on_ctrl_c(), expected);
}

#[test]
fn broadcast_byte_for_byte() {
    let mut server = start("broadcast");
    let port = server.address.port();
    server.prints_line(&format!("Chat server started on port {port}"));
    let [(mut ann, a), (mut ben, b)] = ["ann", "ben"].map(|name| {
        let client = server.connect(name);
        let port = client.address().port();
        server.prints_line(&format!("Client (127.0.0.1, {port}) connected"));
        (client, port)
    });
    ann.receives(format!("[127.0.0.1:{b}] entered room\n"));
    ann.sends("hi\n");
    ben.receives(format!("\r<('127.0.0.1', {a})> hi\n"));
    let any_bytes = b"no line end, any bytes: \xff";
    ben.sends(any_bytes);
    ann.receives([format!("\r<('127.0.0.1', {b})> ").as_bytes(), any_bytes].concat());
    drop(ann);
    ben.receives(format!("Client (127.0.0.1, {a}) is offline"));
    server.prints_line(&format!("Client (127.0.0.1, {a}) is offline"));
    let mut carol = server.connect("carol");
    let c = carol.address().port();
    ben.receives(format!("[127.0.0.1:{c}] entered room\n")); // and nothing of ben's own before it
    ben.sends("x");
    carol.receives(format!("\r<('127.0.0.1', {b})> x"));
    server.prints_line(&format!("Client (127.0.0.1, {c}) connected"));
    assert!(server.ends_on_ctrl_c().is_empty());
}

#[test]
fn broadcast_one_that_does_not_read_is_dropped_and_the_others_read_on() {
    let mut server = start("broadcast");
    let [frozen, mut ann, mut ben] = ["frozen", "ann", "ben"].map(|name| server.connect(name));
    ann.receives(format!("[{}] entered room\n", ben.address()));
    let block = "x".repeat(4000);
    for _ in 0..5000 {
        ann.sends(&block); // 20 MB in all: more than the kernel's buffers and the queue hold for one that does not read
        ben.receives(format!("\r<('127.0.0.1', {})> {block}", ann.address().port()));
    }
    frozen.ends();
    server.ends_on_ctrl_c();
}
