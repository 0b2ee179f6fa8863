//! Why a connection ended: one reason each, told to the client, to the others and to the log.

use super::{notes, notice::notice, sentences};
use std::fmt;

/// The one reason for which a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client typed `/quit [WHY]`.
    Quit(Option<String>),
    /// The client closed their side.
    Closed,
    /// The connection broke: reset, timed out, the client's machine vanished. With the system's
    /// error.
    Lost(String),
    /// A slow consumer: more bytes waited than this, the high-water mark.
    TooSlow(usize),
    /// A slow consumer: nothing was read for this number of seconds, the write deadline, while
    /// lines waited.
    TooLate(u64),
    /// No name was given within this number of seconds.
    NoName(u64),
    /// This number of names was refused.
    NamesRefused(u32),
    /// This number of passwords was wrong.
    WrongPasswords(u32),
    /// This number of pairing codes was wrong.
    WrongCodes(u32),
    /// An administrator has locked the entrance. The sentence says who, and why.
    Locked(String),
    /// All ordinary places are taken (their number). The few others are kept for an administrator,
    /// and the client is not one.
    Full(usize),
    /// The client is banned. The sentence says by whom, and until when.
    Banned(String),
    /// The account's owner logged in again. Neither side is told where the other one is: one of
    /// them may have stolen the password.
    TakenOver {
        /// From where, for the log.
        address: String,
        /// It is the address of this client, too.
        is_same: bool,
    },
    /// The client has no account, and the owner of the account of their name logged in.
    NameClaimed,
    /// The account's password was changed, by its operator or in another session.
    PasswordChanged,
    /// An administrator sent the client away: `kicked by alice: spam`.
    Kicked(String),
    /// The client is no chat's: it sent this.
    OtherProtocol(&'static str),
    /// The client is a browser that was pointed at the chat's port. The page is at this address.
    PageElsewhere(String),
    /// A message of a browser's that is no text, or too long: the close code that says so, and the
    /// sentence.
    BadMessage(u16, &'static str),
    /// The client's thread panicked.
    ServerError,
    /// Another version of the server takes over, and this client cannot be handed over.
    Upgrade,
    /// The server stops.
    Shutdown,
}

/// A word for each kind of reason, for programs: metrics and log. They do not change.
pub const CLOSE_WORDS: [&str; 21] = [
    "quit",
    "closed",
    "lost",
    "too_slow",
    "too_late",
    "no_name",
    "names_refused",
    "wrong_passwords",
    "wrong_codes",
    "locked",
    "full",
    "banned",
    "taken_over",
    "name_claimed",
    "password_changed",
    "kicked",
    "other_protocol",
    "bad_message",
    "server_error",
    "shutdown",
    "upgrade",
];

impl CloseReason {
    /// Its place in [`CLOSE_WORDS`].
    pub(crate) fn kind(&self) -> usize {
        match self {
            CloseReason::Quit(_) => 0,
            CloseReason::Closed => 1,
            CloseReason::Lost(_) => 2,
            CloseReason::TooSlow(_) => 3,
            CloseReason::TooLate(_) => 4,
            CloseReason::NoName(_) => 5,
            CloseReason::NamesRefused(_) => 6,
            CloseReason::WrongPasswords(_) => 7,
            CloseReason::WrongCodes(_) => 8,
            CloseReason::Locked(_) => 9,
            CloseReason::Full(_) => 10,
            CloseReason::Banned(_) => 11,
            CloseReason::TakenOver { .. } => 12,
            CloseReason::NameClaimed => 13,
            CloseReason::PasswordChanged => 14,
            CloseReason::Kicked(_) => 15,
            CloseReason::OtherProtocol(_) | CloseReason::PageElsewhere(_) => 16,
            CloseReason::BadMessage(..) => 17,
            CloseReason::ServerError => 18,
            CloseReason::Shutdown => 19,
            CloseReason::Upgrade => 20,
        }
    }

    /// The last line for the client, with its line end. It is empty if nobody is there to read it.
    pub fn to_client(&self) -> String {
        let why = match self {
            CloseReason::Lost(_) => return String::new(),
            CloseReason::Quit(_) | CloseReason::Closed => return notice(sentences::GOODBYE),
            CloseReason::Full(places) => return notice(sentences::all_places_taken(*places)),
            CloseReason::TooSlow(bytes) => sentences::too_many_bytes_waited(*bytes),
            CloseReason::TooLate(seconds) => sentences::nothing_was_read(*seconds),
            CloseReason::NoName(seconds) => format!("no name within {seconds} s."),
            CloseReason::NamesRefused(count) => format!("{count} names were refused."),
            CloseReason::WrongPasswords(count) => format!("{count} passwords were wrong."),
            CloseReason::WrongCodes(count) => format!("{count} codes were wrong."),
            CloseReason::Banned(sentence) | CloseReason::Locked(sentence) => sentence.clone(),
            CloseReason::TakenOver { is_same: true, .. } => {
                "you logged in again, from the same address.".to_owned()
            }
            CloseReason::TakenOver { is_same: false, .. } => {
                "you logged in again, from another address.".to_owned()
            }
            CloseReason::NameClaimed => {
                "your name is an account's now, and its owner has logged in.".to_owned()
            }
            CloseReason::PasswordChanged => sentences::PASSWORD_CHANGED.to_owned(),
            CloseReason::Kicked(by) => format!("you were {by}."),
            CloseReason::OtherProtocol(what) => {
                format!("this is a chat server, and that was {what}. Try: nc HOST PORT")
            }
            CloseReason::PageElsewhere(url) => {
                format!(
                    "this is a chat server, and that was an HTTP request. In a browser, open {url}"
                )
            }
            CloseReason::BadMessage(_, sentence) => (*sentence).to_owned(),
            CloseReason::ServerError => sentences::SERVER_ERROR.to_owned(),
            CloseReason::Upgrade => "the server is upgraded. Please connect again.".to_owned(),
            CloseReason::Shutdown => sentences::SHUTTING_DOWN.to_owned(),
        };
        notice(sentences::hung_up(&why))
    }

    /// The note in front of the last line, for a program.
    pub fn to_program(&self) -> String {
        let code = self.close_code();
        notes::bye(code, matches!(code, 1011 | 1012 | 1013 | 4008))
    }

    /// What the others read in brackets behind "left lobby".
    pub(crate) fn to_others(&self) -> &str {
        match self {
            CloseReason::Quit(Some(why)) => why,
            CloseReason::Quit(None) => "quit",
            CloseReason::Closed => "connection closed",
            CloseReason::Lost(_) => "connection lost",
            CloseReason::TooSlow(_) | CloseReason::TooLate(_) => "too slow",
            CloseReason::NoName(_) | CloseReason::NamesRefused(_) => "no name",
            CloseReason::OtherProtocol(_) | CloseReason::PageElsewhere(_) => "no chat client",
            CloseReason::BadMessage(..) => "bad message",
            CloseReason::WrongPasswords(_) => "wrong password",
            CloseReason::WrongCodes(_) => "wrong code",
            CloseReason::Locked(_) => "locked out",
            CloseReason::Full(_) => "no place",
            CloseReason::Banned(_) => "banned",
            CloseReason::TakenOver { .. } => "logged in again",
            CloseReason::NameClaimed => "the name is an account's",
            CloseReason::PasswordChanged => "logged out",
            CloseReason::Kicked(by) => by,
            CloseReason::ServerError => "server error",
            CloseReason::Upgrade => "server upgraded",
            CloseReason::Shutdown => "server shut down",
        }
    }

    /// The code of a WebSocket's close frame, by which a program knows whether to come back: at once
    /// (1011, 1012, 4008), in half a minute (1013), or only when a person says so (any other).
    pub fn close_code(&self) -> u16 {
        match self {
            CloseReason::Quit(_) | CloseReason::Closed | CloseReason::Lost(_) => 1000,
            CloseReason::OtherProtocol(_) | CloseReason::PageElsewhere(_) => 1002,
            CloseReason::BadMessage(code, _) => *code,
            CloseReason::ServerError => 1011,
            CloseReason::Shutdown | CloseReason::Upgrade => 1012,
            CloseReason::Full(_) => 1013,
            CloseReason::NoName(_)
            | CloseReason::NamesRefused(_)
            | CloseReason::WrongPasswords(_)
            | CloseReason::WrongCodes(_)
            | CloseReason::NameClaimed
            | CloseReason::PasswordChanged => 4001,
            CloseReason::Banned(_) | CloseReason::Kicked(_) | CloseReason::Locked(_) => 4003,
            CloseReason::TooSlow(_) | CloseReason::TooLate(_) => 4008,
            CloseReason::TakenOver { .. } => 4009,
        }
    }

    /// Whether the client was hung up as a slow consumer.
    pub fn is_slow(&self) -> bool {
        matches!(self, CloseReason::TooSlow(_) | CloseReason::TooLate(_))
    }
}

/// For the log.
impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CloseReason::Quit(Some(why)) => write!(f, "quit: {why}"),
            CloseReason::Lost(error) => write!(f, "connection lost: {error}"),
            CloseReason::TooSlow(bytes) => {
                write!(f, "too slow: more than {bytes} bytes waited in the outbox")
            }
            CloseReason::TooLate(seconds) => write!(f, "too slow: read nothing for {seconds} s"),
            CloseReason::NoName(seconds) => write!(f, "no name within {seconds} s"),
            CloseReason::NamesRefused(count) => write!(f, "{count} names were refused"),
            CloseReason::WrongPasswords(count) => write!(f, "{count} passwords were wrong"),
            CloseReason::WrongCodes(count) => write!(f, "{count} codes were wrong"),
            CloseReason::Full(places) => f.write_str(&sentences::places_taken(*places)),
            CloseReason::Banned(sentence) | CloseReason::Locked(sentence) => {
                write!(f, "{sentence}")
            }
            CloseReason::TakenOver { address, .. } => {
                write!(f, "the account logged in again, from {address}")
            }
            CloseReason::OtherProtocol(what) => write!(f, "sent {what}"),
            CloseReason::PageElsewhere(_) => write!(f, "sent an HTTP request"),
            CloseReason::BadMessage(_, sentence) => write!(f, "bad message: {sentence}"),
            other => write!(f, "{}", other.to_others()),
        }
    }
}
