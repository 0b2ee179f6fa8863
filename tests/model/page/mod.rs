//! A chat as docs/protocol.md tells it, and as short as that: who reads what of which line. It knows nothing of the
//! code, has no batches and no bounds, and knows one answer where the page leaves several open: whatever stands there
//! ([`ANY`]).
//!
//! Not everything on the page is here: accounts, mail, bans and mutes, questions to the class, searching. Of a line that
//! is about these it says so ([`Chat::knows`]).

mod class;
mod commands;
mod people;
mod places;
mod settings;

use std::mem::take;

/// Stands for any text in what somebody is expected to read. (Nobody can read this character itself.)
pub const ANY: char = '\u{1}';

/// The code on the server's console.
pub const CODE: &str = "K7MQ-2R4T";

/// The past lines that a newcomer is told, if nobody says another number.
const BACKLOG: usize = 20;

/// What one line of somebody's is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// What they typed, made safe to show.
    Text(String),
    NotUtf8,
    TooLong,
}

/// What was said, for those who come later.
#[derive(Clone)]
struct Past {
    number: u64,
    author: String,
    line: String,
}

#[derive(Default)]
struct Room {
    name: String,
    topic: Option<(String, String)>,
    is_paused: bool,
    past: Vec<Past>,
}

/// Somebody with a connection.
#[derive(Default)]
struct Person {
    connection: u64,
    /// Empty: at the door.
    name: String,
    names_refused: u32,
    room: usize,
    has_echo: bool,
    has_times: bool,
    is_quiet: bool,
    away: Option<String>,
    /// Whom they ignore: the name, and the connection if somebody was called so.
    ignored: Vec<(String, Option<u64>)>,
    /// Who has written to them last.
    wrote: Option<(u64, String)>,
    private: Vec<Past>,
    is_instructor: bool,
    /// When they raised a hand.
    hand: Option<u64>,
    has_floor: bool,
}

/// Everybody, by their places: a place has one connection at a time.
pub struct Chat {
    people: Vec<Option<Person>>,
    rooms: Vec<Room>,
    /// What each is expected to read, and has not been asked about.
    reads: Vec<Vec<String>>,
    lines: u64,
    count: u64,
    /// The author of the last line was told that it was not said, and so the next one is not told again if it came
    /// with it.
    was_refused: bool,
}

impl Chat {
    pub fn new(places: usize) -> Chat {
        let lobby = Room { name: "lobby".to_owned(), ..Room::default() };
        Chat {
            people: (0..places).map(|_| None).collect(),
            rooms: vec![lobby],
            reads: vec![Vec::new(); places],
            lines: 0,
            count: 0,
            was_refused: false,
        }
    }

    /// What somebody reads next.
    pub fn reads(&mut self, place: usize) -> Vec<String> {
        take(&mut self.reads[place])
    }

    pub fn is_here(&self, place: usize) -> bool {
        self.people[place].is_some()
    }

    pub fn is_inside(&self, place: usize) -> bool {
        self.people[place].as_ref().is_some_and(|person| !person.name.is_empty())
    }

    /// For lines that many say at once: of each room one who reads every line, and those who talk.
    pub fn talkers(&self) -> Vec<(usize, Vec<usize>)> {
        let mut found = Vec::new();
        for room in 0..self.rooms.len() {
            let people = self.in_room(room);
            let listener = people.iter().copied().find(|&it| self.person(it).ignored.is_empty());
            let may = |&it: &usize| Some(it) != listener && self.may_speak(it).is_ok();
            let talkers: Vec<usize> = people.into_iter().filter(may).collect();
            found.extend(
                listener.filter(|_| !talkers.is_empty()).map(|listener| (listener, talkers)),
            );
        }
        found
    }

    // --- Coming and going ---

    pub fn connects(&mut self, place: usize) {
        self.count += 1;
        self.people[place] = Some(Person { connection: self.count, ..Person::default() });
        self.tell(place, format!("*** Welcome to chatd: {ANY}"));
        self.tell(place, "*** What is your name?".to_owned());
    }

    /// Somebody has closed their side.
    pub fn closes(&mut self, place: usize) {
        self.leaves(place, "connection closed", "*** Goodbye.");
    }

    fn leaves(&mut self, place: usize, why: &str, last: &str) {
        self.moves_out(place, why);
        self.tell(place, last.to_owned());
        self.people[place] = None;
    }

    // --- Lines ---

    /// Somebody has sent these lines at once.
    pub fn hears_all(&mut self, place: usize, lines: Vec<Heard>) {
        self.was_refused = false;
        for line in lines {
            if self.is_here(place) {
                self.hears(place, line);
            }
        }
    }

