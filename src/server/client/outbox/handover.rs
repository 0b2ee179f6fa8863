//! What waits for a client while the server is handed over to another one.

use super::{Turn, WriterHandle};
use crate::server::{client::send_queue::Frozen, status::Activity};
use std::sync::Arc;

impl WriterHandle {
    /// Takes note of what waits, and sends nothing from now on.
    pub(crate) fn freeze(&self) -> Frozen {
        let mut outbox = self.outbox.lock();
        outbox.turn = Turn::OwnThread;
        outbox.queue.freeze()
    }

    /// From here on, what another server had not sent yet waits.
    pub(crate) fn refill(&self, frozen: Frozen) {
        let mut outbox = self.outbox.lock();
        outbox.turn = Turn::OwnThread;
        outbox.queue.refill(frozen);
    }

    /// Sends what waits, however much it is, and lets others send again.
    pub(crate) fn thaw(self: &Arc<Self>) {
        let mut outbox = self.outbox.lock();
        outbox.turn = Turn::OwnThread;
        let count = outbox.queue.len();
        let waiting = outbox.queue.take_first(count);
        drop(outbox);
        self.write_long_answer(&[], &waiting);
    }

    /// Whether the rooms have taken leave of the client, and they read their last lines.
    pub(crate) fn is_leaving(&self) -> bool {
        self.is_hung_up() && self.status.sample().activity == Activity::Leaving
    }
}
