//! A line of the server's: made harmless, and told apart by its first characters (docs/protocol.md,
//! "Lines"). No I/O, no state.
//!
//! A line of no known kind is [`LineKind::Plain`]: so is every line of a server that knows no
//! names, and it is shown as it came.

use chatd::core::{
    sentences::{ADMIN_MARK, ANNOUNCEMENT, MARK, without_mark},
    wire::sanitize::replace_controls,
};
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// `*** …`: the server's own.
    Sentence,
    /// `<alice> …`: said to the room.
    Say,
    /// `* alice …`: done in the room (`/me`).
    Act,
    /// `[from alice] …`: said to us alone.
    PrivateFrom,
    /// `[to alice] …`: said by us to one alone.
    PrivateTo,
    Plain,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerLine {
    /// The whole line as it came, made harmless.
    pub(crate) text: String,
    /// What it is, its time left aside.
    pub(crate) kind: LineKind,
    /// Told again by the room: `(12:30) ` stands in front.
    pub(crate) is_past: bool,
    /// Bytes of the time in front, with its brackets and the blank.
    time: usize,
    /// Whose line it is; empty for [`LineKind::Sentence`] and [`LineKind::Plain`].
    name: Range<usize>,
    /// Where what was said or done begins, behind name and marks.
    body: usize,
}

impl ServerLine {
    /// Takes a line from the server. It is a stranger's: what is not text is replaced, and so is
    /// every character that could move the cursor, colour the screen or turn text around. Nothing
    /// else of the client prints what came over the wire.
    pub(crate) fn new(bytes: &[u8]) -> ServerLine {
        let text = replace_controls(String::from_utf8_lossy(bytes).trim_matches('\r')).into_owned();
        let (time, is_past) = time(&text);
        let rest = &text[time..];
        let (kind, name) = kind(rest);
        let body = match kind {
            LineKind::Sentence => MARK.len(),
            LineKind::Plain => 0,
            LineKind::Act => name.end + " ".len(),
            LineKind::Say | LineKind::PrivateFrom | LineKind::PrivateTo => name.end + "> ".len(),
        };
        let body = time + body.min(rest.len());
        let name = time + name.start..time + name.end;
        ServerLine { text, kind, is_past, time, name, body }
    }

    /// The time in front, with its brackets and the blank; often empty.
    pub(crate) fn time(&self) -> &str {
        &self.text[..self.time]
    }

    /// The line without the time in front: the same live and told again.
    pub(crate) fn without_time(&self) -> &str {
        &self.text[self.time..]
    }

    /// What stands around the name: `<` and `> `.
    pub(crate) fn marks(&self) -> (&str, &str) {
        (&self.text[self.time..self.name.start], &self.text[self.name.end..self.body])
    }

    pub(crate) fn name(&self) -> &str {
        &self.text[self.name.clone()]
    }

    /// What was said or done.
    pub(crate) fn body(&self) -> &str {
        &self.text[self.body..]
    }

    /// Whether a chatd numbers it: what people say, to all or to one.
    pub(crate) fn has_number(&self) -> bool {
        match self.kind {
            LineKind::Sentence => self.body().starts_with(ANNOUNCEMENT),
            kind => kind != LineKind::Plain,
        }
    }

    /// Whether it was said or done for the whole room.
    pub(crate) fn is_talk(&self) -> bool {
        matches!(self.kind, LineKind::Say | LineKind::Act)
    }

    /// Where in its body somebody else mentions us, or has one of these words; in order.
    pub(crate) fn mentions(&self, me: Option<&str>, words: &[String]) -> Vec<Range<usize>> {
        if !self.is_talk() || me == Some(self.name()) {
            return Vec::new();
        }
        let all = me.into_iter().chain(words.iter().map(String::as_str));
        let mut found: Vec<_> = all.flat_map(|word| self.places_of(word)).collect();
        found.sort_by_key(|at| (at.start, std::cmp::Reverse(at.end)));
        let mut end = 0;
        found.retain(|at| {
            let is_free = at.start >= end;
            end = end.max(at.end);
            is_free
        });
        found
    }

    /// Where in its body `name` stands: as a word, in any case of letters.
    fn places_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        // A name may have these within, so beside a letter they make another name of it.
        let joins = move |c: char| matches!(c, '-' | '_' | '.');
        let is_apart = move |beside: &mut dyn Iterator<Item = char>| match beside.next() {
            Some(c) if joins(c) => c != '_' && !beside.next().is_some_and(char::is_alphanumeric),
            c => c.is_none_or(|c| !c.is_alphanumeric()),
        };
        let body = self.body();
        let is_there = move |at: &Range<usize>| {
            let (mut before, mut after) = (body[..at.start].chars().rev(), body[at.end..].chars());
            !at.is_empty() && is_apart(&mut before) && is_apart(&mut after)
        };
        body.char_indices()
            .filter_map(move |(at, _)| Some(at..at + length_of(&body[at..], name)?))
            .filter(is_there)
    }
}

