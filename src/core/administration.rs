//! What administrators may do, and what follows from it: who may enter, who may speak. Part of [`Rooms`].
//!
//! All of it takes effect at once, whatever the disk does, is noted in the memory and logged with who and when. The topic
//! of a room is here too, because its holder may speak in a room that is paused.

use super::{
    command::Penalty,
    event::{Answer, ClientId},
    farewell::Farewell,
    held::Deed,
    name::Name,
    record::{LineId, Party, Sanction, SanctionKind, Subject, What},
    requests::{Sentence, say},
    rooms::{Lines, Order, Rooms},
    source::Source,
};
use jiff::Timestamp;
use std::{collections::HashMap, time::Duration};

/// Sanctions at most; each is looked up at the door, and all of them are listed by `/bans`.
const SANCTIONS_MAX: usize = 1_000;

/// Who may not enter and who may not speak, each by name's key or address.
#[derive(Default)]
pub(super) struct Sanctions(HashMap<(SanctionKind, Subject), Sanction>);

impl<H: Clone> Rooms<H> {
    /// All sanctions anew, as they are written; and then those that are not written yet.
    pub(super) fn set_sanctions(&mut self, sanctions: Vec<Sanction>) {
        let row = |sanction: Sanction| ((sanction.kind, self.key_of(&sanction.subject)), sanction);
        let mut rows: HashMap<_, _> = sanctions.into_iter().map(row).collect();
        for what in self.sanctioning() {
            match what {
                What::Sanctioned(sanction) => rows.extend([row(sanction.clone())]),
                What::Lifted(kind, subject) => drop(rows.remove(&(*kind, self.key_of(subject)))),
                _ => {}
            }
        }
        self.sanctions = Sanctions(rows);
    }

    /// A subject as it is looked up: names by their keys.
    fn key_of(&self, subject: &Subject) -> Subject {
        match subject {
            Subject::Name(name) => {
                let key = self.config.names.check(name, "name").map(|name| name.key().to_owned());
                Subject::Name(key.unwrap_or_else(|_| name.clone()))
            }
            Subject::Address(address) => Subject::Address(address.clone()),
        }
    }

    /// The sanction that forbids something to whoever has this name or comes from here, if one is in force.
    pub(super) fn sanction(
        &self,
        kind: SanctionKind,
        name: &Name,
        source: Option<Source>,
    ) -> Option<&Sanction> {
        let in_force = |sanction: &&Sanction| sanction.until.is_none_or(|until| until > self.now);
        let by = |subject| self.sanctions.0.get(&(kind, subject)).filter(in_force);
        by(Subject::Name(name.key().to_owned()))
            .or_else(|| source.and_then(|source| by(Subject::Address(source.to_string()))))
    }

    pub(super) fn describe_ban(&self, sanction: &Sanction) -> String {
        let why = sanction.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        format!("you are banned by {}{}{why}.", sanction.by, self.until(sanction.until))
    }

    fn until(&self, until: Option<Timestamp>) -> String {
        let Some(until) = until else { return String::new() };
        format!(" until {}", self.config.zone.to_datetime(until).strftime("%Y-%m-%d %H:%M"))
    }

    // --- Who may speak ---

    /// Whether a member may say something to its room.
    pub(super) fn may_speak(&self, member: usize) -> Result<(), Sentence> {
        if self.sanctions.0.is_empty() && !self.rooms[self.members[member].room].is_paused {
            return Ok(()); // as good as always
        }
        self.may_write(member)?;
        let room = &self.rooms[self.members[member].room];
        if !room.is_paused || self.is_admin(member) || self.holds_topic(member) {
            return Ok(());
        }
        let holder = match &room.topic {
            Some((_, holder)) => format!("administrators and {}, who set the topic,", holder.name),
            None => "administrators".to_owned(),
        };
        Err(format!("{} is paused: only {holder} speak. /hand raises your hand.", room.name).into())
    }

    /// Whether a member may say anything to anybody.
    pub(super) fn may_write(&self, member: usize) -> Result<(), Sentence> {
        if self.is_admin(member) {
            return Ok(());
        }
        match self.sanction(SanctionKind::Mute, &self.members[member].name, None) {
            None => Ok(()),
            Some(mute) => {
                let why = mute.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
                Err(format!("You are muted by {}{}{why}.", mute.by, self.until(mute.until)).into())
            }
        }
    }

