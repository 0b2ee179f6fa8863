//! What the rooms have to know of the server, and what they want it to do.

use crate::core::{
    address::ClientAddress, event::ClientId, name::NameRule, quiz_shown::QuizShown,
    record::Sanction,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::time::Duration;

/// What the rooms have to know of the server.
#[derive(Clone)]
pub struct RoomsConfig {
    /// Past lines told to a newcomer.
    pub backlog_lines: usize,
    /// Which names are allowed.
    pub names: NameRule,
    /// Nobody has a name of their own: everybody is shown by address.
    pub anonymous: bool,
    /// There is a code with which an instructor is known, whether there are accounts or not.
    pub has_code: bool,
    /// The zone of all times told.
    pub zone: TimeZone,
    /// What is said is written before it is shown. (Accounts, mail and sanctions always are.)
    pub keeps_talk: bool,
    /// Tells the numbers of this server's lines from those of another.
    pub epoch: u64,
    /// After how many days what was said is told to nobody any more; `None`: never.
    pub history_days: Option<u32>,
    /// The size above which the oldest lines are deleted, for people to read; `None`: they never are.
    pub history_max: Option<String>,
}

/// No past is told, names are ASCII, times are in UTC, and nothing that is said is written.
impl Default for RoomsConfig {
    fn default() -> RoomsConfig {
        RoomsConfig {
            backlog_lines: 0,
            names: NameRule::Ascii,
            anonymous: false,
            has_code: false,
            zone: TimeZone::UTC,
            keeps_talk: false,
            epoch: 0,
            history_days: None,
            history_max: None,
        }
    }
}

impl RoomsConfig {
    /// For whoever is banned.
    pub(crate) fn describe_ban(&self, ban: &Sanction) -> String {
        let why = ban.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        format!("you are banned by {}{}{why}.", ban.by, self.until(ban.until))
    }

    /// What was said before this time is told to nobody. It depends on the time alone, and not on
    /// what is in memory or in the file: nothing is lost if the clock was wrong.
    pub(crate) fn told_from(&self, now: Timestamp) -> Option<Timestamp> {
        let age = SignedDuration::from_hours(24 * i64::from(self.history_days?));
        now.checked_sub(age).ok()
    }

    /// ` until 2026-11-21 12:30`, or nothing.
    pub(crate) fn until(&self, until: Option<Timestamp>) -> String {
        let Some(until) = until else { return String::new() };
        format!(" until {}", self.zone.to_datetime(until).strftime("%Y-%m-%d %H:%M"))
    }
}

/// A line for the log, and what a program wants to know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLine {
    /// A word for what has happened. It does not change.
    pub event: &'static str,
    /// Whoever did it.
    pub client: Option<ClientId>,
    /// The name of their account, or of the one that it is about.
    pub account: Option<String>,
    /// Where they come from.
    pub address: Option<ClientAddress>,
    /// The line, for people.
    pub text: String,
}

/// What the driver has to do besides delivering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Log this line. It says who is who, or what an administrator did.
    Log(LogLine),
    /// Stop the server after this time.
    ShutDown(Duration),
    /// Do not stop it after all.
    CancelShutDown,
    /// Show the class's question to whoever looks at the view.
    ShowQuiz(QuizShown),
}
