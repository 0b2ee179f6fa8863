//! Past lines that a client asked for: which lines, in what order, and how they look.
//!
//! The rooms begin a [`HistoryReply`] with the lines they have in memory, at a definite place in
//! the one order. If that is not enough it carries a [`Query`]; the client's thread takes that to
//! the store, which delays nobody else, and shows both together.

use super::{
    notice::notice,
    record::{COUNTED_MAX, Found, HistoryLine, LineId, Query, REMEMBERED_MAX},
    sentences,
};
use jiff::{Timestamp, tz::TimeZone};
use std::fmt::Write as _;

/// The most private lines remembered for each client: 100 × 1.1 KiB × 512 clients = 56 MiB at most.
pub(crate) const PRIVATE_MAX: usize = 100;
const _: () = assert!(PRIVATE_MAX * REMEMBERED_MAX * 512 <= 56 * 1024 * 1024);

/// What is missing among past lines, in sentences that stand in front of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gap {
    /// What is known to be missing.
    pub(crate) known: String,
    /// What is said if a line was found that is too old to be told.
    pub(crate) if_too_old: String,
}

/// Past lines that are about to be shown.
#[derive(Clone, Debug)]
pub struct HistoryReply {
    /// What they are; `{}` stands for their number: `The last {} of lobby`; and `{were}` is one word
    /// for one line, and another for several.
    pub(crate) heading: String,
    /// What they are if more lines were asked for than are shown, if that has to be said: `{all}`
    /// stands for their number.
    pub(crate) heading_of_part: Option<String>,
    /// What is shown if there are none.
    pub(crate) if_none: String,
    /// What is known already, oldest first.
    pub(crate) lines: Vec<HistoryLine>,
    /// What to ask the store for.
    pub(crate) query: Option<Query>,
    /// At most this many lines are shown, the newest.
    pub(crate) most: usize,
    /// What was said before this time is too old to be shown.
    pub(crate) told_from: Option<Timestamp>,
    /// Lines that were removed. The store may have them still, in an outage.
    pub(crate) removed: Vec<LineId>,
    /// Names whose lines the reader hides.
    pub(crate) hidden: Vec<String>,
    /// Lines that the store has besides, and that are not shown.
    pub(crate) left_out: usize,
    /// What is missing.
    pub(crate) gap: Gap,
    /// They are the reader's mail, which they may then delete.
    pub(crate) is_mail: bool,
    /// When the client asked.
    pub(crate) now: Timestamp,
    /// The zone of the times shown.
    pub(crate) zone: TimeZone,
    /// Shown behind the lines, to a program.
    pub(crate) notes: String,
}

impl HistoryReply {
    /// Takes what the store has to be asked for. `add` takes the answer.
    pub fn take_query(&mut self) -> Option<Query> {
        self.query.take()
    }

    /// Asks for what is missing. Returns lines to be shown before the others.
    pub(crate) fn look_up(&mut self, mut find: impl FnMut(Query) -> Found) -> String {
        let mut text = String::new();
        while let Some(query) = self.query.take() {
            let found = find(query.clone());
            if let (Query::Since { room, account, after, before, most }, Found::Lines(lines)) =
                (query, &found)
                && lines.len() >= most
            {
                self.query = Some(Query::CountSince { room, account, after, before });
            }
            text.push_str(&self.add(found).unwrap_or_default());
        }
        text
    }

    /// Adds what the store had. If it could not answer, returns a line that says so, to be shown
    /// before the others.
    pub(crate) fn add(&mut self, found: Found) -> Option<String> {
        match found {
            Found::Count(count) => {
                self.left_out = count.saturating_sub(self.most);
                None
            }
            Found::Lines(older) => {
                self.lines = merge(older.iter(), self.lines.iter());
                self.lines.retain(|line| !self.removed.contains(&line.id));
                None
            }
            Found::Partly { lines, why } => {
                self.add(Found::Lines(lines));
                self.add(Found::Unavailable(why))
            }
            Found::Unavailable(why) => {
                self.if_none.clear(); // it is not known whether there are none
                Some(notice(format_args!("Older lines cannot be read now: {why}")))
            }
            Found::Password(_) | Found::Author(_) => None,
        }
    }

    /// The numbers of the lines, if they are mail.
    pub(crate) fn mail(&self) -> Vec<LineId> {
        let lines: &[HistoryLine] = if self.is_mail { &self.lines } else { &[] };
        lines.iter().map(|line| line.id).collect()
    }

    /// The lines as they are shown: counted in a heading, marked as past, with their times. The
    /// notes come behind.
    pub fn show(&self) -> String {
        self.show_lines() + &self.notes
    }

