//! What the client has learnt from the lines it has read: who we are, where, with whom, and what the server waits for.
//!
//! Against a server that tells none of this everything stays empty, and prompt and completion show less: nothing else
//! depends on it. No I/O and no thread: `shared.rs` is the lock, `socket` writes, `main` and `screen` read.

use std::collections::VecDeque;

use crate::classify::{Kind, Line};

/// Names and rooms remembered for completion. More than a person completes from; a bound against a stranger's lists.
const REMEMBERED_MAX: usize = 1000;

/// Own lines remembered, to tell them from missed ones after a reconnect: more than a room's memory tells again.
const OWN_MAX: usize = 500;

/// What the server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// A name to enter under.
    Name,
    /// A password: to be typed unseen.
    Password,
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct Known {
    /// The name the server knows us by.
    pub me: Option<String>,
    /// The room we are in.
    pub room: Option<String>,
    /// On the way from the room that everybody enters to another one.
    pub is_on_the_way: bool,
    /// The question that waits for an answer.
    pub question: Option<Question>,
    /// The server said that it is a chatd, so its commands may be offered.
    pub is_chatd: bool,
    /// The server said goodbye: the end of file that follows is no accident.
    pub said_goodbye: bool,
    /// Why the server hangs up, or has no place: its last words.
    pub last_words: Option<String>,
    /// Those were that it has no place.
    pub is_full: bool,
    /// Lines that came.
    pub heard: u64,
    /// Server lines that may be an answer to what was sent: all but comings and goings.
    pub answers: u64,
    /// Lines sent by the person.
    pub typed: u64,
    /// The connection is there.
    pub is_connected: bool,
    people: Vec<String>, // who spoke last stands first
    rooms: Vec<String>,
    commands: Vec<String>,
    own: VecDeque<String>,
    list_goes_on: bool,
}

impl Known {
    /// Forgets what a connection knew. Own lines stay, and so does the name, under which we come back.
    pub fn begin(&mut self) {
        let (me, own, typed) = (self.me.take(), std::mem::take(&mut self.own), self.typed);
        let rooms = std::mem::take(&mut self.rooms);
        *self = Known { me, own, typed, rooms, is_connected: true, ..Known::default() };
    }

    /// Whether the server has let us in: it has told a room, or a name.
    pub fn is_in(&self) -> bool {
        self.room.is_some()
    }

    /// Whether we are where we want to be.
    pub fn is_there(&self) -> bool {
        self.is_in() && !self.is_on_the_way
    }

    /// Learns from one line. Returns what it asks for.
    pub fn learn(&mut self, line: &Line) -> Option<Question> {
        self.heard += 1;
        match line.kind {
            Kind::Server if !line.is_past => return self.learn_server(line.body()),
            Kind::Say | Kind::Act | Kind::PrivateFrom if !line.is_past => self.spoke(line.name()),
            _ => {}
        }
        None
    }

    fn learn_server(&mut self, body: &str) -> Option<Question> {
        let goes_on = std::mem::replace(&mut self.list_goes_on, body.ends_with(','));
        if body.starts_with("  ") {
            self.learn_row(body.trim_start(), goes_on);
        } else if !self.learn_coming_or_going(body) {
            self.answers += 1;
            let question = self.is_question(body);
            self.question = question.or(self.question);
            if question.is_none() {
                self.learn_sentence(body);
            }
            return question;
        }
        None
    }

