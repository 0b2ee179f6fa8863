//! Who somebody is: their account, whether they are an administrator, how others read their name,
//! and whether a sanction means them.

use super::{ClientKey, Rooms};
use crate::core::{
    address::ClientAddress,
    notice::Refusal,
    record::{Account, AccountId, Author, Sanction, SanctionKind, Target},
    sentences::{ADMIN_MARK, without_mark},
};

impl Rooms {
    pub(crate) fn account_of(&self, client: ClientKey) -> Option<&Account> {
        self.members.get(client)?.account().and_then(|id| self.accounts.get(id))
    }

    pub(crate) fn is_admin(&self, client: ClientKey) -> bool {
        self.account_of(client).is_some_and(|account| account.is_admin)
    }

    // --- Names ---

    /// A member's name where others have to know who they are: an administrator's is marked.
    /// `None`: it is the name alone, as usual.
    pub(crate) fn label(&self, client: ClientKey) -> Option<String> {
        let name = self.members[client].name().shown();
        self.is_admin(client).then(|| format!("{ADMIN_MARK}{name}"))
    }

    /// A member as the author of what others read.
    pub(crate) fn author(&self, client: ClientKey) -> Author {
        let author = self.members[client].author();
        Author { name: self.label(client).unwrap_or(author.name), ..author }
    }

    /// The member whom somebody means by what they typed: whoever has that name, or is logged in to
    /// the account of that name and is called otherwise now. Every command that looks for somebody
    /// asks here.
    ///
    /// # Errors
    /// There is nobody; the sentence suggests the nearest name.
    pub(crate) fn find(&self, typed: &str) -> Result<ClientKey, Refusal> {
        let typed = without_mark(typed);
        self.members.find(typed).or_else(|nobody| {
            let name = self.config.names.check(typed, "name");
            let account = name.ok().and_then(|name| self.accounts.named(&name)).map(|a| a.id);
            account.and_then(|id| self.members.logged_in_to(id).next()).ok_or(nobody)
        })
    }

    /// A member for whoever looked for them: `kurt (logged in as carl)`, or `bob`.
    pub(crate) fn describe(&self, client: ClientKey) -> String {
        let name = self.members[client].name();
        match self.account_of(client) {
            Some(account)
                if self.accounts.named(name).map(|named| named.id) != Some(account.id) =>
            {
                format!("{} (logged in as {})", name.shown(), account.name)
            }
            _ => name.shown().to_owned(),
        }
    }

    // --- Sanctions ---

    /// The target of a sanction against a member: their account, under whatever name they are here;
    /// without an account, their name.
    pub(crate) fn target_of(&self, client: ClientKey) -> Target {
        let account = self.account_of(client).map(|account| account.name.clone());
        let name = || self.members[client].name().shown().to_owned();
        Target::Name(account.unwrap_or_else(name))
    }

    /// The sanction in force against a member: against their name, their account, what they were
    /// called when they were muted, or their address.
    fn sanction_on(
        &self,
        kind: SanctionKind,
        client: ClientKey,
        address: Option<ClientAddress>,
    ) -> Option<&Sanction> {
        let member = &self.members[client];
        let account = member.account().and_then(|id| self.accounts.key_of(id));
        let name = member.name().key();
        let keys = [Some(name), account.filter(|&key| key != name), member.muted_as()];
        self.sanctions.in_force(kind, keys.into_iter().flatten(), address, self.now)
    }

    /// The mute that a member is under. Administrators are under none.
    pub(crate) fn mute_of(&self, client: ClientKey) -> Option<&Sanction> {
        if !self.sanctions.has_mutes() || self.is_admin(client) {
            return None; // the usual case
        }
        self.sanction_on(SanctionKind::Mute, client, None)
    }

    /// Whether a ban of `target` sends this member away. Administrators stay.
    pub(crate) fn is_banned_by(&self, target: &Target, client: ClientKey) -> bool {
        let member = &self.members[client];
        let account = member.account().and_then(|id| self.accounts.key_of(id));
        let keys = [Some(member.name().key()), account];
        !self.is_admin(client)
            && keys
                .into_iter()
                .flatten()
                .any(|key| self.sanctions.means(target, key, member.address()))
    }

    /// Mutes a member who is here, whatever they are called later. (Their name or their account is
    /// muted already.) Their hand goes down.
    pub(crate) fn mute(&mut self, client: ClientKey) {
        let member = &self.members[client];
        let account = member.account().and_then(|id| self.key_of_account(id));
        let key = account.unwrap_or_else(|| member.name().key().to_owned());
        let member = &mut self.members[client];
        member.set_muted_as(Some(key));
        member.lower_hand();
    }

    /// Every name under which sanctions hold for a member.
    pub(crate) fn names_of(&self, client: ClientKey) -> Vec<String> {
        let member = &self.members[client];
        let name = member.name().shown();
        [Some(name), member.muted_as()].into_iter().flatten().map(str::to_owned).collect()
    }

    /// Logs a member out: their account is gone. Whoever is muted stays so.
    pub(crate) fn log_out(&mut self, client: ClientKey, key: Option<String>) {
        let is_muted = key.as_deref().is_some_and(|key| {
            let keys = std::iter::once(key);
            self.sanctions.in_force(SanctionKind::Mute, keys, None, self.now).is_some()
        });
        let member = &mut self.members[client];
        member.set_account(None);
        if is_muted {
            member.set_muted_as(key);
        }
    }

    /// The key of an account's name, under which sanctions are found.
    pub(crate) fn key_of_account(&self, id: AccountId) -> Option<String> {
        self.accounts.key_of(id).map(str::to_owned)
    }
}
