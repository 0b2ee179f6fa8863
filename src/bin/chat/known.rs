//! What the client has learnt from the lines it read: who we are, where, with whom, and what the
//! server waits for.
//!
//! Against a server that tells none of this everything stays empty, and prompt and completion show
//! less: nothing else depends on it. No I/O and no thread: `shared.rs` has the lock, `socket`
//! writes, `main` and `screen` read.

use crate::server_line::{LineKind, ServerLine};
use chatd::core::sentences::{self, Movement};
use std::collections::VecDeque;

/// The most names and rooms that completion knows: more than a person completes from, and a bound
/// against a stranger's lists.
const WORDS_MAX: usize = 1000;

/// The most own lines that are remembered, to tell them from missed ones after a reconnect: more
/// than a room's backlog has.
const OWN_MAX: usize = 500;

/// What the server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Name,
    /// To be typed unseen.
    Password,
}

#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The name the server knows us by.
    pub(crate) me: Option<String>,
    pub(crate) room: Option<String>,
    /// In the room that everybody enters, and about to go to another one.
    pub(crate) is_on_the_way: bool,
    /// The question that waits for an answer.
    pub(crate) question: Option<Question>,
    /// The server said that it is a chatd, so its commands may be offered.
    pub(crate) is_chatd: bool,
    /// The server said goodbye: the end of file that follows is no accident.
    pub(crate) said_goodbye: bool,
    /// Why the server hangs up, or has no place.
    pub(crate) last_words: Option<String>,
    /// The last words were that it has no place.
    pub(crate) is_full: bool,
    /// Counts lines that came.
    pub(crate) heard: u64,
    /// Counts the server's sentences that may answer what was sent: all but comings and goings.
    pub(crate) answers: u64,
    /// Counts lines that the person sent.
    pub(crate) typed: u64,
    pub(crate) is_connected: bool,
    people: Vec<String>, // whoever spoke last stands first
    rooms: Vec<String>,
    commands: Vec<String>,
    own: VecDeque<String>,
    list_goes_on: bool,
}

impl Known {
    /// Forgets what a connection knew. Own lines and rooms stay, and so does the name, under which
    /// we come back.
    pub(crate) fn begin(&mut self) {
        let Known { me, own, typed, rooms, .. } = std::mem::take(self);
        *self = Known { me, own, typed, rooms, is_connected: true, ..Known::default() };
    }

    /// Whether the server has let us in.
    pub(crate) fn is_in(&self) -> bool {
        self.room.is_some()
    }

    /// Whether we are where we want to be.
    pub(crate) fn is_there(&self) -> bool {
        self.is_in() && !self.is_on_the_way
    }

    /// Learns from one line. Returns what it asks for.
    pub(crate) fn learn(&mut self, line: &ServerLine) -> Option<Question> {
        self.heard += 1;
        match line.kind {
            _ if line.is_past => {}
            LineKind::Sentence => return self.learn_sentence(line.body()),
            LineKind::Say | LineKind::Act | LineKind::PrivateFrom => self.spoke(line.name()),
            LineKind::PrivateTo | LineKind::Plain => {}
        }
        None
    }

    fn learn_sentence(&mut self, sentence: &str) -> Option<Question> {
        let goes_on = std::mem::replace(&mut self.list_goes_on, sentence.ends_with(','));
        if sentence.starts_with("  ") {
            self.learn_row(sentence, goes_on);
            return None;
        }
        if let Some(movement) = sentences::movement(sentence) {
            self.learn_movement(movement);
            return None;
        }
        self.answers += 1;
        let question = self.question_in(sentence);
        if question.is_some() {
            self.question = question;
        } else {
            self.learn_answer(sentence);
        }
        question
    }

    /// A password may be wanted at any time; a name only until we have one (a topic could end so).
    fn question_in(&self, sentence: &str) -> Option<Question> {
        if sentences::asks_for_password(sentence) {
            return Some(Question::Password);
        }
        (!self.is_in() && sentences::asks_for_name(sentence)).then_some(Question::Name)
    }

