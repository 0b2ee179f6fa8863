//! What one server hands to another, as JSON.

use crate::{
    core::pairing_code::PairingCode,
    origin::Origin,
    server::{
        client::{parked::Parked, send_queue::Frozen},
        sources::SavedSources,
        wiped_json::to_json,
    },
};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Everything but the descriptors, which come in this order: standard input, the listeners, the
/// clients' sockets.
#[derive(Serialize, Deserialize)]
pub(super) struct Package {
    /// The number by which clients tell this server's lines from another's.
    pub(super) epoch: u64,
    /// The rooms and all that belongs to them, in JSON: a line of its own.
    #[serde(skip)]
    pub(super) chat: String,
    pub(super) listeners: Vec<Kind>,
    pub(super) clients: Vec<Client>,
    pub(super) sources: SavedSources,
    pub(super) code: Option<PairingCode>,
    /// The number of the next connection.
    pub(super) next_number: u64,
}

impl Package {
    /// As it goes over: lines of JSON. The first is all but the chat, the second is the chat, and then
    /// there is one for each client's session. (A string within JSON would be read through memory that
    /// nobody overwrites.)
    pub(super) fn write(&self) -> serde_json::Result<Zeroizing<String>> {
        let package = to_json(self)?;
        let sessions = self.clients.iter().map(|client| client.parked.session.as_str());
        let lines = [package.as_str(), &self.chat].into_iter().chain(sessions);
        let length = lines.clone().map(|line| line.len() + 1).sum();
        let mut text = Zeroizing::new(String::with_capacity(length));
        lines.for_each(|line| text.extend([line, "\n"]));
        Ok(text)
    }

    /// # Errors
    /// It is not understood.
    pub(super) fn read(text: &str) -> anyhow::Result<Package> {
        let mut lines = text.lines().map(str::to_owned);
        let mut next = || lines.next().context("a line is missing");
        let mut package: Package = serde_json::from_str(&Zeroizing::new(next()?))?;
        package.chat = next()?;
        for client in &mut package.clients {
            client.parked.session = next()?.into();
        }
        Ok(package)
    }
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

impl Kind {
    /// Whether a certificate is needed for it.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Kind::Tls | Kind::LentTls | Kind::WebTls)
    }
}

/// One client.
#[derive(Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) parked: Parked,
    pub(super) peer: Origin,
    pub(super) outbox: Frozen,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{
        places::Places,
        rooms::handover::VERSION,
        session::{Session, sources::Sources},
    };
    use serde::de::DeserializeOwned;
    use serde_json::{Value, from_str, to_value};

    /// What another version has written, as this one would write it.
    fn again<T: Serialize + DeserializeOwned>(json: &str) -> Value {
        to_value(from_str::<T>(json).unwrap_or_else(|e| panic!("{e}: {json}"))).unwrap()
    }

    /// If this fails, another version cannot read what this one hands over: raise `VERSION` in
    /// core/rooms/handover.rs, and write the lines of the file as they are now. (The chat itself has a
    /// test in core/tests/handover.rs.)
    #[test]
    fn all_that_goes_with_the_chat_has_its_version() {
        let (version, known) = include_str!("known.txt").split_once('\n').unwrap();
        assert_eq!(version, format!("version {VERSION}"));
        for line in known.lines() {
            let (kind, json) = line.split_once(' ').unwrap();
            let again = match kind {
                "package" => again::<Package>(json),
                "session" => again::<Session<'static>>(json),
                "sources" => again::<Sources>(json),
                "places" => again::<Places>(json),
                other => panic!("{other}"),
            };
            assert_eq!(again, from_str::<Value>(json).unwrap(), "{line}");
        }
    }
}
