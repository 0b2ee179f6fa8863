//! The commands: one table, from which they are parsed, explained and suggested. Knows no I/O.

use super::secret::Secret;
use jiff::civil::{Date, Time};
use std::time::Duration;

/// What a client asks for with a line that begins with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is explained by its row in COMMANDS")]
pub enum Command {
    Help(Option<String>),
    Nick(String),
    Me(String),
    Msg { to: String, text: String },
    Reply(String),
    Who,
    Names,
    Whois(String),
    Join(String),
    Leave,
    Rooms,
    Topic(Option<String>),
    History(PastWanted),
    Search(String),
    Away(Option<String>),
    Back,
    Ignore(Option<String>),
    Unignore(String),
    Set(Preference, Option<bool>),
    Register(Option<Secret>),
    Login(String, Option<Secret>),
    Password,
    Unregister,
    Whoami,
    Mail,
    DeleteMail,
    AskAdministrators(String),
    Hand,
    Hands,
    Announce(String),
    Kick { name: String, why: Option<String> },
    Ban(Penalty),
    Unban(String),
    Bans,
    Mute(Penalty),
    Unmute(String),
    Pause,
    Resume,
    ShutDown(Option<Duration>),
    Threads,
    Quit(Option<String>),
    Crash,
}

/// Which past lines are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastWanted {
    /// As many as a newcomer is told.
    Usual,
    /// The last so many.
    Last(usize),
    /// All since then; without a date: since it was that time last.
    Since(Option<Date>, Time),
}

/// What an administrator wants done to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Penalty {
    /// A name or an address.
    pub who: String,
    /// For how long; `None`: until it is lifted.
    pub lasts: Option<Duration>,
    /// The reason.
    pub why: Option<String>,
}

/// What a client may choose about what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// `/quiet`: nothing of who comes and goes.
    Quiet,
    /// `/timestamps`: the time in front of live lines.
    Timestamps,
    /// `/echo`: its own lines too.
    Echo,
}

/// One row of the table of commands.
pub struct CommandRow {
    /// Without the slash.
    pub name: &'static str,
    /// As help shows them; `[…]` may be left out.
    pub arguments: &'static str,
    /// What it does, in a few words.
    pub does: &'static str,
    /// Reads the arguments (trimmed); `None`: not like this.
    parse: fn(&str) -> Option<Command>,
}

const fn row(
    name: &'static str,
    arguments: &'static str,
    does: &'static str,
    parse: fn(&str) -> Option<Command>,
) -> CommandRow {
    CommandRow { name, arguments, does, parse }
}

