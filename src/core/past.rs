//! The lines said last, each with its number and its time: a room's, and what one client wrote and was told in private.
//! Bounded, in memory; what is older is on disk, if anywhere. Knows no clock: times are told to it.

use super::record::{LineId, PastLine};
use jiff::Timestamp;
use std::collections::VecDeque;

/// Lines kept for each room. With the longest lines in the most rooms that is
/// 300 × 1.1 KiB × 100 rooms = 32 MiB; with lines as people type them, under 2 MiB.
pub const PAST_MAX: usize = 300;
/// Private lines kept for each client: 100 × 1.1 KiB × 512 clients = 56 MiB at the very most.
pub const PRIVATE_MAX: usize = 100;

/// The last lines of one room, or of one client's private talk.
pub struct Past {
    lines: VecDeque<PastLine>,
    most: usize,
}

impl Past {
    /// Keeps `most` lines, of which these are the first.
    pub fn new(most: usize, lines: Vec<PastLine>) -> Past {
        let surplus = lines.len().saturating_sub(most);
        Past { lines: lines.into_iter().skip(surplus).collect(), most }
    }

    /// Remembers whole lines, said at `at`; `first` is the number of the first of them.
    pub fn remember(&mut self, first: LineId, at: Timestamp, text: &str, lines: usize) {
        for (i, line) in
            text.split_inclusive('\n').enumerate().skip(lines.saturating_sub(self.most))
        {
            // The oldest line's memory serves for the newest: no allocation once the room has its past.
            let mut kept = match self.lines.len() == self.most {
                true => self.lines.pop_front().map(|line| line.text).unwrap_or_default(),
                false => String::new(),
            };
            kept.clear();
            kept.push_str(line);
            self.lines.push_back(PastLine { id: first + i as LineId, at, text: kept });
        }
    }

    /// What is remembered, the oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &PastLine> {
        self.lines.iter()
    }

    /// Whether there may be older lines, which are not remembered here.
    pub fn is_full(&self) -> bool {
        self.lines.len() == self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut past = Past::new(PAST_MAX, Vec::new());
        let text: String = (0..PAST_MAX + 50).map(|i| format!("<a> {i}\n")).collect();
        past.remember(1, Timestamp::UNIX_EPOCH, &text, PAST_MAX + 50);
        past.remember(351, Timestamp::UNIX_EPOCH, "<a> last\n", 1);
        let told: Vec<(LineId, &str)> = past.lines().map(|line| (line.id, &*line.text)).collect();
        assert_eq!(told.len(), PAST_MAX);
        assert_eq!(told[0], (52, "<a> 51\n"));
        assert_eq!(told[PAST_MAX - 1], (351, "<a> last\n"));
    }
}
