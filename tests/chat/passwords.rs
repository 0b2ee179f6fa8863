//! A password is never seen and never kept.

use crate::person::{Start, alice};
use crate::server::Server;

#[test]
fn a_password_is_typed_unseen_and_forgotten() {
    let server = Server::start();
    let person = Start::new(&server, &["--name", "alice"]).go();
    let client = server.accepts();
    client.is_welcomed();
    client.says("alice");
    client.is_told("*** Password for alice:");
    person.sees_prompt("password> ");
    person.types("hunter2!");
    client.is_told("*** Still waiting."); // prints above, and draws the line again
    person.sees("*** Still waiting.");
    person.types("\x1b[D\x1b[D\r");
    client.says("hunter2!");
    client.is_let_in("alice", "alone.");
    person.sees_prompt("alice@lobby> ");
    person.types("spoken\r");
    client.says("spoken");
    person.types("\x1b[A\x1b[A\x1b[A");
    person.sees_prompt("alice@lobby> spoken");
    assert!(!String::from_utf8_lossy(&person.bytes()).contains("unter"), "seen");
    let history = std::fs::read_to_string(person.data.join("chatd").join("chat-history")).unwrap();
    assert!(history.contains("spoken") && !history.contains("hunter"), "kept: {history}");
}

#[test]
fn a_password_that_is_asked_for_in_the_middle_is_unseen_too() {
    let (_server, client, person) = alice();
    person.types("half");
    person.sees_prompt("alice@lobby> half");
    client.is_told("*** What is the new password?");
    person.sees("new password?");
    person.sees_prompt("alice@lobby> ");
    person.types("\x15hunter2!\r"); // Ctrl-U takes back what was typed before
    client.says("hunter2!");
    assert!(!String::from_utf8_lossy(&person.bytes()).contains("unter"), "seen");
}

#[test]
fn nobody_but_the_server_can_ask() {
    let (_server, client, person) = alice();
    client.is_told("<mallory> *** Password:");
    person.sees("<mallory> *** Password:");
    person.types("seen");
    person.sees_prompt("alice@lobby> seen");
}
