//! Everybody's state: who is here, under which name, in which room, and who is told what.
//!
//! The second of the core's two machines. It must be quick, and it needs one order: whoever drives it (the fan-out
//! thread; a select loop) applies one event after the other, and what any two clients both read they read in that
//! order. [`Rooms::apply`] takes an event and lays out what it tells to whom; [`Rooms::flush`] (`delivery.rs`) hands each
//! client what it has to read, once for everything that was applied since. What has to be written before it is shown
//! is held meanwhile (`held.rs`). Who comes, goes and moves is in `membership.rs`; commands are answered in
//! `requests.rs`, those of accounts, mail, administrators and a class in files of those names.
//!
//! Four words: a *client* is a connection, by number; a *member* is a client with a name; a *slot* is a member's or a
//! room's place in its table; `H` is the driver's *handle* of a client, carried along and never looked into.
//!
//! Knows no I/O.

use super::{
    accounts::Accounts,
    administration::Sanctions,
    event::{Answer, ClientId, Event, Question},
    held::{Held, too_late},
    name::{Name, NameRule},
    past::{self, Past},
    record::{AccountId, LineId, Party, Remembered},
    source::Source,
    view::{Stream, View},
};
use jiff::{Timestamp, tz::TimeZone};
use slab::Slab;
use std::{collections::HashMap, time::Duration};

/// The room where everybody starts.
pub const LOBBY: &str = "lobby";
/// Rooms at once; an empty one makes way for a new one. Bounds what is remembered (see `past.rs`).
pub const ROOMS_MAX: usize = 100;

/// What the rooms have to know of the server.
#[derive(Clone)]
pub struct RoomsConfig {
    /// Past lines told to a newcomer.
    pub backlog_lines: usize,
    /// Which names are allowed.
    pub names: NameRule,
    /// The zone of all times told.
    pub zone: TimeZone,
    /// Whether talk is written before it is shown. (Accounts, mail and sanctions always are.)
    pub keeps_talk: bool,
}

/// What the driver is told to do beside delivering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// To log this: who is who, and what administrators did.
    Log(String),
    /// To stop the server in so long.
    ShutDown(Duration),
    /// Not to stop it after all.
    CallOffShutDown,
}

/// The room of a member that is between two rooms.
pub(super) const NO_ROOM: usize = usize::MAX;

/// Everybody's state.
pub struct Rooms<H> {
    pub(super) config: RoomsConfig,
    pub(super) members: Slab<Member<H>>,
    pub(super) rooms: Slab<Room>,
    /// By connection number.
    pub(super) by_client: HashMap<ClientId, usize>,
    /// By name's key. A name is free as soon as it is out of here.
    pub(super) by_name: HashMap<String, usize>,
    /// By name's key.
    pub(super) room_by_name: HashMap<String, usize>,
    pub(super) now: Timestamp,
    pub(super) lobby: usize,
    pub(super) closing: bool,
    /// Nothing is held any more: nobody may have to wait for the disk.
    pub(super) is_late: bool,
    pub(super) batch: Batch<H>,
    pub(super) held: Held<H>,
    pub(super) accounts: Accounts,
    pub(super) sanctions: Sanctions,
    pub(super) orders: Vec<Order>,
    pub(super) last_line: LineId,
}

/// What was applied since the last flush.
pub(super) struct Batch<H> {
    pub(super) number: u64,
    /// Rooms with something in their stream.
    pub(super) talking: Vec<usize>,
    /// Members whose view differs from their room's whole stream.
    pub(super) particular: Vec<usize>,
    /// Lines for single clients.
    pub(super) direct: Vec<u8>,
    /// The `[12:30] ` of this batch, in `direct`, once somebody wants it.
    pub(super) stamp: Option<std::ops::Range<usize>>,
    /// Answers to clients that are no members.
    pub(super) answers_to_strangers: Vec<(ClientId, H, Answer)>,
}

