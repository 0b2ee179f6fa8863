//! What the pages show of terminals happens: each block marked `console` is played against the real programs.
//!
//! A line begins with the number of its terminal. `$` is a command, `>` is typed, `^C` ends the terminal's program, `^Z`
//! stops it, `…` says that nothing comes for now, and everything else is printed, with `{…}` for what differs each time.

use crate::{free_port, harness::*, pages};
use std::{
    collections::HashMap,
    fs,
    os::unix::{fs::symlink, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

/// The programs that the pages call by their names, or in target/release.
pub const BUILT: [Option<&str>; 3] = [
    Some(env!("CARGO_BIN_EXE_chatd")),
    option_env!("CARGO_BIN_EXE_chat"),
    option_env!("CARGO_BIN_EXE_chatbench"),
];

/// How a command on a page may begin, and how it begins here.
const SHORT: [(&str, &str); 4] = [
    ("cargo run --release --bin chat -- ", "chat "),
    ("cargo run --release -- ", "chatd "),
    ("cargo run -- ", "chatd "),
    ("target/release/", ""),
];

/// Those of chatd. With one of them it is no server.
const COMMANDS: [&str; 9] =
    ["account", "backup", "ban", "check", "config", "history", "restore", "tls", "upgrade"];

/// What runs in a terminal.
pub enum Program {
    Server(Server),
    /// `nc`: what it was told, and its end of line.
    Client(Client, &'static str),
    /// What a shell runs: `yes | nc …`, `nc … > FILE`, a command on a file.
    Shell(Process),
    /// It has ended, and its output is to be looked at.
    Ended(std::vec::IntoIter<String>),
}

/// One block, and the folder in which its programs run.
pub struct Session {
    pub folder: Folder,
    terminals: HashMap<String, Program>,
    /// The ports of the servers on the page, and here, where each has a free one.
    pub ports: Vec<(String, u16)>,
}

#[test]
fn what_the_pages_show_of_terminals_happens() {
    let mut blocks = Vec::new();
    for page in pages::with_terminals() {
        for block in pages::read(&page).split("\n```console\n").skip(1) {
            let block = block.split("\n```").next().unwrap();
            let is_played = !block.contains("$ python3") || has_program("python3");
            blocks.extend(is_played.then(|| (page.clone(), block.to_owned())));
        }
    }
    assert!(blocks.len() > 10, "only {} blocks were found", blocks.len());
    thread::scope(|scope| {
        for (page, block) in &blocks {
            scope.spawn(move || {
                let mut session = Session::new();
                for line in block.lines() {
                    println!("{page}: {line}");
                    session.plays(line);
                }
            });
        }
    });
}

impl Session {
    /// In an empty folder, where the programs and docs are found as in the project's own.
    pub fn new() -> Session {
        let (folder, root) = (Folder::new(), Path::new(env!("CARGO_MANIFEST_DIR")));
        fs::create_dir_all(folder.path("target/release")).unwrap();
        symlink(root.join("docs"), folder.path("docs")).unwrap();
        for program in BUILT.into_iter().flatten() {
            let name = Path::new(program).file_name().unwrap();
            symlink(program, folder.path("target/release").join(name)).unwrap();
        }
        Session { folder, terminals: HashMap::new(), ports: Vec::new() }
    }

    fn plays(&mut self, line: &str) {
        let (terminal, step) = line.split_at(1);
        let step = step.strip_prefix(' ').unwrap_or(step);
        if let Some(command) = step.strip_prefix("$ ") {
            if let Some(Program::Shell(mut before)) = self.terminals.remove(terminal) {
                before.exit_code(); // it ends by itself
            }
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
            (Program::Shell(_), "^C") => {
                if let Some(Program::Shell(shell)) = self.terminals.remove(terminal) {
                    // All that it runs. Some of it may have ended already.
                    let group = format!("-{}", shell.pid());
                    let _ = Command::new("kill").args(["-INT", "--", &group]).status();
                }
            }
            (_, "^C") => drop(self.terminals.remove(terminal)),
            (Program::Client(..), "^Z") => {} // it reads nothing, as long as the page shows nothing
            (program, printed) => {
                let printed = if printed.is_empty() {
                    ""
                } else {
                    printed.strip_prefix("  ").expect("two spaces before what is printed")
                };
                match (printed.split_once("listening on 127.0.0.1:"), &program) {
                    (Some((_, port)), Program::Server(server)) => {
                        let port = port.split_whitespace().next().unwrap().to_owned();
                        self.ports.push((port, server.address.port())); // that it is read already
                    }
                    _ => {
                        let printed = self.ports.iter().fold(printed.to_owned(), |text, port| {
                            text.replace(&port.0, &port.1.to_string())
                        });
                        program.prints(&printed);
                    }
                }
            }
        }
    }

    pub fn runs(&mut self, command: &str) -> Program {
        let whole = &short(command);
        let here = |there: &str| self.ports.iter().find(|port| port.0 == there).map(|port| port.1);
        let typed_by_echo = whole.strip_prefix("echo ").and_then(|c| c.split_once(" | "));
        let (typed, command) = typed_by_echo.unwrap_or(("", whole));
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["chatd", ref options @ ..] if is_server(command) => {
                self.serves(env!("CARGO_BIN_EXE_chatd").into(), options)
            }
            ["cargo", "run", "--example", twin, "--", ref options @ ..]
                if twin.starts_with("chatd-") =>
            {
                self.serves(example::example(twin), options)
            }
            ["cargo", "run", "--example", "select-echo-client"] => {
                let mut client = Command::new(example::example("select-echo-client"));
                client.arg(format!("127.0.0.1:{}", self.ports[0].1));
                runs_to_its_end(client)
            }
            ["cargo", "run", "--example", "interleave", ref arguments @ ..] => {
                let mut command = Command::new(example::example("interleave"));
                command.args(arguments);
                runs_to_its_end(command)
            }
            ["cargo", "run", "--example", name, ref address_and_more @ ..] => {
                let mut command = Command::new(example::example(name));
                command.arg("127.0.0.1:0").args(address_and_more.iter().skip(1));
                command.current_dir(self.folder.path("")).env("TMPDIR", self.folder.path(""));
                Program::Server(Server::start_program(command))
            }
            ["python3", program, there] => {
                let mut command = Command::new("python3");
                command.args([program, &free_port().to_string()]);
                let server = Server::start_program(command);
                self.ports.push((there.to_owned(), server.address.port()));
                Program::Server(server)
            }
            ["nc", ref options @ .., "127.0.0.1", port] => {
                let port = here(port).expect("the page's program listens there");
                let mut client = Client::connect(([127, 0, 0, 1], port).into(), command);
                if !typed.is_empty() {
                    client.says(typed);
                }
                Program::Client(client, if options.contains(&"-C") { "\r\n" } else { "\n" })
            }
            _ => self.runs_in_a_shell(whole),
        }
    }

    /// chatd, or a version of it, on free ports of loopback.
    fn serves(&self, program: PathBuf, options: &[&str]) -> Program {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path(""));
        let (mut listens, mut has_web, mut before) = (false, false, "");
        for option in options {
            let is_port = *option != "none" && !option.starts_with("unix:");
            let is_where = is_port && ["--listen", "--web", "--tls"].contains(&before);
            command.arg(if is_where { "127.0.0.1:0" } else { option });
            listens |= is_where && before == "--listen";
            has_web |= before == "--web";
            before = option;
        }
        // Or it would take the usual ports.
        command.args((!listens).then_some(["--listen", "127.0.0.1:0"]).into_iter().flatten());
        command.args((!has_web).then_some(["--web", "127.0.0.1:0"]).into_iter().flatten());
        Program::Server(Server::start_program(command))
    }

    fn runs_in_a_shell(&self, command: &str) -> Program {
        let mut command = command.to_owned();
        for (there, here) in &self.ports {
            for before in ["127.0.0.1 ", "127.0.0.1:", "localhost:", "room.py "] {
                command = command.replace(&format!("{before}{there}"), &format!("{before}{here}"));
            }
        }
        let mut shell = Command::new("bash");
        let programs = self.folder.path("target/release");
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        shell.args(["-c", &command]).env("PATH", path);
        shell.current_dir(self.folder.path("")).process_group(0);
        Program::Shell(Process::start(shell))
    }
}

/// A command as it begins here.
pub fn short(command: &str) -> String {
    let shorter = |row: &(&str, &str)| Some(format!("{}{}", row.1, command.strip_prefix(row.0)?));
    SHORT.iter().find_map(shorter).unwrap_or_else(|| command.to_owned())
}

/// Whether this is chatd, and none of its commands.
pub fn is_server(command: &str) -> bool {
    let mut words = command.split_whitespace();
    words.next() == Some("chatd") && !words.any(|word| COMMANDS.contains(&word))
}

fn runs_to_its_end(command: Command) -> Program {
    let printed = Process::start(command).ends();
    Program::Ended(printed.lines().map(str::to_owned).collect::<Vec<_>>().into_iter())
}

impl Program {
    /// The next line that is printed is like this one. (Not every line has an end; a terminal shows no CR.)
    fn prints(&mut self, expected: &str) {
        match self {
            Program::Server(server) => server.prints_line(expected),
            Program::Shell(shell) => shell.prints_line(expected),
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