    fn learn_answer(&mut self, sentence: &str) {
        if sentences::is_greeting(sentence) {
            self.is_chatd = true;
        } else if let Some(name) = sentences::own_name(sentence) {
            self.me = Some(name.to_owned());
            self.question = None;
        } else if let Some((room, people)) = sentences::own_room(sentence) {
            self.enter(room);
            self.meet(people);
        } else if let Some(why) = sentences::why_hung_up(sentence) {
            (self.last_words, self.is_full) = (Some(why.to_owned()), false);
        } else if let Some(why) = sentences::why_sorry(sentence) {
            (self.last_words, self.is_full) = (Some(why.to_owned()), true);
        } else if sentences::is_goodbye(sentence) {
            self.said_goodbye = true;
        } else if sentence.starts_with('/') {
            self.learn_command(sentence);
        } else if let Some(people) = sentences::names_listed(sentence) {
            self.meet(people);
        }
    }

    fn enter(&mut self, room: &str) {
        add(&mut self.rooms, room);
        if self.room.as_deref() != Some(room) {
            self.people.clear();
            self.is_on_the_way = false;
        }
        self.room = Some(room.to_owned());
        self.question = None;
    }

    fn learn_movement(&mut self, movement: Movement<'_>) {
        match movement {
            Movement::Entered(name) => add(&mut self.people, name),
            Movement::Left { name, room, to } => {
                if self.room.as_deref() == Some(room) {
                    self.people.retain(|known| known != name);
                }
                to.into_iter().for_each(|room| add(&mut self.rooms, room));
            }
            Movement::Renamed { from, to } => {
                match self.people.iter_mut().find(|known| *known == from) {
                    Some(known) => to.clone_into(known),
                    None => add(&mut self.people, to),
                }
            }
        }
    }

    /// One row of a list: of `/rooms`, `/who`, `/help`, or of names that did not fit into one line.
    fn learn_row(&mut self, row: &str, goes_on: bool) {
        if row.trim_start().starts_with('/') {
            self.learn_command(row.trim_start());
        } else if let Some(room) = sentences::room_in_row(row) {
            add(&mut self.rooms, room);
        } else if let Some(name) = sentences::person_in_row(row) {
            add(&mut self.people, name);
        } else if goes_on {
            self.meet(sentences::names(row));
        }
    }

    fn learn_command(&mut self, text: &str) {
        let command = text.split([' ', ':', ',']).next().unwrap_or_default();
        if command.len() > 1 && command[1..].bytes().all(|b| b.is_ascii_lowercase()) {
            add(&mut self.commands, command);
        }
    }

    fn meet<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        names.for_each(|name| add(&mut self.people, name));
    }

    fn spoke(&mut self, name: &str) {
        self.people.retain(|known| known != name);
        self.people.insert(0, name.to_owned());
        self.people.truncate(WORDS_MAX);
    }

    /// Names of the people here but us: whoever spoke last comes first.
    pub(crate) fn people(&self) -> impl Iterator<Item = &str> {
        self.people.iter().map(String::as_str).filter(|name| self.me.as_deref() != Some(name))
    }

    /// Rooms heard of.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &str> {
        self.rooms.iter().map(String::as_str)
    }

    /// Commands the server has told of, with their slash.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().map(String::as_str)
    }

    /// Takes note of what was sent; for talk, returns it as everybody else reads it.
    pub(crate) fn sent(&mut self, text: &str) -> Option<String> {
        self.typed += 1;
        let me = self.me.as_deref()?;
        let own = match text.strip_prefix("/me ") {
            Some(action) => format!("* {me} {action}"),
            None if text.starts_with("//") => format!("<{me}> {}", &text[1..]),
            None if text.starts_with('/') || text.is_empty() => return None,
            None => format!("<{me}> {text}"),
        };
        if self.own.len() == OWN_MAX {
            self.own.pop_front();
        }
        self.own.push_back(own.clone());
        Some(own)
    }

    /// Whether this line (without its time) is one that we sent. (If we are an administrator, it
    /// has a mark that we do not know of.)
    pub(crate) fn is_own(&self, line: &str) -> bool {
        let is_it = |own: &str, lead| {
            let (own, line) = (own.strip_prefix(lead)?, line.strip_prefix(lead)?);
            Some(own == line.strip_prefix(sentences::ADMIN_MARK).unwrap_or(line))
        };
        self.own.iter().any(|own| ["<", "* "].iter().any(|lead| is_it(own, lead) == Some(true)))
    }
}

