//! The pages in real terminals: tmux has six, in each a shell, and Debian's `nc`. Each `console` block of the pages is typed
//! as a person would, only faster, and what the page shows has to come on the screen. (consoles.rs plays the same blocks
//! with a client of its own, and looks at each byte.)

use crate::{free_port, harness::*, pages};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A moment in which nothing comes, where the page says so.
const MOMENT: Duration = Duration::from_millis(300);

/// How often a terminal is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Terminals of a tmux of their own, each with a shell.
struct Terminals {
    /// The name of its socket.
    tmux: String,
    folder: Folder,
    /// Per terminal: up to which row of all that was ever shown there it has been looked at.
    seen: BTreeMap<char, usize>,
    /// The ports of the page, and here.
    ports: Vec<(String, String)>,
}

impl Terminals {
    fn open(name: &str, block: &str) -> Terminals {
        let (tmux, folder) = (format!("chatd-test-{}-{name}", std::process::id()), Folder::new());
        fs::create_dir(folder.path("target")).unwrap();
        let numbers = block.lines().filter_map(|line| line.chars().next());
        let seen = numbers.map(|number| (number, 0)).collect();
        let terminals = Terminals { tmux, folder, seen, ports: Vec::new() };
        let folder = terminals.folder.path("");
        for number in terminals.seen.keys() {
            let name = format!("t{number}");
            let size = ["-x", "100", "-y", "40"];
            let shell = format!("TMPDIR={} PS1='$ ' exec bash --norc", folder.display());
            let begin = ["new-session", "-d", "-s", &name, "-c", folder.to_str().unwrap()];
            terminals.tmux(&[&begin[..], &size, &[&shell]].concat());
        }
        terminals
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.env_remove("TMUX").args(["-L", &self.tmux, "-f", "/dev/null"]).args(arguments);
        let output = command.output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Every row of a terminal, also those that have left the screen.
    fn rows(&self, number: char) -> Vec<String> {
        let pane = format!("t{number}");
        let text = self.tmux(&["capture-pane", "-p", "-J", "-S", "-", "-t", &pane]);
        text.trim_end().lines().map(|row| row.trim_end().to_owned()).collect()
    }

    /// Waits for a row, from the last one on that was looked at, and returns it.
    fn sees(&mut self, number: char, expected: &str, is_it: impl Fn(&str) -> bool) -> String {
        let from = self.seen[&number];
        let found = || {
            thread::park_timeout(LOOK); // each look starts a process
            let rows = self.rows(number);
            rows.iter()
                .skip(from)
                .position(|row| is_it(row))
                .map(|at| (from + at, rows[from + at].clone()))
        };
        let complaint = || {
            format!("terminal {number} never shows {expected:?}:\n{}", self.rows(number).join("\n"))
        };
        let (at, row) = wait_for(found, complaint);
        self.seen.insert(number, at);
        row
    }

    fn types(&mut self, number: char, text: &str) {
        let pane = format!("t{number}");
        self.tmux(&["send-keys", "-t", &pane, "-l", text]);
        // The terminal's echo. Then Return, and what comes next stands below, or behind what stood there already.
        self.sees(number, text, |row| row.contains(text.trim_end()));
        self.tmux(&["send-keys", "-t", &pane, "Enter"]);
        *self.seen.get_mut(&number).unwrap() += 1;
    }

    fn plays(&mut self, line: &str) {
        let number = line.chars().next().unwrap();
        let step = line.get(2..).unwrap_or_default();
        match step {
            "^C" => drop(self.tmux(&["send-keys", "-t", &format!("t{number}"), "C-c"])),
            "^Z" => {
                self.tmux(&["send-keys", "-t", &format!("t{number}"), "C-z"]);
                self.sees(number, "Stopped", |row| row.contains("Stopped"));
            }
            "…" => {
                let (before, began) = (self.rows(number), Instant::now());
                while began.elapsed() < MOMENT {
                    thread::park_timeout(MOMENT);
                }
                assert_eq!(self.rows(number), before, "terminal {number}: nothing comes for now");
            }
            _ if step.starts_with("$ ") => self.runs(number, &step[2..]),
            _ if step.starts_with("> ") => self.types(number, &step[2..]),
            _ => self.shows(number, step.trim_start()),
        }
    }

    fn runs(&mut self, number: char, command: &str) {
        let mut typed = command.to_owned();
        if let Some(rest) = command.strip_prefix("cargo run ")
            && let Some((which, options)) = rest.split_once("-- --listen ")
        {
            let program = match which.trim().strip_prefix("--example ") {
                Some(name) => example::example(name),
                None => env!("CARGO_BIN_EXE_chatd").into(),
            };
            let (_port, options) = options.split_once(' ').unwrap();
            typed = format!("{} --listen 127.0.0.1:0 {options}", program.display());
        } else if let Some(rest) = command.strip_prefix("python3 ") {
            let (program, there) = rest.split_once(' ').unwrap();
            let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(program);
            let here = free_port().to_string();
            typed = format!("python3 {} {here}", program.display());
            self.ports.push((there.to_owned(), here));
        } else if let Some(rest) = command.strip_prefix("cargo run --example ") {
            let mut words = rest.split(' ');
            let name = words.next().unwrap();
            let program = example::example(name);
            let more: Vec<&str> = words.collect();
            let arguments = match (name, &more[..]) {
                ("interleave", more) => more.join(" "),
                ("select-echo-client", _) => format!("127.0.0.1:{}", self.ports[0].1),
                (_, more) => format!("127.0.0.1:0 {}", more.get(1..).unwrap_or_default().join(" ")),
            };
            typed = format!("{} {}", program.display(), arguments.trim_end());
        } else {
            for (there, here) in &self.ports {
                for before in ["127.0.0.1 ", "room.py "] {
                    typed = typed.replace(&format!("{before}{there}"), &format!("{before}{here}"));
                }
            }
        }
        self.sees(number, "$", |row| row.starts_with('$')); // the shell is ready
        self.types(number, &typed);
        if typed.starts_with("nc ") && !typed.contains('>') {
            let pane = format!("t{number}");
            let running = ["display-message", "-p", "-t", &pane, "#{pane_current_command}"];
            eventually("nc has the keyboard", || {
                thread::park_timeout(LOOK);
                self.tmux(&running).trim() == "nc"
            });
        }
    }

    fn shows(&mut self, number: char, printed: &str) {
        if let Some((_, port)) = printed.split_once("listening on 127.0.0.1:") {
            let row = self.sees(number, printed, |row| row.contains("listening on 127.0.0.1:"));
            let here = row.rsplit(':').next().unwrap().split(' ').next().unwrap().to_owned();
            self.ports.push((port.split(' ').next().unwrap().to_owned(), here));
            return;
        }
        let mut printed = printed.to_owned();
        for (there, here) in &self.ports {
            printed = printed.replace(there, here);
        }
        let anywhere = format!("{{…}}{printed}{{…}}");
        self.sees(number, &printed, |row| matches(&anywhere, row));
    }
}

impl Drop for Terminals {
    fn drop(&mut self) {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.tmux, "kill-server"]).stderr(Stdio::null());
        let _ = command.status();
    }
}

