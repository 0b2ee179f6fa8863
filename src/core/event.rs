//! What one client's session tells the rooms, what the rooms answer, and what a session needs of
//! the I/O model.

use super::{
    address::ClientAddress,
    close_reason::CloseReason,
    hazard::DemoRequest,
    history_reply::HistoryReply,
    name::{NAME_MAX, Name},
    notes::ServerFacts,
    notice::notice,
    password::Password,
    record::{AccountId, Author, Found, HistoryLine, LineId, PasswordHash, Query, REMEMBERED_MAX},
    token::Token,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

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

impl Lookup {
    /// Asks the store. Returns what the client is to read before the answer, and the question that
    /// leads to it.
    pub(crate) fn ask(self, driver: &mut dyn Driver) -> (String, Question) {
        let (lines, why) = match driver.find(self.query) {
            Found::Lines(lines) => (lines, None),
            Found::Partly { lines, why } => (lines, Some(why)),
            Found::Unavailable(why) => (Vec::new(), Some(why)),
            Found::Password(_) | Found::Author(_) | Found::Count(_) => (Vec::new(), None),
        };
        let is_all = why.is_none();
        let text = why.map(|why| notice(format_args!("Older lines cannot be read now: {why}")));
        let recalled = Box::new(Recalled { lines, is_all, arguments: self.arguments });
        (text.unwrap_or_default(), Question::Recalled(recalled))
    }
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

/// Somebody gives a password.
#[derive(Clone, Copy, Debug)]
pub struct LoginAttempt<'a> {
    /// The key of the name that is tried, whether it has an account or not.
    pub name: &'a str,
    /// The account of that name.
    pub account: Option<AccountId>,
    /// The client's address.
    pub address: ClientAddress,
    /// What was typed.
    pub password: &'a Password,
}

/// The result of comparing a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginResult {
    /// It is the account's.
    Right {
        /// Its hash is weaker than is usual now, and should be made again.
        is_weak: bool,
    },
    /// It is the account's, and good until its owner has chosen another.
    OneTime,
    /// It is not; or there is no such account. Both take equally long.
    Wrong,
    /// There were too many attempts. Ask again after this time: the password is not compared
    /// before.
    Wait(Duration),
}

/// What is left of a client's bucket of lines (see `session::flood`). It goes from one connection
/// to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Lines that may still be said at once. From a connection that has ended: below zero, if it has
    /// said more.
    pub(crate) tokens: f64,
    /// Of these, the lines that were asked for and have not come yet; from a connection that has
    /// ended: beside these.
    pub(crate) asked_for: f64,
    /// How long the client has to wait for these.
    pub(crate) wait: Duration,
}

/// A ticket for the view.
#[derive(Debug)]
pub struct ViewTicket {
    /// It holds once, for a minute.
    pub ticket: String,
    /// What to open in a browser.
    pub address: String,
}

/// What a session needs of whoever runs it: the thread of a client, or an event loop.
pub trait Driver {
    /// Sends an event that is answered, and returns its answer. Waits.
    fn ask(&mut self, event: Event) -> Answer;
    /// Asks the store. May wait for the disk, while holding no lock.
    fn find(&mut self, query: Query) -> Found;
    /// Hashes a password. Takes long on purpose: some 20 ms of one core.
    ///
    /// # Errors
    /// A sentence for the password's owner.
    fn hash(&mut self, password: &Password) -> Result<PasswordHash, String>;
    /// Compares a password with an account's. Takes equally long if there is no such account.
    ///
    /// # Errors
    /// A sentence for whoever gave the password.
    fn verify(&mut self, attempt: LoginAttempt<'_>) -> Result<LoginResult, String>;
    /// The client has registered this account, and so its owner comes from this address.
    fn note_owner(&mut self, account: AccountId, address: ClientAddress);
    /// Compares what somebody typed with the instructor's pairing code. Whoever gives wrong ones has to
    /// wait, as for passwords.
    fn verify_code(&mut self, typed: &Password, address: ClientAddress) -> LoginResult;
    /// Makes another pairing code in place of the one there was, and returns it as it is shown.
    ///
    /// # Errors
    /// A sentence for whoever wants it.
    fn make_code(&mut self) -> Result<String, String>;
    /// Asks for lines of the refill that the clients of this one's source share. Returns how long
    /// they take to come. (See `session::sources`; the same holds for the next two.)
    fn ask_for_lines(&mut self, lines: f64) -> Duration;
    /// Counts a name that was refused. Returns how long to wait before the next one is read.
    fn refuse_name(&mut self) -> Duration;
    /// The client has proved to own this account. `left` is their bucket; returns the one with
    /// which they go on, if they do not begin with a full one.
    fn prove(&mut self, account: AccountId, left: Bucket) -> Option<Bucket>;
    /// Writes to this client alone, before anything that the rooms tell them after the last answer.
    /// May wait.
    fn reply(&mut self, bytes: &[u8]);
    /// From now on every line end that is written to this client is CR LF, as telnet wants it (RFC
    /// 854).
    fn begin_telnet(&mut self);
    /// A token that nobody can guess.
    fn draw_token(&mut self) -> Token;
    /// From now on this client's last line has a note in front.
    fn set_reads_notes(&mut self, reads_notes: bool);
    /// Gives the client a ticket for the view. `may`: it is an administrator.
    ///
    /// # Errors
    /// A sentence that says why there is no view. It shows threads, so a server without them has none.
    fn give_ticket(&mut self, may: bool) -> Result<ViewTicket, String> {
        let _ = may;
        Err("This server has no view.".to_owned())
    }
    /// The lines of `/threads`: how this server runs.
    fn describe_threads(&mut self) -> String;
    /// Does what an administrator wants with `/demo`. Returns lines for them. It shows what threads
    /// do, so a server without them refuses.
    ///
    /// # Errors
    /// A sentence that says why not.
    fn demonstrate(&mut self, request: DemoRequest) -> Result<String, String> {
        let _ = request;
        Err("That is shown by the server with one thread for each client.".to_owned())
    }
}
