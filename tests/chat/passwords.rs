//! A password is never seen and never remembered.

use crate::person::{alice, somebody};
use std::{thread, time::Duration};

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

/// What was begun as talk is no password, and comes back.
#[test]
fn a_half_typed_sentence_is_put_aside() {
    let (_server, client, person) = alice();
    person.half_types("please do not shout at");
    client.gets_password_question("*** Password for alice:");
    person.sees("Password for alice:");
    person.types(" me bob\r");
    person.sees("chat: not sent: a password is asked for. What you had typed comes back");
    person.sees_prompt("password> ");
    person.types("hunter2!\r");
    client.says("hunter2!");
    client.gets_in("alice", &[]);
    person.sees_prompt("alice@lobby> please do not shout at");
    person.types(" us\r");
    client.says("please do not shout at us");
    assert!(!person.bytes().contains("unter"), "seen");
}

/// A password manager waits for no question.
#[test]
fn a_password_that_is_typed_in_front_of_its_question() {
    let (_server, client, person) = alice();
    person.types("/login alice\rhunter2!\r");
    client.says("/login alice");
    client.gets("*** bob entered lobby\n{\"+\":\"bob\"}"); // no answer to that
    thread::park_timeout(Duration::from_millis(700));
    client.gets_password_question("*** Password for alice:");
    client.says("hunter2!");
    client.gets_in("alice", &[]);
    person.sees_prompt("alice@lobby> ");
    assert!(!person.bytes().contains("unter"), "seen");
    person.types("spoken\r");
    client.says("spoken");
    let history = std::fs::read_to_string(person.data.join("chatd/chat-history")).unwrap();
    assert!(history.contains("spoken") && !history.contains("unter"), "remembered: {history}");
}

#[test]
fn a_password_in_a_command_is_neither_seen_nor_remembered_nor_said_to_everybody() {
    let (_server, client, person) = alice();
    person.types(" /login alice hunter2!\r");
    person.sees("chat: not sent: a blank stands in front of it, so everybody would read it.");
    person.types("/login alice hunter3!\r");
    client.says("/login alice hunter3!");
    client.gets_in("alice", &[]);
    person.types("/register hunter4!\x1b[D\x1b[D\r");
    client.says("/register hunter4!");
    client.gets_in("alice", &[]);
    person.types("/passwrd hunter5!\r");
    client.says("/passwrd hunter5!");
    person.types("said\r");
    client.says("said");
    let history = std::fs::read_to_string(person.data.join("chatd/chat-history")).unwrap();
    assert!(history.contains("said") && !history.contains("unter"), "remembered: {history}");
    let bytes = person.bytes();
    assert!(bytes.contains("/login alice ") && bytes.contains("/register "), "{bytes:?}");
    assert!(!bytes.replace("/passwrd hunter5!", "").contains("unter"), "seen: {bytes:?}");
}
