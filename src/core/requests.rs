//! The commands, answered: who is here, what was said, who goes where. The last third of [`Rooms`].

use super::{
    command::{Command, Preference, nearest},
    event::{Answer, Question},
    name::Name,
    rooms::{Ignored, LOBBY, Lines, Rooms},
    text::push_wrapped,
};
use jiff::Timestamp;

/// Names told on entering a room, if they are so many at most; `/names` tells all.
const NAMES_TOLD: usize = 40;
/// Names one client may ignore.
const IGNORED_MAX: usize = 100;

impl<H: Clone> Rooms<H> {
    /// Does what was asked and says how it went.
    pub(super) fn answer_to(&mut self, asker: usize, question: Question) -> Answer {
        let text = match question {
            Question::Enter(_) => "*** You are in already.\n".to_owned(),
            Question::Rename(name) => return self.rename(asker, name),
            Question::Command(command) => self.do_command(asker, command).unwrap_or_else(|sentence| sentence.line()),
        };
        Answer { text, name: None }
    }

    /// `Err` is a plain sentence: most commands end with one.
    fn do_command(&mut self, asker: usize, command: Command) -> Result<String, Sentence> {
        match command {
            Command::Who => Ok(self.who(asker)),
            Command::Names => Ok(self.names()),
            Command::Rooms => Ok(self.list_rooms()),
            Command::Whois(typed) => self.whois(&typed),
            Command::Msg { to, text } => Ok(self.message(asker, self.find_member(&to)?, &text)),
            Command::Reply(text) => self.reply(asker, &text),
            Command::Join(room) => self.join(asker, &room),
            Command::Leave if self.rooms[self.members[asker].room].name == LOBBY => {
                say("You are in lobby, where everybody starts. /quit leaves the chat.")
            }
            Command::Leave => self.join(asker, LOBBY),
            Command::Topic(topic) => self.topic(asker, topic),
            Command::History(count) => self.history(asker, count),
            Command::Away(why) => {
                let why = why.unwrap_or_else(|| "away".to_owned());
                let sentence = format!("You are away: {why}. /back ends it.");
                self.members[asker].away = Some(why);
                say(sentence)
            }
            Command::Back => match self.members[asker].away.take() {
                Some(_) => say("Welcome back."),
                None => say("You were not away."),
            },
            Command::Ignore(None) => Ok(self.list_ignored(asker)),
            Command::Ignore(Some(typed)) => self.ignore(asker, &typed),
            Command::Unignore(typed) => self.unignore(asker, &typed),
            Command::Set(preference, on) => self.set(asker, preference, on),
            // The session answers these itself.
            Command::Help(_)
            | Command::Nick(_)
            | Command::Me(_)
            | Command::Threads
            | Command::Quit(_)
            | Command::Crash => Ok(String::new()),
        }
    }

    fn rename(&mut self, asker: usize, name: Name) -> Answer {
        if let Err(sentence) = self.name_is_free(&name, Some(asker)) {
            return Answer { text: format!("*** {sentence}\n"), name: None };
        }
        let line = format!("*** {} is now {}\n", self.members[asker].name.shown(), name.shown());
        let text = format!("*** You are now {}.\n", name.shown());
        self.set_name(asker, name.clone());
        let room = self.members[asker].room;
        self.tell_others(room, asker, true, &line);
        Answer { text, name: Some(name) }
    }

    /// Tells a room's members but the one whose doing it is: it reads that in its answer.
    fn tell_others(&mut self, room: usize, author: usize, is_presence: bool, line: &str) {
        self.tell_room(room, Lines { text: line, count: 1, author, to_author: false, is_presence });
    }

    fn message(&mut self, from: usize, reader: usize, text: &str) -> String {
        let (author, client) = (self.members[from].name.clone(), self.members[from].client);
        let shown = self.members[reader].name.shown().to_owned();
        if !self.ignores(reader, from) {
            self.tell(reader, &format!("[from {}] {text}\n", author.shown()));
            self.members[reader].correspondent = Some(Box::new((client, author)));
        }
        let mut told = format!("[to {shown}] {text}\n");
        if let Some(why) = &self.members[reader].away {
            told.push_str(&format!("*** {shown} is away: {why}\n"));
        }
        told
    }

    /// Answers the client that wrote, and never another one that has taken its name.
    fn reply(&mut self, asker: usize, text: &str) -> Result<String, Sentence> {
        let Some(correspondent) = self.members[asker].correspondent.clone() else {
            return say("Nobody has written to you yet.");
        };
        let (client, name) = *correspondent;
        match self.member_of(client) {
            Some(reader) => Ok(self.message(asker, reader, text)),
            None => say(format!("{}, who wrote to you last, has left.", name.shown())),
        }
    }

    fn join(&mut self, asker: usize, typed: &str) -> Result<String, Sentence> {
        let name = self.config.names.check(typed.strip_prefix('#').unwrap_or(typed), "room's name")?;
        let room = self.find_or_add_room(&name)?;
        if room == self.members[asker].room {
            return say(format!("You are in {} already.", self.rooms[room].name));
        }
        let why = format!("went to {}", self.rooms[room].name);
        self.move_out(asker, &why);
        self.move_in(asker, room);
        Ok(self.describe_place(asker))
    }

