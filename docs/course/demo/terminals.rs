//! Terminals that tmux opens, each with a shell, for the projector.

use anyhow::ensure;
use std::{
    collections::BTreeSet,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Between two looks at a terminal.
const LOOK: Duration = Duration::from_millis(100);

/// How long programs may take to end at Ctrl-C.
const END: Duration = Duration::from_secs(10);

/// One window with a few terminals.
pub(crate) struct Terminals {
    /// The name of tmux's socket and of its session: a tmux of our own, without anybody's settings.
    name: String,
    window: String,
    panes: Vec<Pane>,
}

struct Pane {
    terminal: char,
    /// tmux's name of it.
    id: String,
    /// The row from which on something new may stand.
    from: usize,
}

impl Terminals {
    /// Whether tmux is there.
    pub(crate) fn can_open() -> bool {
        Command::new("tmux").arg("-V").output().is_ok_and(|output| output.status.success())
    }

    /// Opens a window in place of the one that was there, if there was one.
    pub(crate) fn open(name: &str, terminals: &BTreeSet<char>) -> anyhow::Result<Terminals> {
        let mut window =
            Terminals { name: name.to_owned(), window: String::new(), panes: Vec::new() };
        let root = env!("CARGO_MANIFEST_DIR");
        let shell = "PS1='$ ' exec bash --norc";
        let is_there = window.tmux(&["has-session", "-t", name]).is_ok();
        for (number, terminal) in terminals.iter().enumerate() {
            let print = ["-P", "-F", "#{window_id} #{pane_id}", "-c", root];
            let size = ["-x", "200", "-y", "50"];
            let begin: Vec<&str> = match (number, is_there) {
                (0, false) => [&["new-session", "-d", "-s", name][..], &size].concat(),
                (0, true) => vec!["new-window", "-t", name],
                _ => vec!["split-window", "-t", &window.window],
            };
            let ids = window.tmux(&[&begin[..], &print, &[shell]].concat())?;
            let (of_window, id) = ids.trim().split_once(' ').unwrap_or_default();
            window.window = of_window.to_owned();
            window.panes.push(Pane { terminal: *terminal, id: id.to_owned(), from: 0 });
            window.tmux(&["select-pane", "-t", id, "-T", &format!("terminal {terminal}")])?;
            window.tmux(&["select-layout", "-t", of_window, "tiled"])?;
        }
        if !is_there {
            // It ends with this program, also if that is killed.
            let (this, end) = (std::process::id(), format!("tmux -L {name} kill-server"));
            let waits = format!("while kill -0 {this} 2> /dev/null; do sleep 1; done; {end}");
            window.tmux(&["run-shell", "-b", &waits])?;
        }
        window.tmux(&["set-option", "-t", name, "pane-border-status", "top"])?;
        window.tmux(&["kill-window", "-a", "-t", &window.window])?;
        Ok(window)
    }

    /// Types a line of a page's session.
    pub(crate) fn types(&mut self, terminal: char, line: &str) -> anyhow::Result<()> {
        let pane = self.pane(terminal).id.clone();
        match line {
            "^C" => drop(self.tmux(&["send-keys", "-t", &pane, "C-c"])?),
            "^Z" => drop(self.tmux(&["send-keys", "-t", &pane, "C-z"])?),
            _ => {
                let rows = self.rows(terminal)?.len();
                let at = self.panes.iter().position(|pane| pane.terminal == terminal).unwrap_or(0);
                self.panes[at].from = rows.saturating_sub(1);
                self.tmux(&["send-keys", "-t", &pane, "-l", line.get(2..).unwrap_or_default()])?;
                self.tmux(&["send-keys", "-t", &pane, "Enter"])?;
            }
        }
        Ok(())
    }

    /// Waits until a terminal has a row that is like this one, with `{…}` for anything, since something was typed there.
    pub(crate) fn shows(
        &self,
        terminal: char,
        expected: &str,
        patience: Duration,
    ) -> anyhow::Result<bool> {
        let from = self.pane(terminal).from;
        self.becomes(patience, || {
            Ok(self.rows(terminal)?.iter().skip(from).any(|row| is_like(row, expected)))
        })
    }

    /// Waits until a terminal's shell has ended its command.
    pub(crate) fn becomes_ready(&self, terminal: char, patience: Duration) -> anyhow::Result<bool> {
        self.runs(terminal, "bash", patience)
    }

    /// Waits until this program has a terminal's keyboard.
    pub(crate) fn runs(
        &self,
        terminal: char,
        program: &str,
        patience: Duration,
    ) -> anyhow::Result<bool> {
        let pane = &self.pane(terminal).id;
        let command = ["display-message", "-p", "-t", pane, "#{pane_current_command}"];
        self.becomes(patience, || Ok(self.tmux(&command)?.trim() == program))
    }

    /// Ctrl-C everywhere, also to those that were stopped.
    pub(crate) fn ends_all(&self) -> anyhow::Result<()> {
        for keys in [&["C-c"][..], &["kill -9 $(jobs -p) 2> /dev/null", "Enter"]] {
            for pane in &self.panes {
                self.tmux(&[&["send-keys", "-t", &pane.id], keys].concat())?;
            }
        }
        for pane in &self.panes {
            self.becomes_ready(pane.terminal, END)?;
        }
        Ok(())
    }

    /// Closes all windows, and ends this tmux.
    pub(crate) fn close(name: &str) {
        let _ = Command::new("tmux").args(["-L", name, "kill-server"]).output();
    }

    fn becomes(
        &self,
        patience: Duration,
        is_so: impl Fn() -> anyhow::Result<bool>,
    ) -> anyhow::Result<bool> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if is_so()? {
                return Ok(true);
            }
            thread::sleep(LOOK);
        }
        Ok(false)
    }

    fn pane(&self, terminal: char) -> &Pane {
        self.panes.iter().find(|pane| pane.terminal == terminal).expect("it was opened")
    }

    /// Every row of a terminal, also those that have left the screen.
    fn rows(&self, terminal: char) -> anyhow::Result<Vec<String>> {
        let pane = &self.pane(terminal).id;
        let text = self.tmux(&["capture-pane", "-p", "-J", "-S", "-", "-t", pane])?;
        Ok(text.trim_end().lines().map(|row| row.trim_end().to_owned()).collect())
    }

    fn tmux(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("tmux");
        command.env_remove("TMUX").args(["-L", &self.name, "-f", "/dev/null"]).args(arguments);
        let output = command.output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "tmux {}: {complaint}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Whether all that is expected stands in the row, in its order. `{…}` in it is anything.
fn is_like(row: &str, expected: &str) -> bool {
    let mut rest = row;
    expected.trim().split('{').enumerate().all(|(number, piece)| {
        let piece = if number == 0 { piece } else { piece.split_once('}').map_or("", |p| p.1) };
        match rest.find(piece) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        }
    })
}