/// How many bytes of a text are this name, in any case of letters, if it begins with it.
fn length_of(text: &str, name: &str) -> Option<usize> {
    let mut rest = text.chars();
    for c in name.chars() {
        let is_same = |other: char| c == other || c.to_lowercase().eq(other.to_lowercase());
        rest.next().filter(|&other| is_same(other))?;
    }
    Some(text.len() - rest.as_str().len())
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

fn kind(rest: &str) -> (LineKind, Range<usize>) {
    if rest == MARK.trim_end() || rest.starts_with(MARK) {
        return (LineKind::Sentence, 0..0);
    }
    for (open, close, kind) in [
        ("<", ">", LineKind::Say),
        ("* ", " ", LineKind::Act),
        ("[from ", "]", LineKind::PrivateFrom),
        ("[to ", "]", LineKind::PrivateTo),
        ("[question from ", "]", LineKind::PrivateFrom),
        ("[question to ", "]", LineKind::PrivateTo),
    ] {
        if let Some((name, after)) =
            rest.strip_prefix(open).and_then(|inside| inside.split_once(close))
            && !without_mark(name).is_empty()
            && !name.contains(char::is_whitespace)
            && (kind == LineKind::Act || after.is_empty() || after.starts_with(' '))
        {
            let end = open.len() + name.len();
            let marks = name.len() - name.trim_start_matches(ADMIN_MARK).len();
            return (kind, open.len() + marks..end); // `@alice` is alice's
        }
    }
    (LineKind::Plain, 0..0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> ServerLine {
        ServerLine::new(text.as_bytes())
    }

    #[test]
    fn nothing_a_terminal_obeys_is_left() {
        let text = |bytes| ServerLine::new(bytes).text;
        let attacks = "a\x1b[31mb\x07\x08\x7f\u{9b}1m\u{202e}\u{2066}\u{2028}c\td";
        assert_eq!(text(attacks.as_bytes()), "a�[31mb����1m���c\td");
        assert_eq!(text(b"\xff\xfb\x01ok\xc3"), "���ok�");
        assert_eq!(text(b"\rover\rwritten\r"), "over�written");
    }

    #[test]
    fn the_first_characters_tell_the_kind() {
        for (text, kind, name, body) in [
            ("*** alice entered lobby", LineKind::Sentence, "", "alice entered lobby"),
            ("<alice> hi <b>", LineKind::Say, "alice", "hi <b>"),
            ("<alice> ", LineKind::Say, "alice", ""),
            ("<alice>", LineKind::Say, "alice", ""),
            ("<127.0.0.1:4000> hi", LineKind::Say, "127.0.0.1:4000", "hi"),
            ("* alice waves", LineKind::Act, "alice", "waves"),
            ("<@alice> hi", LineKind::Say, "alice", "hi"),
            ("* @alice waves", LineKind::Act, "alice", "waves"),
            ("(12:30) [from @alice] psst", LineKind::PrivateFrom, "alice", "psst"),
            ("<@> hi", LineKind::Plain, "", "<@> hi"),
            ("[from bob] psst", LineKind::PrivateFrom, "bob", "psst"),
            ("[to bob] psst", LineKind::PrivateTo, "bob", "psst"),
            ("[question from bob] why?", LineKind::PrivateFrom, "bob", "why?"),
            ("(12:30) <alice> hi", LineKind::Say, "alice", "hi"),
            ("(2026-11-20 12:30) * alice waves", LineKind::Act, "alice", "waves"),
            ("[12:30] <alice> hi", LineKind::Say, "alice", "hi"),
            ("[127.0.0.1:39339] came", LineKind::Plain, "", "[127.0.0.1:39339] came"),
            ("<('127.0.0.1', 39339)> hi", LineKind::Plain, "", "<('127.0.0.1', 39339)> hi"),
            ("alice> hi", LineKind::Plain, "", "alice> hi"),
            ("", LineKind::Plain, "", ""),
            ("***", LineKind::Sentence, "", ""),
            ("<", LineKind::Plain, "", "<"),
            ("<日本> 語", LineKind::Say, "日本", "語"),
        ] {
            let line = line(text);
            assert_eq!((line.kind, line.name(), line.body()), (kind, name, body), "{text:?}");
        }
    }

    #[test]
    fn only_brackets_with_a_time_are_a_time() {
        assert!(line("(12:30) <a> x").is_past);
        assert!(!line("[12:30] <a> x").is_past);
        assert!(!line("(maybe) <a> x").is_past);
        assert_eq!(line("(12:30) <a> x").without_time(), "<a> x");
    }

    #[test]
    fn a_mention_is_a_word_of_its_own() {
        let mention =
            |text: &str| line(text).mentions(Some("alice"), &[]).first().map(|at| at.start);
        assert_eq!(mention("<bob> hi Alice!"), Some(3));
        assert_eq!(mention("<bob> alice"), Some(0));
        for other in ["malice, alices", "alice-bob", "x.alice", "alice_", "alice.b"] {
            assert_eq!(mention(&format!("<bob> {other}")), None, "{other}");
        }
        for same in ["alice.", "alice-", "alice: hi", "alice...", "alice’s"] {
            assert_eq!(mention(&format!("<bob> {same}")), Some(0), "{same}");
        }
        assert_eq!(line("<bob> hi ZOË!").mentions(Some("Zoë"), &[]), vec![3..7]);
        assert_eq!(mention("<alice> I, alice"), None);
        assert_eq!(mention("*** alice entered lobby"), None);
        assert_eq!(mention("<bob> 日本alice日本"), None);
        assert_eq!(mention("<bob> 日 alice 本"), Some(4));
        let words = ["exam".to_owned()];
        let mentions = |text: &str| line(text).mentions(Some("alice"), &words);
        assert_eq!(mentions("<bob> the Exam, Alice, the exam"), [4..8, 10..15, 21..25]);
        let joined = ["exam-day".to_owned(), "exam".to_owned(), "day".to_owned()];
        assert_eq!(line("<bob> exam-day!").mentions(None, &joined), vec![0..8], "the longest");
        assert!(mentions("<bob> an example").is_empty());
        assert!(mentions("<alice> my exam").is_empty());
    }
}
