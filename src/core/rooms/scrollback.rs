//! The lines said last, each with its number and its time: a room's, and what one client wrote and
//! was told in private. Bounded, in memory; what is older is on disk, if anywhere. It reads no
//! clock: callers pass the time.

use crate::core::record::{HistoryLine, LineId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The last lines of one room, or of one client's private talk.
#[derive(Serialize, Deserialize)]
pub(crate) struct Scrollback {
    lines: VecDeque<HistoryLine>,
    most: u32,
    /// There may be older ones, though it is not full.
    is_doubted: bool,
}

impl Scrollback {
    /// Keeps `most` lines, of which these are the first.
    pub(crate) fn new(most: usize, lines: Vec<HistoryLine>) -> Scrollback {
        let surplus = lines.len().saturating_sub(most);
        let lines = lines.into_iter().skip(surplus).collect();
        Scrollback { lines, most: most as u32, is_doubted: false }
    }

    /// Remembers whole lines, said at `at`; `first` is the number of the first of them.
    pub(crate) fn remember(&mut self, first: LineId, at: Timestamp, text: &str, lines: usize) {
        for (i, line) in
            text.split_inclusive('\n').enumerate().skip(lines.saturating_sub(self.most as usize))
        {
            // The newest line takes the oldest line's memory: a full scrollback allocates nothing.
            let mut kept = match self.lines.len() == self.most as usize {
                true => self.lines.pop_front().map(|line| line.text).unwrap_or_default(),
                false => String::new(),
            };
            kept.clear();
            kept.push_str(line);
            let id = LineId(first.0 + i as i64);
            self.lines.push_back(HistoryLine { id, at, text: kept });
        }
    }

    /// Forgets the lines up to this number. Returns whether there were any.
    pub(crate) fn forget(&mut self, last: LineId) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| line.id > last);
        self.lines.len() < before
    }

    /// Takes out these lines.
    pub(crate) fn remove(&mut self, lines: &[LineId]) {
        self.lines.retain(|line| !lines.contains(&line.id));
    }

    /// What is remembered, the oldest first.
    pub(crate) fn lines(&self) -> impl DoubleEndedIterator<Item = &HistoryLine> {
        self.lines.iter()
    }

    /// Whether there may be older lines, which are not remembered here.
    pub(crate) fn is_full(&self) -> bool {
        self.is_doubted || self.lines.len() == self.most as usize
    }

    /// There may be older lines from now on.
    pub(crate) fn doubt(&mut self) {
        self.is_doubted = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut scrollback = Scrollback::new(30, Vec::new());
        let text: String = (0..50).map(|i| format!("<a> {i}\n")).collect();
        scrollback.remember(LineId(1), Timestamp::UNIX_EPOCH, &text, 50);
        scrollback.remember(LineId(51), Timestamp::UNIX_EPOCH, "<a> last\n", 1);
        let lines: Vec<(i64, &str)> =
            scrollback.lines().map(|line| (line.id.0, &*line.text)).collect();
        assert_eq!(lines.len(), 30);
        assert_eq!(lines[0], (22, "<a> 21\n"));
        assert_eq!(lines[29], (51, "<a> last\n"));
        assert!(scrollback.forget(LineId(30)), "some are forgotten");
        assert_eq!(scrollback.lines().count(), 21);
        assert!(!scrollback.forget(LineId(30)), "none is left of these");
    }
}
