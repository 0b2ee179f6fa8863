//! Who is where: other names, other rooms, and lists of both.

use super::{
    ANY, Chat,
    people::{is_good, rows},
};

impl Chat {
    pub(super) fn nick(&mut self, place: usize, name: &str) -> Vec<String> {
        if !is_good(name) {
            return vec![format!("*** {ANY}")];
        }
        if let Err(why) = self.may_speak(place) {
            return vec![format!("*** {why}")];
        }
        if let Some(why) = self.refusal(name, place) {
            return vec![format!("*** {why}")];
        }
        let old = std::mem::replace(&mut self.person_mut(place).name, name.to_owned());
        self.tells_presence(place, self.person(place).room, &format!("*** {old} is now {name}"));
        vec![format!("*** You are now {name}.")]
    }

    pub(super) fn who(&self, place: usize) -> Vec<String> {
        let room = self.person(place).room;
        let mut people = self.in_room(room);
        people.sort_by_key(|&it| self.person(it).name.to_lowercase());
        let heading = format!("*** {} in {}:", people.len(), self.rooms[room].name);
        let row = |it| {
            let away = self
                .person(it)
                .away
                .as_ref()
                .map_or(String::new(), |why| format!("{ANY}{why}{ANY}"));
            format!("***   {} {ANY}idle {ANY}{away}", self.label(it))
        };
        [heading].into_iter().chain(people.into_iter().map(row)).collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut found: Vec<usize> =
            (0..self.rooms.len()).filter(|&room| !self.in_room(room).is_empty()).collect();
        found.sort_by_key(|&room| (room != 0, self.rooms[room].name.to_lowercase()));
        let list = |room| {
            let people = self.in_room(room);
            rows(
                &format!("{} ({}):", self.rooms[room].name, people.len()),
                &self.names_of(people),
                "",
            )
        };
        found.into_iter().flat_map(list).collect()
    }

    pub(super) fn list_rooms(&self) -> Vec<String> {
        let mut found: Vec<usize> = (0..self.rooms.len()).collect();
        found.sort_by_key(|&room| (room != 0, self.rooms[room].name.to_lowercase()));
        let row = |room: usize| {
            let topic = self.rooms[room]
                .topic
                .as_ref()
                .map_or(String::new(), |(topic, _)| format!("   {topic}"));
            format!("***   {} {ANY}{} here{topic}", self.rooms[room].name, self.in_room(room).len())
        };
        ["*** Rooms:".to_owned()].into_iter().chain(found.into_iter().map(row)).collect()
    }

    pub(super) fn join(&mut self, place: usize, name: &str) -> Vec<String> {
        if !is_good(name) {
            return vec![format!("*** {ANY}")];
        }
        let room = self.room_called(name);
        if room == self.person(place).room {
            return vec![format!("*** You are in {} already.", self.rooms[room].name)];
        }
        let why = match self.may_speak(place) {
            Ok(()) => format!("went to {}", self.rooms[room].name),
            Err(_) => ANY.to_string(), // the room's name is their word
        };
        self.moves_out(place, &why);
        self.moves_in(place, room);
        Vec::new()
    }

    pub(super) fn whois(&self, rest: &str) -> String {
        match self.called(rest) {
            Some(it) => {
                format!(
                    "*** {} is in {}, connected for {ANY}",
                    self.person(it).name,
                    self.room_of(it).name
                )
            }
            None => format!("*** Nobody here is called {ANY}"),
        }
    }
}
