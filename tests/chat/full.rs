//! The full screen, which the client has for itself.

use crate::{
    person::{Person, Start, alice},
    picture::{is_current, svg},
    server::{Client, Server, who},
};

/// Somebody who has entered as alice on a full screen of this size.
pub fn alice_on(rows: u16, columns: u16) -> (Server, Client, Person) {
    alice_who(|start| start.size(rows, columns))
}

fn alice_who(starts: impl FnOnce(Start) -> Start) -> (Server, Client, Person) {
    let server = Server::start();
    let person = starts(Start::new(&server, &["--name", "alice"]).full()).go();
    let client = server.accepts();
    client.enters_as("alice");
    person.sees_prompt("alice@lobby>");
    (server, client, person)
}

/// The rows of the screen, their times left out.
fn texts(person: &Person) -> Vec<String> {
    let time =
        |row: &String| row.as_bytes().get(2) == Some(&b':') && row.as_bytes().get(5) == Some(&b' ');
    person
        .rows()
        .into_iter()
        .map(|row| if time(&row) { row[6..].to_owned() } else { row })
        .collect()
}

/// Waits until a line of one's own is said: until then it is on its way, behind `…`.
fn sees_said(person: &Person, line: &str) {
    person.sees_that(line, |screen| {
        let text = screen.contents();
        text.contains(line) && !text.contains(&format!("…   {line}"))
    });
}

#[test]
fn what_one_sees() {
    let (_server, client, person) = alice_on(12, 100);
    client.gets("<bob> who has the slides, alice?\n{\"topic\":\"sockets\",\"by\":\"bob\"}");
    person.types("I have\r");
    client.says("I have");
    client.gets("<alice> I have\n{\"last\":11}");
    sees_said(&person, "<alice> I have");
    person.types("half typed");
    person.sees_prompt("alice@lobby> half typed");
    person.sees("3 here");
    let rows: Vec<String> =
        texts(&person).iter().map(|row| row.replace("│", " ").trim().to_owned()).collect();
    assert!(
        rows[0].ends_with("alice") && rows[1].ends_with("bob") && rows[2].ends_with("carol"),
        "{rows:?}"
    );
    assert!(rows[2].starts_with("───") && rows[2].contains(", "), "a day: {rows:?}");
    assert_eq!(rows[8..10], ["<bob> who has the slides, alice?", "<alice> I have"], "{rows:?}");
    assert!(rows[10].starts_with("lobby  sockets ") && rows[10].ends_with(" 3 here"), "{rows:?}");
    person.looks(|screen| {
        assert!(screen.cell(10, 50).unwrap().inverse(), "the status row");
        assert!(screen.cell(8, 32).unwrap().inverse(), "a mention");
        assert_ne!(screen.cell(8, 7).unwrap().fgcolor(), vt100::Color::Default, "a name");
    });
    person.resizes(12, 21);
    person.sees(" lobby  sock… 3 here");
}

#[test]
fn everything_is_laid_out_anew_at_each_size() {
    let (_server, client, person) = alice_on(24, 80);
    let typed = "this line is half typed, and the window changes";
    person.types(typed);
    for n in 0..30 {
        client.gets(&format!("<bob> line {n} of a few that are wrapped in a narrow window"));
    }
    person.sees("line 29");
    for (rows, columns) in [(24, 120), (10, 30), (3, 20), (40, 100), (1, 1), (24, 80)] {
        person.resizes(rows, columns);
        person.sees_that("the typed line ends on the last row", |screen| {
            let (row, column) = screen.cursor_position();
            let last = screen.rows(0, columns).last().unwrap();
            row == rows - 1
                && column < columns
                && (columns < 20 || last.trim_end().ends_with("ges"))
        });
        let copies = person.rows().iter().filter(|row| row.contains("the window changes")).count();
        assert!(copies <= 1, "{:?}", person.rows());
    }
    person.types(" twice\r");
    client.says(&format!("{typed} twice"));
}

#[test]
fn what_was_shown_can_be_scrolled_to_and_found() {
    let (_server, client, person) = alice_on(12, 60);
    for n in 0..100 {
        client.gets(&format!("<bob> line {n};"));
    }
    person.sees("line 99;");
    person.types("\x1b[5~\x1b[5~");
    person.sees("more below: Esc");
    person.sees("line 79;");
    client.gets("<bob> line 100;");
    person.types("x");
    person.sees_prompt("alice@lobby> x");
    person.sees("line 79;");
    person.types("\x1b[6~\x1b[6~\x1b[6~");
    person.sees("line 100;");
    person.types("\x15/find LINE 12\r");
    person.sees("<bob> line 12;");
    person.types("\x1b[1;5H"); // Ctrl-Home
    person.sees("Welcome to chatd");
    person.types("/find nowhere\r");
    person.sees("chat: no line before has \"nowhere\".");
}

