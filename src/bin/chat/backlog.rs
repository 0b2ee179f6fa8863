//! What was missed while the connection was away, without what was seen already. No I/O; the
//! `socket` thread's own.
//!
//! A room tells its last lines to whoever enters it, between a heading and `End of the history.`. When
//! we come back, some of them have been on the screen. The two are laid over each other so that the
//! end of what was seen meets the beginning of what is told, by the longest overlap that
//! contradicts nothing; what stands behind it is new. Own lines are left out of the comparison: the
//! room may have them in another place than our screen has.

use crate::server_line::{LineKind, ServerLine};
use chatd::core::sentences::{END_OF_PAST, backlog_room};
use std::collections::VecDeque;

/// Lines known of a room: at least as many as a room tells again (chatd keeps 300).
const SEEN_MAX: usize = 1000;

/// Told lines that wait for their end; a backlog that is longer is shown as it comes.
const TOLD_MAX: usize = 2000;

/// What is to be shown for a line that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// These, often exactly the one that came.
    Lines(Vec<ServerLine>),
    /// The end of the backlog: these were missed.
    Missed(Vec<ServerLine>),
}

/// Knows what was seen in the room, and sorts out what is told again.
#[derive(Default)]
pub(crate) struct Backlog {
    seen: VecDeque<String>,
    /// The room that we come back to, until it has told its backlog.
    coming_back_to: Option<String>,
    /// A backlog that is being told meanwhile, and whether it is that room's.
    told: Option<(Vec<ServerLine>, bool)>,
}

impl Backlog {
    /// The connection was lost and is there again: until `room` has told its backlog, lines that
    /// were seen are sorted out.
    pub(crate) fn come_back(&mut self, room: String) {
        (self.coming_back_to, self.told) = (Some(room), None);
    }

    /// The person went on with something: from now on everything is shown.
    pub(crate) fn end_return(&mut self) {
        (self.coming_back_to, self.told) = (None, None);
    }

    /// Another room: what was seen in the last one is no longer compared with.
    pub(crate) fn enter(&mut self) {
        if self.coming_back_to.is_none() {
            self.seen.clear();
        }
    }

    /// Takes a line that came, and returns what is to be shown now.
    pub(crate) fn take(&mut self, line: ServerLine, is_own: impl Fn(&str) -> bool) -> Shown {
        let Some(coming_back_to) = &self.coming_back_to else {
            self.see(&line, &is_own);
            return Shown::Lines(vec![line]);
        };
        let is_sentence = line.kind == LineKind::Sentence;
        if let Some(room) = backlog_room(line.body()).filter(|_| is_sentence) {
            self.told = Some((Vec::new(), room == coming_back_to));
            return Shown::Lines(Vec::new());
        }
        let Some((mut told, is_our_room)) = self.told.take() else {
            // Live talk before any backlog: the room has none (the server may be a new one).
            if line.is_talk() && !line.is_past {
                self.end_return();
                self.see(&line, &is_own);
            }
            return Shown::Lines(vec![line]);
        };
        if line.is_past && told.len() < TOLD_MAX {
            told.push(line);
            self.told = Some((told, is_our_room));
            return Shown::Lines(Vec::new());
        }
        let is_end = is_sentence && line.body() == END_OF_PAST;
        if is_end && !is_our_room {
            return Shown::Lines(Vec::new()); // on the way through: not where we were
        }
        self.end_return();
        let mut shown = self.without_seen(told, &is_own);
        shown.iter().for_each(|line| self.see(line, &is_own));
        if is_end {
            return Shown::Missed(shown);
        }
        self.see(&line, &is_own);
        shown.push(line);
        Shown::Lines(shown)
    }

    fn without_seen(
        &self,
        mut told: Vec<ServerLine>,
        is_own: &impl Fn(&str) -> bool,
    ) -> Vec<ServerLine> {
        told.retain(|line| !is_own(line.without_time()));
        let texts: Vec<&str> = told.iter().map(ServerLine::without_time).collect();
        let seen: Vec<&str> = self.seen.iter().map(String::as_str).collect();
        let known = overlap(&seen, &texts);
        told.split_off(known)
    }

