//! Talk that cannot be written yet waits here. Runs on thread `historian`.
//!
//! What waits is bounded: the oldest talk is dropped first, and leaves a gap. What administrators
//! did is not dropped as long as there is talk to drop.

use super::unwritten;
use crate::{
    core::record::{Change, HistoryLine, LineId, Query, Record},
    store::StoreError,
};
use jiff::Timestamp;
use std::collections::VecDeque;

/// The most bytes that wait: an hour of a full class that talks at human speed, in little memory.
const RETRY_MAX: usize = 4 * 1024 * 1024;
/// Bytes that a record counts for besides its text.
const OVERHEAD: usize = 256;

/// Nothing can be written just now.
pub(super) struct Outage {
    pub(super) error: StoreError,
    pub(super) since: Timestamp,
    /// What was said since then.
    pub(super) retry: RetryQueue,
    /// The file was opened anew meanwhile: what is in it may have changed.
    pub(super) is_reopened: bool,
    /// It cannot be read, either.
    pub(super) is_unreadable: bool,
}

/// Talk that waits for the disk.
#[derive(Default)]
pub(super) struct RetryQueue {
    records: VecDeque<Record>,
    bytes: usize,
    /// How many did not find room.
    dropped: usize,
    gap: Option<(Timestamp, Timestamp)>,
}

impl RetryQueue {
    /// Adds what was said, and what administrators did. What may fail does not wait here: whoever
    /// asked for it was told that it failed. Nor do tokens, of which somebody could have any number:
    /// when the outage is over, the rooms tell all that there are then.
    pub(super) fn push(&mut self, records: &[Record]) {
        let waits = |record: &&Record| {
            !record.change.may_fail() && !matches!(record.change, Change::Token(_))
        };
        for record in records.iter().filter(waits) {
            self.bytes += weight(record);
            self.records.push_back(record.clone());
        }
        while self.bytes > RETRY_MAX {
            let oldest_talk = self.records.iter().position(is_talk).unwrap_or(0);
            let Some(lost) = self.records.remove(oldest_talk) else { break };
            self.bytes -= weight(&lost);
            self.dropped += 1;
            let (from, _) = self.gap.unwrap_or((lost.at, lost.at));
            self.gap = Some((from, lost.at));
        }
    }

    /// What waited is written. It would be written twice if something fails behind that.
    pub(super) fn clear(&mut self) {
        (self.records, self.bytes) = (VecDeque::new(), 0);
    }

    /// Gives the lines higher numbers, if the lowest is not above `last`: in a file that has other
    /// lines under theirs they would be left out.
    pub(super) fn number_after(&mut self, last: LineId) {
        let first = self.records.iter().filter_map(|record| record.change.first_line()).min();
        let Some(first) = first.filter(|&first| first <= last) else { return };
        let by = last.0 + 1 - first.0;
        self.records.iter_mut().for_each(|record| record.change.renumber(first, by));
    }

    pub(super) fn records(&mut self) -> &[Record] {
        self.records.make_contiguous()
    }

    /// The lines that wait, of those that a query is about.
    pub(super) fn find(&self, query: &Query) -> Vec<HistoryLine> {
        unwritten::find(self.records.iter(), query)
    }

    /// What was said from `from` on until now is lost, because the file is another one.
    pub(super) fn miss(&mut self, from: Timestamp, until: Timestamp) {
        let (first, last) = self.gap.unwrap_or((from, until));
        self.gap = Some((first.min(from), last.max(until)));
    }

