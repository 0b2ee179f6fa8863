//! Whether a file that was opened anew has what was written before. Runs on thread `historian`.

use crate::{
    core::record::{LineId, Record},
    store::{Identity, Store, StoreError},
};
use jiff::Timestamp;

/// What is known of the file that was written.
#[derive(Default)]
pub(super) struct Witness {
    file: Identity,
    /// The last line that is written, and when it was said.
    last: Option<(LineId, Timestamp)>,
}

impl Witness {
    /// From now on this is the file.
    pub(super) fn look_at(&mut self, store: Option<&Store>) {
        let Some(store) = store else { return };
        self.file = store.identity();
        if self.last.is_none()
            && let (Ok(id), Ok(Some(at))) = (store.last_line(), store.newest())
        {
            self.last = Some((id, at));
        }
    }

    /// These are written.
    pub(super) fn note(&mut self, records: &[Record]) {
        let line = |record: &Record| Some((record.change.first_line()?, record.at));
        self.last = records.iter().rev().find_map(line).or(self.last);
    }

    /// Since when something is missing, if this is another file that does not have what was written:
    /// since its newest line; since ever, if that one is none of ours.
    pub(super) fn find_missing(&self, store: &Store) -> Result<Option<Timestamp>, StoreError> {
        let Some((id, at)) = self.last else { return Ok(None) };
        if store.identity() == self.file || store.has_line(id, at)? {
            return Ok(None);
        }
        Ok(Some(store.newest()?.filter(|newest| *newest < at).unwrap_or(Timestamp::MIN)))
    }
}