    /// Whether the topic of its room was set by this member.
    fn holds_topic(&self, member: usize) -> bool {
        let party = self.party(member);
        self.rooms[self.members[member].room].topic.as_ref().is_some_and(|(_, holder)| match holder
            .account
        {
            Some(account) => party.account == Some(account),
            None => party.account.is_none() && holder.name == party.name,
        })
    }

    // --- The topic ---

    /// `/topic`. `Ok(None)`: the answer comes when it is written.
    pub(super) fn topic(
        &mut self,
        asker: usize,
        topic: Option<String>,
    ) -> Result<Option<Answer>, Sentence> {
        let room = self.members[asker].room;
        let Some(topic) = topic else {
            let room = &self.rooms[room];
            return match &room.topic {
                Some((topic, by)) => Ok(Some(Answer::text(topic_line(&room.name, topic, by)))),
                None => Err(format!("{} has no topic. /topic TEXT sets one.", room.name).into()),
            };
        };
        self.may_speak(asker)?;
        let topic = (topic != "-").then(|| (topic, self.party(asker)));
        let client = self.members[asker].client;
        if !self.config.keeps_talk {
            return Ok(Some(Answer::text(self.topic_is_set(client, room, topic))));
        }
        let what = What::Topic { room: self.rooms[room].name.clone(), topic: topic.clone() };
        self.hold_deed(asker, what, Deed::SetTopic { room, topic });
        Ok(None)
    }

    pub(super) fn topic_is_set(
        &mut self,
        client: ClientId,
        room: usize,
        topic: Option<(String, Party)>,
    ) -> String {
        let author = self.member_of(client);
        let name = self.rooms[room].name.clone();
        let who = author.map_or("somebody who left", |author| self.members[author].name.shown());
        let (line, sentence) = match &topic {
            None => (
                format!("*** {who} cleared the topic of {name}\n"),
                format!("*** {name} has no topic now.\n"),
            ),
            Some((topic, by)) => (
                format!("*** {} set the topic of {name}: {topic}\n", by.name),
                format!("*** The topic of {name} is now: {topic}\n"),
            ),
        };
        self.rooms[room].topic = topic;
        if !self.rooms[room].members.is_empty() {
            self.tell_room(
                room,
                Lines { text: &line, count: 1, author, to_author: false, is_presence: false },
            );
        }
        sentence
    }

    // --- Commands of administrators ---

    pub(super) fn check_admin(&self, asker: usize) -> Result<(), Sentence> {
        if self.is_admin(asker) {
            Ok(())
        } else {
            Err("That is for administrators.".to_owned().into())
        }
    }

    /// Notes in the memory, and in the log, that an administrator did this.
    fn log_deed(&mut self, asker: usize, what: String) {
        let member = &self.members[asker];
        self.orders.push(Order::Log(format!(
            "{} (c{}, {}) {what}",
            member.name.shown(),
            member.client,
            member.source
        )));
        let by = member.name.shown().to_owned();
        self.note(What::Deed { by, what });
    }

    /// `/announce`. `None`: the answer comes when it is written.
    pub(super) fn announce(&mut self, asker: usize, text: &str) -> Option<Answer> {
        self.log_deed(asker, format!("announced: {text}"));
        let line = format!("*** Announcement by {}: {text}\n", self.members[asker].name.shown());
        let rooms: Vec<usize> = self.rooms.iter().map(|(slot, _)| slot).collect();
        let first = self.take_line_ids(rooms.len());
        let rooms: Vec<(usize, LineId)> = rooms.into_iter().zip(first..).collect();
        if !self.config.keeps_talk {
            return Some(Answer::text(self.tell_announcement(&line, rooms, self.now)));
        }
        let author = self.party(asker);
        let said = |&(room, id): &(usize, LineId)| What::Said {
            id,
            room: self.rooms[room].name.clone(),
            author: author.clone(),
            text: line.clone(),
        };
        let mut whats: Vec<What> = rooms.iter().map(said).collect();
        let last = whats.pop()?;
        whats.into_iter().for_each(|what| self.note(what));
        self.hold_deed(asker, last, Deed::Announce { line, rooms });
        None
    }

