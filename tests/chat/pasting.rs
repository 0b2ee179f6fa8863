//! Several lines at once are asked about, never obeyed, and can be called back.

use crate::person::{Person, alice};

/// Pastes it, as a terminal does that puts brackets around what is pasted.
fn pastes(person: &Person, text: &str) {
    person.types(&format!("\x1b[200~{}\x1b[201~\r", text.replace('\n', "\r")));
}

#[test]
fn pasted_lines_are_text_whatever_they_begin_with() {
    let (_server, client, person) = alice();
    let pasted = "int main(void) {\n// the margin\n/usr/bin/cc a.c\n/log notes.txt\n/quit\n\n}\n";
    pastes(&person, pasted);
    person.sees("chat: 7 lines: Enter sends them as text, Ctrl-C does not.");
    person.sees_prompt("paste> ");
    person.types("\r");
    for line in [
        "int main(void) {",
        "/// the margin",
        "//usr/bin/cc a.c",
        "//log notes.txt",
        "//quit",
        "",
        "}",
    ] {
        client.says(line);
    }
    person.sees_prompt("alice@lobby> ");
    assert!(!person.data.join("notes.txt").exists());
    person.types("\x1b[A"); // one entry, which is all of it
    person.sees_that("all of it", |screen| screen.contents().matches("// the margin").count() == 2);
    person.types("\x03");
    person.sees_prompt("alice@lobby> ");
    person.types("hello\r");
    client.says("hello");
}

#[test]
fn a_paste_that_nobody_wants_is_not_sent() {
    let (_server, client, person) = alice();
    pastes(&person, "one\ntwo");
    person.sees_prompt("paste> ");
    person.types("\x03");
    person.sees("chat: not sent.");
    person.sees_prompt("alice@lobby> ");
    pastes(&person, "three\nfour");
    person.sees_prompt("paste> ");
    person.types("something else\r");
    person.sees("chat: the 2 lines were not sent.");
    client.says("something else");
}

#[test]
fn a_paste_on_its_way_is_called_back() {
    let (_server, client, person) = alice();
    let lines: Vec<String> = (0..600).map(|n| format!("line {n}")).collect();
    pastes(&person, &lines.join("\n"));
    person.sees("chat: 600 lines: Enter sends them as text (it takes 80 s), Ctrl-C does not.");
    person.types("\r");
    lines[..20].iter().for_each(|line| client.says(line)); // half of what may be said at once, and more
    person.types("quickly\r"); // waits for none of them
    client.says_among("quickly");
    person.types("\x03");
    person.sees(" of 600 lines were sent.");
    person.types("done\r");
    client.says_among("done");
}
