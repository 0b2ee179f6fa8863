//! Who may come back after a broken connection, as they were, by a token that only they have.

use super::{ClientKey, member::Member};
use crate::core::{name::Name, record::AccountId, token::TokenHash};
use jiff::{SignedDuration, Timestamp};
use slotmap::SecondaryMap;
use std::collections::{BTreeMap, VecDeque};

/// How long a token is good after its connection has ended.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);
/// The most clients that have gone and may come back; the one that went first makes way. Two rooms
/// full of phones behind one access point; each takes 23 KiB at most.
const GONE_MAX: usize = 1_000;

/// Tokens, by their hashes.
#[derive(Default)]
pub(crate) struct Resumable {
    tokens: BTreeMap<TokenHash, Owner>,
    /// The token of each client who is here.
    of: SecondaryMap<ClientKey, TokenHash>,
    /// Those of clients who have gone, and when, the first first.
    gone: VecDeque<(Timestamp, TokenHash)>,
}

/// Whose a token is.
pub(crate) enum Owner {
    /// Somebody who is here: perhaps the server has not found out that they are gone.
    Here(ClientKey),
    Gone(Box<Gone>),
}

/// A member who has gone, as they were.
pub(crate) struct Gone {
    pub(crate) member: Member,
    pub(super) key: ClientKey,
    pub(super) room: String,
    pub(super) hand: Option<Timestamp>,
}

impl Resumable {
    /// Gives a member a token. One that they had is not good any more.
    pub(crate) fn give(&mut self, client: ClientKey, token: TokenHash) {
        self.forget(client);
        self.of.insert(client, token);
        self.tokens.insert(token, Owner::Here(client));
    }

    /// A member may not come back.
    pub(crate) fn forget(&mut self, client: ClientKey) {
        if let Some(token) = self.of.remove(client) {
            self.tokens.remove(&token);
        }
    }

    /// Nobody who has gone may come back as the owner of this account.
    pub(crate) fn forget_account(&mut self, account: AccountId) {
        self.tokens.retain(|_, owner| match owner {
            Owner::Here(_) => true,
            Owner::Gone(gone) => gone.member.account() != Some(account),
        });
    }

    /// Keeps a member who goes, if they have a token.
    pub(super) fn keep(&mut self, gone: Gone, now: Timestamp) {
        let Some(token) = self.of.remove(gone.key) else { return };
        self.tokens.insert(token, Owner::Gone(Box::new(gone)));
        self.gone.push_back((now, token));
        if self.gone.len() > GONE_MAX {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some((_, token)) = self.gone.pop_front()
            && let Some(Owner::Gone(_)) = self.tokens.get(&token)
        {
            self.tokens.remove(&token);
        }
    }

    /// Whose a token is, if it is good.
    pub(crate) fn owner(&mut self, token: &TokenHash, now: Timestamp) -> Option<&Owner> {
        while self.gone.front().is_some_and(|(at, _)| now.duration_since(*at) > GOOD_FOR) {
            self.drop_first();
        }
        self.tokens.get(token)
    }

    /// Takes a member who has gone.
    pub(crate) fn take(&mut self, token: &TokenHash) -> Option<Gone> {
        match self.tokens.remove(token) {
            Some(Owner::Gone(gone)) => Some(*gone),
            _ => None,
        }
    }
}

impl Gone {
    pub(crate) fn name(&self) -> Name {
        self.member.name().clone()
    }

    pub(crate) fn account(&self) -> Option<AccountId> {
        self.member.account()
    }
}
