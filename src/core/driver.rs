//! What a session needs of whoever runs it: the thread of a client, or an event loop.

use super::{
    address::ClientAddress,
    event::{Answer, Event, Lookup, Question, Recalled},
    hazard::DemoRequest,
    notice::notice,
    password::Password,
    record::{AccountId, Found, PasswordHash, Query},
    token::Token,
};
use std::time::Duration;

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
