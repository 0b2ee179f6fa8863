//! Everybody's state: who is here, under which name, in which room.
//!
//! The second part of the core. It must be quick, and it needs one order: the driver (the fan-out
//! thread, or an event loop) applies one event after the other, and what any two clients both read,
//! they read in that order. What clients are to read gathers in `output`; what has to be written
//! first gathers in `pending`.
//!
//! A *client* is a connection; a *member* is a client with a name. Commands are run in
//! [`commands`](super::commands).

pub(crate) mod accounts;
mod batch;
pub(crate) mod class;
pub(in crate::core) mod clients;
pub(crate) mod coming_back;
mod config;
pub(crate) mod handover;
pub(crate) mod identity;
mod keys;
pub(crate) mod lasting;
mod left_muted;
pub(crate) mod member;
mod members;
mod name_index;
mod output;
pub(crate) mod pending;
pub(crate) mod presence;
pub(crate) mod programs;
pub(crate) mod quiz;
pub(crate) mod resumable;
pub(crate) mod room;
mod room_list;
mod sanctions;
pub(crate) mod scrollback;

pub use batch::Delivery;
pub use config::{Action, LogLine, RoomsConfig};
pub(crate) use keys::{ClientKey, RoomKey};
pub use room_list::ROOMS_MAX;

use super::{
    close_reason::CloseReason,
    event::{Answer, Talk},
    name::NameRule,
    notice::{Refusal, notice},
    record::{AccountId, Author, HistoryLine, LineId, Record, Snapshot},
    returning::TokenChange,
    sentences,
};
use accounts::Accounts;
use jiff::Timestamp;
use lasting::Lasting;
use left_muted::LeftMuted;
use member::{Member, Preference};
use members::Members;
use output::Output;
use pending::Pending;
use resumable::Resumable;
use room::{Lines, Room};
use room_list::RoomList;
use sanctions::Sanctions;
use serde::{Deserialize, Serialize};

/// The room where everybody starts.
pub(crate) const LOBBY: &str = "lobby";

/// It ties its parts together. Each of them looks after its own state; what needs several of them
/// is a method here.
#[derive(Serialize, Deserialize)]
pub(crate) struct Rooms {
    #[serde(skip)]
    config: RoomsConfig,
    now: Timestamp,
    members: Members,
    pub(in crate::core) rooms: RoomList,
    pub(in crate::core) accounts: Accounts,
    pub(in crate::core) sanctions: Sanctions,
    left_muted: LeftMuted,
    /// The highest number of a line that was deleted from the file, as far as that is known here.
    pub(in crate::core) deleted: LineId,
    pub(in crate::core) pending: Pending,
    pub(in crate::core) output: Output,
    pub(in crate::core) lasting: Lasting,
    pub(in crate::core) resumable: Resumable,
    /// What the driver has to do.
    #[serde(skip)]
    pub(in crate::core) actions: Vec<Action>,
    /// The server closes: departures are not announced.
    pub(in crate::core) is_closing: bool,
    /// While the server closes: a client that says goodbye does not wait for the others.
    closes_at_once: bool,
}

impl Rooms {
    /// An empty lobby, and what the store has of the rooms.
    pub(super) fn new(config: RoomsConfig, snapshot: Snapshot) -> Rooms {
        let lobby =
            config.names.check(LOBBY, "room's name").expect("lobby is a name by every rule");
        let mut rooms = Rooms {
            now: Timestamp::UNIX_EPOCH,
            members: Members::new(config.names),
            rooms: RoomList::new(&lobby),
            accounts: Accounts::new(config.names),
            sanctions: Sanctions::new(config.names),
            left_muted: LeftMuted::default(),
            deleted: LineId::default(),
            pending: Pending::new(config.keeps_talk),
            output: Output::new(config.zone.clone()),
            lasting: Lasting::default(),
            resumable: Resumable::default(),
            actions: Vec::new(),
            is_closing: false,
            closes_at_once: false,
            config,
        };
        rooms.actions.extend(out_of_reach(rooms.config.names, &snapshot).map(|text| {
            Action::Log(LogLine { event: "out_of_reach", text, ..LogLine::default() })
        }));
        rooms.lasting.is_large = snapshot.is_large;
        rooms.restore(snapshot);
        rooms
    }