fn add(list: &mut Vec<String>, word: &str) {
    if list.len() < WORDS_MAX && !list.iter().any(|known| known == word) {
        list.push(word.to_owned());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What is known after these lines.
    pub(crate) fn taught(lines: &[&str]) -> Known {
        let mut known = Known::default();
        for line in lines {
            known.learn(&ServerLine::new(line.as_bytes()));
        }
        known
    }

    #[test]
    fn a_welcome_tells_who_and_where() {
        let at_the_door = &["*** Welcome to chatd: its model is c7.", "*** What is your name?"];
        let known = taught(at_the_door);
        assert!(known.is_chatd);
        assert_eq!(known.question, Some(Question::Name));
        let inside = &["*** Hello a.lice. Hi.", "*** You are in lobby with bob, carol and d.e."];
        let known = taught(&[&at_the_door[..], inside].concat());
        let place = (known.me.as_deref(), known.room.as_deref());
        assert_eq!((place, known.question), ((Some("a.lice"), Some("lobby")), None));
        assert_eq!(known.people().collect::<Vec<_>>(), ["bob", "carol", "d.e"]);
    }

    #[test]
    fn whoever_spoke_last_stands_first() {
        let known = taught(&[
            "*** You are in lobby with",
            "*** bob entered lobby",
            "*** carol entered lobby",
            "<carol> hi",
            "* bob waves",
            "(12:30) <dave> long ago",
            "*** bob is now rob",
            "*** eve entered lobby",
            "*** eve left lobby (went to math)",
        ]);
        assert_eq!(known.people().collect::<Vec<_>>(), ["rob", "carol"]);
        assert_eq!(known.rooms().collect::<Vec<_>>(), ["lobby", "math"]);
    }

    #[test]
    fn lists_are_learnt_from() {
        let known = taught(&[
            "*** Rooms:",
            "***   lobby                   1 here",
            "***   math                    2 here   1 + 1",
            "*** lobby (3): bob, carol,",
            "***   dave",
            "*** Commands:",
            "***   /nick NAME: changes your name",
            "***   nothing of the kind",
        ]);
        assert_eq!(known.rooms().collect::<Vec<_>>(), ["lobby", "math"]);
        assert_eq!(known.people().collect::<Vec<_>>(), ["bob", "carol", "dave"]);
        assert_eq!(known.commands().collect::<Vec<_>>(), ["/nick"]);
    }

    #[test]
    fn only_the_server_asks_and_for_a_name_only_at_the_door() {
        assert_eq!(taught(&["*** Password for alice:"]).question, Some(Question::Password));
        assert_eq!(taught(&["<bob> Password:"]).question, None);
        assert_eq!(taught(&["*** You are in lobby, alone.", "*** Your name?"]).question, None);
    }

    #[test]
    fn own_lines_are_known_as_others_read_them() {
        let mut known = taught(&["*** Hello alice. Hi."]);
        assert_eq!(known.sent("hi").as_deref(), Some("<alice> hi"));
        assert_eq!(known.sent("/me waves").as_deref(), Some("* alice waves"));
        assert_eq!(known.sent("//etc").as_deref(), Some("<alice> /etc"));
        assert_eq!(known.sent("/join math"), None);
        for own in ["<alice> hi", "<@alice> hi", "* alice waves", "* @alice waves"] {
            assert!(known.is_own(own), "{own}");
        }
        for other in ["<alice> ho", "@<alice> hi", "<malice> hi", "* alice> hi"] {
            assert!(!known.is_own(other), "{other}");
        }
    }
}