#[test]
fn a_private_talk_has_a_window_of_its_own() {
    let (_server, client, person) = alice_on(12, 60);
    client.gets("[from bob] psst\n<bob> hello all");
    person.sees("2 bob (1)");
    person.types("half typed to all\x1b2");
    person.sees_prompt("to bob>");
    assert!(!person.looks(vt100::Screen::contents).contains("hello all"));
    person.types("yes?\r");
    client.says("/msg bob yes?");
    client.gets("[to bob] yes?");
    person.sees("[to bob] yes?");
    person.types("//x\r/topic tea\r");
    client.says("/msg bob /x");
    client.says("/topic tea");
    person.types("\x0e"); // Ctrl-N: back in the room
    person.sees_prompt("alice@lobby> half typed to all");
    person.types("\x15/query carol\r");
    person.sees_prompt("to carol>");
    person.types("/query\r");
    person.sees_prompt("alice@lobby>");
}

#[test]
fn a_password_is_typed_unseen_and_the_line_before_it_comes_back() {
    let (server, client, person) = alice_on(20, 130);
    person.types("please do not");
    person.sees_prompt("alice@lobby> please do not");
    client.gets_password_question("*** Your password as it is now:");
    person.sees_prompt("password>");
    person.types("unter1");
    person.sees_prompt("password> ••••••");
    client.loses_connection();
    person.sees("chat: what you had begun to type is gone: nothing asks for a password any more.");
    person.sees_prompt("alice> please do not");
    let client = server.accepts();
    client.gets_welcome();
    client.says_among("/resume T0KEN");
    client.gets(&format!("*** Hello again alice.\n{}", who("alice")));
    client.gets_room("lobby", &["bob"], 99);
    person.types(" shout\r");
    client.says("please do not shout");
    person.types("/login alice\runter2\r");
    client.says("/login alice");
    client.gets_password_question("*** Password for alice:");
    client.says("unter2");
    client.gets_in("alice", &[]);
    person.sees_prompt("alice@lobby>");
    person.types("/login alice unter3");
    person.sees_prompt("alice@lobby> /login alice ••••••");
    person.types("\x03said\r");
    client.says("said");
    assert!(!person.bytes().contains("unter"), "seen");
    let history = std::fs::read_to_string(person.data.join("chatd/chat-history")).unwrap();
    assert!(history.contains("said") && !history.contains("unter"), "remembered: {history}");
}

#[test]
fn where_one_stopped_reading_is_marked() {
    let (_server, client, person) = alice_on(14, 60);
    client.gets("<bob> seen");
    person.sees("<bob> seen");
    person.types("\x1b[O"); // the terminal has lost the focus
    client.gets("<bob> new, alice");
    person.sees("read up to here");
    person.sees_that("the title counts", |_| true);
    let rows = texts(&person);
    let at = rows.iter().position(|row| row.contains("read up to here")).unwrap();
    assert_eq!((&*rows[at - 1], &*rows[at + 1]), ("<bob> seen", "<bob> new, alice"));
    let titled = || person.bytes().contains("\x1b]0;(1) lobby - chat\x07");
    crate::wait_until(titled, || "the title does not count".to_owned());
    person.types("\x1b[I");
    crate::wait_until(
        || {
            person.bytes().ends_with("\x1b]0;lobby - chat\x07")
                || person.bytes().matches("\x1b]0;lobby - chat\x07").count() > 1
        },
        || "the title counts on".to_owned(),
    );
}

#[test]
fn a_paste_asks_and_earlier_lines_are_found() {
    let (_server, client, person) = alice_on(14, 70);
    person.types("\x1b[200~one\r/two\r\x1b[201~");
    person.sees_prompt("alice@lobby> one⏎/two");
    person.types("\r");
    person.sees("chat: 2 lines: Enter sends them as text, Ctrl-C does not.");
    person.sees_prompt("paste>");
    person.types("\r");
    client.says("one");
    client.says("//two");
    person.types("alpha\rbeta\r");
    client.says("alpha");
    client.says("beta");
    person.types("half\x1b[A\x1b[A");
    person.sees_prompt("alice@lobby> alpha");
    person.types("\x1b[B\x1b[B");
    person.sees_prompt("alice@lobby> half");
    person.types("\x12al");
    person.sees_prompt("earlier lines with \"al\": alpha");
    person.types("\x07");
    person.sees_prompt("alice@lobby> half");
    person.types(" @bo\t");
    person.sees_prompt("alice@lobby> half @bob");
}

