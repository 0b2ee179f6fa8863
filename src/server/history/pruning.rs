//! Forgetting: what is older than `--history-days` is deleted, a piece at a time. Runs on thread
//! `historian`.

use crate::store::{PRUNE_CHUNK, Store, StoreError};
use jiff::{SignedDuration, Timestamp};

/// What is forgotten, and when.
pub(super) struct Pruning {
    /// `None`: nothing is ever forgotten.
    limit: Option<SignedDuration>,
}

impl Pruning {
    /// `days`: `--history-days`.
    pub(super) fn new(days: Option<u32>) -> Pruning {
        let limit = days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
        Pruning { limit }
    }

    /// Deletes one piece of what is too old. Returns the number of lines; 0: there are no more.
    pub(super) fn forget_some(&mut self, store: &mut Store) -> Result<usize, StoreError> {
        let before = self.limit.and_then(|limit| Timestamp::now().checked_sub(limit).ok());
        before.map_or(Ok(0), |before| store.prune(before, PRUNE_CHUNK))
    }
}
