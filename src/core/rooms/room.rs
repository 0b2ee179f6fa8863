//! One room: who is in it, what was said there, and who reads a line that is said.

use super::{
    ClientKey, RoomKey,
    member::{Member, Preference},
    members::Members,
    output::Output,
    pending::Pending,
    quiz::Quiz,
    scrollback::Scrollback,
};
use crate::core::{
    event::Talk,
    history_reply::merge,
    name::Name,
    record::{Author, Change, HistoryLine, LineId, REMEMBERED_MAX, RoomSnapshot, Settings},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Lines remembered of each room. With the longest lines in the most rooms that is 300 × 1.1 KiB ×
/// 100 rooms = 33 MiB; with lines as people type them, under 2 MiB.
pub(crate) const SCROLLBACK_MAX: usize = 300;
const _: () = assert!(SCROLLBACK_MAX * REMEMBERED_MAX * 100 <= 33 * 1024 * 1024);

/// Removed lines that are remembered of each room, for as long as the file has them still: as many
/// as can be removed at once.
const REMOVED_MAX: usize = SCROLLBACK_MAX;

/// The setting that says what a room talks about.
pub(crate) const TOPIC: &str = "topic";
/// The setting of a room that is paused, whatever its text.
pub(crate) const PAUSED: &str = "paused";

#[derive(Serialize, Deserialize)]
pub(crate) struct Room {
    key: RoomKey,
    name: String,
    /// They are kept in the history, and read from there at the start.
    settings: Settings,
    members: Vec<ClientKey>,
    /// Members who do not want every line as it is: `/timestamps`, `/quiet`, `/ignore`.
    filtered: Vec<ClientKey>,
    scrollback: Scrollback,
    /// Lines that an administrator took out, perhaps not out of the file yet.
    removed: Vec<LineId>,
    /// Whether the scrollback, until it is full, has everything that was ever said here.
    is_whole: bool,
    /// When the last member left.
    emptied: Timestamp,
    /// What the class is asked.
    quiz: Option<Box<Quiz>>,
}

/// Lines for a room.
pub(crate) struct Lines<'a> {
    pub(crate) text: &'a str,
    pub(crate) count: usize,
    /// Who caused them. Members who ignore the author do not read them. `None`: the server.
    pub(crate) author: Option<ClientKey>,
    /// The author reads these lines too, if the author is in the room.
    pub(crate) to_author: bool,
    /// They say who comes and goes. Members with `/quiet` do not read them.
    is_presence: bool,
}

