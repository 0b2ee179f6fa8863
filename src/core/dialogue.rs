//! What a session says and understands: the greeting, the name, talk, commands.
//!
//! A client is at the door until it has a name (and, if the name is registered, has given its password); then it is in.
//! Everything it types passes `text::clean`, and so nothing it typed can move another terminal's cursor; a password too,
//! which nobody is shown (`secret.rs`). Knows no I/O.

use super::{
    command::Command,
    event::{Answer, Entry, Hall, Login, Question, Talk},
    farewell::Farewell,
    flood::FloodLimit,
    line::{LINE_MAX, Line},
    name::Name,
    password_dialogue::Asked,
    past::PRIVATE_MAX,
    record::{AccountId, Found, LineId, Query},
    session::{Peer, SessionConfig, TALK_MAX},
    source::Source,
    text,
};

/// Names that one client may have refused before it is hung up: enough for every slip, too few to try a list.
const NAMES_REFUSED_MAX: u32 = 10;

/// One client's dialogue.
pub(super) struct Dialogue<'a> {
    pub config: &'a SessionConfig,
    pub source: Source,
    reserve_of: Option<usize>,
    pub stage: Stage,
    /// A password that is awaited, or being looked at.
    pub asked: Option<Asked>,
    /// Passwords that were wrong.
    pub wrong: u32,
    /// The mail it was last told: the last message, and how many.
    pub mail_read: Option<(LineId, usize)>,
    /// Lines said and not yet handed on: many lines of one read become one event.
    talk: Talk,
    /// It has to go.
    pub farewell: Option<Farewell>,
}

pub(super) enum Stage {
    Naming { refused: u32 },
    Chatting { name: Name },
}

impl<'a> Dialogue<'a> {
    pub fn new(config: &'a SessionConfig, peer: Peer<'_>) -> Self {
        Dialogue {
            config,
            source: Source::of(peer.address.ip()),
            reserve_of: peer.reserve_of,
            stage: Stage::Naming { refused: 0 },
            asked: None,
            wrong: 0,
            mail_read: None,
            talk: Talk::default(),
            farewell: None,
        }
    }

    #[inline(never)] // see `Session::run`
    pub fn greet(&mut self, peer: Peer<'_>, hall: &mut impl Hall) {
        if let Some(most) = peer.reserve_of {
            self.farewell = hall.ask(Question::TakeReserve(most)).farewell;
            if self.farewell.is_none() {
                let place =
                    format!("All {most} places are taken; this one is kept for an administrator.");
                hall.reply(format!("*** {place}\n*** What is your name?\n").as_bytes());
            }
            return;
        }
        let greeting =
            format!("*** Welcome to chatd: {} {}.\n", self.config.model.0, peer.connection);
        if self.config.anonymous {
            hall.reply(greeting.as_bytes());
            let name = Name::of_address(&peer.address.to_string(), peer.connection);
            self.enter(name, None, hall);
        } else {
            hall.reply((greeting + "*** What is your name?\n").as_bytes());
        }
    }

    /// The name it has.
    pub fn name(&self) -> Option<&str> {
        match &self.stage {
            Stage::Naming { .. } => None,
            Stage::Chatting { name } => Some(name.shown()),
        }
    }

    /// One line.
    pub fn line(&mut self, line: Line<'_>, hall: &mut impl Hall) {
        let typed = match line {
            Line::Text(typed) if self.awaits_password() => {
                return self.line_is_password(typed, hall);
            }
            Line::Text(typed) => text::clean(typed), // from here on nothing can move another terminal's cursor
            Line::NotUtf8 | Line::TooLong if self.awaits_password() => {
                return self.line_is_no_password(hall);
            }
            Line::NotUtf8 => {
                return self.refuse(hall, "That line is not UTF-8 text and was not said.");
            }
            Line::TooLong => {
                return self.refuse(
                    hall,
                    &format!("That line has more than {LINE_MAX} bytes and was not said."),
                );
            }
        };
        let text = match (&self.stage, typed.strip_prefix('/')) {
            (Stage::Naming { .. }, _) => return self.line_is_name(typed.trim(), hall),
            (_, None) => &*typed,
            (_, Some(slashed)) if slashed.starts_with('/') => slashed,
            (_, Some(command)) => return self.line_is_command(command, hall),
        };
        if !text.trim().is_empty() {
            self.say("<", "> ", text, hall);
        }
    }

    // --- At the door ---

    fn line_is_name(&mut self, typed: &str, hall: &mut impl Hall) {
        if is_http_request(typed) {
            self.farewell = Some(Farewell::HttpRequest);
        } else if typed.eq_ignore_ascii_case("/quit") {
            self.farewell = Some(Farewell::Quit(None));
        } else {
            match self.config.names.check(typed, "name") {
                Ok(name) => self.enter(name, None, hall),
                Err(sentence) => self.refuse(hall, &sentence),
            }
        }
    }

    /// Refuses a line. If it should have been a name, asks again, so many times and no more.
    pub fn refuse(&mut self, hall: &mut impl Hall, sentence: &str) {
        let Stage::Naming { refused } = &mut self.stage else { return self.reply(hall, sentence) };
        *refused += 1;
        if *refused == NAMES_REFUSED_MAX {
            self.farewell = Some(Farewell::NamesRefused(*refused));
        } else {
            self.reply(hall, &format!("{sentence} What is your name?"));
        }
    }

