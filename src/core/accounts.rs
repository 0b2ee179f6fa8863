//! Accounts, as the rooms know them: whose name is whose, who is an administrator, who logs in. Part of [`Rooms`].
//!
//! No password comes by here, nor a hash of one but on its way to the memory: a session compares them on its own time
//! and tells the rooms only that it was right ([`Login`]).

use super::{
    event::{Answer, ClientId, Login},
    farewell::Farewell,
    held::{Deed, Written},
    name::Name,
    past::{PRIVATE_MAX, Past},
    record::{Account, AccountId, PasswordHash, SanctionKind, What},
    rooms::{Order, Rooms},
    source::Source,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// Accounts at most: a school. Each costs some 200 bytes here; and nobody can fill the disk with names.
pub const ACCOUNTS_MAX: usize = 10_000;

/// Accounts made from one address in a day: a school's. A stranger could otherwise take all there are.
pub const REGISTERED_A_DAY: u32 = 100;
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// Every account.
#[derive(Default)]
pub(super) struct Accounts {
    /// How many were made from where, since when.
    made: HashMap<Source, (Timestamp, u32)>,
    /// Messages of clients without accounts that wait in a mailbox.
    pub guest_mail: HashMap<AccountId, usize>,
    by_id: HashMap<AccountId, Account>,
    /// By name's key.
    by_name: HashMap<String, AccountId>,
    last: AccountId,
}

impl Accounts {
    pub fn get(&self, id: AccountId) -> Option<&Account> {
        self.by_id.get(&id)
    }

    pub fn get_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        self.by_id.get_mut(&id)
    }

    /// The account of this name, or of one that looks like it.
    pub fn named(&self, name: &Name) -> Option<&Account> {
        self.by_name.get(name.key()).and_then(|&id| self.get(id))
    }

    /// Counts one more from here, unless there were too many in the last day.
    fn count_in(&mut self, source: Source, now: Timestamp) -> bool {
        self.made.retain(|_, (since, _)| now.duration_since(*since) < A_DAY);
        let (_, made) = self.made.entry(source).or_insert((now, 0));
        *made += 1;
        *made <= REGISTERED_A_DAY
    }

    /// Whether anybody is an administrator.
    fn has_administrator(&self) -> bool {
        self.by_id.values().any(|account| account.is_admin)
    }

    fn insert(&mut self, key: String, account: Account) {
        self.last = self.last.max(account.id);
        self.by_name.insert(key, account.id);
        self.by_id.insert(account.id, account);
    }

    fn remove(&mut self, id: AccountId) {
        self.by_id.remove(&id);
        self.by_name.retain(|_, other| *other != id);
    }
}

impl<H: Clone> Rooms<H> {
    /// All accounts anew. Who was logged in to one that is gone is nobody's any more.
    pub(super) fn set_accounts(&mut self, accounts: Vec<Account>, last: AccountId) {
        let made = std::mem::take(&mut self.accounts.made);
        let guest_mail = std::mem::take(&mut self.accounts.guest_mail);
        let mut all = Accounts {
            made,
            guest_mail,
            last: last.max(self.accounts.last),
            ..Accounts::default()
        };
        for account in accounts {
            // A name from before `--unicode-names` was left out: nobody can enter under it, but it stays an account.
            let key =
                self.config.names.check(&account.name, "name").map(|name| name.key().to_owned());
            all.insert(key.unwrap_or_else(|_| account.name.clone()), account);
        }
        let before = std::mem::replace(&mut self.accounts, all);
        // Of another file that took the place of the file, the same number may be somebody else's.
        let name = |accounts: &Accounts, id| accounts.get(id).map(|account| account.name.clone());
        for (_, member) in &mut self.members {
            member.account = member.account.filter(|&id| {
                name(&self.accounts, id).is_some_and(|is| name(&before, id) == Some(is))
            });
        }
    }

    /// The account that a member is logged in to.
    pub(super) fn account_of(&self, member: usize) -> Option<&Account> {
        self.members[member].account.and_then(|id| self.accounts.get(id))
    }

    pub(super) fn is_admin(&self, member: usize) -> bool {
        self.account_of(member).is_some_and(|account| account.is_admin)
    }

    /// The answer to whoever has only the place that is kept for an administrator.
    pub(super) fn may_take_reserve(&self, most: usize) -> Answer {
        let farewell = (!self.accounts.has_administrator()).then_some(Farewell::Full(most));
        Answer { farewell, ..Answer::default() }
    }

    pub(super) fn whose_is(&self, name: &Name) -> Answer {
        Answer { account: self.accounts.named(name).map(|account| account.id), ..Answer::default() }
    }

    /// Whoever is here under this name, or logged in to this account, gives way to its owner.
    pub(super) fn make_way(
        &mut self,
        name: &Name,
        account: AccountId,
        owner: Option<usize>,
        source: Source,
    ) {
        let bearer = self.by_name.get(name.key()).copied();
        let others: Vec<usize> = self
            .members
            .iter()
            .filter(|(slot, member)| Some(*slot) == bearer || member.account == Some(account))
            .map(|(slot, _)| slot)
            .filter(|&slot| Some(slot) != owner)
            .collect();
        for other in others {
            self.evict(other, Farewell::TakenOver(source.to_string()));
        }
    }

