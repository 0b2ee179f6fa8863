//! Who may come back by a token after a broken connection: as much of them as outlives the server.

use super::ids::AccountId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long a token is good after its connection has ended.
pub(crate) const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);
/// The most clients that have gone and may come back; the one that went first makes way. Two rooms
/// full of phones behind one access point; each takes 23 KiB at most.
pub(crate) const GONE_MAX: usize = 1_000;

/// All that is kept of a token. It is random, so its hash needs no salt, and may be quick.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenHash({:02x}…)", self.0[0])
    }
}

/// What is written about a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenChange {
    /// Somebody who is here may come back by it, as they are now.
    Given(TokenHash, Box<Profile>),
    /// Its connection has ended, at the time of the record.
    Left(TokenHash),
    /// It is not good any more.
    Ended(TokenHash),
    /// No token of this account is good any more.
    EndedOf(AccountId),
    /// No token is good any more.
    AllEnded,
}

/// A member, as they come back after the server has started anew. What others typed to them alone
/// is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Profile {
    /// Their name.
    pub name: String,
    /// The account that they are logged in to.
    pub account: Option<AccountId>,
    /// They had given the pairing code. It does not come back: another server has another code.
    pub is_instructor: bool,
    /// The name of their room.
    pub room: String,
    /// `/quiet`.
    pub quiet: bool,
    /// `/timestamps`.
    pub timestamps: bool,
    /// `/echo`.
    pub echo: bool,
    /// `/away`, and why.
    pub away: Option<String>,
    /// `/ignore`: names, and the accounts of those who had one.
    pub ignored: Vec<(String, Option<AccountId>)>,
    /// The key of the name by which they are muted, whatever they are called; and whether several
    /// others were here from their address then.
    pub muted_as: Option<(String, bool)>,
}

/// Somebody who was here when the server ended, or had just left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returning {
    /// The hash of their token.
    pub token: TokenHash,
    /// When they were here last.
    pub seen: Timestamp,
    /// As they were.
    pub profile: Profile,
}

/// Whether a token is still good of somebody who was here last at this time. Not if that is to come,
/// either: then somebody has set the clock.
pub(crate) fn is_good(seen: Timestamp, now: Timestamp) -> bool {
    now.duration_since(seen).abs() <= GOOD_FOR
}

impl TokenChange {
    /// Bytes of the texts in it, approximately.
    pub(super) fn bytes(&self) -> usize {
        let TokenChange::Given(_, profile) = self else { return 0 };
        let ignored = profile.ignored.iter().map(|(name, _)| name.len()).sum::<usize>();
        profile.away.as_ref().map_or(0, String::len) + ignored
    }
}
