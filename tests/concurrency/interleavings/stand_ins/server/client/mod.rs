//! A client as other threads see it. (A scenario plays the client's own thread.)

pub(crate) mod flusher;
pub(crate) mod frames;
pub(crate) mod linger;
pub(crate) mod outbox;
pub(crate) mod send_queue;
mod turn;

use outbox::WriterHandle;
use std::sync::Arc;

// What the reader of a browser's messages does, which is not here.

pub(crate) fn begin_frames(client: &WriterHandle) {
    client.begin_frames();
}

pub(crate) fn send_control(client: &Arc<WriterHandle>, frame: &[u8]) {
    client.send_control(frame);
}
