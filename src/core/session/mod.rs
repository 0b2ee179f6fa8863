//! One client's dialogue: from their bytes to what they say, ask and answer.
//!
//! The core has two parts: a session for each client, and the rooms. A session may be slow (hashing
//! a password takes long on purpose): where each client has a thread, it runs on that thread and
//! delays nobody. It reaches the rooms, the store and its client through a [`Driver`]. Passwords
//! are in `login`.

mod config;
pub(crate) mod door;
pub(crate) mod flood;
pub(crate) mod handover;
mod instructor;
mod login;
mod newcomer;
mod pace;
pub(crate) mod program;
pub(crate) mod sources;
mod stage;

pub use config::{Peer, SessionConfig};

use super::{
    address::ClientAddress,
    close_reason::CloseReason,
    driver::Driver,
    event::{Answer, Event, Question, SHOWN_MAX, Talk},
    history_reply::HistoryReply,
    name::{NAME_MAX, Name},
    notice::notice,
    password::{Password, command_of},
    record::{LineId, REMEMBERED_MAX},
    wire::{
        line::{LINE_MAX, Line, LineBuffer},
        opening::Opening,
        sanitize::sanitize,
    },
};
use config::Greeting;
use newcomer::{Newcomer, on_opening};
use pace::{PROBE, Pace};
use program::Program;
use serde::{Deserialize, Serialize};
use stage::Stage;
use std::{mem::take, time::Duration};
use zeroize::Zeroizing;

/// Talk becomes an event when it has this many bytes, as counted by [`Talk::wire_bytes`]. It bounds
/// what the events channel can hold.
pub(crate) const TALK_MAX: usize = 16 * 1024;
/// The most bytes that one event makes a client read, answers apart: the line that exceeds the
/// bound is still in it.
pub(crate) const EVENT_MAX: usize = TALK_MAX + SHOWN_MAX;
/// No line becomes longer when it is made safe to show.
const _: () = assert!(LINE_MAX + 4 * NAME_MAX + "<> \n".len() <= REMEMBERED_MAX);

/// What the session heard, and so what its driver has to do.
#[derive(Debug)]
pub enum Heard {
    /// Lines for the room: send them.
    Talk(Talk),
    /// A command, without its slash: run it.
    Command(Zeroizing<String>),
    /// A line that the session has dealt with: go on.
    Dialogue,
    /// No line: more bytes have to be read first.
    Nothing,
    /// Too much at once: read nothing from this client for this time, then go on.
    Pause(Duration),
    /// The end of the session, for this reason.
    Close(CloseReason),
}

/// One client's side of the conversation.
#[derive(Serialize, Deserialize)]
pub struct Session<'a> {
    /// Where the driver reads into.
    pub input: LineBuffer,
    #[serde(skip, default = "SessionConfig::unset")]
    pub(crate) config: &'a SessionConfig,
    address: ClientAddress,
    newcomer: Newcomer,
    /// What the next line is: a name, a password, or talk. While it is `Checking`, no line is
    /// taken: a password that was typed is compared first.
    stage: Stage,
    name: Option<Name>,
    passwords_wrong: u32,
    codes_wrong: u32,
    /// The mail that they were last shown.
    pub(crate) mail_read: Vec<LineId>,
    opening: Opening,
    /// What the client's program has asked for.
    pub program: Program,
    /// How fast the client is read.
    pub pace: Pace,
    /// Lines said and not yet sent: many lines of one read become one event.
    #[serde(skip)]
    talk: Talk,
    /// What was heard after that talk.
    #[serde(skip)]
    next: Option<Heard>,
    #[serde(skip)]
    close: Option<CloseReason>,
    /// How many were heard, since that was last asked.
    lines: usize,
}

