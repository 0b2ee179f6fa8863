//! The half-typed line stays whole, whatever arrives meanwhile.

use crate::{
    person::{Start, alice, alice_who, somebody},
    server::{Server, who},
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// `<bob> 0`, `<bob> 1`, …
fn lines_of_bob(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("<bob> {n}")).collect()
}

#[test]
fn a_half_typed_line_stays_whole_with_its_cursor() {
    let (_server, client, person) = alice();
    person.types("hello wrld\x1b[D\x1b[D\x1b[D"); // three to the left
    person.sees_prompt("alice@lobby> hello wrld");
    let lines = lines_of_bob(5);
    for line in &lines {
        client.gets(line);
        person.sees(line);
        person.sees_prompt("alice@lobby> hello wrld");
    }
    person.sees_that("cursor behind the w", |screen| screen.cursor_position().1 == 20);
    person.types("o\r");
    client.says("hello world");
    let rows = person.rows();
    let first = rows.iter().position(|row| row == "<bob> 0").unwrap();
    assert_eq!(rows[first..first + 5], lines, "{rows:?}");
    person.sees("alice@lobby> hello world");
}

#[test]
fn ten_thousand_lines_while_typing() {
    let (_server, client, person) = alice();
    let log = person.data.join("log");
    person.types(&format!("/log {}\r", log.display()));
    person.sees("chat: what is shown from now on");
    person.sees_prompt("alice@lobby> ");
    let typed = "the quick brown fox jumps over the lazy dog";
    let lines = lines_of_bob(10_000);
    thread::scope(|scope| {
        scope.spawn(|| client.gets(&lines.join("\n")));
        typed.chars().for_each(|key| person.types(&key.to_string()));
    });
    person.sees("<bob> 9999");
    person.sees_prompt(&format!("alice@lobby> {typed}"));
    person.types("\r");
    client.says(typed);

    // On the screen and above it, and in the log: each line once, whole and in order.
    let shown = person.all_rows_with("<bob>");
    assert!(shown == lines, "{} lines shown of {}", shown.len(), lines.len());
    person.types("/log\r");
    person.sees("nothing is logged");
    let logged = std::fs::read_to_string(log).unwrap();
    let stamp = "2026-11-28 12:30 ".len();
    let logged: Vec<&str> = logged
        .lines()
        .map(|line| &line[stamp..])
        .filter(|line| line.starts_with("<bob>"))
        .collect();
    assert!(logged == lines, "{} lines logged of {}", logged.len(), lines.len());
}

#[test]
fn enter_again_and_again_in_a_stream_of_lines() {
    let (_server, client, person) = alice();
    let lines = lines_of_bob(3_000);
    let typed: Vec<String> = (0..60).map(|n| format!("typed {n}")).collect();
    thread::scope(|scope| {
        scope.spawn(|| lines.iter().for_each(|line| client.gets(line)));
        for line in &typed {
            person.types(&format!("{line}\r"));
            client.says(line);
        }
    });
    client.gets("<carol> done");
    person.sees("<carol> done");
    person.sees_prompt("alice@lobby> ");
    assert!(person.all_rows_with("<bob>") == lines, "a line is lost or torn");
    let typed: Vec<String> = typed.iter().map(|line| format!("alice@lobby> {line}")).collect();
    assert_eq!(person.all_rows_with("alice@lobby> typed"), typed);
}

#[test]
fn what_is_typed_ahead_is_neither_lost_nor_echoed() {
    let (_server, client, person) = alice();
    let lines: Vec<String> = (0..200).map(|n| format!("line {n}")).collect();
    person.types(&(lines.join("\r") + "\r"));
    lines.iter().for_each(|line| client.says(line));
    person.sees("alice@lobby> line 199");
    person.sees_prompt("alice@lobby> ");
    let rows = person.all_rows();
    assert_eq!(rows.iter().filter(|row| row.contains("line ")).count(), 200, "{rows:?}");
}

#[test]
fn history_outlives_the_program() {
    let (server, client, first) = alice();
    first.types("/topic something to remember\r");
    client.says("/topic something to remember");
    first.types("\x04");
    client.leaves();
    first.ends_with(0);

    let second = Start::new(&server, &["--name", "alice"]).data(first.data.clone()).go();
    server.accepts().enters_as("alice");
    second.sees_prompt("alice@lobby> ");
    second.types("\x1b[A");
    second.sees_prompt("alice@lobby> /topic something to remember");
}

