//! Who somebody is: their account, whether they are an administrator, how others read their name,
//! and whether a sanction means them.

use super::{
    ClientKey, Rooms,
    coming_back::save,
    left_muted::Left,
    member::{Member, MutedAs},
    programs::note_who,
};
use crate::core::{
    close_reason::CloseReason,
    name::Name,
    notice::Refusal,
    record::{Account, Author, Sanction, SanctionKind, Target},
    sentences::{ADMIN_MARK, without_mark},
};

/// Why somebody is away who does not say why.
pub(crate) const AWAY: &str = "away";
/// The others from an address with whom whoever comes from there may still be taken for one who has
/// left it.
const OTHERS_MAX: usize = 1;

/// A member, and the account that they are logged in to.
pub(crate) struct Person<'a> {
    member: &'a Member,
    account: Option<&'a Account>,
    /// The key of the account's name, under which sanctions are found.
    account_key: Option<&'a str>,
}

impl<'a> Person<'a> {
    fn name(&self) -> &'a str {
        self.member.name().shown()
    }

    /// Their name where others have to know who they are: an administrator's is marked, and one
    /// that nobody could check. `None`: it is the name alone, as usual.
    pub(crate) fn label(&self) -> Option<String> {
        let has_account = self.account.is_some_and(|account| account.is_admin);
        let shown = self.member.shown();
        match has_account || self.member.is_instructor() {
            true => Some(format!("{ADMIN_MARK}{shown}")),
            false => self.member.is_unchecked().then(|| shown.into_owned()),
        }
    }

    /// Whether they have an administrator's rights by the pairing code alone.
    pub(crate) fn is_guest_instructor(&self) -> bool {
        self.member.is_instructor() && !self.account.is_some_and(|account| account.is_admin)
    }

    /// The author of what others read.
    pub(crate) fn author(&self) -> Author {
        let author = self.member.author();
        Author { name: self.label().unwrap_or(author.name), ..author }
    }

    /// For whoever looked for them: `kurt (logged in as carl)`, or `bob`.
    pub(crate) fn describe(&self) -> String {
        match self.account {
            Some(account) if self.account_key != Some(self.member.name().key()) => {
                format!("{} (logged in as {})", self.name(), account.name)
            }
            _ => self.member.shown().into_owned(),
        }
    }

    /// The target of a sanction against them: their account, under whatever name they are here;
    /// without an account, their name.
    pub(crate) fn target(&self) -> Target {
        let name = self.account.map_or(self.name(), |account| &account.name);
        Target::Name(name.to_owned())
    }

    /// The keys of the names that may be banned or muted and mean them: their name, their
    /// account's, and the one under which they were muted.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let name = self.member.name().key();
        let account = self.account_key.filter(|&key| key != name);
        [Some(name), account, self.member.muted_as().map(|it| &*it.key)].into_iter().flatten()
    }

    /// The key under which a mute holds for them, whatever they are called later.
    pub(crate) fn lasting_key(&self) -> &'a str {
        self.account_key.unwrap_or_else(|| self.member.name().key())
    }
}

impl Rooms {
    pub(crate) fn account_of(&self, client: ClientKey) -> Option<&Account> {
        self.members.get(client)?.account().and_then(|id| self.accounts.get(id))
    }

    /// Whether they have an administrator's rights: by their account, or as an instructor.
    pub(crate) fn is_admin(&self, client: ClientKey) -> bool {
        self.members.get(client).is_some_and(Member::is_instructor)
            || self.account_of(client).is_some_and(|account| account.is_admin)
    }

    pub(crate) fn person(&self, client: ClientKey) -> Person<'_> {
        let member = &self.members[client];
        let account = self.account_of(client);
        let account_key = account.and_then(|account| self.accounts.key_of(account.id));
        Person { member, account, account_key }
    }

    /// The member whom somebody means by what they typed: whoever has that name, or is logged in to
    /// the account of that name and is called otherwise now. Every command that looks for somebody
    /// asks here.
    ///
    /// # Errors
    /// There is nobody; the sentence suggests the nearest name.
    pub(crate) fn find(&self, typed: &str) -> Result<ClientKey, Refusal> {
        let typed = without_mark(typed);
        let name = self.config.names.check(typed, "name").ok();
        let account = name.as_ref().and_then(|name| self.accounts.named(name)).map(|a| a.id);
        let owner = || account.and_then(|id| self.members.logged_in_to(id).next());
        match self.members.find(typed) {
            Ok(member) if name.is_some_and(|name| self.is_somebody_else(member, &name)) => {
                owner().ok_or_else(|| self.members.nobody(typed))
            }
            Ok(member) => Ok(member),
            Err(nobody) => owner().ok_or(nobody),
        }
    }

    /// Whether a member, whose name looks like this one, is not meant by it: it is the name of
    /// somebody else's account.
    fn is_somebody_else(&self, member: ClientKey, name: &Name) -> bool {
        let member = &self.members[member];
        !member.name().is_same_word(name)
            && self.accounts.spelt(name).is_some_and(|id| member.account() != Some(id))
    }

    /// The mute that a member is under. Administrators are under none.
    pub(crate) fn mute_of(&self, client: ClientKey) -> Option<&Sanction> {
        if !self.sanctions.has_mutes() || self.is_admin(client) {
            return None; // the usual case
        }
        let keys = self.person(client).keys();
        self.sanctions.in_force(SanctionKind::Mute, keys, None, self.now)
    }

    /// Sends everybody away who is banned, after another process may have banned somebody, or after
    /// somebody whom a ban had spared is no administrator any more.
    pub(crate) fn send_banned_away(&mut self) {
        let everybody = self.members.iter().map(|(client, _)| client);
        let banned: Vec<(ClientKey, String)> = everybody
            .filter(|&client| !self.is_admin(client))
            .filter_map(|client| {
                let (keys, address) = (self.person(client).keys(), self.members[client].address());
                let ban =
                    self.sanctions.in_force(SanctionKind::Ban, keys, Some(address), self.now)?;
                Some((client, self.config.describe_ban(ban)))
            })
            .collect();
        for (client, sentence) in banned {
            self.kick(client, CloseReason::Banned(sentence));
        }
    }

    /// Logs a member out: their account, whose name had this key, is gone. Whoever is muted stays
    /// so.
    pub(crate) fn log_out(&mut self, client: ClientKey, key: Option<&str>) {
        let is_muted = |key: &&str| {
            let keys = std::iter::once(*key);
            self.sanctions.in_force(SanctionKind::Mute, keys, None, self.now).is_some()
        };
        let muted_as = key.filter(is_muted);
        self.members[client].set_account(None);
        if let Some(key) = muted_as.map(str::to_owned) {
            mute_as(self, client, key);
        }
        save(self, client);
        note_who(self, client);
    }
}

