//! Who is here, under which name, in which room: coming, going, moving. The second third of [`Rooms`].

use super::{
    event::{Answer, ClientId, Entry},
    farewell::Farewell,
    name::Name,
    past::{PAST_MAX, PRIVATE_MAX, Past},
    record::SanctionKind,
    rooms::{Lines, Member, NO_ROOM, ROOMS_MAX, Room, Rooms, Stay},
    view::{Stream, View},
};

impl<H: Clone> Rooms<H> {
    pub(super) fn enter(&mut self, client: ClientId, handle: &H, entry: Entry) {
        match self.refusal(&entry) {
            Some(answer) => self.batch.answers_to_strangers.push((client, handle.clone(), answer)),
            None => self.let_in(client, handle, entry),
        }
    }

    /// The answer to somebody who may not come in like this. (Whose account the name is has to show it.)
    fn refusal(&self, entry: &Entry) -> Option<Answer> {
        let hang_up = |farewell| Some(Answer { farewell: Some(farewell), ..Answer::default() });
        if self.closing {
            return Some(Answer::text("The server is shutting down."));
        }
        let named = self.accounts.named(&entry.name);
        let login = entry.login.as_ref().and_then(|login| self.accounts.get(login.account));
        if let Some(most) = entry.reserve_of
            && !named.is_some_and(|account| account.is_admin)
        {
            return hang_up(Farewell::Full(most));
        }
        if !login.is_some_and(|account| account.is_admin)
            && let Some(ban) = self.sanction(SanctionKind::Ban, &entry.name, Some(entry.source))
        {
            return hang_up(Farewell::Banned(self.describe_ban(ban)));
        }
        let shown = entry.name.shown();
        match (named, login) {
            (None, _) => self.name_is_free(&entry.name, None).err().map(Answer::text),
            (Some(named), Some(login)) if named.id == login.id => None,
            (Some(named), _) if named.name.to_lowercase() == shown.to_lowercase() => {
                Some(Answer { account: Some(named.id), ..Answer::default() })
            }
            (Some(named), _) => Some(Answer::text(format!(
                "The name \"{shown}\" looks like \"{}\", which is registered.",
                named.name
            ))),
        }
    }

