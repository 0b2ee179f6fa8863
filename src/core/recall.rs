//! Telling what was said before: which lines, in what order, and how they look.
//!
//! The rooms begin a [`Recall`] with the lines they have in memory, at a definite place in the one order. If that is not
//! enough it carries a [`Query`]; the session takes that to the memory, on its own time, and then tells both together.

use super::record::{Found, PastLine, Query};
use jiff::{Timestamp, tz::TimeZone};
use std::fmt::Write as _;

/// Past lines that are about to be told.
#[derive(Debug)]
pub struct Recall {
    /// What they are; `{}` stands for how many: `The last {} of lobby`.
    pub heading: String,
    /// What is said if there are none.
    pub if_none: String,
    /// What is known already, oldest first.
    pub lines: Vec<PastLine>,
    /// What else to look for, before these.
    pub query: Option<Query>,
    /// How many lines to tell at most.
    pub most: usize,
    /// Names whose lines the reader hides.
    pub hidden: Vec<String>,
    /// Whether they are the reader's mail, which it may then strike out.
    pub is_mail: bool,
    /// When it was asked.
    pub now: Timestamp,
    /// The zone of the times told.
    pub zone: TimeZone,
}

impl Recall {
    /// Adds what the memory had. A memory that cannot be asked is told before the lines.
    pub fn add(&mut self, found: Found) -> Option<String> {
        match found {
            Found::Lines(older) => {
                self.lines = merge(older.iter(), self.lines.iter());
                None
            }
            Found::Unavailable(why) => Some(format!("*** Older lines cannot be read now: {why}\n")),
            Found::Password(_) => None,
        }
    }

    /// The lines as they are told: numbered in a heading, marked as past, with their times.
    pub fn tell(&self) -> String {
        let is_shown =
            |line: &&PastLine| !self.hidden.iter().any(|name| is_said_by(&line.text, name));
        let mut lines: Vec<&PastLine> =
            self.lines.iter().rev().filter(is_shown).take(self.most).collect();
        lines.reverse();
        if lines.is_empty() {
            return self.if_none.clone();
        }
        let today = self.zone.to_datetime(self.now).date();
        let noun = if lines.len() == 1 { "line" } else { "lines" };
        let offset = self.now.to_zoned(self.zone.clone()).strftime("%:z");
        let heading = self.heading.replacen("{}", &format!("{} {noun}", lines.len()), 1);
        let mut text = format!("*** {heading} (times are {offset}):\n");
        let mut said_at = (None, String::new()); // most lines are of the same minute as the one before
        for PastLine { at, text: line, .. } in lines {
            let minute = Some(at.as_second().div_euclid(60));
            if said_at.0 != minute {
                let said = self.zone.to_datetime(*at);
                let form = if said.date() == today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
                said_at = (minute, said.strftime(form).to_string());
            }
            let _ = write!(text, "({}) {line}", said_at.1);
        }
        text.push_str("*** End of the past.\n");
        text
    }
}

/// Two rows of lines in one, by their numbers; what is in both is there once.
pub fn merge<'a>(
    one: impl Iterator<Item = &'a PastLine>,
    other: impl Iterator<Item = &'a PastLine>,
) -> Vec<PastLine> {
    let mut lines: Vec<PastLine> = one.chain(other).cloned().collect();
    lines.sort_by_key(|line| line.id);
    lines.dedup_by_key(|line| line.id);
    lines
}

/// `<alice> hi`, `* alice waves` and `[from alice] psst` are alice's.
fn is_said_by(line: &str, name: &str) -> bool {
    let says = |before: &str, after: &str| {
        line.strip_prefix(before)
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with(after))
    };
    says("<", "> ") || says("* ", " ") || says("[from ", "] ") || says("[question from ", "] ")
}

/// The `[12:30] ` in front of live lines.
pub fn stamp(now: Timestamp, zone: &TimeZone) -> String {
    format!("[{}] ", zone.to_datetime(now).strftime("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: i64, at: &str, text: &str) -> PastLine {
        PastLine { id, at: at.parse().unwrap(), text: text.to_owned() }
    }

    #[test]
    fn yesterday_has_its_date_and_who_is_hidden_is_not_told() {
        let lines = vec![
            line(1, "2026-11-20T10:30:00Z", "<a> before\n"),
            line(2, "2026-11-20T11:30:00Z", "<a> then\n"),
            line(3, "2026-11-21T11:30:00Z", "<a> now\n"),
            line(4, "2026-11-21T11:30:00Z", "<b> no\n"),
            line(5, "2026-11-21T11:30:00Z", "* b waves\n"),
            line(6, "2026-11-21T11:30:00Z", "[from b] psst\n"),
        ];
        let recall = Recall {
            heading: "The last {} of lobby".to_owned(),
            if_none: "nothing".to_owned(),
            lines,
            query: None,
            most: 2,
            hidden: vec!["b".to_owned()],
            is_mail: false,
            now: "2026-11-21T12:00:00Z".parse().unwrap(),
            zone: TimeZone::fixed(jiff::tz::offset(1)),
        };
        assert_eq!(
            recall.tell(),
            "*** The last 2 lines of lobby (times are +01:00):\n(2026-11-20 12:30) <a> then\n(12:30) <a> now\n*** End of the past.\n"
        );
        assert_eq!(Recall { lines: Vec::new(), ..recall }.tell(), "nothing");
    }
}
