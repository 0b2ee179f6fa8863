//! What README.md and docs/client.md show of terminals is what happens there, with other numbers and times.

use crate::{harness::*, pages};
use std::process::Command;

/// The block of a page that begins with this line.
fn block(page: &str, first: &str) -> Vec<String> {
    let text = pages::read(page);
    let block = text.split_once(&format!("\n```text\n{first}\n")).expect("the block").1;
    block.split("\n```").next().unwrap().lines().map(str::to_owned).collect()
}

/// carol's terminal is read, and typed into, line by line; what the others do happens where she reads of it.
#[test]
fn the_terminals_of_the_readme_show_what_happens() {
    let folder = Folder::new();
    let server = folder.start("--listen [::1]:0 --web 127.0.0.1:0 --web-name localhost");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let mut carol = server.connect("carol");
    let mut dave = None;
    for line in block("README.md", "$ nc 127.0.0.1 5000") {
        match &*line {
            "*** dave entered lobby" => {
                let mut coming = server.lets_in("dave");
                coming.has_read_everything();
                dave = Some(coming);
            }
            "<alice> hi everybody" => alice.says("hi everybody"),
            "* bob waves" => bob.says("/me waves"),
            "[from alice] see for yourself: /threads" => {
                alice.says("/msg carol see for yourself: /threads");
            }
            "*** bob left lobby (went to math)" => {
                shows_the_threads(dave.as_mut().expect("dave is here"));
                bob.says("/join math");
            }
            _ => {}
        }
        let is_read = ["*** ", "<", "* ", "["].iter().any(|start| line.starts_with(start));
        if is_read { carol.hears(&line) } else { carol.says(&line) }
    }
    // Who listens on loopback alone says of no other machine how it joins.
    let shown = block("README.md", "$ target/release/chatd --threads-max 512").into_iter();
    for line in shown.filter(|line| !line.starts_with("Join from another machine")) {
        let printed = server.printed() + &server.log();
        assert!(printed.lines().any(|it| without_numbers(it) == without_numbers(&line)), "{line}");
    }
}

fn without_numbers(line: &str) -> String {
    let words = line.split(' ').filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

/// Every thread of the page's table is there, and does what it does there.
fn shows_the_threads(dave: &mut Client) {
    let page = block("README.md", "/threads");
    let does = |lines: &[String]| -> Vec<String> {
        lines[3..].iter().map(|line| line.chars().take(44).collect()).collect()
    };
    let mut lines = Vec::new();
    let mut look = || {
        dave.has_read_everything();
        dave.says("/threads");
        lines = page.iter().filter_map(|_| dave.reads()).collect();
        println!("{lines:#?}"); // shown if it fails
        does(&lines) == does(&page)
    };
    eventually("the threads do what the page shows", &mut look);
}

/// Notes and lines in the page's order; others may come between them. `…` stands for anything.
#[test]
fn a_program_reads_what_the_page_shows() {
    let Some(chat) = option_env!("CARGO_BIN_EXE_chat") else { return };
    let server = Server::start("");
    let [mut alice] = server.enter(["alice"]);
    let mut command = Command::new(chat);
    command.args(["--json", "--name", "bot", &server.address.to_string()]);
    let mut bot = Process::start(command);
    // Times, and the numbers of lines, are others.
    let same = |line: &str| {
        let line = line.split_once("\"kind\"").map_or(line, |(_, rest)| rest);
        let mut parts = line.split("\"last\":");
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |all, part| all + part.trim_start_matches(|c: char| c.is_ascii_digit()))
    };
    for line in block("docs/client.md", "$ chat --json --name bot HOST") {
        if line.contains("<alice> hi bot") {
            alice.says("hi bot");
        }
        let expected = same(&line);
        let parts: Vec<&str> = expected.split('…').collect();
        loop {
            let read = same(&bot.next_line().expect("it goes on"));
            let mut rest = Some(&*read);
            for part in &parts {
                rest = rest.and_then(|rest| Some(rest.split_once(part)?.1));
            }
            if rest.is_some_and(|rest| rest.is_empty() || expected.ends_with('…')) {
                break;
            }
        }
    }
}
