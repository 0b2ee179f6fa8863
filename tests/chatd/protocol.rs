//! docs/protocol.md is a test: every conversation in it is played against a fresh server, word for word.

use crate::harness::{Client, Folder, Program, Server, operate};
use std::{collections::HashMap, fs};

const PAGE: &str = include_str!("../../docs/protocol.md");
const MOTD: &str = "Welcome to the class of today.\nPlease keep to the topic.\n";

/// A code block marked `chat`.
struct Conversation {
    /// The number of its first line on the page.
    number: usize,
    /// `only:NAME,NAME`: these programs speak so, and no other.
    only: Option<&'static str>,
    options: &'static str,
    /// With their numbers.
    lines: Vec<(usize, &'static str)>,
}

fn conversations() -> Vec<Conversation> {
    let mut found = Vec::new();
    let mut lines = PAGE.lines().enumerate().map(|(i, line)| (i + 1, line));
    while let Some((number, line)) = lines.next() {
        if let Some(options) = line.strip_prefix("```chat") {
            let lines = lines.by_ref().take_while(|(_, line)| *line != "```").collect();
            let (only, options) = match options.trim().strip_prefix("only:") {
                Some(rest) => {
                    rest.split_once(' ').map_or((Some(rest), ""), |(only, rest)| (Some(only), rest))
                }
                None => (None, options.trim()),
            };
            found.push(Conversation { number, only, options, lines });
        }
    }
    found
}

#[test]
pub fn every_conversation_on_the_page_happens() {
    let conversations = conversations();
    assert!(conversations.len() >= 20, "only {} conversations were found", conversations.len());
    let program = Program::current().name();
    for Conversation { number, only, options, lines } in conversations {
        if only.is_some_and(|names| !names.split(',').any(|name| name == program)) {
            continue;
        }
        println!("docs/protocol.md:{number}: {program} {options}");
        play(options, &lines);
    }
}

fn play(options: &str, lines: &[(usize, &str)]) {
    let folder = Folder::new("protocol");
    let (motd, db) = (folder.path("motd.txt"), folder.path("chatd.db"));
    fs::write(&motd, MOTD).unwrap();
    // Who needs an account before the server starts needs a file for it.
    let needs_file = lines.iter().any(|(_, line)| line.starts_with('$')) && !options.contains("DB");
    let options = if needs_file { format!("--db DB {options}") } else { options.to_owned() };
    let options: Vec<&str> = options
        .split_whitespace()
        .map(|word| match word {
            "MOTD" => &*motd,
            "DB" => &*db,
            other => other,
        })
        .collect();
    let before = lines.iter().take_while(|(_, line)| line.starts_with("$ chatd account")).count();
    for (_, line) in &lines[..before] {
        let words: Vec<&str> = line.split_whitespace().skip(2).collect();
        operate(&db, &words, "correct horse\n");
    }
    let mut server = Server::start(&options);
    let mut clients: HashMap<&str, Client> = HashMap::new();
    for &(number, line) in &lines[before..] {
        println!("{number:5} {line}");
        if line == "$ kill -9" {
            clients.clear();
            drop(server);
            server = Server::start(&options);
        } else {
            step(&server, &mut clients, line);
        }
    }
    for client in clients.values_mut() {
        if client.name != "gone" {
            client.hears_nothing();
        }
    }
}

fn step<'a>(server: &Server, clients: &mut HashMap<&'a str, Client>, line: &'a str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["+", name] => drop(clients.insert(name, server.connect(name))),
        ["-", name] => drop(clients.remove(name)),
        ["@", ..] => {
            let entered = server.enter_all(&words[1..]);
            clients.extend(words[1..].iter().copied().zip(entered));
        }
        [name, "x"] => {
            let client = clients.get_mut(name).unwrap();
            client.is_hung_up();
            client.name = "gone".to_owned();
        }
        [name, ">", ..] => {
            let typed = line.split_once('>').unwrap().1;
            let typed = typed.strip_prefix(' ').unwrap_or(typed).replace("LONG", &"x".repeat(1025));
            let client = clients.get_mut(name).unwrap();
            client.sends(&unescape(&typed));
            client.sends(b"\n");
        }
        [name, "<", ..] => {
            let expected = line.split_once("< ").unwrap().1;
            let expected = expected.replace(Program::Chatd.model(), Program::current().model());
            clients.get_mut(name).unwrap().hears(&expected);
        }
        _ => panic!("not a step: {line:?}"),
    }
}

/// `\x1b` is the byte 27.
fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

#[test]
fn the_page_lists_every_command() {
    for row in chatd::core::command::COMMANDS.iter().chain(chatd::core::command::ADMINISTRATION) {
        let usage = row.usage().replace('|', "\\|");
        assert!(
            PAGE.contains(&format!("| `{usage}` |")),
            "docs/protocol.md has no row for `{usage}`"
        );
    }
}