#[test]
fn no_color_means_none_here_too() {
    let (_server, client, person) = alice_who(|start| start.variable("NO_COLOR", "1"));
    client.gets("<bob> hi alice\n[from carol] psst");
    person.sees("[from carol] psst");
    let bytes = person.bytes();
    assert!(!bytes.contains("\x1b[38;") && !bytes.contains("\x1b[3"), "{bytes:?}");
}

#[test]
fn a_server_that_is_away_is_counted_on_one_row() {
    let (server, client, person) = alice_on(20, 100);
    let port = server.port;
    drop(server);
    client.loses_connection();
    person.sees("no connection");
    person.sees("3 tries");
    let refused = person.rows().iter().filter(|row| row.contains("refused the connection")).count();
    assert_eq!(refused, 1, "{:?}", person.rows());
    let server = Server::on(port);
    let client = server.accepts();
    client.gets_welcome();
    client.says_among("/resume T0KEN");
    client.gets(&format!("*** Hello again alice.\n{}", who("alice")));
    client.gets_room("lobby", &["bob"], 99);
    person.sees("2 here");
}

/// A server of the course: it asks no name and notes nothing.
#[test]
fn a_line_server() {
    let server = Server::start();
    let person = Start::new(&server, &[]).full().go();
    let client = server.accepts();
    client.gets("<user1> hi");
    person.sees("<user1> hi");
    person.types("hello\r");
    client.says("hello");
    person.sees_that("what we said", |screen| screen.contents().contains(" hello"));
}

#[test]
fn inline_is_for_those_who_ask() {
    let (_server, _client, person) = alice();
    assert!(!person.looks(vt100::Screen::alternate_screen));
}

/// The picture in the manual is a capture: times and the day are made the same every time.
#[test]
fn the_screen_in_the_manual() {
    let (_server, client, person) = alice_on(15, 100);
    client.gets("(12:10) <carol> Chapter 3 is due on Friday.\n[from carol] psst, which page?");
    client.gets("<bob> who has the slides, alice?\n{\"topic\":\"sockets and threads\",\"by\":\"bob\"}\n{\"last\":11}");
    person.types("I have them\r");
    client.says("I have them");
    client.gets("<alice> I have them\n{\"last\":12}");
    sees_said(&person, "<alice> I have them");
    person.types("has everybody rea");
    person.sees_prompt("alice@lobby> has everybody rea");
    person.sees("2 carol (1)");
    let rows = texts(&person).into_iter().map(|row| match row.as_bytes() {
        [b'*' | b'<' | b'[' | b'c', ..] => format!("12:30 {}", row.replace("12:10", "12:30")),
        _ => row,
    });
    let days = |row: String| match row.starts_with("───") {
        true => "────────────────────────── Friday, 27 November 2026 ──────────────────────────│"
            .to_owned(),
        false => row,
    };
    let rows: Vec<String> = rows.map(days).collect();
    let title =
        "chat on the full screen: what was said, who is here, the room, and the line being typed";
    is_current("chat.svg", &person.looks(|screen| svg(&rows, screen, title)));
    let screen = rows.join("\n");
    let manual = include_str!("../../docs/client.md");
    assert!(
        manual.contains(screen.trim_start_matches('\n')),
        "docs/client.md shows another one:\n{screen}"
    );
}

/// It has what is shown, our own lines too, and nobody else can read it.
#[test]
fn the_log_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_server, client, person) = alice_who(|start| {
        let home: &'static str = start.data_folder().to_owned().leak();
        start.variable("HOME", home)
    });
    person.types("/log ~/no\t");
    person.sees_prompt("alice@lobby> /log ~/no");
    person.types("tes\r");
    person.sees("chat: what is shown from now on is added to ~/notes.");
    client.gets("<bob> to be kept\n{\"last\":11}");
    person.types("mine\r");
    client.says("mine");
    client.gets("<alice> mine\n{\"last\":12}");
    sees_said(&person, "<alice> mine");
    person.types("/set x\r");
    person.sees("there is no setting");
    person.types("/log\r");
    person.sees("nothing is logged any more");
    let log = person.data.join("notes");
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .map(|line| {
            let (time, line) = line.split_at("2026-11-28 12:30 ".len());
            assert!(time.starts_with("20") && time.ends_with(' '), "{time}");
            line
        })
        .collect();
    assert_eq!(
        lines,
        [
            "<bob> to be kept",
            "<alice> mine",
            "chat: there is no setting \"x\"; the nearest one is \"tls\"."
        ]
    );
    assert_eq!(std::fs::metadata(log).unwrap().permissions().mode() & 0o777, 0o600);
}
