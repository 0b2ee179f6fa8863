//! The commands, answered: who is here, what was said, who goes where. The last third of [`Rooms`].

use super::{
    administration::topic_line,
    command::{Command, Preference, nearest},
    event::{Answer, Question},
    name::Name,
    record::SanctionKind,
    rooms::{Ignored, LOBBY, Lines, Rooms},
    text::push_wrapped,
};
use jiff::Timestamp;

/// Names told on entering a room, if they are so many at most; `/names` tells all.
const NAMES_TOLD: usize = 40;
/// Names one client may ignore.
const IGNORED_MAX: usize = 100;

impl<H: Clone> Rooms<H> {
    /// Does what was asked and says how it went. `None`: the answer comes when it is written.
    pub(super) fn answer_to(&mut self, asker: usize, question: Question) -> Option<Answer> {
        let answer = match question {
            Question::Enter(_) | Question::TakeReserve(_) => {
                Answer::text("*** You are in already.\n")
            }
            Question::Rename(name) => self.rename(asker, name),
            Question::WhoseIs(name) => self.whose_is(&name),
            Question::MyAccount => Answer {
                account: self.account_of(asker).map(|account| account.id),
                ..Answer::default()
            },
            Question::LogIn(login) => self.log_in(asker, login),
            Question::Register(hash) => return self.register(asker, hash),
            Question::Rehash { hash, quietly } => return self.rehash(asker, hash, quietly),
            Question::Unregister => return self.unregister(asker),
            Question::DeleteMail { up_to, count } => return self.delete_mail(asker, up_to, count),
            Question::Command(command) => match self.do_command(asker, command) {
                Ok(answer) => return answer,
                Err(sentence) => Answer::text(sentence.line()),
            },
        };
        Some(answer)
    }

    /// The answer to a client that has no name yet, or is on its way out.
    pub(super) fn answer_to_stranger(&self, question: &Question) -> Answer {
        match question {
            Question::TakeReserve(most) => self.may_take_reserve(*most),
            Question::WhoseIs(name) => self.whose_is(name),
            _ => Answer::default(),
        }
    }

    /// `Err` is a plain sentence: most commands end with one. `Ok(None)`: the answer comes when it is written.
    fn do_command(&mut self, asker: usize, command: Command) -> Result<Option<Answer>, Sentence> {
        let text = match command {
            Command::Msg { to, text } => return self.message(asker, &to, text),
            Command::Reply(text) => return self.reply(asker, text),
            Command::Topic(topic) => return self.topic(asker, topic),
            Command::AskAdministrators(text) => return self.ask_administrators(asker, text),
            Command::Join(room) => return self.join(asker, &room).map(Some),
            Command::Leave if self.rooms[self.members[asker].room].name != LOBBY => {
                return self.join(asker, LOBBY).map(Some);
            }
            Command::History(wanted) => return Ok(Some(self.history(asker, wanted))),
            Command::Search(words) => return Ok(Some(self.search(asker, words))),
            Command::Mail => return self.mail(asker).map(Some),
            Command::Leave => {
                say("You are in lobby, where everybody starts. /quit leaves the chat.")?
            }
            Command::Who => self.who(asker),
            Command::Names => self.names(),
            Command::Rooms => self.list_rooms(),
            Command::Whois(typed) => self.whois(asker, &typed)?,
            Command::Whoami => self.whoami(asker),
            Command::Away(why) => self.away(asker, why)?,
            Command::Back => match self.members[asker].away.take() {
                Some(_) => say("Welcome back.")?,
                None => say("You were not away.")?,
            },
            Command::Ignore(None) => self.list_ignored(asker),
            Command::Ignore(Some(typed)) => self.ignore(asker, &typed)?,
            Command::Unignore(typed) => self.unignore(asker, &typed)?,
            Command::Set(preference, on) => self.set(asker, preference, on)?,
            Command::Hand => self.hand(asker),
            Command::Hands => self.hands(asker),
            other => return self.do_admin_command(asker, other),
        };
        Ok(Some(Answer::text(text)))
    }

    fn do_admin_command(
        &mut self,
        asker: usize,
        command: Command,
    ) -> Result<Option<Answer>, Sentence> {
        self.check_admin(asker)?;
        let text = match command {
            Command::Announce(text) => return Ok(self.announce(asker, &text)),
            Command::Kick { name, why } => self.kick(asker, &name, why)?,
            Command::Ban(penalty) => self.ban(asker, penalty)?,
            Command::Unban(who) => self.lift(asker, SanctionKind::Ban, &who)?,
            Command::Bans => self.list_sanctions(),
            Command::Mute(penalty) => self.mute(asker, penalty)?,
            Command::Unmute(who) => self.lift(asker, SanctionKind::Mute, &who)?,
            Command::Pause => self.set_paused(asker, true)?,
            Command::Resume => self.set_paused(asker, false)?,
            Command::ShutDown(within) => self.shut_down(asker, within),
            _ => String::new(), // the session answers all others itself
        };
        Ok(Some(Answer::text(text)))
    }

