//! What a client's thread leaves to another server.

use crate::{core::event::ClientId, server::sources::Usage};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use zeroize::Zeroizing;

/// A client, as their thread leaves them.
#[derive(Serialize, Deserialize)]
pub(crate) struct Parked {
    pub(crate) number: ClientId,
    /// For how long they have been here.
    pub(super) age: Duration,
    pub(super) usage: Usage,
    /// In JSON. Half a password may be in it, so it goes over by itself (see `Package`).
    #[serde(skip)]
    pub(crate) session: Zeroizing<String>,
}

impl Parked {
    /// Whether it can be taken up.
    #[cfg(target_os = "linux")] // nothing is handed over elsewhere
    pub(crate) fn check(&self) -> serde_json::Result<()> {
        serde_json::from_str::<crate::core::session::Session<'_>>(&self.session).map(drop)
    }
}
