//! What the person has typed and the server has not answered yet. No I/O.
//!
//! A chatd gives us our own lines too (`/echo on`), so we know which of them were said. After a broken
//! connection those that were not are named, and none is lost without a word.

use crate::server_line::{LineKind, ServerLine};
use chatd::core::{sentences::without_mark, wire::sanitize::sanitize};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The most typed lines that are waited for. A server that is so far behind reads nothing any more.
const WAITING_MAX: usize = 500;

/// How long a lag is told of, after the line that had it.
const LAG_HOLDS: Duration = Duration::from_secs(30);

/// One typed line.
#[derive(Debug)]
struct Typed {
    text: String,
    /// As it comes back, if it is talk: what it is, the name we had, and what is said.
    talk: Option<(LineKind, String, String)>,
    at: Instant,
}

impl Typed {
    /// As others will read it, if it is talk.
    fn shown(&self) -> Option<String> {
        self.talk.as_ref().map(|(kind, me, body)| match kind {
            LineKind::Act => format!("* {me} {body}"),
            _ => format!("<{me}> {body}"),
        })
    }
}

/// What was typed and is not answered, in that order.
#[derive(Debug, Default)]
pub(crate) struct OwnLines {
    waiting: VecDeque<Typed>,
    /// How long the last line was on its way to the server and back, and when that was.
    lag: Option<(Duration, Instant)>,
}

impl OwnLines {
    /// Takes note of what is sent now under the name `me`; for talk, returns it as others read it.
    pub(crate) fn sent(&mut self, text: &str, me: Option<&str>, at: Instant) -> Option<String> {
        let safe = sanitize(text);
        let action = safe.split_at_checked("/me ".len());
        let action = action.filter(|(command, _)| command.eq_ignore_ascii_case("/me "));
        let said = match action {
            Some((_, action)) => Some((LineKind::Act, action.trim())),
            None if safe.starts_with("//") => Some((LineKind::Say, &safe[1..])),
            None if safe.starts_with('/') || safe.trim().is_empty() => None,
            None => Some((LineKind::Say, &*safe)),
        };
        let talk = me.zip(said).map(|(me, (kind, body))| (kind, me.to_owned(), body.to_owned()));
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
        }
        let typed = Typed { text: text.to_owned(), talk, at };
        let shown = typed.shown();
        self.waiting.push_back(typed);
        shown
    }

    /// It could not be sent after all.
    pub(crate) fn take_back(&mut self, text: Option<&str>) {
        self.waiting.pop_back_if(|typed| Some(&*typed.text) == text);
    }

    /// Talk that was sent after the server was heard last: as others will read it.
    pub(crate) fn on_their_way(&self, heard_at: Instant) -> impl Iterator<Item = String> {
        self.waiting.iter().filter(move |typed| typed.at > heard_at).filter_map(Typed::shown)
    }

    /// How long a line takes to the server and back: the last one, or one that is still on its way.
    pub(crate) fn lag(&self, heard_at: Instant, now: Instant) -> Option<Duration> {
        let waits = self.waiting.iter().find(|typed| typed.at > heard_at);
        let last = self.lag.filter(|(_, at)| now.saturating_duration_since(*at) < LAG_HOLDS);
        let waits = waits.map(|typed| now.saturating_duration_since(typed.at));
        waits.max(last.map(|(lag, _)| lag))
    }

    /// A line of the room's. Returns whether it is the next of ours; then it was said, and whatever was
    /// typed before it has been answered.
    pub(crate) fn is_said(&mut self, line: &ServerLine, now: Instant) -> bool {
        let name = without_mark(line.name());
        let is_it = |typed: &Typed| {
            typed.talk.as_ref().is_some_and(|(kind, me, body)| {
                *kind == line.kind && me == name && body == line.body()
            })
        };
        let found = self.waiting.iter().position(is_it);
        if let Some(at) = found {
            self.lag = Some((now.saturating_duration_since(self.waiting[at].at), now));
            self.waiting.drain(..=at);
        }
        found.is_some()
    }

    /// The server has answered something: commands that were typed before any talk that still waits.
    pub(crate) fn are_answered(&mut self) {
        while self.waiting.front().is_some_and(|typed| typed.talk.is_none()) {
            self.waiting.pop_front();
        }
    }

    /// What was not answered: it is no longer waited for.
    pub(crate) fn take(&mut self) -> Vec<String> {
        self.waiting.drain(..).map(|typed| typed.text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> ServerLine {
        ServerLine::new(text.as_bytes())
    }

    #[test]
    fn what_was_typed_is_shown_as_others_read_it() {
        let mut own = OwnLines::default();
        for (typed, shown) in [
            ("hi", Some("<alice> hi")),
            ("/me waves", Some("* alice waves")),
            ("/ME shouts", Some("* alice shouts")),
            ("//etc", Some("<alice> /etc")),
            ("/join math", None),
            ("a\tb\x07", Some("<alice> a\tb\u{fffd}")),
        ] {
            assert_eq!(own.sent(typed, Some("alice"), Instant::now()).as_deref(), shown, "{typed}");
        }
        assert_eq!(own.sent("hi", None, Instant::now()), None, "nobody has told our name");
    }

    #[test]
    fn what_comes_back_was_said_and_the_rest_was_not() {
        let mut own = OwnLines::default();
        for typed in ["one", "/topic x", "two", "/me waves", "three"] {
            own.sent(typed, Some("alice"), Instant::now());
        }
        for other in ["<bob> one", "* alice one", "<alice> on", "[to alice] one", "*** one"] {
            assert!(!own.is_said(&line(other), Instant::now()), "{other}");
        }
        assert!(own.is_said(&line("(12:30) <@alice> one"), Instant::now()));
        assert!(!own.is_said(&line("<alice> one"), Instant::now()), "somebody said it again");
        own.are_answered();
        assert!(
            own.is_said(&line("* alice? waves"), Instant::now()),
            "two was refused, and that was told"
        );
        assert_eq!(own.take(), ["three"]);
        assert_eq!(own.take(), [""; 0]);
    }

    #[test]
    fn lag_is_of_the_last_line_or_of_one_that_is_on_its_way() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut own = OwnLines::default();
        assert_eq!(own.lag(start, start), None);
        own.sent("one", Some("alice"), start + second);
        assert_eq!(own.on_their_way(start).collect::<Vec<_>>(), ["<alice> one"]);
        assert_eq!(own.lag(start, start + 4 * second), Some(3 * second));
        let heard = start + 5 * second;
        assert_eq!(own.on_their_way(heard).count(), 0, "it may have been refused");
        assert_eq!(own.lag(heard, heard + second), None);
        assert!(own.is_said(&line("<alice> one"), heard));
        assert_eq!(own.lag(heard, heard + 29 * second), Some(4 * second));
        assert_eq!(own.lag(heard, heard + 30 * second), None);
    }
}