    /// For whoever runs the server.
    pub(super) fn log_login(&mut self, client: ClientId, account: AccountId) {
        let Some(account) = self.accounts.get(account) else { return };
        let admin = if account.is_admin { ", an administrator" } else { "" };
        self.orders.push(Order::Log(format!("c{client} is logged in as {}{admin}", account.name)));
    }

    /// A member becomes the owner of an account, and is called like it.
    pub(super) fn log_in(&mut self, asker: usize, login: Login) -> Answer {
        let Some(account) = self.accounts.get(login.account) else {
            return Answer::text("*** That account is gone.\n");
        };
        let Ok(name) = self.config.names.check(&account.name, "name") else {
            return Answer::text(
                "*** That account's name is not allowed here: the server runs without --unicode-names.\n",
            );
        };
        if !account.is_admin
            && let Some(ban) = self.sanction(SanctionKind::Ban, &name, None)
        {
            return Answer::text(format!(
                "*** The name {} is banned by {}.\n",
                name.shown(),
                ban.by
            ));
        }
        let source = self.members[asker].source;
        self.make_way(&name, login.account, Some(asker), source);
        let mut answer = Answer { name: Some(name.clone()), ..Answer::default() };
        if self.members[asker].name.shown() != name.shown() {
            answer.text = self.change_name(asker, name);
        }
        self.log_login(self.members[asker].client, login.account);
        self.members[asker].account = Some(login.account);
        self.members[asker].private = Past::new(PRIVATE_MAX, login.private);
        answer.text.push_str("*** You are logged in.\n");
        answer.text.push_str(&self.describe_mail(asker));
        answer
    }

    /// `None`: the answer comes when it is written.
    pub(super) fn register(&mut self, asker: usize, hash: PasswordHash) -> Option<Answer> {
        let source = self.members[asker].source;
        let member = &self.members[asker];
        let refused = if let Some(account) = self.account_of(asker) {
            format!("*** You are logged in to {} already.\n", account.name)
        } else if let Some(account) = self.accounts.named(&member.name) {
            format!("*** {} is registered already.\n", account.name)
        } else if self.accounts.by_id.len() >= ACCOUNTS_MAX {
            format!("*** There are {ACCOUNTS_MAX} accounts, which is the most.\n")
        } else if !self.accounts.count_in(source, self.now) {
            format!(
                "*** {REGISTERED_A_DAY} names were registered from your address today, which is the most.\n"
            )
        } else {
            self.accounts.last += 1;
            let account = Account {
                id: self.accounts.last,
                name: member.name.shown().to_owned(),
                is_admin: false,
                since: self.now,
                mail: 0,
            };
            self.hold_deed(asker, What::Registered(account.clone(), hash), Deed::Register(account));
            return None;
        };
        Some(Answer::text(refused))
    }

    pub(super) fn is_registered(
        &mut self,
        client: ClientId,
        account: Account,
        written: &Written,
    ) -> String {
        if let Err(why) = written {
            return format!("*** Your name is not kept: {why}\n");
        }
        let id = account.id;
        self.orders.push(Order::Log(format!("c{client} registered {}", account.name)));
        let text = format!(
            "*** {} is yours from now on. When you come again, you are asked for your password.\n",
            account.name
        );
        if let Ok(name) = self.config.names.check(&account.name, "name") {
            self.accounts.insert(name.key().to_owned(), account);
        }
        if let Some(member) = self.member_of(client) {
            self.members[member].account = Some(id);
        }
        text
    }

    /// `None`: the answer comes when it is written.
    pub(super) fn rehash(
        &mut self,
        asker: usize,
        hash: PasswordHash,
        quietly: bool,
    ) -> Option<Answer> {
        let Some(id) = self.members[asker].account else { return Some(not_logged_in()) };
        self.hold_deed(asker, What::Rehashed(id, hash), Deed::Rehash { quietly });
        None
    }

    /// `None`: the answer comes when it is written.
    pub(super) fn unregister(&mut self, asker: usize) -> Option<Answer> {
        let Some(id) = self.members[asker].account else { return Some(not_logged_in()) };
        self.hold_deed(asker, What::Unregistered(id), Deed::Unregister(id));
        None
    }

    pub(super) fn is_unregistered(&mut self, id: AccountId, written: &Written) -> String {
        if let Err(why) = written {
            return format!("*** Your account is still there: {why}\n");
        }
        self.accounts.remove(id);
        for (_, member) in &mut self.members {
            member.account = member.account.filter(|&account| account != id);
        }
        "*** Your account is struck out, and its mailbox. Your name is free for whoever comes when you have left.\n"
            .to_owned()
    }

    /// The answer to `/whoami`.
    pub(super) fn whoami(&self, asker: usize) -> String {
        let member = &self.members[asker];
        let account = match self.account_of(asker) {
            None => "not registered".to_owned(),
            Some(account) => {
                let since = self.config.zone.to_datetime(account.since).date();
                let admin = if account.is_admin { ", an administrator" } else { "" };
                format!("logged in as {}, registered on {since}{admin}", account.name)
            }
        };
        format!(
            "*** You are {}: {account}. In {}; connection c{} from {}.\n",
            member.name.shown(),
            self.rooms[member.room].name,
            member.client,
            member.source,
        )
    }
}

fn not_logged_in() -> Answer {
    Answer::text("*** You are not logged in: /register keeps your name, /login NAME logs you in.\n")
}
