//! Why a connection ended: one reason each, told to the one who goes, to the others and to the log.

use std::fmt;

/// The one reason for which a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// `/quit [WHY]`.
    Quit(Option<String>),
    /// The client closed its side.
    Closed,
    /// The connection broke: reset, timed out, its machine vanished. With the system's words.
    Lost(String),
    /// A slow consumer: more than so many bytes waited for it to read (the high-water mark).
    TooSlow(usize),
    /// A slow consumer: it read nothing for so many seconds while lines waited (the write deadline).
    TooLate(u64),
    /// It gave no name within so many seconds.
    NoName(u64),
    /// It gave so many names that were refused.
    NamesRefused(u32),
    /// It gave so many passwords that were wrong.
    WrongPasswords(u32),
    /// So many are here, which is the most, and it is not the administrator for whom one more place is kept.
    Full(usize),
    /// It may not enter; the sentence says why, and until when.
    Banned(String),
    /// The account's owner came in from here.
    TakenOver(String),
    /// An administrator sent it away: `kicked by alice: spam`.
    Kicked(String),
    /// It spoke HTTP.
    HttpRequest,
    /// A panic in its own thread.
    ServerError,
    /// The server stops.
    Shutdown,
}

impl Farewell {
    /// The line that the one who goes can still read; without its end. `None`: nobody is there to read it.
    pub fn to_client(&self) -> Option<String> {
        let why = match self {
            Farewell::Lost(_) => return None,
            Farewell::Quit(_) | Farewell::Closed => return Some("*** Goodbye.".to_owned()),
            Farewell::TooSlow(bytes) => format!("more than {bytes} bytes waited for you to read."),
            Farewell::TooLate(seconds) => {
                format!("you read nothing for {seconds} s while lines waited for you.")
            }
            Farewell::NoName(seconds) => format!("no name within {seconds} s."),
            Farewell::NamesRefused(count) => format!("{count} names were refused."),
            Farewell::WrongPasswords(count) => format!("{count} passwords were wrong."),
            Farewell::Full(most) => {
                return Some(format!(
                    "*** Sorry: all {most} places are taken. Please try again later."
                ));
            }
            Farewell::Banned(sentence) => sentence.clone(),
            Farewell::TakenOver(source) => format!("you logged in again, from {source}."),
            Farewell::Kicked(told) => format!("you were {told}."),
            Farewell::HttpRequest => {
                "this is a chat server, and that was an HTTP request. Try: nc HOST PORT".to_owned()
            }
            Farewell::ServerError => "an error in the server ended your connection.".to_owned(),
            Farewell::Shutdown => "the server is shutting down.".to_owned(),
        };
        Some(format!("*** Hung up: {why}"))
    }

    /// What the others read in brackets behind "left lobby".
    pub fn to_others(&self) -> &str {
        match self {
            Farewell::Quit(Some(why)) => why,
            Farewell::Quit(None) => "quit",
            Farewell::Closed => "connection closed",
            Farewell::Lost(_) => "connection lost",
            Farewell::TooSlow(_) | Farewell::TooLate(_) => "too slow",
            Farewell::NoName(_) | Farewell::NamesRefused(_) | Farewell::HttpRequest => "no name",
            Farewell::WrongPasswords(_) => "wrong password",
            Farewell::Full(_) => "no place",
            Farewell::Banned(_) => "banned",
            Farewell::TakenOver(_) => "logged in again",
            Farewell::Kicked(told) => told,
            Farewell::ServerError => "server error",
            Farewell::Shutdown => "server shut down",
        }
    }

    /// Whether the client was hung up as a slow consumer.
    pub fn is_slow(&self) -> bool {
        matches!(self, Farewell::TooSlow(_) | Farewell::TooLate(_))
    }
}

/// For the log.
impl fmt::Display for Farewell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Farewell::Quit(Some(why)) => write!(f, "quit: {why}"),
            Farewell::Lost(error) => write!(f, "connection lost: {error}"),
            Farewell::TooSlow(bytes) => {
                write!(f, "too slow: more than {bytes} bytes waited in its outbox")
            }
            Farewell::TooLate(seconds) => write!(f, "too slow: read nothing for {seconds} s"),
            Farewell::NoName(seconds) => write!(f, "no name within {seconds} s"),
            Farewell::NamesRefused(count) => write!(f, "{count} names were refused"),
            Farewell::WrongPasswords(count) => write!(f, "{count} passwords were wrong"),
            Farewell::Full(most) => write!(f, "all {most} places are taken"),
            Farewell::Banned(sentence) => write!(f, "{sentence}"),
            Farewell::TakenOver(source) => write!(f, "its account logged in again, from {source}"),
            Farewell::HttpRequest => write!(f, "sent an HTTP request"),
            other => write!(f, "{}", other.to_others()),
        }
    }
}