/// Every command, in the order of `/help`.
pub const COMMANDS: &[CommandRow] = &[
    row("help", "[COMMAND]", "lists the commands, or explains one", |a| {
        Some(Command::Help(optional(a)))
    }),
    row("nick", "NAME", "changes your name", |a| some(a).map(Command::Nick)),
    row("me", "ACTION", "says what you do: * alice ACTION", |a| some(a).map(Command::Me)),
    row("msg", "NAME TEXT", "says TEXT to NAME alone", |a| {
        let (to, text) = a.split_once(char::is_whitespace)?;
        Some(Command::Msg { to: to.to_owned(), text: some(text.trim_start())? })
    }),
    row("reply", "TEXT", "says TEXT to whoever wrote to you last", |a| some(a).map(Command::Reply)),
    row("who", "", "who is in this room, idle for how long", |a| none(a, Command::Who)),
    row("names", "", "the names in every room", |a| none(a, Command::Names)),
    row("whois", "NAME", "where NAME is, and since when", |a| some(a).map(Command::Whois)),
    row("join", "ROOM", "goes to ROOM, which is made if it is not there", |a| {
        some(a).map(Command::Join)
    }),
    row("leave", "", "goes back to lobby", |a| none(a, Command::Leave)),
    row("rooms", "", "lists the rooms", |a| none(a, Command::Rooms)),
    row("topic", "[TEXT]", "shows the topic, or sets it (- clears it)", |a| {
        Some(Command::Topic(optional(a)))
    }),
    row("history", "[N|since TIME]", "past lines: the last N, or since 10:30", |a| {
        past_wanted(a).map(Command::History)
    }),
    row("search", "WORDS", "past lines with these words (wor*: a beginning)", |a| {
        some(a).map(Command::Search)
    }),
    row("away", "[WHY]", "tells those who look or write that you are away", |a| {
        Some(Command::Away(optional(a)))
    }),
    row("back", "", "ends /away", |a| none(a, Command::Back)),
    row("ignore", "[NAME]", "hides what NAME says, or lists whom you ignore", |a| {
        Some(Command::Ignore(optional(a)))
    }),
    row("unignore", "NAME", "ends /ignore", |a| some(a).map(Command::Unignore)),
    row("quiet", "[on|off]", "leaves out who comes and goes", |a| switch(a, Preference::Quiet)),
    row("timestamps", "[on|off]", "puts the time in front of live lines", |a| {
        switch(a, Preference::Timestamps)
    }),
    row("echo", "[on|off]", "gives you your own lines too", |a| switch(a, Preference::Echo)),
    row("register", "[PASSWORD]", "keeps your name: from now on it has a password", |a| {
        Some(Command::Register(optional(a).as_deref().map(Secret::new)))
    }),
    row("login", "NAME [PASSWORD]", "makes you NAME, which is registered", |a| {
        let (name, password) = a.split_once(char::is_whitespace).unwrap_or((a, ""));
        Some(Command::Login(some(name)?, optional(password).as_deref().map(Secret::new)))
    }),
    row("password", "", "changes your password", |a| none(a, Command::Password)),
    row("unregister", "", "gives your name up, and your mailbox", |a| none(a, Command::Unregister)),
    row("whoami", "", "who and where you are", |a| none(a, Command::Whoami)),
    row("mail", "[delete]", "what was kept for you while you were away", |a| match a {
        "" => Some(Command::Mail),
        "delete" => Some(Command::DeleteMail),
        _ => None,
    }),
    row("ask", "TEXT", "asks the administrators who are here, only them", |a| {
        some(a).map(Command::AskAdministrators)
    }),
    row("hand", "", "raises your hand, or lowers it", |a| none(a, Command::Hand)),
    row("hands", "", "whose hands are up in this room, in their order", |a| {
        none(a, Command::Hands)
    }),
    row("threads", "", "every thread of the server and what it does now", |a| {
        none(a, Command::Threads)
    }),
    row("quit", "[WHY]", "leaves", |a| Some(Command::Quit(optional(a)))),
];

/// For administrators.
pub const ADMINISTRATION: &[CommandRow] = &[
    row("announce", "TEXT", "says TEXT in every room", |a| some(a).map(Command::Announce)),
    row("kick", "NAME [WHY]", "sends NAME away", |a| {
        let (name, why) = a.split_once(char::is_whitespace).unwrap_or((a, ""));
        Some(Command::Kick { name: some(name)?, why: optional(why.trim_start()) })
    }),
    row("ban", "NAME|ADDRESS [FOR] [WHY]", "lets it in no more (for 30m, 12h, 7d)", |a| {
        penalty(a).map(Command::Ban)
    }),
    row("unban", "NAME|ADDRESS", "ends /ban", |a| some(a).map(Command::Unban)),
    row("bans", "", "who is banned or muted, and for how long", |a| none(a, Command::Bans)),
    row("mute", "NAME [FOR] [WHY]", "lets NAME speak no more (for 30m, 7d)", |a| {
        penalty(a).map(Command::Mute)
    }),
    row("unmute", "NAME", "ends /mute", |a| some(a).map(Command::Unmute)),
    row("pause", "", "only you and who set the topic speak here", |a| none(a, Command::Pause)),
    row("resume", "", "ends /pause", |a| none(a, Command::Resume)),
    row("shutdown", "[SECONDS|off]", "stops the server, in so many seconds", |a| match a {
        "" => Some(Command::ShutDown(Some(Duration::ZERO))),
        "off" => Some(Command::ShutDown(None)),
        seconds => seconds
            .parse()
            .ok()
            .filter(|&s| s <= SHUTDOWN_MAX)
            .map(|s| Command::ShutDown(Some(Duration::from_secs(s)))),
    }),
];

