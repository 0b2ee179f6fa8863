//! Going back in what was shown, and on again; and looking for a text in it.

use super::{
    model::{Bottom, Model},
    scrollback::{Entry, Shown},
};
use crate::{known::Known, stamp::Stamp};
use ratatui::crossterm::event::MouseEventKind;

/// Rows that one step of the wheel scrolls, as in most terminals.
const WHEEL: isize = 3;

/// Newer than every entry.
const NEWEST: u64 = u64::MAX - 1;

impl Model {
    /// Goes up by `rows` rows, or down. From the last row on it follows what comes.
    pub(crate) fn scroll(&mut self, rows: isize, known: &Known) {
        self.bottom = match rows > 0 {
            true => self.up(rows.unsigned_abs(), known),
            false => self.down(rows.unsigned_abs(), known),
        };
    }

    /// The wheel was turned.
    pub(crate) fn wheel(&mut self, turn: MouseEventKind, known: &Known) {
        match turn {
            MouseEventKind::ScrollUp => self.scroll(WHEEL, known),
            MouseEventKind::ScrollDown => self.scroll(-WHEEL, known),
            _ => {}
        }
    }

    /// The lowest row when one goes up. The first page is as full as any.
    fn up(&self, rows: usize, known: &Known) -> Option<Bottom> {
        let (height, mut passed) = (self.size.1.max(1), Vec::new());
        let (layout, mut all) = (self.layout(known), 0);
        let from = self.bottom.unwrap_or(Bottom { number: NEWEST, rows: usize::MAX });
        let entries = self.scrollback.back_from(from.number);
        let mut entries = entries.filter(|entry| entry.is_in(self.window.as_deref())).peekable();
        while all < rows.saturating_add(height)
            && let Some(entry) = entries.next()
        {
            let count = layout.rows(entry, entries.peek().copied()).len();
            let seen = if entry.number == from.number { from.rows.min(count) } else { count };
            passed.push((entry.number, seen));
            all += seen;
        }
        let mut left = rows.min(all.saturating_sub(height));
        if left == 0 {
            return self.bottom;
        }
        for (number, seen) in passed {
            if left < seen {
                return Some(Bottom { number, rows: seen - left });
            }
            left -= seen;
        }
        self.bottom
    }

    /// The lowest row when one goes down; nothing if that is the last one.
    fn down(&self, rows: usize, known: &Known) -> Option<Bottom> {
        let from = self.bottom?;
        let layout = self.layout(known);
        let last = self.above(NEWEST)?.number;
        let entries = self.scrollback.on_from(from.number);
        let mut left = rows;
        let mut before = from.number.checked_sub(1).and_then(|number| self.above(number));
        for entry in entries.filter(|entry| entry.is_in(self.window.as_deref())) {
            let all = layout.rows(entry, before).len();
            let seen = if entry.number == from.number { from.rows.min(all) } else { 0 };
            if left <= all - seen {
                let bottom = Bottom { number: entry.number, rows: seen + left };
                return Some(bottom).filter(|_| entry.number < last || seen + left < all);
            }
            left -= all - seen;
            before = Some(entry);
        }
        None
    }

    /// The entry with this number or the next one above it, in this window.
    fn above(&self, number: u64) -> Option<&Entry> {
        self.scrollback.back_from(number).find(|entry| entry.is_in(self.window.as_deref()))
    }

    /// Shows the latest line with this text; without one, the line before that has the last text.
    pub(crate) fn find(&mut self, text: Option<String>, at: Stamp) {
        let from = match (text, self.found) {
            (Some(text), _) => {
                self.looked_for = text.to_lowercase();
                Some(NEWEST)
            }
            (None, Some(found)) => found.checked_sub(1),
            (None, None) => Some(NEWEST),
        };
        let is_it = |entry: &&Entry| {
            matches!(entry.shown, Shown::Line(_))
                && entry.is_in(self.window.as_deref())
                && entry.text().to_lowercase().contains(&self.looked_for)
        };
        let found = from.and_then(|from| self.scrollback.back_from(from).find(is_it));
        match found.map(|entry| entry.number) {
            Some(number) => {
                self.found = Some(number);
                self.bottom = Some(Bottom { number, rows: usize::MAX });
            }
            None => {
                let text = format!("no line before has {:?}.", self.looked_for);
                self.notice(text, at);
            }
        }
    }
}