impl<'a> Session<'a> {
    /// Greets the client. `now` counts from any fixed point. (The session is in a box: it lives as
    /// long as its client's thread, whose stack should stay small. See [`Session::hear`].)
    #[inline(never)]
    pub fn begin(
        config: &'a SessionConfig,
        peer: Peer<'_>,
        now: Duration,
        driver: &mut dyn Driver,
    ) -> Box<Session<'a>> {
        let mut session = new_session(config, &peer, now);
        let mut greeting = Greeting::of(&peer, config);
        if peer.may_be_gone && peer.reserve_of.is_none() && !session.pace.is_pausing() {
            driver.reply(take(&mut greeting.welcome).as_bytes());
            session.pace.pause_for(PROBE);
        }
        match session.pace.is_pausing() {
            true => session.pace.greets_after = Some(Box::new(greeting)),
            false => session.greet(greeting, driver),
        }
        session
    }

    /// Whether the client still has to give a name, and perhaps its password.
    pub(crate) fn is_naming(&self) -> bool {
        self.name.is_none()
    }

    /// The number of lines that were heard since this was last asked.
    pub fn take_line_count(&mut self) -> usize {
        take(&mut self.lines)
    }

    // --- Lines ---

    /// Hears the next lines of what was received: as much talk as there is, or one thing of another
    /// kind.
    ///
    /// A thread's stack keeps every page (4 KiB) that it ever touched, and the frame of this
    /// function is touched for each client. So code that is rare and needs much stack (a command, a
    /// password) is not inlined here.
    pub fn hear(&mut self, now: Duration, driver: &mut dyn Driver) -> Heard {
        if let Some(heard) = self.next.take().or_else(|| self.pace.take_pause().map(Heard::Pause)) {
            return heard;
        }
        self.greet_late(driver);
        self.answer_protocols(driver);
        let heard = loop {
            if let Some(reason) = self.close.take() {
                break Heard::Close(reason);
            }
            if let Stage::Checking(..) = self.stage {
                break self.check_password(now, driver);
            }
            let Some(line) = self.input.next_line() else {
                break self.hear_no_line(now, driver);
            };
            self.lines += 1;
            let is_dropped = match self.opening {
                Opening::Over => false,
                _ => on_opening(self.opening.look(line.bytes()), &mut self.close, driver),
            };
            let heard = match (line, &self.stage, &self.name) {
                _ if is_dropped => Some(Heard::Dialogue),
                (Line::Text(typed), Stage::Chatting, Some(name)) => {
                    // From here on nothing can move another terminal's cursor.
                    let text = sanitize(typed);
                    match text.strip_prefix('/') {
                        Some(command) if !command.starts_with('/') => {
                            Some(Heard::Command(command_of(typed, text)))
                        }
                        // `//x` says `/x`.
                        escaped => {
                            self.talk.push("<", name, "> ", escaped.unwrap_or(&text));
                            None
                        }
                    }
                }
                (Line::Text(typed), ..) => {
                    let typed = Zeroizing::new(typed.to_owned());
                    Some(self.answer_question(&typed, driver))
                }
                (unfit, ..) => {
                    let sentence = describe(&unfit);
                    Some(self.refuse_line(&sentence, driver))
                }
            };
            let has_to_pause = self.charge(1, now, driver);
            if let Some(heard) = heard {
                break heard;
            }
            if has_to_pause || self.talk.wire_bytes() >= TALK_MAX {
                break Heard::Dialogue;
            }
        };
        if self.talk.lines == 0 {
            return heard;
        }
        self.next = Some(heard); // what was said before comes first
        Heard::Talk(Talk { is_forgotten: self.config.is_forgotten, ..take(&mut self.talk) })
    }

    /// All lines are taken. What came besides is paid for, too.
    #[inline(never)] // see `Session::hear`
    fn hear_no_line(&mut self, now: Duration, driver: &mut dyn Driver) -> Heard {
        let waste = self.input.take_waste();
        if waste > 0 && self.charge(waste, now, driver) {
            Heard::Dialogue
        } else if self.input.has_ended() {
            Heard::Close(CloseReason::Closed)
        } else {
            self.program.beat(now, driver);
            Heard::Nothing
        }
    }

    /// Charges the client for this number of lines, or for what costs the server as much. Returns
    /// whether they have to pause.
    #[inline(never)] // see `Session::hear`
    fn charge(&mut self, lines: usize, now: Duration, driver: &mut dyn Driver) -> bool {
        let Some(delay) = self.pace.take(lines, now) else { return false };
        let sentence = self.pace.slow_down(delay, now, driver);
        sentence.iter().for_each(|sentence| self.say(driver, sentence));
        true
    }

    /// Takes a line while the server waits for an answer: a name, a password, or a command.
    #[inline(never)] // see `Session::hear`
    fn answer_question(&mut self, typed: &str, driver: &mut dyn Driver) -> Heard {
        if let Stage::Password(_) = self.stage {
            self.input.overwrite_taken();
            self.take_password(Password::new(typed), driver);
            return Heard::Dialogue;
        }
        let text = sanitize(typed);
        if text.trim_start().starts_with('/') {
            return Heard::Command(command_of(typed, text));
        }
        self.offer_name(text.trim(), driver);
        Heard::Dialogue
    }

    /// Refuses a line that is too long or not UTF-8.
    #[inline(never)] // see `Session::hear`
    fn refuse_line(&mut self, sentence: &str, driver: &mut dyn Driver) -> Heard {
        match self.stage {
            Stage::Password(_) => {
                self.input.overwrite_taken();
                self.refuse_password(driver);
            }
            _ => self.refuse(sentence, driver),
        }
        Heard::Dialogue
    }

    /// Says an action under the client's name: `* alice waves`.
    pub(crate) fn act(&mut self, action: &str) {
        if let Some(name) = &self.name {
            self.talk.push("* ", name, " ", action);
        }
    }

    // --- Asking and answering ---

    /// Asks the rooms, and returns the lines that the client is to read.
    pub(crate) fn ask(&mut self, question: Question, driver: &mut dyn Driver) -> String {
        let answer = driver.ask(Event::Ask(question));
        self.take_in(answer, driver)
    }

    /// Takes in an answer, and returns the lines that the client is to read.
    #[inline(never)] // see `Session::hear`
    pub(crate) fn take_in(&mut self, answer: Answer, driver: &mut dyn Driver) -> String {
        match answer {
            Answer::Text(text) => text,
            Answer::Fetch(text, reply) => self.fetch(text, *reply, driver),
            Answer::Named(name, text, reply) => {
                (self.name, self.stage) = (Some(name), Stage::Chatting);
                self.program.end_answering();
                match reply {
                    Some(reply) => self.fetch(text, *reply, driver),
                    None => text,
                }
            }
            Answer::Close(reason) => {
                self.close(reason);
                String::new()
            }
            Answer::LookUp(lookup) => {
                let (text, question) = lookup.ask(driver);
                text + &self.ask(question, driver)
            }
            // Whoever asks for these reads the answer directly.
            Answer::Account(_) | Answer::MayAdminister(_) | Answer::NeedsPassword(_) => {
                String::new()
            }
            Answer::NameRefused(sentence) => notice(sentence),
        }
    }

    /// Looks up the past lines that are missing, and shows all of them after `text`.
    #[inline(never)] // see `Session::hear`
    fn fetch(
        &mut self,
        mut text: String,
        mut reply: HistoryReply,
        driver: &mut dyn Driver,
    ) -> String {
        text.push_str(&reply.look_up(|query| driver.find(query)));
        text.push_str(&reply.show());
        let mail = reply.mail();
        if !mail.is_empty() {
            self.mail_read = mail;
            text.push_str("*** /mail delete removes what you have read.\n");
        }
        text
    }

    /// Ends the session, for this reason.
    pub(crate) fn close(&mut self, reason: CloseReason) {
        self.close = Some(reason);
    }

    fn say(&self, driver: &mut dyn Driver, sentence: &str) {
        driver.reply(notice(sentence).as_bytes());
    }

    /// Answers what is no line: telnet's negotiation, and a TLS handshake, which has line ends in it.
    fn answer_protocols(&mut self, driver: &mut dyn Driver) {
        if self.opening != Opening::Over && self.input.is_tls() {
            self.close(CloseReason::OtherProtocol("a TLS handshake"));
        }
        if self.input.telnet.take_begun() {
            driver.begin_telnet();
        }
        let mut bytes = self.input.telnet.take_answers();
        if self.input.telnet.take_are_you_there() {
            bytes.extend(notice("Yes, chatd is here.").as_bytes());
        }
        let is_password = matches!(self.stage, Stage::Password(_));
        // The client may have begun to speak telnet only now. Then their echo has to be set.
        bytes.extend(self.input.telnet.set_hidden(is_password));
        if !bytes.is_empty() {
            driver.reply(&bytes);
        }
    }

    /// Sets what the next line is. While that is a password, a telnet client's echo is off.
    fn set_stage(&mut self, stage: Stage, driver: &mut dyn Driver) {
        let bytes = self.input.telnet.set_hidden(matches!(stage, Stage::Password(_)));
        if !bytes.is_empty() {
            driver.reply(bytes);
        }
        self.stage = stage;
    }
}

/// A session passes over the stack on its way into the box, and while it does no other function
/// should be on the way: see [`Session::hear`].
#[inline(never)]
fn new_session<'a>(config: &'a SessionConfig, peer: &Peer<'_>, now: Duration) -> Box<Session<'a>> {
    Box::new(Session {
        input: LineBuffer::default(),
        config,
        address: peer.origin.into(),
        newcomer: Newcomer { reserve_of: peer.reserve_of, ..Newcomer::default() },
        stage: Stage::Naming,
        name: None,
        passwords_wrong: 0,
        codes_wrong: 0,
        mail_read: Vec::new(),
        opening: Opening::default(),
        program: Program::default(),
        pace: Pace::new(config.flood, peer.bucket, now),
        talk: Talk::default(),
        next: None,
        close: None,
        lines: 0,
    })
}

/// Why the whole line is refused.
fn describe(unfit: &Line<'_>) -> String {
    match unfit {
        Line::TooLong(_) => format!("That line has more than {LINE_MAX} bytes and was not said."),
        Line::NotUtf8(_) | Line::Text(_) => {
            "That line is not UTF-8 text and was not said.".to_owned()
        }
    }
}
