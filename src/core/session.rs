//! One client's dialogue: from its bytes to what it asks of the rooms and what it is answered.
//!
//! A session is one of the core's two machines. It may be slow (a password is hashed on purpose slowly): where each
//! client has a thread, it runs on that thread and delays nobody. Knows no I/O: what it can do, it does through a
//! [`Hall`]. Here is how it is driven; what it says is in `dialogue.rs`, and about passwords in `password_dialogue.rs`.

use super::{
    command::CommandTable,
    dialogue::Dialogue,
    event::Hall,
    farewell::Farewell,
    flood::{Flood, FloodLimit},
    line::LineBuffer,
    name::NameRule,
};
use ::core::net::SocketAddr;
use std::time::Duration;

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

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// What serves it: `c7`.
    pub connection: &'a str,
    /// Its address.
    pub address: SocketAddr,
    /// Whether there is no place for it but the one that is kept for an administrator; then, how many the others are.
    pub reserve_of: Option<usize>,
}

impl<'a> Session<'a> {
    /// Greets the client; `now` counts from any fixed point.
    pub fn begin(
        config: &'a SessionConfig,
        peer: Peer<'_>,
        now: Duration,
        hall: &mut impl Hall,
    ) -> Session<'a> {
        let mut dialogue = Dialogue::new(config, peer);
        dialogue.greet(peer, hall);
        Session {
            input: LineBuffer::default(),
            flood: config.flood.map(|limit| Flood::new(limit, now)),
            dialogue,
            lines: 0,
        }
    }

    /// Whether the client is still at the door: it has to give its name, and perhaps its password.
    pub fn is_naming(&self) -> bool {
        self.dialogue.name().is_none()
    }

    /// The name it has.
    pub fn name(&self) -> Option<&str> {
        self.dialogue.name()
    }

    /// How many lines were worked off since this was last asked.
    pub fn take_line_count(&mut self) -> usize {
        std::mem::take(&mut self.lines)
    }

    /// Works off what was received, line by line.
    ///
    /// Where each client has a thread, this stands on its stack for good, and each page of that is 4 KiB for each client. So
    /// what is rare and needs much room (a command, a password) is not inlined here.
    pub fn run(&mut self, now: Duration, hall: &mut impl Hall) -> Next {
        let next = self.take_lines(now, hall);
        self.dialogue.hand_over(hall);
        next
    }

    fn take_lines(&mut self, now: Duration, hall: &mut impl Hall) -> Next {
        self.answer_telnet(hall);
        loop {
            if let Some(farewell) = self.dialogue.farewell.take() {
                return Next::Close(farewell);
            }
            if hall.is_hung_up() {
                return Next::Read;
            }
            if hall.is_behind() {
                return Next::CatchUp;
            }
            self.hide_password(hall);
            if let Some(wait) = self.dialogue.try_password(hall) {
                return Next::Pause(wait);
            }
            self.hide_password(hall);
            let Some(line) = self.input.next_line() else { break };
            self.lines += 1;
            self.dialogue.line(line, hall);
            if let Some(delay) = self.flood.as_mut().and_then(|flood| flood.take(now)) {
                if delay.first {
                    self.dialogue.tell_flood(hall);
                }
                return Next::Pause(delay.wait);
            }
        }
        if let Some(farewell) = self.dialogue.farewell.take() {
            return Next::Close(farewell);
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

    /// Where the client speaks telnet, its echo is off while a password is awaited.
    fn hide_password(&mut self, hall: &mut impl Hall) {
        let bytes = self.input.telnet.set_hidden(self.dialogue.awaits_password());
        if !bytes.is_empty() {
            hall.reply(bytes);
        }
    }
}
