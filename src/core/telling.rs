//! Who is told what: how a line is laid out for a room, for the choosy, for one alone. Part of [`Rooms`].
//!
//! This is the way of every line that is said, so nothing here looks anybody up by name, and nothing is allocated for each
//! reader.

use super::{
    event::{Answer, ClientId, Talk},
    held::Deed,
    recall,
    record::{LineId, Party, What},
    rooms::{Lines, Member, Rooms, Stay},
    view::{Piece, Place, Source, View},
};
use jiff::Timestamp;

impl<H: Clone> Rooms<H> {
    pub(super) fn say(&mut self, author: usize, talk: Talk) {
        self.members[author].active = self.now;
        let room = self.members[author].room;
        if let Err(sentence) = self.may_speak(author) {
            return self.tell(author, &format!("*** {sentence} That was not said.\n"));
        }
        let id = self.take_line_ids(talk.lines);
        if !self.config.keeps_talk {
            return self.tell_talk(room, self.members[author].client, &talk, id, self.now);
        }
        let (room_name, party) = (self.rooms[room].name.clone(), self.party(author));
        let what = What::Said { id, room: room_name, author: party, text: talk.text.clone() };
        self.hold_deed(author, what, Deed::Say { room, talk, id });
    }

    /// Numbers for so many lines; the first of them is returned.
    pub(super) fn take_line_ids(&mut self, lines: usize) -> LineId {
        let first = self.last_line + 1;
        self.last_line += lines as LineId;
        first
    }

    /// Whoever says or reads something, for the record.
    pub(super) fn party(&self, member: usize) -> Party {
        let Member { name, account, .. } = &self.members[member];
        Party { name: name.shown().to_owned(), account: *account }
    }

    /// Lines that a client said in a room, at `at`. It may have left since.
    pub(super) fn tell_talk(
        &mut self,
        room: usize,
        client: ClientId,
        talk: &Talk,
        id: LineId,
        at: Timestamp,
    ) {
        let author = self.member_of(client);
        let to_author = author.is_some_and(|author| self.members[author].echo);
        self.tell_room(
            room,
            Lines { text: &talk.text, count: talk.lines, author, to_author, is_presence: false },
        );
        self.rooms[room].past.remember(id, at, &talk.text, talk.lines);
    }

    /// Tells everybody a line of the server's.
    pub fn tell_everybody(&mut self, line: &str) {
        for room in self.rooms.iter().map(|(slot, _)| slot).collect::<Vec<_>>() {
            self.tell_room_as_server(room, line);
        }
    }

    pub(super) fn tell_room_as_server(&mut self, room: usize, line: &str) {
        if !self.rooms[room].members.is_empty() {
            self.tell_room(
                room,
                Lines { text: line, count: 1, author: None, to_author: false, is_presence: false },
            );
        }
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

        let is_here = |author: &usize| {
            self.members[*author].room == room && self.members[*author].stay != Stay::Gone
        };
        if let Some(author) = lines.author.filter(is_here)
            && !lines.to_author
        {
            self.view(author).skip(room, from, to);
        }
        for i in 0..self.rooms[room].choosy.len() {
            let reader = self.rooms[room].choosy[i];
            if Some(reader) != lines.author || lines.to_author {
                self.tell_choosy(reader, &lines, from, to);
            }
        }
    }

    /// One choosy reader's view of the lines just laid out.
    fn tell_choosy(&mut self, reader: usize, lines: &Lines<'_>, from: Place, to: Place) {
        let Member { room, quiet, timestamps, .. } = self.members[reader];
        if (lines.is_presence && quiet)
            || lines.author.is_some_and(|author| self.ignores(reader, author))
        {
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

    pub(super) fn tell_answer(&mut self, reader: usize, answer: Answer) {
        let room = self.members[reader].room;
        let place = self.rooms[room].stream.end();
        self.view(reader).insert_answer(room, place, answer);
    }

    fn stamp(&mut self) -> Piece {
        let range = match self.batch.stamp.clone() {
            Some(range) => range,
            None => self.lay_out_direct(&recall::stamp(self.now, &self.config.zone), 0).range,
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
    pub(super) fn view(&mut self, member: usize) -> &mut View {
        let slot = member;
        let member = &mut self.members[slot];
        if member.particular_in != self.batch.number {
            member.particular_in = self.batch.number;
            self.batch.particular.push(slot);
        }
        &mut member.view
    }
}
