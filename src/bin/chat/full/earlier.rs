//! Lines that were typed earlier: gone through with Up and Down, searched with Ctrl-R. No I/O.

use crate::{full::line::Text, typed_lines};

/// The earlier lines, the oldest first, and where one stands among them.
#[derive(Default)]
pub(crate) struct Earlier {
    lines: Vec<String>,
    /// Which one is shown; `None`: the line that is being typed.
    at: Option<usize>,
    /// That line, while another one is shown.
    typed: Text,
}

/// Ctrl-R: looks for lines that contain a text.
pub(crate) struct Search {
    pub(crate) text: String,
    /// The line that was found.
    at: Option<usize>,
    /// What was typed before.
    pub(crate) typed: Text,
}

impl Earlier {
    /// Of an earlier run.
    pub(crate) fn new(lines: Vec<String>) -> Earlier {
        Earlier { lines, ..Earlier::default() }
    }

    /// Adds a line that was sent. Returns whether it is one to be kept.
    pub(crate) fn add(&mut self, line: &str) -> bool {
        self.at = None;
        let is_new = self.lines.last().is_none_or(|last| last != line);
        if !is_new || !typed_lines::is_worth_it(line) {
            return false;
        }
        if self.lines.len() == typed_lines::LINES_MAX {
            self.lines.remove(0);
        }
        self.lines.push(line.to_owned());
        true
    }

    /// The line before the one that is shown, which is `now`.
    pub(crate) fn back(&mut self, now: Text) -> Option<Text> {
        let at = self.at.unwrap_or(self.lines.len()).checked_sub(1)?;
        if self.at.is_none() {
            self.typed = now;
        }
        self.at = Some(at);
        Some(at_end(&self.lines[at]))
    }

    /// The line after it; at last the one that was being typed.
    pub(crate) fn forward(&mut self) -> Option<Text> {
        let at = self.at? + 1;
        self.at = Some(at).filter(|&at| at < self.lines.len());
        Some(match self.at {
            Some(at) => at_end(&self.lines[at]),
            None => std::mem::take(&mut self.typed),
        })
    }

    pub(crate) fn search(&mut self, typed: Text) -> Search {
        self.at = None;
        Search { text: String::new(), at: None, typed }
    }

    /// The newest line that has the text; `is_further`: an older one than was found.
    pub(crate) fn find(&self, search: &mut Search, is_further: bool) -> Option<Text> {
        let end = match search.at {
            Some(at) if is_further => at,
            Some(at) => at + 1,
            None => self.lines.len(),
        };
        let has = |line: &String| !search.text.is_empty() && line.contains(&search.text);
        search.at = self.lines[..end].iter().rposition(has).or(search.at);
        search.at.map(|at| at_end(&self.lines[at])).filter(|(line, _)| line.contains(&search.text))
    }
}

fn at_end(line: &str) -> Text {
    (line.to_owned(), line.len())
}
