//! Why a connection is not let in: a sentence for its client, and a word for programs.

/// A word for each [`Reason`], for metrics and log. They do not change.
pub const REASONS: [&str; 6] = ["full", "address", "machine", "proxy", "gone", "tls"];

/// Why a connection is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// All places are taken.
    Full,
    /// Too much comes from its address.
    Address,
    /// The machine has no thread or no descriptor for it.
    Machine,
    /// It comes from a proxy that does not say whose it is.
    Proxy,
    /// It has gone while it waited.
    Gone,
    /// There is no encryption with it: the handshake has failed.
    Tls,
}

/// A connection that is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAway {
    /// Why.
    pub reason: Reason,
    /// The same, for its client.
    pub sentence: String,
}

impl TurnedAway {
    /// For this reason, with this sentence.
    pub fn new(reason: Reason, sentence: impl Into<String>) -> TurnedAway {
        TurnedAway { reason, sentence: sentence.into() }
    }
}
