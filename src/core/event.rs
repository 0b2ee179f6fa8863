//! What one client's session tells the rooms, and what the rooms answer.

use super::{
    address::ClientAddress,
    close_reason::CloseReason,
    history_reply::HistoryReply,
    name::{NAME_MAX, Name},
    notes::ServerFacts,
    record::{AccountId, Author, HistoryLine, LineId, PasswordHash, Query, REMEMBERED_MAX},
    token::Token,
};
use serde::{Deserialize, Serialize};

/// One connection's number, never used twice while the server runs. Connection 7 is served by
/// thread `c7`.
pub type ClientId = u64;

/// What happened at one client.
#[derive(Debug)]
pub enum Event {
    /// They said lines to their room. Not answered.
    Talk(Talk),
    /// They typed a command that the rooms run: the line without its slash. Answered.
    Command(String),
    /// Their session asks something by itself. Answered.
    Ask(Question),
    /// They leave, for this reason. Answered (with an empty answer) once everything before it is
    /// delivered.
    Depart(CloseReason),
}

/// Lines as the room reads them: `<alice> hi`, sanitized, each with its line end. (The rooms know
/// who is an administrator, and mark their lines: `<@alice> hi`.)
#[derive(Debug, Default)]
pub struct Talk {
    /// The lines.
    pub text: String,
    /// Number of lines in `text`.
    pub lines: usize,
    /// They are shown, and neither remembered nor recorded: the puppet of a demonstration says them.
    pub is_forgotten: bool,
    /// The number under which the driver follows these lines, if it does.
    pub trace: Option<u32>,
}

impl Talk {
    /// Adds a line, unless its text is blank: `<alice> hi`, or `* alice waves`.
    pub(crate) fn push(&mut self, before_name: &str, name: &Name, after_name: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        for part in [before_name, name.shown(), after_name, text, "\n"] {
            self.text.push_str(part);
        }
        self.lines += 1;
    }

    /// Shows the author under `label`, which is what others read in the place of their `name`.
    pub(crate) fn relabel(&mut self, name: &Name, label: &str) {
        let mut text = String::with_capacity(self.text.len() + self.lines * label.len());
        for line in self.text.split_inclusive('\n') {
            let lead = if line.starts_with('<') { "<" } else { "* " };
            match line.strip_prefix(lead).and_then(|line| line.strip_prefix(name.shown())) {
                Some(rest) => text.extend([lead, label, rest]),
                None => text.push_str(line),
            }
        }
        self.text = text;
    }

    /// Its bytes as they are counted for a reader: see [`READER_ADDS`].
    pub(crate) fn wire_bytes(&self) -> usize {
        self.text.len() + READER_ADDS * self.lines
    }
}

/// The bytes that some readers get with a line besides: `[12:30] ` after `/timestamps on`, a mark
/// in front of an administrator's name, and the CR that telnet wants in front of the line end.
/// Whatever is bounded by what a reader's outbox holds counts them for every line.
pub(crate) const READER_ADDS: usize = "[12:30] @\r".len();

/// The most bytes of one line as somebody reads it: what is remembered of one, a second name (of a
/// room), more words around them, and [`READER_ADDS`].
pub(crate) const SHOWN_MAX: usize = 1280;
const _: () = assert!(REMEMBERED_MAX + 4 * NAME_MAX + 60 + READER_ADDS <= SHOWN_MAX);

/// What a session asks of the rooms by itself, in a dialogue about names, passwords and mail.
#[derive(Debug)]
pub enum Question {
    /// May this connection take a place that is kept for an administrator? The number is that of
    /// the ordinary places, which are all taken.
    TakeReserve(usize),
    /// `/notes on`, with what the client is told of the server; `None`: `/notes off`.
    Notes(Option<ServerFacts>, Option<Token>),
    /// `/since`.
    Since(Box<Since>),
    /// `/resume TOKEN`.
    Resume(Box<Resume>),
    /// If my token is not good any more, this is another one.
    NewToken(Token),
    /// Let this client in. (In a box: it is large and rare, and events are moved often.)
    Enter(Box<Entry>),
    /// Whose name is this?
    WhoseIs(Name),
    /// Which account am I logged in to? (Another process may have deleted it meanwhile.)
    MyAccount,
    /// Am I an administrator?
    MayAdminister,
    /// Make me the owner of an account: the password was right.
    LogIn(Login),
    /// Register my name under this password.
    Register(PasswordHash),
    /// Store another hash for my account. `quietly`: it is the same password, hashed anew.
    SetPassword {
        /// The new hash.
        hash: PasswordHash,
        /// The client knows nothing of it.
        quietly: bool,
    },
    /// Delete my account: the password was right.
    Unregister,
    /// Show my mailbox.
    Mail,
    /// I have read mail, and the last message was this person's.
    MailRead(Author),
    /// Delete these messages, which I have read.
    DeleteMail(Vec<LineId>),
    /// Make me an instructor: the pairing code was right.
    BecomeInstructor,
    /// I want another pairing code. May I, and if so, note it.
    AnotherCode,
    /// The store was asked for what `/remove` needs. Go on.
    Recalled(Box<Recalled>),
}

