//! Steps 9 and 10: the programs on the reactor, and the tutorials' chat room, byte for byte.

use super::harness::*;

#[test]
fn reactor_echo_with_the_number_of_connections() {
    let server = start("reactor-echo");
    let mut first = Peer::connect(&server);
    first.reads("Open connections: 1\n");
    let mut second = Peer::connect(&server);
    second.reads("Open connections: 2\n");
    first.sends(b"\0any bytes\xff");
    first.reads(b"\0any bytes\xff");
    first.stops_sending();
    first.ends();
    let mut third = Peer::connect(&server);
    third.reads("Open connections: 2\n");
    ends_on_ctrl_c(server);
}

const HELP: &str = "Say `list`, `NAME:TEXT`, `YOUR-NAME:getmessage` or `bye`.";

/// Connects, and takes a name.
fn person(server: &Server, name: &str) -> Peer {
    let mut person = Peer::connect(server);
    person.reads("What is your nickname?\r\n");
    person.asks(name, &format!("Welcome {name}. {HELP}"));
    person
}

impl Peer {
    #[track_caller]
    fn asks(&mut self, line: &str, answer: &str) {
        self.sends(format!("{line}\r\n"));
        self.reads(format!("{answer}\r\n"));
    }
}

#[test]
fn private_chat_as_the_table_says() {
    let server = start("private-chat");
    let mut ann = person(&server, "ann");
    let mut ben = Peer::connect(&server);
    ben.reads("What is your nickname?\r\n");
    ben.asks("ann", "ann is taken. Another nickname?");
    ben.asks("a:b", "A nickname has 1 to 20 characters, no space and no colon. Another one?");
    ben.asks("ben", &format!("Welcome ben. {HELP}"));
    ann.asks("list", "ann ben");
    ann.asks("ann:getmessage", "No message for you.");
    ann.sends("ben:one\r\nben:two: and more\r\n");
    ann.asks("hm?", HELP);
    ben.asks("ben:getmessage", "ann:one");
    ben.asks("ben:getmessage", "ann:two: and more");
    ben.asks("ben:getmessage", "No message for you.");
    ann.asks("bye", "Bye from server!");
    ann.ends();
    let mut list = String::new();
    eventually("the name is free", || {
        ben.sends("list\r\n");
        list = ben.reads_line();
        list == "ben\r\n"
    });
    person(&server, "ann").asks("ann:getmessage", "No message for you.");
    ends_on_ctrl_c(server);
}

#[test]
fn private_chat_is_private_and_bounded() {
    let server = start("private-chat");
    let (mut ann, mut eve) = (person(&server, "ann"), person(&server, "eve"));
    eve.asks("ann:getmessage", &format!("The mailbox of ann is not yours. {HELP}"));
    eve.asks("zoe:hi", &format!("zoe is not here. {HELP}"));
    eve.sends("ann:\x1b[2Jx\r\n".repeat(100));
    eve.asks("ann:one more", "The mailbox of ann is full.");
    ann.asks("ann:getmessage", "eve:\u{fffd}[2Jx");
    eve.asks(&"x".repeat(2000), "That line is too long.");
    drop(eve);
    ends_on_ctrl_c(server);
}

#[test]
fn a_reactor_is_not_stopped_by_one_who_does_not_read() {
    let server = start("private-chat");
    let (stuck, mut ann) = (person(&server, "eve"), person(&server, "ann"));
    super::loops::floods(&stuck, "list\n");
    for _ in 0..10 {
        ann.asks("list", "ann eve");
    }
    ends_on_ctrl_c(server);
}

#[test]
fn log_server_as_the_table_says() {
    let file = folder("log").join("log.txt");
    let server = Printing::start("log-server", &[file.to_str().unwrap()]);
    let (mut first, mut second) =
        (Peer::connect_to(server.address), Peer::connect_to(server.address));
    first.asks("one", "It is written.");
    second.asks("two\x1b[2J", "It is written.");
    first.asks(&"x".repeat(2000), "It is not written: That line is too long.");
    first.sends("thr");
    second.asks("four", "It is written.");
    first.asks("ee", "It is written.");
    let (a, b) = (first.address(), second.address());
    let expected = [
        format!("{a} === one"),
        format!("{b} === two\u{fffd}[2J"),
        format!("{b} === four"),
        format!("{a} === three"),
    ];
    let written = std::fs::read_to_string(&file).unwrap(); // while it runs: it is flushed
    assert_eq!(written.lines().collect::<Vec<_>>(), expected);
    assert_eq!(server.ends(), expected);
}

#[test]
fn broadcast_byte_for_byte() {
    let mut server = Printing::start("broadcast", &[]);
    let port = server.address.port();
    server.prints(&format!("Chat server started on port {port}"));
    let mut ann = Peer::connect_to(server.address);
    let a = ann.address().port();
    server.prints(&format!("Client (127.0.0.1, {a}) connected"));
    let mut ben = Peer::connect_to(server.address);
    let b = ben.address().port();
    server.prints(&format!("Client (127.0.0.1, {b}) connected"));
    ann.reads(format!("[127.0.0.1:{b}] entered room\n"));
    ann.sends("hi\n");
    ben.reads(format!("\r<('127.0.0.1', {a})> hi\n"));
    ben.sends(b"no line end, any bytes: \xff");
    ann.reads(
        [format!("\r<('127.0.0.1', {b})> ").as_bytes(), b"no line end, any bytes: \xff"].concat(),
    );
    drop(ann);
    ben.reads(format!("Client (127.0.0.1, {a}) is offline"));
    server.prints(&format!("Client (127.0.0.1, {a}) is offline"));
    let mut carol = Peer::connect_to(server.address);
    let c = carol.address().port();
    ben.reads(format!("[127.0.0.1:{c}] entered room\n")); // and nothing of ben's own before it
    ben.sends("x");
    carol.reads(format!("\r<('127.0.0.1', {b})> x"));
    server.prints(&format!("Client (127.0.0.1, {c}) connected"));
    assert!(server.ends().is_empty());
}

#[test]
fn broadcast_one_who_does_not_read_is_dropped_and_the_others_read_on() {
    let server = start("broadcast");
    let (frozen, mut ann) = (Peer::connect(&server), Peer::connect(&server));
    let mut ben = Peer::connect(&server);
    ann.reads(format!("[{}] entered room\n", ben.address()));
    let block = "x".repeat(4000);
    for _ in 0..5000 {
        ann.sends(&block); // 20 MB in all: more than the kernel's buffers and the queue hold for one who does not read
        ben.reads(format!("\r<('127.0.0.1', {})> {block}", ann.address().port()));
    }
    frozen.ends();
    ends_on_ctrl_c(server);
}
