//! Clients, as in the source, but for browsers.

pub(crate) mod admission;
mod driver;
pub(crate) mod flusher;
pub(crate) mod frames;
pub(crate) mod handed;
pub mod handler;
pub mod linger;
pub(crate) mod lingerer;
pub(crate) mod outbox;
pub(crate) mod parked;
pub(crate) mod send_queue;
mod turn;
pub mod waiting;
pub(crate) mod websocket;

use outbox::WriterHandle;
use std::sync::Arc;

// What the reader of a browser's messages does, which is not here.

pub(crate) fn begin_frames(client: &WriterHandle) {
    client.begin_frames();
}

pub(crate) fn send_control(client: &Arc<WriterHandle>, frame: &[u8]) {
    client.send_control(frame);
}
