//! What is written to the history, and what it can be asked. These types go between the core, which
//! decides, and the store, which writes. They know neither database nor thread.
//!
//! A [`Record`] is a change that is to be written. A [`Query`] is asked for one client, and
//! [`Found`] is its answer. A [`Snapshot`] is what a server starts with.

pub use super::ids::{AccountId, LineId};

use super::{
    name::NAME_MAX,
    returning::{Returning, TokenChange},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

/// The most bytes of a line as it is remembered, with its end: 1,024 that were typed, and in front
/// of them a name of 20 characters with the longest words around it.
pub(crate) const REMEMBERED_MAX: usize = 1024 + 4 * NAME_MAX + "[question from @] \n".len();

/// A change, and when it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Read from the clock when the event came.
    pub at: Timestamp,
    /// What happened.
    pub change: Change,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Somebody said one or more lines in a room.
    RoomMessage {
        /// The number of the first line. The others have the numbers that follow.
        id: LineId,
        /// The room's name.
        room: String,
        /// Who said them.
        author: Author,
        /// The lines as members read them, each with its line end: `<alice> hi`, `* alice waves`,
        /// `*** Announcement by alice: …`.
        text: String,
    },
    /// Somebody wrote a line to one person.
    PrivateMessage {
        /// The line's number.
        id: LineId,
        /// Who wrote it.
        from: Author,
        /// Who reads it.
        to: Author,
        /// The words alone, without a line end: writer and reader see them behind different
        /// beginnings.
        text: String,
        /// Whether it waits in the mailbox of `to`, who has an account.
        is_mail: bool,
    },
    /// A setting of a room, such as its topic, was set or cleared.
    RoomSetting {
        /// The room's name.
        room: String,
        /// The setting's name.
        setting: &'static str,
        /// The text and who set it; `None`: it was cleared.
        value: Option<(String, Author)>,
    },
    /// An account was made.
    Registered(Account, PasswordHash),
    /// An account has another password, or its hash was made anew.
    PasswordChanged(AccountId, PasswordHash),
    /// An account was deleted, and its mailbox with it. What its owner said in rooms stays.
    Unregistered(AccountId),
    /// The owner of a mailbox deleted these messages.
    MailDeleted(AccountId, Vec<LineId>),
    /// An administrator banned or muted somebody.
    Sanctioned(Sanction),
    /// An administrator lifted a sanction.
    SanctionLifted(SanctionKind, Target),
    /// An administrator took these lines out of a room.
    LinesRemoved(Vec<LineId>),
    /// Who may come back by a token has changed.
    Token(TokenChange),
    /// An administrator did something.
    Audit {
        /// The administrator's name.
        by: String,
        /// The act, in words.
        what: String,
    },
}

/// What became of a change that may fail. The error is the end of a sentence for whoever asked for
/// it: "… the disk is full."
pub type Outcome = Result<(), String>;

/// The person behind a line: a name, and an account if they were logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// As it was shown.
    pub name: String,
    /// `None`: they were not logged in, or the account was deleted.
    pub account: Option<AccountId>,
}

/// The most accounts: enough for a school. Each costs the rooms some 200 bytes, and the bound keeps
/// strangers from filling the disk with names.
pub const ACCOUNTS_MAX: usize = 10_000;

/// What anybody may know of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Its name as the owner wrote it.
    pub name: String,
    /// Whether its owner is an administrator.
    pub is_admin: bool,
    /// When it was made.
    pub since: Timestamp,
    /// The number of messages in its mailbox.
    pub mail: usize,
}

/// An argon2 hash with its parameters and its salt, as a PHC string; in front of it, whether the
/// password is for one time. It is never shown, not even by
/// `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

/// What a hash begins with whose password is for one time.
const ONE_TIME: &str = "one-time ";

impl PasswordHash {
    /// The same for a password that is good until the account's owner has chosen another.
    #[must_use]
    pub fn for_one_time(self) -> PasswordHash {
        PasswordHash(format!("{ONE_TIME}{}", self.0))
    }

    /// Whether it is of such a password.
    pub fn is_for_one_time(&self) -> bool {
        self.0.starts_with(ONE_TIME)
    }

    /// The PHC string alone.
    pub fn phc(&self) -> &str {
        self.0.strip_prefix(ONE_TIME).unwrap_or(&self.0)
    }

    /// What tells this hash from every other, and says nothing of it.
    pub fn mark(&self) -> PasswordMark {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        PasswordMark(hasher.finish())
    }
}

/// Tells the hash of one password from that of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordMark(u64);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// A ban or a mute. A target has one of each at most: a new one replaces the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sanction {
    /// What it forbids.
    pub kind: SanctionKind,
    /// Who it applies to.
    pub target: Target,
    /// When it ends; `None`: when it is lifted.
    pub until: Option<Timestamp>,
    /// The administrator's name.
    pub by: String,
    /// The reason, if one was given.
    pub why: Option<String>,
}

/// What a sanction forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SanctionKind {
    /// To enter.
    Ban,
    /// To speak.
    Mute,
}

