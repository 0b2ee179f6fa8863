//! A password is never seen and never remembered.

use crate::person::{alice, somebody};

#[test]
fn a_password_is_typed_unseen_and_forgotten() {
    let (_server, client, person) = somebody(&["--name", "alice"]);
    client.gets_welcome();
    client.says("alice");
    client.gets_password_question("*** Password for alice:");
    person.sees_prompt("password> ");
    person.types("hunter2!");
    client.gets("*** Still waiting."); // prints above, and draws the line again
    person.sees("*** Still waiting.");
    person.types("\x1b[D\x1b[D\r");
    client.says("hunter2!");
    client.gets_in("alice", &[]);
    person.sees_prompt("alice@lobby> ");
    person.types("spoken\r");
    client.says("spoken");
    person.types("\x1b[A\x1b[A\x1b[A");
    person.sees_prompt("alice@lobby> spoken");
    assert!(!person.bytes().contains("unter"), "seen");
    let history = std::fs::read_to_string(person.data.join("chatd/chat-history")).unwrap();
    assert!(history.contains("spoken") && !history.contains("hunter"), "remembered: {history}");
}

#[test]
fn a_password_that_is_asked_for_in_the_middle_is_unseen_too() {
    let (_server, client, person) = alice();
    person.half_types("half");
    client.gets_password_question("*** What is the new password?");
    person.sees("new password?");
    person.sees_prompt("alice@lobby> ");
    person.types("\x15hunter2!\r"); // Ctrl-U takes back what was typed before
    client.says("hunter2!");
    assert!(!person.bytes().contains("unter"), "seen");
}

#[test]
fn nobody_but_the_server_can_ask() {
    let (_server, client, person) = alice();
    client.gets("<mallory> *** Password:");
    person.sees("<mallory> *** Password:");
    person.half_types("seen");
}