    fn show_lines(&self) -> String {
        let is_told = |line: &&HistoryLine| self.told_from.is_none_or(|from| line.at >= from);
        let is_shown =
            |line: &&HistoryLine| !self.hidden.iter().any(|name| is_said_by(&line.text, name));
        let told = self.lines.iter().rev().filter(is_told);
        let shown = told.clone().filter(is_shown);
        let all = shown.clone().count() + self.left_out;
        let mut lines: Vec<&HistoryLine> = shown.take(self.most).collect();
        lines.reverse();
        let mut text = self.gap.known.clone();
        if !self.lines.iter().all(|line| is_told(&line)) {
            text.push_str(&self.gap.if_too_old);
        }
        if lines.is_empty() {
            return match told.count() == 0 {
                true if text.is_empty() => self.if_none.clone(),
                true => {
                    text + &self.if_none.replacen("Nothing was said", "Nothing else was said", 1)
                }
                false => text + &notice("All of that was said by people whom you ignore."),
            };
        }
        let today = self.zone.to_datetime(self.now).date();
        let (noun, were) = if lines.len() == 1 { ("line", "was") } else { ("lines", "were") };
        let offset = self.now.to_zoned(self.zone.clone()).strftime("%:z");
        let heading = match &self.heading_of_part {
            Some(heading) if all > lines.len() => {
                let or_more = self.left_out + self.most >= COUNTED_MAX;
                let all = format!("{all}{}", if or_more { " or more" } else { "" });
                heading.replacen("{all}", &all, 1)
            }
            _ => self.heading.replacen("{were}", were, 1),
        };
        let heading = heading.replacen("{}", &format!("{} {noun}", lines.len()), 1);
        text.push_str(&notice(sentences::backlog_heading(&heading, &offset.to_string())));
        // Most lines are of the same minute as the one before.
        let mut said_at = (None, String::new());
        for HistoryLine { at, text: line, .. } in lines {
            let minute = Some(at.as_second().div_euclid(60));
            if said_at.0 != minute {
                let said = self.zone.to_datetime(*at);
                let form = if said.date() == today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
                said_at = (minute, said.strftime(form).to_string());
            }
            let _ = write!(text, "({}) {line}", said_at.1);
        }
        text.push_str(&notice(sentences::END_OF_PAST));
        text
    }
}

/// Merges two lists of lines by their numbers. A line in both comes once.
pub(crate) fn merge<'a>(
    one: impl Iterator<Item = &'a HistoryLine>,
    other: impl Iterator<Item = &'a HistoryLine>,
) -> Vec<HistoryLine> {
    let mut lines: Vec<HistoryLine> = one.chain(other).cloned().collect();
    lines.sort_by_key(|line| line.id);
    lines.dedup_by_key(|line| line.id);
    lines
}

/// The name of whoever said a line in a room, and the words: of alice, for `<alice> hi`, `<@alice>
/// hi`, `* alice waves` and `*** Announcement by alice: …`.
pub(crate) fn author_and_words(line: &str) -> Option<(&str, &str)> {
    let forms = [("<", "> "), ("* ", " "), ("*** Announcement by ", ": ")];
    forms.iter().find_map(|(before, after)| {
        let (name, words) = line.strip_prefix(before)?.split_once(after)?;
        Some((sentences::without_mark(name), words))
    })
}

/// `<alice> hi`, `* alice waves` and `[from alice] psst` are alice's, and `<@alice> hi` is.
fn is_said_by(line: &str, name: &str) -> bool {
    let says = |before: &str, after: &str| {
        line.strip_prefix(before)
            .map(|rest| rest.strip_prefix(sentences::ADMIN_MARK).unwrap_or(rest))
            .and_then(|rest| rest.strip_prefix(name))
            .map(|rest| rest.strip_prefix(sentences::UNCHECKED_MARK).unwrap_or(rest))
            .is_some_and(|rest| rest.starts_with(after))
    };
    says("<", "> ") || says("* ", " ") || says("[from ", "] ") || says("[question from ", "] ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: i64, at: &str, text: &str) -> HistoryLine {
        HistoryLine { id: LineId(id), at: at.parse().unwrap(), text: text.to_owned() }
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
            line(7, "2026-11-21T11:30:00Z", "<@b> no\n"),
            line(8, "2026-11-21T11:30:00Z", "* @b waves\n"),
            line(9, "2026-11-21T11:30:00Z", "[from @b] psst\n"),
        ];
        let reply = HistoryReply {
            heading: "The last {} of lobby".to_owned(),
            if_none: "nothing".to_owned(),
            lines,
            query: None,
            most: 2,
            told_from: None,
            removed: Vec::new(),
            hidden: vec!["b".to_owned()],
            heading_of_part: None,
            left_out: 0,
            gap: Gap::default(),
            is_mail: false,
            now: "2026-11-21T12:00:00Z".parse().unwrap(),
            zone: TimeZone::fixed(jiff::tz::offset(1)),
            notes: String::new(),
        };
        assert_eq!(
            reply.show(),
            "*** The last 2 lines of lobby (times are +01:00):\n(2026-11-20 12:30) <a> then\n(12:30) <a> now\n*** End of the history.\n"
        );
        assert_eq!(HistoryReply { lines: Vec::new(), ..reply }.show(), "nothing");
    }

    #[test]
    fn what_is_too_old_is_not_shown_wherever_it_is_from() {
        let mut reply = HistoryReply {
            heading: "The last {} of lobby".to_owned(),
            if_none: "nothing".to_owned(),
            lines: vec![line(3, "2026-11-20T12:00:00Z", "<a> remembered\n")],
            query: None,
            most: 9,
            told_from: Some("2026-11-19T12:00:00Z".parse().unwrap()),
            removed: Vec::new(),
            hidden: Vec::new(),
            heading_of_part: None,
            left_out: 0,
            gap: Gap::default(),
            is_mail: false,
            now: "2026-11-20T12:00:00Z".parse().unwrap(),
            zone: TimeZone::UTC,
            notes: String::new(),
        };
        let of_the_store = vec![
            line(1, "2026-11-19T11:59:59Z", "<a> too old\n"),
            line(2, "2026-11-19T12:00:00Z", "<a> not yet\n"),
        ];
        assert_eq!(reply.add(Found::Lines(of_the_store)), None);
        assert_eq!(
            reply.show(),
            "*** The last 2 lines of lobby (times are +00:00):\n(2026-11-19 12:00) <a> not yet\n(12:00) <a> remembered\n*** End of the history.\n"
        );
        reply.told_from = Some("2026-11-20T12:00:01Z".parse().unwrap());
        reply.hidden = vec!["a".to_owned()];
        assert_eq!(reply.show(), "nothing");
    }
}
