//! The server goes away, and comes back.

use crate::{
    person::{Person, alice, alice_who},
    server::{Client, Server, who},
};
use std::{thread, time::Duration};

/// A network that brings nothing for longer than the client waits for the rest of a line.
fn is_quiet() {
    thread::park_timeout(Duration::from_millis(1_200));
}

/// Comes back by its token, and is told what was said since.
#[track_caller]
fn comes_back(client: &Client, since: &str, missed: &str) {
    client.gets_welcome();
    client.says(&format!("/since {since}"));
    client.says("/resume T0KEN");
    let room = since.split(' ').next().unwrap();
    client.gets(&format!("*** Hello again alice.\n{missed}\n{}", who("alice")));
    client.gets_room(room, &["bob"], 99);
}

/// How many rows end so.
fn count(person: &Person, end: &str) -> usize {
    person.all_rows().iter().filter(|row| row.ends_with(end)).count()
}

#[test]
fn back_where_we_were_and_nothing_is_missed_or_repeated() {
    let (server, client, person) = alice();
    person.types("/join math\r");
    client.says("/join math");
    client.moves_to("math");
    person.sees_prompt("alice@math> ");
    client.gets("<bob> one\n{\"last\":21}");
    person.sees("<bob> one");
    person.types("mine\r");
    client.says("mine");
    client.gets("<alice> mine\n<bob> two\n{\"last\":23}\n<bob> three");
    person.sees("<bob> two");
    is_quiet(); // before the number of the third line
    person.half_types_behind("alice@math> ", "half typed");
    client.gets_bytes(
        b"{\"bye\":1012,\"again\":true}\n*** Hung up: the server is shutting down.\n<bob> hal",
    );
    client.loses_connection();
    person.sees("the server is shutting down.");

    let client = server.accepts();
    is_quiet(); // it is not known yet whether that line is told again
    comes_back(
        &client,
        "math 23",
        "*** 3 lines were said:\n(12:00) <bob> three\n(12:01) <bob> half\n(12:02) * bob waves",
    );
    person.sees("(12:02) * bob waves");
    person.sees_prompt("alice@math> half typed");
    for (end, times) in [
        ("<bob> one", 1),
        ("<bob> two", 1),
        ("<bob> three", 1),
        ("<bob> half", 1),
        ("hal", 0),
        ("mine", 1),
    ] {
        assert_eq!(count(&person, end), times, "{end}: {:?}", person.all_rows());
    }
    assert_eq!(count(&person, "You read your own lines from now on."), 0);
}

#[test]
fn what_is_typed_is_said_once_or_we_are_told() {
    let (server, client, person) = alice();
    for line in ["one", "two", "/topic tea", "three"] {
        person.types(&format!("{line}\r"));
        client.says(line);
    }
    client.gets("<alice> one\n{\"last\":11}"); // and the others are on their way
    client.loses_connection();
    let client = server.accepts();
    comes_back(&client, "lobby 11", "(12:00) <alice> two");
    person.sees("chat: not said or done, because the connection was lost: /topic tea");
    person.sees("chat: not said or done, because the connection was lost: three");
    for (end, times) in [("> one", 1), ("> two", 1), ("lost: two", 0), ("lost: one", 0)] {
        assert_eq!(count(&person, end), times, "{end}: {:?}", person.all_rows());
    }
    person.types("\x1b[A");
    person.sees_prompt("alice@lobby> three");
    person.types("\r");
    client.says("three");
}

/// It may break while it is told: then everything that was told is told once more, and shown once.
#[test]
fn a_connection_that_breaks_while_the_past_is_told() {
    let (server, client, person) = alice();
    client.loses_connection();
    let client = server.accepts();
    client.gets_welcome();
    client.says("/since lobby 10");
    client.says("/resume T0KEN");
    client.gets_bytes(b"*** Hello again.\n(12:00) <bob> one\n(12:00) <bob> tw");
    client.loses_connection();
    comes_back(&server.accepts(), "lobby 10", "(12:00) <bob> one\n(12:00) <bob> two");
    person.sees("<bob> two");
    assert_eq!([count(&person, "<bob> one"), count(&person, "<bob> two")], [1, 1]);
}

/// The numbers of lines are others', and the token is not known.
#[test]
fn a_server_that_has_forgotten_everything() {
    let (server, client, person) = alice();
    client.gets("<bob> not noted yet");
    person.types("mine\r");
    client.says("mine");
    client.loses_connection();
    let client = server.accepts();
    client.gets_welcome_of_epoch(2);
    client.says("/resume T0KEN");
    client.gets_refusal("*** That is too long ago. What is your name?");
    client.says("alice");
    client.gets_in("alice", &[]);
    person.sees("<bob> not noted yet");
    person.sees("chat: the server has forgotten what was said before");
    person.sees("chat: it is not known whether this was said or done: mine");
    person.types("here\r");
    client.says("here");
}

#[test]
fn a_server_that_is_away_for_a_while() {
    let (server, client, person) = alice();
    let port = server.port;
    drop(server);
    client.loses_connection();
    person.sees("Trying again in 0.5 s.");
    person.sees("Trying again in 1 s.");
    person.types("lost\r");
    person.sees("chat: not sent: there is no connection at the moment.");
    let server = Server::on(port);
    let client = server.accepts();
    comes_back(&client, "lobby 10", "");
    person.sees("connected to 127.0.0.1");
    person.types("here\r");
    client.says("here");
}

