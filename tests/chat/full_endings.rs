//! Every way to leave the full screen leaves the terminal as it was found.

use crate::full::alice_on;
use rustix::process::Signal;

#[test]
fn the_last_page_stays_and_the_terminal_is_as_it_was() {
    let (_server, client, person) = alice_on(12, 60);
    client.gets("<bob> last words");
    person.sees("<bob> last words");
    person.types("/quit\r");
    client.says("/quit");
    client.leaves();
    person.ends_with(0);
    person.sees_that("the other screen", |screen| !screen.alternate_screen());
    person.sees("<bob> last words");
    person.sees("*** Goodbye.");
}

#[test]
fn every_other_end_leaves_the_terminal_as_it_was_too() {
    let (_server, _client, person) = alice_on(12, 60);
    person.kills(Signal::TERM);
    person.ends_with(143);
    person.sees_that("the other screen", |screen| !screen.alternate_screen());
    #[cfg(debug_assertions)]
    {
        let (_server, _client, person) = alice_on(12, 60);
        person.types("/panic\r");
        person.ends_with(101);
        person.sees("asked for by /panic");
    }
    let (_server, client, person) = alice_on(12, 60);
    client.gets("{\"bye\":4003,\"again\":false}\n*** Hung up: you were kicked by the teacher.");
    client.loses_connection();
    person.ends_with(8);
    person.sees("you were kicked by the teacher");
    person.sees("chat: the server at");
}

#[test]
fn stopped_and_continued() {
    let (_server, client, person) = alice_on(12, 60);
    person.types("half typed");
    person.sees_prompt("alice@lobby> half typed");
    person.types("\x1a");
    person.sees_it_stopped();
    person.finds_the_terminal_as_it_was();
    person.sees_that("the other screen", |screen| !screen.alternate_screen());
    person.kills(Signal::CONT);
    person.sees_prompt("alice@lobby> half typed");
    person.types("!\r");
    client.says("half typed!");
}

#[test]
fn control_c_and_control_d() {
    let (_server, client, person) = alice_on(12, 70);
    person.types("half typed\x03");
    person.sees_prompt("alice@lobby>");
    person.types("\x03");
    person.sees("chat: Ctrl-C again leaves; so do Ctrl-D and /quit.");
    person.types("\x04");
    client.leaves();
    person.ends_with(0);
}
