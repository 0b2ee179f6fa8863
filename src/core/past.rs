//! A room's memory: its last lines, each with its time. Bounded; no database. Knows no clock: times are told to it.

use jiff::{Timestamp, tz::TimeZone};
use std::{collections::VecDeque, fmt::Write as _};

/// Lines kept for each room. With the longest lines in the most rooms that is
/// 300 × 1.1 KiB × 100 rooms = 32 MiB; with lines as people type them, under 2 MiB.
pub const PAST_MAX: usize = 300;

/// The last lines of one room.
#[derive(Default)]
pub struct Past {
    lines: VecDeque<(Timestamp, String)>,
}

impl Past {
    /// Remembers whole lines, said at `now`.
    pub fn remember(&mut self, now: Timestamp, text: &str, lines: usize) {
        for line in text.split_inclusive('\n').skip(lines.saturating_sub(PAST_MAX)) {
            // The oldest line's memory serves for the newest: no allocation once the room has its past.
            let mut kept =
                if self.lines.len() == PAST_MAX { self.lines.pop_front().unwrap_or_default().1 } else { String::new() };
            kept.clear();
            kept.push_str(line);
            self.lines.push_back((now, kept));
        }
    }

    /// Tells the last `count` lines as server lines mark them: past, and with their times in `zone`. Those said by one
    /// of the `hidden` names are left out.
    pub fn tell(&self, room: &str, count: usize, now: Timestamp, zone: &TimeZone, hidden: &[&str]) -> String {
        let is_shown = |(_, line): &&(Timestamp, String)| !hidden.iter().any(|name| is_said_by(line, name));
        let mut lines: Vec<&(Timestamp, String)> = self.lines.iter().rev().filter(is_shown).take(count).collect();
        lines.reverse();
        let count = lines.len();
        if count == 0 {
            return String::new();
        }
        let today = zone.to_datetime(now).date();
        let noun = if count == 1 { "line" } else { "lines" };
        let offset = now.to_zoned(zone.clone()).strftime("%:z");
        let mut text = format!("*** The last {count} {noun} of {room} (times are {offset}):\n");
        for (said, line) in lines {
            let said = zone.to_datetime(*said);
            let time = if said.date() == today { said.strftime("%H:%M") } else { said.strftime("%Y-%m-%d %H:%M") };
            let _ = write!(text, "({time}) {line}");
        }
        text.push_str("*** End of the past.\n");
        text
    }
}

/// `<alice> hi` and `* alice waves` are alice's.
fn is_said_by(line: &str, name: &str) -> bool {
    let after = |lead| line.strip_prefix(lead).and_then(|rest: &str| rest.strip_prefix(name));
    after("<").is_some_and(|rest| rest.starts_with("> ")) || after("* ").is_some_and(|rest| rest.starts_with(' '))
}

/// The `[12:30] ` in front of live lines.
pub fn stamp(now: Timestamp, zone: &TimeZone) -> String {
    format!("[{}] ", zone.to_datetime(now).strftime("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut past = Past::default();
        let text: String = (0..PAST_MAX + 50).map(|i| format!("<a> {i}\n")).collect();
        past.remember(Timestamp::UNIX_EPOCH, &text, PAST_MAX + 50);
        past.remember(Timestamp::UNIX_EPOCH, "<a> last\n", 1);
        let told = past.tell("lobby", usize::MAX, Timestamp::UNIX_EPOCH, &TimeZone::UTC, &[]);
        assert!(
            told.starts_with(&format!("*** The last {PAST_MAX} lines of lobby (times are +00:00):\n(00:00) <a> 51\n"))
        );
        assert!(told.ends_with("<a> 349\n(00:00) <a> last\n*** End of the past.\n"));
    }

    #[test]
    fn yesterday_has_its_date() {
        let mut past = Past::default();
        past.remember("2026-11-20T11:30:00Z".parse().unwrap(), "<a> then\n", 1);
        past.remember("2026-11-21T11:30:00Z".parse().unwrap(), "<a> now\n<b> no\n* b waves\n", 3);
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let told = past.tell("lobby", 2, "2026-11-21T12:00:00Z".parse().unwrap(), &zone, &["b"]);
        assert_eq!(
            told,
            "*** The last 2 lines of lobby (times are +01:00):\n(2026-11-20 12:30) <a> then\n(12:30) <a> now\n*** End of the past.\n"
        );
    }
}
