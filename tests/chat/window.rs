//! Narrow windows, windows that change, wide letters.

use crate::person::{Person, alice, alice_who};

const HALF_TYPED: &str = "this line is half typed, and the window changes";

/// Waits until the last thing on the screen is `text`, over as many rows as it takes. Blanks are
/// left out: at a row's end a screen does not tell them from nothing.
#[track_caller]
fn sees_last(person: &Person, text: &str) {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    person.sees_that(text, |screen| squeezed(&screen.contents()).ends_with(&squeezed(text)));
}

#[test]
fn twenty_columns() {
    let (_server, client, person) = alice_who(|start| start.size(10, 20));
    person.types("a line longer than the window is");
    sees_last(&person, "alice@lobby> a line longer than the window is");
    for n in 0..4 {
        client.gets(&format!("<bob> {n} is also longer than a row"));
    }
    let last = "<bob> 3 is also longer than a row alice@lobby> a line longer than the window is";
    sees_last(&person, last);
    person.types("\x01\x1b[C\x1b[C"); // to the line's begin, and two to the right
    person.types("XX\r");
    client.says("a XXline longer than the window is");
}

/// The emulator leaves rows as they are when its width changes, as xterm does.
#[test]
fn a_window_that_changes_while_typing() {
    let (_server, client, person) =
        alice_who(|start| start.variable("XTERM_VERSION", "XTerm(379)"));
    person.half_types(HALF_TYPED);
    let mut expected = String::new();
    for columns in [100, 40, 25, 80] {
        person.resizes(24, columns);
        let line = format!("<bob> {columns} columns now");
        client.gets(&line);
        expected.push_str(&line);
        sees_last(&person, &format!("{expected} alice@lobby> {HALF_TYPED}"));
    }
    person.types(" twice\r");
    client.says(&format!("{HALF_TYPED} twice"));
}

/// Not knowing what the terminal does, an old row may be left behind, but none of the chat's is
/// taken away.
#[test]
fn no_line_is_lost_in_a_terminal_that_is_not_known() {
    let (_server, client, person) = alice();
    person.half_types(HALF_TYPED);
    let widths = [100, 40, 25, 80, 30, 60];
    for columns in widths {
        person.resizes(24, columns);
        client.gets(&format!("<bob> {columns}"));
        sees_last(&person, &format!("<bob> {columns} alice@lobby> {HALF_TYPED}"));
    }
    assert_eq!(person.all_rows_with("<bob>"), widths.map(|columns| format!("<bob> {columns}")));
}

#[test]
fn wide_letters_stay_whole() {
    for columns in [80, 20] {
        let (_server, client, person) = alice_who(|start| start.size(12, columns));
        let typed = "日本語と👍とe\u{301}té";
        person.types(typed);
        sees_last(&person, &format!("alice@lobby> {typed}"));
        let said = "<bob> 漢字かな交じり文を書く 🎉🎉🎉 e\u{301}";
        client.gets(said);
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
    client.gets(&format!("<bob> {long}\n<bob> after it"));
    person.sees("<bob> after it");
    person.sees_prompt("alice@lobby> half");
    let shown = person.looks(vt100::Screen::contents).replace("\n  ", "");
    assert!(shown.contains(&long), "in rows that are indented: {shown}");
}

#[test]
fn long_lines_are_broken_at_blanks() {
    let (_server, client, person) = alice_who(|start| start.size(12, 30));
    client.gets("<bob> one two three four five six seven\n<bob> https://example.org/a/rather/long/link it is");
    person.sees("it is");
    let rows = person.rows();
    let at = rows.iter().position(|row| row.starts_with("<bob> one")).unwrap();
    assert_eq!(
        rows[at..at + 4],
        [
            "<bob> one two three four five",
            "  six seven",
            "<bob> https://example.org/a/ra",
            "ther/long/link it is",
        ]
    );
}

/// While an edge is dragged nothing is printed where the typed line will be looked for.
#[test]
fn an_edge_that_is_dragged() {
    let (_server, client, person) = alice();
    person.half_types(&"x".repeat(64));
    for columns in (81..120).chain((60..120).rev()) {
        person.resizes(24, columns);
        if columns % 5 == 0 {
            client.gets(&format!("<bob> {columns};"));
        }
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    client.gets("<bob> the end");
    person.sees("<bob> the end");
    assert_eq!(person.all_rows_with("<bob>").len(), 7 + 12 + 1, "{:?}", person.all_rows());
    person.types("!\r");
    client.says(&("x".repeat(64) + "!"));
}
