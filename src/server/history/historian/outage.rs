//! When nothing can be written: an outage begins, what is said waits, and is tried again. Runs on
//! thread `historian`.

use super::{Historian, HistorianEvent, PATIENCE, PATIENCE_IN_OUTAGE};
use crate::{
    core::record::{Record, Snapshot},
    server::{
        history::retry::{Outage, RetryQueue},
        status::Activity,
    },
    store::{Store, StoreError, StoreErrorKind},
};
use std::{
    mem::replace,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

/// How long a file may be read at the end to see whether it is sound, and what waits can be
/// written.
const LAST_OPENING: Duration = Duration::from_millis(500);

impl Historian {
    /// Notes that these records could not be written, and why. The first failure is reported.
    pub(super) fn fail(&mut self, error: StoreError, records: &[Record]) {
        self.leave_alone(&error);
        match &mut self.outage {
            Some(outage) => outage.error = error,
            None => {
                let since =
                    records.first().map_or_else(|| self.pruning.clock.now(), |record| record.at);
                log::error!(event = "history_outage"; "the history is not written, and tried again every second: {error}");
                self.tell(HistorianEvent::Outage { why: error.kind.brief().to_owned(), since });
                let retry = RetryQueue::default();
                let is_reopened = false;
                self.outage =
                    Some(Outage { error, since, retry, is_reopened, is_unreadable: false });
            }
        }
        self.look_whether_it_can_be_read();
        if let Some(outage) = &mut self.outage {
            outage.retry.push(records);
            self.status.set_waiting(outage.retry.bytes());
        }
    }

    /// While passwords cannot be read, nobody can prove who they are. Tells when that begins, and
    /// when it ends before the outage does.
    fn look_whether_it_can_be_read(&mut self) {
        let Some(outage) = &mut self.outage else { return };
        let is_unreadable = !self.store.as_mut().is_ok_and(Store::can_be_read);
        if replace(&mut outage.is_unreadable, is_unreadable) == is_unreadable {
            return;
        }
        match (is_unreadable, &self.store) {
            (false, Ok(store)) => match store.snapshot(0, 0) {
                Ok(snapshot) => self.tell(HistorianEvent::Changed(snapshot)),
                Err(_) => outage.is_unreadable = true,
            },
            _ => self.tell(HistorianEvent::Unreadable),
        }
    }

    /// The same for work that nobody waits for: it is done later if another program has the file.
    pub(super) fn fail_unless_locked(&mut self, error: StoreError) {
        if error.kind != StoreErrorKind::Locked {
            self.fail(error, &[]);
        }
    }

    /// Keeps an intact file open, so that it can still be read. Gives up any other file: it is
    /// opened anew later, by `write_retry`.
    fn leave_alone(&mut self, error: &StoreError) {
        let is_intact = matches!(
            error.kind,
            StoreErrorKind::DiskFull | StoreErrorKind::Locked | StoreErrorKind::ReadOnly
        );
        match &mut self.store {
            Ok(store) if is_intact => {
                let _ = store.set_patience(PATIENCE_IN_OUTAGE); // there is an outage already
            }
            store => {
                if let Ok(store) = replace(store, Err(error.clone())) {
                    store.abandon();
                }
            }
        }
    }

    /// Tries to write what waits. A stop breaks it off.
    pub(super) fn try_again(&mut self) {
        let is_stopping = Arc::clone(&self.is_stopping);
        self.try_again_unless(move || is_stopping.load(Relaxed));
    }

    fn try_again_unless(&mut self, gives_up: impl FnMut() -> bool + Send + 'static) {
        let Some(mut outage) = self.outage.take() else { return };
        match self.write_retry(&mut outage, gives_up) {
            Ok(changed) => {
                log::info!(event = "history_written"; "the history is written again; it was not since {}", outage.since);
                self.status.set_waiting(0);
                if let Some(snapshot) = changed {
                    self.tell(HistorianEvent::Changed(snapshot));
                }
                self.tell(HistorianEvent::Recovered { gap: outage.retry.gap() });
            }
            Err(error) => {
                self.outage = Some(outage);
                self.fail(error, &[]);
            }
        }
    }

    /// Writes what waits. Returns a snapshot if the file was opened again during the outage.
    fn write_retry(
        &mut self,
        outage: &mut Outage,
        gives_up: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Option<Snapshot>, StoreError> {
        if self.store.as_ref().map_or(true, Store::is_read_only) {
            self.store = self.config.open(PATIENCE_IN_OUTAGE, gives_up);
            outage.is_reopened = true;
        }
        let store = self.store.as_mut().map_err(|error| error.clone())?;
        store.try_to_write()?;
        let missing = self.witness.find_missing(store)?;
        if let Some(from) = missing {
            outage.retry.number_after(store.snapshot(0, 0)?.last_line);
            outage.retry.miss(from, outage.since);
        }
        store.append(outage.retry.records())?;
        self.witness.note(outage.retry.records());
        self.witness.look_at(Some(store));
        outage.retry.clear();
        store.set_patience(PATIENCE)?;
        if outage.is_reopened || outage.is_unreadable {
            store.snapshot(0, 0).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The end: writes what can be written in a moment, and notes what is lost.
    pub(super) fn close(mut self) {
        self.status.set(Activity::WritingHistory);
        let end = Instant::now() + LAST_OPENING;
        self.try_again_unless(move || Instant::now() >= end);
        self.pruning.end_round(Duration::ZERO);
        let lost = self.outage.as_ref().and_then(|outage| {
            let (lost, since) =
                (outage.retry.loss()?, outage.since.strftime("%Y-%m-%d %H:%M:%S UTC"));
            Some(format!("not written, and lost, since {since}: {lost}. {}", outage.error))
        });
        let _ = self.loss.set(lost); // it is set here alone
        let Ok(mut store) = self.store else { return };
        if self.is_slow {
            return store.abandon();
        }
        let found = self.pruning.clock.look();
        let _ = self.pruning.note_presence(&mut store, found); // or they have come back a minute less
        if let Err(error) = store.close() {
            log::warn!("{error}");
        }
    }
}