    fn let_in(&mut self, client: ClientId, handle: &H, entry: Entry) {
        let Entry { name, source, login, .. } = entry;
        if let Some(login) = &login {
            self.make_way(&name, login.account, None, source);
            self.log_login(client, login.account);
        }
        let account = login.as_ref().map(|login| login.account);
        let slot = self.members.insert(Member {
            handle: handle.clone(),
            client,
            name: name.clone(),
            room: NO_ROOM,
            source,
            account,
            since: self.now,
            active: self.now,
            private: Past::new(PRIVATE_MAX, login.map(|login| login.private).unwrap_or_default()),
            held: 0,
            hand: None,
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
        let mail = self.describe_mail(slot);
        let place = self.describe_place(slot);
        let text = mail + &place.text;
        self.tell_answer(slot, Answer { text, name: Some(name), ..place });
    }

    /// Puts a member into a room, after telling those who are there. It reads the room's stream from here on: no
    /// line that was said before (those it is told as the past) and every line that is said after.
    pub(super) fn move_in(&mut self, member: usize, room: usize) {
        let line = format!(
            "*** {} entered {}\n",
            self.members[member].name.shown(),
            self.rooms[room].name
        );
        self.tell_presence(room, member, &line);
        let place = self.rooms[room].stream.end();
        self.view(member).move_to(place);
        self.members[member].room = room;
        self.members[member].hand = None;
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
        let line = format!(
            "*** {} left {} ({why})\n",
            self.members[member].name.shown(),
            self.rooms[room].name
        );
        self.tell_presence(room, member, &line);
    }

    /// Tells a room that somebody comes or goes, who is not in it at this moment.
    fn tell_presence(&mut self, room: usize, author: usize, line: &str) {
        if !self.rooms[room].members.is_empty() {
            let author = Some(author);
            self.tell_room(
                room,
                Lines { text: line, count: 1, author, to_author: false, is_presence: true },
            );
        }
    }

    pub(super) fn depart(&mut self, member: usize, farewell: &Farewell) {
        // That the server is closing comes to its driver another way, and this may overtake it.
        self.closing |= *farewell == Farewell::Shutdown;
        if self.closing {
            self.members[member].stay = Stay::SaidGoodbye;
            return self.release_departed(false);
        }
        self.tell_answer(member, Answer::default());
        let why = match farewell {
            Farewell::Quit(Some(why)) if self.may_write(member).is_ok() => format!("quit: {why}"),
            Farewell::Quit(_) => "quit".to_owned(), // who is muted says nothing here either
            other => other.to_others().to_owned(),
        };
        self.move_out(member, &why);
        self.forget(member);
    }

    /// Sends a member away: from this moment on it is not here; and then its driver hangs it up.
    pub(super) fn evict(&mut self, member: usize, farewell: Farewell) {
        if self.members[member].stay != Stay::Here {
            return; // it is going already
        }
        self.move_out(member, farewell.to_others());
        self.view(member).farewell = Some(farewell);
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
            for ignored in other.ignored.iter_mut().filter(|ignored| ignored.client == Some(client))
            {
                ignored.client = None;
            }
        }
    }

    pub(super) fn release_departed(&mut self, at_once: bool) {
        if !at_once && self.members.iter().any(|(_, member)| member.stay == Stay::Here) {
            return;
        }
        let said_goodbye = |(slot, member): (usize, &Member<H>)| {
            (member.stay == Stay::SaidGoodbye).then_some(slot)
        };
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
            () => {
                Err(format!("The name \"{wanted}\" looks like \"{}\", who is here.", owned.shown()))
            }
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
        let room = self.add_room(name);
        self.rooms[room].is_whole = false; // perhaps it was there before, and made way
        Ok(room)
    }

    pub(super) fn add_room(&mut self, name: &Name) -> usize {
        let slot = self.rooms.insert(Room {
            name: name.shown().to_owned(),
            topic: None,
            is_paused: false,
            is_whole: true,
            members: Vec::new(),
            choosy: Vec::new(),
            past: Past::new(PAST_MAX, Vec::new()),
            stream: Stream::default(),
            emptied: self.now,
            held: 0,
        });
        self.room_by_name.insert(name.key().to_owned(), slot);
        slot
    }

    fn drop_oldest_empty_room(&mut self) -> Result<(), String> {
        let is_spare = |(slot, room): &(usize, &Room)| {
            *slot != self.lobby
                && room.members.is_empty()
                && room.stream.lines == 0
                && room.held == 0
        };
        let Some((slot, _)) =
            self.rooms.iter().filter(is_spare).min_by_key(|(_, room)| room.emptied)
        else {
            return Err(format!(
                "There are {ROOMS_MAX} rooms already, and somebody is in each of them."
            ));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{
        event::{Event, Question, Talk},
        name::NameRule,
        record::Remembered,
        rooms::RoomsConfig,
        source::Source,
    };
    use jiff::{Timestamp, tz::TimeZone};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn rooms_with(names: &[&str]) -> Rooms<usize> {
        let config = RoomsConfig {
            backlog_lines: 20,
            names: NameRule::Ascii,
            zone: TimeZone::UTC,
            keeps_talk: false,
        };
        let mut rooms = Rooms::new(config, Remembered::default());
        for (client, name) in names.iter().enumerate() {
            rooms.apply(NOW, client as ClientId, &client, enter(name));
        }
        rooms.flush(|_, _| {});
        rooms
    }

    fn enter(name: &str) -> Event {
        let name = NameRule::Ascii.check(name, "name").unwrap();
        Event::Ask(Question::Enter(Box::new(Entry {
            name,
            source: Source::default(),
            login: None,
            reserve_of: None,
        })))
    }

    fn say(rooms: &mut Rooms<usize>, client: usize, text: &str) {
        let talk = Talk { text: text.to_owned(), lines: 1 };
        rooms.apply(NOW, client as ClientId, &client, Event::Say(talk));
    }

    /// What each client reads now, and who is let go.
    fn flush(rooms: &mut Rooms<usize>) -> (Vec<(usize, String)>, Vec<usize>) {
        let (mut read, mut let_go) = (Vec::new(), Vec::new());
        rooms.flush(|&client, delivery| {
            let bytes = [delivery.before, delivery.after].concat().concat();
            read.push((client, String::from_utf8(bytes).unwrap()));
            let_go.extend(delivery.answer.map(|_| client));
        });
        (read, let_go)
    }

    #[test]
    fn nobody_is_let_go_before_all_have_said_goodbye() {
        let mut rooms = rooms_with(&["alice", "bob"]);
        rooms.close();
        rooms.apply(NOW, 0, &0, Event::Depart(Farewell::Shutdown));
        say(&mut rooms, 1, "<bob> one\n");
        assert_eq!(
            flush(&mut rooms),
            (vec![(1, String::new()), (0, "<bob> one\n".to_owned())], vec![])
        );
        say(&mut rooms, 1, "<bob> two\n");
        rooms.apply(NOW, 1, &1, Event::Depart(Farewell::Shutdown));
        let (read, mut let_go) = flush(&mut rooms);
        assert!(read.contains(&(0, "<bob> two\n".to_owned())), "{read:?}");
        let_go.sort_unstable();
        assert_eq!(let_go, [0, 1]);
    }

    #[test]
    fn the_first_goodbye_of_a_shutdown_may_come_before_the_word_of_it() {
        let mut rooms = rooms_with(&["alice", "bob"]);
        rooms.apply(NOW, 0, &0, Event::Depart(Farewell::Shutdown));
        say(&mut rooms, 1, "<bob> one\n");
        assert_eq!(
            flush(&mut rooms),
            (vec![(1, String::new()), (0, "<bob> one\n".to_owned())], vec![])
        );
        rooms.close();
        rooms.apply(NOW, 1, &1, Event::Depart(Farewell::Shutdown));
        let (read, mut let_go) = flush(&mut rooms);
        assert!(read.iter().all(|(_, text)| text.is_empty()), "{read:?}");
        let_go.sort_unstable();
        assert_eq!(let_go, [0, 1]);
    }

    #[test]
    fn at_once_means_without_the_others() {
        let mut rooms = rooms_with(&["alice", "bob"]);
        rooms.close();
        rooms.apply(NOW, 0, &0, Event::Depart(Farewell::Shutdown));
        rooms.close_at_once();
        assert_eq!(flush(&mut rooms).1, [0]);
    }

    #[test]
    fn a_joiner_reads_nothing_of_the_batch_before_it() {
        let mut rooms = rooms_with(&["alice"]);
        say(&mut rooms, 0, "<alice> before\n");
        rooms.apply(NOW, 1, &1, enter("bob"));
        say(&mut rooms, 0, "<alice> after\n");
        let (read, _) = flush(&mut rooms);
        assert!(read.contains(&(1, "<alice> after\n".to_owned())), "{read:?}");
    }

    #[test]
    fn a_hundred_rooms_and_the_oldest_empty_one_makes_way() {
        let mut rooms = rooms_with(&["alice"]);
        for i in 0..ROOMS_MAX + 20 {
            let name = NameRule::Ascii.check(&format!("room{i}"), "room's name").unwrap();
            let room = rooms.find_or_add_room(&name).unwrap();
            assert_eq!(rooms.rooms[room].name, format!("room{i}"));
            assert!(rooms.rooms.len() <= ROOMS_MAX);
        }
        assert!(rooms.room_by_name.contains_key("lobby"), "where people are is kept");
        assert!(!rooms.room_by_name.contains_key("room0"));
    }
}