    /// Where somebody is: the company, the topic, the past.
    pub(super) fn describe_place(&self, asker: usize) -> String {
        let room = &self.rooms[self.members[asker].room];
        let mut text = String::new();
        match room.members.len() - 1 {
            0 => text.push_str(&format!("*** You are in {}, alone.", room.name)),
            1..=NAMES_TOLD => {
                let others: Vec<usize> = room.members.iter().copied().filter(|&other| other != asker).collect();
                push_wrapped(&mut text, &format!("*** You are in {} with", room.name), &self.sorted_names(&others));
                text.push('.');
            }
            // When a class of 500 arrives at once, 500 lists of 500 names would be all the fan-out does.
            others => text.push_str(&format!("*** You are in {} with {others} others; /names lists them.", room.name)),
        }
        text.push('\n');
        text.push_str(&topic_line(&room.name, &room.topic));
        text.push_str(&self.tell_past(asker, self.config.backlog_lines));
        text
    }

    fn topic(&mut self, asker: usize, topic: Option<String>) -> Result<String, Sentence> {
        let slot = self.members[asker].room;
        let author = self.members[asker].name.shown().to_owned();
        let room = &mut self.rooms[slot];
        let name = room.name.clone();
        let (line, sentence) = match topic {
            None => {
                let shown = topic_line(&name, &room.topic);
                return if shown.is_empty() {
                    say(format!("{name} has no topic. /topic TEXT sets one."))
                } else {
                    Ok(shown)
                };
            }
            Some(dash) if dash == "-" => {
                room.topic = None;
                (format!("*** {author} cleared the topic of {name}\n"), format!("{name} has no topic now."))
            }
            Some(topic) => {
                room.topic = Some((topic.clone(), author.clone()));
                (
                    format!("*** {author} set the topic of {name}: {topic}\n"),
                    format!("The topic of {name} is now: {topic}"),
                )
            }
        };
        self.tell_others(slot, asker, false, &line);
        say(sentence)
    }

    fn history(&self, asker: usize, count: Option<usize>) -> Result<String, Sentence> {
        let text = self.tell_past(asker, count.unwrap_or(self.config.backlog_lines));
        let room = &self.rooms[self.members[asker].room];
        if text.is_empty() { say(format!("Nothing was said in {} yet.", room.name)) } else { Ok(text) }
    }

    /// The last lines of the asker's room, without those of whom it ignores.
    fn tell_past(&self, asker: usize, count: usize) -> String {
        let room = &self.rooms[self.members[asker].room];
        let ignored = &self.members[asker].ignored;
        let hidden: Vec<&str> =
            ignored.iter().flat_map(|ignored| [&ignored.name, self.name_now(ignored)]).map(Name::shown).collect();
        room.past.tell(&room.name, count, self.now, &self.config.zone, &hidden)
    }

    /// What somebody ignored is called now.
    fn name_now<'a>(&'a self, ignored: &'a Ignored) -> &'a Name {
        ignored
            .client
            .and_then(|client| self.member_of(client))
            .map_or(&ignored.name, |member| &self.members[member].name)
    }

    fn who(&self, asker: usize) -> String {
        let room = &self.rooms[self.members[asker].room];
        let mut members = room.members.clone();
        members.sort_by_key(|&member| self.members[member].name.key());
        let mut text = format!("*** {} in {}:\n", members.len(), room.name);
        for member in members.into_iter().map(|slot| &self.members[slot]) {
            let away = member.away.as_ref().map(|why| format!(", away: {why}")).unwrap_or_default();
            text.push_str(&format!("***   {:<21} idle {}{away}\n", member.name.shown(), span(member.active, self.now)));
        }
        text
    }

    fn names(&self) -> String {
        let mut text = String::new();
        for room in self.sorted_rooms().into_iter().filter(|&room| !self.rooms[room].members.is_empty()) {
            let room = &self.rooms[room];
            let lead = format!("*** {} ({}):", room.name, room.members.len());
            push_wrapped(&mut text, &lead, &self.sorted_names(&room.members));
            text.push('\n');
        }
        text
    }

