//! Coming, moving, leaving: who is in which room, and who is told. Also the shutdown, when everybody
//! leaves.

use super::{
    ClientKey, RoomKey, Rooms, class,
    coming_back::{end_token, gone, keep, leaving},
    identity::{forget_mute, note_leaver},
    member::{Member, Preference},
    programs::note_to,
    resumable::Gone,
    room::Lines,
};
use crate::core::{
    close_reason::CloseReason,
    event::Answer,
    name::Name,
    notes,
    notice::{Refusal, notice},
    sentences,
};

impl Rooms {
    /// Lets a client with a name into a room; `None`: into the lobby.
    pub(crate) fn add_member(
        &mut self,
        client: ClientKey,
        mut member: Member,
        room: Option<RoomKey>,
    ) {
        member.set_unchecked(self.lasting.names_are_unchecked && member.account().is_none());
        self.members.insert(client, member);
        self.move_in(client, room.unwrap_or(self.rooms.lobby()));
    }

    /// Moves a member to the room of this name, which is made if it is missing.
    pub(crate) fn move_to(&mut self, client: ClientKey, name: &Name) -> Result<(), Refusal> {
        let room = self.rooms.find_or_add(name, self.now)?;
        if self.members[client].room() == Some(room) {
            return Err(format!("You are in {} already.", self.rooms[room].name()).into());
        }
        let why = match self.may_speak(client) {
            Ok(()) => sentences::went_to(self.rooms[room].name()),
            Err(_) => sentences::CHANGED_ROOMS.to_owned(), // the room's name is their word
        };
        self.move_out(client, &why);
        self.move_in(client, room);
        Ok(())
    }

    /// Whether others in `room` are not told that `client` comes, goes or has another name: while a
    /// room is paused, its administrators alone are told this of those who may not speak there. It
    /// would let them write names and reasons.
    fn is_unseen(&self, client: ClientKey, room: RoomKey) -> bool {
        let may_speak = || self.is_admin(client) || self.members[client].has_floor();
        self.rooms[room].is_paused() && !may_speak()
    }

    /// Tells a room that `client` comes, goes or has another name; if that is unseen, its
    /// administrators alone.
    fn tell_presence(
        &mut self,
        client: ClientKey,
        room: RoomKey,
        (line, note): (&str, Option<String>),
        is_unseen: bool,
    ) {
        if !is_unseen {
            let presence = Lines::of_presence(line, client);
            note.iter().for_each(|note| self.output.note(room, note));
            return self.rooms[room].tell(&presence, &self.members, &mut self.output);
        }
        for reader in self.rooms[room].members().to_vec() {
            if let (true, Some(note)) = (self.is_admin(reader), &note) {
                note_to(self, reader, note);
            }
            let is_hidden = reader == client
                || self.members[reader].has(Preference::Quiet)
                || self.members.ignores(reader, client);
            if self.is_admin(reader) && !is_hidden {
                self.tell(reader, line);
            }
        }
    }

    /// Gives a member another name, and tells their room.
    pub(crate) fn rename(&mut self, client: ClientKey, name: Name) {
        let before = self.members[client].shown().into_owned();
        let note = self.output.has_note_readers().then(|| {
            let before = self.members[client].name().shown();
            notes::renamed(before, name.shown())
        });
        self.members.rename(client, name);
        forget_mute(self, client);
        let is_unchecked =
            self.lasting.names_are_unchecked && self.members[client].account().is_none();
        self.members[client].set_unchecked(is_unchecked);
        let line = notice(sentences::renamed(&before, &self.members[client].shown()));
        if let Some(room) = self.members[client].room() {
            let is_unseen = self.is_unseen(client, room);
            self.tell_presence(client, room, (&line, note), is_unseen);
        }
    }

    /// Tells the members of a room that `client` comes, then adds `client`.
    fn move_in(&mut self, client: ClientKey, room: RoomKey) {
        let before = self.members[client].room();
        let name = self.members[client].shown();
        let line = notice(sentences::entered(&name, self.rooms[room].name()));
        let is_unseen = self.is_unseen(client, room);
        let note = self
            .output
            .has_note_readers()
            .then(|| notes::came(self.members[client].name().shown()));
        self.tell_presence(client, room, (&line, note), is_unseen);
        self.output.enter(client, before, Some(room));
        self.members[client].set_room(Some(room));
        self.rooms[room].add(client, &self.members[client]);
    }

