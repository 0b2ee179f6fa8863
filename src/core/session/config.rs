//! What a session has to know: how the server is set up, and who is at the other end.

use super::flood::FloodLimit;
use crate::core::{driver::Bucket, name::NameRule, notice::notice, sentences};
use crate::origin::Origin;
use serde::{Deserialize, Serialize};

/// What all sessions of a server have in common.
#[derive(Clone)]
pub struct SessionConfig {
    /// How the server runs its clients, for the greeting: the words before the connection's name.
    pub io_model: &'static str,
    /// Whether what is said is kept, in a sentence: for the greeting, so that everybody knows it before
    /// they say something.
    pub(crate) talk_is_kept: String,
    /// No names are asked: everybody is shown by address.
    pub(crate) anonymous: bool,
    /// There is a code with which an instructor is known.
    pub(crate) has_code: bool,
    pub(crate) names: NameRule,
    /// The message of the day, sanitized, a line each.
    pub(crate) motd: Vec<String>,
    /// How fast one client may talk.
    pub(crate) flood: Option<FloodLimit>,
    /// What is said is shown, and neither remembered nor recorded.
    pub(crate) is_forgotten: bool,
}

static UNSET: SessionConfig = SessionConfig {
    io_model: "",
    talk_is_kept: String::new(),
    anonymous: false,
    has_code: false,
    names: NameRule::Ascii,
    motd: Vec::new(),
    flood: None,
    is_forgotten: false,
};

impl SessionConfig {
    /// That of a session that was handed over, until it goes on.
    pub(super) fn unset<'a>() -> &'a SessionConfig {
        &UNSET
    }
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// The name of their connection: `c7`.
    pub connection: &'a str,
    /// Where they come from.
    pub origin: Origin,
    /// `Some`: only a place for an administrator was left. The number is that of the ordinary
    /// places.
    pub reserve_of: Option<usize>,
    /// The bucket of a connection from the same source that has ended. This one goes on with it.
    pub bucket: Option<Bucket>,
    /// They have closed their side already, and perhaps nobody is there any more.
    pub may_be_gone: bool,
}

/// What a client is greeted with.
#[derive(Serialize, Deserialize)]
pub(super) struct Greeting {
    /// The first line, unless it was sent already.
    pub(super) welcome: String,
    pub(super) connection: String,
    pub(super) origin: Origin,
}

impl Greeting {
    pub(super) fn of(peer: &Peer<'_>, config: &SessionConfig) -> Greeting {
        let SessionConfig { io_model, talk_is_kept, .. } = config;
        let welcome = notice(sentences::greeting(io_model, peer.connection, talk_is_kept));
        Greeting { welcome, connection: peer.connection.to_owned(), origin: peer.origin }
    }
}
