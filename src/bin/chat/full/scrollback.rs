//! What was shown, bounded in lines and in bytes. No I/O; times come with the lines.

use crate::{
    server_line::{LineKind, ServerLine},
    stamp::Stamp,
};
use chatd::core::sentences::without_mark;
use std::{borrow::Cow, collections::VecDeque};

/// The most lines.
const LINES_MAX: usize = 100_000;

/// The most bytes of text: of lines as long as chatd's longest, some 30,000.
const BYTES_MAX: usize = 32 * 1024 * 1024;

#[derive(Debug)]
pub(crate) enum Shown {
    Line(ServerLine),
    /// A sentence of the client's own.
    Notice(String),
}

#[derive(Debug)]
pub(crate) struct Entry {
    /// Counts up.
    pub(crate) number: u64,
    pub(crate) at: Stamp,
    pub(crate) shown: Shown,
}

impl Entry {
    pub(crate) fn text(&self) -> &str {
        match &self.shown {
            Shown::Line(line) => &line.text,
            Shown::Notice(text) => text,
        }
    }

    /// As a log has it.
    pub(crate) fn plain(&self) -> Cow<'_, str> {
        match &self.shown {
            Shown::Line(line) => line.text.as_str().into(),
            Shown::Notice(text) => format!("chat: {text}").into(),
        }
    }

    /// With whom it was spoken in private.
    pub(crate) fn talk_with(&self) -> Option<&str> {
        match &self.shown {
            Shown::Line(line) if is_private(line) => Some(without_mark(line.name())),
            Shown::Line(_) | Shown::Notice(_) => None,
        }
    }

    /// Whether it stands in the window of the room (`None`), or of the talk with somebody. Notices
    /// stand in each: they may be of any.
    pub(crate) fn is_in(&self, window: Option<&str>) -> bool {
        match window {
            None => true,
            Some(name) => matches!(self.shown, Shown::Notice(_)) || self.talk_with() == Some(name),
        }
    }
}

pub(crate) fn is_private(line: &ServerLine) -> bool {
    matches!(line.kind, LineKind::PrivateFrom | LineKind::PrivateTo)
}

#[derive(Default)]
pub(crate) struct Scrollback {
    entries: VecDeque<Entry>,
    next: u64,
    bytes: usize,
}

impl Scrollback {
    /// Adds something, and drops the oldest if that is too much.
    pub(crate) fn push(&mut self, at: Stamp, shown: Shown) {
        let entry = Entry { number: self.next, at, shown };
        self.next += 1;
        self.bytes += entry.text().len();
        self.entries.push_back(entry);
        while self.entries.len() > LINES_MAX || self.bytes > BYTES_MAX {
            self.bytes -= self.entries.pop_front().map_or(0, |old| old.text().len());
        }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    /// The number that the next entry will have.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The number of the last entry.
    pub(crate) fn last(&self) -> Option<u64> {
        self.entries.back().map(|entry| entry.number)
    }

    /// Entries from the one with this number back to the oldest; those newer than all: from the newest.
    pub(crate) fn back_from(&self, number: u64) -> impl Iterator<Item = &Entry> {
        let first = self.entries.front().map_or(0, |entry| entry.number);
        let count = usize::try_from((number + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries.range(..count.min(self.entries.len())).rev()
    }

    /// Entries from the one with this number on.
    pub(crate) fn on_from(&self, number: u64) -> impl Iterator<Item = &Entry> {
        let first = self.entries.front().map_or(0, |entry| entry.number);
        let skipped = usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries.range(skipped.min(self.entries.len())..)
    }
}
