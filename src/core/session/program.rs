//! What a client's program has asked for, and what it is told of the dialogue: see
//! [`crate::core::notes`].

use super::{
    config::SessionConfig,
    stage::{Purpose, Stage},
};
use crate::core::{
    driver::Driver,
    event::{Since, Wishes},
    name::Name,
    notes::{self, Ask, BEAT_EVERY, ServerFacts},
    token::Token,
    wire::line::LINE_MAX,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a client's program has asked for; usually nothing, which costs no memory.
#[derive(Default, Serialize, Deserialize)]
pub struct Program(Option<Box<Asked>>);

#[derive(Default, Serialize, Deserialize)]
struct Asked {
    wishes: Wishes,
    /// The program knows that the server waits for an answer, and not for talk or a command.
    is_answering: bool,
    /// When it is told next that the server is there.
    next_beat: Option<Duration>,
}

/// What a program has to know of a server.
pub(crate) fn facts_of(config: &SessionConfig) -> ServerFacts {
    let flood = config.flood.map(|flood| (flood.burst as u32, flood.per_second as u32));
    ServerFacts { line_max: LINE_MAX, flood }
}

impl Program {
    /// What was asked for; and a new token, if that was notes.
    pub(crate) fn wishes(&self, driver: &mut dyn Driver) -> Wishes {
        let wishes = self.0.as_ref().map(|asked| asked.wishes.clone()).unwrap_or_default();
        let token = self.draw_token(driver);
        Wishes { token, ..wishes }
    }

    /// A new token, if the program reads notes.
    pub(super) fn draw_token(&self, driver: &mut dyn Driver) -> Option<Token> {
        self.reads_notes().then(|| driver.draw_token())
    }

    pub(crate) fn reads_notes(&self) -> bool {
        self.0.as_ref().is_some_and(|asked| asked.wishes.reads_notes)
    }

    /// `/since`, before the client has a name.
    pub(crate) fn set_since(&mut self, since: Since) {
        self.0.get_or_insert_default().wishes.since = Some(Box::new(since));
    }

    /// `/notes`. `is_naming`: the client has no name yet.
    pub(crate) fn set_reads_notes(&mut self, reads_notes: bool, is_naming: bool) {
        let asked = self.0.get_or_insert_default();
        (asked.wishes.reads_notes, asked.is_answering) = (reads_notes, is_naming);
    }

    /// When a program has to be told that the server is there, if it reads notes.
    pub fn next_beat(&self) -> Option<Duration> {
        self.0.as_ref().filter(|asked| asked.wishes.reads_notes)?.next_beat
    }

    /// Tells a program that the server is there, if it is time.
    pub(super) fn beat(&mut self, now: Duration, driver: &mut dyn Driver) {
        let Some(asked) = self.0.as_mut().filter(|asked| asked.wishes.reads_notes) else { return };
        if asked.next_beat.is_some_and(|due| now < due) {
            return;
        }
        if asked.next_beat.replace(now + BEAT_EVERY).is_some() {
            driver.reply(notes::beat().as_bytes());
        }
    }

    /// Tells a program what the next line is taken for. `own`: the client's name.
    #[inline(never)] // see `Session::hear`
    pub(super) fn note_ask(&mut self, stage: &Stage, own: Option<&Name>, driver: &mut dyn Driver) {
        let Some(asked) = self.0.as_mut().filter(|asked| asked.wishes.reads_notes) else { return };
        let own = own.map_or("", Name::shown);
        let (name, new) = match stage {
            Stage::Naming | Stage::Chatting | Stage::Checking(..) => ("", false),
            Stage::Password(Purpose::Instruct) => ("", false), // it is never asked for
            Stage::Password(Purpose::Enter(name, _)) => (name.shown(), false),
            Stage::Password(Purpose::LogIn(name, _)) => (&**name, false),
            Stage::Password(Purpose::Change(_) | Purpose::Unregister(_)) => (own, false),
            Stage::Password(Purpose::New(_) | Purpose::Again(..)) => (own, true),
        };
        let ask = match stage {
            Stage::Naming => Ask::Name,
            Stage::Password(_) => Ask::Password { name, new },
            Stage::Chatting | Stage::Checking(..) => Ask::Nothing,
        };
        asked.is_answering = ask != Ask::Nothing;
        driver.reply(notes::ask(ask).as_bytes());
    }

    /// Tells a program that the server asks for nothing any more, if it does not know that.
    pub(super) fn note_change(&mut self, stage: &Stage, driver: &mut dyn Driver) {
        let is_answering = self.0.as_ref().is_some_and(|asked| asked.is_answering);
        if is_answering && matches!(stage, Stage::Chatting) {
            self.note_ask(stage, None, driver);
        }
    }

    /// The program is told so with the note that says who its client is now.
    pub(super) fn end_answering(&mut self) {
        if let Some(asked) = &mut self.0 {
            asked.is_answering = false;
        }
    }
}