    /// Takes in what the store has: at the start, and again (without rooms) when another process
    /// changed it.
    pub(super) fn restore(&mut self, snapshot: Snapshot) {
        self.pending.skip_lines(snapshot.last_line);
        // If another file has replaced this one, the same number may be somebody else's account.
        let logged_in = self.members.iter().filter_map(|(key, m)| Some((key, m.account()?)));
        let names: Vec<(ClientKey, AccountId, Option<String>)> = logged_in
            .map(|(key, id)| (key, id, self.accounts.key_of(id).map(str::to_owned)))
            .collect();
        let reserved = self.pending.reserved();
        let Snapshot { accounts, guest_mail, last_account, .. } = snapshot;
        self.accounts.replace(accounts, guest_mail, last_account, reserved);
        self.sanctions.replace(snapshot.sanctions, self.pending.sanctions());
        let changed = self.accounts.replace_passwords(snapshot.passwords);
        for token in changed.iter().flat_map(|&id| self.resumable.forget_account(id)) {
            self.pending.record_token(self.now, TokenChange::Ended(token));
        }
        for (client, id, key) in names {
            if key.is_none() || self.accounts.key_of(id) != key.as_deref() {
                self.log_out(client, key.as_deref());
                self.tell(client, &notice(sentences::ACCOUNT_IS_GONE));
            } else if changed.contains(&id) {
                self.kick(client, CloseReason::PasswordChanged);
            }
        }
        self.deleted = self.deleted.max(snapshot.forgotten);
        // Somebody has deleted what is old, and it is remembered here.
        self.rooms.iter_mut().for_each(|room| room.forget(snapshot.forgotten));
        self.members.forget_private(snapshot.forgotten);
        self.send_banned_away();
        let (rooms, others) = (snapshot.rooms, snapshot.other_settings);
        self.rooms.restore(rooms, others, self.config.names, self.now);
    }

    // --- What commands look at ---

    pub(crate) fn config(&self) -> &RoomsConfig {
        &self.config
    }

