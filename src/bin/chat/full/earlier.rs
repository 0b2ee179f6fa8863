//! Lines that were typed earlier: gone through with Up and Down, searched with Ctrl-R. No I/O.

use crate::{full::line::Text, typed_lines};
use std::collections::BTreeMap;

/// The earlier lines, the oldest first, and where one stands among them.
#[derive(Default)]
pub(crate) struct Earlier {
    lines: Vec<String>,
    /// Which one is shown; `None`: the line that is being typed.
    at: Option<usize>,
    /// What has been made of lines that were looked at; behind the last: of the one being typed.
    changed: BTreeMap<usize, Text>,
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
        if self.at.take().is_some() {
            self.put_by_typed();
        }
        self.changed.clear();
        self.push(line)
    }

    fn push(&mut self, line: &str) -> bool {
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

    /// What was half typed and is not shown any more is an earlier line too, for this run.
    pub(crate) fn put_by(&mut self, (typed, _): &Text) {
        self.push(typed);
    }

    fn put_by_typed(&mut self) {
        if let Some(typed) = self.changed.remove(&self.lines.len()) {
            self.put_by(&typed);
        }
    }

    /// The line before the one that is shown, which is `now`.
    pub(crate) fn back(&mut self, now: Text) -> Option<Text> {
        let from = self.at.unwrap_or(self.lines.len());
        self.go(from, from.checked_sub(1)?, now)
    }

    /// The line after it; at last the one that was being typed.
    pub(crate) fn forward(&mut self, now: Text) -> Option<Text> {
        let from = self.at?;
        self.go(from, from + 1, now)
    }

    fn go(&mut self, from: usize, to: usize, now: Text) -> Option<Text> {
        if self.lines.get(from) != Some(&now.0) {
            self.changed.insert(from, now);
        }
        self.at = Some(to).filter(|&to| to < self.lines.len());
        let as_it_was = || self.lines.get(to).map(|line| at_end(line));
        self.changed.get(&to).cloned().or_else(as_it_was)
    }

    /// Goes back to the line that is being typed: to `now`, if that is no longer as it was.
    pub(crate) fn leave(&mut self, now: Text) -> Text {
        let Some(at) = self.at.take() else { return now };
        let typed = match self.lines[at] == now.0 {
            true => self.changed.remove(&self.lines.len()).unwrap_or_default(),
            false => {
                self.put_by_typed();
                now
            }
        };
        self.changed.clear();
        typed
    }

    pub(crate) fn search(&mut self, typed: Text) -> Search {
        let typed = self.leave(typed);
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
