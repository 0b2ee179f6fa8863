//! One client's dialogue: from its bytes to what it asks of the rooms and what it is answered.
//!
//! A session is one of the core's two machines. It may be slow (a password to hash one day): where each client has a
//! thread, it runs on that thread and delays nobody. Knows no I/O: what it can do, it does through a [`Hall`].

use super::{
    command::{Command, CommandTable},
    event::{Answer, Hall, Question, Talk},
    farewell::Farewell,
    flood::{Flood, FloodLimit},
    line::{LINE_MAX, Line, LineBuffer},
    name::{Name, NameRule},
    text,
};
use std::time::Duration;

/// Names that one client may have refused before it is hung up: enough for every slip, too few to try a list.
const NAMES_REFUSED_MAX: u32 = 10;
/// Bytes of talk handed on in one event, at most. Bounds what the events channel can hold.
pub const TALK_MAX: usize = 16 * 1024;

/// How the server runs its clients, for the greeting: the words before the connection's name.
#[derive(Clone, Copy)]
pub struct Model(pub &'static str);

impl Default for Model {
    fn default() -> Self {
        Model("one thread per connection, and yours is")
    }
}

/// What all sessions of a server have in common.
#[derive(Clone, Default)]
pub struct SessionConfig {
    /// How its clients are run.
    pub model: Model,
    /// No names are asked: everybody is shown by address.
    pub anonymous: bool,
    /// Which names are allowed.
    pub names: NameRule,
    /// The message of the day, cleaned, a line each.
    pub motd: Vec<String>,
    /// How fast one client may talk.
    pub flood: Option<FloodLimit>,
    /// The commands there are.
    pub commands: CommandTable,
}

/// What the session needs next.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// More bytes.
    Read,
    /// To be left alone for so long (flood), and then to be run again.
    Pause(Duration),
    /// The client to read what it was replied ([`Hall::is_behind`]), and then to be run again.
    CatchUp,
    /// Nothing more, for this reason.
    Close(Farewell),
}

/// One client's side of the conversation.
pub struct Session<'a> {
    /// Where the driver reads into.
    pub input: LineBuffer,
    flood: Option<Flood>,
    dialogue: Dialogue<'a>,
    lines: usize,
}

struct Dialogue<'a> {
    config: &'a SessionConfig,
    stage: Stage,
    /// Lines said and not yet handed on: many lines of one read become one event.
    talk: Talk,
}

enum Stage {
    Naming { refused: u32 },
    Chatting { name: Name },
}

impl<'a> Session<'a> {
    /// Greets the client. `address` is its name if nobody is asked for one; `now` counts from any fixed point.
    pub fn begin(
        config: &'a SessionConfig,
        connection: &str,
        address: &str,
        now: Duration,
        hall: &mut impl Hall,
    ) -> Session<'a> {
        let mut dialogue = Dialogue { config, stage: Stage::Naming { refused: 0 }, talk: Talk::default() };
        let greeting = format!("*** Welcome to chatd: {} {connection}.\n", config.model.0);
        if config.anonymous {
            hall.reply(greeting.as_bytes());
            dialogue.enter(Name::of_address(address, connection), hall);
        } else {
            hall.reply((greeting + "*** What is your name?\n").as_bytes());
        }
        Session {
            input: LineBuffer::default(),
            flood: config.flood.map(|limit| Flood::new(limit, now)),
            dialogue,
            lines: 0,
        }
    }

    /// Whether the client still has to give its name.
    pub fn is_naming(&self) -> bool {
        matches!(self.dialogue.stage, Stage::Naming { .. })
    }

    /// The name it has.
    pub fn name(&self) -> Option<&str> {
        match &self.dialogue.stage {
            Stage::Naming { .. } => None,
            Stage::Chatting { name } => Some(name.shown()),
        }
    }

    /// How many lines were worked off since this was last asked.
    pub fn take_line_count(&mut self) -> usize {
        std::mem::take(&mut self.lines)
    }

    /// Works off what was received, line by line.
    pub fn run(&mut self, now: Duration, hall: &mut impl Hall) -> Next {
        let next = self.take_lines(now, hall);
        self.dialogue.hand_over(hall);
        next
    }

    fn take_lines(&mut self, now: Duration, hall: &mut impl Hall) -> Next {
        self.answer_telnet(hall);
        loop {
            if hall.is_hung_up() {
                return Next::Read;
            }
            if hall.is_behind() {
                return Next::CatchUp;
            }
            let Some(line) = self.input.next_line() else { break };
            self.lines += 1;
            if let Some(farewell) = self.dialogue.line(line, hall) {
                return Next::Close(farewell);
            }
            if let Some(delay) = self.flood.as_mut().and_then(|flood| flood.take(now)) {
                if delay.first {
                    self.dialogue.tell_flood(hall);
                }
                return Next::Pause(delay.wait);
            }
        }
        if self.input.has_ended() { Next::Close(Farewell::Closed) } else { Next::Read }
    }

    fn answer_telnet(&mut self, hall: &mut impl Hall) {
        let mut bytes = self.input.telnet.take_answers();
        if self.input.telnet.take_are_you_there() {
            bytes.extend(b"*** Yes, chatd is here.\n");
        }
        if !bytes.is_empty() {
            hall.reply(&bytes);
        }
    }
}