#[test]
fn our_old_name_is_still_taken() {
    let (server, client, person) = alice();
    client.loses_connection();
    for _ in 0..2 {
        let client = server.accepts();
        client.gets_welcome();
        client.says("/since lobby 10");
        client.gets_refusal("*** That is too long ago. What is your name?");
        client.says_among("alice");
        client.gets_refusal("*** The name \"alice\" is taken. What is your name?");
        client.says_no_more();
    }
    let client = server.accepts();
    client.gets_welcome();
    client.says("/since lobby 10");
    client.says("alice");
    client.gets_in("alice", &[]);
    person.types("back\r");
    client.says("back");
}

/// Somebody else has it by now: the third time the person gives another one.
#[test]
fn our_old_name_belongs_to_somebody_else() {
    let (server, client, person) = alice();
    client.loses_connection();
    let refuses = |client: &Client, has_token: bool| {
        client.gets_welcome();
        client.says("/since lobby 10");
        if has_token {
            client.says("/resume T0KEN");
            client.gets_refusal("*** That is too long ago. What is your name?");
        }
        client.says("alice");
        client.gets_refusal("*** The name \"alice\" is taken. What is your name?");
    };
    for has_token in [true, false] {
        let client = server.accepts();
        refuses(&client, has_token);
        client.says_no_more();
    }
    let client = server.accepts();
    refuses(&client, false);
    person.sees("is taken. What is your name?");
    person.types("what I was about to say\r"); // is no name
    person.sees("chat: not sent: a name is asked for, and that is one word.");
    person.types("alison\r");
    client.says("alison");
    client.gets_in("alison", &[]);
    person.sees_prompt("alison@lobby> ");
    assert_eq!(count(&person, "is taken. What is your name?"), 1, "{:?}", person.all_rows());
    assert_eq!(count(&person, "and yours is c1."), 1);
    client.loses_connection();
    let client = server.accepts();
    client.gets_welcome();
    client.says_among("/resume T0KEN");
    client.gets_refusal("*** That is too long ago. What is your name?");
    client.says("alison");
}

/// Somebody has registered it meanwhile, and the person gives another name in place of a password.
#[test]
fn our_old_name_has_a_password_by_now() {
    let (server, client, person) = alice();
    client.loses_connection();
    let client = server.accepts();
    client.gets_welcome();
    client.says_among("/resume T0KEN");
    client.gets_refusal("*** That is too long ago. What is your name?");
    client.says("alice");
    client.gets_password_question("*** Password for alice (an empty line for another name):");
    person.sees("another name):");
    person.types("\r");
    client.says("");
    client.gets_refusal("*** What is your name?");
    person.sees_prompt("name> ");
    person.types("alison\r");
    client.says("alison");
}

/// A server that can be reached and lets nobody in, as behind a forwarding ssh: the waits grow.
#[test]
fn a_server_that_hangs_up_at_once() {
    let (server, client, person) = alice();
    client.loses_connection();
    for seconds in ["0.5", "1", "2"] {
        person.sees(&format!("Trying again in {seconds} s."));
        server.accepts().loses_connection();
    }
    assert_eq!(count(&person, " again."), 0, "it was not connected");
}

/// A chatd of before there were notes. It takes what it does not know for a name.
#[test]
fn a_chatd_without_notes() {
    let server = Server::start();
    let person = crate::person::Start::new(&server, &["--name", "alice", "--room", "math"]).go();
    for _ in 0..2 {
        let client = server.accepts();
        client.gets("*** Welcome to chatd: one thread per connection, and yours is c1.\n*** What is your name?");
        client.says("/notes on");
        client.gets(
            "*** A name starts with a letter, and \"/notes on\" does not. What is your name?",
        );
        client.says("alice");
        client.gets("*** Hello alice. Type to talk.\n*** You are in lobby with bob.\n<bob> hi");
        person.sees("<bob> hi");
        person.types("hello\r");
        client.says("hello");
        client.loses_connection();
    }
}

/// What was begun as a password is said to nobody, whatever becomes of the server.
#[test]
fn a_half_typed_password_is_not_said_to_the_room() {
    let (server, client, person) = alice();
    client.gets_password_question("*** Your password as it is now:");
    person.sees("as it is now:");
    person.types("\x15hunter");
    client.loses_connection();
    let client = server.accepts();
    comes_back(&client, "lobby 10", "<bob> welcome back");
    person.sees("<bob> welcome back");
    person.types("2!\r");
    person.sees("chat: not sent: nothing asks for a password any more.");
    person.types("hello\r");
    client.says("hello");
    assert!(!person.bytes().contains("unter"), "seen");
}

#[test]
fn no_reconnect() {
    let (_server, client, person) = alice_who(|start| start.argument("--no-reconnect"));
    client.gets("<bob> last words");
    client.loses_connection();
    person.ends_with(8);
    person.sees("<bob> last words");
    person.sees("is gone");
}

#[test]
fn shown_the_door() {
    let (_server, client, person) = alice();
    client.gets("{\"bye\":4003,\"again\":false}\n*** Hung up: you were kicked by the teacher.");
    client.loses_connection();
    person.ends_with(8);
    person.sees("you were kicked by the teacher");
}

#[test]
fn to_another_server_and_back() {
    let (server, client, person) = alice();
    let other = Server::start();
    person.types(&format!("/connect {}\r", other.address()));
    client.says_no_more();
    let client = other.accepts();
    client.enters_as("alice");
    person.sees(&format!("connected to {}", other.address()));
    person.sees_prompt("alice@lobby> ");
    person.types("hello there\r");
    client.says("hello there");
    person.types("/connect no..such..host\r");
    person.sees("no host is called");
    person.types("still here\r");
    client.says("still here");
    person.types(&format!("/connect {}\r", server.address()));
    server.accepts().enters_as("alice");
}
