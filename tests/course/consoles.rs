//! What the pages show of terminals happens: each block marked `console` is played against the real programs.
//!
//! A line begins with the number of its terminal. `$` is a command, `>` is typed, `^C` ends the terminal's program, `…`
//! says that nothing comes for now, and everything else is printed, with `{…}` for what differs each time.

use crate::{harness::*, pages};
use std::{collections::HashMap, process::Command, thread};

/// What runs in a terminal.
enum Program {
    Server(Server),
    /// `nc`: what it was told, and its end of line.
    Client(Client, &'static str),
    /// It has ended, and its output is to be looked at.
    Ended(std::vec::IntoIter<String>),
}

/// One block, and the folder in which its programs run.
struct Session {
    folder: Folder,
    terminals: HashMap<String, Program>,
    /// The server's port on the page.
    port_there: String,
    /// And here: a free one.
    port_here: String,
}

#[test]
fn what_the_pages_show_of_terminals_happens() {
    let mut blocks = Vec::new();
    for page in pages::pages().into_iter().chain(["docs/experiments.md".to_owned()]) {
        for block in pages::read(&page).split("\n```console\n").skip(1) {
            let block = block.split("\n```").next().unwrap();
            blocks.push((page.clone(), block.to_owned()));
        }
    }
    assert!(blocks.len() > 10, "only {} blocks were found", blocks.len());
    thread::scope(|scope| {
        for (page, block) in &blocks {
            scope.spawn(move || {
                let mut session = Session {
                    folder: Folder::new(),
                    terminals: HashMap::new(),
                    port_there: String::new(),
                    port_here: String::new(),
                };
                for line in block.lines() {
                    println!("{page}: {line}");
                    session.plays(line);
                }
            });
        }
    });
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
            (Program::Client(client, end), typed) if typed.starts_with("> ") => {
                client.sends([&typed[2..], end].concat());
            }
            (Program::Client(client, _), "…") => {
                // The end of the line that was read last, if it has one, does not count.
                if client.has_unread() {
                    client.receives("\n");
                }
                client.hears_nothing_for_now();
            }
            (Program::Server(server), "^C") => {
                let rest = server.ends_on_ctrl_c();
                self.terminals.insert(terminal.to_owned(), Program::Ended(rest.into_iter()));
            }
            (_, "^C") => drop(self.terminals.remove(terminal)),
            (program, printed) => {
                let printed =
                    printed.strip_prefix("  ").expect("two spaces before what is printed");
                match printed.strip_prefix("listening on 127.0.0.1:") {
                    Some(port) => self.port_there = port.to_owned(), // here it is another one, and read already
                    None => program.prints(&printed.replace(&self.port_there, &self.port_here)),
                }
            }
        }
    }

    fn runs(&mut self, command: &str) -> Program {
        let typed_by_echo = command.strip_prefix("echo ").and_then(|c| c.split_once(" | "));
        let (typed, command) = typed_by_echo.unwrap_or(("", command));
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            // A second program is a client of the first.
            ["cargo", "run", "--example", name] if !self.port_here.is_empty() => {
                let mut client = Command::new(server::example(name));
                client.arg(format!("127.0.0.1:{}", self.port_here));
                let printed = Process::start(client).ends();
                Program::Ended(printed.lines().map(str::to_owned).collect::<Vec<_>>().into_iter())
            }
            ["cargo", "run", "--example", name, ref address_and_more @ ..] => {
                let mut command = Command::new(server::example(name));
                command.arg("127.0.0.1:0").args(address_and_more.iter().skip(1));
                command.current_dir(self.folder.path(""));
                let server = Server::start_program(command);
                self.port_here = server.address.port().to_string();
                Program::Server(server)
            }
            ["nc", ref options @ .., "127.0.0.1", port] => {
                assert_eq!(port, self.port_there, "the page's program listens elsewhere");
                let address = format!("127.0.0.1:{}", self.port_here).parse().unwrap();
                let mut client = Client::connect(address, command);
                if !typed.is_empty() {
                    client.says(typed);
                }
                Program::Client(client, if options.contains(&"-C") { "\r\n" } else { "\n" })
            }
            _ => panic!("this page's command is not known here: {command}"),
        }
    }
}

impl Program {
    /// The next line that is printed is like this one. (Not every line has an end; a terminal shows no CR.)
    fn prints(&mut self, expected: &str) {
        match self {
            Program::Server(server) => server.prints_line(expected),
            Program::Ended(lines) => {
                let line = lines.next().unwrap_or_default();
                assert!(matches(expected, &line), "{line:?} in place of {expected:?}");
            }
            Program::Client(client, _) => {
                let mut printed = Vec::new();
                while !matches(expected, &String::from_utf8_lossy(&printed)) {
                    let byte = client.receives_byte();
                    let is_more = byte.is_some_and(|byte| byte != b'\n' || printed.is_empty());
                    let printed_text = String::from_utf8_lossy(&printed);
                    assert!(is_more, "{printed_text:?} in place of {expected:?}");
                    printed.extend(byte.filter(|byte| !b"\r\n".contains(byte)));
                }
            }
        }
    }
}