    /// Everybody reads it, its author too, and nobody can hide it.
    pub(super) fn tell_announcement(
        &mut self,
        line: &str,
        rooms: Vec<(usize, LineId)>,
        at: Timestamp,
    ) -> String {
        for (room, id) in
            rooms.into_iter().filter(|&(room, _)| self.rooms.contains(room)).collect::<Vec<_>>()
        {
            self.tell_room_as_server(room, line);
            self.rooms[room].past.remember(id, at, line, 1);
        }
        String::new()
    }

    pub(super) fn kick(
        &mut self,
        asker: usize,
        name: &str,
        why: Option<String>,
    ) -> Result<String, Sentence> {
        let member = self.find_member(name)?;
        let (name, by) = (
            self.members[member].name.shown().to_owned(),
            self.members[asker].name.shown().to_owned(),
        );
        if member == asker {
            return Err("You cannot kick yourself: /quit leaves.".to_owned().into());
        }
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        self.log_deed(asker, format!("kicked {name}{why}"));
        self.evict(member, Farewell::Kicked(format!("kicked by {by}{why}")));
        say(format!("{name} is gone."))
    }

    pub(super) fn ban(&mut self, asker: usize, penalty: Penalty) -> Result<String, Sentence> {
        let subject = self.subject(&penalty.who)?;
        let whom = describe_subject(&subject).to_owned();
        let sanction = self.impose(asker, SanctionKind::Ban, subject, penalty)?;
        let farewell = Farewell::Banned(self.describe_ban(&sanction));
        let banned: Vec<usize> = self
            .members
            .iter()
            .filter(|(slot, member)| {
                *slot != asker
                    && !self.is_admin(*slot)
                    && is_meant(&sanction.subject, &member.name, member.source, self)
            })
            .map(|(slot, _)| slot)
            .collect();
        let gone = banned.len();
        for member in banned {
            self.evict(member, farewell.clone());
        }
        say(format!("{whom} is banned{}; {gone} sent away.", self.until(sanction.until)))
    }

    pub(super) fn mute(&mut self, asker: usize, penalty: Penalty) -> Result<String, Sentence> {
        let name = self.config.names.check(&penalty.who, "name")?;
        let subject = Subject::Name(name.shown().to_owned());
        let sanction = self.impose(asker, SanctionKind::Mute, subject, penalty)?;
        let until = self.until(sanction.until);
        if let Some(&member) = self.by_name.get(name.key()) {
            self.tell(member, &format!("*** You are muted by {}{until}.\n", sanction.by));
        }
        say(format!("{} is muted{until}.", name.shown()))
    }

    /// Writes a sanction down, and returns it.
    fn impose(
        &mut self,
        asker: usize,
        kind: SanctionKind,
        subject: Subject,
        penalty: Penalty,
    ) -> Result<Sanction, Sentence> {
        let now = self.now;
        self.sanctions.0.retain(|_, sanction| sanction.until.is_none_or(|until| until > now));
        let key = (kind, self.key_of(&subject));
        if self.sanctions.0.len() >= SANCTIONS_MAX && !self.sanctions.0.contains_key(&key) {
            return Err(
                format!("There are {SANCTIONS_MAX} bans and mutes, which is the most.").into()
            );
        }
        let by = self.members[asker].name.shown().to_owned();
        let until = penalty.lasts.and_then(|lasts| now.checked_add(lasts).ok());
        let verb = if kind == SanctionKind::Ban { "banned" } else { "muted" };
        let why = penalty.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        self.log_deed(
            asker,
            format!("{verb} {}{}{why}", describe_subject(&subject), self.until(until)),
        );
        let sanction = Sanction { kind, subject, until, by, why: penalty.why };
        self.note(What::Sanctioned(sanction.clone()));
        self.sanctions.0.insert(key, sanction.clone());
        Ok(sanction)
    }

