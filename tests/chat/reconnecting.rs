//! The server goes away, and comes back.

use crate::{
    person::{alice, alice_who},
    server::Server,
};

#[test]
fn back_under_the_same_name_and_in_the_same_room_without_repeating() {
    let (server, client, person) = alice();
    person.types("/join math\r");
    client.says("/join math");
    client.gets("*** You are in math with bob.\n<bob> one");
    person.sees("<bob> one");
    person.sees_prompt("alice@math> ");
    person.types("mine\r");
    client.says("mine");
    client.gets("<bob> two");
    person.sees("<bob> two");
    person.types("half typed");
    client.gets("*** Hung up: the server is shutting down.");
    client.loses_connection();
    person.sees("the server is shutting down.");

    let client = server.accepts();
    client.enters_as("alice");
    client.gets(
        "*** The last 1 line of lobby (times are +00:00):\n\
         (12:00) <zoe> elsewhere\n\
         *** End of the history.",
    );
    client.says("/join math");
    client.gets(
        "*** You are in math with bob.\n\
         *** The last 5 lines of math (times are +00:00):\n\
         (12:00) <bob> one\n\
         (12:00) <bob> two\n\
         (12:00) <alice> mine\n\
         (12:01) <bob> three\n\
         (12:02) * bob waves\n\
         *** End of the history.\n\
         <bob> live",
    );
    person.sees("<bob> live");
    person.sees_prompt("alice@math> half typed");
    let rows = person.rows();
    let counts = ["<bob> one", "<bob> two", "mine", "elsewhere"]
        .map(|text| rows.iter().filter(|row| row.ends_with(text)).count());
    assert_eq!(counts, [1, 1, 1, 0], "{rows:?}");
    let missed = rows.iter().skip_while(|row| *row != "chat: these 2 lines were missed:");
    let missed: Vec<_> = missed.skip(1).take(3).collect();
    assert_eq!(missed, ["(12:01) <bob> three", "(12:02) * bob waves", "<bob> live"], "{rows:?}");
    person.types("!\r");
    client.says("half typed!");
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
    client.enters_as("alice");
    person.sees("connected to 127.0.0.1");
    person.types("here\r");
    client.says("here");
}

#[test]
fn our_old_name_is_still_taken() {
    let (server, client, person) = alice();
    client.loses_connection();
    let client = server.accepts();
    client.gets_welcome();
    client.says("alice");
    client.gets("*** The name \"alice\" is taken. What is your name?");
    client.says_no_more();
    let client = server.accepts();
    client.enters_as("alice");
    person.types("back\r");
    client.says("back");
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
    client.gets("*** Hung up: you were kicked by the teacher.");
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
    client.says_no_more();
    person.sees("no host is called");
    person.types(&format!("/connect {}\r", server.address()));
    server.accepts().enters_as("alice");
}
