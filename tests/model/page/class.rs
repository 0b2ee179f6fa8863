//! A class and whoever holds it: hands, questions, pauses, kicks.

use super::{ANY, Chat, Past, commands::first_word};

impl Chat {
    pub(super) fn ask(&mut self, place: usize, text: &str) -> Vec<String> {
        let is_asked = |&it: &usize| self.is_inside(it) && self.person(it).is_instructor;
        let mut asked: Vec<usize> = (0..self.people.len()).filter(is_asked).collect();
        asked.sort_by_key(|&it| self.person(it).name.to_lowercase());
        if asked.is_empty() {
            return vec![format!("*** No administrator is here{ANY}")];
        }
        self.tells_privately(place, &asked, text, "question ")
    }

    pub(super) fn announce(&mut self, place: usize, text: &str) -> Vec<String> {
        let (label, author) = (self.label(place), self.person(place).name.clone());
        let line = format!("*** Announcement by {label}: {text}");
        for room in 0..self.rooms.len() {
            self.lines += 1;
            self.rooms[room].past.push(Past {
                number: self.lines,
                author: format!("announced by {author}"),
                line: line.clone(),
            });
        }
        for reader in (0..self.people.len()).filter(|&it| self.is_inside(it)).collect::<Vec<_>>() {
            self.tell_live(reader, line.clone());
        }
        Vec::new()
    }

    pub(super) fn hand(&mut self, place: usize) -> Vec<String> {
        self.lines += 1; // any number that grows
        let (now, room) = (self.lines, self.person(place).room);
        let person = self.person_mut(place);
        person.hand = if person.hand.is_some() { None } else { Some(now) };
        let is_up = person.hand.is_some();
        let up =
            self.in_room(room).into_iter().filter(|&it| self.person(it).hand.is_some()).count();
        let (me, name) = (self.person(place).name.clone(), self.rooms[room].name.clone());
        let did = if is_up { "raised a" } else { "lowered the" };
        for reader in self.in_room(room) {
            if reader != place && self.person(reader).is_instructor {
                self.tell_live(reader, format!("*** {me} {did} hand ({up} up in {name})"));
            }
        }
        vec![match is_up {
            true => format!("*** Your hand is up, number {up} in {name}. /hand lowers it."),
            false => "*** Your hand is down.".to_owned(),
        }]
    }

    pub(super) fn hands(&self, place: usize) -> Vec<String> {
        let room = self.person(place).room;
        let mut up: Vec<usize> =
            self.in_room(room).into_iter().filter(|&it| self.person(it).hand.is_some()).collect();
        up.sort_by_key(|&it| self.person(it).hand);
        let name = &self.rooms[room].name;
        if up.is_empty() {
            return vec![format!("*** No hand is up in {name}.")];
        }
        let row = |(i, it): (usize, usize)| format!("*** {:>4}. {}", i + 1, self.person(it).name);
        let heading = format!("*** Hands up in {name}, the first raised first:");
        [heading].into_iter().chain(up.into_iter().enumerate().map(row)).collect()
    }

    pub(super) fn pause(&mut self, place: usize, is_paused: bool) -> Vec<String> {
        let (room, by) = (self.person(place).room, self.person(place).name.clone());
        let name = self.rooms[room].name.clone();
        if self.rooms[room].is_paused == is_paused {
            return vec![format!(
                "*** {name} is {} already.",
                if is_paused { "paused" } else { "open" }
            )];
        }
        self.rooms[room].is_paused = is_paused;
        let line = match is_paused {
            true => format!(
                "*** {by} paused {name}: administrators speak, and whoever they give the floor. /hand raises your hand."
            ),
            false => format!("*** {by} resumed {name}: everybody speaks again."),
        };
        for reader in self.in_room(room) {
            self.person_mut(reader).has_floor = false;
            self.tell_live(reader, line.clone());
        }
        Vec::new()
    }

    pub(super) fn floor(&mut self, place: usize, name: &str) -> Vec<String> {
        let it = self.called(name).expect("the model knows them");
        let (room, whom) = (self.person(place).room, self.person(it).name.clone());
        if self.person(it).room != room {
            return vec![format!("*** {whom} is in {}, and not here.", self.room_of(it).name)];
        }
        if !self.rooms[room].is_paused {
            return vec![format!("*** {} is not paused: everybody speaks.", self.rooms[room].name)];
        }
        let by = self.person(place).name.clone();
        let person = self.person_mut(it);
        person.hand = None;
        if std::mem::replace(&mut person.has_floor, true) {
            return vec![format!("*** {whom} has the floor already. /lower takes it back.")];
        }
        for reader in self.in_room(room) {
            self.tell_live(reader, format!("*** {by} gave {whom} the floor."));
        }
        Vec::new()
    }

    pub(super) fn kick(&mut self, place: usize, rest: &str) -> Vec<String> {
        let (name, why) = first_word(rest);
        let it = self.called(name).expect("the model knows them");
        let by = self.person(place).name.clone();
        let colon = if why.is_empty() { String::new() } else { format!(": {why}") };
        let whom = self.person(it).name.clone();
        self.leaves(
            it,
            &format!("kicked by {by}{colon}"),
            &format!("*** Hung up: you were kicked by {by}{colon}."),
        );
        vec![format!("*** {whom} is gone.")]
    }
}
