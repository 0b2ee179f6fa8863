//! docs/protocol.md is a test: every conversation in it is held with a fresh server, word for word.

use crate::harness::{Client, Folder, Program, Server, script::Clients};
use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

const PAGE: &str = include_str!("../../docs/protocol.md");
const MOTD: &str = "Welcome to the class of today.\nPlease keep to the topic.\n";
/// Conversations at once: much of their time they wait, for a password's delay or a shutdown.
const AT_ONCE: usize = 4;

/// A code block marked `chat`.
struct Conversation {
    /// `only:NAME,NAME`: these programs speak so, and no other.
    only: Option<&'static str>,
    options: &'static str,
    /// With their numbers.
    lines: Vec<(usize, &'static str)>,
}

impl Conversation {
    fn has(&self, text: &str) -> bool {
        self.lines.iter().any(|(_, line)| line.contains(text))
    }

    /// Whether all that is typed in it is UTF-8.
    fn is_text(&self) -> bool {
        let is_ascii = |code: &str| code.starts_with(|c: char| c < '8');
        self.lines.iter().all(|(_, line)| line.split("\\x").skip(1).all(is_ascii))
    }
}

fn conversations() -> Vec<Conversation> {
    let mut found = Vec::new();
    let mut lines = PAGE.lines().enumerate().map(|(i, line)| (i + 1, line));
    while let Some((_, line)) = lines.next() {
        let Some(options) = line.strip_prefix("```chat").map(str::trim) else { continue };
        let lines = lines.by_ref().take_while(|(_, line)| *line != "```");
        let (only, options) = match options.strip_prefix("only:") {
            Some(rest) => {
                rest.split_once(' ').map_or((Some(rest), ""), |(o, rest)| (Some(o), rest))
            }
            None => (None, options),
        };
        found.push(Conversation { only, options, lines: lines.collect() });
    }
    found
}

#[test]
pub fn every_conversation_on_the_page_happens() {
    let program = Program::current();
    let mut conversations = conversations();
    assert!(conversations.len() >= 20, "only {} conversations were found", conversations.len());
    conversations
        .retain(|c| c.only.is_none_or(|names| names.split(',').any(|n| n == program.name())));
    if program == Program::Browser {
        // Telnet's bytes are no text; a table of the threads has one row more; and browsers are served.
        conversations.retain(|one| {
            one.is_text() && !one.has("< *** linger") && !one.has("serves no browsers")
        });
    }
    let next = AtomicUsize::new(0);
    let holds = || {
        while let Some(conversation) = conversations.get(next.fetch_add(1, Relaxed)) {
            hold(conversation);
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| program.keeps(holds));
        }
    });
}

fn hold(Conversation { options, lines, .. }: &Conversation) {
    let folder = Folder::new();
    fs::write(folder.path("MOTD"), MOTD).unwrap();
    // One that needs an account before the server starts needs a file for it.
    let needs_file =
        options.contains("--db DB") || lines.iter().any(|(_, line)| line.starts_with('$'));
    let options = options.replace("--db DB", "");
    let start = || match needs_file {
        true => folder.start(&options),
        false => Server::start_in(&folder, &format!("--db none {options}")),
    };
    let commands = lines.iter().map_while(|(_, line)| line.strip_prefix("$ chatd account"));
    let before = commands.map(|words| folder.run(&format!("account {words}"))).count();
    let mut server = start();
    let mut clients = Clients::default();
    for &(number, line) in &lines[before..] {
        if line == "$ kill -9" {
            clients.clear();
            drop(server);
            server = start();
        } else {
            clients.step(&server, number, line);
        }
    }
    clients.hear_nothing();
}

#[test]
fn the_page_lists_every_command() {
    let folder = Folder::new();
    folder.run("account add alice");
    folder.run("account promote alice");
    let server = folder.start("");
    let mut alice = server.connect("alice");
    alice.says("alice\ncorrect horse");
    alice.hears_until("*** Hello alice.");
    alice.says("/help all\n/whoami");
    let help: Vec<String> = std::iter::from_fn(|| Client::reads(&mut alice))
        .take_while(|line| {
            !line.starts_with("*** You are @") && !line.starts_with("*** You are alice:")
        })
        .filter_map(|line| line.strip_prefix("***   ").map(str::to_owned))
        .collect();
    assert!(help.len() > 40, "{help:?}");
    let rows: Vec<String> = PAGE
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once("` |")?.0.replace("\\|", "|")))
        .collect();
    for line in help {
        // In front of what the command does, which begins with a small letter.
        let explains = |usage: &String| {
            let rest = line.strip_prefix(&**usage).and_then(|rest| rest.strip_prefix(' '));
            rest.is_some_and(|rest| rest.trim_start().starts_with(|c: char| c.is_lowercase()))
        };
        assert!(rows.iter().any(explains), "docs/protocol.md has no row for {line:?}");
    }
}