    fn rename(&mut self, asker: usize, name: Name) -> Answer {
        if let Err(sentence) = self.may_be_called(asker, &name) {
            return Answer::text(sentence.line());
        }
        let text = self.change_name(asker, name.clone());
        Answer { name: Some(name), ..Answer::text(text) }
    }

    fn may_be_called(&self, asker: usize, name: &Name) -> Result<(), Sentence> {
        self.may_write(asker)?; // or a mute would end with a new name
        if let Some(account) = self.accounts.named(name)
            && self.members[asker].account != Some(account.id)
        {
            return Err(format!(
                "{} is registered. /login {} asks for its password.",
                account.name, account.name
            )
            .into());
        }
        if let Some(sanction) = self.sanction(SanctionKind::Ban, name, None) {
            return Err(format!("The name {} is banned by {}.", name.shown(), sanction.by).into());
        }
        self.name_is_free(name, Some(asker)).map_err(Sentence::from)
    }

    /// Calls a member something else, and tells its room.
    pub(super) fn change_name(&mut self, asker: usize, name: Name) -> String {
        let line = format!("*** {} is now {}\n", self.members[asker].name.shown(), name.shown());
        let text = format!("*** You are now {}.\n", name.shown());
        self.set_name(asker, name);
        let room = self.members[asker].room;
        let author = Some(asker);
        self.tell_room(
            room,
            Lines { text: &line, count: 1, author, to_author: false, is_presence: true },
        );
        text
    }

    fn away(&mut self, asker: usize, why: Option<String>) -> Result<String, Sentence> {
        self.may_write(asker)?; // others read why
        let why = why.unwrap_or_else(|| "away".to_owned());
        let sentence = format!("You are away: {why}. /back ends it.");
        self.members[asker].away = Some(why);
        say(sentence)
    }

    fn join(&mut self, asker: usize, typed: &str) -> Result<Answer, Sentence> {
        let name =
            self.config.names.check(typed.strip_prefix('#').unwrap_or(typed), "room's name")?;
        let room = self.find_or_add_room(&name)?;
        if room == self.members[asker].room {
            return Err(format!("You are in {} already.", self.rooms[room].name).into());
        }
        let why = format!("went to {}", self.rooms[room].name);
        self.move_out(asker, &why);
        self.move_in(asker, room);
        Ok(self.describe_place(asker))
    }

    /// Where somebody is: the company, the topic, the past.
    pub(super) fn describe_place(&self, asker: usize) -> Answer {
        let room = &self.rooms[self.members[asker].room];
        let mut text = String::new();
        match room.members.len() - 1 {
            0 => text.push_str(&format!("*** You are in {}, alone.", room.name)),
            1..=NAMES_TOLD => {
                let others: Vec<usize> =
                    room.members.iter().copied().filter(|&other| other != asker).collect();
                push_wrapped(
                    &mut text,
                    &format!("*** You are in {} with", room.name),
                    &self.sorted_names(&others),
                );
                text.push('.');
            }
            // When a class of 500 arrives at once, 500 lists of 500 names would be all the fan-out does.
            others => text.push_str(&format!(
                "*** You are in {} with {others} others; /names lists them.",
                room.name
            )),
        }
        text.push('\n');
        if let Some((topic, by)) = &room.topic {
            text.push_str(&topic_line(&room.name, topic, by));
        }
        if room.is_paused {
            text.push_str(&format!("*** {} is paused: /hand raises your hand.\n", room.name));
        }
        match self.backlog(asker) {
            // As good as always. Told here: it would leave its marks on the stack and the heap of each client's thread.
            Some(recall) if recall.query.is_none() => Answer::text(text + &recall.tell()),
            recall => Answer { recall, ..Answer::text(text) },
        }
    }

