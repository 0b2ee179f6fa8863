//! What was said before: the backlog at joining, `/history`, `/search`. Part of [`Rooms`].
//!
//! The rooms remember the last lines themselves, and tell them at a definite place in the one order: so past and present
//! meet without a gap or a repeat. What is older is on disk; then the answer carries a question to the memory along.

use super::{
    command::PastWanted,
    event::Answer,
    past::Past,
    recall::{Recall, merge},
    record::{LineId, PastLine, Query},
    rooms::{Room, Rooms},
};
use jiff::{Timestamp, ToSpan as _};

/// Past lines told at once: at 1.1 KiB each, 1.1 MiB that its own reader alone waits for.
const RECALL_MAX: usize = 1_000;
/// Lines found by `/search`.
const SEARCH_MAX: usize = 50;

impl<H: Clone> Rooms<H> {
    /// What a newcomer is told of its room's past, if there is any.
    pub(super) fn backlog(&self, asker: usize) -> Option<Box<Recall>> {
        let most = self.config.backlog_lines;
        let room = &self.rooms[self.members[asker].room];
        let is_all_silence = room.is_whole && room.past.lines().next().is_none();
        if most == 0 || is_all_silence {
            return None;
        }
        let mut recall =
            Recall { if_none: String::new(), ..self.recall(asker, most, last(&room.past, most)) };
        let is_enough = recall.lines.len() >= most || (room.is_whole && !room.past.is_full());
        if self.config.keeps_talk && !is_enough {
            let (room, before) = (room.name.clone(), self.first_remembered(room));
            recall.query = Some(Query::Older { room, account: None, before, since: None, most });
        }
        Some(Box::new(recall))
    }

    /// `/history`: the room's lines, and among them what the asker wrote and was told in private.
    pub(super) fn history(&self, asker: usize, wanted: PastWanted) -> Answer {
        let (most, since) = match wanted {
            PastWanted::Usual => (self.config.backlog_lines, None),
            PastWanted::Last(n) => (n.min(RECALL_MAX), None),
            PastWanted::Since(date, time) => (RECALL_MAX, Some(self.last_time_of(date, time))),
        };
        let room = &self.rooms[self.members[asker].room];
        let mut lines = merge(room.past.lines(), self.members[asker].private.lines());
        lines.retain(|line| since.is_none_or(|since| line.at >= since));
        let mut recall = self.recall(asker, most, lines);
        recall.query = self.older(asker, &recall, since);
        Answer { recall: Some(Box::new(recall)), ..Answer::default() }
    }

    /// Lines of the asker's room that are about to be told to it.
    fn recall(&self, asker: usize, most: usize, lines: Vec<PastLine>) -> Recall {
        let room = &self.rooms[self.members[asker].room].name;
        let ignored = &self.members[asker].ignored;
        let names = ignored.iter().flat_map(|ignored| [&ignored.name, self.name_now(ignored)]);
        Recall {
            heading: format!("The last {{}} of {room}"),
            if_none: format!("*** Nothing was said in {room} yet.\n"),
            lines,
            query: None,
            most,
            hidden: names.map(|name| name.shown().to_owned()).collect(),
            is_mail: false,
            now: self.now,
            zone: self.config.zone.clone(),
        }
    }

    /// What to ask the memory for, if what the rooms remember themselves is not enough.
    fn older(&self, asker: usize, recall: &Recall, since: Option<Timestamp>) -> Option<Query> {
        let member = &self.members[asker];
        let room = &self.rooms[member.room];
        let is_enough = recall.lines.len() >= recall.most
            || (room.is_whole && !room.past.is_full() && !member.private.is_full());
        if !self.config.keeps_talk || is_enough {
            return None;
        }
        // From here on both are complete; what is found twice is told once.
        let first_private = member.private.lines().next().map(|line| line.id);
        let before = self.first_remembered(room).max(first_private.unwrap_or_default());
        Some(Query::Older {
            room: room.name.clone(),
            account: member.account,
            before,
            since,
            most: recall.most,
        })
    }

    /// The number of the first line from which on a room remembers all that it was told. A room that came back after it
    /// made way remembers nothing: then, of the first that nobody was told yet.
    fn first_remembered(&self, room: &Room) -> LineId {
        room.past.lines().next().map_or_else(|| self.next_to_be_told(), |line| line.id)
    }

    /// When it was last that time of that day.
    fn last_time_of(&self, date: Option<jiff::civil::Date>, time: jiff::civil::Time) -> Timestamp {
        let zone = &self.config.zone;
        let today = zone.to_datetime(self.now).date();
        let moment =
            |date: jiff::civil::Date| zone.to_timestamp(date.to_datetime(time)).unwrap_or(self.now);
        match date {
            Some(date) => moment(date),
            None if moment(today) > self.now => moment(today.saturating_sub(1.day())),
            None => moment(today),
        }
    }

    /// `/search`: on disk if talk is kept there, otherwise in what the rooms remember.
    pub(super) fn search(&self, asker: usize, words: String) -> Answer {
        let member = &self.members[asker];
        let room = &self.rooms[member.room];
        let mut recall = self.recall(asker, SEARCH_MAX, Vec::new());
        recall.heading = format!("The newest {{}} of {} with {words}", room.name);
        recall.if_none =
            format!("*** Nothing with {words} was said in {} or to you alone.\n", room.name);
        if self.config.keeps_talk {
            recall.query = Some(Query::Search {
                room: room.name.clone(),
                account: member.account,
                words,
                most: SEARCH_MAX,
            });
        } else {
            recall.lines = merge(room.past.lines(), member.private.lines());
            recall.lines.retain(|line| has_words(&line.text, &words));
        }
        Answer { recall: Some(Box::new(recall)), ..Answer::default() }
    }
}

/// The last lines of a past.
fn last(past: &Past, most: usize) -> Vec<PastLine> {
    let mut lines: Vec<PastLine> = past.lines().rev().take(most).cloned().collect();
    lines.reverse();
    lines
}

/// Whether a line has all these words, in whatever case; `wor*` is the beginning of one.
fn has_words(line: &str, words: &str) -> bool {
    let line = line.to_lowercase();
    let of_line: Vec<&str> = line.split(|c: char| !c.is_alphanumeric()).collect();
    words.to_lowercase().split_whitespace().all(|word| match word.strip_suffix('*') {
        Some(beginning) => of_line.iter().any(|of_line| of_line.starts_with(beginning)),
        None => of_line.contains(&word),
    })
}
