//! One client that has a name: who they are, where they are, and what they want to read.

use super::{ClientKey, RoomKey, scrollback::Scrollback};
use crate::core::{
    address::ClientAddress,
    event::{ClientId, Entry, Since},
    history_reply::PRIVATE_MAX,
    name::Name,
    record::{AccountId, Author},
    sentences::unchecked,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// One client that has a name.
#[derive(Serialize, Deserialize)]
pub(crate) struct Member {
    pub(super) client: ClientId,
    name: Name,
    pub(super) address: ClientAddress,
    account: Option<AccountId>,
    is_instructor: bool,
    muted_as: Option<Box<MutedAs>>,
    room: Option<RoomKey>,
    since: Timestamp,
    active: Timestamp,
    private: Scrollback,
    hand: Option<Timestamp>,
    has_floor: bool,
    away: Option<String>,
    reply_to: Option<Box<ReplyTo>>,
    ignored: Vec<Ignored>,
    asks_since: Option<Box<Since>>,
    quiet: bool,
    timestamps: bool,
    echo: bool,
    said_goodbye: bool,
    is_unchecked: bool,
    warned_of_own_address: bool,
}

/// How a member was muted.
#[derive(Serialize, Deserialize)]
pub(super) struct MutedAs {
    /// The key of their name at that time. The mute of that name holds for them, whatever they are
    /// called later.
    pub(super) key: String,
    /// Whether several others were here from their address.
    pub(super) in_a_crowd: bool,
}

/// Somebody whom a member ignores.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ignored {
    /// Their name at that time.
    pub(crate) name: Name,
    /// While this client is here, they are ignored under any name. After that, the owner of the
    /// account is, and without an account whoever has the name.
    pub(crate) client: Option<ClientKey>,
    /// The account that they were logged in to, or that has the name.
    pub(crate) account: Option<AccountId>,
}

/// Who wrote to a member last.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum ReplyTo {
    /// A client: by key, because somebody else may take the name.
    Client(ClientKey, Name),
    /// Whoever wrote the mail that was read last.
    Mail(Author),
}

/// What a client can choose about what they read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preference {
    /// `/quiet`: nothing about who comes and goes.
    Quiet,
    /// `/timestamps`: the time in front of live lines.
    Timestamps,
    /// `/echo`: their own lines too.
    Echo,
}

impl Member {
    /// A client that comes in. They are in no room yet.
    pub(crate) fn new(client: ClientId, entry: Entry, now: Timestamp) -> Member {
        let (account, private) = match entry.login {
            Some(login) => (Some(login.account), login.private),
            None => (None, Vec::new()),
        };
        Member {
            client,
            name: entry.name,
            address: entry.address,
            account,
            is_instructor: entry.is_instructor,
            muted_as: None,
            room: None,
            since: now,
            active: now,
            private: Scrollback::new(PRIVATE_MAX, private),
            hand: None,
            has_floor: false,
            away: None,
            reply_to: None,
            ignored: Vec::new(),
            asks_since: entry.wishes.since,
            quiet: false,
            timestamps: false,
            echo: false,
            said_goodbye: false,
            is_unchecked: false,
            warned_of_own_address: false,
        }
    }

    // --- Who they are ---