    /// What somebody ignored is called now.
    pub(super) fn name_now<'a>(&'a self, ignored: &'a Ignored) -> &'a Name {
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
            text.push_str(&format!(
                "***   {:<21} idle {}{away}\n",
                member.name.shown(),
                span(member.active, self.now)
            ));
        }
        text
    }

    fn names(&self) -> String {
        let mut text = String::new();
        for room in
            self.sorted_rooms().into_iter().filter(|&room| !self.rooms[room].members.is_empty())
        {
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

    fn whois(&self, asker: usize, typed: &str) -> Result<String, Sentence> {
        let slot = self.find_member(typed)?;
        let member = &self.members[slot];
        let account = match self.account_of(slot) {
            Some(account) if account.is_admin => {
                format!(" Administrator, logged in as {}.", account.name)
            }
            Some(account) => format!(" Logged in as {}.", account.name),
            None => String::new(),
        };
        let from =
            if self.is_admin(asker) { format!(" From {}.", member.source) } else { String::new() };
        let away = member.away.as_ref().map(|why| format!(" Away: {why}.")).unwrap_or_default();
        say(format!(
            "{} is in {}, connected for {}, idle for {}. Connection c{}.{account}{from}{away}",
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
        self.members[asker].ignored.retain(|other| {
            other.name.key() != name.key() && (other.client != client || client.is_none())
        });
        self.members[asker].ignored.push(Ignored { name, client });
        self.set_choosy(asker);
        say(sentence)
    }

    fn unignore(&mut self, asker: usize, typed: &str) -> Result<String, Sentence> {
        let key = self
            .config
            .names
            .check(typed, "name")
            .map_or_else(|_| typed.to_owned(), |name| name.key().to_owned());
        let is_meant = |name: &Name| name.key() == key || name.shown() == typed;
        let ignored = &self.members[asker].ignored;
        let kept: Vec<bool> = ignored
            .iter()
            .map(|ignored| !is_meant(&ignored.name) && !is_meant(self.name_now(ignored)))
            .collect();
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
        let names: Vec<&str> =
            ignored.iter().map(|ignored| self.name_now(ignored).shown()).collect();
        if names.is_empty() {
            return "*** You ignore nobody.\n".to_owned();
        }
        let mut text = String::new();
        push_wrapped(&mut text, "*** You ignore:", &names);
        text + ".\n"
    }

    fn set(
        &mut self,
        asker: usize,
        preference: Preference,
        on: Option<bool>,
    ) -> Result<String, Sentence> {
        let member = &mut self.members[asker];
        let (setting, sentences) = match preference {
            Preference::Quiet => (
                &mut member.quiet,
                ["You read who comes and goes again.", "You no longer read who comes and goes."],
            ),
            Preference::Timestamps => (
                &mut member.timestamps,
                [
                    "Live lines no longer have their time in front.",
                    "Live lines have their time in front from now on.",
                ],
            ),
            Preference::Echo => (
                &mut member.echo,
                ["You no longer read your own lines.", "You read your own lines from now on."],
            ),
        };
        *setting = on.unwrap_or(!*setting);
        let sentence = sentences[usize::from(*setting)];
        self.set_choosy(asker);
        say(sentence)
    }

    pub(super) fn find_member(&self, typed: &str) -> Result<usize, Sentence> {
        let by_rule = self
            .config
            .names
            .check(typed, "name")
            .ok()
            .and_then(|name| self.by_name.get(name.key()));
        if let Some(&member) = by_rule {
            return Ok(member);
        }
        let present =
            || self.by_name.values().map(|&member| (member, self.members[member].name.shown()));
        if let Some((member, _)) = present().find(|&(_, shown)| shown == typed) {
            return Ok(member); // an address: see `Name::of_address`
        }
        let names = present().map(|(_, shown)| shown);
        let hint =
            nearest(typed, names).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        Err(Sentence(format!("Nobody here is called {typed}.{hint}")))
    }

    fn sorted_names(&self, members: &[usize]) -> Vec<&str> {
        let mut names: Vec<&Name> =
            members.iter().map(|&member| &self.members[member].name).collect();
        names.sort_by_key(|name| name.key());
        names.into_iter().map(Name::shown).collect()
    }

    fn sorted_rooms(&self) -> Vec<usize> {
        let mut rooms: Vec<(&String, usize)> =
            self.room_by_name.iter().map(|(name, &room)| (name, room)).collect();
        rooms.sort_by_key(|&(name, _)| (name != LOBBY, name));
        rooms.into_iter().map(|(_, room)| room).collect()
    }
}

/// A sentence of the server, without its `*** ` and its line end.
pub(super) struct Sentence(pub String);

impl Sentence {
    pub fn line(self) -> String {
        format!("*** {}\n", self.0)
    }
}

impl From<String> for Sentence {
    fn from(sentence: String) -> Self {
        Sentence(sentence)
    }
}

impl std::fmt::Display for Sentence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

pub(super) fn say(sentence: impl Into<String>) -> Result<String, Sentence> {
    Ok(Sentence(sentence.into()).line())
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
