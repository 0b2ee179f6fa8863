//! What was said while nothing could be written, to be written later. Bounded: the oldest go first, and leave a hole.
//! Belongs to thread `historian`; no I/O.

use crate::core::record::{Record, What};
use jiff::Timestamp;
use std::collections::VecDeque;

/// Bytes kept: an hour of a full class that talks as people do, and nothing that a server would notice.
pub const KEPT_MAX: usize = 4 * 1024 * 1024;
/// What a record counts for beside its text.
const OVERHEAD: usize = 256;

/// Talk that waits for the disk.
#[derive(Default)]
pub struct Kept {
    records: VecDeque<Record>,
    bytes: usize,
    hole: Option<(Timestamp, Timestamp)>,
}

impl Kept {
    /// Keeps what was said, and what administrators did. Changes of accounts are not kept, nor is mail: whoever wanted
    /// them was told that they were not made.
    pub fn keep(&mut self, records: &[Record]) {
        for record in records.iter().filter(|record| record.what.is_done_anyway()) {
            self.bytes += weight(record);
            self.records.push_back(record.clone());
        }
        while self.bytes > KEPT_MAX {
            let Some(lost) = self.records.pop_front() else { break };
            self.bytes -= weight(&lost);
            let (from, _) = self.hole.unwrap_or((lost.at, lost.at));
            self.hole = Some((from, lost.at));
        }
    }

    /// All of it, in the order it was said.
    pub fn records(&mut self) -> &[Record] {
        self.records.make_contiguous()
    }

    /// How much it is.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the first and the last were said of those that are lost.
    pub fn hole(&self) -> Option<(Timestamp, Timestamp)> {
        self.hole
    }
}

fn weight(record: &Record) -> usize {
    let text = match &record.what {
        What::Said { text, .. }
        | What::Told { text, .. }
        | What::Topic { topic: Some((text, _)), .. } => text.len(),
        _ => 0,
    };
    text + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::{Party, SanctionKind, Subject};

    fn said(second: i64, bytes: usize) -> Record {
        let author = Party { name: "alice".to_owned(), account: None };
        let what =
            What::Said { id: second, room: "lobby".to_owned(), author, text: "x".repeat(bytes) };
        Record { at: Timestamp::from_second(second).unwrap(), what }
    }

    #[test]
    fn the_oldest_go_and_leave_a_hole() {
        let mut kept = Kept::default();
        let large = KEPT_MAX / 4 - OVERHEAD;
        kept.keep(&[said(1, large), said(2, large), said(3, large), said(4, large)]);
        assert_eq!((kept.records().len(), kept.hole()), (4, None));
        kept.keep(&[said(5, 1)]);
        kept.keep(&[said(6, large)]);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(kept.hole(), Some((at(1), at(2))));
        assert_eq!(
            kept.records().iter().map(|record| record.at).collect::<Vec<_>>(),
            [3, 4, 5, 6].map(at)
        );
        assert!(kept.bytes() <= KEPT_MAX);
    }

    #[test]
    fn what_was_refused_is_not_kept_and_what_was_done_is() {
        let mut kept = Kept::default();
        kept.keep(&[Record { at: Timestamp::UNIX_EPOCH, what: What::Unregistered(1) }]);
        assert!(kept.records().is_empty() && kept.bytes() == 0);
        let what = What::Lifted(SanctionKind::Ban, Subject::Name("bob".to_owned()));
        kept.keep(&[Record { at: Timestamp::UNIX_EPOCH, what }]);
        assert_eq!(kept.records().len(), 1, "nobody was told that bob is banned still");
    }
}