#[test]
fn the_prompt_says_who_and_where() {
    let (_server, client, person) = somebody(&[]);
    client.gets_welcome();
    person.sees_prompt("name> ");
    person.types("alice\r");
    client.says("alice");
    client.gets_in("alice", &[]);
    person.sees_prompt("alice@lobby> ");
    person.types("/join math\r");
    client.says("/join math");
    client.moves_to("math");
    person.sees_prompt("alice@math> ");
    person.types("/nick Carol\r");
    client.says("/nick Carol");
    client.gets(&format!("*** You are now Carol.\n{}", who("Carol")));
    person.sees_prompt("Carol@math> ");
}

#[test]
fn the_first_prompt_says_the_room_that_was_asked_for() {
    let (_server, client, person) = somebody(&["--name", "alice", "--room", "math"]);
    client.enters_as("alice");
    client.says("/join math");
    client.moves_to("math");
    person.sees_prompt("alice@math> ");
}

/// A refusal is an answer: one is where one is, and need not wait for a room that will not be.
#[test]
fn a_room_that_is_refused_costs_no_time() {
    for is_full in [false, true] {
        // The aim is the 0.2 s that a note may take; without a limit of its own it was 2 s, each time. A machine that
        // is busy with something else may take as long once.
        let times = std::iter::repeat_with(|| refused(is_full)).take(5);
        let quick = times.inspect(|took| println!("{took:?}")).find(|took| took.as_millis() < 1500);
        assert!(quick.is_some());
    }
}

/// How long it takes until a person can say something in the room that everybody enters.
fn refused(is_full: bool) -> Duration {
    let server = Server::start();
    let start = Start::new(&server, &["--name", "alice", "--room", "a%b"]);
    let person = if is_full { start.full() } else { start }.go();
    let client = server.accepts();
    client.enters_as("alice");
    client.says("/join a%b");
    let start = Instant::now();
    client.gets("*** carol entered lobby\n{\"+\":\"carol\"}"); // no answer to that
    client.gets("*** A room's name has only ASCII letters.");
    person.types("hi\r");
    client.says("hi");
    start.elapsed()
}

#[test]
fn names_have_colours_and_mentions_are_marked() {
    let (_server, client, person) = alice();
    client.gets("*** server\n<bob> hi alice\n<bob> bye\n[from carol] psst");
    person.sees("[from carol] psst");
    let rows = person.rows();
    let row = |text: &str| u16::try_from(rows.iter().position(|row| row == text).unwrap()).unwrap();
    let (hi, bye) = (row("<bob> hi alice"), row("<bob> bye"));
    person.looks(|screen| {
        let cell = |row, column| screen.cell(row, column).unwrap().clone();
        assert!(cell(row("*** server"), 4).dim());
        assert_ne!(cell(hi, 1).fgcolor(), vt100::Color::Default);
        assert_eq!(cell(hi, 1).fgcolor(), cell(bye, 1).fgcolor());
        assert!(cell(hi, 9).inverse() && !cell(hi, 7).inverse());
        assert!(cell(row("[from carol] psst"), 1).bold());
    });
}

#[test]
fn no_color_means_none() {
    let (_server, client, person) = alice_who(|start| start.variable("NO_COLOR", "1"));
    client.gets("<bob> hi alice\n[from carol] psst");
    person.sees("[from carol] psst");
    person.types("still edited\x1b[D");
    person.sees_prompt("alice@lobby> still edited");
    let bytes = person.bytes();
    let is_colour = |rest: &&str| {
        rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
    };
    assert_eq!(bytes.split("\x1b[").filter(is_colour).count(), 0, "{bytes:?}");
}

#[test]
fn the_bell_rings_by_choice() {
    let (_server, client, person) = alice();
    client.gets("<bob> alice!");
    person.sees("<bob> alice!");
    assert_eq!(person.bells(), 0);
    person.types("/bell on\r");
    person.sees("the bell is on");
    client.gets("<bob> not you\n(12:30) <bob> long ago, alice\n[from bob] psst");
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
    client.gets("*** Commands of this server: /nick, /me.");
    person.sees("*** Commands of this server");
    person.types("/help nick\r");
    client.says("/help nick");
}

/// As an older PuTTY sends é.
#[test]
fn a_byte_that_is_no_letter_changes_nothing() {
    let (_server, client, person) = alice();
    person.half_types("caf");
    person.types_bytes(b"\xe9 ");
    thread::park_timeout(Duration::from_millis(500)); // the editor forgets what is typed right behind
    person.types("au lait");
    person.sees_prompt("alice@lobby> cafau lait");
    person.types("\r");
    client.says("cafau lait");
}

#[test]
fn a_word_that_leaves_other_programs_is_not_said_at_once() {
    let (_server, client, person) = alice();
    person.types("exit\r");
    person.sees("chat: not sent: /quit leaves. To say \"exit\", type it again.");
    person.types("exit\r");
    client.says("exit");
}