    pub(crate) fn client(&self) -> ClientId {
        self.client
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    /// Their name as others read it: marked, if nobody can tell whose it is.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match self.is_unchecked {
            true => Cow::Owned(unchecked(self.name.shown())),
            false => Cow::Borrowed(self.name.shown()),
        }
    }

    /// Whether they took their name when nobody could prove whose it is.
    pub(crate) fn is_unchecked(&self) -> bool {
        self.is_unchecked
    }

    /// Notes whether they took their name so.
    pub(crate) fn set_unchecked(&mut self, is_unchecked: bool) {
        self.is_unchecked = is_unchecked;
    }

    /// As they are named in a record.
    pub(crate) fn author(&self) -> Author {
        Author { name: self.shown().into_owned(), account: self.account }
    }

    pub(crate) fn address(&self) -> ClientAddress {
        self.address
    }

    /// The account they are logged in to.
    pub(crate) fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// Gives them another name. [`Members`](super::members::Members) keeps the list of names.
    pub(super) fn set_name(&mut self, name: Name) -> Name {
        std::mem::replace(&mut self.name, name)
    }

    /// Logs them in, or out.
    pub(crate) fn set_account(&mut self, account: Option<AccountId>) {
        self.is_unchecked &= account.is_none(); // they have proved who they are
        self.account = account;
    }

    /// Whether they gave the pairing code: they are an administrator for as long as they are here.
    pub(crate) fn is_instructor(&self) -> bool {
        self.is_instructor
    }

    /// See [`Member::is_instructor`].
    pub(crate) fn become_instructor(&mut self) {
        self.is_instructor = true;
    }

    /// How they were muted.
    pub(super) fn muted_as(&self) -> Option<&MutedAs> {
        self.muted_as.as_deref()
    }

    /// Mutes them, or ends that. Whoever is muted has no hand up, and not the floor.
    pub(super) fn set_muted_as(&mut self, muted_as: Option<MutedAs>) {
        if muted_as.is_some() {
            (self.hand, self.has_floor) = (None, false);
        }
        self.muted_as = muted_as.map(Box::new);
    }

    // --- Where they are, and what they do ---

    /// The room they are in; `None` only between two rooms.
    pub(crate) fn room(&self) -> Option<RoomKey> {
        self.room
    }

    /// Moves them to another room. Their raised hand goes down, and the floor is left behind.
    pub(super) fn set_room(&mut self, room: Option<RoomKey>) {
        (self.room, self.hand, self.has_floor) = (room, None, false);
    }

    /// When they came.
    pub(crate) fn since(&self) -> Timestamp {
        self.since
    }

    /// When they last said or asked something.
    pub(crate) fn active(&self) -> Timestamp {
        self.active
    }

    /// Notes that they did something now.
    pub(in crate::core) fn touch(&mut self, now: Timestamp) {
        self.active = now;
    }

    /// Since when their hand is up.
    pub(crate) fn hand(&self) -> Option<Timestamp> {
        self.hand
    }

    /// Raises their hand, or lowers it. Returns whether it is up now.
    pub(crate) fn turn_hand(&mut self, now: Timestamp) -> bool {
        self.hand = if self.hand.is_none() { Some(now) } else { None };
        self.hand.is_some()
    }

    /// Lowers their hand. Returns whether it was up.
    pub(crate) fn lower_hand(&mut self) -> bool {
        self.hand.take().is_some()
    }

    /// Whether an administrator lets them speak in their room, though it is paused.
    pub(crate) fn has_floor(&self) -> bool {
        self.has_floor
    }

    /// Gives them the floor, or takes it back. Returns whether they had it.
    pub(crate) fn set_floor(&mut self, has_floor: bool) -> bool {
        std::mem::replace(&mut self.has_floor, has_floor)
    }

    /// Why they are away.
    pub(crate) fn away(&self) -> Option<&str> {
        self.away.as_deref()
    }

    /// Sets why they are away; `None`: they are back. Returns the reason before.
    pub(crate) fn set_away(&mut self, why: Option<String>) -> Option<String> {
        std::mem::replace(&mut self.away, why)
    }

    /// Whether they have said goodbye while the server closes. They still read what the others say.
    pub(super) fn has_said_goodbye(&self) -> bool {
        self.said_goodbye
    }

    /// See [`Member::has_said_goodbye`].
    pub(super) fn say_goodbye(&mut self) {
        self.said_goodbye = true;
    }

    /// Notes whether the sanction that they tried last was of their own address. Returns whether it was so
    /// before, too: then they mean it.
    pub(crate) fn warn_of_own_address(&mut self, is_own: bool) -> bool {
        std::mem::replace(&mut self.warned_of_own_address, is_own)
    }

    // --- Private lines ---

    /// What they wrote and were told in private.
    pub(crate) fn private(&self) -> &Scrollback {
        &self.private
    }

    pub(crate) fn private_mut(&mut self) -> &mut Scrollback {
        &mut self.private
    }

    /// Who wrote to them last.
    pub(crate) fn reply_to(&self) -> Option<&ReplyTo> {
        self.reply_to.as_deref()
    }

    /// Notes who wrote to them.
    pub(crate) fn set_reply_to(&mut self, author: ReplyTo) {
        self.reply_to = Some(Box::new(author));
    }

    // --- What they want to read ---

    /// What they want to be told when they enter a room.
    pub(crate) fn asks_since(&mut self) -> &mut Option<Box<Since>> {
        &mut self.asks_since
    }

    /// Turns a preference on or off; `None`: to the other of the two. Returns whether it is on now.
    pub(crate) fn set(&mut self, preference: Preference, on: Option<bool>) -> bool {
        let setting = match preference {
            Preference::Quiet => &mut self.quiet,
            Preference::Timestamps => &mut self.timestamps,
            Preference::Echo => &mut self.echo,
        };
        *setting = on.unwrap_or(!*setting);
        *setting
    }

    pub(crate) fn has(&self, preference: Preference) -> bool {
        match preference {
            Preference::Quiet => self.quiet,
            Preference::Timestamps => self.timestamps,
            Preference::Echo => self.echo,
        }
    }

    /// Whether they do not want every line of their room as it is.
    pub(super) fn is_filtered(&self) -> bool {
        self.quiet || self.timestamps || !self.ignored.is_empty()
    }

    pub(crate) fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    pub(crate) fn ignored_mut(&mut self) -> &mut Vec<Ignored> {
        &mut self.ignored
    }
}