/// OpenBSD's, which Debian has.
fn has_debians_nc() -> bool {
    let help = Command::new("nc").arg("-h").output();
    let is_it = help.is_ok_and(|help| String::from_utf8_lossy(&help.stderr).contains("OpenBSD"));
    if !is_it {
        skip("nc is not OpenBSD's");
    }
    is_it
}

#[test]
fn what_the_pages_show_happens_in_six_real_terminals_with_debians_nc() {
    if !has_program("tmux") || !has_debians_nc() {
        return;
    }
    let mut blocks = Vec::new();
    for page in pages::with_terminals() {
        for (at, block) in pages::read(&page).split("\n```console\n").skip(1).enumerate() {
            let block = block.split("\n```").next().unwrap().to_owned();
            let name = page.trim_end_matches(".md").replace('/', "-");
            let is_played = !block.contains("$ python3") || has_program("python3");
            blocks.extend(is_played.then(|| (format!("{name}-{at}"), block)));
        }
    }
    let most = blocks.iter().map(|(_, block)| {
        block
            .lines()
            .filter_map(|line| line.chars().next())
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    });
    assert!(blocks.len() > 10 && most.max().unwrap() <= 6);
    thread::scope(|scope| {
        for (name, block) in &blocks {
            scope.spawn(move || {
                let began = Instant::now();
                let mut terminals = Terminals::open(name, block);
                for line in block.lines() {
                    println!("{name}: {line}");
                    terminals.plays(line);
                }
                println!("{name}: {:.1} s", began.elapsed().as_secs_f64());
            });
        }
    });
}
