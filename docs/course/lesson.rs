//! Teaches a lesson to nobody, by the clock, to see whether it fits: `lesson 45`, `lesson 90`. It types each terminal
//! session of the lesson's table at its minute, with tmux, and takes the time that the page gives to each question.

use anyhow::{Context as _, ensure};
use chatd::socketserver::program;
use page::Part;
use std::{
    collections::BTreeSet,
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};
use terminals::Terminals;

#[path = "demo/page.rs"]
#[expect(dead_code, reason = "the questions that `demo` asks: a lesson's notes choose them")]
mod page;
#[path = "demo/terminals.rs"]
mod terminals;

/// What the lessons' pages give to each thing.
const QUESTION: Duration = Duration::from_mins(1);
const DRAWING: Duration = Duration::from_mins(1);
const CODE: Duration = Duration::from_mins(1);
const PICTURE: Duration = Duration::from_secs(30);
const WRONG_ANSWER: Duration = Duration::from_secs(20);
const LINE: Duration = Duration::from_secs(3);

/// How long a program may take until it listens (it may have to be built), and another command until it ends.
const PATIENCE: Duration = Duration::from_mins(3);

/// A row may take this long to come.
const ROW: Duration = Duration::from_secs(30);

/// With `--quick`, in place of what the class takes for a line: for the programs to get there.
const QUICK: Duration = Duration::from_millis(50);

/// Holds a lesson by itself, by the clock, and says for each part which time it has and which it took.
#[derive(argh::FromArgs)]
struct Options {
    /// which lesson: 45 or 90
    #[argh(positional)]
    minutes: u64,
    /// do not wait for the class: only see how long the machine takes
    #[argh(switch)]
    quick: bool,
}

/// One row of the lesson's table.
struct Slot {
    minute: u64,
    what: String,
    /// How long it may take.
    planned: Duration,
    /// What is to be shown in terminals.
    parts: Vec<Part>,
    /// What is said: the time that the page gives to it.
    speech: Duration,
}

