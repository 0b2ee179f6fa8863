//! What the pages show of terminals happens: each block marked `console` is played against the real programs.
//!
//! A line begins with the number of its terminal. `$` is a command, `>` is typed, `^C` ends the terminal's program, `…`
//! says that nothing comes for now, and everything else is printed, with `{…}` for what differs each time.

use super::chatd_harness::client::matches;
use super::harness::*;
use super::pages;
use std::{collections::HashMap, io::Read as _};

/// What runs in a terminal.
enum Program {
    Server(Printing),
    /// `nc`: its end of line, and what it was told.
    Client(Peer, &'static str),
    /// It has ended, and its output is to be looked at.
    Ended(std::vec::IntoIter<String>),
}

/// One block.
#[derive(Default)]
struct Session {
    terminals: HashMap<String, Program>,
    /// The server's port on the page.
    port_there: String,
    /// And here: a free one.
    port_here: String,
}

#[test]
fn what_the_pages_show_of_terminals_happens() {
    let mut blocks = 0;
    for page in pages::pages().into_iter().chain(["docs/experiments.md".to_owned()]) {
        for block in pages::read(&page).split("\n```console\n").skip(1) {
            blocks += 1;
            let mut session = Session::default();
            for line in block.split("\n```").next().unwrap().lines() {
                println!("{page}: {line}");
                session.plays(line);
            }
        }
    }
    assert!(blocks > 10, "only {blocks} blocks were found");
}

impl Session {
    fn plays(&mut self, line: &str) {
        let (terminal, step) = line.split_at(1);
        let step = step.strip_prefix(' ').unwrap_or(step);
        if let Some(command) = step.strip_prefix("$ ") {
            let runs = self.runs(command);
            self.terminals.insert(terminal.to_owned(), runs);
            return;
        }
        let program = self.terminals.get_mut(terminal).expect("a program runs in this terminal");
        match (program, step) {
            (Program::Client(peer, end), typed) if typed.starts_with("> ") => {
                peer.sends([&typed[2..], end].concat())
            }
            (Program::Client(peer, _), "…") => {
                peer.skips_line_end();
                peer.hears_nothing();
            }
            (_, "^C") => self.is_ended(terminal),
            (program, printed) => {
                let printed =
                    printed.strip_prefix("  ").expect("two spaces before what is printed");
                if let Some(port) = printed.strip_prefix("listening on 127.0.0.1:") {
                    self.port_there = port.to_owned(); // read already: only so it is known where it listens
                } else {
                    program.prints(&printed.replace(&self.port_there, &self.port_here));
                }
            }
        }
    }

    fn runs(&mut self, command: &str) -> Program {
        let (typed, command) = command
            .strip_prefix("echo ")
            .and_then(|c| c.split_once(" | "))
            .unwrap_or(("", command));
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            // A second program is a client of the first.
            ["cargo", "run", "--example", name] if !self.port_here.is_empty() => {
                let output =
                    program(name).arg(format!("127.0.0.1:{}", self.port_here)).output().unwrap();
                assert!(output.status.success(), "{output:?}");
                let printed = String::from_utf8(output.stdout).unwrap();
                Program::Ended(printed.lines().map(str::to_owned).collect::<Vec<_>>().into_iter())
            }
            ["cargo", "run", "--example", name, ref address_and_more @ ..] => {
                let server = Printing::start(name, address_and_more.get(1..).unwrap_or_default());
                self.port_here = server.address.port().to_string();
                Program::Server(server)
            }
            ["nc", ref options @ .., "127.0.0.1", port] => {
                assert_eq!(port, self.port_there, "the page's program listens elsewhere");
                let mut peer =
                    Peer::connect_to(([127, 0, 0, 1], self.port_here.parse().unwrap()).into());
                if !typed.is_empty() {
                    peer.sends(format!("{typed}\n"));
                }
                Program::Client(peer, if options.contains(&"-C") { "\r\n" } else { "\n" })
            }
            _ => panic!("this page's command is not known here: {command}"),
        }
    }

    /// A server's output can still be looked at.
    fn is_ended(&mut self, terminal: &str) {
        if let Some(Program::Server(server)) = self.terminals.remove(terminal) {
            self.terminals.insert(terminal.to_owned(), Program::Ended(server.ends().into_iter()));
        }
    }
}

impl Peer {
    /// The end of the line that was read last, if it has one.
    fn skips_line_end(&mut self) {
        let mut byte = [0];
        self.0.set_read_timeout(Some(SILENCE)).unwrap();
        if self.0.peek(&mut byte).is_ok() && byte == *b"\n" {
            self.reads("\n");
        }
        self.0.set_read_timeout(Some(DEADLINE)).unwrap();
    }
}

impl Program {
    /// The next line that is printed is like this one. (Not every line has an end; a terminal shows no CR.)
    fn prints(&mut self, expected: &str) {
        let mut printed = Vec::new();
        match self {
            Program::Server(server) => printed = server.prints_next().into_bytes(),
            Program::Ended(lines) => printed = lines.next().unwrap_or_default().into_bytes(),
            Program::Client(peer, _) => loop {
                let mut byte = [0];
                let is_read = peer.0.read(&mut byte).is_ok_and(|n| n == 1);
                let is_end = byte == *b"\n" && !printed.is_empty();
                assert!(
                    is_read && !is_end,
                    "{:?} in place of {expected:?}",
                    String::from_utf8_lossy(&printed)
                );
                printed.extend(byte.iter().filter(|byte| !b"\r\n".contains(byte)));
                if matches(expected, &String::from_utf8_lossy(&printed)) {
                    return;
                }
            },
        }
        let printed = String::from_utf8_lossy(&printed);
        assert!(matches(expected, &printed), "{printed:?} in place of {expected:?}");
    }
}