/// Why somebody is away, as others read it: not in the words of one who may not write.
pub(crate) fn away_of(rooms: &Rooms, client: ClientKey) -> Option<&str> {
    let why = rooms.members[client].away()?;
    Some(if rooms.may_write(client).is_ok() { why } else { AWAY })
}

// --- Mutes that outlive a connection ---

/// The key of the name by which a member is muted; `None`: they are not.
fn muted_key(rooms: &Rooms, client: ClientKey) -> Option<String> {
    rooms.mute_of(client)?;
    let is_muted = |key: &&str| {
        let keys = std::iter::once(*key);
        rooms.sanctions.in_force(SanctionKind::Mute, keys, None, rooms.now).is_some()
    };
    rooms.person(client).keys().find(is_muted).map(str::to_owned)
}

/// A mute that has ended is not that of a member's any more: somebody else may be muted under that
/// name later.
pub(super) fn forget_mute(rooms: &mut Rooms, client: ClientKey) {
    let is_over = |key| {
        let keys = std::iter::once(key);
        rooms.sanctions.in_force(SanctionKind::Mute, keys, None, rooms.now).is_none()
    };
    if rooms.members[client].muted_as().is_some_and(|it| is_over(&*it.key)) {
        rooms.members[client].set_muted_as(None);
    }
}

/// Whether several others are here from a member's address: a class behind one router.
fn is_in_a_crowd(rooms: &Rooms, client: ClientKey) -> bool {
    let address = rooms.members[client].address();
    let is_other =
        |(other, member): (ClientKey, &Member)| other != client && member.address() == address;
    rooms.members.iter().filter(|&other| is_other(other)).count() > OTHERS_MAX
}

/// A member is muted by the name with this key. The mute holds for them, whatever they are called
/// later.
pub(crate) fn mute_as(rooms: &mut Rooms, client: ClientKey, key: String) {
    let in_a_crowd = is_in_a_crowd(rooms, client);
    rooms.members[client].set_muted_as(Some(MutedAs { key, in_a_crowd }));
    save(rooms, client);
}

/// The only other one from a member's address, who may be the same person: no administrator, and not
/// one of several, who are a class behind one router.
pub(crate) fn other_from_there(rooms: &Rooms, client: ClientKey) -> Option<ClientKey> {
    let address = rooms.members[client].address();
    let is_other =
        |(key, member): &(ClientKey, &Member)| *key != client && member.address() == address;
    let mut others = rooms.members.iter().filter(is_other).map(|(key, _)| key);
    let other = others.next().filter(|&other| !rooms.is_admin(other));
    other.filter(|_| others.next().is_none())
}

/// A member leaves. If they are muted, it is remembered for a moment: see [`inherit_mute`].
pub(super) fn note_leaver(rooms: &mut Rooms, client: ClientKey) {
    let member = &rooms.members[client];
    if let Some(key) = muted_key(rooms, client)
        && !member.muted_as().is_some_and(|it| it.in_a_crowd)
        && !is_in_a_crowd(rooms, client)
    {
        let (address, name) = (member.address(), member.name().shown().to_owned());
        rooms.left_muted.note(Left { address, name, key, at: rooms.now });
    }
}

/// Somebody has come. A mute of their name holds for them from now on, whatever they are called
/// later. So does, for a guest, that of somebody who was muted and has just left the same address:
/// it may be the same one. Returns that one's name.
///
/// Not if several others are here from that address, or were when that one was muted or left: they
/// are a class behind one router, and whoever comes is probably another one.
pub(crate) fn inherit_mute(rooms: &mut Rooms, client: ClientKey) -> Option<String> {
    if let Some(key) = muted_key(rooms, client) {
        mute_as(rooms, client, key);
        return None;
    }
    let member = &rooms.members[client];
    let may_inherit = member.account().is_none() && rooms.sanctions.has_mutes();
    if !may_inherit || rooms.is_admin(client) {
        return None;
    }
    let is_muted = |left: &&Left| {
        let keys = std::iter::once(&*left.key);
        rooms.sanctions.in_force(SanctionKind::Mute, keys, None, rooms.now).is_some()
    };
    let left = rooms.left_muted.from(member.address(), rooms.now).find(is_muted)?;
    let (name, key) = (left.name.clone(), left.key.clone());
    if is_in_a_crowd(rooms, client) {
        return None;
    }
    mute_as(rooms, client, key);
    Some(name)
}