    /// Asks to be let in. A name that is an account's needs its password.
    pub fn enter(&mut self, name: Name, login: Option<Login>, hall: &mut impl Hall) {
        let entry =
            Entry { name: name.clone(), source: self.source, login, reserve_of: self.reserve_of };
        let answer = hall.ask(Question::Enter(Box::new(entry)));
        if answer.farewell.is_some() {
            self.farewell = answer.farewell;
            return;
        }
        match (&answer.name, answer.account) {
            (Some(_), _) => self.is_in(answer, hall),
            (None, Some(account)) => self.ask_at_the_door(name, account, hall),
            (None, None) => self.refuse(hall, &answer.text),
        }
    }

    fn is_in(&mut self, mut answer: Answer, hall: &mut impl Hall) {
        let Some(name) = answer.name.take() else { return };
        let mut welcome = format!(
            "*** Hello {}. Type to talk; /help lists the commands, /quit leaves.\n",
            name.shown()
        );
        for line in &self.config.motd {
            welcome.push_str(&format!("*** {line}\n"));
        }
        self.stage = Stage::Chatting { name };
        welcome.push_str(&self.take_in(answer, hall));
        hall.reply(welcome.as_bytes());
    }

    // --- Inside ---

    #[inline(never)] // see `Session::run`
    fn line_is_command(&mut self, typed: &str, hall: &mut impl Hall) {
        let command = match self.config.commands.parse(typed) {
            Ok(command) => command,
            Err(sentence) => return self.reply(hall, &sentence),
        };
        if let Command::Me(action) = command {
            return self.say("* ", " ", &action, hall);
        }
        self.hand_over(hall); // what was said before the command happens before it
        let text = match command {
            Command::Quit(why) => {
                self.farewell = Some(Farewell::Quit(why));
                return;
            }
            Command::Crash => panic!("/crash was typed"),
            Command::Help(about) => self.config.commands.help(about.as_deref()),
            Command::Threads => hall.describe_threads(),
            Command::Nick(typed) => match self.config.names.check(&typed, "name") {
                Ok(_) if self.config.anonymous => {
                    "*** Nobody has a name here: --anonymous.\n".to_owned()
                }
                Ok(name) => self.ask(Question::Rename(name), hall),
                Err(sentence) => format!("*** {sentence}\n"),
            },
            Command::Register(_) | Command::Login(..) if self.config.anonymous => {
                "*** Nobody has an account here: --anonymous.\n".to_owned()
            }
            Command::Register(password) => return self.register(password, hall),
            Command::Login(name, password) => return self.log_in(&name, password, hall),
            Command::Password => return self.change_password(hall),
            Command::Unregister => return self.unregister(hall),
            Command::DeleteMail => self.delete_mail(hall),
            other => self.ask(Question::Command(other), hall),
        };
        hall.reply(text.as_bytes());
    }

    /// Asks the rooms, and returns what the client is to read.
    pub fn ask(&mut self, question: Question, hall: &mut impl Hall) -> String {
        let mut answer = hall.ask(question);
        if let Some(name) = answer.name.take() {
            self.stage = Stage::Chatting { name };
        }
        self.take_in(answer, hall)
    }

    /// What the client is to read of an answer, the past included.
    fn take_in(&mut self, answer: Answer, hall: &mut impl Hall) -> String {
        let Answer { mut text, recall, .. } = answer;
        if let Some(mut recall) = recall {
            if let Some(query) = recall.query.take() {
                text.push_str(&recall.add(hall.find(query)).unwrap_or_default());
            }
            text.push_str(&recall.tell());
            if let (true, Some(last)) = (recall.is_mail, recall.lines.last()) {
                self.mail_read = Some((last.id, recall.lines.len()));
                text.push_str("*** /mail delete strikes out what you have read.\n");
            }
        }
        text
    }

    fn delete_mail(&mut self, hall: &mut impl Hall) -> String {
        match self.mail_read.take() {
            Some((up_to, count)) => self.ask(Question::DeleteMail { up_to, count }, hall),
            None => "*** Read it first: /mail. Then /mail delete strikes out what you have read.\n"
                .to_owned(),
        }
    }

    /// What an account last wrote and was told in private.
    pub fn private_past(account: AccountId, hall: &mut impl Hall) -> Login {
        let query = Query::Private { account, most: PRIVATE_MAX };
        let private = match hall.find(query) {
            Found::Lines(lines) => lines,
            Found::Password(_) | Found::Unavailable(_) => Vec::new(),
        };
        Login { account, private }
    }

    pub fn tell_flood(&mut self, hall: &mut impl Hall) {
        let Some(FloodLimit { burst, per_second }) = self.config.flood else { return };
        self.reply(
            hall,
            &format!("More than {burst} lines at once: yours are read at {per_second} a second for a while."),
        );
    }

    pub fn reply(&mut self, hall: &mut impl Hall, sentence: &str) {
        self.hand_over(hall);
        hall.reply(format!("*** {sentence}\n").as_bytes());
    }

    /// Says a line under the client's name. It is handed on with all the others of this read.
    fn say(&mut self, before_name: &str, after_name: &str, text: &str, hall: &mut impl Hall) {
        let Stage::Chatting { name } = &self.stage else { return };
        for part in [before_name, name.shown(), after_name, text, "\n"] {
            self.talk.text.push_str(part);
        }
        self.talk.lines += 1;
        if self.talk.text.len() >= TALK_MAX {
            self.hand_over(hall);
        }
    }

    pub fn hand_over(&mut self, hall: &mut impl Hall) {
        if self.talk.lines > 0 {
            hall.say(std::mem::take(&mut self.talk));
        }
    }
}

/// A browser that was sent to the chat's port says `GET / HTTP/1.1`; nobody's name looks like that.
fn is_http_request(line: &str) -> bool {
    let mut words = line.split(' ');
    let (method, _, version) = (words.next(), words.next(), words.next_back());
    version.is_some_and(|version| version.starts_with("HTTP/"))
        && method.is_some_and(|method| {
            !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase())
        })
}
