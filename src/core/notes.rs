//! Notes: what programs are told beside the lines that everybody reads. A note is a JSON object on a
//! line of its own, and no other line begins with `{`. docs/protocol.md lists them all.
//!
//! They are asked for by `/notes on`; whoever does not ask gets none. Notes about a room are sets:
//! `{"+":"bob"}` says that bob is here, whether the program knew that or not. So it does no harm
//! that they stand behind the lines of their batch, and that a program which came in the middle of a
//! batch reads all of that batch's notes.

use super::{json::Object, record::LineId};
use std::time::Duration;

/// A program is told at least this often that the server is there. Home routers forget a silent
/// connection after some minutes, and the page gives one up that is silent for a minute.
pub(crate) const BEAT_EVERY: Duration = Duration::from_secs(25);

/// What a program has to know of the server.
#[derive(Clone, Copy, Debug)]
pub struct ServerFacts {
    /// The most bytes of a line.
    pub(crate) line_max: usize,
    /// Lines that may come at once, and lines a second after that; `None`: there is no limit.
    pub(crate) flood: Option<(u32, u32)>,
}

/// What the server waits for: what the next line will be taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask<'a> {
    Name,
    /// The password of this name; or `new`, which is to become its password.
    Password {
        name: &'a str,
        new: bool,
    },
    /// Nothing: the next line is talk, or a command.
    Nothing,
}

impl Ask<'_> {
    fn word(self) -> Option<&'static str> {
        match self {
            Ask::Name => Some("name"),
            Ask::Password { .. } => Some("password"),
            Ask::Nothing => None,
        }
    }
}

/// The first note: what server this is. `zone`: what times are in, as `+01:00`. `epoch`: numbers of
/// lines with another epoch are of other lines.
pub(crate) fn hello(
    client: u64,
    facts: ServerFacts,
    (zone, epoch): (&str, u64),
    ask: Ask<'_>,
) -> String {
    Object::of("chatd", env!("CARGO_PKG_VERSION"))
        .and("you", format!("c{client}"))
        .and("line_max", facts.line_max)
        .and("flood", facts.flood.map(|(burst, per_second)| vec![burst, per_second]))
        .and("zone", zone)
        .and("epoch", epoch)
        .and("ask", ask.word())
        .line()
}

/// A sign of life.
pub(crate) fn beat() -> String {
    Object::of("beat", BEAT_EVERY.as_secs()).line()
}

/// What the next line will be taken for.
pub(crate) fn ask(ask: Ask<'_>) -> String {
    let object = Object::of("ask", ask.word());
    match ask {
        Ask::Password { name, new } => {
            object.and_some("new", new.then_some(true)).and("for", name).line()
        }
        Ask::Name | Ask::Nothing => object.line(),
    }
}

/// Who the client is, from now on: let in, logged in or out, renamed. `resume`: the new token, if
/// there is one.
pub(crate) fn entered(
    name: &str,
    account: Option<&str>,
    is_admin: bool,
    resume: Option<&str>,
) -> String {
    Object::of("in", name)
        .and("account", account)
        .and("admin", is_admin)
        .and("ask", None::<&str>)
        .and_some("resume", resume)
        .line()
}

/// A room as it is now. `here`: everybody in it, in the order in which they came. `hands`: whose are
/// up, for administrators. `last`: the number of the last line that was said on the server.
pub(crate) fn room(
    name: &str,
    (topic, by): (Option<&str>, Option<&str>),
    is_paused: bool,
    (count, here): (usize, Option<Vec<&str>>),
    hands: Option<Vec<&str>>,
    last: LineId,
) -> String {
    Object::of("room", name)
        .and("topic", topic)
        .and_some("by", by)
        .and("paused", is_paused)
        .and("count", count)
        .and_some("here", here)
        .and_some("hands", hands)
        .and("last", last.0)
        .line()
}

/// Somebody is here.
pub(crate) fn came(name: &str) -> String {
    Object::of("+", name).line()
}

/// Somebody is not here.
pub(crate) fn left(name: &str) -> String {
    Object::of("-", name).line()
}

/// Somebody who is here has another name.
pub(crate) fn renamed(before: &str, after: &str) -> String {
    Object::of("=", vec![before, after]).line()
}

/// The topic; `None`: there is none.
pub(crate) fn topic(topic: Option<&str>, by: &str) -> String {
    Object::of("topic", topic).and("by", by).line()
}

/// Whether the room is paused.
pub(crate) fn paused(is_paused: bool) -> String {
    Object::of("paused", is_paused).line()
}

/// A hand is up, and the number of its place among those that are, from 1; 0: it is down.
pub(crate) fn hand(name: &str, place: usize) -> String {
    Object::of("hand", vec![serde_json::Value::from(name), place.into()]).line()
}

/// Every line up to this number has been shown.
pub(crate) fn last(last: LineId) -> String {
    Object::of("last", last.0).line()
}

/// A ticket for the view.
pub(crate) fn view(ticket: &str) -> String {
    Object::of("view", ticket).line()
}

/// The end of the connection. `code`: as a WebSocket has it. `again`: the program may come back by
/// itself.
pub(crate) fn bye(code: u16, again: bool) -> String {
    Object::of("bye", code).and("again", again).line()
}
