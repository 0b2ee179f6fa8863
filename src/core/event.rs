//! What one client's session tells everybody's rooms, and what it hears back.

use super::{command::Command, farewell::Farewell, name::Name};

/// One connection's number, never used twice while the server runs. Connection 7 is served by thread `c7`.
pub type ClientId = u64;

/// What happened at one client.
#[derive(Debug)]
pub enum Event {
    /// It said something to its room. Not answered.
    Say(Talk),
    /// It wants to know or to have something. Answered.
    Ask(Question),
    /// It goes, for this reason. Answered (with nothing) once all that came before has been told to it.
    Depart(Farewell),
}

/// Lines as the room will read them: `<alice> hi`, each with its line end, cleaned.
#[derive(Debug, Default)]
pub struct Talk {
    /// The lines.
    pub text: String,
    /// How many.
    pub lines: usize,
}

/// What a session asks of the rooms.
#[derive(Debug)]
pub enum Question {
    /// To be let in under this name.
    Enter(Name),
    /// To be called this from now on.
    Rename(Name),
    /// Any other command.
    Command(Command),
}

/// What the rooms answer to an event that is answered.
#[derive(Debug, Default)]
pub struct Answer {
    /// Server lines for the one who asked, each with its line end. If a name was refused: the sentence why.
    pub text: String,
    /// After [`Question::Enter`] and [`Question::Rename`]: the name, if it was given.
    pub name: Option<Name>,
}

/// What a session can do to the world around it. The I/O model implements it.
pub trait Hall {
    /// Says lines to the client's room. May wait: that is the backpressure on a talker.
    fn say(&mut self, talk: Talk);
    /// Asks the rooms, in the one order of all events, and returns the answer.
    fn ask(&mut self, question: Question) -> Answer;
    /// Writes to this client alone, before anything that the rooms tell it after the last answer. May wait.
    fn reply(&mut self, bytes: &[u8]);
    /// Whether somebody hung this client up: then what it sent and what was not worked off yet is moot.
    fn is_hung_up(&self) -> bool;
    /// Whether the client has still to read what it was replied: its next line waits until it has. Where
    /// [`Hall::reply`] does that waiting, never.
    fn is_behind(&self) -> bool {
        false
    }
    /// The answer to `/threads`: server lines about how this server runs.
    fn describe_threads(&mut self) -> String;
}
