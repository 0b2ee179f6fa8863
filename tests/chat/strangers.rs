//! Servers that are no chatd: no names, no rooms, no commands. Less is offered, nothing breaks.

use crate::person::Start;
use crate::server::Server;

#[test]
fn a_server_that_only_passes_lines_on() {
    let server = Server::start();
    let person = Start::new(&server, &["--name", "alice"]).go(); // nobody asks for it, so nobody is told
    let client = server.accepts();
    person.sees_prompt("> ");
    person.types("hello\r");
    client.says("hello");
    client.is_sent(
        b"<user3> hi\r\nbob> hi\r\n\r<('127.0.0.1', 39339)> hi\n[127.0.0.1:39339] entered room\n",
    );
    person.sees("[127.0.0.1:39339] entered room");
    let rows = person.rows();
    for line in ["<user3> hi", "bob> hi", "<('127.0.0.1', 39339)> hi"] {
        assert!(rows.iter().any(|row| row == line), "{line:?} in {rows:?}");
    }
    person.types("/nick x\r");
    client.says("/nick x");
    person.types("/quit\r");
    client.says_no_more(); // not told "/quit", which others would read
    client.hangs_up();
    assert_eq!(person.ends(), 0);
}

#[test]
fn a_question_without_a_line_end() {
    let server = Server::start();
    let person = Start::new(&server, &[]).go();
    let client = server.accepts();
    client.is_sent(b"login: ");
    person.sees("login:");
    person.types("guest\r");
    client.says("guest");
}

#[test]
fn a_server_without_names_that_comes_back() {
    let server = Server::start();
    let person = Start::new(&server, &[]).go();
    let client = server.accepts();
    client.is_told("hello");
    person.sees("hello");
    client.hangs_up();
    person.sees("Trying again");
    let client = server.accepts();
    client.is_told("hello again");
    person.sees("hello again");
}
