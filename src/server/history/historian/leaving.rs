//! Leaving the file to another server, and taking it back. Runs on thread `historian`.

use super::{Historian, PATIENCE};
use crate::{
    server::parking::Rest,
    store::{StoreError, StoreErrorKind},
};
use std::mem::replace;

impl Historian {
    /// Closes the file, and waits whether it is wanted again. Everything is written: the fan-out has
    /// come to rest before. The locks stay until this program has become another one, so that no third
    /// server takes the file meanwhile.
    pub(super) fn leave(&mut self, rest: &Rest<Result<(), String>>) {
        let Some(file) = self.config.file.clone() else { return rest.wait(Ok(())) };
        if self.outage.is_some() {
            return rest.decline(Err("the history is not written.".to_owned()));
        }
        self.search = None; // its asker has gone
        let left = StoreError { path: file, kind: StoreErrorKind::InUse };
        if let Ok(store) = replace(&mut self.store, Err(left)) {
            let _ = store.close(); // whoever opens it next finds what is wrong
        }
        rest.wait(Ok(()));
        self.store = self.config.open(PATIENCE, || false);
        if let Err(error) = &self.store {
            self.fail(error.clone(), &[]);
        }
    }
}
