//! Plays a page of the course in front of a class: at each Return, the next line of its terminals is typed. `demo STEP`
//! With tmux in terminals that it opens itself, to be shown on the projector; without it, it says what to type where.

use anyhow::{Context as _, bail, ensure};
use chatd::socketserver::program;
use page::Part;
use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead as _},
    path::Path,
    time::Duration,
};
use terminals::Terminals;

#[path = "demo/page.rs"]
#[expect(dead_code, reason = "`lesson` plays sections, this plays whole pages")]
mod page;
#[path = "demo/terminals.rs"]
mod terminals;

/// The name of tmux's socket.
const NAME: &str = "chatd-demo";

/// How long a program may take until it listens: it may have to be built.
const PATIENCE: Duration = Duration::from_mins(3);

fn main() -> anyhow::Result<()> {
    let step = std::env::args().nth(1).context("demo STEP, for example demo 11")?;
    let parts = page::parts(&page(&step)?);
    let mut demo = Demo { can_open: Terminals::can_open(), window: None };
    if demo.can_open {
        program::say(&format!("On the projector: tmux -L {NAME} attach. Here: Return."));
    } else {
        program::say("There is no tmux. Open a terminal for each number, and type what is shown.");
    }
    for part in &parts {
        match part {
            Part::Predict(question) => {
                demo.ends()?;
                program::say(&format!("\nPREDICT  {question}"));
                next()?;
            }
            Part::Console(lines) => {
                demo.ends()?;
                demo.session(lines)?;
            }
            Part::Shell(commands) => {
                let lines: Vec<_> = commands.iter().map(|c| ('s', format!("$ {c}"))).collect();
                demo.types(&lines)?;
            }
        }
    }
    demo.ends()?;
    Terminals::close(NAME);
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

/// Waits for Return.
fn next() -> anyhow::Result<()> {
    let mut line = String::new();
    ensure!(io::stdin().lock().read_line(&mut line)? > 0, "the keyboard is closed");
    Ok(())
}

struct Demo {
    can_open: bool,
    /// The terminals of the session that is shown; none without tmux.
    window: Option<Terminals>,
}

impl Demo {
    fn session(&mut self, lines: &[(char, String)]) -> anyhow::Result<()> {
        if self.can_open {
            let terminals: BTreeSet<char> = lines.iter().map(|line| line.0).chain(['s']).collect();
            self.window = Some(Terminals::open(NAME, &terminals)?);
        }
        program::say("\nEach Return types the next line. Terminal s is for commands beside it.");
        self.types(lines)
    }

    fn types(&mut self, lines: &[(char, String)]) -> anyhow::Result<()> {
        for (terminal, line) in lines {
            if !page::is_typed(line) {
                program::say(&format!("  {terminal} {line}")); // it is seen there
                if line.contains("listening on ")
                    && let Some(window) = &self.window
                {
                    // Else the next line would be typed too early.
                    let is_there = window.shows(*terminal, "listening on ", PATIENCE)?;
                    ensure!(is_there, "terminal {terminal} does not say {line:?}: look there");
                }
                continue;
            }
            program::say(&format!("{terminal} {line}"));
            next()?;
            if let Some(window) = &mut self.window {
                window.types(*terminal, line)?;
            }
        }
        Ok(())
    }

    fn ends(&mut self) -> anyhow::Result<()> {
        if let Some(window) = self.window.take() {
            program::say("\nReturn ends these programs.");
            next()?;
            window.ends_all()?;
        }
        Ok(())
    }
}