    /// How many records are lost if nothing can be written any more; `None`: none.
    pub(super) fn loss(&self) -> Option<String> {
        let records = self.dropped + self.records.len();
        let others = self.records.iter().filter(|record| !is_talk(record)).count();
        let records = match (records, records - others) {
            (0, _) => return None,
            (1, 0) => "1 record, no line of talk".to_owned(),
            (1, _) => "1 record, a line of talk".to_owned(),
            (all, lines) => format!("{all} records, {lines} of them lines of talk"),
        };
        Some(records)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the first and the last of the lost records were made.
    pub(super) fn gap(&self) -> Option<(Timestamp, Timestamp)> {
        self.gap
    }
}

fn is_talk(record: &Record) -> bool {
    matches!(record.change, Change::RoomMessage { .. } | Change::PrivateMessage { .. })
}

fn weight(record: &Record) -> usize {
    record.change.text_bytes() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{
        record::{AccountId, Author, LineId, SanctionKind, Target},
        returning::{TokenChange, TokenHash},
    };

    fn said(second: i64, bytes: usize) -> Record {
        let author = Author { name: "alice".to_owned(), account: None };
        let (id, room, text) = (LineId(second), "lobby".to_owned(), "x".repeat(bytes));
        let change = Change::RoomMessage { id, room, author, text };
        Record { at: Timestamp::from_second(second).unwrap(), change }
    }

    #[test]
    fn the_oldest_go_and_leave_a_gap() {
        let mut queue = RetryQueue::default();
        let large = RETRY_MAX / 4 - OVERHEAD;
        queue.push(&[said(1, large), said(2, large), said(3, large), said(4, large)]);
        assert_eq!((queue.records().len(), queue.gap()), (4, None));
        assert_eq!(queue.loss().as_deref(), Some("4 records, 4 of them lines of talk"));
        queue.push(&[said(5, 1)]);
        queue.push(&[said(6, large)]);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(queue.gap(), Some((at(1), at(2))));
        assert_eq!(
            queue.records().iter().map(|record| record.at).collect::<Vec<_>>(),
            [3, 4, 5, 6].map(at)
        );
        assert_eq!(queue.loss().as_deref(), Some("6 records, 6 of them lines of talk"));
        assert!(queue.bytes() <= RETRY_MAX);
    }

    #[test]
    fn talk_does_not_push_out_what_an_administrator_did() {
        let mut queue = RetryQueue::default();
        let change = Change::SanctionLifted(SanctionKind::Ban, Target::Name("bob".to_owned()));
        let lifted = Record { at: Timestamp::UNIX_EPOCH, change };
        assert_eq!(queue.loss(), None);
        queue.push(std::slice::from_ref(&lifted));
        assert_eq!(queue.loss().as_deref(), Some("1 record, no line of talk"));
        let large = RETRY_MAX / 2 - OVERHEAD;
        queue.push(&[said(1, large), said(2, large), said(3, large)]);
        assert_eq!(queue.records().first(), Some(&lifted), "or bob is banned after the next start");
        assert_eq!(queue.records().len(), 2);
        assert_eq!(queue.loss().as_deref(), Some("4 records, 3 of them lines of talk"));
        assert!(queue.bytes() <= RETRY_MAX);
    }

    /// Whoever comes and goes in an outage could push out what administrators did.
    #[test]
    fn tokens_do_not_wait() {
        let mut queue = RetryQueue::default();
        let change = Change::Token(TokenChange::Ended(TokenHash([7; 32])));
        queue.push(&[Record { at: Timestamp::UNIX_EPOCH, change }]);
        assert!(queue.records().is_empty() && queue.loss().is_none());
    }

    #[test]
    fn what_was_refused_does_not_wait_and_what_was_done_does() {
        let mut queue = RetryQueue::default();
        queue.push(&[Record {
            at: Timestamp::UNIX_EPOCH,
            change: Change::Unregistered(AccountId(1)),
        }]);
        assert!(queue.records().is_empty() && queue.bytes() == 0);
        let change = Change::SanctionLifted(SanctionKind::Ban, Target::Name("bob".to_owned()));
        queue.push(&[Record { at: Timestamp::UNIX_EPOCH, change }]);
        assert_eq!(queue.records().len(), 1, "nobody was told that bob is banned still");
    }
}
