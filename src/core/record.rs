//! What is remembered, and what is asked of the memory: the words between the core, which decides, and whoever writes it
//! down. Knows no database: `src/store` has one.
//!
//! Three kinds of words. A [`Record`] is something that happened and is to be written before anybody is shown it. A
//! [`Query`] is asked by one client's session, and [`Found`] is its answer. [`Remembered`] is what a server begins with.

use jiff::Timestamp;
use std::fmt;

/// A line's number: of two lines, the later one was said later. Counts up from 1 and is never used twice.
pub type LineId = i64;
/// An account's number.
pub type AccountId = i64;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Lines were said in a room.
    Said {
        /// Of the first of them; the others have the numbers after it.
        id: LineId,
        /// Where.
        room: String,
        /// Who said them.
        author: Party,
        /// As they were shown: `<alice> hi`, `* alice waves`, `*** Announcement by alice: …`, each with its line end.
        text: String,
    },
    /// Something was said to one alone.
    Told {
        /// Its number.
        id: LineId,
        /// By whom.
        from: Party,
        /// To whom.
        to: Party,
        /// The words alone, without a line end: the two see them behind different beginnings.
        text: String,
        /// Whether it waits in the mailbox of `to`, which has an account.
        is_mail: bool,
    },
    /// A room's topic was set, or cleared: then it is `None`.
    Topic {
        /// The room.
        room: String,
        /// What was set, and by whom.
        topic: Option<(String, Party)>,
    },
    /// An account was made.
    Registered(Account, PasswordHash),
    /// An account has another password.
    Rehashed(AccountId, PasswordHash),
    /// An account was struck out, and its mailbox. What it said stays; what was said in private nobody can find now.
    Unregistered(AccountId),
    /// The owner has read its mail up to this one, and wants it no longer.
    MailDeleted(AccountId, LineId),
    /// Somebody may not enter, or not speak.
    Sanctioned(Sanction),
    /// A sanction was lifted.
    Lifted(SanctionKind, Subject),
    /// An administrator did something.
    Deed {
        /// Its name.
        by: String,
        /// What it did, in words.
        what: String,
    },
}

impl What {
    /// Whether this is done whatever comes of the writing: what is shown to people, and what administrators do. All else
    /// is done only when it is written, and whoever wanted it is told if it is not.
    pub fn is_done_anyway(&self) -> bool {
        match self {
            What::Said { .. } | What::Told { is_mail: false, .. } | What::Topic { .. } => true,
            What::Sanctioned(_) | What::Lifted(..) | What::Deed { .. } => true,
            What::Told { is_mail: true, .. } | What::MailDeleted(..) => false,
            What::Registered(..) | What::Rehashed(..) | What::Unregistered(_) => false,
        }
    }
}

/// Somebody who says or reads something: a name, and an account if it was logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// As shown.
    pub name: String,
    /// Whose it was.
    pub account: Option<AccountId>,
}

/// What everybody may know of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Its name as its owner wrote it.
    pub name: String,
    /// Whether it is an administrator's.
    pub is_admin: bool,
    /// When it was made.
    pub since: Timestamp,
    /// Messages in its mailbox.
    pub mail: usize,
}

/// An argon2 hash with its parameters and its salt, as a PHC string. Nobody is shown it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Somebody may not enter, or not speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sanction {
    /// What it may not.
    pub kind: SanctionKind,
    /// Who.
    pub subject: Subject,
    /// Until when; `None`: until it is lifted.
    pub until: Option<Timestamp>,
    /// The administrator.
    pub by: String,
    /// Its reason.
    pub why: Option<String>,
}

/// What a sanction forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SanctionKind {
    /// To enter.
    Ban,
    /// To speak.
    Mute,
}

/// Whom a sanction means. There is one of each kind for a subject: a new one takes the place of the old one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Whoever has this name, in whatever case.
    Name(String),
    /// Whoever comes from this address, as the driver writes addresses.
    Address(String),
}

/// What one client's session wants to know from the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The password hash of an account.
    Password(AccountId),
    /// Lines of a room, and what this account wrote or was told in private, before this line: the last `most` of them.
    Older {
        /// The room.
        room: String,
        /// Whose private lines.
        account: Option<AccountId>,
        /// Only lines with smaller numbers.
        before: LineId,
        /// Only lines said at this time or later.
        since: Option<Timestamp>,
        /// How many at most.
        most: usize,
    },
    /// The newest `most` lines of a room, and of this account's private ones, that contain all these words; a word that
    /// ends in `*` is the beginning of one. Letters' case and accents do not matter.
    Search {
        /// The room.
        room: String,
        /// Whose private lines.
        account: Option<AccountId>,
        /// What was typed.
        words: String,
        /// How many at most.
        most: usize,
    },
    /// What waits in a mailbox, oldest first.
    Mail(AccountId),
    /// The last `most` lines that an account wrote or was told in private.
    Private {
        /// Whose.
        account: AccountId,
        /// How many at most.
        most: usize,
    },
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The hash; `None`: there is no such account.
    Password(Option<PasswordHash>),
    /// Lines in the order they were said.
    Lines(Vec<PastLine>),
    /// The memory cannot be asked: why, in words for the one who asked.
    Unavailable(String),
}

/// A line told again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastLine {
    /// Its number.
    pub id: LineId,
    /// When it was said.
    pub at: Timestamp,
    /// As its reader is shown it, with its line end: `<alice> hi`, `[from bob] psst`, `[to bob] psst`.
    pub text: String,
}

/// What a server begins with, and what it is told again when another process has changed accounts or sanctions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Every account.
    pub accounts: Vec<Account>,
    /// Every sanction that is not over.
    pub sanctions: Vec<Sanction>,
    /// Rooms with something in them, those that were spoken in last first, a bounded number.
    pub rooms: Vec<RoomRemembered>,
    /// The highest number of a line there ever was.
    pub last_line: LineId,
    /// The highest number of an account there ever was.
    pub last_account: AccountId,
}

/// A room as it was left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomRemembered {
    /// Its name.
    pub name: String,
    /// What was set, and by whom.
    pub topic: Option<(String, Party)>,
    /// Its last lines, a bounded number.
    pub lines: Vec<PastLine>,
}