impl<'a> Lines<'a> {
    /// A line of the server's, which no preference hides.
    pub(crate) fn of_server(text: &'a str) -> Lines<'a> {
        Lines { text, count: 1, author: None, to_author: false, is_presence: false }
    }

    /// What `author` did. They do not read it themselves.
    pub(crate) fn of_author(text: &'a str, author: ClientKey) -> Lines<'a> {
        Lines { author: Some(author), ..Lines::of_server(text) }
    }

    /// `author` comes or goes.
    pub(crate) fn of_presence(text: &'a str, author: ClientKey) -> Lines<'a> {
        Lines { is_presence: true, ..Lines::of_author(text, author) }
    }
}

impl Room {
    /// An empty room. `is_whole`: nothing was ever said in it.
    pub(super) fn new(
        key: RoomKey,
        name: &Name,
        settings: Settings,
        is_whole: bool,
        now: Timestamp,
    ) -> Room {
        Room {
            key,
            name: name.shown().to_owned(),
            settings,
            members: Vec::new(),
            filtered: Vec::new(),
            scrollback: Scrollback::new(SCROLLBACK_MAX, Vec::new()),
            removed: Vec::new(),
            is_whole,
            emptied: now,
            quiz: None,
        }
    }

    pub(super) fn restore(&mut self, snapshot: RoomSnapshot) {
        self.settings = snapshot.settings;
        self.scrollback = Scrollback::new(SCROLLBACK_MAX, snapshot.lines);
        self.is_whole = true;
    }

    pub(super) fn restore_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    // --- Who is here ---

    /// Everybody in it, in the order in which they came.
    pub(crate) fn members(&self) -> &[ClientKey] {
        &self.members
    }

    /// The members with a raised hand, in the order in which they raised it.
    pub(crate) fn raised_hands(&self, members: &Members) -> Vec<ClientKey> {
        let is_up = |&member: &ClientKey| members[member].hand().is_some();
        let mut raised: Vec<ClientKey> = self.members.iter().copied().filter(is_up).collect();
        raised.sort_by_key(|&member| (members[member].hand(), members[member].client()));
        raised
    }

    /// When the last member left, if the room is empty and may be replaced by another room.
    pub(super) fn spare_since(&self) -> Option<Timestamp> {
        self.members.is_empty().then_some(self.emptied)
    }

    pub(super) fn add(&mut self, client: ClientKey, member: &Member) {
        self.members.push(client);
        self.set_filtered(client, member);
    }

    /// Removes a member. Returns whether an answer of theirs to an open question is gone.
    pub(super) fn remove(&mut self, client: ClientKey, now: Timestamp) -> bool {
        self.members.retain(|&other| other != client);
        self.filtered.retain(|&other| other != client);
        self.emptied = now;
        self.quiz.as_mut().is_some_and(|quiz| quiz.forget(client))
    }

    /// Notes whether `client`, who is here, wants every line as it is.
    pub(super) fn set_filtered(&mut self, client: ClientKey, member: &Member) {
        self.filtered.retain(|&other| other != client);
        if member.is_filtered() {
            self.filtered.push(client);
        }
    }

    // --- Settings ---

    /// The text of a setting, and who set it.
    pub(crate) fn setting(&self, name: &str) -> Option<&(String, Author)> {
        self.settings.get(name)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn has_settings(&self) -> bool {
        !self.settings.is_empty()
    }

    /// Sets or clears a setting, and records that.
    pub(super) fn set_setting(
        &mut self,
        name: &'static str,
        value: Option<(String, Author)>,
        now: Timestamp,
        pending: &mut Pending,
    ) {
        match &value {
            Some(value) => self.settings.insert(name.to_owned(), value.clone()),
            None => self.settings.remove(name),
        };
        if pending.keeps_talk() {
            let room = self.name.clone();
            pending.record(now, Change::RoomSetting { room, setting: name, value });
        }
    }

    /// Whether only administrators speak here, and whoever they give the floor.
    pub(crate) fn is_paused(&self) -> bool {
        self.settings.contains_key(PAUSED)
    }

    /// What the class is asked here.
    pub(crate) fn quiz(&self) -> Option<&Quiz> {
        self.quiz.as_deref()
    }

    pub(crate) fn quiz_mut(&mut self) -> Option<&mut Quiz> {
        self.quiz.as_deref_mut()
    }

    /// Opens a question, or closes it.
    pub(crate) fn set_quiz(&mut self, quiz: Option<Quiz>) {
        self.quiz = quiz.map(Box::new);
    }

    // --- What was said ---

    pub(crate) fn scrollback(&self) -> &Scrollback {
        &self.scrollback
    }

    /// Whether the scrollback has everything that was ever said here.
    pub(crate) fn remembers_all(&self) -> bool {
        self.is_whole && !self.scrollback.is_full()
    }

    /// Forgets the lines up to this number.
    pub(super) fn forget(&mut self, last: LineId) {
        if self.scrollback.forget(last) {
            self.doubt(); // a younger one among them is in the store
        }
    }

    /// Remembers lines that the store has, too. See [`Rooms::remember_older`](super::Rooms::remember_older).
    pub(super) fn remember_older(&mut self, lines: &[HistoryLine], is_all: bool) {
        let is_there = |line: &&HistoryLine| !self.removed.contains(&line.id);
        let lines = merge(lines.iter().filter(is_there), self.scrollback.lines());
        self.scrollback = Scrollback::new(SCROLLBACK_MAX, lines);
        self.is_whole |= is_all;
    }

    /// Takes lines out of the past, and records that.
    pub(super) fn remove_lines(
        &mut self,
        lines: Vec<LineId>,
        now: Timestamp,
        pending: &mut Pending,
    ) {
        if self.scrollback.is_full() {
            self.doubt(); // there are older lines, though it is not full any more
        }
        self.scrollback.remove(&lines);
        self.removed.extend(&lines);
        self.removed.drain(..self.removed.len().saturating_sub(REMOVED_MAX));
        if pending.keeps_talk() {
            pending.record(now, Change::LinesRemoved(lines));
        }
    }

    /// The lines that were removed last.
    pub(crate) fn removed(&self) -> &[LineId] {
        &self.removed
    }

    /// Assumes that the store has more than the scrollback.
    pub(super) fn doubt(&mut self) {
        self.is_whole = false;
    }

    // --- Saying something ---

    /// Records what `author` says, shows it to everybody here with this batch, and remembers it.
    /// `Rooms::say` has looked whether they may. With the author comes the name under which the
    /// lines show them, if it is another.
    pub(super) fn say(
        &mut self,
        talk: Talk,
        (author, label): (ClientKey, Option<String>),
        now: Timestamp,
        members: &Members,
        pending: &mut Pending,
        output: &mut Output,
    ) {
        let Some(member) = members.get(author) else { return };
        let to_author = member.has(Preference::Echo);
        let lines = Lines {
            text: &talk.text,
            count: talk.lines,
            author: Some(author),
            to_author,
            is_presence: false,
        };
        self.tell(&lines, members, output);
        if talk.is_forgotten {
            return;
        }
        output.note_talk(self.key);
        let id = pending.line_ids(talk.lines);
        self.scrollback.remember(id, now, &talk.text, talk.lines);
        if pending.keeps_talk() {
            let (room, author) = (self.name.clone(), member.author());
            let author = Author { name: label.unwrap_or(author.name), ..author };
            pending.record(now, Change::RoomMessage { id, room, author, text: talk.text });
        }
    }

    /// Shows an announcement to everybody here. It is remembered and recorded as said here.
    pub(super) fn announce(
        &mut self,
        author: &Author,
        line: &str,
        now: Timestamp,
        members: &Members,
        pending: &mut Pending,
        output: &mut Output,
    ) {
        self.tell(&Lines::of_server(line), members, output);
        if !self.members.is_empty() {
            output.note_talk(self.key);
        }
        let id = pending.line_ids(1);
        self.scrollback.remember(id, now, line, 1);
        if pending.keeps_talk() {
            let (room, author) = (self.name.clone(), author.clone());
            let change = Change::RoomMessage { id, room, author, text: line.to_owned() };
            pending.record(now, change);
        }
    }

    /// Shows lines to everybody here: appends them, once, to the room's stream of this batch, which
    /// nearly all read whole. Only the author, who skips them, and those who filter are dealt with
    /// one by one. (`output.rs` has a picture.)
    pub(super) fn tell(&self, lines: &Lines<'_>, members: &Members, output: &mut Output) {
        if self.members.is_empty() {
            return;
        }
        let span = output.append(self.key, lines.text, lines.count);
        let is_here = |client: ClientKey| members[client].room() == Some(self.key);
        if let Some(author) = lines.author
            && !lines.to_author
            && members.contains(author)
            && is_here(author)
        {
            output.skip(author, self.key, span);
        }
        for &reader in &self.filtered {
            if lines.author == Some(reader) && !lines.to_author {
                continue;
            }
            let member = &members[reader];
            let is_hidden = (lines.is_presence && member.has(Preference::Quiet))
                || lines.author.is_some_and(|author| members.ignores(reader, author));
            if is_hidden {
                output.skip(reader, self.key, span);
            } else if member.has(Preference::Timestamps) {
                let mut place = span.0;
                for line in lines.text.split_inclusive('\n') {
                    output.stamp(reader, self.key, place);
                    place = place.after(line);
                }
            }
        }
    }
}
