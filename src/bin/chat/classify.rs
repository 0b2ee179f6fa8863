//! What kind a line of the server's is. Its first characters say (docs/protocol.md, "Lines"). No I/O, no state.
//!
//! A line that is none of these is [`Kind::Plain`]: that is every line of a server that knows no names, and it is shown
//! as it came.

use std::ops::Range;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `*** …`: the server's own.
    Server,
    /// `<alice> …`: said to the room.
    Say,
    /// `* alice …`: done in the room (`/me`).
    Act,
    /// `[from alice] …`: said to us alone.
    PrivateFrom,
    /// `[to alice] …`: said by us to one alone.
    PrivateTo,
    /// Anything else.
    Plain,
}

/// One clean line, taken apart. Ranges are bytes of `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The whole line as it came, cleaned.
    pub text: String,
    /// What it is, its time left aside.
    pub kind: Kind,
    /// Told again from the room's memory: `(12:30) ` stands in front.
    pub is_past: bool,
    /// The time in front, with its brackets and the blank; often empty.
    pub time: Range<usize>,
    /// Whose line it is; empty for [`Kind::Server`] and [`Kind::Plain`].
    pub name: Range<usize>,
    /// What was said or done, without name and marks.
    pub body: Range<usize>,
}

impl Line {
    /// Takes a clean line apart.
    pub fn new(text: String) -> Line {
        let (time, is_past) = time(&text);
        let rest = &text[time..];
        let (kind, name) = kind(rest);
        let body = match kind {
            Kind::Server => 4.min(rest.len()),
            Kind::Plain => 0,
            Kind::Act => (name.end + 1).min(rest.len()),
            Kind::Say | Kind::PrivateFrom | Kind::PrivateTo => (name.end + 2).min(rest.len()),
        };
        let (name, body) = (time + name.start..time + name.end, time + body..text.len());
        Line { kind, is_past, time: 0..time, name, body, text }
    }

    /// Whose line it is.
    pub fn name(&self) -> &str {
        &self.text[self.name.clone()]
    }

    /// What was said.
    pub fn body(&self) -> &str {
        &self.text[self.body.clone()]
    }

    /// The line without the time in front: the same live and told again.
    pub fn without_time(&self) -> &str {
        &self.text[self.time.end..]
    }

    /// Whether it was said or done for the whole room, and so is kept in the room's memory.
    pub fn is_talk(&self) -> bool {
        matches!(self.kind, Kind::Say | Kind::Act)
    }

    /// Whether `name` is mentioned: as a word of its own, in any case of letters, in what somebody else says.
    pub fn mentions(&self, name: &str) -> Option<Range<usize>> {
        if name.is_empty() || !self.is_talk() || self.name() == name {
            return None;
        }
        let (body, start) = (self.body(), self.body.start);
        let is_apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        body.char_indices().map(|(at, _)| at).find_map(|at| {
            let end = at + name.len();
            let word = body.get(at..end)?;
            let alone =
                is_apart(body[..at].chars().next_back()) && is_apart(body[end..].chars().next());
            (alone && word.eq_ignore_ascii_case(name)).then_some(start + at..start + end)
        })
    }
}

/// The length of a time in front, and whether it is a past line's.
fn time(text: &str) -> (usize, bool) {
    for (open, close, is_past) in [('(', ") ", true), ('[', "] ", false)] {
        if let Some((inside, _)) = text.strip_prefix(open).and_then(|rest| rest.split_once(close))
            && matches!(inside.len(), 5 | 16)
            && inside.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'-' | b' '))
        {
            return (inside.len() + 3, is_past);
        }
    }
    (0, false)
}

fn kind(rest: &str) -> (Kind, Range<usize>) {
    if rest == "***" || rest.starts_with("*** ") {
        return (Kind::Server, 0..0);
    }
    for (open, close, kind) in [
        ("<", ">", Kind::Say),
        ("* ", " ", Kind::Act),
        ("[from ", "]", Kind::PrivateFrom),
        ("[to ", "]", Kind::PrivateTo),
        ("[question from ", "]", Kind::PrivateFrom),
        ("[question to ", "]", Kind::PrivateTo),
    ] {
        if let Some((name, after)) =
            rest.strip_prefix(open).and_then(|inside| inside.split_once(close))
            && !name.is_empty()
            && !name.contains(char::is_whitespace)
            && (kind == Kind::Act || after.is_empty() || after.starts_with(' '))
        {
            return (kind, open.len()..open.len() + name.len());
        }
    }
    (Kind::Plain, 0..0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_characters_tell_the_kind() {
        for (text, kind, name, body) in [
            ("*** alice entered lobby", Kind::Server, "", "alice entered lobby"),
            ("<alice> hi <b>", Kind::Say, "alice", "hi <b>"),
            ("<alice> ", Kind::Say, "alice", ""),
            ("<alice>", Kind::Say, "alice", ""),
            ("<127.0.0.1:4000> hi", Kind::Say, "127.0.0.1:4000", "hi"),
            ("* alice waves", Kind::Act, "alice", "waves"),
            ("[from bob] psst", Kind::PrivateFrom, "bob", "psst"),
            ("[to bob] psst", Kind::PrivateTo, "bob", "psst"),
            ("[question from bob] why?", Kind::PrivateFrom, "bob", "why?"),
            ("(12:30) <alice> hi", Kind::Say, "alice", "hi"),
            ("(2026-11-20 12:30) * alice waves", Kind::Act, "alice", "waves"),
            ("[12:30] <alice> hi", Kind::Say, "alice", "hi"),
            ("[127.0.0.1:39339] entered room", Kind::Plain, "", "[127.0.0.1:39339] entered room"),
            ("<('127.0.0.1', 39339)> hi", Kind::Plain, "", "<('127.0.0.1', 39339)> hi"),
            ("alice> hi", Kind::Plain, "", "alice> hi"),
            ("", Kind::Plain, "", ""),
            ("***", Kind::Server, "", ""),
            ("<", Kind::Plain, "", "<"),
            ("<日本> 語", Kind::Say, "日本", "語"),
        ] {
            let line = Line::new(text.to_owned());
            assert_eq!((line.kind, line.name(), line.body()), (kind, name, body), "{text:?}");
        }
    }

    #[test]
    fn only_brackets_with_a_time_are_a_time() {
        assert!(Line::new("(12:30) <a> x".to_owned()).is_past);
        assert!(!Line::new("[12:30] <a> x".to_owned()).is_past);
        assert!(!Line::new("(maybe) <a> x".to_owned()).is_past);
        assert_eq!(Line::new("(12:30) <a> x".to_owned()).without_time(), "<a> x");
    }

    #[test]
    fn a_mention_is_a_word_of_its_own() {
        let mention = |text: &str| Line::new(text.to_owned()).mentions("alice").map(|at| at.start);
        assert_eq!(mention("<bob> hi Alice!"), Some(9));
        assert_eq!(mention("<bob> alice"), Some(6));
        assert_eq!(mention("<bob> malice, alices"), None);
        assert_eq!(mention("<alice> I, alice"), None);
        assert_eq!(mention("*** alice entered lobby"), None);
        assert_eq!(mention("<bob> 日本alice日本"), None);
        assert_eq!(mention("<bob> 日 alice 本"), Some(10));
    }
}
