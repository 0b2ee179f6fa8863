//! What one client's session tells everybody's rooms, and what it hears back.

use super::{
    command::Command,
    farewell::Farewell,
    name::Name,
    recall::Recall,
    record::{AccountId, Found, LineId, PasswordHash, PastLine, Query},
    secret::Secret,
    source::Source,
};
use std::time::Duration;

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
    /// Whether this connection, for which there is no place but the one kept for an administrator, may stay and say who
    /// it is. So many are the others.
    TakeReserve(usize),
    /// To be let in. (In a box: it is large and rare, and events are moved about.)
    Enter(Box<Entry>),
    /// To be called this from now on.
    Rename(Name),
    /// Whose name this is, if it is an account's.
    WhoseIs(Name),
    /// To which account it is logged in: another process may have struck it out meanwhile.
    MyAccount,
    /// To be, from now on, the owner of an account: the password was right.
    LogIn(Login),
    /// To have its name kept, under this password.
    Register(PasswordHash),
    /// To have another password for its account. `quietly`: the same password, hashed anew.
    Rehash {
        /// The new hash.
        hash: PasswordHash,
        /// Whether the client knows nothing of it.
        quietly: bool,
    },
    /// To have its account struck out: the password was right.
    Unregister,
    /// To have the mail struck out that it has read: so many, the last of them this one.
    DeleteMail {
        /// The last one.
        up_to: LineId,
        /// How many.
        count: usize,
    },
    /// Any other command.
    Command(Command),
}

/// A client at the door.
#[derive(Debug)]
pub struct Entry {
    /// What it wants to be called.
    pub name: Name,
    /// Where it comes from.
    pub source: Source,
    /// Whose it is, if it has given a password.
    pub login: Option<Login>,
    /// Whether the only place left is the one for an administrator; then, how many the others are.
    pub reserve_of: Option<usize>,
}

/// The password was right.
#[derive(Debug)]
pub struct Login {
    /// The account.
    pub account: AccountId,
    /// What it last wrote and was told in private.
    pub private: Vec<PastLine>,
}

/// What the rooms answer to an event that is answered.
#[derive(Debug, Default)]
pub struct Answer {
    /// Server lines for the one who asked, each with its line end. If a name was refused: the sentence why.
    pub text: String,
    /// After [`Question::Enter`], [`Question::Rename`] and [`Question::LogIn`]: the name, if it was given.
    pub name: Option<Name>,
    /// Whose the name is that was asked for, or asked about; after [`Question::MyAccount`], the asker's own.
    pub account: Option<AccountId>,
    /// Past lines to tell; for some of them the memory has to be asked first.
    pub recall: Option<Box<Recall>>,
    /// The asker has to go, for this reason.
    pub farewell: Option<Farewell>,
}

impl Answer {
    /// An answer that is only told.
    pub fn text(text: impl Into<String>) -> Answer {
        Answer { text: text.into(), ..Answer::default() }
    }
}

/// Somebody gives a password.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// For this name (its key), whether it is an account's or not.
    pub name: &'a str,
    /// Whose name it is.
    pub account: Option<AccountId>,
    /// From where.
    pub source: Source,
    /// As it was typed.
    pub password: &'a Secret,
}

/// What came of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the account's.
    Right {
        /// It was hashed more weakly than is usual now, and should be hashed again.
        is_weak: bool,
    },
    /// It is not; or there is no such account. Both take as long.
    Wrong,
    /// Too many were tried: it is looked at only after so long. Then ask again.
    Wait(Duration),
}

/// What a session can do to the world around it. The I/O model implements it.
pub trait Hall {
    /// Says lines to the client's room. May wait: that is the backpressure on a talker.
    fn say(&mut self, talk: Talk);
    /// Asks the rooms, in the one order of all events, and returns the answer.
    fn ask(&mut self, question: Question) -> Answer;
    /// Asks the memory. May wait for the disk, holding nothing.
    fn find(&mut self, query: Query) -> Found;
    /// Makes a password into what is stored of it. Takes long on purpose: some 20 ms of one core.
    fn hash(&mut self, password: &Secret) -> Result<PasswordHash, String>;
    /// Compares a password with an account's. Takes as long if there is no such account. An error is a sentence for the
    /// one who tries.
    fn verify(&mut self, attempt: Attempt<'_>) -> Result<Verdict, String>;
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
