//! Narrow windows, windows that change, wide letters.

use crate::person::{Person, Start, alice};
use crate::server::Server;

/// Waits until the last thing on the screen is `text`, over as many rows as it takes. Blanks are left out: at a row's end
/// a screen does not tell them from nothing.
#[track_caller]
fn sees_last(person: &Person, text: &str) {
    let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    person.sees_that(text, |screen| squeezed(&screen.contents()).ends_with(&squeezed(text)));
}

#[test]
fn twenty_columns() {
    let server = Server::start();
    let person = Start::new(&server, &["--name", "alice"]).size(10, 20).go();
    let client = server.accepts();
    client.enters_as("alice");
    person.sees_prompt("alice@lobby> ");
    person.types("a line longer than the window is");
    sees_last(&person, "alice@lobby> a line longer than the window is");
    for n in 0..4 {
        client.is_told(&format!("<bob> {n} is also longer than a row"));
    }
    let last = "<bob> 3 is also longer than a row";
    sees_last(&person, &(last.to_owned() + "alice@lobby> a line longer than the window is"));
    person.types("\x01\x1b[C\x1b[C"); // to the line's begin, and two to the right
    person.types("XX\r");
    client.says("a XXline longer than the window is");
}

/// The emulator leaves rows as they are when its width changes, as xterm does.
#[test]
fn a_window_that_changes_while_typing() {
    let server = Server::start();
    let person =
        Start::new(&server, &["--name", "alice"]).variable("XTERM_VERSION", "XTerm(379)").go();
    let client = server.accepts();
    client.enters_as("alice");
    person.sees_prompt("alice@lobby> ");
    let typed = "this line is half typed, and the window changes";
    person.types(typed);
    person.sees_prompt(&format!("alice@lobby> {typed}"));
    let mut expected = String::new();
    for (rows, columns) in [(24, 100), (24, 40), (24, 25), (24, 80)] {
        person.resizes(rows, columns);
        client.is_told(&format!("<bob> {columns} columns now"));
        expected.push_str(&format!("<bob> {columns} columns now "));
        sees_last(&person, &format!("{expected} alice@lobby> {typed}"));
    }
    person.types(" twice\r");
    client.says(&format!("{typed} twice"));
}

/// Not knowing what the terminal does, an old row may be left behind, but none of the chat's is taken away.
#[test]
fn no_line_is_lost_in_a_terminal_that_is_not_known() {
    let (_server, client, person) = alice();
    let typed = "this line is half typed, and the window changes";
    person.types(typed);
    person.sees_prompt(&format!("alice@lobby> {typed}"));
    for (step, columns) in [100, 40, 25, 80, 30, 60].into_iter().enumerate() {
        person.resizes(24, columns);
        client.is_told(&format!("<bob> step {step}"));
        sees_last(&person, &format!("<bob> step {step} alice@lobby> {typed}"));
    }
    let rows = person.all_rows();
    for step in 0..6 {
        assert!(
            rows.iter().any(|row| *row == format!("<bob> step {step}")),
            "step {step}: {rows:?}"
        );
    }
}

#[test]
fn wide_letters_stay_whole() {
    for columns in [80, 20] {
        let server = Server::start();
        let person = Start::new(&server, &["--name", "alice"]).size(12, columns).go();
        let client = server.accepts();
        client.enters_as("alice");
        person.sees_prompt("alice@lobby> ");
        let typed = "日本語と👍とe\u{301}té";
        person.types(typed);
        sees_last(&person, &format!("alice@lobby> {typed}"));
        let said = "<bob> 漢字かな交じり文を書く 🎉🎉🎉 e\u{301}";
        client.is_told(said);
        sees_last(&person, &format!("{said}\nalice@lobby> {typed}"));
        person.types("\x7f\x7f\x1b[D\x1b[D字\r"); // take two letters back, go two to the left
        client.says("日本語と👍字とe\u{301}");
    }
}

#[test]
fn a_line_as_long_as_chatd_allows() {
    let (_server, client, person) = alice();
    person.types("half");
    let long = "x".repeat(1024);
    client.is_told(&format!("<bob> {long}\n<bob> after it"));
    person.sees("<bob> after it");
    person.sees_prompt("alice@lobby> half");
    assert!(person.looks(vt100::Screen::contents).contains(&long));
}