/// What the store has to be asked for before `/remove` can go on.
#[derive(Debug)]
pub struct Lookup {
    /// Lines of the room.
    pub(crate) query: Query,
    /// What was typed behind the command.
    pub(crate) arguments: String,
}

/// The answer to a [`Lookup`].
#[derive(Debug)]
pub struct Recalled {
    /// Lines of the room, in their order.
    pub(crate) lines: Vec<HistoryLine>,
    /// These are all that were asked for.
    pub(crate) is_all: bool,
    /// What was typed behind the command.
    pub(crate) arguments: String,
}

/// A client at the door.
#[derive(Debug)]
pub struct Entry {
    /// The name they want.
    pub name: Name,
    /// Where they come from.
    pub address: ClientAddress,
    /// The account that owns the name, if they gave its password.
    pub login: Option<Login>,
    /// `Some`: only a place for an administrator was left. The number is that of the ordinary
    /// places.
    pub reserve_of: Option<usize>,
    /// They gave the right pairing code.
    pub is_instructor: bool,
    /// What the client's program has asked for.
    pub wishes: Wishes,
}

/// Somebody comes back by a token.
#[derive(Debug)]
pub struct Resume {
    /// What they gave.
    pub token: Token,
    /// Where they come from.
    pub address: ClientAddress,
    /// As in [`Entry`].
    pub reserve_of: Option<usize>,
    /// What the client's program has asked for.
    pub wishes: Wishes,
}

/// What a program may ask for before its client has a name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Wishes {
    /// `/notes on`.
    pub reads_notes: bool,
    /// `/since`.
    pub since: Option<Box<Since>>,
    /// The token that they get.
    #[serde(skip)]
    pub token: Option<Token>,
}

/// What was said in a room after a line is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The room.
    pub room: Name,
    /// The line.
    pub after: LineId,
}

/// Proof that a password was right.
#[derive(Debug)]
pub struct Login {
    /// The account.
    pub account: AccountId,
    /// Its newest private lines.
    pub private: Vec<HistoryLine>,
}

/// What the rooms answer.
#[derive(Debug)]
pub enum Answer {
    /// Lines of the server's to show.
    Text(String),
    /// Lines to show, and behind them past lines. The store may have to be asked for some of these.
    Fetch(String, Box<HistoryReply>),
    /// From now on the client has this name. Lines to show, and past lines.
    Named(Name, String, Option<Box<HistoryReply>>),
    /// The account that was asked about, if there is one.
    Account(Option<AccountId>),
    /// Whether they are an administrator.
    MayAdminister(bool),
    /// The name belongs to this account: its password is needed to enter.
    NeedsPassword(AccountId),
    /// Not under this name: the sentence says why.
    NameRefused(String),
    /// The store has to be asked first.
    LookUp(Box<Lookup>),
    /// The client has to leave.
    Close(CloseReason),
}

impl Default for Answer {
    fn default() -> Answer {
        Answer::Text(String::new())
    }
}

impl Answer {
    /// Bytes of its lines, approximately.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Answer::Text(text) | Answer::Named(_, text, None) => text.len(),
            Answer::Fetch(text, reply) | Answer::Named(_, text, Some(reply)) => {
                text.len() + reply.lines.iter().map(|line| line.text.len()).sum::<usize>()
            }
            Answer::Account(_) | Answer::MayAdminister(_) | Answer::NeedsPassword(_) => 0,
            Answer::NameRefused(_) | Answer::Close(_) | Answer::LookUp(_) => 0,
        }
    }
}