    fn hears(&mut self, place: usize, line: Heard) {
        let refusal = match line {
            Heard::Text(text) if self.is_inside(place) => return self.hears_text(place, &text),
            Heard::Text(text) => return self.is_called(place, text.trim()),
            Heard::NotUtf8 => "That line is not UTF-8 text and was not said.",
            Heard::TooLong => "That line has more than 1024 bytes and was not said.",
        };
        self.was_refused = false;
        match self.is_inside(place) {
            true => self.tell(place, format!("*** {refusal}")),
            false => self.refuses_name(place, refusal),
        }
    }

    fn hears_text(&mut self, place: usize, text: &str) {
        match text.strip_prefix('/') {
            Some(command) if !command.starts_with('/') => {
                self.was_refused = false;
                self.obeys(place, command);
            }
            escaped => {
                let text = escaped.unwrap_or(text);
                self.says(place, &|name| format!("<{name}> {text}"), text);
            }
        }
    }

    fn says(&mut self, place: usize, line: &dyn Fn(&str) -> String, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if let Err(why) = self.may_speak(place) {
            if !std::mem::replace(&mut self.was_refused, true) {
                self.tell_live(place, format!("*** {why} That was not said."));
            }
            return;
        }
        let (room, line) = (self.person(place).room, line(&self.label(place)));
        self.lines += 1;
        let author = self.person(place).name.clone();
        self.rooms[room].past.push(Past { number: self.lines, author, line: line.clone() });
        for reader in self.in_room(room) {
            let reads = if reader == place {
                self.person(place).has_echo
            } else {
                !self.ignores(reader, place)
            };
            if reads {
                self.tell_live(reader, line.clone());
            }
        }
    }

    fn may_speak(&self, place: usize) -> Result<(), String> {
        let (person, room) = (self.person(place), self.room_of(place));
        if !room.is_paused || person.is_instructor || person.has_floor {
            return Ok(());
        }
        let name = &room.name;
        Err(format!(
            "{name} is paused: only administrators speak, and whoever they give the floor. /hand raises your hand."
        ))
    }

    // --- Who reads ---

    fn tell(&mut self, place: usize, line: String) {
        self.reads[place].push(line);
    }

    /// Something that happens, and is no answer.
    fn tell_live(&mut self, place: usize, line: String) {
        let time = if self.person(place).has_times { format!("[{ANY}] ") } else { String::new() };
        self.tell(place, time + &line);
    }

    /// Everybody else in a room, who does not ignore them.
    fn tell_others(&mut self, room: usize, author: usize, line: &str, is_presence: bool) {
        for reader in self.in_room(room) {
            let is_hidden = reader == author
                || self.ignores(reader, author)
                || (is_presence && self.person(reader).is_quiet);
            if !is_hidden {
                self.tell_live(reader, line.to_owned());
            }
        }
    }

    fn in_room(&self, room: usize) -> Vec<usize> {
        let is_there = |&place: &usize| self.is_inside(place) && self.person(place).room == room;
        (0..self.people.len()).filter(is_there).collect()
    }

    fn ignores(&self, reader: usize, author: usize) -> bool {
        let author = self.person(author);
        self.person(reader).ignored.iter().any(|(name, connection)| {
            match connection.filter(|&it| self.place_of(it).is_some()) {
                Some(connection) => connection == author.connection,
                None => name.eq_ignore_ascii_case(&author.name),
            }
        })
    }

    /// Who is still there of a connection.
    fn place_of(&self, connection: u64) -> Option<usize> {
        (0..self.people.len())
            .find(|&place| self.is_inside(place) && self.person(place).connection == connection)
    }

    fn person(&self, place: usize) -> &Person {
        self.people[place].as_ref().expect("somebody is here")
    }

    fn person_mut(&mut self, place: usize) -> &mut Person {
        self.people[place].as_mut().expect("somebody is here")
    }

    fn room_of(&self, place: usize) -> &Room {
        &self.rooms[self.person(place).room]
    }

    /// How others read their name.
    fn label(&self, place: usize) -> String {
        let person = self.person(place);
        format!("{}{}", if person.is_instructor { "@" } else { "" }, person.name)
    }
}

/// What no reader is ever sent: C0 but tab, DEL, C1, bidi overrides, line separators.
pub fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0a'..='\x1f' | '\x7f'..='\u{9f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Compares what was read with what is expected.
pub fn is_expected(expected: &str, line: &str) -> bool {
    let Some((before, after)) = expected.split_once(ANY) else { return expected == line };
    let Some(rest) = line.strip_prefix(before) else { return false };
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && is_expected(after, &rest[at..]))
}