    fn list_rooms(&self) -> String {
        let mut text = String::from("*** Rooms:\n");
        for room in self.sorted_rooms() {
            let room = &self.rooms[room];
            let topic = room.topic.as_ref().map_or("", |(topic, _)| topic);
            let line = format!("***   {:<21} {:>3} here   {topic}", room.name, room.members.len());
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn whois(&self, typed: &str) -> Result<String, Sentence> {
        let member = &self.members[self.find_member(typed)?];
        let away = member.away.as_ref().map(|why| format!(" Away: {why}.")).unwrap_or_default();
        say(format!(
            "{} is in {}, connected for {}, idle for {}. Connection c{}.{away}",
            member.name.shown(),
            self.rooms[member.room].name,
            span(member.since, self.now),
            span(member.active, self.now),
            member.client,
        ))
    }

    fn ignore(&mut self, asker: usize, typed: &str) -> Result<String, Sentence> {
        let (name, client) = match self.find_member(typed) {
            Ok(member) if member == asker => return say("You cannot ignore yourself."),
            Ok(member) => (self.members[member].name.clone(), Some(self.members[member].client)),
            Err(nobody) => (self.config.names.check(typed, "name").map_err(|_| nobody)?, None),
        };
        if self.members[asker].ignored.len() >= IGNORED_MAX {
            return say(format!("You ignore {IGNORED_MAX} names, which is the most."));
        }
        let sentence = format!("You no longer read what {} says.", name.shown());
        self.members[asker]
            .ignored
            .retain(|other| other.name.key() != name.key() && (other.client != client || client.is_none()));
        self.members[asker].ignored.push(Ignored { name, client });
        self.set_choosy(asker);
        say(sentence)
    }

    fn unignore(&mut self, asker: usize, typed: &str) -> Result<String, Sentence> {
        let key =
            self.config.names.check(typed, "name").map_or_else(|_| typed.to_owned(), |name| name.key().to_owned());
        let is_meant = |name: &Name| name.key() == key || name.shown() == typed;
        let ignored = &self.members[asker].ignored;
        let kept: Vec<bool> =
            ignored.iter().map(|ignored| !is_meant(&ignored.name) && !is_meant(self.name_now(ignored))).collect();
        if kept.iter().all(|&kept| kept) {
            return say(format!("You do not ignore {typed}."));
        }
        let mut kept = kept.into_iter();
        self.members[asker].ignored.retain(|_| kept.next().unwrap_or(true));
        self.set_choosy(asker);
        say(format!("You read what {typed} says again."))
    }

    fn list_ignored(&self, asker: usize) -> String {
        let ignored = &self.members[asker].ignored;
        let names: Vec<&str> = ignored.iter().map(|ignored| self.name_now(ignored).shown()).collect();
        if names.is_empty() {
            return "*** You ignore nobody.\n".to_owned();
        }
        let mut text = String::new();
        push_wrapped(&mut text, "*** You ignore:", &names);
        text + ".\n"
    }

    fn set(&mut self, asker: usize, preference: Preference, on: Option<bool>) -> Result<String, Sentence> {
        let member = &mut self.members[asker];
        let (setting, sentences) = match preference {
            Preference::Quiet => {
                (&mut member.quiet, ["You read who comes and goes again.", "You no longer read who comes and goes."])
            }
            Preference::Timestamps => (
                &mut member.timestamps,
                ["Live lines no longer have their time in front.", "Live lines have their time in front from now on."],
            ),
            Preference::Echo => {
                (&mut member.echo, ["You no longer read your own lines.", "You read your own lines from now on."])
            }
        };
        *setting = on.unwrap_or(!*setting);
        let sentence = sentences[usize::from(*setting)];
        self.set_choosy(asker);
        say(sentence)
    }

    fn find_member(&self, typed: &str) -> Result<usize, Sentence> {
        let by_rule = self.config.names.check(typed, "name").ok().and_then(|name| self.by_name.get(name.key()));
        if let Some(&member) = by_rule {
            return Ok(member);
        }
        let present = || self.by_name.values().map(|&member| (member, self.members[member].name.shown()));
        if let Some((member, _)) = present().find(|&(_, shown)| shown == typed) {
            return Ok(member); // an address: see `Name::of_address`
        }
        let names = present().map(|(_, shown)| shown);
        let hint = nearest(typed, names).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        Err(Sentence(format!("Nobody here is called {typed}.{hint}")))
    }

    fn sorted_names(&self, members: &[usize]) -> Vec<&str> {
        let mut names: Vec<&Name> = members.iter().map(|&member| &self.members[member].name).collect();
        names.sort_by_key(|name| name.key());
        names.into_iter().map(Name::shown).collect()
    }

    fn sorted_rooms(&self) -> Vec<usize> {
        let mut rooms: Vec<(&String, usize)> = self.room_by_name.iter().map(|(name, &room)| (name, room)).collect();
        rooms.sort_by_key(|&(name, _)| (name != LOBBY, name));
        rooms.into_iter().map(|(_, room)| room).collect()
    }
}

/// A sentence of the server, without its `*** ` and its line end.
struct Sentence(String);

impl Sentence {
    fn line(self) -> String {
        format!("*** {}\n", self.0)
    }
}

impl From<String> for Sentence {
    fn from(sentence: String) -> Self {
        Sentence(sentence)
    }
}

fn say(sentence: impl Into<String>) -> Result<String, Sentence> {
    Ok(Sentence(sentence.into()).line())
}

fn topic_line(room: &str, topic: &Option<(String, String)>) -> String {
    match topic {
        Some((topic, author)) => format!("*** Topic of {room}: {topic} (set by {author})\n"),
        None => String::new(),
    }
}

/// How long ago, in the largest unit that says something.
fn span(from: Timestamp, to: Timestamp) -> String {
    match (to.as_second() - from.as_second()).max(0) {
        s @ ..60 => format!("{s} s"),
        s @ ..3_600 => format!("{} min", s / 60),
        s @ ..86_400 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}