/// What a slot took.
#[derive(Default)]
struct Taken {
    /// For the class: questions, drawings, reading a line.
    class: Duration,
    /// Waiting for a program to start, a row to come, a command to end.
    machine: Duration,
    faults: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let options: Options = program::options();
    ensure!(Terminals::can_open(), "there is no tmux");
    let slots = slots(options.minutes)?;
    let name = format!("chatd-lesson-{}", std::process::id());
    program::say(&format!("On the projector: tmux -L {name} attach"));
    program::say(
        "\n| minute | what | planned | class | machine | left |\n| --- | --- | --- | --- | --- | --- |",
    );
    let began = Instant::now();
    let mut faults = Vec::new();
    for slot in &slots {
        if !options.quick {
            thread::sleep(Duration::from_mins(slot.minute).saturating_sub(began.elapsed()));
        }
        let taken = slot.teach(&name, options.quick)?;
        let used = taken.class + taken.machine;
        let left = slot.planned.as_secs_f64() - used.as_secs_f64();
        program::say(&format!(
            "| {} | {} | {} | {} | {:.1} s | {}{} |",
            slot.minute,
            slot.what,
            minutes(slot.planned.as_secs_f64()),
            minutes(taken.class.as_secs_f64()),
            taken.machine.as_secs_f64(),
            if left < 0.0 { "-" } else { "" },
            minutes(left.abs()),
        ));
        if left < 0.0 {
            faults.push(format!("minute {}: {} is too long", slot.minute, slot.what));
        }
        faults.extend(taken.faults);
    }
    if !options.quick {
        thread::sleep(Duration::from_mins(options.minutes).saturating_sub(began.elapsed()));
    }
    Terminals::close(&name);
    program::say(&format!("\nIt took {}.", minutes(began.elapsed().as_secs_f64())));
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn minutes(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// The rows of a lesson's table, each with what its links lead to and with its notes.
fn slots(minutes: u64) -> anyhow::Result<Vec<Slot>> {
    let lesson = page::read(&format!("lesson-{minutes}.md"))?;
    let plan = lesson.split("\n## ").next().unwrap_or_default();
    let rows: Vec<(u64, &str)> = plan
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter_map(|(minute, rest)| Some((minute.parse().ok()?, rest)))
        .collect();
    ensure!(!rows.is_empty(), "the lesson has no table of minutes");
    let ends = rows.iter().skip(1).map(|row| row.0).chain([minutes]);
    let mut slots = Vec::new();
    for ((minute, rest), end) in rows.iter().zip(ends) {
        let (what, links) = rest.split_once(" | ").context("a row has three columns")?;
        let heading = format!("{}:{:02} ", minute / 60, minute % 60);
        let own = lesson.split("\n## ").find(|chapter| chapter.starts_with(&heading));
        let mut parts: Vec<Part> = own.map(page::parts).unwrap_or_default();
        let mut code = Duration::ZERO;
        let mut notes = own.unwrap_or_default().to_owned();
        for link in links.split("](").skip(1).filter_map(|link| link.split(')').next()) {
            let Some((file, anchor)) = link.split_once('#') else { continue };
            let page = page::read(file)?;
            let section = page::section(&page, anchor).with_context(|| file.to_owned())?;
            if file.starts_with("lesson-") {
                notes += section;
            }
            parts.extend(page::parts(section));
            code += CODE * times(section, "\n```rust");
        }
        parts.retain(|part| !matches!(part, Part::Predict(_))); // the notes say which are asked
        let commands = notes.split('`').skip(1).step_by(2);
        let is_typed = |command: &&str| {
            ["cargo test ", "cargo run --example interleave "]
                .iter()
                .any(|s| command.starts_with(s))
        };
        parts.push(Part::Shell(commands.filter(is_typed).map(str::to_owned).collect()));
        let planned = Duration::from_mins(end - minute);
        let speech = speech(&notes) + code;
        slots.push(Slot { minute: *minute, what: what.to_owned(), planned, parts, speech });
    }
    Ok(slots)
}

/// How long what the notes say takes with a class.
fn speech(notes: &str) -> Duration {
    let notes = notes.split_once('\n').map_or("", |(_heading, text)| text);
    let is_row = |line: &&str| line.starts_with("| ") && !line.contains("---");
    let wrong = notes.lines().filter(is_row).filter(|row| !row.contains("they say")).count();
    let text: Vec<&str> = notes.lines().filter(|line| !line.starts_with('|')).collect();
    QUESTION * times(&text.join("\n"), "?")
        + DRAWING * times(notes, "*Draw*")
        + PICTURE * times(notes, ".svg)")
        + WRONG_ANSWER * u32::try_from(wrong).unwrap_or(0)
}

fn times(text: &str, what: &str) -> u32 {
    u32::try_from(text.matches(what).count()).unwrap_or(0)
}

impl Slot {
    fn teach(&self, name: &str, is_quick: bool) -> anyhow::Result<Taken> {
        let mut teaching = Teaching { taken: Taken::default(), is_quick, ports: Vec::new() };
        teaching.class_takes(self.speech);
        let mut window: Option<Terminals> = None;
        for part in &self.parts {
            match part {
                Part::Predict(_) => {}
                Part::Console(lines) => {
                    if let Some(before) = &window {
                        teaching.machine(|_| before.ends_all())?;
                    }
                    let numbers = lines.iter().map(|line| line.0).chain(['s']).collect();
                    let mut now = teaching.machine(|_| Terminals::open(name, &numbers))?;
                    teaching.session(&mut now, lines)?;
                    window = Some(now);
                }
                Part::Shell(commands) if commands.is_empty() => {}
                Part::Shell(commands) => {
                    let mut now = match window.take() {
                        Some(window) => window,
                        None => Terminals::open(name, &BTreeSet::from(['s']))?,
                    };
                    for command in commands {
                        teaching.command(&mut now, command)?;
                    }
                    window = Some(now);
                }
            }
        }
        if let Some(last) = &window {
            teaching.machine(|_| last.ends_all())?;
        }
        Ok(teaching.taken)
    }
}

struct Teaching {
    taken: Taken,
    is_quick: bool,
    /// The ports of the page's session, and here.
    ports: Vec<(String, String)>,
}

impl Teaching {
    fn class_takes(&mut self, time: Duration) {
        self.taken.class += time;
        thread::sleep(if self.is_quick { time.min(QUICK) } else { time });
    }

    fn machine<T>(&mut self, does: impl FnOnce(&mut Teaching) -> T) -> T {
        let began = Instant::now();
        let value = does(self);
        self.taken.machine += began.elapsed();
        value
    }

    fn session(&mut self, window: &mut Terminals, lines: &[(char, String)]) -> anyhow::Result<()> {
        self.ports = free_ports(lines)?;
        for (terminal, line) in lines {
            let line = &self.here(line.trim_start())?;
            if line.starts_with("$ ") {
                self.machine(|_| window.becomes_ready(*terminal, ROW))?;
            }
            if page::is_typed(line) {
                window.types(*terminal, line)?;
                if line.starts_with("$ nc ") {
                    self.machine(|_| window.runs(*terminal, "nc", ROW))?; // before the next one connects
                }
                self.class_takes(LINE);
            } else if !line.is_empty() && line != "…" {
                let patience = if line.contains("listening on ") { PATIENCE } else { ROW };
                if !self.machine(|_| window.shows(*terminal, line, patience))? {
                    self.taken.faults.push(format!("terminal {terminal} never shows {line}"));
                }
            }
        }
        Ok(())
    }

    fn command(&mut self, window: &mut Terminals, command: &str) -> anyhow::Result<()> {
        if self.is_quick && command.starts_with("cargo test ") {
            return Ok(());
        }
        let said = self.here(&format!("$ {command}"))?;
        window.types('s', &format!("{said}; echo \"it ended with $?\""))?;
        self.class_takes(LINE);
        if !self.machine(|_| window.shows('s', "it ended with 0", PATIENCE))? {
            self.taken.faults.push(format!("it fails, or does not end: {command}"));
        }
        Ok(())
    }

    /// A line of the page with the ports that are free here; with `--quick`, with the program that is built already.
    fn here(&self, line: &str) -> anyhow::Result<String> {
        let mut line = line.to_owned();
        let is_bare = line.starts_with("$ cargo run --example ") && line.split(' ').count() == 5;
        if let Some((_, first)) = self.ports.first().filter(|_| is_bare) {
            line = format!("{line} 127.0.0.1:{first}");
        } else {
            line = self.ports.iter().fold(line, |line, (there, here)| line.replace(there, here));
        }
        if self.is_quick {
            let this = std::env::current_exe()?;
            let folder = this.parent().context("the folder of the examples")?.display();
            line = line.replace("cargo run --example ", &format!("{folder}/"));
            line = line.replace("cargo run -- ", &format!("{folder}/../chatd "));
        }
        Ok(line)
    }
}

/// The ports on which the session's programs listen, each with one that is free here.
fn free_ports(lines: &[(char, String)]) -> anyhow::Result<Vec<(String, String)>> {
    let listening = lines.iter().filter_map(|line| line.1.split_once("listening on 127.0.0.1:"));
    let mut ports: Vec<(String, String)> = Vec::new();
    for (_, port) in listening {
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        ports.push((port.split(' ').next().unwrap_or(port).to_owned(), free));
    }
    Ok(ports)
}