/// Who a sanction applies to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// Whoever has this name, in any case.
    Name(String),
    /// Whoever comes from this address, as the driver writes addresses.
    Address(String),
}

/// A question to the store, for one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The password hash of an account.
    Password(AccountId),
    /// The last `most` lines before a line: those of a room, and the private lines of an account.
    Older {
        /// The room's name.
        room: String,
        /// Whose private lines; `None`: none.
        account: Option<AccountId>,
        /// Only lines with smaller numbers.
        before: LineId,
        /// Only lines of this time or later.
        since: Option<Timestamp>,
        /// The greatest number of lines.
        most: usize,
    },
    /// The last `most` lines between two lines: those of a room, and the private lines of an account.
    Since {
        /// The room's name.
        room: String,
        /// Whose private lines; `None`: none.
        account: Option<AccountId>,
        /// Only lines with higher numbers.
        after: LineId,
        /// Only lines with smaller numbers.
        before: LineId,
        /// The greatest number of lines.
        most: usize,
    },
    /// How many lines there are between two lines, up to `COUNTED_MAX`.
    CountSince {
        /// The room's name.
        room: String,
        /// Whose private lines; `None`: none.
        account: Option<AccountId>,
        /// Only lines with higher numbers.
        after: LineId,
        /// Only lines with smaller numbers.
        before: LineId,
    },
    /// The newest `most` lines with all these words: those of a room, and the private lines of an
    /// account. A word that ends in `*` is a beginning. Case and accents do not matter.
    Search {
        /// The room's name.
        room: String,
        /// Whose private lines; `None`: none.
        account: Option<AccountId>,
        /// As they were typed.
        words: String,
        /// The greatest number of lines.
        most: usize,
    },
    /// Every message in a mailbox, the oldest first.
    Mail(AccountId),
    /// Who wrote this private line.
    AuthorOf(LineId),
    /// The last `most` private lines that an account's owner wrote or was sent.
    Private {
        /// Whose.
        account: AccountId,
        /// The greatest number of lines.
        most: usize,
    },
}

/// The most lines that [`Query::CountSince`] counts of each kind: 1 ms of work. Nobody else's lines are
/// written meanwhile.
pub(crate) const COUNTED_MAX: usize = 10_000;

/// The answer to a [`Query`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// To [`Query::Password`]; `None`: there is no such account.
    Password(Option<PasswordHash>),
    /// To [`Query::AuthorOf`]; `None`: there is no such line.
    Author(Option<Author>),
    /// To [`Query::CountSince`].
    Count(usize),
    /// To any other query: lines in the order in which they were said.
    Lines(Vec<HistoryLine>),
    /// Some of these lines; others could not be looked at. The text is the end of a sentence, as
    /// below.
    Partly {
        /// In the order in which they were said.
        lines: Vec<HistoryLine>,
        /// Why there may be more.
        why: String,
    },
    /// The store cannot answer. The text is the end of a sentence for the client: "… its file is
    /// damaged."
    Unavailable(String),
}

/// A line from the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Its number.
    pub id: LineId,
    /// When it was said.
    pub at: Timestamp,
    /// As its reader sees it, with its line end: `<alice> hi`, `[from bob] psst`, `[to bob] psst`.
    pub text: String,
}

/// What a server starts with, and what it is told again when another process has changed accounts
/// or sanctions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Every account.
    pub accounts: Vec<Account>,
    /// How many of the messages in a mailbox are from clients without accounts.
    pub guest_mail: Vec<(AccountId, usize)>,
    /// Which password each account has.
    pub passwords: BTreeMap<AccountId, PasswordMark>,
    /// Every sanction that has not ended, and others that have.
    pub sanctions: Vec<Sanction>,
    /// Rooms with lines or settings, the last spoken in first. Their number is bounded.
    pub rooms: Vec<RoomSnapshot>,
    /// The settings of other rooms, by the names of the rooms: at most [`SETTINGS_ROOMS_MAX`].
    pub other_settings: Vec<(String, Settings)>,
    /// The highest number that a line ever had.
    pub last_line: LineId,
    /// The highest number of a line that was deleted for its age.
    pub forgotten: LineId,
    /// The highest number that an account ever had.
    pub last_account: AccountId,
    /// Tells the numbers of these lines from those of another file; `None`: there is no file.
    pub epoch: Option<u64>,
    /// Who may come back by a token, who went first before the others. Their number is bounded.
    pub returning: Vec<Returning>,
    /// The file is so large that somebody should know.
    pub is_large: bool,
}

/// What is set in a room, such as its topic, by the settings' names: the text of each, and who set
/// it. Their number is bounded.
pub type Settings = BTreeMap<String, (String, Author)>;

/// The most rooms with settings, whether they are among those at hand or not: far more than a
/// school has. A topic has 3 KiB at most, so that is 3 MiB.
pub const SETTINGS_ROOMS_MAX: usize = 1_000;

/// A room as it was left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomSnapshot {
    /// Its name.
    pub name: String,
    /// What is set there.
    pub settings: Settings,
    /// Its last lines. Their number is bounded.
    pub lines: Vec<HistoryLine>,
}