    fn learn_sentence(&mut self, body: &str) {
        if body.starts_with("Welcome to chatd") {
            self.is_chatd = true;
        } else if let Some(name) = body.strip_prefix("Hello ").and_then(sentence_word) {
            self.me = Some(name.to_owned());
            self.question = None;
        } else if let Some(name) = body.strip_prefix("You are now ").and_then(sentence_word) {
            self.me = Some(name.to_owned());
        } else if let Some(rest) = body.strip_prefix("You are in ") {
            self.enter(rest);
        } else if let Some(words) = body.strip_prefix("Hung up: ").or(body.strip_prefix("Sorry: "))
        {
            self.last_words = Some(words.to_owned());
            self.is_full = body.starts_with("Sorry");
        } else if body.starts_with("Goodbye") {
            self.said_goodbye = true;
        } else if body.starts_with('/') {
            self.learn_command(body);
        } else if let Some((_, names)) = body.split_once("): ") {
            self.learn_names(names); // "lobby (2): alice, bob"
        }
    }

    /// A password may be wanted at any time; a name only until we have one (a topic could end with "name?").
    fn is_question(&self, body: &str) -> Option<Question> {
        // What people have typed stands in these, and could look like a question.
        let quoting =
            ["opic of ", " is away: ", "nnouncement by ", "(times are ", " banned", " muted"];
        if quoting.iter().any(|quotes| body.contains(quotes)) {
            return None;
        }
        let lower = body.to_ascii_lowercase();
        if lower.contains("password") && lower.ends_with([':', '?']) {
            return Some(Question::Password);
        }
        (!self.is_in() && lower.ends_with("name?")).then_some(Question::Name)
    }

    fn enter(&mut self, rest: &str) {
        let Some(room) = rest.split([' ', ',']).next().filter(|room| !room.is_empty()) else {
            return;
        };
        let room = room.trim_end_matches('.').to_owned();
        remember(&mut self.rooms, &room);
        if self.room.as_ref() != Some(&room) {
            self.people.clear();
            self.is_on_the_way = false;
        }
        self.room = Some(room);
        self.question = None;
        if let Some((_, names)) = rest.split_once(" with") {
            self.learn_names(names);
        }
    }

    /// `alice entered lobby`, `alice left lobby (went to math)`, `alice is now Carol`. Says whether it was one.
    fn learn_coming_or_going(&mut self, body: &str) -> bool {
        let words: Vec<&str> = body.splitn(4, ' ').collect();
        match words[..] {
            [name, "entered", _] => remember(&mut self.people, name),
            [name, "left", room, why] => {
                if self.room.as_deref() == Some(room) {
                    self.people.retain(|known| known != name);
                }
                if let Some(room) =
                    why.strip_prefix("(went to ").and_then(|rest| rest.strip_suffix(')'))
                {
                    remember(&mut self.rooms, room);
                }
            }
            [old, "is", "now", new] if !new.contains(' ') => {
                let at = self.people.iter().position(|known| known == old);
                match at {
                    Some(at) => self.people[at] = new.to_owned(),
                    None => remember(&mut self.people, new),
                }
            }
            _ => return false,
        }
        true
    }

    /// One row of a list: of `/rooms`, `/who`, `/help`, or a list of names that goes on.
    fn learn_row(&mut self, row: &str, goes_on: bool) {
        let mut words = row.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(command), ..) if command.starts_with('/') => self.learn_command(row),
            (Some(room), Some(count), Some("here"))
                if count.bytes().all(|b| b.is_ascii_digit()) =>
            {
                remember(&mut self.rooms, room);
            }
            (Some(name), Some("idle" | "away" | "away:"), _) => remember(&mut self.people, name),
            _ if goes_on => self.learn_names(row),
            _ => {}
        }
    }

    fn learn_command(&mut self, text: &str) {
        let command = text.split([' ', ':', ',']).next().unwrap_or_default();
        if command.len() > 1 && command[1..].bytes().all(|b| b.is_ascii_lowercase()) {
            remember(&mut self.commands, command);
        }
    }

    fn learn_names(&mut self, names: &str) {
        let names = names.strip_suffix('.').unwrap_or(names);
        for name in names.split([',', ' ']).filter(|name| !name.is_empty() && *name != "and") {
            remember(&mut self.people, name);
        }
    }

    fn spoke(&mut self, name: &str) {
        self.people.retain(|known| known != name);
        self.people.insert(0, name.to_owned());
        self.people.truncate(REMEMBERED_MAX);
    }

    /// Names of the people here but us: who spoke last comes first.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        self.people.iter().map(String::as_str).filter(|name| self.me.as_deref() != Some(name))
    }

    /// Rooms heard of.
    pub fn rooms(&self) -> impl Iterator<Item = &str> {
        self.rooms.iter().map(String::as_str)
    }

    /// Commands the server has told of, with their slash.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().map(String::as_str)
    }

    /// Remembers what was sent; for talk, returns it as everybody else reads it.
    pub fn sent(&mut self, text: &str) -> Option<String> {
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

    /// Whether this line (without its time) is one that we sent.
    pub fn is_own(&self, line: &str) -> bool {
        self.own.iter().any(|own| own == line)
    }
}

