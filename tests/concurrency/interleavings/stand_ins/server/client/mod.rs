//! Clients, as in the source.

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

use super::tls::connection::TlsConnection;
use crate::{
    core::wire::line::LineBuffer,
    model::rustls::ServerConfig,
};
use outbox::WriterHandle;
use std::{sync::Arc, time::Duration};
use websocket::{ReadError, Wait};

// What a client's thread does first, where its connection is encrypted.

pub(crate) fn encrypt(client: &WriterHandle) {
    client.begin_tls(TlsConnection::new(Arc::new(ServerConfig)).ok());
}

/// Whether there is an encryption then.
pub(crate) fn shake_hands(client: &WriterHandle) -> bool {
    client.shake_hands(Duration::from_secs(3600)).is_ok()
}

/// Reads, and waits for it. Nothing: there is no line yet.
pub(crate) fn read_encrypted(client: &Arc<WriterHandle>, input: &mut LineBuffer) -> Option<usize> {
    match client.read_encrypted(input, Wait::AtMost(None)) {
        Ok(count) => Some(count),
        Err(ReadError::Io(error)) if crate::model::net::is_nothing(&error) => None,
        Err(_) => panic!("a read fails"),
    }
}

// What a browser's thread does first, and what the reader of its messages does.

pub(crate) fn begin_frames(client: &WriterHandle) {
    client.begin_frames();
}

pub(crate) fn send_control(client: &Arc<WriterHandle>, frame: &[u8]) {
    client.send_control(frame);
}