    /// The time of the event that is being applied.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    pub(crate) fn members_mut(&mut self) -> &mut Members {
        &mut self.members
    }

    pub(crate) fn room_of(&self, client: ClientKey) -> &Room {
        &self.rooms[self.members[client].room().unwrap_or(self.rooms.lobby())]
    }

    /// Sets or clears a setting of a member's room. It lasts, as what is said there does, also while
    /// nobody is there.
    ///
    /// # Errors
    /// There are too many rooms with settings.
    pub(crate) fn set_setting(
        &mut self,
        by: ClientKey,
        name: &'static str,
        text: Option<String>,
    ) -> Result<(), Refusal> {
        let Some(room) = self.members[by].room() else { return Ok(()) };
        if text.is_some() {
            self.rooms.may_set(room, self.is_admin(by))?;
        }
        let value = text.map(|text| (text, self.members[by].author()));
        self.rooms[room].set_setting(name, value, self.now, &mut self.pending);
        Ok(())
    }

    /// Remembers lines of a member's room that the store has. `is_all`: as many as are remembered, or
    /// all there are.
    pub(crate) fn remember_older(
        &mut self,
        client: ClientKey,
        lines: Vec<HistoryLine>,
        is_all: bool,
    ) {
        if let Some(room) = self.members[client].room() {
            self.rooms[room].remember_older(&lines, is_all);
        }
    }

    /// Takes lines out of the past of a member's room.
    pub(crate) fn remove_lines(&mut self, by: ClientKey, lines: Vec<LineId>) {
        let Rooms { members, rooms, pending, .. } = self;
        if let Some(room) = members[by].room() {
            rooms[room].remove_lines(lines, self.now, pending);
        }
    }

    // --- Who may speak ---

    /// Whether a member may say something to their room.
    pub(crate) fn may_speak(&self, client: ClientKey) -> Result<(), Refusal> {
        let room = self.room_of(client);
        if self.sanctions.is_empty() && !room.is_paused() {
            return Ok(()); // the usual case
        }
        self.may_write(client)?;
        if !room.is_paused() || self.members[client].has_floor() || self.is_admin(client) {
            return Ok(());
        }
        let name = room.name();
        Err(format!(
            "{name} is paused: only administrators speak, and whoever they give the floor. /hand raises your hand."
        )
        .into())
    }

    /// Whether a member may write anything that others read.
    pub(crate) fn may_write(&self, client: ClientKey) -> Result<(), Refusal> {
        let Some(mute) = self.mute_of(client) else { return Ok(()) };
        let why = mute.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        Err(format!("You are muted by {}{}{why}.", mute.by, self.config.until(mute.until)).into())
    }

    // --- Telling ---

    /// Applies talk: `client`, who is a member, says lines to their room.
    pub(super) fn say(&mut self, client: ClientKey, mut talk: Talk) {
        self.members[client].touch(self.now);
        if let Err(refusal) = self.may_speak(client) {
            let Refusal::Because(sentence) = refusal else { return };
            return self.tell(client, &notice(format_args!("{sentence} That was not said.")));
        }
        let label = self.person(client).label();
        if let Some(label) = &label {
            talk.relabel(self.members[client].name(), label);
        }
        let Rooms { members, rooms, pending, output, .. } = self;
        if let Some(room) = members[client].room() {
            rooms[room].say(talk, (client, label), self.now, members, pending, output);
        }
    }

    /// Shows a line to one client.
    pub(crate) fn tell(&mut self, client: ClientKey, line: &str) {
        let Some(member) = self.members.get(client) else { return };
        let stamped = member.has(Preference::Timestamps);
        self.output.tell(client, member.room(), line, stamped);
    }

    /// Answers what a client asked.
    pub(crate) fn answer(&mut self, client: ClientKey, answer: Answer) {
        let room = self.members.get(client).and_then(Member::room);
        self.output.answer(client, room, answer);
    }

    /// Shows lines to everybody in the room of `member`.
    pub(crate) fn tell_room(&mut self, member: ClientKey, lines: &Lines<'_>) {
        if let Some(room) = self.members.get(member).and_then(Member::room) {
            self.rooms[room].tell(lines, &self.members, &mut self.output);
        }
    }

    /// Shows a line of the server's to everybody.
    pub(crate) fn tell_everybody(&mut self, line: &str) {
        for room in self.rooms.iter() {
            room.tell(&Lines::of_server(line), &self.members, &mut self.output);
        }
    }

    /// Shows an announcement to everybody, as said in each room.
    pub(crate) fn announce(&mut self, author: &Author, line: &str) {
        let Rooms { rooms, members, pending, output, .. } = self;
        for room in rooms.iter_mut() {
            room.announce(author, line, self.now, members, pending, output);
        }
    }

    // --- The driver ---

    /// Sets the time of the next event.
    pub(super) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        self.output.set_now(now);
    }

    /// Ends the batch that gathers, and returns its records.
    pub(super) fn seal(&mut self) -> Vec<Record> {
        debug_assert!(!self.output.is_sealed(), "the batch before it is not delivered yet");
        let last = self.pending.last_line();
        self.output.seal(last, |room| self.rooms.members_of(room));
        self.pending.seal()
    }
}

/// For the operator: what nobody can enter, because the file is from a server with other rules for
/// names.
fn out_of_reach(names: NameRule, snapshot: &Snapshot) -> Option<String> {
    let is_out = |name: &&str| names.check(name, "name").is_err();
    let accounts = snapshot.accounts.iter().map(|account| account.name.as_str());
    let rooms = snapshot.rooms.iter().map(|room| room.name.as_str());
    let [accounts, rooms] = [accounts.filter(is_out).count(), rooms.filter(is_out).count()];
    (accounts + rooms > 0).then(|| {
        format!(
            "out of reach without --unicode-names, because of their names: accounts: {accounts}, rooms: {rooms} (of the {ROOMS_MAX} spoken in last)"
        )
    })
}
