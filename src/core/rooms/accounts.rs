//! Accounts, as the rooms know them: whose name is whose, who is an administrator, how much mail
//! waits.
//!
//! No password comes here, and a hash only on its way to the store: a session compares passwords on
//! its own thread, and tells the rooms only that one was right
//! ([`Login`](crate::core::event::Login)).

use super::{name_index::NameIndex, pending::Reserved};
use crate::core::{
    address::ClientAddress,
    name::{Name, NameRule},
    notice::Refusal,
    pairs,
    record::{ACCOUNTS_MAX, Account, AccountId, PasswordMark},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most accounts made from one address in a day: enough for a school. Without a bound, one
/// stranger could take all there are.
pub(crate) const REGISTERED_A_DAY: u32 = 100;
/// Of these, by clients that have just come: a class in one lesson. The others are for those who
/// stay, so that a script cannot take all of them from everybody behind the same router.
pub(crate) const REGISTERED_BY_NEWCOMERS: u32 = 50;
/// Who has been here for this time is no newcomer.
pub(crate) const NEWCOMER: SignedDuration = SignedDuration::from_mins(10);
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// The most messages in one mailbox. Nobody would read more, and a stranger could fill the disk.
pub(crate) const MAILBOX_MAX: usize = 100;
/// And more from administrators: one account is enough to fill a mailbox, and must not keep out what a
/// teacher writes.
pub(crate) const ADMIN_MAIL_MAX: usize = 10;
/// The most messages in one mailbox from clients without an account: a stranger must not crowd out
/// everybody else's mail.
pub(crate) const GUEST_MAIL_MAX: usize = 50;

/// The most passwords that one account may be given before the file is looked at again.
const MARKS_MAX: usize = 16;

#[derive(Serialize, Deserialize)]
pub(crate) struct Accounts {
    names: NameRule,
    by_id: BTreeMap<AccountId, Account>,
    /// By the name's key.
    by_name: NameIndex<AccountId>,
    spellings: BTreeMap<AccountId, Name>,
    /// Names that are being registered, and from where.
    #[serde(skip)]
    reserved: Vec<(Name, ClientAddress)>,
    /// From where the accounts were made that were made since the start.
    made_from: BTreeMap<AccountId, ClientAddress>,
    /// The number of accounts made from an address, and since when they are counted.
    #[serde(with = "pairs")]
    made: BTreeMap<ClientAddress, (Timestamp, u32)>,
    /// The password that each account had in the file, and then those that it was given here since.
    passwords: BTreeMap<AccountId, Vec<PasswordMark>>,
    /// Messages of clients without accounts that wait in a mailbox.
    guest_mail: BTreeMap<AccountId, usize>,
    last: AccountId,
}

impl Accounts {
    pub(super) fn new(names: NameRule) -> Accounts {
        Accounts {
            names,
            by_id: BTreeMap::new(),
            by_name: NameIndex::new(),
            spellings: BTreeMap::new(),
            reserved: Vec::new(),
            made_from: BTreeMap::new(),
            made: BTreeMap::new(),
            passwords: BTreeMap::new(),
            guest_mail: BTreeMap::new(),
            last: AccountId(0),
        }
    }

    /// Replaces all accounts by those in the file. What is reserved stays reserved.
    pub(super) fn replace<'a>(
        &mut self,
        accounts: Vec<Account>,
        guest_mail: Vec<(AccountId, usize)>,
        last: AccountId,
        reserved: impl Iterator<Item = &'a Reserved>,
    ) {
        self.last = self.last.max(last);
        self.by_id.clear();
        self.by_name = NameIndex::new();
        self.spellings.clear();
        for account in accounts {
            self.insert(account);
        }
        self.guest_mail = guest_mail.into_iter().collect();
        self.give_back_registrations();
        for reserved in reserved {
            if let Reserved::Mail { to, by_guest } = reserved
                && let Some(account) = self.by_id.get_mut(to)
            {
                account.mail += 1;
                *self.guest_mail.entry(*to).or_default() += usize::from(*by_guest);
            }
        }
    }

    /// What is deleted does not count toward the day's registrations of an address.
    fn give_back_registrations(&mut self) {
        let Accounts { by_id, made_from, made, .. } = self;
        made_from.retain(|id, address| {
            let is_there = by_id.contains_key(id);
            if !is_there && let Some((_, count)) = made.get_mut(address) {
                *count = count.saturating_sub(1);
            }
            is_there
        });
    }

    /// Notes the passwords in the file. Returns the accounts that another process has given another
    /// one.
    pub(super) fn replace_passwords(
        &mut self,
        passwords: BTreeMap<AccountId, PasswordMark>,
    ) -> Vec<AccountId> {
        let known = std::mem::take(&mut self.passwords);
        let mut changed = Vec::new();
        for (id, mark) in passwords {
            let marks = known.get(&id).map(Vec::as_slice).unwrap_or_default();
            // Those behind it are not written yet.
            let place = marks.iter().position(|known| *known == mark);
            if !marks.is_empty() && place.is_none() {
                changed.push(id);
            }
            let rest = place.map_or(vec![mark], |place| marks[place..].to_vec());
            self.passwords.insert(id, rest);
        }
        changed
    }

    /// Notes that an account is given this password here.
    pub(crate) fn note_password(&mut self, id: AccountId, mark: PasswordMark) {
        let marks = self.passwords.entry(id).or_default();
        if marks.len() >= MARKS_MAX {
            marks.remove(0);
        }
        marks.push(mark);
    }

    pub(super) fn has_any(&self) -> bool {
        !self.by_id.is_empty()
    }

    pub(crate) fn get(&self, id: AccountId) -> Option<&Account> {
        self.by_id.get(&id)
    }

    /// The key of an account's name.
    pub(crate) fn key_of(&self, id: AccountId) -> Option<&str> {
        self.spellings.get(&id).map(Name::key)
    }

    /// The account of this name, or of one that looks like it.
    pub(crate) fn named(&self, name: &Name) -> Option<&Account> {
        self.by_name.alike(name).next().and_then(|id| self.get(id))
    }

    /// The account of this name, and of none that merely looks like it.
    pub(crate) fn spelt(&self, name: &Name) -> Option<AccountId> {
        let account = self.by_name.alike(name).next();
        account.filter(|id| self.spellings.get(id).is_some_and(|it| it.is_same_word(name)))
    }

    /// Whether this name, or one that looks like it, is being registered at this moment.
    pub(crate) fn is_reserved(&self, name: &Name) -> bool {
        self.reserved.iter().any(|(reserved, _)| reserved.looks_like(name))
    }

    pub(crate) fn has_administrator(&self) -> bool {
        self.by_id.values().any(|account| account.is_admin)
    }

    // --- Registering ---

    /// Reserves a name and a number for a new account.
    ///
    /// # Errors
    /// There are too many accounts, or too many were made from this address in a day. `here_since`:
    /// when the client came; `None`: an administrator is here from there, and nothing is too many.
    pub(crate) fn reserve(
        &mut self,
        name: &Name,
        address: ClientAddress,
        here_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Account, Refusal> {
        if let Some(account) = self.named(name) {
            return Err(format!("{} is registered already.", account.name).into());
        }
        if self.by_id.len() + self.reserved.len() >= ACCOUNTS_MAX {
            return Err(format!("There are {ACCOUNTS_MAX} accounts, which is the most.").into());
        }
        self.made.retain(|_, (since, _)| now.duration_since(*since) < A_DAY);
        let (_, made) = self.made.entry(address).or_insert((now, 0));
        if *made >= REGISTERED_A_DAY && here_since.is_some() {
            return Err(format!(
                "{REGISTERED_A_DAY} names were registered from your address today, which is the most."
            )
            .into());
        }
        let stays = here_since.map_or(NEWCOMER, |since| now.duration_since(since));
        if *made >= REGISTERED_BY_NEWCOMERS && stays < NEWCOMER {
            return Err(format!(
                "Many names were registered from your address today. Stay for {} minutes, and try again; or an administrator who is here from there can let you.",
                ((NEWCOMER - stays).as_secs() + 59) / 60
            )
            .into());
        }
        *made += 1;
        self.reserved.push((name.clone(), address));
        self.last.0 += 1;
        let (name, since) = (name.shown().to_owned(), now);
        Ok(Account { id: self.last, name, is_admin: false, since, mail: 0 })
    }

    /// Ends a reservation: the account is written, or it is `None` and the name is free again.
    pub(crate) fn settle(&mut self, name: &Name, account: Option<Account>) {
        let place = self.reserved.iter().position(|(reserved, _)| reserved == name);
        let address = place.map(|place| self.reserved.remove(place).1);
        match (account, address.and_then(|address| self.made.get_mut(&address))) {
            (Some(account), _) => {
                self.made_from.extend(address.map(|address| (account.id, address)));
                self.insert(account);
            }
            (None, Some((_, made))) => *made = made.saturating_sub(1), // it was not made
            (None, None) => {}
        }
    }

    fn insert(&mut self, account: Account) {
        // The name may be from a run with `--unicode-names`. Nobody can enter under it now, but the
        // account stays.
        let name = self.names.check(&account.name, "name");
        let name = name.unwrap_or_else(|_| Name::not_allowed(&account.name));
        self.last = self.last.max(account.id);
        self.by_name.insert(&name, account.id);
        self.spellings.insert(account.id, name);
        self.by_id.insert(account.id, account);
    }

    /// Takes an account out. It does not count toward the day's registrations any more: otherwise
    /// one client that goes on registering and unregistering would use them up for its address.
    pub(crate) fn remove(&mut self, id: AccountId) {
        self.by_id.remove(&id);
        self.give_back_registrations();
        if let Some(name) = self.spellings.remove(&id) {
            self.by_name.remove(&name, id);
        }
        self.guest_mail.remove(&id);
    }

    // --- Mail ---

    /// Reserves a place in a mailbox: it counts from now on.
    ///
    /// # Errors
    /// The mailbox is full, or its share for people without accounts is.
    pub(crate) fn reserve_mail(
        &mut self,
        to: AccountId,
        by_guest: bool,
        by_admin: bool,
    ) -> Result<(), Refusal> {
        let Some(account) = self.by_id.get_mut(&to) else {
            return Err("That account is gone.".into());
        };
        let name = &account.name;
        let most = MAILBOX_MAX + if by_admin { ADMIN_MAIL_MAX } else { 0 };
        if account.mail >= most {
            let why = format!("{name} is away, and {most} messages wait there, which is the most.");
            return Err(why.into());
        }
        let of_guests = self.guest_mail.entry(to).or_default();
        if by_guest && !by_admin && *of_guests >= GUEST_MAIL_MAX {
            return Err(format!(
                "{name} is away, and {GUEST_MAIL_MAX} messages wait there from people who are not registered, which is the most."
            )
            .into());
        }
        *of_guests += usize::from(by_guest);
        account.mail += 1;
        Ok(())
    }

    /// Frees the place of a message that was not stored.
    pub(crate) fn release_mail(&mut self, to: AccountId, by_guest: bool) {
        if let Some(of_guests) = self.guest_mail.get_mut(&to) {
            *of_guests = of_guests.saturating_sub(usize::from(by_guest));
        }
        if let Some(account) = self.by_id.get_mut(&to) {
            account.mail = account.mail.saturating_sub(1);
        }
    }

    /// Counts deleted messages. Returns the number of those that are left.
    pub(crate) fn mail_deleted(&mut self, account: AccountId, count: usize) -> usize {
        let of_guests = self.guest_mail.get_mut(&account);
        let Some(account) = self.by_id.get_mut(&account) else { return 0 };
        account.mail = account.mail.saturating_sub(count);
        if let Some(of_guests) = of_guests {
            *of_guests = (*of_guests).min(account.mail); // whose they were is in the file alone
        }
        account.mail
    }
}
