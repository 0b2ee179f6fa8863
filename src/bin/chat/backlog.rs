//! What was missed while the connection was away, without what was seen already. No I/O; the `socket` thread's own.
//!
//! A room tells its last lines to whoever enters, between `*** The last N lines of ROOM (…):` and `*** End of the
//! past.`. Coming back, part of them has been on the screen. The two are laid over each other so that the end of what
//! was seen meets the beginning of what is told, by the longest overlap that contradicts nothing; what stands behind it
//! is new. Own lines are left out of the comparison: the room may have them in another place than our screen has.

use std::collections::VecDeque;

use crate::classify::{Kind, Line};

/// Lines remembered of a room: at least as many as a room tells again (chatd keeps 300).
const SEEN_MAX: usize = 1000;

/// Told lines held back until their end is there; a block that is longer is shown as it comes.
const HELD_MAX: usize = 2000;

/// What is to be shown for a line that came.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown {
    /// These, often exactly the one that came.
    Lines(Vec<Line>),
    /// The end of the past: these were missed.
    Missed(Vec<Line>),
}

/// Remembers what was seen in the room, and sorts out what is told again.
#[derive(Default)]
pub struct Backlog {
    seen: VecDeque<String>,
    coming_back: Option<Return>,
}

struct Return {
    room: String,
    held: Option<Held>,
}

/// A past being told.
struct Held {
    lines: Vec<Line>,
    is_our_room: bool,
}

impl Backlog {
    /// The connection was lost and is there again: until `room` has told its past, seen lines are sorted out.
    pub fn come_back(&mut self, room: String) {
        self.coming_back = Some(Return { room, held: None });
    }

    /// The person went on with something: from now on everything is shown.
    pub fn is_back(&mut self) {
        self.coming_back = None;
    }

    /// Another room: what was seen in the last one is no longer compared with.
    pub fn enter(&mut self) {
        if self.coming_back.is_none() {
            self.seen.clear();
        }
    }

    /// Takes a line that came, and returns what is to be shown now.
    pub fn take(&mut self, line: Line, is_own: impl Fn(&str) -> bool) -> Shown {
        let Some(back) = &mut self.coming_back else {
            self.see(&line, &is_own);
            return Shown::Lines(vec![line]);
        };
        if let Some(room) = header(&line) {
            back.held = Some(Held { lines: Vec::new(), is_our_room: room == back.room });
            return Shown::Lines(Vec::new());
        }
        match &mut back.held {
            Some(held) if line.is_past && held.lines.len() < HELD_MAX => {
                held.lines.push(line);
                Shown::Lines(Vec::new())
            }
            Some(_) => self.end(line, is_own),
            None => {
                // Live talk before any past: the room has none (the server may be a new one).
                if line.is_talk() && !line.is_past {
                    self.coming_back = None;
                    self.see(&line, &is_own);
                }
                Shown::Lines(vec![line])
            }
        }
    }

    fn end(&mut self, line: Line, is_own: impl Fn(&str) -> bool) -> Shown {
        let is_trailer = line.kind == Kind::Server && line.body() == "End of the past.";
        let held = self.coming_back.as_mut().and_then(|back| back.held.take());
        let Some(Held { lines, is_our_room }) = held else { return Shown::Lines(vec![line]) };
        if !is_our_room && is_trailer {
            return Shown::Lines(Vec::new()); // on the way through: not where we were
        }
        self.coming_back = None;
        let mut shown = self.missed(lines, &is_own);
        for line in &shown {
            self.see(line, &is_own);
        }
        if is_trailer {
            return Shown::Missed(shown);
        }
        self.see(&line, &is_own);
        shown.push(line);
        Shown::Lines(shown)
    }

    fn missed(&self, told: Vec<Line>, is_own: &impl Fn(&str) -> bool) -> Vec<Line> {
        let told: Vec<Line> =
            told.into_iter().filter(|line| !is_own(line.without_time())).collect();
        let texts: Vec<&str> = told.iter().map(Line::without_time).collect();
        let seen: Vec<&str> = self.seen.iter().map(String::as_str).collect();
        let known = overlap(&seen, &texts);
        told.into_iter().skip(known).collect()
    }