    fn see(&mut self, line: &ServerLine, is_own: &impl Fn(&str) -> bool) {
        if line.is_talk() && !is_own(line.without_time()) {
            if self.seen.len() == SEEN_MAX {
                self.seen.pop_front();
            }
            self.seen.push_back(line.without_time().to_owned());
        }
    }
}

/// How many of the `told` lines are known: the largest number whose lines are the end of `seen`, as
/// far back as both go.
fn overlap(seen: &[&str], told: &[&str]) -> usize {
    let meets = |known: &usize| {
        let common = seen.len().min(*known);
        seen[seen.len() - common..] == told[*known - common..*known]
    };
    if seen.is_empty() { 0 } else { (0..=told.len()).rev().find(meets).unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps() {
        for (seen, told, known, why) in [
            ("", "ab", 0, "nothing was seen"),
            ("ab", "abc", 2, "one line is new"),
            ("xab", "abc", 2, "the room's backlog is shorter"),
            ("b", "abc", 2, "we had just come"),
            ("ah", "hh", 1, "said twice, missed once"),
            ("ab", "cd", 0, "too much was missed"),
            ("ab", "ab", 2, "nothing is new"),
        ] {
            let lines = |letters: &'static str| letters.split("").filter(|line| !line.is_empty());
            let (seen, told): (Vec<_>, Vec<_>) = (lines(seen).collect(), lines(told).collect());
            assert_eq!(overlap(&seen, &told), known, "{why}");
        }
    }

    /// What is shown of these lines. Those of `<me>` are our own.
    fn shown(backlog: &mut Backlog, lines: &[&str]) -> Vec<String> {
        let mut take = |text: &&str| {
            let line = ServerLine::new(text.as_bytes());
            let (Shown::Lines(lines) | Shown::Missed(lines)) =
                backlog.take(line, |line| line.starts_with("<me>"));
            lines
        };
        lines.iter().flat_map(&mut take).map(|line| line.text).collect()
    }

    #[test]
    fn only_what_was_missed_is_shown() {
        let mut backlog = Backlog::default();
        shown(&mut backlog, &["<a> one", "<me> mine", "<b> two"]);
        backlog.come_back("math".to_owned());
        let lines = [
            "*** You are in lobby, alone.",
            "*** The last 1 line of lobby (times are +00:00):",
            "(12:00) <z> not ours",
            "*** End of the history.",
            "*** The last 5 lines of math (times are +00:00):",
            "(12:00) <a> one",
            "(12:00) <b> two",
            "(12:00) <me> mine",
            "(12:01) <a> two",
            "(12:01) * b waves",
            "*** End of the history.",
            "<a> live",
        ];
        let expected =
            ["*** You are in lobby, alone.", "(12:01) <a> two", "(12:01) * b waves", "<a> live"];
        assert_eq!(shown(&mut backlog, &lines), expected);
        assert!(backlog.coming_back_to.is_none());
    }

    #[test]
    fn a_backlog_that_is_asked_for_is_shown_whole() {
        let heading = "*** The last 1 line of lobby (times are +00:00):";
        let lines = ["<a> one", heading, "(12:00) <a> one", "*** End of the history."];
        assert_eq!(shown(&mut Backlog::default(), &lines), lines);
    }

    #[test]
    fn a_backlog_without_an_end_does_not_wait_for_ever() {
        let mut backlog = Backlog::default();
        backlog.come_back("lobby".to_owned());
        let heading = "*** The last 9 lines of lobby (times are +00:00):";
        let lines = [heading, "(12:00) <a> one", "<a> live"];
        assert_eq!(shown(&mut backlog, &lines), ["(12:00) <a> one", "<a> live"]);
    }
}