    pub(super) fn lift(
        &mut self,
        asker: usize,
        kind: SanctionKind,
        who: &str,
    ) -> Result<String, Sentence> {
        let subject = self.subject(who)?;
        let word = if kind == SanctionKind::Ban { "banned" } else { "muted" };
        let Some(lifted) = self.sanctions.0.remove(&(kind, self.key_of(&subject))) else {
            return Err(format!("{} is not {word}.", describe_subject(&subject)).into());
        };
        self.note(What::Lifted(kind, lifted.subject));
        self.log_deed(asker, format!("let {} be {word} no longer", describe_subject(&subject)));
        if let (SanctionKind::Mute, Ok(member)) = (kind, self.find_member(who)) {
            self.tell(member, "*** You are muted no longer.\n");
        }
        say(format!("{} is {word} no longer.", describe_subject(&subject)))
    }

    pub(super) fn list_sanctions(&self) -> String {
        let mut rows: Vec<_> = self
            .sanctions
            .0
            .iter()
            .filter(|(_, s)| s.until.is_none_or(|until| until > self.now))
            .collect();
        if rows.is_empty() {
            return "*** Nobody is banned or muted.\n".to_owned();
        }
        rows.sort_by_key(|&(key, _)| key);
        let mut text = String::from("*** Banned and muted:\n");
        for ((kind, _), Sanction { subject, until, by, why, .. }) in rows {
            let word = if *kind == SanctionKind::Ban { "banned" } else { "muted" };
            let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            let until = self.until(*until);
            text.push_str(&format!(
                "***   {:<21} {word}{until} by {by}{why}\n",
                describe_subject(subject)
            ));
        }
        text
    }

    /// Whom an administrator means: an address has a colon or begins with a digit, and no name does.
    fn subject(&self, typed: &str) -> Result<Subject, Sentence> {
        if typed.contains(':') || typed.starts_with(|c: char| c.is_ascii_digit()) {
            let source: Result<Source, _> = typed.parse();
            return match source {
                Ok(source) => Ok(Subject::Address(source.to_string())),
                Err(_) => {
                    Err(format!("{typed} is no address, like 192.0.2.7 or 2001:db8::1.").into())
                }
            };
        }
        Ok(Subject::Name(self.config.names.check(typed, "name")?.shown().to_owned()))
    }

    /// `/pause` and `/resume`.
    pub(super) fn set_paused(&mut self, asker: usize, is_paused: bool) -> Result<String, Sentence> {
        let slot = self.members[asker].room;
        let name = self.rooms[slot].name.clone();
        if self.rooms[slot].is_paused == is_paused {
            return Err(format!(
                "{name} is {} already.",
                if is_paused { "paused" } else { "open" }
            )
            .into());
        }
        self.rooms[slot].is_paused = is_paused;
        self.log_deed(asker, format!("{} {name}", if is_paused { "paused" } else { "resumed" }));
        let by = self.members[asker].name.shown();
        let line = match is_paused {
            true => format!(
                "*** {by} paused {name}: who sets the topic speaks, and administrators. /hand raises your hand.\n"
            ),
            false => format!("*** {by} resumed {name}: everybody speaks again.\n"),
        };
        self.tell_room_as_server(slot, &line);
        Ok(String::new())
    }

    /// `/shutdown`. `None`: not after all.
    pub(super) fn shut_down(&mut self, asker: usize, within: Option<Duration>) -> String {
        let by = self.members[asker].name.shown().to_owned();
        let (order, line) = match within {
            Some(within) => {
                let seconds = within.as_secs();
                self.log_deed(asker, format!("shuts the server down in {seconds} s"));
                (
                    Order::ShutDown(within),
                    format!("*** {by} shuts the server down in {seconds} s.\n"),
                )
            }
            None => {
                self.log_deed(asker, "called the shutdown off".to_owned());
                (Order::CallOffShutDown, format!("*** {by} called the shutdown off.\n"))
            }
        };
        self.orders.push(order);
        self.tell_everybody(&line);
        String::new()
    }
}

fn is_meant<H: Clone>(subject: &Subject, name: &Name, source: Source, rooms: &Rooms<H>) -> bool {
    match rooms.key_of(subject) {
        Subject::Name(key) => key == name.key(),
        Subject::Address(address) => address == source.to_string(),
    }
}

fn describe_subject(subject: &Subject) -> &str {
    match subject {
        Subject::Name(name) | Subject::Address(name) => name,
    }
}

/// A room's topic as it is told.
pub(super) fn topic_line(room: &str, topic: &str, by: &Party) -> String {
    format!("*** Topic of {room}: {topic} (set by {})\n", by.name)
}
