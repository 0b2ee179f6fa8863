//! The commands: one table, from which they are parsed, explained and suggested. Knows no I/O.

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
    History(Option<usize>),
    Away(Option<String>),
    Back,
    Ignore(Option<String>),
    Unignore(String),
    Set(Preference, Option<bool>),
    Threads,
    Quit(Option<String>),
    Crash,
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
    row("help", "[COMMAND]", "lists the commands, or explains one", |a| Some(Command::Help(optional(a)))),
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
    row("join", "ROOM", "goes to ROOM, which is made if it is not there", |a| some(a).map(Command::Join)),
    row("leave", "", "goes back to lobby", |a| none(a, Command::Leave)),
    row("rooms", "", "lists the rooms", |a| none(a, Command::Rooms)),
    row("topic", "[TEXT]", "shows this room's topic, or sets it (- clears it)", |a| Some(Command::Topic(optional(a)))),
    row("history", "[N]", "tells the last N lines of this room again", |a| match a {
        "" => Some(Command::History(None)),
        n => n.parse().ok().filter(|&n| n > 0).map(|n| Command::History(Some(n))),
    }),
    row("away", "[WHY]", "tells those who look or write that you are away", |a| Some(Command::Away(optional(a)))),
    row("back", "", "ends /away", |a| none(a, Command::Back)),
    row("ignore", "[NAME]", "hides what NAME says, or lists whom you ignore", |a| Some(Command::Ignore(optional(a)))),
    row("unignore", "NAME", "ends /ignore", |a| some(a).map(Command::Unignore)),
    row("quiet", "[on|off]", "leaves out who comes and goes", |a| switch(a, Preference::Quiet)),
    row("timestamps", "[on|off]", "puts the time in front of live lines", |a| switch(a, Preference::Timestamps)),
    row("echo", "[on|off]", "gives you your own lines too", |a| switch(a, Preference::Echo)),
    row("threads", "", "every thread of the server, and what it does now", |a| none(a, Command::Threads)),
    row("quit", "[WHY]", "leaves", |a| Some(Command::Quit(optional(a)))),
];

/// Only under `--demo`: shows a class that a panic ends one thread and nobody else's.
pub const CRASH: CommandRow = row("crash", "", "panics your thread on the server", |a| none(a, Command::Crash));

fn optional(argument: &str) -> Option<String> {
    some(argument)
}

fn some(argument: &str) -> Option<String> {
    (!argument.is_empty()).then(|| argument.to_owned())
}

fn none(argument: &str, command: Command) -> Option<Command> {
    argument.is_empty().then_some(command)
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
        COMMANDS.iter().chain(self.demo.then_some(&CRASH))
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
            for row in self.rows() {
                text.push_str(&format!("***   {:<23} {}\n", row.usage(), row.does));
            }
            text.push_str("***   //TEXT                  says /TEXT\n");
            return text;
        };
        match self.find(about.trim_start_matches('/')) {
            Ok(row) => format!("*** {}: {}\n", row.usage(), row.does),
            Err(sentence) => format!("*** {sentence}\n"),
        }
    }

    fn find(self, name: &str) -> Result<&'static CommandRow, String> {
        let name = name.to_ascii_lowercase();
        self.rows().find(|row| row.name == name).ok_or_else(|| match nearest(&name, self.rows().map(|row| row.name)) {
            Some(near) => format!("There is no command /{name}. Did you mean /{near}?"),
            None => format!("There is no command /{name}. /help lists them."),
        })
    }
}

impl CommandRow {
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
        .filter(|&(slips, candidate)| slips <= SLIPS_MAX && slips < candidate.len().min(typed.len()))
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: CommandTable = CommandTable { demo: false };

    #[test]
    fn commands_are_read() {
        for (line, command) in [
            ("help", Command::Help(None)),
            ("HELP nick", Command::Help(Some("nick".into()))),
            ("msg bob  hi  there ", Command::Msg { to: "bob".into(), text: "hi  there".into() }),
            ("history 5", Command::History(Some(5))),
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
            ("history 0", "Like this: /history [N]"),
            ("history 99999999999999999999", "Like this: /history [N]"),
            ("who cares", "Like this: /who"),
            ("crash", "There is no command /crash. /help lists them."),
        ] {
            assert_eq!(TABLE.parse(line), Err(sentence.to_owned()), "{line:?}");
        }
    }

    #[test]
    fn help_names_every_command_and_fits_a_terminal() {
        let help = TABLE.help(None);
        for row in COMMANDS {
            assert!(help.contains(&format!("*** {}", "  /".to_owned() + row.name)), "{}", row.name);
        }
        assert!(help.lines().all(|line| line.len() <= 80), "{help}");
    }
}
