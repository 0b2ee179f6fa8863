//! What a command is made of: a row of the table, and what its function works with and returns.

use super::elsewhere::{self, Meaning};
use crate::core::{
    driver::Driver,
    event::{Answer, Lookup},
    history_reply::HistoryReply,
    name::Name,
    notice::{Refusal, nearest, notice},
    record::Change,
    rooms::{Action, ClientKey, LogLine, Rooms, member::Member},
    session::Session,
};

/// One row of the table: a command, as it is typed, explained and run.
#[derive(Clone, Copy)]
pub struct Row {
    /// Without the slash.
    pub name: &'static str,
    /// As `/help` shows them; those in `[…]` may be left out.
    pub(crate) arguments: &'static str,
    /// What it does, in a few words.
    pub(crate) does: &'static str,
    /// Arguments as somebody might type them.
    pub(crate) example: &'static str,
    pub(crate) who: Who,
    /// It works at the door too, for a client without a name.
    pub(crate) at_the_door: bool,
    /// What it does at the door, if that is something else.
    pub(crate) run_at_the_door: Option<RunSession>,
    pub(crate) run: Run,
}

/// Commands about one subject: a line of `/help`. Groups of the same name that follow each other
/// share it.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) rows: &'static [Row],
}

/// The commands of one server.
#[derive(Clone, Copy)]
pub struct Table {
    /// Every row, in the order of `/help`.
    pub(crate) groups: &'static [Group],
    /// Whether `/crash` and `/demo` are among them, which show a class what happens then.
    pub(crate) demo: bool,
}

