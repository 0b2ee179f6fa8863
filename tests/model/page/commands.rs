//! What the commands do, as the page's tables and conversations say.

use super::{ANY, BACKLOG, CODE, Chat, Heard, Past};

/// Every command on the page.
const ALL: &[&str] = &[
    "help",
    "me",
    "msg",
    "reply",
    "topic",
    "echo",
    "timestamps",
    "nick",
    "who",
    "names",
    "whois",
    "away",
    "back",
    "ignore",
    "unignore",
    "quiet",
    "join",
    "leave",
    "rooms",
    "history",
    "search",
    "register",
    "login",
    "password",
    "unregister",
    "whoami",
    "mail",
    "ask",
    "hand",
    "hands",
    "answer",
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "instructor",
    "threads",
    "view",
    "quit",
    "notes",
    "since",
    "announce",
    "kick",
    "ban",
    "unban",
    "bans",
    "mute",
    "unmute",
    "lock",
    "unlock",
    "remove",
    "pause",
    "resume",
    "floor",
    "lower",
    "class",
    "shutdown",
    "demo",
    "crash",
];

/// Those that are not here.
const LEFT_OUT: &[&str] = &[
    "help",
    "search",
    "register",
    "login",
    "password",
    "unregister",
    "whoami",
    "mail",
    "answer",
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "threads",
    "view",
    "notes",
    "since",
    "ban",
    "unban",
    "bans",
    "mute",
    "unmute",
    "lock",
    "unlock",
    "remove",
    "class",
    "shutdown",
    "demo",
    "crash",
];

const FOR_ADMINISTRATORS: [&str; 6] = ["announce", "kick", "pause", "resume", "floor", "lower"];

/// The first word, and what follows.
pub(super) fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

impl Chat {
    /// Whether the model says what comes of this line.
    pub fn knows(&self, place: usize, line: &Heard) -> bool {
        let Heard::Text(text) = line else { return self.is_inside(place) };
        if !self.is_inside(place) {
            // Another protocol's first line; a command that holds at the door; what looks like a code.
            let is_name = !text.trim().contains(char::is_whitespace) && text.trim().len() < 40;
            let (word, _) = first_word(text.trim().trim_start_matches('/'));
            let is_command =
                ["notes", "since", "resume", "instructor", "login", "quit"].contains(&word);
            let is_code = text.trim().bytes().filter(u8::is_ascii_alphanumeric).count() == 8;
            let is_other =
                text.contains('\u{fffd}') || is_code || (text.contains('/') && is_command);
            return is_name && !is_other;
        }
        let Some(command) = text.strip_prefix('/').filter(|rest| !rest.starts_with('/')) else {
            return true;
        };
        let (word, rest) = first_word(command);
        let small = word.to_lowercase();
        if word.is_empty() || (small != word && ALL.contains(&&*small)) || LEFT_OUT.contains(&word)
        {
            return false;
        }
        let me = self.person(place);
        let target = || self.called(first_word(rest).0);
        match word {
            "instructor" => rest == CODE && !me.is_instructor,
            "hand" | "ask" | "floor" if me.is_instructor && word != "floor" => false,
            "msg" => target() != Some(place),
            "kick" => {
                !me.is_instructor || target().is_some_and(|it| !self.person(it).is_instructor)
            }
            "floor" => {
                !me.is_instructor
                    || (rest.len() > 1 && target().is_some_and(|it| !self.person(it).is_instructor))
            }
            "lower" => !me.is_instructor,
            "history" => {
                rest.is_empty()
                    || rest.parse::<u16>().is_ok_and(|n| n.to_string() == rest && n > 0 && n < 100)
            }
            "quit" => self.may_speak(place).is_ok(),
            _ => true,
        }
    }

    /// Whether what they read of it comes behind what was said before: it is no sentence of their own session's.
    pub fn is_ordered(&self, place: usize, line: &Heard) -> bool {
        let Heard::Text(text) = line else { return false };
        let command = text.strip_prefix('/').filter(|rest| !rest.starts_with('/'));
        let is_asked = |command| {
            let (word, rest) = first_word(command);
            ALL.contains(&word) && !(word == "instructor" || (word == "me" && rest.is_empty()))
        };
        self.is_inside(place) && command.is_none_or(is_asked)
    }

    pub(super) fn obeys(&mut self, place: usize, command: &str) {
        let (word, rest) = first_word(command);
        let answer = self.answer(place, word, rest);
        answer.into_iter().for_each(|line| self.tell(place, line));
    }

    /// What is wrong with a command before it is carried out.
    fn refusal_of(&self, place: usize, word: &str, rest: &str) -> Option<String> {
        let takes_text =
            ["me", "msg", "reply", "nick", "whois", "unignore", "join", "ask", "announce"];
        let takes_nothing =
            ["who", "names", "back", "leave", "rooms", "hand", "hands", "pause", "resume"];
        if FOR_ADMINISTRATORS.contains(&word) && !self.person(place).is_instructor {
            return Some("*** That is for administrators.".to_owned());
        }
        let lacks_text = takes_text.contains(&word) && rest.is_empty();
        let is_too_much = takes_nothing.contains(&word) && !rest.is_empty();
        (lacks_text || is_too_much).then(|| format!("*** Like this: /{word}{ANY}"))
    }

