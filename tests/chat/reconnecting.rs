//! The server goes away, and comes back.

use crate::person::{Start, alice};
use crate::server::Server;

const HEADER: &str = "(times are +00:00):";

#[test]
fn back_under_the_same_name_and_in_the_same_room_without_repeating() {
    let (server, client, person) = alice();
    person.types("/join math\r");
    client.says("/join math");
    client.is_told("*** You are in math with bob.\n<bob> one");
    person.sees("<bob> one");
    person.sees_prompt("alice@math> ");
    person.types("mine\r");
    client.says("mine");
    client.is_told("<bob> two");
    person.sees("<bob> two");
    person.types("half typed");
    client.is_told("*** Hung up: the server is shutting down.");
    client.hangs_up();
    person.sees("the server is shutting down.");

    let client = server.accepts();
    client.enters_as("alice");
    client.is_told(&format!(
        "*** The last 1 line of lobby {HEADER}\n(12:00) <zoe> elsewhere\n*** End of the past."
    ));
    client.says("/join math");
    client.is_told("*** You are in math with bob.");
    client.is_told(&format!("*** The last 5 lines of math {HEADER}"));
    client.is_told(
        "(12:00) <bob> one\n(12:00) <bob> two\n(12:00) <alice> mine\n(12:01) <bob> three\n(12:02) * bob waves",
    );
    client.is_told("*** End of the past.\n<bob> live");
    person.sees("<bob> live");
    person.sees_prompt("alice@math> half typed");
    let rows = person.rows();
    let count = |text: &str| rows.iter().filter(|row| row.ends_with(text)).count();
    assert_eq!(
        (count("<bob> one"), count("<bob> two"), count("mine"), count("elsewhere")),
        (1, 1, 1, 0),
        "{rows:?}"
    );
    let at = rows
        .iter()
        .position(|row| row == "chat: these 2 lines were missed:")
        .expect("no missed lines");
    assert_eq!(
        rows[at + 1..at + 4],
        ["(12:01) <bob> three", "(12:02) * bob waves", "<bob> live"],
        "{rows:?}"
    );
    person.types("!\r");
    client.says("half typed!");
}

#[test]
fn a_server_that_is_away_for_a_while() {
    let (server, client, person) = alice();
    let port = server.port;
    drop(server);
    client.hangs_up();
    person.sees("Trying again in 0.5 s.");
    person.sees("Trying again in 1 s.");
    person.types("lost\r");
    person.sees("chat: not sent: there is no connection at the moment.");
    let server = Server::on(port);
    let client = server.accepts();
    client.enters_as("alice");
    person.sees("connected to 127.0.0.1");
    person.types("here\r");
    client.says("here");
}

#[test]
fn our_old_name_is_still_taken() {
    let (server, client, person) = alice();
    client.hangs_up();
    let client = server.accepts();
    client.is_welcomed();
    client.says("alice");
    client.is_told("*** The name \"alice\" is taken. What is your name?");
    client.says_no_more();
    let client = server.accepts();
    client.enters_as("alice");
    person.types("back\r");
    client.says("back");
}

#[test]
fn no_reconnect() {
    let server = Server::start();
    let person = Start::new(&server, &["--name", "alice", "--no-reconnect"]).go();
    let client = server.accepts();
    client.enters_as("alice");
    person.sees_prompt("alice@lobby> ");
    client.is_told("<bob> last words");
    client.hangs_up();
    assert_eq!(person.ends(), 8);
    person.sees("<bob> last words");
    person.sees("is gone");
    person.finds_the_terminal_as_it_was();
}

#[test]
fn shown_the_door() {
    let (_server, client, person) = alice();
    client.is_told("*** Hung up: you were kicked by the teacher.");
    client.hangs_up();
    assert_eq!(person.ends(), 8);
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
    client.says_no_more();
    person.sees("no host is called");
    person.types(&format!("/connect {}\r", server.address()));
    server.accepts().enters_as("alice");
}
