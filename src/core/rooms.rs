//! Everybody's state: who is here, under which name, in which room, and who is told what.
//!
//! The second of the core's two machines. It must be quick, and it needs one order: whoever drives it (the fan-out
//! thread; a select loop) applies one event after the other, and what any two clients both read they read in that
//! order. [`Rooms::apply`] takes an event and lays out what it tells to whom; [`Rooms::flush`] hands each client what
//! it has to read, once for everything that was applied since. Commands are answered in `requests.rs`.
//!
//! Four words: a *client* is a connection, by number; a *member* is a client with a name; a *slot* is a member's or a
//! room's place in its table; `H` is the driver's *handle* of a client, carried along and never looked into.
//!
//! Knows no I/O.

use super::{
    event::{Answer, ClientId, Event, Question, Talk},
    farewell::Farewell,
    name::{Name, NameRule},
    past::{self, Past},
    view::{Piece, Place, Source, Stream, View},
};
use jiff::{Timestamp, tz::TimeZone};
use slab::Slab;
use std::collections::HashMap;

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
}

/// What one client has to read now: `before`, then the answer to its question if there is one, then `after`.
pub struct Delivery<'a> {
    /// Pieces to send one after the other.
    pub before: &'a [&'a [u8]],
    /// What it asked for. It may be long, and is the driver's to write with back-pressure.
    pub answer: Option<Answer>,
    /// What was said since the answer was made.
    pub after: &'a [&'a [u8]],
    /// Lines in `before` and `after`.
    pub lines: usize,
}

/// The room of a member that is between two rooms.
const NO_ROOM: usize = usize::MAX;

/// Everybody's state.
pub struct Rooms<H> {
    pub(super) config: RoomsConfig,
    pub(super) members: Slab<Member<H>>,
    pub(super) rooms: Slab<Room>,
    /// By connection number.
    by_client: HashMap<ClientId, usize>,
    /// By name's key. A name is free as soon as it is out of here.
    pub(super) by_name: HashMap<String, usize>,
    /// By name's key.
    pub(super) room_by_name: HashMap<String, usize>,
    pub(super) now: Timestamp,
    lobby: usize,
    closing: bool,
    batch: Batch<H>,
}

/// What was applied since the last flush.
struct Batch<H> {
    number: u64,
    /// Rooms with something in their stream.
    talking: Vec<usize>,
    /// Members whose view differs from their room's whole stream.
    particular: Vec<usize>,
    /// Lines for single clients.
    direct: Vec<u8>,
    /// The `[12:30] ` of this batch, in `direct`, once somebody wants it.
    stamp: Option<std::ops::Range<usize>>,
    /// Answers to clients that are no members.
    answers_to_strangers: Vec<(H, Answer)>,
}

/// One client that has a name.
pub(super) struct Member<H> {
    handle: H,
    pub client: ClientId,
    pub name: Name,
    pub room: usize,
    pub since: Timestamp,
    pub active: Timestamp,
    pub away: Option<String>,
    /// Who wrote to it last: the client, for names change hands.
    pub correspondent: Option<Box<(ClientId, Name)>>,
    pub ignored: Vec<Ignored>,
    pub quiet: bool,
    pub timestamps: bool,
    pub echo: bool,
    view: View,
    /// Number of the last batch in which it was [`Batch::particular`].
    particular_in: u64,
    stay: Stay,
}

/// How far a member's leaving has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stay {
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
    pub topic: Option<(String, String)>,
    pub members: Vec<usize>,
    /// Those of the members who do not want every line as it is: `/timestamps`, `/quiet`, `/ignore`.
    choosy: Vec<usize>,
    pub past: Past,
    stream: Stream,
    /// When it was last left by its last member.
    emptied: Timestamp,
}