    fn answer(&mut self, place: usize, word: &str, rest: &str) -> Vec<String> {
        if let Some(refusal) = self.refusal_of(place, word, rest) {
            return vec![refusal];
        }
        match word {
            "me" => {
                self.says(place, &|name| format!("* {name} {rest}"), rest);
                Vec::new()
            }
            "msg" => self.msg(place, rest),
            "reply" => self.reply(place, rest),
            "ask" => self.ask(place, rest),
            "topic" => self.topic(place, rest),
            "echo" | "timestamps" | "quiet" => self
                .sets(place, word, rest)
                .unwrap_or_else(|| vec![format!("*** Like this: /{word}{ANY}")]),
            "nick" => self.nick(place, rest),
            "who" => self.who(place),
            "names" => self.names(),
            "whois" => vec![self.whois(rest)],
            "away" => self.away(place, rest),
            "back" => match self.person_mut(place).away.take() {
                Some(_) => vec!["*** Welcome back.".to_owned()],
                None => vec![format!("*** {ANY}")],
            },
            "ignore" => self.ignore(place, rest),
            "unignore" => self.unignore(place, rest),
            "join" => self.join(place, rest.strip_prefix('#').unwrap_or(rest)),
            "leave" if self.person(place).room == 0 => {
                vec![
                    "*** You are in lobby, where everybody starts. /quit leaves the chat."
                        .to_owned(),
                ]
            }
            "leave" => self.join(place, "lobby"),
            "rooms" => self.list_rooms(),
            "history" => self.history(place, rest),
            "hand" => self.hand(place),
            "hands" => self.hands(place),
            "instructor" => {
                self.person_mut(place).is_instructor = true;
                vec![format!("*** You are an instructor from now on, {ANY}")]
            }
            "announce" => self.announce(place, rest),
            "kick" => self.kick(place, rest),
            "pause" | "resume" => self.pause(place, word == "pause"),
            "floor" => self.floor(place, rest),
            "quit" => {
                let colon = if rest.is_empty() { "" } else { ": " };
                self.leaves(place, &format!("quit{colon}{rest}"), "*** Goodbye.");
                Vec::new()
            }
            _ => vec![format!("*** There is no command /{ANY}")],
        }
    }

    // --- Talk ---

    fn msg(&mut self, place: usize, rest: &str) -> Vec<String> {
        let (name, text) = first_word(rest);
        match self.called(name) {
            _ if text.is_empty() => vec![format!("*** Like this: /msg{ANY}")],
            Some(reader) => self.tells_privately(place, &[reader], text, ""),
            None if name.eq_ignore_ascii_case("nickserv") => vec![format!("*** {ANY}")],
            None => vec![format!("*** Nobody here is called {ANY}")],
        }
    }

    fn reply(&mut self, place: usize, text: &str) -> Vec<String> {
        match self.person(place).wrote.clone() {
            None => vec!["*** Nobody has written to you since you came.".to_owned()],
            Some((connection, name)) => match self.place_of(connection) {
                Some(reader) => self.tells_privately(place, &[reader], text, ""),
                None => vec![format!("*** {name}, who wrote to you last, has left.")],
            },
        }
    }

    pub(super) fn tells_privately(
        &mut self,
        place: usize,
        readers: &[usize],
        text: &str,
        kind: &str,
    ) -> Vec<String> {
        let (from, name) = (self.label(place), self.person(place).name.clone());
        let line = format!("[{kind}from {from}] {text}");
        let (first, connection) = (self.lines + 1, self.person(place).connection);
        let mut notes = Vec::new();
        for &reader in readers {
            self.lines += 1;
            if let Some(why) = &self.person(reader).away {
                notes.push(format!("*** {} is away: {why}", self.person(reader).name));
            }
            if !self.ignores(reader, place) {
                self.tell_live(reader, line.clone());
                let past = Past { number: self.lines, author: name.clone(), line: line.clone() };
                let reader = self.person_mut(reader);
                reader.private.push(past);
                reader.wrote = Some((connection, name.clone()));
            }
        }
        let names: Vec<String> = readers.iter().map(|&it| self.person(it).name.clone()).collect();
        let told = format!("[{kind}to {}] {text}", names.join(", "));
        let past = Past { number: first, author: String::new(), line: told.clone() };
        self.person_mut(place).private.push(past);
        [vec![told], notes].concat()
    }

    fn topic(&mut self, place: usize, text: &str) -> Vec<String> {
        let (room, name) = (self.person(place).room, self.room_of(place).name.clone());
        if text.is_empty() {
            return vec![match &self.rooms[room].topic {
                Some((topic, by)) => format!("*** Topic of {name}: {topic} (set by {by})"),
                None => format!("*** {name} has no topic. /topic TEXT sets one."),
            }];
        }
        if let Err(why) = self.may_speak(place) {
            return vec![format!("*** {why}")];
        }
        let by = self.person(place).name.clone();
        let (told, answer) = match text {
            "-" => (
                format!("*** {by} cleared the topic of {name}"),
                format!("*** {name} has no topic now."),
            ),
            _ => (
                format!("*** {by} set the topic of {name}: {text}"),
                format!("*** The topic of {name} is now: {text}"),
            ),
        };
        self.rooms[room].topic = (text != "-").then(|| (text.to_owned(), by));
        self.tell_others(room, place, &told, false);
        vec![answer]
    }

    fn history(&mut self, place: usize, rest: &str) -> Vec<String> {
        let most = if rest.is_empty() { BACKLOG } else { rest.parse().expect("a number") };
        let mut lines = self.room_of(place).past.clone();
        lines.extend(self.person(place).private.clone());
        lines.sort_by_key(|past| past.number);
        self.tells_past(place, lines, most);
        Vec::new()
    }
}
