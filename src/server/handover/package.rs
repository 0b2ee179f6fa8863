//! What one server hands to another, as JSON.

use crate::{
    core::pairing_code::PairingCode,
    origin::Origin,
    server::{
        client::{parked::Parked, send_queue::Frozen},
        sources::SavedSources,
    },
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Everything but the descriptors, which come in this order: standard input, the listeners, the
/// clients' sockets.
#[derive(Serialize, Deserialize)]
pub(super) struct Package {
    /// The number by which clients tell this server's lines from another's.
    pub(super) epoch: u64,
    /// The rooms and all that belongs to them, in JSON.
    pub(super) chat: String,
    pub(super) listeners: Vec<Kind>,
    pub(super) clients: Vec<Client>,
    pub(super) sources: SavedSources,
    pub(super) code: Option<PairingCode>,
    /// The number of the next connection.
    pub(super) next_number: u64,
}

/// What a listener is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Kind {
    Chat,
    /// For clients that speak TLS.
    Tls,
    /// For the chat; another process keeps it.
    LentChat,
    /// The same for TLS.
    LentTls,
    /// For the chat: a file of this machine, with its device and number.
    File(PathBuf, (u64, u64)),
    Web,
    WebTls,
    Metrics,
}

/// One client.
#[derive(Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) parked: Parked,
    pub(super) peer: Origin,
    pub(super) outbox: Frozen,
}
