//! Nothing is forgotten.

use super::handle::StoreConfig;
use crate::{
    server::clock::{Agreement, Clock},
    store::{Store, StoreError},
};
use std::time::Duration;

pub(super) struct Pruning {
    pub(super) clock: Clock,
}

impl Pruning {
    pub(super) fn new(_config: &StoreConfig, clock: Clock) -> Pruning {
        Pruning { clock }
    }

    pub(super) fn look_at(&mut self, _store: &Store) -> Result<Agreement, StoreError> {
        Ok(self.clock.look())
    }

    pub(super) fn prepare_to_shrink(&self, _store: &Store) {}

    pub(super) fn forget_some(&mut self, _store: &mut Store) -> Result<bool, StoreError> {
        Ok(false)
    }

    pub(super) fn shrink(&mut self, _store: &mut Store) -> Result<bool, StoreError> {
        Ok(false)
    }

    pub(super) fn has_shrunk(&mut self) -> bool {
        false
    }

    pub(super) fn end_round(&mut self, _uptime: Duration) {}

    pub(super) fn note_presence(&mut self, _: &mut Store, _: Agreement) -> Result<(), StoreError> {
        Ok(())
    }
}