/// One client that has a name.
pub(super) struct Member<H> {
    pub handle: H,
    pub client: ClientId,
    pub name: Name,
    pub room: usize,
    pub source: Source,
    /// Whose it is, if it is logged in.
    pub account: Option<AccountId>,
    pub since: Timestamp,
    pub active: Timestamp,
    /// What it wrote and was told in private.
    pub private: Past,
    /// Deeds of its own that wait for being written, and what it did behind them.
    pub held: usize,
    /// Since when it has its hand up.
    pub hand: Option<Timestamp>,
    pub away: Option<String>,
    /// Who wrote to it last: the client, for names change hands.
    pub correspondent: Option<Box<(ClientId, Name)>>,
    pub ignored: Vec<Ignored>,
    pub quiet: bool,
    pub timestamps: bool,
    pub echo: bool,
    pub view: View,
    /// Number of the last batch in which it was [`Batch::particular`].
    pub particular_in: u64,
    pub stay: Stay,
}

/// How far a member's leaving has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    Here,
    /// Only while the server is closing: it said goodbye, and still reads what the others say until they all have.
    SaidGoodbye,
    /// Out of its room, its name free; its last view is to be handed out, and then its slot is free, too.
    Gone,
}

/// Somebody whom a member ignores.
pub(super) struct Ignored {
    /// As it was called then.
    pub name: Name,
    /// While this client is connected it is the one, whatever it calls itself; after that, whoever has the name.
    pub client: Option<ClientId>,
}

/// One room.
pub(super) struct Room {
    pub name: String,
    /// What was set, and by whom.
    pub topic: Option<(String, Party)>,
    /// Only administrators and the topic's holder speak.
    pub is_paused: bool,
    pub members: Vec<usize>,
    /// Those of the members who do not want every line as it is: `/timestamps`, `/quiet`, `/ignore`.
    pub choosy: Vec<usize>,
    pub past: Past,
    /// Whether `past` is all there is, unless it is full.
    pub is_whole: bool,
    pub stream: Stream,
    /// When it was last left by its last member.
    pub emptied: Timestamp,
    /// Deeds that will be done here once they are written.
    pub held: usize,
}

/// Whole lines for a room.
pub(super) struct Lines<'a> {
    pub text: &'a str,
    pub count: usize,
    /// Whose doing they are: who ignores it does not read them. `None`: the server's, or somebody's who has left.
    pub author: Option<usize>,
    /// Whether the author reads them too, if it is there.
    pub to_author: bool,
    /// Whether they are about who comes and goes: then who is quiet does not read them.
    pub is_presence: bool,
}

impl<H: Clone> Rooms<H> {
    /// An empty lobby, and what is remembered of the rooms.
    pub fn new(config: RoomsConfig, remembered: Remembered) -> Self {
        let mut rooms = Rooms {
            config,
            members: Slab::new(),
            rooms: Slab::new(),
            by_client: HashMap::new(),
            by_name: HashMap::new(),
            room_by_name: HashMap::new(),
            now: Timestamp::UNIX_EPOCH,
            lobby: 0,
            closing: false,
            is_late: false,
            batch: Batch {
                number: 1,
                talking: Vec::new(),
                particular: Vec::new(),
                direct: Vec::new(),
                stamp: None,
                answers_to_strangers: Vec::new(),
            },
            held: Held::default(),
            accounts: Accounts::default(),
            sanctions: Sanctions::default(),
            orders: Vec::new(),
            last_line: 0,
        };
        let lobby =
            rooms.config.names.check(LOBBY, "room's name").expect("lobby is a name by every rule");
        rooms.lobby = rooms.add_room(&lobby);
        rooms.remember(remembered);
        rooms
    }

    /// Takes in what the memory knows: at the start, and again when another process has changed it. Rooms are taken in
    /// once, before anything was said.
    pub fn remember(&mut self, remembered: Remembered) {
        let Remembered { accounts, sanctions, rooms, last_line, last_account } = remembered;
        self.last_line = self.last_line.max(last_line);
        self.set_accounts(accounts, last_account);
        self.set_sanctions(sanctions);
        // Those that were spoken in last come first, and are the last to make way.
        for remembered in rooms.into_iter().rev() {
            let Ok(name) = self.config.names.check(&remembered.name, "room's name") else {
                continue;
            };
            let Ok(room) = self.find_or_add_room(&name) else { continue };
            let room = &mut self.rooms[room];
            room.topic = remembered.topic;
            room.past = Past::new(past::PAST_MAX, remembered.lines);
            room.is_whole = true;
        }
    }