/// Seconds before a shutdown, at most: a day.
const SHUTDOWN_MAX: u64 = 24 * 60 * 60;

/// Only under `--demo`: shows a class that a panic ends one thread and nobody else's.
pub const CRASH: CommandRow =
    row("crash", "", "panics your thread on the server", |a| none(a, Command::Crash));

fn optional(argument: &str) -> Option<String> {
    some(argument)
}

fn some(argument: &str) -> Option<String> {
    (!argument.is_empty()).then(|| argument.to_owned())
}

fn none(argument: &str, command: Command) -> Option<Command> {
    argument.is_empty().then_some(command)
}

fn past_wanted(argument: &str) -> Option<PastWanted> {
    let Some(since) = argument.strip_prefix("since ").map(str::trim) else {
        return match argument {
            "" => Some(PastWanted::Usual),
            n => n.parse().ok().filter(|&n| n > 0).map(PastWanted::Last),
        };
    };
    let time = |text: &str| Time::strptime("%H:%M", text).ok();
    match since.split_once(' ') {
        None => time(since).map(|time| PastWanted::Since(None, time)).or_else(|| {
            since.parse().ok().map(|date| PastWanted::Since(Some(date), Time::midnight()))
        }),
        Some((date, clock)) => {
            Some(PastWanted::Since(Some(date.parse().ok()?), time(clock.trim())?))
        }
    }
}

fn penalty(arguments: &str) -> Option<Penalty> {
    let (who, rest) = arguments.split_once(char::is_whitespace).unwrap_or((arguments, ""));
    let rest = rest.trim_start();
    let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let lasts = duration(first);
    let why = if lasts.is_some() { after.trim_start() } else { rest };
    Some(Penalty { who: some(who)?, lasts, why: optional(why) })
}

/// `90s`, `30m`, `12h`, `7d`: up to ten years.
fn duration(text: &str) -> Option<Duration> {
    const MOST: u64 = 10 * 365 * 24 * 60 * 60;
    let unit = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 60 * 60,
        b'd' => 24 * 60 * 60,
        _ => return None,
    };
    let seconds = text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=MOST).contains(&seconds).then(|| Duration::from_secs(seconds))
}

fn switch(argument: &str, preference: Preference) -> Option<Command> {
    let on = match argument {
        "" => None,
        "on" => Some(true),
        "off" => Some(false),
        _ => return None,
    };
    Some(Command::Set(preference, on))
}

/// The commands of one server.
#[derive(Clone, Copy, Default)]
pub struct CommandTable {
    /// Whether [`CRASH`] is one of them.
    pub demo: bool,
}

impl CommandTable {
    /// Every row.
    pub fn rows(self) -> impl Iterator<Item = &'static CommandRow> {
        COMMANDS.iter().chain(ADMINISTRATION).chain(self.demo.then_some(&CRASH))
    }

    /// Reads what stands behind the slash. An error is the sentence to answer with.
    pub fn parse(self, line: &str) -> Result<Command, String> {
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let row = self.find(name)?;
        (row.parse)(arguments.trim()).ok_or_else(|| format!("Like this: {}", row.usage()))
    }

    /// The answer to `/help`: server lines.
    pub fn help(self, about: Option<&str>) -> String {
        let Some(about) = about else {
            let mut text = String::from("*** What you type is said to your room. Commands:\n");
            COMMANDS
                .iter()
                .chain(self.demo.then_some(&CRASH))
                .for_each(|row| text.push_str(&row.line()));
            text.push_str(
                "***   //TEXT                     says /TEXT\n*** Only for administrators:\n",
            );
            ADMINISTRATION.iter().for_each(|row| text.push_str(&row.line()));
            return text;
        };
        match self.find(about.trim_start_matches('/')) {
            Ok(row) => format!("*** {}: {}\n", row.usage(), row.does),
            Err(sentence) => format!("*** {sentence}\n"),
        }
    }

    fn find(self, name: &str) -> Result<&'static CommandRow, String> {
        let name = name.to_ascii_lowercase();
        self.rows().find(|row| row.name == name).ok_or_else(|| {
            match nearest(&name, self.rows().map(|row| row.name)) {
                Some(near) => format!("There is no command /{name}. Did you mean /{near}?"),
                None => format!("There is no command /{name}. /help lists them."),
            }
        })
    }
}