/// The first word, if it is followed by the sentence's end: `alice` in `alice. Type to talk`.
fn sentence_word(text: &str) -> Option<&str> {
    text.split(' ').next()?.strip_suffix('.')
}

fn remember(list: &mut Vec<String>, word: &str) {
    if list.len() < REMEMBERED_MAX && !list.iter().any(|known| known == word) {
        list.push(word.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taught(lines: &[&str]) -> Known {
        let mut known = Known::default();
        for line in lines {
            known.learn(&Line::new((*line).to_owned()));
        }
        known
    }

    #[test]
    fn a_welcome_tells_who_and_where() {
        let mut known = taught(&[
            "*** Welcome to chatd: one thread per connection, and yours is c7.",
            "*** What is your name?",
        ]);
        assert!(known.is_chatd);
        assert_eq!(known.question, Some(Question::Name));
        for line in [
            "*** Hello a.lice. Type to talk; /help lists the commands.",
            "*** You are in lobby with bob, carol and d.e.",
        ] {
            known.learn(&Line::new(line.to_owned()));
        }
        assert_eq!(
            (known.me.as_deref(), known.room.as_deref(), known.question),
            (Some("a.lice"), Some("lobby"), None)
        );
        assert_eq!(known.people().collect::<Vec<_>>(), ["bob", "carol", "d.e"]);
    }

    #[test]
    fn who_spoke_last_stands_first() {
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
    fn a_password_is_asked_for_by_a_server_line_alone() {
        let question = |line: &str| taught(&[line]).question;
        assert_eq!(question("*** Password for alice:"), Some(Question::Password));
        assert_eq!(question("*** What is the password?"), Some(Question::Password));
        assert_eq!(question("<bob> Password:"), None);
        assert_eq!(question("*** Your password was changed."), None);
        assert_eq!(question("*** mallory set the topic of lobby: your password?"), None);
        assert_eq!(question("*** mallory is away: Password:"), None);
        assert_eq!(question("*** Announcement by mallory: your password:"), None);
        assert_eq!(
            question("*** The newest 1 line of lobby with password (times are +00:00):"),
            None
        );
        assert_eq!(
            question("*** Topic of lobby: x (with nc, it will be seen as you type) password:"),
            None
        );
        let door = "*** alice is registered. Your password (with nc, it will be seen as you type):";
        assert_eq!(question(door), Some(Question::Password));
        assert_eq!(
            taught(&["*** You are in lobby, alone.", "*** Topic of lobby: your name?"]).question,
            None
        );
    }

    #[test]
    fn own_lines_are_known_as_others_read_them() {
        let mut known = taught(&["*** Hello alice. Hi."]);
        assert_eq!(known.sent("hi").as_deref(), Some("<alice> hi"));
        assert_eq!(known.sent("/me waves").as_deref(), Some("* alice waves"));
        assert_eq!(known.sent("//etc").as_deref(), Some("<alice> /etc"));
        assert_eq!(known.sent("/join math"), None);
        assert!(known.is_own("<alice> hi") && !known.is_own("<alice> ho"));
    }
}
