//! Which certificate a server should have, and what is said of one that has another.

use super::{
    fingerprint::Fingerprint,
    known_servers::{Known, KnownServers},
    verifier::Refused,
};
use crate::{address::Address, ending::Ending};
use std::path::PathBuf;

/// Which certificates are accepted.
#[derive(Debug)]
pub(crate) struct Trust {
    /// The only one that this server may have.
    pin: Option<(Address, Fingerprint)>,
    known: KnownServers,
}

/// Why a server is expected to have a certain certificate.
pub(super) enum Expected {
    Given(Fingerprint),
    Known(Vec<Known>),
    Nothing,
}

impl Trust {
    /// With the file of accepted servers in this folder.
    pub(crate) fn new(pin: Option<(Address, Fingerprint)>, folder: Option<PathBuf>) -> Trust {
        Trust { pin, known: KnownServers::new(folder) }
    }

    /// Remembers that a person has accepted this server.
    ///
    /// # Errors
    /// A sentence that says why it cannot be remembered.
    pub(crate) fn accept(&self, server: &Address, print: &Fingerprint) -> Result<(), String> {
        self.known.add(server, print)
    }

    /// The file of accepted servers, as it is shown to people.
    pub(crate) fn file(&self) -> String {
        self.known.shown()
    }

    pub(super) fn expected(&self, server: &Address) -> Result<Expected, String> {
        let is_it = |pinned: &Address| pinned.place().eq_ignore_ascii_case(&server.place());
        if let Some((_, given)) = self.pin.as_ref().filter(|(pinned, _)| is_it(pinned)) {
            return Ok(Expected::Given(given.clone()));
        }
        let known = self.known.of(server)?;
        Ok(if known.is_empty() { Expected::Nothing } else { Expected::Known(known) })
    }

    /// Why a certificate is refused, and what to do about it.
    pub(super) fn refusal(&self, of: &Address, expected: &Expected, refused: &Refused) -> Ending {
        let Refused { presented, why } = refused;
        Ending::Distrusted(match expected {
            Expected::Given(given) => format!(
                "the certificate of {of} is not the one that was given, so this may not be your \
                 server. Given: {given}. It has: {presented}. Ask its operator which one is right."
            ),
            Expected::Known(known) => {
                let known = known.iter().map(|it| format!("{} (line {})", it.fingerprint, it.line));
                format!(
                    "THE CERTIFICATE OF {of} HAS CHANGED. Either its operator has made a new one, or \
                     somebody between you and the server reads along. Known: {}. It has: \
                     {presented}. Ask the operator; only if the new one is theirs, delete the known \
                     one from {}, and connect again.",
                    known.collect::<Vec<_>>().join(", "),
                    self.file()
                )
            }
            Expected::Nothing => {
                let (server, why, presented) = (of.clone(), why.clone(), presented.clone());
                return Ending::Unknown { server, why, presented };
            }
        })
    }
}
