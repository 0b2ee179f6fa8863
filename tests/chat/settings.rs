//! A file of one's own, and what a person sets while they chat.

use crate::{
    folder,
    person::{Person, Start},
    pipes::Piped,
    server::{Client, Server},
};
use std::{fs, path::PathBuf};

/// A folder with this `chat.toml` in it.
fn folder_with(text: &str) -> PathBuf {
    let folder = folder();
    fs::create_dir(folder.join("chatd")).unwrap();
    fs::write(folder.join("chatd/chat.toml"), text).unwrap();
    folder
}

/// Somebody with this file, who has entered as alice by what it says.
fn alice_with(text: &str) -> (Server, Client, Person) {
    let server = Server::start();
    let folder = folder_with(&format!("name = \"alice\"\n{text}"));
    let person = Start::new(&server, &[]).full().size(16, 90).data(folder).go();
    let client = server.accepts();
    client.enters_as("alice");
    person.sees_prompt("alice@lobby>");
    (server, client, person)
}

#[test]
fn a_file_says_where_to_go_and_as_whom() {
    let server = Server::start();
    let folder = folder_with(&format!("server = {:?}\nname = \"bob\"\n", server.address()));
    let mut piped = Piped::start_in(&folder, &[]);
    let client = server.accepts();
    client.enters_as("bob");
    piped.reads_no_more();
    client.leaves();
    piped.ends_with(0, "");
    let mut piped = Piped::start_in(&folder, &["--name", "eve"]);
    let client = server.accepts();
    client.enters_as("eve");
    piped.reads_no_more();
    client.leaves();
    piped.ends_with(0, "");
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_line() {
    let folder = folder_with("# mine\nnmae = \"alice\"\n");
    let says = "chat.toml, line 2: there is no setting \"nmae\"; the nearest one is \"name\".";
    Piped::start_in(&folder, &[]).ends_with(2, says);
    let file = folder.join("other.toml");
    fs::write(&file, "bell = 1\n").unwrap();
    let named = ["--config", file.to_str().unwrap()];
    Piped::start_in(&folder, &named).ends_with(2, "line 1: bell is true or false.");
    fs::remove_file(&file).unwrap();
    Piped::start_in(&folder, &named).ends_with(2, "other.toml cannot be read: ");
}

#[test]
fn words_of_ones_own_are_marked_and_ring_and_aliases_are_obeyed() {
    let (_server, client, person) =
        alice_with("bell = true\nhighlight = [\"exam\"]\n[aliases]\nj = \"/join\"\n");
    client.gets("<bob> the Exam is at ten\n<bob> no example");
    person.sees_that("a marked word", |screen| {
        let at = |text: &str| {
            (0..14).find_map(|row| {
                let text_of_row: String = screen.rows(0, 90).nth(usize::from(row)).unwrap();
                text_of_row.find(text).map(|column| (row, column as u16))
            })
        };
        at("Exam").is_some_and(|(row, column)| screen.cell(row, column).unwrap().inverse())
            && at("example")
                .is_some_and(|(row, column)| !screen.cell(row, column).unwrap().inverse())
    });
    assert_eq!(person.bells(), 1);
    person.types("/j math\r");
    client.says("/join math");
    client.moves_to("math");
    person.sees_prompt("alice@math>");
    person.types("/J\t");
    person.sees_prompt("alice@math> /j");
}

/// `/nick NAME PASSWORD` is not kept, by whatever name.
#[test]
fn an_alias_keeps_no_password() {
    let (_server, client, person) = alice_with("[aliases]\nn = \"/nick\"\n");
    person.types("/n zoe unter22\r");
    client.says("/nick zoe unter22");
    client.gets("*** That is no name.");
    person.types("said\r");
    client.says("said");
    let history = fs::read_to_string(person.data.join("chatd/chat-history")).unwrap();
    assert!(history.contains("said") && !history.contains("unter"), "{history}");
    person.types("\x1b[A\x1b[A");
    person.sees_prompt("alice@lobby> said");
}

#[test]
fn what_is_set_holds_and_is_kept_when_asked() {
    let (_server, client, person) = alice_with("# no bell at night\nbell = false # hush\n");
    person.types("/set\r");
    person.sees("name = \"alice\"  (line 1)");
    person.sees("times = true  (default)");
    person.types("/set times off\r");
    person.sees("chat: times = false, until you leave; /save keeps it.");
    client.gets("<bob> at what time?");
    person.sees_that("a line without a time", |screen| {
        screen.rows(0, 90).any(|row| row.starts_with("<bob> at what time?"))
    });
    person.types("/set bell on\r/set bel on\r/set name a b\r");
    person.sees("there is no setting \"bel\"; the nearest one is \"bell\".");
    person.sees("name wants one word, not \"a b\".");
    person.types("/save\r");
    person.sees("chat: times, bell: kept in");
    let file = person.data.join("chatd/chat.toml");
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "name = \"alice\"\n# no bell at night\nbell = true # hush\ntimes = false\n"
    );
    person.types("/set bell\r");
    person.sees("bell = true  (line 3)");
    person.types("/save\r");
    person.sees("chat: nothing was changed by /set.");
}

#[test]
fn the_wheel_scrolls_if_it_is_asked_for() {
    let (_server, client, person) = alice_with("");
    let modes = |person: &Person| person.looks(vt100::Screen::mouse_protocol_mode);
    (0..40).for_each(|n| client.gets(&format!("<bob> line {n};")));
    person.sees("line 39;");
    assert_eq!(modes(&person), vt100::MouseProtocolMode::None, "text can be marked");
    person.types("/set wheel on\r");
    person.sees_that("the mouse is asked for", |screen| {
        screen.mouse_protocol_mode() == vt100::MouseProtocolMode::PressRelease
    });
    person.types("half\x1b[<64;10;5M\x1b[<64;10;5M\x1b[<0;10;5M\x1b[<0;10;5m");
    person.sees("more below: Esc");
    person.sees_prompt("alice@lobby> half");
    person.types(&"\x1b[<65;10;5M".repeat(3)); // the answer to /set may have come meanwhile
    person.sees_that("the end", |screen| !screen.contents().contains("more below"));
    person.types("\x15/quit\r");
    client.says("/quit");
    client.gets_goodbye();
    person.ends_with(0);
    assert_eq!(modes(&person), vt100::MouseProtocolMode::None);
}
