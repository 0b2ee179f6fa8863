//! Everybody who has a name: by key, and by name.

use super::{ClientKey, member::Member, name_index::NameIndex};
use crate::core::{
    name::{Name, NameRule},
    notice::{Refusal, nearest},
    record::{AccountId, LineId},
};
use serde::{Deserialize, Serialize};
use slotmap::SecondaryMap;
use std::ops::{Index, IndexMut};

/// Slips in a name that somebody types, at most.
const SLIPS_MAX: usize = 2;

#[derive(Serialize, Deserialize)]
pub(crate) struct Members {
    rule: NameRule,
    members: SecondaryMap<ClientKey, Member>,
    /// A name that is not in here, and like none that is, is free.
    names: NameIndex<ClientKey>,
}

impl Members {
    pub(super) fn new(rule: NameRule) -> Members {
        Members { rule, members: SecondaryMap::new(), names: NameIndex::new() }
    }

    pub(super) fn rule(&self) -> NameRule {
        self.rule
    }

    /// A client's member, if they have a name and are here.
    pub(crate) fn get(&self, client: ClientKey) -> Option<&Member> {
        self.members.get(client)
    }

    pub(super) fn get_mut(&mut self, client: ClientKey) -> Option<&mut Member> {
        self.members.get_mut(client)
    }

    /// Whether a client has a name and is here.
    pub(crate) fn contains(&self, client: ClientKey) -> bool {
        self.members.contains_key(client)
    }

    /// Everybody, in an order that depends on the events alone.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ClientKey, &Member)> {
        self.members.iter()
    }

    /// Those who are logged in to an account.
    pub(crate) fn logged_in_to(&self, account: AccountId) -> impl Iterator<Item = ClientKey> {
        let is_owner = move |member: &Member| member.account() == Some(account);
        self.iter().filter(move |(_, member)| is_owner(member)).map(|(key, _)| key)
    }

    /// The client that has this name now, and those whose names look like it.
    pub(crate) fn holders_of(&self, name: &Name) -> impl Iterator<Item = ClientKey> {
        self.names.alike(name)
    }

    /// The member who has the name that somebody typed.
    ///
    /// # Errors
    /// Nobody has the name; the sentence suggests the nearest one.
    pub(super) fn find(&self, typed: &str) -> Result<ClientKey, Refusal> {
        let name = self.rule.check(typed, "name").ok();
        if let Some(member) = name.and_then(|name| self.holders_of(&name).next()) {
            return Ok(member);
        }
        let mut present = self.names.values();
        if let Some(member) = present.find(|&key| self[key].name().shown() == typed) {
            return Ok(member); // an address: see `Name::of_address`
        }
        Err(self.nobody(typed))
    }

    /// Nobody has the name that somebody typed.
    pub(super) fn nobody(&self, typed: &str) -> Refusal {
        let present = self.names.values().map(|key| self[key].name().shown());
        let near = nearest(typed, present, SLIPS_MAX);
        let hint = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        format!("Nobody here is called {typed}.{hint}").into()
    }

    /// Whether `reader` ignores `author`.
    pub(crate) fn ignores(&self, reader: ClientKey, author: ClientKey) -> bool {
        let Some(member) = self.get(author) else { return false };
        self[reader].ignored().iter().any(|ignored| match (ignored.client, ignored.account) {
            (Some(client), _) if self.contains(client) => client == author,
            (_, Some(account)) if member.account() == Some(account) => true,
            (Some(_), Some(_)) => false, // somebody else has the name now
            _ => ignored.name.key() == member.name().key(),
        })
    }

    /// `author` is logged in to this account from now on. Whoever ignores them ignores its owner, also
    /// when they come again under another name.
    pub(crate) fn ignore_account_of(&mut self, author: ClientKey, account: AccountId) {
        let key = self[author].name().key().to_owned();
        let is_here: SecondaryMap<ClientKey, ()> = self.members.keys().map(|it| (it, ())).collect();
        for (_, reader) in &mut self.members {
            for ignored in reader.ignored_mut().iter_mut().filter(|it| it.account.is_none()) {
                let is_meant = match ignored.client {
                    Some(client) if is_here.contains_key(client) => client == author,
                    _ => ignored.name.key() == key,
                };
                ignored.account = is_meant.then_some(account);
            }
        }
    }

    pub(super) fn insert(&mut self, client: ClientKey, member: Member) {
        self.names.insert(member.name(), client);
        self.members.insert(client, member);
    }

    pub(crate) fn rename(&mut self, client: ClientKey, name: Name) {
        self.names.remove(self.members[client].name(), client);
        self.names.insert(&name, client);
        self[client].set_name(name);
    }

    /// Everybody forgets their private lines up to this number.
    pub(super) fn forget_private(&mut self, last: LineId) {
        for (_, member) in &mut self.members {
            member.private_mut().forget(last);
        }
    }

    /// Removes a client who leaves. Their name is free.
    pub(super) fn remove(&mut self, client: ClientKey) -> Option<Member> {
        let member = self.members.remove(client)?;
        self.names.remove(member.name(), client);
        Some(member)
    }

    /// Whoever ignores one client ignores another one from now on, who is the same person.
    pub(super) fn follow(&mut self, before: ClientKey, after: ClientKey) {
        for (_, member) in &mut self.members {
            for ignored in member.ignored_mut() {
                if ignored.client == Some(before) {
                    ignored.client = Some(after);
                }
            }
        }
    }
}

impl Index<ClientKey> for Members {
    type Output = Member;
    fn index(&self, client: ClientKey) -> &Member {
        &self.members[client]
    }
}

impl IndexMut<ClientKey> for Members {
    fn index_mut(&mut self, client: ClientKey) -> &mut Member {
        &mut self.members[client]
    }
}