    /// Takes a member out of their room, and tells those who stay.
    fn move_out(&mut self, client: ClientKey, why: &str) {
        let Some(room) = self.members[client].room() else { return };
        let is_unseen = self.is_unseen(client, room);
        self.output.enter(client, Some(room), None);
        if self.rooms[room].remove(client, self.now) {
            class::show(self, room, false);
        }
        self.members[client].set_room(None);
        let name = self.members[client].shown();
        let line = notice(sentences::left(&name, self.rooms[room].name(), why));
        let note = self
            .output
            .has_note_readers()
            .then(|| notes::left(self.members[client].name().shown()));
        self.tell_presence(client, room, (&line, note), is_unseen);
    }

    /// A client's session has ended. They are answered, whether they were a member or not.
    pub(in crate::core) fn depart(&mut self, client: ClientKey, reason: &CloseReason) {
        // The driver calls `close` when it learns of the shutdown, and this event may come first.
        self.is_closing |= *reason == CloseReason::Shutdown;
        let Some(member) = self.members.get_mut(client) else {
            self.output.answer(client, None, Answer::default());
            return self.output.end(client);
        };
        if self.is_closing {
            member.say_goodbye();
            if let CloseReason::Quit(_) = reason {
                end_token(self, client); // the others may come back to the next server
            }
            return self.release_departed();
        }
        self.answer(client, Answer::default());
        let why = match reason {
            CloseReason::Quit(Some(why)) if self.may_speak(client).is_ok() => {
                format!("quit: {why}")
            }
            CloseReason::Quit(_) => "quit".to_owned(),
            other => other.to_others().to_owned(),
        };
        note_leaver(self, client);
        let leaving = leaving(self, client);
        self.move_out(client, &why);
        let member = self.members.remove(client);
        match (member, reason) {
            (_, CloseReason::Quit(_)) | (None, _) => end_token(self, client),
            (Some(member), _) => keep(self, client, member, leaving),
        }
        self.output.end(client);
    }

    /// Notes whether a member wants every line of their room as it is.
    pub(crate) fn refilter(&mut self, client: ClientKey) {
        if let Some(room) = self.members[client].room() {
            self.rooms[room].set_filtered(client, &self.members[client]);
        }
    }

    /// Sends a member away: they leave the room at once, and are hung up after this batch.
    pub(crate) fn kick(&mut self, client: ClientKey, reason: CloseReason) {
        end_token(self, client);
        if self.members[client].has_said_goodbye() {
            return;
        }
        note_leaver(self, client);
        self.move_out(client, reason.to_others());
        self.output.close(client, None, reason);
        self.output.set_reads_notes(client, false);
        self.members.remove(client);
    }

    /// Lets those leave who said goodbye during the shutdown: once everybody has, or at once if the
    /// shutdown is late.
    fn release_departed(&mut self) {
        if !self.closes_at_once && self.members.iter().any(|(_, member)| !member.has_said_goodbye())
        {
            return;
        }
        let members = self.members.iter().filter(|(_, member)| member.has_said_goodbye());
        let departed: Vec<ClientKey> = members.map(|(key, _)| key).collect();
        for client in departed {
            self.answer(client, Answer::default());
            if let Some(room) = self.members[client].room() {
                self.output.enter(client, Some(room), None);
                self.rooms[room].remove(client, self.now);
            }
            self.members.remove(client);
            self.output.end(client);
        }
    }

    /// See [`Chat::close`](crate::core::Chat::close); with `at_once`, see
    /// [`Chat::close_at_once`](crate::core::Chat::close_at_once).
    pub(in crate::core) fn close(&mut self, at_once: bool) {
        self.is_closing = true;
        self.closes_at_once |= at_once;
        self.release_departed();
    }
}

/// Takes a member out who comes back by another connection, as they are. This one is hung up.
pub(crate) fn take_over(rooms: &mut Rooms, client: ClientKey, reason: CloseReason) -> Option<Gone> {
    let leaving = leaving(rooms, client);
    rooms.move_out(client, reason.to_others());
    rooms.output.close(client, None, reason);
    rooms.output.set_reads_notes(client, false);
    end_token(rooms, client);
    let now = rooms.now;
    rooms.members.remove(client).map(|member| gone(now, client, member, leaving))
}
