//! When nothing can be written: what was said is kept, and tried again. Part of [`Historian`]; runs on its thread.
//!
//! A disk that is full or a file that is locked can still be read. A file that is damaged, or gone, or another one now, is
//! left alone, and opened again when that is possible.

use super::{
    historian::{Historian, News, PATIENCE},
    kept::Kept,
};
use crate::{
    core::record::{Record, Remembered},
    store::{
        Store,
        error::{StoreError, Trouble},
    },
};
use jiff::Timestamp;
use std::time::Duration;

/// And when that was too long: everybody knows by then, and those who ask need not wait for it again and again.
const PATIENCE_WHEN_FAILING: Duration = Duration::from_millis(50);

/// Nothing can be written just now.
pub(super) struct Failure {
    pub error: StoreError,
    pub since: Timestamp,
    /// What was said since then.
    pub kept: Kept,
    /// Whether the file was opened anew meanwhile: what is in it may have changed.
    is_reopened: bool,
}

impl Historian {
    /// Takes note that these could not be written, and why. Says so, the first time.
    pub(super) fn fail(&mut self, error: StoreError, records: &[Record]) {
        self.leave_alone(&error);
        match &mut self.failure {
            Some(failure) => failure.error = error,
            None => {
                let since = records.first().map_or_else(Timestamp::now, |record| record.at);
                log::error!("the history is not written, and tried again every second: {error}");
                self.tell(News::Failing { why: error.trouble.brief().to_owned(), since });
                self.failure =
                    Some(Failure { error, since, kept: Kept::default(), is_reopened: false });
            }
        }
        if let Some(failure) = &mut self.failure {
            failure.kept.keep(records);
            self.status.set_waiting(failure.kept.bytes());
        }
    }

    /// A file that is still what it was can be read. Any other is not touched any more.
    fn leave_alone(&mut self, error: &StoreError) {
        let is_what_it_was =
            matches!(error.trouble, Trouble::DiskFull | Trouble::Locked | Trouble::ReadOnly);
        match &mut self.store {
            Ok(store) if is_what_it_was => {
                let _ = store.set_patience(PATIENCE_WHEN_FAILING); // it fails already
            }
            store => {
                if let Ok(store) = std::mem::replace(store, Err(error.clone())) {
                    store.abandon();
                }
            }
        }
    }

    pub(super) fn try_again(&mut self) {
        let Some(mut failure) = self.failure.take() else { return };
        match self.write_kept(&mut failure) {
            Ok(changed) => {
                log::info!("the history is written again; it was not since {}", failure.since);
                self.status.set_waiting(0);
                changed.into_iter().for_each(|remembered| self.tell(News::Changed(remembered)));
                self.tell(News::Again { hole: failure.kept.hole() });
            }
            Err(error) => {
                self.failure = Some(failure);
                self.fail(error, &[]);
            }
        }
    }

    /// Returns what is remembered, if the file had to be opened for it.
    fn write_kept(&mut self, failure: &mut Failure) -> Result<Option<Remembered>, StoreError> {
        if self.store.as_ref().map_or(true, Store::is_read_only) {
            self.store = self.memory.open(PATIENCE_WHEN_FAILING);
            failure.is_reopened = true;
        }
        let store = self.store.as_mut().map_err(|error| error.clone())?;
        store.try_to_write()?;
        store.write(failure.kept.records())?;
        store.set_patience(PATIENCE)?;
        if failure.is_reopened { store.remembered(0, 0).map(Some) } else { Ok(None) }
    }
}