    fn see(&mut self, line: &Line, is_own: &impl Fn(&str) -> bool) {
        if line.is_talk() && !is_own(line.without_time()) {
            if self.seen.len() == SEEN_MAX {
                self.seen.pop_front();
            }
            self.seen.push_back(line.without_time().to_owned());
        }
    }
}

/// How many of the `told` lines are known: the largest such number whose lines are the end of `seen`, as far back as
/// both go.
fn overlap(seen: &[&str], told: &[&str]) -> usize {
    let meets = |known: &usize| {
        let common =
            seen.iter().rev().zip(told[..*known].iter().rev()).take_while(|(a, b)| a == b).count();
        common == seen.len().min(*known)
    };
    if seen.is_empty() { 0 } else { (0..=told.len()).rev().find(meets).unwrap_or(0) }
}

/// The room, if the line begins to tell its past.
fn header(line: &Line) -> Option<&str> {
    let rest = line.body().strip_prefix("The last ").filter(|_| line.kind == Kind::Server)?;
    let (_, rest) = rest.split_once(" of ")?;
    rest.split_once(" (").map(|(room, _)| room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps() {
        assert_eq!(overlap(&[], &["a", "b"]), 0);
        assert_eq!(overlap(&["a", "b"], &["a", "b", "c"]), 2);
        assert_eq!(overlap(&["x", "a", "b"], &["a", "b", "c"]), 2, "the room's memory is shorter");
        assert_eq!(overlap(&["b"], &["a", "b", "c"]), 2, "we had just come");
        assert_eq!(overlap(&["a", "hi"], &["hi", "hi"]), 1, "said twice, missed once");
        assert_eq!(overlap(&["a", "b"], &["c", "d"]), 0, "too much was missed");
        assert_eq!(overlap(&["a", "b"], &["a", "b"]), 2);
    }

    fn line(text: &str) -> Line {
        Line::new(text.to_owned())
    }

    fn texts(shown: Shown) -> Vec<String> {
        let (Shown::Lines(lines) | Shown::Missed(lines)) = shown;
        lines.into_iter().map(|line| line.text).collect()
    }

    fn told(backlog: &mut Backlog, lines: &[&str]) -> Vec<String> {
        lines
            .iter()
            .flat_map(|text| texts(backlog.take(line(text), |own| own.starts_with("<me>"))))
            .collect()
    }

    #[test]
    fn only_what_was_missed_is_shown() {
        let mut backlog = Backlog::default();
        told(&mut backlog, &["<a> one", "<me> mine", "<b> two"]);
        backlog.come_back("math".to_owned());
        let lines = [
            "*** You are in lobby, alone.",
            "*** The last 1 line of lobby (times are +00:00):",
            "(12:00) <z> not ours",
            "*** End of the past.",
            "*** The last 5 lines of math (times are +00:00):",
            "(12:00) <a> one",
            "(12:00) <b> two",
            "(12:00) <me> mine",
            "(12:01) <a> two",
            "(12:01) * b waves",
            "*** End of the past.",
            "<a> live",
        ];
        let expected =
            ["*** You are in lobby, alone.", "(12:01) <a> two", "(12:01) * b waves", "<a> live"];
        assert_eq!(told(&mut backlog, &lines), expected);
        assert!(backlog.coming_back.is_none());
    }

    #[test]
    fn a_past_that_is_asked_for_is_shown_whole() {
        let mut backlog = Backlog::default();
        let lines = [
            "<a> one",
            "*** The last 1 line of lobby (times are +00:00):",
            "(12:00) <a> one",
            "*** End of the past.",
        ];
        assert_eq!(told(&mut backlog, &lines), lines);
    }

    #[test]
    fn a_past_without_an_end_is_not_held_for_ever() {
        let mut backlog = Backlog::default();
        backlog.come_back("lobby".to_owned());
        let lines =
            ["*** The last 9 lines of lobby (times are +00:00):", "(12:00) <a> one", "<a> live"];
        assert_eq!(told(&mut backlog, &lines), ["(12:00) <a> one", "<a> live"]);
    }
}