impl Table {
    /// Every row.
    pub fn rows(self) -> impl Iterator<Item = &'static Row> {
        self.groups.iter().flat_map(move |group| self.rows_of(group))
    }

    /// The rows of one of its groups.
    pub(crate) fn rows_of(self, group: &'static Group) -> impl Iterator<Item = &'static Row> {
        group.rows.iter().filter(move |row| self.demo || !row.who.is_for_demo())
    }

    /// The row of the command behind a slash, and its arguments, trimmed.
    ///
    /// # Errors
    /// There is no such command; the sentence names the one that is meant, if that can be told.
    pub(crate) fn find(self, line: &str) -> Result<(&'static Row, &str), String> {
        let (name, mut arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let mut name = name.to_ascii_lowercase();
        if matches!(name.as_bytes(), [b'a'..=b'f']) {
            (name, arguments) = ("answer".to_owned(), line); // /b is /answer b
        }
        match self.rows().find(|row| row.name == name) {
            Some(row) => Ok((row, arguments.trim())),
            None => Err(self.describe_unknown(&name)),
        }
    }

    /// What is said about a command that there is not.
    fn describe_unknown(self, name: &str) -> String {
        let usage = |command: &&str| {
            let row = self.rows().find(|row| row.name == *command)?;
            let whom = if row.who.are_administrators() { " (for administrators)" } else { "" };
            Some(row.usage() + whom)
        };
        let hint = match elsewhere::meaning(name) {
            Some(Meaning::Is(commands)) => {
                let usages: Vec<String> = commands.iter().filter_map(usage).collect();
                format!("Here it is {}.", usages.join(", or "))
            }
            Some(Meaning::Sentence(sentence)) => sentence.to_owned(),
            // A path, or a pattern.
            None if name.trim_end_matches('/').contains('/') => {
                "To say a line that begins with a slash, type one more in front: //TEXT says /TEXT."
                    .to_owned()
            }
            None => match self.nearest(name) {
                Some(near) => format!("Did you mean /{near}?"),
                None => "/help lists them.".to_owned(),
            },
        };
        format!("There is no command /{name}. {hint}")
    }

    /// The command that was begun, or that is one slip away; two slips in a longer name. A guess
    /// that is not good is worse than none.
    fn nearest(self, name: &str) -> Option<&'static str> {
        let names = || self.rows().map(|row| row.name);
        let mut begun = names().filter(|command| name.len() > 1 && command.starts_with(name));
        match (begun.next(), begun.next()) {
            (Some(one), None) => Some(one),
            _ => nearest(name, names(), if name.len() < 6 { 1 } else { 2 }),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Everybody,
    Administrators,
    /// Everybody, on a server with `--demo`.
    Demo,
    /// Administrators, on a server with `--demo`.
    DemoAdministrators,
}

impl Who {
    pub(crate) fn are_administrators(self) -> bool {
        matches!(self, Who::Administrators | Who::DemoAdministrators)
    }

    pub(crate) fn is_for_demo(self) -> bool {
        matches!(self, Who::Demo | Who::DemoAdministrators)
    }
}

/// The function that runs a command. It gets what was typed after the command's name, trimmed.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// On the client's own thread; it may ask the rooms, the store or for a password. Returns lines
    /// for the client.
    Session(RunSession),
    /// Where the rooms are, in the one order of all events. It must be quick.
    Rooms(fn(&mut RoomsCtx<'_>, &str) -> CommandResult),
}

/// A function that runs on its client's own thread.
pub(crate) type RunSession = fn(&mut SessionCtx<'_, '_>, &str) -> Result<String, Refusal>;

/// What a command of the rooms returns.
pub(crate) type CommandResult = Result<Reply, Refusal>;

/// What a command of the rooms is answered with.
pub(crate) enum Reply {
    Now(String),
    /// These lines; and the client has another name from now on.
    Named(Name, String),
    /// These lines, and behind them past lines. The store may have to be asked for some of these.
    Fetch(String, Box<HistoryReply>),
    /// Nothing yet: the answer comes with the outcome of the change.
    Later,
    /// Nothing yet: the client's thread asks the store first.
    LookUp(Box<Lookup>),
}

impl Reply {
    /// One line of the server's.
    pub(crate) fn notice(sentence: impl std::fmt::Display) -> Reply {
        Reply::Now(notice(sentence))
    }

    /// As an answer; `None`: it comes later.
    pub(crate) fn into_answer(self) -> Option<Answer> {
        match self {
            Reply::Now(text) => Some(Answer::Text(text)),
            Reply::Named(name, text) => Some(Answer::Named(name, text, None)),
            Reply::Fetch(text, reply) => Some(Answer::Fetch(text, reply)),
            Reply::Later => None,
            Reply::LookUp(lookup) => Some(Answer::LookUp(lookup)),
        }
    }
}

/// What a command works with on its client's thread.
pub(crate) struct SessionCtx<'a, 's> {
    pub(crate) session: &'a mut Session<'s>,
    pub(crate) driver: &'a mut dyn Driver,
    /// All commands, for `/help`.
    pub(crate) table: Table,
}

/// What a command works with where the rooms are.
pub(crate) struct RoomsCtx<'a> {
    pub(crate) rooms: &'a mut Rooms,
    pub(crate) client: ClientKey,
}

impl RoomsCtx<'_> {
    /// Whoever typed it. They are a member: commands are run for members alone.
    pub(crate) fn member(&self) -> &Member {
        &self.rooms.members()[self.client]
    }

    pub(crate) fn name(&self) -> String {
        self.member().shown().into_owned()
    }

    /// Records and logs what an administrator did.
    pub(crate) fn audit(&mut self, what: String) {
        let (member, mut by) = (self.member(), self.name());
        let (client, address) = (member.client(), member.address());
        let is_guest = self.rooms.person(self.client).is_guest_instructor();
        let instructor = if is_guest { ", instructor" } else { "" };
        let id = member.account();
        let account = id.and_then(|id| self.rooms.accounts.get(id)).map(|it| it.name.clone());
        let log = format!("{by} (c{client}, {address}{instructor}) {what}");
        if is_guest {
            by.push_str(" (instructor)"); // without an account, anybody may have that name later
        }
        self.rooms.actions.push(Action::Log(LogLine {
            event: "administered",
            client: Some(client),
            account,
            address: Some(address),
            text: log,
        }));
        let now = self.rooms.now();
        self.rooms.pending.record(now, Change::Audit { by, what });
    }
}

impl Row {
    /// A command that runs where the rooms are.
    pub(crate) const fn rooms(
        name: &'static str,
        arguments: &'static str,
        does: &'static str,
        run: fn(&mut RoomsCtx<'_>, &str) -> CommandResult,
    ) -> Row {
        Row::everybodys(name, arguments, does, Run::Rooms(run))
    }

    /// A command that runs on its client's own thread.
    pub(crate) const fn session(
        name: &'static str,
        arguments: &'static str,
        does: &'static str,
        run: fn(&mut SessionCtx<'_, '_>, &str) -> Result<String, Refusal>,
    ) -> Row {
        Row::everybodys(name, arguments, does, Run::Session(run))
    }

    const fn everybodys(
        name: &'static str,
        arguments: &'static str,
        does: &'static str,
        run: Run,
    ) -> Row {
        let (who, at_the_door, run_at_the_door) = (Who::Everybody, false, None);
        Row { name, arguments, does, example: "", who, at_the_door, run_at_the_door, run }
    }

    /// The same row, with arguments as somebody might type them, for `/help`.
    pub(crate) const fn example(self, example: &'static str) -> Row {
        Row { example, ..self }
    }

    /// The same row, for these clients alone.
    pub(crate) const fn only_for(self, who: Who) -> Row {
        Row { who, ..self }
    }

    /// The same row, which works at the door too.
    pub(crate) const fn also_at_the_door(self) -> Row {
        Row { at_the_door: true, ..self }
    }

    /// The same row, which does something else at the door.
    pub(crate) const fn at_the_door_runs(self, run: RunSession) -> Row {
        Row { at_the_door: true, run_at_the_door: Some(run), ..self }
    }

    /// What runs for a client, who has a name or has none.
    pub(crate) fn run_for(&self, is_naming: bool) -> Run {
        match self.run_at_the_door {
            Some(run) if is_naming => Run::Session(run),
            _ => self.run,
        }
    }

    /// The command as it is typed.
    pub(crate) fn usage(&self) -> String {
        format!("/{} {}", self.name, self.arguments).trim_end().to_owned()
    }

    /// The line that says why the command was refused.
    pub(crate) fn refused(&self, refusal: Refusal) -> String {
        match refusal {
            Refusal::Because(sentence) => notice(sentence),
            Refusal::Usage => notice(format_args!("Like this: {}", self.usage())),
        }
    }
}

/// The argument, which must be there.
pub(crate) fn required(argument: &str) -> Result<&str, Refusal> {
    if argument.is_empty() { Err(Refusal::Usage) } else { Ok(argument) }
}

/// `on` or `off`; `None`: neither was typed.
pub(crate) fn on_or_off(argument: &str) -> Result<Option<bool>, Refusal> {
    match &*argument.to_ascii_lowercase() {
        "" => Ok(None),
        "on" => Ok(Some(true)),
        "off" => Ok(Some(false)),
        _ => Err(Refusal::Usage),
    }
}

/// The argument, if it is there.
pub(crate) fn optional(argument: &str) -> Option<String> {
    (!argument.is_empty()).then(|| argument.to_owned())
}

/// Refuses an argument.
pub(crate) fn none(argument: &str) -> Result<(), Refusal> {
    if argument.is_empty() { Ok(()) } else { Err(Refusal::Usage) }
}

/// The first word, and what stands behind it.
pub(crate) fn first_word(arguments: &str) -> Result<(&str, &str), Refusal> {
    let (first, rest) = arguments.split_once(char::is_whitespace).unwrap_or((arguments, ""));
    Ok((required(first)?, rest.trim_start()))
}