impl Dialogue<'_> {
    /// One line. Returns the farewell if it was the last.
    fn line(&mut self, line: Line<'_>, hall: &mut impl Hall) -> Option<Farewell> {
        let typed = match line {
            Line::Text(typed) => text::clean(typed), // from here on nothing can move another terminal's cursor
            Line::NotUtf8 => return self.refuse(hall, "That line is not UTF-8 text and was not said."),
            Line::TooLong => {
                return self.refuse(hall, &format!("That line has more than {LINE_MAX} bytes and was not said."));
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
        None
    }

    fn line_is_name(&mut self, typed: &str, hall: &mut impl Hall) -> Option<Farewell> {
        if is_http_request(typed) {
            return Some(Farewell::HttpRequest);
        }
        if typed.eq_ignore_ascii_case("/quit") {
            return Some(Farewell::Quit(None));
        }
        let sentence = match self.config.names.check(typed, "name") {
            Ok(name) => self.enter(name, hall)?,
            Err(sentence) => sentence,
        };
        self.refuse(hall, &sentence)
    }

    /// Refuses a line. If it should have been a name, asks again, so many times and no more.
    fn refuse(&mut self, hall: &mut impl Hall, sentence: &str) -> Option<Farewell> {
        let Stage::Naming { refused } = &mut self.stage else { return self.reply(hall, sentence) };
        *refused += 1;
        if *refused == NAMES_REFUSED_MAX {
            return Some(Farewell::NamesRefused(*refused));
        }
        self.reply(hall, &format!("{sentence} What is your name?"))
    }

    /// Asks to be let in. Returns why not, if not.
    fn enter(&mut self, name: Name, hall: &mut impl Hall) -> Option<String> {
        let answer = hall.ask(Question::Enter(name));
        let Some(name) = answer.name else { return Some(answer.text) };
        let mut welcome =
            format!("*** Hello {}. Type to talk; /help lists the commands, /quit leaves.\n", name.shown());
        for line in &self.config.motd {
            welcome.push_str(&format!("*** {line}\n"));
        }
        welcome.push_str(&answer.text);
        self.stage = Stage::Chatting { name };
        hall.reply(welcome.as_bytes());
        None
    }

    fn line_is_command(&mut self, typed: &str, hall: &mut impl Hall) -> Option<Farewell> {
        let command = match self.config.commands.parse(typed) {
            Ok(command) => command,
            Err(sentence) => return self.reply(hall, &sentence),
        };
        if let Command::Me(action) = command {
            self.say("* ", " ", &action, hall);
            return None;
        }
        self.hand_over(hall); // what was said before the command happens before it
        let text = match command {
            Command::Quit(why) => return Some(Farewell::Quit(why)),
            Command::Crash => panic!("/crash was typed"),
            Command::Help(about) => self.config.commands.help(about.as_deref()),
            Command::Threads => hall.describe_threads(),
            Command::Nick(typed) => match self.config.names.check(&typed, "name") {
                Ok(_) if self.config.anonymous => "*** Nobody has a name here: --anonymous.\n".to_owned(),
                Ok(name) => self.take_name(hall.ask(Question::Rename(name))),
                Err(sentence) => format!("*** {sentence}\n"),
            },
            other => hall.ask(Question::Command(other)).text,
        };
        hall.reply(text.as_bytes());
        None
    }

    fn take_name(&mut self, answer: Answer) -> String {
        if let Some(name) = answer.name {
            self.stage = Stage::Chatting { name };
        }
        answer.text
    }

    fn tell_flood(&mut self, hall: &mut impl Hall) {
        let Some(FloodLimit { burst, per_second }) = self.config.flood else { return };
        self.reply(
            hall,
            &format!("More than {burst} lines at once: yours are read at {per_second} a second for a while."),
        );
    }

    fn reply(&mut self, hall: &mut impl Hall, sentence: &str) -> Option<Farewell> {
        self.hand_over(hall);
        hall.reply(format!("*** {sentence}\n").as_bytes());
        None
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

    fn hand_over(&mut self, hall: &mut impl Hall) {
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
        && method.is_some_and(|method| !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()))
}