impl CommandRow {
    /// Its line of `/help`.
    fn line(&self) -> String {
        format!("***   {:<26} {}\n", self.usage(), self.does)
    }

    /// How it is typed.
    pub fn usage(&self) -> String {
        format!("/{} {}", self.name, self.arguments).trim_end().to_owned()
    }
}

/// The candidate that `typed` was most probably meant to be, if one is near: at most two slips, and fewer than letters.
pub fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const SLIPS_MAX: usize = 2;
    candidates
        .filter(|candidate| candidate.len().abs_diff(typed.len()) <= SLIPS_MAX) // cheap, and rules most out
        .map(|candidate| (strsim::osa_distance(typed, &candidate.to_lowercase()), candidate))
        .filter(|&(slips, candidate)| {
            slips <= SLIPS_MAX && slips < candidate.len().min(typed.len())
        })
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: CommandTable = CommandTable { demo: false };

    #[test]
    fn commands_are_read() {
        let date = jiff::civil::date(2026, 11, 20);
        for (line, command) in [
            ("help", Command::Help(None)),
            ("HELP nick", Command::Help(Some("nick".into()))),
            ("msg bob  hi  there ", Command::Msg { to: "bob".into(), text: "hi  there".into() }),
            ("history 5", Command::History(PastWanted::Last(5))),
            (
                "history since 9:05",
                Command::History(PastWanted::Since(None, jiff::civil::time(9, 5, 0, 0))),
            ),
            (
                "history since 2026-11-20 10:30",
                Command::History(PastWanted::Since(Some(date), jiff::civil::time(10, 30, 0, 0))),
            ),
            (
                "history since 2026-11-20",
                Command::History(PastWanted::Since(Some(date), Time::midnight())),
            ),
            ("ban bob", Command::Ban(Penalty { who: "bob".into(), lasts: None, why: None })),
            (
                "ban bob 2h too loud",
                Command::Ban(Penalty {
                    who: "bob".into(),
                    lasts: Some(Duration::from_secs(7200)),
                    why: Some("too loud".into()),
                }),
            ),
            (
                "ban bob too loud",
                Command::Ban(Penalty {
                    who: "bob".into(),
                    lasts: None,
                    why: Some("too loud".into()),
                }),
            ),
            ("quiet on", Command::Set(Preference::Quiet, Some(true))),
            ("quit", Command::Quit(None)),
        ] {
            assert_eq!(TABLE.parse(line), Ok(command), "{line:?}");
        }
    }

    #[test]
    fn wrong_commands_are_told_how() {
        for (line, sentence) in [
            ("helo", "There is no command /helo. Did you mean /help?"),
            ("xyzzy", "There is no command /xyzzy. /help lists them."),
            ("", "There is no command /. /help lists them."),
            ("msg bob", "Like this: /msg NAME TEXT"),
            ("history 0", "Like this: /history [N|since TIME]"),
            ("history 99999999999999999999", "Like this: /history [N|since TIME]"),
            ("history since noon", "Like this: /history [N|since TIME]"),
            ("shutdown 9999999", "Like this: /shutdown [SECONDS|off]"),
            ("mail box", "Like this: /mail [delete]"),
            ("who cares", "Like this: /who"),
            ("crash", "There is no command /crash. /help lists them."),
        ] {
            assert_eq!(TABLE.parse(line), Err(sentence.to_owned()), "{line:?}");
        }
    }

    #[test]
    fn no_password_is_shown_with_its_command() {
        for line in ["register hunter2hunter2", "login alice hunter2hunter2"] {
            let command = TABLE.parse(line).unwrap();
            assert!(!format!("{command:?}").contains("hunter2"), "{command:?}");
        }
    }

    #[test]
    fn help_names_every_command_and_fits_a_terminal() {
        let help = TABLE.help(None);
        for row in COMMANDS.iter().chain(ADMINISTRATION) {
            assert!(help.contains(&format!("*** {}", "  /".to_owned() + row.name)), "{}", row.name);
        }
        assert!(help.lines().all(|line| line.len() <= 80), "{help}");
    }
}
