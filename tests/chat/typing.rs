//! The half-typed line stays whole, whatever arrives meanwhile.

use std::thread;

use crate::person::{Start, alice};
use crate::server::Server;

#[test]
fn a_half_typed_line_stays_whole_with_its_cursor() {
    let (_server, client, person) = alice();
    person.types("hello wrld\x1b[D\x1b[D\x1b[D"); // three to the left
    person.sees_prompt("alice@lobby> hello wrld");
    for n in 0..5 {
        client.is_told(&format!("<bob> message {n}"));
        person.sees(&format!("<bob> message {n}"));
        person.sees_prompt("alice@lobby> hello wrld");
    }
    person.sees_that("cursor behind the w", |screen| screen.cursor_position().1 == 20);
    person.types("o\r");
    client.says("hello world");
    let rows = person.rows();
    let first = rows.iter().position(|row| row == "<bob> message 0").unwrap();
    let messages: Vec<String> = (0..5).map(|n| format!("<bob> message {n}")).collect();
    assert_eq!(rows[first..first + 5], messages, "{rows:?}");
    person.sees("alice@lobby> hello world");
}

#[test]
fn ten_thousand_lines_while_typing() {
    const LINES: usize = 10_000;
    let (_server, client, person) = alice();
    let log = person.data.join("log");
    person.types(&format!("/log {}\r", log.display()));
    person.sees("chat: what is shown from now on");
    person.sees_prompt("alice@lobby> ");
    let typed = "the quick brown fox jumps over the lazy dog";
    thread::scope(|scope| {
        scope.spawn(|| {
            let lines: String = (0..LINES).map(|n| format!("<bob> {n}\n")).collect();
            client.is_sent(lines.as_bytes());
        });
        for key in typed.chars() {
            person.types(&key.to_string());
        }
    });
    person.sees(&format!("<bob> {}", LINES - 1));
    person.sees_prompt(&format!("alice@lobby> {typed}"));
    person.types("\r");
    client.says(typed);

    // On the screen and above it, and in the log: each line once, whole and in order.
    let expected: Vec<String> = (0..LINES).map(|n| format!("<bob> {n}")).collect();
    let shown: Vec<String> =
        person.all_rows().into_iter().filter(|row| row.starts_with("<bob>")).collect();
    assert!(shown == expected, "{} lines shown of {LINES}", shown.len());
    person.types("/log\r");
    person.sees("nothing is logged");
    let logged = std::fs::read_to_string(log).unwrap();
    let logged: Vec<&str> = logged.lines().filter(|line| line.starts_with("<bob>")).collect();
    assert!(logged == expected, "{} lines logged of {LINES}", logged.len());
}

#[test]
fn enter_again_and_again_in_a_stream_of_lines() {
    const LINES: usize = 3_000;
    const TYPED: usize = 60;
    let (_server, client, person) = alice();
    thread::scope(|scope| {
        scope.spawn(|| (0..LINES).for_each(|n| client.is_told(&format!("<bob> {n}"))));
        for n in 0..TYPED {
            person.types(&format!("typed {n}\r"));
            client.says(&format!("typed {n}"));
        }
    });
    client.is_told("<carol> done");
    person.sees("<carol> done");
    person.sees_prompt("alice@lobby> ");
    let rows = person.all_rows();
    let of =
        |start: &str| rows.iter().filter(|row| row.starts_with(start)).cloned().collect::<Vec<_>>();
    let expected: Vec<String> = (0..LINES).map(|n| format!("<bob> {n}")).collect();
    assert!(of("<bob>") == expected, "a line is lost or torn");
    let expected: Vec<String> = (0..TYPED).map(|n| format!("alice@lobby> typed {n}")).collect();
    assert_eq!(of("alice@lobby> typed"), expected);
}

#[test]
fn what_is_typed_ahead_is_neither_lost_nor_echoed() {
    let (_server, client, person) = alice();
    let lines: String = (0..200).map(|n| format!("line {n}\r")).collect();
    person.types(&lines);
    for n in 0..200 {
        client.says(&format!("line {n}"));
    }
    person.sees("alice@lobby> line 199");
    person.sees_prompt("alice@lobby> ");
    let rows = person.all_rows();
    assert_eq!(rows.iter().filter(|row| row.contains("line ")).count(), 200, "{rows:?}");
}

#[test]
fn pasted_lines_are_lines() {
    let (_server, client, person) = alice();
    person.types("\x1b[200~one\rtwo\x1b[201~\r");
    client.says("one");
    client.says("two");
}

