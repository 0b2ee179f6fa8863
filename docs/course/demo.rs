//! Plays a page of the course in front of a class: at each Return, the next line of its terminals is typed. `demo STEP`
//! With tmux in terminals that it opens itself, to be shown on the projector; without it, it says what to type where.

use anyhow::{Context as _, bail, ensure};
use chatd::socketserver::program;
use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead as _},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// tmux's server of ours, without anybody's settings.
const TMUX: [&str; 4] = ["-L", "chatd-demo", "-f", "/dev/null"];

/// How long a program may take until it listens: it may have to be built.
const PATIENCE: Duration = Duration::from_mins(3);

/// One part of a page, in its order.
enum Part {
    /// A question: to be asked, and answered by the class.
    Predict(String),
    /// A terminal session: each line with the number of its terminal.
    Console(Vec<(char, String)>),
}

fn main() -> anyhow::Result<()> {
    let step = std::env::args().nth(1).context("demo STEP, for example demo 11")?;
    let parts = parts(&page(&step)?);
    let terminals: BTreeSet<char> = parts.iter().flat_map(Part::terminals).collect();
    let screen = Screen::open(terminals)?;
    for part in &parts {
        match part {
            Part::Predict(question) => {
                program::say(&format!("\nPREDICT  {question}"));
                next()?;
            }
            Part::Console(lines) => {
                program::say("\nEach Return types the next line.");
                for (terminal, line) in lines {
                    if is_typed(line) {
                        program::say(&format!("{terminal} {line}"));
                        next()?;
                        screen.types(*terminal, line)?;
                        if line.starts_with("$ cargo run") && starts_a_server(lines, line) {
                            screen.waits_for(*terminal, "listening on ")?; // also until it is built
                        }
                    } else {
                        program::say(&format!("  {terminal} {line}")); // it is seen there
                    }
                }
                program::say("\nReturn ends these programs.");
                next()?;
                screen.types_to_all("C-c")?;
            }
        }
    }
    screen.close();
    Ok(())
}

/// The text of a step's page.
fn page(step: &str) -> anyhow::Result<String> {
    let number: u32 = step.parse().with_context(|| format!("{step} is no number of a step"))?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/course");
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(&format!("{number:02}-")) && name.ends_with(".md") {
            return Ok(fs::read_to_string(path)?);
        }
    }
    bail!("there is no step {number}")
}

/// Questions and terminal sessions.
fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (number, block) in page.split("\n```").enumerate() {
        if number % 2 == 0 {
            let text = block.replace("\n   ", " ");
            let numbered = |line: &&str| {
                line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok())
            };
            parts.extend(text.lines().filter(numbered).map(|line| Part::Predict(line.to_owned())));
        } else if let Some(session) = block.strip_prefix("console\n") {
            let line = |line: &str| Some((line.chars().next()?, line.get(2..)?.to_owned()));
            parts.push(Part::Console(session.lines().filter_map(line).collect()));
        }
    }
    parts
}

impl Part {
    fn terminals(&self) -> Vec<char> {
        match self {
            Part::Predict(_) => Vec::new(),
            Part::Console(lines) => lines.iter().map(|(terminal, _)| *terminal).collect(),
        }
    }
}

/// Whether the page shows that this command's program listens.
fn starts_a_server(lines: &[(char, String)], command: &str) -> bool {
    let mut after = lines.iter().skip_while(|(_, line)| line != command).skip(1);
    after.next().is_some_and(|(_, line)| line.contains("listening on "))
}

fn is_typed(line: &str) -> bool {
    line.starts_with("$ ") || line.starts_with("> ") || matches!(line, "^C" | "^Z")
}

/// Waits for Return.
fn next() -> anyhow::Result<()> {
    let mut line = String::new();
    ensure!(io::stdin().lock().read_line(&mut line)? > 0, "the keyboard is closed");
    Ok(())
}

/// The terminals, in the order of their numbers; none without tmux.
struct Screen(Option<Vec<char>>);

impl Screen {
    fn open(terminals: BTreeSet<char>) -> anyhow::Result<Screen> {
        let terminals: Vec<char> = terminals.into_iter().collect();
        let is_there = Command::new("tmux").arg("-V").stdout(Stdio::null()).status();
        if !is_there.is_ok_and(|status| status.success()) {
            let list: Vec<String> = terminals.iter().map(char::to_string).collect();
            program::say(&format!(
                "There is no tmux. Open terminals {}, and type what is shown.",
                list.join(", ")
            ));
            return Ok(Screen(None));
        }
        let root = env!("CARGO_MANIFEST_DIR");
        tmux(&["new-session", "-d", "-s", "demo", "-x", "200", "-y", "50", "-c", root])?;
        for _ in 1..terminals.len() {
            tmux(&["split-window", "-t", "demo", "-c", root])?;
            tmux(&["select-layout", "-t", "demo", "tiled"])?;
        }
        tmux(&["set-option", "-t", "demo", "pane-border-status", "top"])?;
        for (pane, terminal) in terminals.iter().enumerate() {
            tmux(&[
                "select-pane",
                "-t",
                &format!("demo.{pane}"),
                "-T",
                &format!("terminal {terminal}"),
            ])?;
        }
        program::say("On the projector: tmux -L chatd-demo attach. Here: Return.");
        Ok(Screen(Some(terminals)))
    }

    fn types(&self, terminal: char, line: &str) -> anyhow::Result<()> {
        let Some(pane) = self.pane(terminal) else { return Ok(()) };
        match line {
            "^C" => tmux(&["send-keys", "-t", &pane, "C-c"]),
            "^Z" => tmux(&["send-keys", "-t", &pane, "C-z"]),
            _ => {
                tmux(&["send-keys", "-t", &pane, "-l", &line[2..]])?;
                tmux(&["send-keys", "-t", &pane, "Enter"])
            }
        }
    }

    /// Else the next line would be typed too early.
    fn waits_for(&self, terminal: char, text: &str) -> anyhow::Result<()> {
        let Some(pane) = self.pane(terminal) else { return Ok(()) };
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let mut command = Command::new("tmux");
            command.args(TMUX).args(["capture-pane", "-p", "-t", &pane]);
            if String::from_utf8_lossy(&command.output()?.stdout).contains(text) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!("terminal {terminal} does not say {text:?}: look there")
    }

    fn pane(&self, terminal: char) -> Option<String> {
        let pane = self.0.as_ref()?.iter().position(|each| *each == terminal)?;
        Some(format!("demo.{pane}"))
    }

    /// Also to those that were stopped.
    fn types_to_all(&self, key: &str) -> anyhow::Result<()> {
        for pane in 0..self.0.as_ref().map_or(0, Vec::len) {
            let pane = format!("demo.{pane}");
            tmux(&["send-keys", "-t", &pane, key])?;
            tmux(&["send-keys", "-t", &pane, "kill -9 $(jobs -p) 2> /dev/null; clear", "Enter"])?;
        }
        Ok(())
    }

    fn close(&self) {
        if self.0.is_some() {
            program::say("\nReturn closes the terminals.");
            let _ = next();
            let _ = tmux(&["kill-server"]);
        }
    }
}

fn tmux(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("tmux").args(TMUX).args(arguments).status()?;
    ensure!(status.success(), "tmux {} fails", arguments.join(" "));
    Ok(())
}
