//! Several lines at once are asked about, never obeyed, and can be called back.

use crate::{
    full::alice_on,
    person::{Person, Start, alice},
    server::Server,
};

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

/// Whoever pastes the wrong thing at a question has not said it, nor is any of it a name or a password.
#[test]
fn a_paste_answers_no_question() {
    for is_full in [false, true] {
        let server = Server::start();
        let start = Start::new(&server, &[]);
        let person = if is_full { start.full() } else { start }.go();
        let client = server.accepts();
        client.gets_welcome();
        person.sees_prompt("name> ");
        pastes(&person, "first\nsecond\n/me third");
        person.sees("chat: not sent: a name is asked for, and that is one word.");
        person.types("alice\r");
        client.says("alice");
        client.gets_password_question("*** Password for alice:");
        person.sees_prompt("password> ");
        pastes(&person, "hunter\n2 is said\n/me too");
        person.sees("chat: not sent: a password is one line, and these were several.");
        pastes(&person, "hunter2!\n");
        client.says("hunter2!");
        client.gets_in("alice", &[]);
        person.sees_prompt("alice@lobby> ");
        assert!(!person.bytes().contains("unter"), "seen");
    }
}

/// The connection breaks while lines are on their way, and then a name is asked for.
#[test]
fn no_line_of_a_paste_becomes_a_name() {
    for is_full in [false, true] {
        let (server, client, person) = if is_full { alice_on(24, 120) } else { alice() };
        let lines: Vec<String> = (0..600).map(|n| format!("line{n}")).collect();
        pastes(&person, &lines.join("\n"));
        person.sees_prompt("paste> ");
        client.loses_connection();
        for (has_token, is_last) in [(true, false), (false, false), (false, true)] {
            let client = server.accepts();
            client.gets_welcome();
            if has_token {
                client.says_among("/resume T0KEN");
                client.gets_refusal("*** That is too long ago. What is your name?");
            }
            client.says_among("alice");
            client.gets_refusal("*** The name \"alice\" is taken. What is your name?");
            if is_last {
                person.sees("is taken. What is your name?");
                person.types("\r");
                person
                    .sees("0 of 600 lines were sent; the next one: not sent: a name is asked for.");
                person.types("alison\r");
                client.says("alison");
            }
        }
    }
}