#[test]
fn history_outlives_the_program() {
    let server = Server::start();
    let first = Start::new(&server, &["--name", "alice"]).go();
    let client = server.accepts();
    client.enters_as("alice");
    first.sees_prompt("alice@lobby> ");
    first.types("/topic something to remember\r");
    client.says("/topic something to remember");
    first.types("\x04");
    client.says_no_more();
    client.sees_off();
    assert_eq!(first.ends(), 0);

    let second = Start::new(&server, &["--name", "alice"]).data(first.data.clone()).go();
    let client = server.accepts();
    client.enters_as("alice");
    second.sees_prompt("alice@lobby> ");
    second.types("\x1b[A");
    second.sees_prompt("alice@lobby> /topic something to remember");
}

#[test]
fn the_prompt_says_who_and_where() {
    let server = Server::start();
    let person = Start::new(&server, &[]).go();
    let client = server.accepts();
    client.is_welcomed();
    person.sees_prompt("name> ");
    person.types("alice\r");
    client.says("alice");
    client.is_let_in("alice", "alone.");
    person.sees_prompt("alice@lobby> ");
    person.types("/join math\r");
    client.says("/join math");
    client.is_told("*** You are in math, alone.");
    person.sees_prompt("alice@math> ");
    person.types("/nick Carol\r");
    client.says("/nick Carol");
    client.is_told("*** You are now Carol.");
    person.sees_prompt("Carol@math> ");
}

#[test]
fn the_first_prompt_says_the_room_that_was_asked_for() {
    let server = Server::start();
    let person = Start::new(&server, &["--name", "alice", "--room", "math"]).go();
    let client = server.accepts();
    client.enters_as("alice");
    client.says("/join math");
    client.is_told("*** You are in math, alone.");
    person.sees_prompt("alice@math> ");
}

#[test]
fn names_have_colours_and_mentions_are_marked() {
    let (_server, client, person) = alice();
    client.is_told("*** server\n<bob> hi alice\n<bob> bye\n[from carol] psst");
    person.sees("[from carol] psst");
    let rows = person.rows();
    let row = |text: &str| u16::try_from(rows.iter().position(|row| row == text).unwrap()).unwrap();
    let (server, hi, bye, private) =
        (row("*** server"), row("<bob> hi alice"), row("<bob> bye"), row("[from carol] psst"));
    person.looks(|screen| {
        let cell = |row, column| screen.cell(row, column).unwrap().clone();
        assert!(cell(server, 4).dim());
        assert_ne!(cell(hi, 1).fgcolor(), vt100::Color::Default);
        assert_eq!(cell(hi, 1).fgcolor(), cell(bye, 1).fgcolor());
        assert!(cell(hi, 9).inverse() && !cell(hi, 7).inverse());
        assert!(cell(private, 1).bold());
    });
}

#[test]
fn no_color_means_none() {
    let server = Server::start();
    let person = Start::new(&server, &["--name", "alice"]).variable("NO_COLOR", "1").go();
    let client = server.accepts();
    client.enters_as("alice");
    client.is_told("<bob> hi alice\n[from carol] psst");
    person.sees("[from carol] psst");
    person.types("still edited\x1b[D");
    person.sees_prompt("alice@lobby> still edited");
    let bytes = String::from_utf8(person.bytes()).unwrap();
    let colours = bytes.split("\x1b[").filter(|rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
    });
    assert_eq!(colours.count(), 0, "{bytes:?}");
}

#[test]
fn the_bell_rings_by_choice() {
    let (_server, client, person) = alice();
    client.is_told("<bob> alice!");
    person.sees("<bob> alice!");
    assert_eq!(person.bells(), 0);
    person.types("/bell on\r");
    person.sees("the bell is on");
    client.is_told("<bob> not you\n(12:30) <bob> long ago, alice\n[from bob] psst");
    person.sees("[from bob] psst");
    assert_eq!(person.bells(), 1);
}

#[test]
fn our_own_commands_stay_here() {
    let (_server, client, person) = alice();
    person.types("/bell maybe\r");
    person.sees("chat: like this: /bell [on|off]");
    person.types("/help log\r");
    person.sees("chat: /log [FILE]: adds");
    person.types("/clear\r");
    person.sees_that("an empty screen but for the prompt", |screen| {
        screen.contents().trim_end() == "alice@lobby>"
    });
    person.types("/help\r");
    person.sees("chat:   /connect");
    client.says("/help");
    client.is_told("*** Commands of this server: /nick, /me.");
    person.sees("*** Commands of this server");
    person.types("/help nick\r");
    client.says("/help nick");
}
