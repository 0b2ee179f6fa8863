//! Every way to leave leaves the terminal as it was found.

use rustix::process::Signal;

use crate::person::alice;

#[test]
fn quit() {
    let (_server, client, person) = alice();
    person.types("/quit gone fishing\r");
    client.says("/quit gone fishing");
    client.says_no_more();
    client.sees_off();
    assert_eq!(person.ends(), 0);
    person.sees("*** Goodbye.");
    person.finds_the_terminal_as_it_was();
}

#[test]
fn control_d_on_an_empty_line() {
    let (_server, client, person) = alice();
    person.types("ab\x01\x04"); // in a line it takes a letter away
    person.sees_prompt("alice@lobby> b");
    person.types("\x7f\x05\x7f");
    person.sees_prompt("alice@lobby> ");
    person.types("\x04");
    client.says_no_more();
    client.sees_off();
    assert_eq!(person.ends(), 0);
    person.sees("*** Goodbye.");
    person.finds_the_terminal_as_it_was();
}

#[test]
fn control_c_in_the_middle_of_a_line() {
    let (_server, client, person) = alice();
    person.types("half typed");
    person.sees_prompt("alice@lobby> half typed");
    person.types("\x03");
    client.says_no_more();
    client.sees_off();
    assert_eq!(person.ends(), 0);
    person.finds_the_terminal_as_it_was();
}

#[test]
fn nothing_that_came_before_the_end_is_lost() {
    let (_server, client, person) = alice();
    person.types("/quit\r");
    client.says("/quit");
    let lines: String = (0..2000).map(|n| format!("<bob> {n}\n")).collect();
    client.is_sent(lines.as_bytes());
    client.sees_off();
    assert_eq!(person.ends(), 0);
    person.sees("*** Goodbye.");
    let shown: Vec<String> =
        person.all_rows().into_iter().filter(|row| row.starts_with("<bob>")).collect();
    assert!(
        shown == (0..2000).map(|n| format!("<bob> {n}")).collect::<Vec<_>>(),
        "{} lines",
        shown.len()
    );
}

#[test]
fn a_server_that_says_no_goodbye() {
    let (_server, client, person) = alice();
    person.types("\x04");
    client.says_no_more(); // and the connection stays open
    assert_eq!(person.ends(), 0);
    person.finds_the_terminal_as_it_was();
}

#[test]
fn impatience() {
    let (_server, client, person) = alice();
    person.types("\x03\x03");
    client.says_no_more();
    assert_eq!(person.ends(), 0);
    person.finds_the_terminal_as_it_was();
}

#[test]
fn signals() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let (_server, _client, person) = alice();
        person.types("half typed");
        person.sees_prompt("alice@lobby> half typed");
        person.kills(signal);
        assert_eq!(person.ends(), code);
        person.finds_the_terminal_as_it_was();
        person.sees_that("the cursor on a new line", |screen| screen.cursor_position().1 == 0);
    }
}

#[test]
fn an_interrupt_from_outside() {
    let (_server, client, person) = alice();
    person.kills(Signal::INT);
    client.says_no_more();
    client.sees_off();
    assert_eq!(person.ends(), 0);
    person.finds_the_terminal_as_it_was();
}

#[test]
fn stopped_and_continued() {
    let (_server, client, person) = alice();
    person.types("half typed");
    person.sees_prompt("alice@lobby> half typed");
    person.types("\x1a");
    person.sees_that("the editor's modes off", |screen| !screen.bracketed_paste());
    person.finds_the_terminal_as_it_was();
    person.sees_it_stopped();
    person.kills(Signal::CONT);
    person.sees_that("the editor's modes on", vt100::Screen::bracketed_paste);
    person.sees_prompt("alice@lobby> half typed");
    person.types("!\r");
    client.says("half typed!");
}

#[cfg(debug_assertions)] // the command is in debug builds alone
#[test]
fn a_panic() {
    let (_server, _client, person) = alice();
    person.types("/panic\r");
    assert_eq!(person.ends(), 101);
    person.sees("asked for by /panic");
    person.finds_the_terminal_as_it_was();
}
