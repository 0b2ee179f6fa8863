//! Names, rooms, and who is told that somebody comes and goes.

use super::{ANY, BACKLOG, Chat, Past, Person, Room};

/// Names that people would take for the server's.
const KEPT: [&str; 16] = [
    "admin",
    "administrator",
    "chanserv",
    "chatd",
    "console",
    "moderator",
    "nickserv",
    "operator",
    "root",
    "server",
    "staff",
    "superuser",
    "support",
    "sysadmin",
    "sysop",
    "system",
];

/// A name without what stands between its letters, and with letters for digits.
fn bare(name: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | 'l' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        c => c,
    };
    name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).map(letter).collect()
}

/// What a name looks like as it is written, in small letters and in capitals, where I, l and 1 look alike, and O and 0.
fn looks(name: &str) -> [String; 3] {
    [name.to_owned(), name.to_lowercase(), name.to_uppercase()]
        .map(|name| name.replace(['I', '1'], "l").replace('0', "O"))
}

/// What is wrong with a name whoever is here.
pub(super) fn is_good(name: &str) -> bool {
    name.len() <= 20
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// Names in rows of 78 columns.
pub(super) fn rows(lead: &str, names: &[String], end: &str) -> Vec<String> {
    let mut rows = vec![format!("*** {lead}")];
    for (i, name) in names.iter().enumerate() {
        let comma = if i + 1 < names.len() { "," } else { "" };
        let row = rows.last_mut().expect("there is one");
        if row.len() + 1 + name.len() + comma.len() > 78 && i > 0 {
            rows.push(format!("***   {name}{comma}"));
        } else {
            row.push_str(&format!(" {name}{comma}"));
        }
    }
    rows.last_mut().expect("there is one").push_str(end);
    rows
}

impl Chat {
    /// Why somebody cannot have this name, in a sentence.
    pub(super) fn refusal(&self, name: &str, wanted_by: usize) -> Option<String> {
        if !is_good(name) {
            return Some(ANY.to_string());
        }
        let others = || (0..self.people.len()).filter(|&it| it != wanted_by && self.is_inside(it));
        let is_taken = others().any(|it| self.person(it).name.eq_ignore_ascii_case(name));
        let is_kept = KEPT.iter().any(|kept| bare(kept) == bare(name));
        let is_alike =
            |it| looks(&self.person(it).name).iter().any(|look| looks(name).contains(look));
        if is_kept {
            return Some(format!(
                "The name \"{name}\" is kept for accounts of the server's operator."
            ));
        }
        if is_taken {
            return Some(format!("The name \"{name}\" is taken."));
        }
        others()
            .any(is_alike)
            .then(|| format!("The name \"{name}\" looks like \"{ANY}\", who is here."))
    }

    /// Whom somebody means by a name, or by one that looks like it.
    pub(super) fn called(&self, typed: &str) -> Option<usize> {
        let name = typed.strip_prefix('@').unwrap_or(typed);
        let name = name.strip_suffix('?').unwrap_or(name);
        (0..self.people.len()).filter(|&place| self.is_inside(place)).find(|&place| {
            looks(&self.person(place).name).iter().any(|look| looks(name).contains(look))
        })
    }

    // --- The door ---

    /// Somebody at the door gives a name.
    pub(super) fn is_called(&mut self, place: usize, typed: &str) {
        if typed == "/quit" || typed.starts_with("/quit ") {
            self.tell(place, "*** Goodbye.".to_owned());
            self.people[place] = None;
            return;
        }
        if let Some(why) = self.refusal(typed, place) {
            return self.refuses_name(place, &why);
        }
        self.person_mut(place).name = typed.to_owned();
        self.tell(
            place,
            format!("*** Hello {typed}. Type to talk; /help lists the commands, /quit leaves."),
        );
        self.moves_in(place, 0);
    }

    pub(super) fn refuses_name(&mut self, place: usize, why: &str) {
        let person = self.person_mut(place);
        person.names_refused += 1;
        if person.names_refused == 10 {
            self.tell(place, "*** Hung up: 10 names were refused.".to_owned());
            self.people[place] = None;
            return;
        }
        self.tell(place, format!("*** {why} What is your name?"));
    }

    // --- Rooms ---

    /// The room of this name, which is made if it is missing.
    pub(super) fn room_called(&mut self, name: &str) -> usize {
        let found = self.rooms.iter().position(|room| room.name.eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| {
            self.rooms.push(Room { name: name.to_owned(), ..Room::default() });
            self.rooms.len() - 1
        })
    }

    pub(super) fn moves_in(&mut self, place: usize, room: usize) {
        self.tells_presence(
            place,
            room,
            &format!("*** {} entered {}", self.person(place).name, self.rooms[room].name),
        );
        self.person_mut(place).room = room;
        let others: Vec<usize> = self.in_room(room).into_iter().filter(|&it| it != place).collect();
        let name = self.rooms[room].name.clone();
        if others.is_empty() {
            self.tell(place, format!("*** You are in {name}, alone."));
        } else {
            let names = self.names_of(others);
            rows(&format!("You are in {name} with"), &names, ".")
                .into_iter()
                .for_each(|row| self.tell(place, row));
        }
        if let Some((topic, by)) = self.rooms[room].topic.clone() {
            self.tell(place, format!("*** Topic of {name}: {topic} (set by {by})"));
        }
        if self.rooms[room].is_paused {
            self.tell(place, format!("*** {name} is paused: /hand raises your hand."));
        }
        let past = &self.rooms[room].past;
        let last = past[past.len().saturating_sub(BACKLOG)..].to_vec();
        if !last.is_empty() {
            self.tells_past(place, last, BACKLOG);
        }
    }

    pub(super) fn moves_out(&mut self, place: usize, why: &str) {
        if !self.is_inside(place) {
            return;
        }
        let (name, room) = (&self.person(place).name, self.person(place).room);
        let line = format!("*** {name} left {} ({why})", self.rooms[room].name);
        self.tells_presence(place, room, &line);
        let Person { has_floor, hand, .. } = self.person_mut(place);
        (*has_floor, *hand) = (false, None);
    }

    /// While a room is paused, its administrators alone are told who comes and goes that may not speak.
    pub(super) fn tells_presence(&mut self, place: usize, room: usize, line: &str) {
        let person = self.person(place);
        let may_speak = person.is_instructor || person.has_floor;
        if !self.rooms[room].is_paused || may_speak {
            return self.tell_others(room, place, line, true);
        }
        for reader in self.in_room(room) {
            let is_told = reader != place
                && self.person(reader).is_instructor
                && !self.person(reader).is_quiet
                && !self.ignores(reader, place);
            if is_told {
                self.tell_live(reader, line.to_owned());
            }
        }
    }

    pub(super) fn names_of(&self, mut places: Vec<usize>) -> Vec<String> {
        places.sort_by_key(|&place| self.person(place).name.to_lowercase());
        places.into_iter().map(|place| self.label(place)).collect()
    }

    /// Tells the last `most` of these lines, except of those who are ignored by their name.
    pub(super) fn tells_past(&mut self, place: usize, lines: Vec<Past>, most: usize) {
        let room = self.room_of(place).name.clone();
        let hidden: Vec<String> =
            self.person(place).ignored.iter().flat_map(|it| self.names_ignored(it)).collect();
        let had_some = !lines.is_empty();
        let mut shown: Vec<Past> =
            lines.into_iter().filter(|past| !hidden.contains(&past.author)).collect();
        shown.drain(..shown.len().saturating_sub(most));
        if shown.is_empty() {
            let why = if had_some {
                "All of that was said by people whom you ignore."
            } else {
                "Nothing was said"
            };
            let end = if had_some { String::new() } else { ANY.to_string() };
            return self.tell(place, format!("*** {why}{end}"));
        }
        let (count, noun) = (shown.len(), if shown.len() == 1 { "line" } else { "lines" });
        self.tell(place, format!("*** The last {count} {noun} of {room} (times are {ANY}):"));
        for past in shown {
            self.tell(place, format!("({ANY}) {}", past.line));
        }
        self.tell(place, "*** End of the history.".to_owned());
    }

    /// The names of somebody who is ignored: then, and now.
    pub(super) fn names_ignored(&self, (name, connection): &(String, Option<u64>)) -> Vec<String> {
        let now = connection
            .and_then(|it| self.place_of(it))
            .map(|place| self.person(place).name.clone());
        now.into_iter().chain([name.clone()]).collect()
    }
}