    /// Tells everybody that what is said is not written, from when on and why.
    pub fn memory_fails(&mut self, why: &str, since: Timestamp) {
        let since = self.config.zone.to_datetime(since).strftime("%H:%M:%S").to_string();
        self.tell_everybody(&format!("*** The history is not written since {since}: {why}\n"));
    }

    /// Tells everybody that it is written again, and what is missing, if anything is.
    pub fn memory_is_back(&mut self, hole: Option<(Timestamp, Timestamp)>) {
        // Perhaps it could not be read before, or is another file: there may be more in it than the rooms remember.
        self.rooms.iter_mut().for_each(|(_, room)| room.is_whole = false);
        let time = |at: Timestamp| {
            self.config.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        let missing = match hole {
            None => "nothing is missing".to_owned(),
            Some((from, to)) => {
                format!("what was said from {} to {} is missing", time(from), time(to))
            }
        };
        self.tell_everybody(&format!("*** The history is written again; {missing}.\n"));
    }

    /// What the driver has to do.
    pub fn take_orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }

    /// Bytes laid out since the last flush: when they are many, it is time for one.
    pub fn laid_out(&self) -> usize {
        let talked: usize =
            self.batch.talking.iter().map(|&room| self.rooms[room].stream.bytes.len()).sum();
        talked + self.batch.direct.len()
    }

    /// Applies one event of `client`, whose handle this is, at `now`.
    pub fn apply(&mut self, now: Timestamp, client: ClientId, handle: &H, event: Event) {
        self.now = now;
        match self.member_of(client) {
            // Nobody overtakes himself. (Talk is decided on at once, and takes its place behind.)
            Some(member) if self.is_held(member) && !matches!(event, Event::Say(_)) => {
                self.hold_event(member, event)
            }
            _ => self.begin(client, handle, event),
        }
    }

    pub(super) fn begin(&mut self, client: ClientId, handle: &H, event: Event) {
        match (event, self.member_of(client)) {
            (Event::Say(talk), Some(member)) => self.say(member, talk),
            (Event::Ask(Question::Enter(entry)), None) => self.enter(client, handle, *entry),
            (Event::Ask(question), Some(member)) => {
                self.members[member].active = self.now;
                if let Some(answer) = self.answer_to(member, question) {
                    self.answer(client, handle, answer); // otherwise it comes when something is written
                }
            }
            (Event::Depart(farewell), Some(member)) => self.depart(member, &farewell),
            // Whoever has no name yet says nothing and goes unnoticed.
            (Event::Say(_), None) => {}
            (Event::Ask(question), None) => {
                let answer = self.answer_to_stranger(&question);
                self.batch.answers_to_strangers.push((client, handle.clone(), answer));
            }
            (Event::Depart(_), None) => {
                self.batch.answers_to_strangers.push((client, handle.clone(), Answer::default()))
            }
        }
    }

    /// From now on goodbyes are not announced, and nobody is let go before everybody has said goodbye: so whatever
    /// was accepted from one client before the end reaches all the others.
    pub fn close(&mut self) {
        self.closing = true;
        self.release_departed(false);
    }

    /// Lets go of all who said goodbye, without waiting for the others any longer. What is shown by that is still to be
    /// written, should the disk answer after all.
    pub fn close_at_once(&mut self) {
        self.closing = true;
        self.is_late = true;
        let mut shown = Vec::new();
        while self.holds_any() {
            shown.extend(
                self.take_records().into_iter().filter(|record| record.what.is_done_anyway()),
            );
            self.written(too_late());
            self.go_on(self.now, usize::MAX);
        }
        self.write_later(shown);
        self.release_departed(true);
    }
}
