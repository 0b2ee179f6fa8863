//! Who may come back after a broken connection, as they were, by a token that only they have.

use super::{ClientKey, member::Member, quiz::AnswerKept};
use crate::core::{
    name::Name,
    pairs,
    record::AccountId,
    returning::{GONE_MAX, TokenHash, is_good},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slotmap::SecondaryMap;
use std::collections::{BTreeMap, VecDeque};

/// Tokens, by their hashes.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Resumable {
    #[serde(with = "pairs")]
    tokens: BTreeMap<TokenHash, Owner>,
    /// The token of each client who is here.
    of: SecondaryMap<ClientKey, TokenHash>,
    /// Those of clients who have gone, the first first. (Some have come back meanwhile.)
    gone: VecDeque<TokenHash>,
}

/// Whose a token is.
#[derive(Serialize, Deserialize)]
pub(crate) enum Owner {
    /// Somebody who is here: perhaps the server has not found out that they are gone. The number
    /// tells how they are to come back from how they would have before.
    Here(ClientKey, u64),
    Gone(Box<Gone>),
}

/// A member who has gone, as they were.
#[derive(Serialize, Deserialize)]
pub(crate) struct Gone {
    pub(crate) member: Member,
    pub(super) key: ClientKey,
    pub(super) place: Place,
    pub(super) at: Timestamp,
    /// They were an instructor of the server before this one.
    pub(crate) was_instructor: bool,
}

/// Where they were, and what they did there.
#[derive(Serialize, Deserialize)]
pub(crate) struct Place {
    pub(super) room: String,
    pub(super) hand: Option<Timestamp>,
    /// To the class's question.
    pub(super) answer: Option<AnswerKept>,
}

impl Resumable {
    /// Gives a member a token, who has none.
    pub(super) fn give(&mut self, client: ClientKey, token: TokenHash) {
        self.of.insert(client, token);
        self.tokens.insert(token, Owner::Here(client, 0));
    }

    /// A member may not come back. Returns their token.
    pub(super) fn forget(&mut self, client: ClientKey) -> Option<TokenHash> {
        let token = self.of.remove(client)?;
        self.tokens.remove(&token);
        Some(token)
    }

    /// Nobody who has gone may come back as the owner of this account. Returns their tokens.
    pub(super) fn forget_account(&mut self, account: AccountId) -> Vec<TokenHash> {
        let is_theirs = |owner: &Owner| match owner {
            Owner::Here(..) => false,
            Owner::Gone(gone) => gone.member.account() == Some(account),
        };
        let theirs = self.tokens.iter().filter(|(_, owner)| is_theirs(owner));
        let theirs: Vec<TokenHash> = theirs.map(|(token, _)| *token).collect();
        theirs.iter().for_each(|token| drop(self.tokens.remove(token)));
        theirs
    }

    /// Notes how a member is to come back. Returns their token, if that was another way before.
    pub(super) fn note(&mut self, client: ClientKey, profile: u64) -> Option<TokenHash> {
        let token = *self.of.get(client)?;
        match self.tokens.get_mut(&token) {
            Some(Owner::Here(_, known)) if *known != profile => *known = profile,
            _ => return None,
        }
        Some(token)
    }

    /// Every token, of which nothing is written now.
    pub(super) fn unwritten(&mut self) -> Vec<TokenHash> {
        for owner in self.tokens.values_mut() {
            if let Owner::Here(_, known) = owner {
                *known = 0;
            }
        }
        self.tokens.keys().copied().collect()
    }

    pub(super) fn get(&self, token: &TokenHash) -> Option<&Owner> {
        self.tokens.get(token)
    }

    /// Whether a member has a token.
    pub(crate) fn has(&self, client: ClientKey) -> bool {
        self.of.contains_key(client)
    }

    /// Whether anybody who is here has one.
    pub(crate) fn is_anybody_here(&self) -> bool {
        self.of.iter().next().is_some()
    }

    /// Keeps a member who goes, if they have a token. Returns it.
    pub(super) fn keep(&mut self, gone: Gone) -> Option<TokenHash> {
        let token = self.of.remove(gone.key)?;
        self.keep_by(token, gone);
        Some(token)
    }

    /// Keeps somebody who has gone and has this token.
    pub(super) fn keep_by(&mut self, token: TokenHash, gone: Gone) {
        self.tokens.insert(token, Owner::Gone(Box::new(gone)));
        self.gone.push_back(token);
    }

    /// Drops a token, if there are too many. Returns it.
    pub(super) fn drop_surplus(&mut self) -> Option<TokenHash> {
        while self.gone.len() > GONE_MAX {
            let token = self.gone.pop_front()?;
            if let Some(Owner::Gone(_)) = self.tokens.get(&token) {
                self.drop_gone(&token);
                return Some(token);
            }
        }
        None
    }

    /// Whose a token is, if it is good.
    pub(crate) fn owner(&mut self, token: &TokenHash, now: Timestamp) -> Option<&Owner> {
        while self.gone.front().is_some_and(|first| !self.is_kept(first, now)) {
            self.gone.pop_front().iter().for_each(|first| self.drop_gone(first));
        }
        if !self.is_kept(token, now) {
            self.drop_gone(token); // a clock that was set has put them in another order
        }
        self.tokens.get(token)
    }

    /// Whether somebody who has gone may come back by this token.
    fn is_kept(&self, token: &TokenHash, now: Timestamp) -> bool {
        matches!(self.tokens.get(token), Some(Owner::Gone(gone)) if is_good(gone.at, now))
    }

    fn drop_gone(&mut self, token: &TokenHash) {
        if let Some(Owner::Gone(_)) = self.tokens.get(token) {
            self.tokens.remove(token);
        }
    }

    /// Takes a member who has gone.
    pub(super) fn take(&mut self, token: &TokenHash) -> Option<Gone> {
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
