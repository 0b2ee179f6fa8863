//! How far the batches have been written.

use crate::{
    core::{Chat, record::Record},
    server::{client::outbox::WriterHandle, trace::TracedBatches},
};
use jiff::Timestamp;
use std::{collections::VecDeque, sync::Arc, time::Instant};

/// How far writing has come.
#[derive(Default)]
pub(super) struct Commit {
    /// When the historian was given a batch that it has not answered.
    pub(super) handed_over_at: Option<Instant>,
    /// When the first record of that batch was made.
    pub(super) oldest: Timestamp,
    /// Records that the historian has not been given yet, by batch. There is more than one batch
    /// only while the historian is late, or after `Shutdown::AtOnce`.
    pub(super) to_write: VecDeque<Vec<Record>>,
    /// Their bytes: bounded by `TO_WRITE_MAX`.
    pub(super) bytes_to_write: usize,
    /// The bytes of those that it has been given and has not answered.
    pub(super) bytes_handed_over: usize,
    /// Bytes of talk in the batch that gathers, and in the one that waits to be written.
    pub(super) gathered_bytes: usize,
    pub(super) sealed_bytes: usize,
    /// Which batches have the line that is followed.
    pub(super) traced: TracedBatches,
    /// The historian did not answer in time: batches are shown before they are written.
    pub(super) is_late: bool,
    /// The server stops at once, and batches are shown before they are written.
    pub(super) is_closing_at_once: bool,
    /// The historian says that nothing can be written.
    pub(super) is_outage: bool,
    /// Everybody was told that nothing is written.
    pub(super) is_told: bool,
    /// When the first and the last of the lost lines were said.
    pub(super) gap: Option<(Timestamp, Timestamp)>,
}

impl Commit {
    /// Whether everything is written.
    pub(super) fn is_at_rest(&self) -> bool {
        self.handed_over_at.is_none() && self.to_write.is_empty()
    }

    /// Everybody is told, once, that nothing is written.
    pub(super) fn tell_outage(
        &mut self,
        chat: &mut Chat<Arc<WriterHandle>>,
        why: &str,
        since: Timestamp,
    ) {
        if !std::mem::replace(&mut self.is_told, true) {
            chat.begin_outage(why, since);
        }
    }

    /// Everybody is told when everything is written again.
    pub(super) fn tell_recovery(&mut self, chat: &mut Chat<Arc<WriterHandle>>) {
        if self.is_told && !self.is_outage && !self.is_late {
            self.is_told = false;
            chat.end_outage(self.gap.take());
        }
    }
}

/// The bytes that records take while they wait, approximately.
pub(super) fn bytes(records: &[Record]) -> usize {
    records.iter().map(|record| record.change.text_bytes() + size_of::<Record>()).sum()
}
