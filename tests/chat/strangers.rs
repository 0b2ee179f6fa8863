//! Servers that are no chatd: no names, no rooms, no commands. Less is offered, nothing breaks.

use crate::person::somebody;

#[test]
fn a_server_that_only_passes_lines_on() {
    // Nobody asks for the name, so nobody is told.
    let (_server, client, person) = somebody(&["--name", "alice"]);
    person.sees_prompt("> ");
    person.types("hello\r");
    client.says("hello");
    client.gets(
        "<user3> hi\r\nbob> hi\r\n\r<('127.0.0.1', 39339)> hi\n[127.0.0.1:39339] entered room",
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
    client.loses_connection();
    person.ends_with(0);
}

/// Of a server that only passes lines on, anybody can say what chatd says at a port for TLS alone.
#[test]
fn what_somebody_else_says_of_tls_ends_nothing() {
    let (_server, client, person) = somebody(&[]);
    for line in ["*** This port is for TLS alone: gone?", "hello"] {
        client.gets(line);
        person.sees(line);
    }
    person.types("here\r");
    client.says("here");
    client.loses_connection();
    person.sees("Trying again");
}

#[test]
fn a_question_without_a_line_end() {
    let (_server, client, person) = somebody(&[]);
    client.gets_bytes(b"login: ");
    person.sees("login:");
    person.types("guest\r");
    client.says("guest");
}

#[test]
fn a_server_without_names_that_comes_back() {
    let (server, client, person) = somebody(&[]);
    client.gets("hello");
    person.sees("hello");
    client.loses_connection();
    person.sees("Trying again");
    let client = server.accepts();
    client.gets("hello again");
    person.sees("hello again");
}