/// Whole lines for a room.
pub(super) struct Lines<'a> {
    pub text: &'a str,
    pub count: usize,
    /// Whose doing they are: who ignores it does not read them.
    pub author: usize,
    /// Whether the author reads them too, if it is there.
    pub to_author: bool,
    /// Whether they are about who comes and goes: then who is quiet does not read them.
    pub is_presence: bool,
}

impl<H: Clone> Rooms<H> {
    /// An empty lobby.
    pub fn new(config: RoomsConfig) -> Self {
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
            batch: Batch {
                number: 1,
                talking: Vec::new(),
                particular: Vec::new(),
                direct: Vec::new(),
                stamp: None,
                answers_to_strangers: Vec::new(),
            },
        };
        let lobby = rooms.config.names.check(LOBBY, "room's name").expect("lobby is a name by every rule");
        rooms.lobby = rooms.add_room(&lobby);
        rooms
    }

    /// Bytes laid out since the last flush: when they are many, it is time for one.
    pub fn laid_out(&self) -> usize {
        let talked: usize = self.batch.talking.iter().map(|&room| self.rooms[room].stream.bytes.len()).sum();
        talked + self.batch.direct.len()
    }

    /// Applies one event of `client`, whose handle this is, at `now`.
    pub fn apply(&mut self, now: Timestamp, client: ClientId, handle: &H, event: Event) {
        self.now = now;
        let member = self.by_client.get(&client).copied();
        match (event, member) {
            (Event::Say(talk), Some(member)) => self.say(member, &talk),
            (Event::Ask(Question::Enter(name)), None) => self.enter(client, handle, name),
            (Event::Ask(question), Some(member)) => {
                self.members[member].active = now;
                let answer = self.answer_to(member, question);
                self.tell_answer(member, answer);
            }
            (Event::Depart(farewell), Some(member)) => self.depart(member, &farewell),
            // Whoever has no name yet says nothing and goes unnoticed.
            (Event::Say(_), None) => {}
            (Event::Ask(_) | Event::Depart(_), None) => {
                self.batch.answers_to_strangers.push((handle.clone(), Answer::default()))
            }
        }
    }

    /// From now on goodbyes are not announced, and nobody is let go before everybody has said goodbye: so whatever
    /// was accepted from one client before the end reaches all the others.
    pub fn close(&mut self) {
        self.closing = true;
        self.release_departed(false);
    }

    /// Lets go of all who said goodbye, without waiting for the others any longer.
    pub fn close_at_once(&mut self) {
        self.closing = true;
        self.release_departed(true);
    }

    /// Hands out what was laid out since the last flush: `deliver` is called at most once for each client.
    pub fn flush(&mut self, mut deliver: impl FnMut(&H, Delivery<'_>)) {
        for (handle, answer) in self.batch.answers_to_strangers.drain(..) {
            deliver(&handle, Delivery { before: &[], answer: Some(answer), after: &[], lines: 0 });
        }
        self.flush_particular(&mut deliver);
        self.flush_rooms(&mut deliver);
        self.batch.direct.clear();
        self.batch.stamp = None;
        self.batch.number += 1;
    }

    /// Those with a view of their own.
    fn flush_particular(&mut self, deliver: &mut impl FnMut(&H, Delivery<'_>)) {
        let mut slices: Vec<&[u8]> = Vec::new();
        for slot in self.batch.particular.drain(..) {
            let member = &mut self.members[slot];
            if member.stay != Stay::Gone {
                member.view.keep_to(member.room, self.rooms[member.room].stream.end());
            }
            slices.clear();
            for Piece { source, range, .. } in &member.view.pieces {
                slices.push(match *source {
                    Source::Room(room) => &self.rooms[room].stream.bytes[range.clone()],
                    Source::Direct => &self.batch.direct[range.clone()],
                });
            }
            let lines = member.view.pieces.iter().map(|piece| piece.lines).sum();
            let (cut, answer) = match member.view.answer.take() {
                Some((cut, answer)) => (cut, Some(*answer)),
                None => (slices.len(), None),
            };
            let (before, after) = slices.split_at(cut);
            deliver(&member.handle, Delivery { before, answer, after, lines });
            member.view.clear();
            if member.stay == Stay::Gone {
                self.members.remove(slot);
            }
        }
    }

    /// Everybody else: the whole stream of their room, as it stands. This is the loop that costs.
    fn flush_rooms(&mut self, deliver: &mut impl FnMut(&H, Delivery<'_>)) {
        for room in self.batch.talking.drain(..) {
            let Room { members, stream, .. } = &mut self.rooms[room];
            for &member in members.iter() {
                let member = &self.members[member];
                if member.particular_in != self.batch.number {
                    let whole = [&stream.bytes[..]];
                    deliver(&member.handle, Delivery { before: &whole, answer: None, after: &[], lines: stream.lines });
                }
            }
            stream.bytes.clear();
            stream.lines = 0;
        }
    }

    // --- Who is told what ---

    fn say(&mut self, author: usize, talk: &Talk) {
        let member = &mut self.members[author];
        member.active = self.now;
        let (room, to_author) = (member.room, member.echo);
        self.tell_room(room, Lines { text: &talk.text, count: talk.lines, author, to_author, is_presence: false });
        self.rooms[room].past.remember(self.now, &talk.text, talk.lines);
    }

    /// Lays out whole lines in a room's stream: everybody there reads them, but for the author and the choosy.
    pub(super) fn tell_room(&mut self, room: usize, lines: Lines<'_>) {
        let stream = &mut self.rooms[room].stream;
        if stream.lines == 0 {
            self.batch.talking.push(room);
        }
        let from = stream.end();
        stream.bytes.extend_from_slice(lines.text.as_bytes());
        stream.lines += lines.count;
        let to = stream.end();

        let author_is_here = self.members[lines.author].room == room && self.members[lines.author].stay != Stay::Gone;
        if author_is_here && !lines.to_author {
            self.view(lines.author).skip(room, from, to);
        }
        for i in 0..self.rooms[room].choosy.len() {
            let reader = self.rooms[room].choosy[i];
            if reader != lines.author || lines.to_author {
                self.tell_choosy(reader, &lines, from, to);
            }
        }
    }

    /// One choosy reader's view of the lines just laid out.
    fn tell_choosy(&mut self, reader: usize, lines: &Lines<'_>, from: Place, to: Place) {
        let Member { room, quiet, timestamps, .. } = self.members[reader];
        if (lines.is_presence && quiet) || self.ignores(reader, lines.author) {
            return self.view(reader).skip(room, from, to);
        }
        if timestamps {
            let mut place = from;
            for line in lines.text.split_inclusive('\n') {
                let stamp = self.stamp();
                self.view(reader).insert(room, place, stamp);
                place = Place { at: place.at + line.len(), lines: place.lines + 1 };
            }
        }
    }

    /// Lays out a line for one client, after all that its room has said so far.
    pub(super) fn tell(&mut self, reader: usize, line: &str) {
        let Member { room, timestamps, .. } = self.members[reader];
        let place = self.rooms[room].stream.end();
        if timestamps {
            let stamp = self.stamp();
            self.view(reader).insert(room, place, stamp);
        }
        let piece = self.lay_out_direct(line, 1);
        self.view(reader).insert(room, place, piece);
    }

    fn tell_answer(&mut self, reader: usize, answer: Answer) {
        let room = self.members[reader].room;
        let place = self.rooms[room].stream.end();
        self.view(reader).insert_answer(room, place, answer);
    }

    fn stamp(&mut self) -> Piece {
        let range = match self.batch.stamp.clone() {
            Some(range) => range,
            None => self.lay_out_direct(&past::stamp(self.now, &self.config.zone), 0).range,
        };
        self.batch.stamp = Some(range.clone());
        Piece { source: Source::Direct, range, lines: 0 }
    }

    fn lay_out_direct(&mut self, text: &str, lines: usize) -> Piece {
        let start = self.batch.direct.len();
        self.batch.direct.extend_from_slice(text.as_bytes());
        Piece { source: Source::Direct, range: start..self.batch.direct.len(), lines }
    }

    /// A member's view, which from now on differs from its room's stream.
    fn view(&mut self, member: usize) -> &mut View {
        let slot = member;
        let member = &mut self.members[slot];
        if member.particular_in != self.batch.number {
            member.particular_in = self.batch.number;
            self.batch.particular.push(slot);
        }
        &mut member.view
    }

    // --- Who is where ---

    fn enter(&mut self, client: ClientId, handle: &H, name: Name) {
        if self.closing {
            let text = "The server is shutting down.".to_owned();
            return self.batch.answers_to_strangers.push((handle.clone(), Answer { text, name: None }));
        }
        if let Err(text) = self.name_is_free(&name, None) {
            return self.batch.answers_to_strangers.push((handle.clone(), Answer { text, name: None }));
        }
        let slot = self.members.insert(Member {
            handle: handle.clone(),
            client,
            name: name.clone(),
            room: NO_ROOM,
            since: self.now,
            active: self.now,
            away: None,
            correspondent: None,
            ignored: Vec::new(),
            quiet: false,
            timestamps: false,
            echo: false,
            view: View::default(),
            particular_in: 0,
            stay: Stay::Here,
        });
        self.by_client.insert(client, slot);
        self.by_name.insert(name.key().to_owned(), slot);
        self.move_in(slot, self.lobby);
        let text = self.describe_place(slot);
        self.tell_answer(slot, Answer { text, name: Some(name) });
    }

    /// Puts a member into a room, after telling those who are there. It reads the room's stream from here on: no
    /// line that was said before (those it is told as the past) and every line that is said after.
    pub(super) fn move_in(&mut self, member: usize, room: usize) {
        let line = format!("*** {} entered {}\n", self.members[member].name.shown(), self.rooms[room].name);
        self.tell_presence(room, member, &line);
        let place = self.rooms[room].stream.end();
        self.view(member).move_to(place);
        self.members[member].room = room;
        self.rooms[room].members.push(member);
        self.set_choosy(member);
    }

    /// Takes a member out of its room and tells those who stay.
    pub(super) fn move_out(&mut self, member: usize, why: &str) {
        let room = self.members[member].room;
        let place = self.rooms[room].stream.end();
        self.view(member).keep_to(room, place);
        let Room { members, choosy, emptied, .. } = &mut self.rooms[room];
        members.retain(|&other| other != member);
        choosy.retain(|&other| other != member);
        *emptied = self.now;
        self.members[member].room = NO_ROOM;
        let line = format!("*** {} left {} ({why})\n", self.members[member].name.shown(), self.rooms[room].name);
        self.tell_presence(room, member, &line);
    }

    /// Tells a room that somebody comes or goes, who is not in it at this moment.
    fn tell_presence(&mut self, room: usize, author: usize, line: &str) {
        if !self.rooms[room].members.is_empty() {
            self.tell_room(room, Lines { text: line, count: 1, author, to_author: false, is_presence: true });
        }
    }

    fn depart(&mut self, member: usize, farewell: &Farewell) {
        if self.closing {
            self.members[member].stay = Stay::SaidGoodbye;
            return self.release_departed(false);
        }
        self.tell_answer(member, Answer::default());
        self.move_out(member, farewell.to_others());
        self.forget(member);
    }

    /// Frees the name at once; the slot when its last view was handed out.
    fn forget(&mut self, member: usize) {
        let Member { client, name, stay, .. } = &mut self.members[member];
        let client = *client;
        *stay = Stay::Gone;
        self.by_client.remove(&client);
        self.by_name.remove(name.key());
        for (_, other) in &mut self.members {
            for ignored in other.ignored.iter_mut().filter(|ignored| ignored.client == Some(client)) {
                ignored.client = None;
            }
        }
    }

    fn release_departed(&mut self, at_once: bool) {
        if !at_once && self.members.iter().any(|(_, member)| member.stay == Stay::Here) {
            return;
        }
        let said_goodbye = |(slot, member): (usize, &Member<H>)| (member.stay == Stay::SaidGoodbye).then_some(slot);
        let released: Vec<usize> = self.members.iter().filter_map(said_goodbye).collect();
        for member in released {
            let room = self.members[member].room;
            let place = self.rooms[room].stream.end();
            self.view(member).keep_to(room, place);
            self.tell_answer(member, Answer::default());
            self.rooms[room].members.retain(|&other| other != member);
            self.rooms[room].choosy.retain(|&other| other != member);
            self.forget(member);
        }
    }

    /// Whether `name` can be had by `asker` (who has another one now). The sentence says why not.
    pub(super) fn name_is_free(&self, name: &Name, asker: Option<usize>) -> Result<(), String> {
        let Some(&owner) = self.by_name.get(name.key()) else { return Ok(()) };
        let (wanted, owned) = (name.shown(), &self.members[owner].name);
        match () {
            () if Some(owner) == asker => Ok(()),
            () if name.is_same_word(owned) => Err(format!("The name \"{wanted}\" is taken.")),
            () => Err(format!("The name \"{wanted}\" looks like \"{}\", who is here.", owned.shown())),
        }
    }

    pub(super) fn set_name(&mut self, member: usize, name: Name) {
        let old = std::mem::replace(&mut self.members[member].name, name.clone());
        self.by_name.remove(old.key());
        self.by_name.insert(name.key().to_owned(), member);
    }

    /// The room of this name, made if it is not there.
    pub(super) fn find_or_add_room(&mut self, name: &Name) -> Result<usize, String> {
        if let Some(&room) = self.room_by_name.get(name.key()) {
            return Ok(room);
        }
        if self.rooms.len() >= ROOMS_MAX {
            self.drop_oldest_empty_room()?;
        }
        Ok(self.add_room(name))
    }

    fn add_room(&mut self, name: &Name) -> usize {
        let slot = self.rooms.insert(Room {
            name: name.shown().to_owned(),
            topic: None,
            members: Vec::new(),
            choosy: Vec::new(),
            past: Past::default(),
            stream: Stream::default(),
            emptied: self.now,
        });
        self.room_by_name.insert(name.key().to_owned(), slot);
        slot
    }

    fn drop_oldest_empty_room(&mut self) -> Result<(), String> {
        let is_spare =
            |(slot, room): &(usize, &Room)| *slot != self.lobby && room.members.is_empty() && room.stream.lines == 0;
        let Some((slot, _)) = self.rooms.iter().filter(is_spare).min_by_key(|(_, room)| room.emptied) else {
            return Err(format!("There are {ROOMS_MAX} rooms already, and somebody is in each of them."));
        };
        self.rooms.remove(slot);
        self.room_by_name.retain(|_, room| *room != slot);
        Ok(())
    }

    /// Notes whether a member wants every line of its room as it is, after it moved or changed its mind.
    pub(super) fn set_choosy(&mut self, slot: usize) {
        let member = &self.members[slot];
        let is_choosy = member.quiet || member.timestamps || !member.ignored.is_empty();
        let choosy = &mut self.rooms[member.room].choosy;
        choosy.retain(|&other| other != slot);
        if is_choosy {
            choosy.push(slot);
        }
    }

    /// Whether `reader` ignores `author`.
    pub(super) fn ignores(&self, reader: usize, author: usize) -> bool {
        let Member { client, name, .. } = &self.members[author];
        self.members[reader].ignored.iter().any(|ignored| match ignored.client {
            Some(ignored) => ignored == *client,
            None => ignored.name.key() == name.key(),
        })
    }

    /// The connected client of this number.
    pub(super) fn member_of(&self, client: ClientId) -> Option<usize> {
        self.by_client.get(&client).copied()
    }
}
