//! Nothing is shown before it is written: what happened waits here until the memory has it.
//!
//! ```text
//!   an event ─> decided: a Record, and the Deed to be done once that is written ─┐ held, in order
//!   Rooms::take_records ─> all records that have gathered ─> the memory: one transaction
//!   Rooms::written ─> their deeds are done: lines are laid out, questions are answered
//! ```
//!
//! Questions that need no record do not wait: `/who` is answered while the disk is slow. But nobody overtakes himself:
//! what a client asks behind a deed of its own waits for that. The deeds are done in the order in which the records are
//! written, which is the one order of the room. Where talk is not kept (`--db none`), it does not come by here at all.

use super::{
    event::{Answer, ClientId, Event, Talk},
    record::{Account, AccountId, LineId, Party, Record, What},
    rooms::Rooms,
};
use jiff::Timestamp;
use std::collections::VecDeque;

/// Bytes of talk that may be held: then the driver takes no more events until some are written, and so talkers wait. All
/// of it may be shown at once, and must not be more than a client that reads can take: as much as a usual high-water mark.
pub const HELD_MAX: usize = 64 * 1024;
/// What a held deed counts for beside its text.
const HELD_OVERHEAD: usize = 32;

/// What waits for being written.
pub(super) struct Held<H> {
    queue: VecDeque<Waiting<H>>,
    records: Vec<Record>,
    /// Of those that are being written, the changes of sanctions.
    sanctioning: Vec<What>,
    /// So many of the queue's first are being written, or are written and still to be done.
    taken: usize,
    /// What came of the writing of those that are to be done.
    outcome: Option<Written>,
    bytes: usize,
}

struct Waiting<H> {
    client: ClientId,
    handle: H,
    at: Timestamp,
    bytes: usize,
    then: Then,
}

enum Then {
    Do(Deed),
    /// Something that the client did behind a deed of its own.
    Apply(Event),
}

/// What is done once it is written.
pub(super) enum Deed {
    /// Lines are told to a room.
    Say { room: usize, talk: Talk, id: LineId },
    /// A line is told to these clients alone.
    Tell { to: Vec<(ClientId, String)>, from: Party, text: String, id: LineId, is_question: bool },
    /// A message waits for somebody; by one who has no account, perhaps.
    KeepMail { to: AccountId, is_guests: bool },
    /// A room has another topic.
    SetTopic { room: usize, topic: Option<(String, Party)> },
    /// Every room is told.
    Announce { line: String, rooms: Vec<(usize, LineId)> },
    /// Its client has an account.
    Register(Account),
    /// Its client has another password.
    Rehash { quietly: bool },
    /// Its client has no account any more.
    Unregister(AccountId),
    /// Mail was struck out: so much.
    DeleteMail { account: AccountId, count: usize },
}

/// Whether something was written; or why not.
pub type Written = Result<(), String>;

impl<H> Default for Held<H> {
    fn default() -> Self {
        Held {
            queue: VecDeque::new(),
            records: Vec::new(),
            sanctioning: Vec::new(),
            taken: 0,
            outcome: None,
            bytes: 0,
        }
    }
}

impl<H: Clone> Rooms<H> {
    // --- For the driver ---

    /// What is to be written now, in one go. Its outcome is told to [`Rooms::written`]; until then there is no more.
    pub fn take_records(&mut self) -> Vec<Record> {
        if self.held.taken > 0 {
            return Vec::new();
        }
        self.held.taken = self.held.queue.len();
        self.held.sanctioning = self.sanctioning().cloned().collect();
        std::mem::take(&mut self.held.records)
    }

    /// What was taken last is written, or could not be. What was to be shown is shown either way, by
    /// [`Rooms::go_on`].
    pub fn written(&mut self, outcome: Written) {
        self.held.sanctioning.clear();
        self.held.outcome = Some(outcome);
    }

    /// Does what is written, until `most` bytes are laid out: then returns `true`, and there is more to do after a
    /// [`Rooms::flush`].
    pub fn go_on(&mut self, now: Timestamp, most: usize) -> bool {
        self.now = now;
        let Some(outcome) = self.held.outcome.take() else { return false };
        while self.held.taken > 0 {
            if self.laid_out() >= most {
                self.held.outcome = Some(outcome);
                return true;
            }
            self.held.taken -= 1;
            self.do_first(&outcome);
        }
        // Who waited behind those, and needs no record.
        while matches!(self.held.queue.front(), Some(Waiting { then: Then::Apply(_), .. })) {
            self.do_first(&outcome);
        }
        false
    }

    /// Bytes that are held or laid out: when they are many, it is time to write and to flush.
    pub fn gathered(&self) -> usize {
        self.held.bytes + self.laid_out()
    }

    /// Whether so much is held that the driver should take no more events.
    pub fn holds_much(&self) -> bool {
        self.held.bytes >= HELD_MAX
    }

    /// Whether anything is held.
    pub fn holds_any(&self) -> bool {
        !self.held.queue.is_empty()
    }

    // --- For the rooms ---

    /// These are to be written, and nothing waits for it.
    pub(super) fn write_later(&mut self, records: Vec<Record>) {
        self.held.records.splice(0..0, records);
    }

    /// Whether a client has to wait behind itself.
    pub(super) fn is_held(&self, member: usize) -> bool {
        self.members[member].held > 0
    }

    /// The number of the first line that nobody was told yet.
    pub(super) fn next_to_be_told(&self) -> LineId {
        let id = |waiting: &Waiting<H>| match waiting.then {
            Then::Do(Deed::Say { id, .. } | Deed::Tell { id, .. }) => Some(id),
            _ => None,
        };
        self.held.queue.iter().find_map(id).unwrap_or(self.last_line + 1)
    }

    /// The changes of sanctions, which are made at once, that are not written yet.
    pub(super) fn sanctioning(&self) -> impl Iterator<Item = &What> {
        let is_one = |what: &&What| matches!(what, What::Sanctioned(_) | What::Lifted(..));
        self.held
            .sanctioning
            .iter()
            .chain(self.held.records.iter().map(|record| &record.what).filter(is_one))
    }

    /// Takes note of something that nobody waits for.
    pub(super) fn note(&mut self, what: What) {
        self.held.records.push(Record { at: self.now, what });
    }

    /// Holds what follows from `what` until that is written.
    pub(super) fn hold_deed(&mut self, member: usize, what: What, deed: Deed) {
        if self.is_late {
            return self.do_without_waiting(member, what, deed);
        }
        if let Deed::Say { room, .. } | Deed::SetTopic { room, .. } = deed {
            self.rooms[room].held += 1;
        }
        self.note(what);
        self.hold(member, Then::Do(deed));
    }

    /// Does it, and has it written later if that makes sense then.
    fn do_without_waiting(&mut self, member: usize, what: What, deed: Deed) {
        if what.is_done_anyway() {
            self.note(what);
        }
        let (client, handle) = (self.members[member].client, self.members[member].handle.clone());
        if let Some(answer) = self.do_deed(client, self.now, deed, &too_late()) {
            self.answer(client, &handle, answer);
        }
    }

    pub(super) fn hold_event(&mut self, member: usize, event: Event) {
        self.hold(member, Then::Apply(event));
    }

    fn hold(&mut self, member: usize, then: Then) {
        let text = if let Then::Do(Deed::Say { talk, .. }) = &then { talk.text.len() } else { 0 };
        let bytes = text + HELD_OVERHEAD;
        let member = &mut self.members[member];
        member.held += 1;
        self.held.bytes += bytes;
        let (client, handle) = (member.client, member.handle.clone());
        self.held.queue.push_back(Waiting { client, handle, at: self.now, bytes, then });
    }

    fn do_first(&mut self, outcome: &Written) {
        let Some(Waiting { client, handle, at, bytes, then }) = self.held.queue.pop_front() else {
            return;
        };
        self.held.bytes -= bytes;
        if let Some(member) = self.member_of(client) {
            self.members[member].held -= 1;
        }
        match then {
            Then::Apply(event) => self.begin(client, &handle, event),
            Then::Do(deed) => {
                if let Deed::Say { room, .. } | Deed::SetTopic { room, .. } = deed {
                    self.rooms[room].held -= 1;
                }
                if let Some(answer) = self.do_deed(client, at, deed, outcome) {
                    self.answer(client, &handle, answer);
                }
            }
        }
    }

    /// Answers a client, if it is still a member or not.
    pub(super) fn answer(&mut self, client: ClientId, handle: &H, answer: Answer) {
        match self.member_of(client) {
            Some(member) => self.tell_answer(member, answer),
            None => self.batch.answers_to_strangers.push((client, handle.clone(), answer)),
        }
    }

    /// Does what was decided when it happened, at `at`. Returns the answer, if it was a question.
    pub(super) fn do_deed(
        &mut self,
        client: ClientId,
        at: Timestamp,
        deed: Deed,
        written: &Written,
    ) -> Option<Answer> {
        match deed {
            Deed::Say { room, talk, id } => {
                self.tell_talk(room, client, &talk, id, at);
                None
            }
            Deed::Tell { to, from, text, id, is_question } => {
                Some(Answer::text(self.tell_in_private(client, to, &from, &text, id, is_question)))
            }
            Deed::KeepMail { to, is_guests } => {
                Some(Answer::text(self.mail_is_kept(to, is_guests, written)))
            }
            Deed::SetTopic { room, topic } => {
                Some(Answer::text(self.topic_is_set(client, room, topic)))
            }
            Deed::Announce { line, rooms } => {
                Some(Answer::text(self.tell_announcement(&line, rooms, at)))
            }
            Deed::Register(account) => {
                Some(Answer::text(self.is_registered(client, account, written)))
            }
            Deed::Rehash { quietly } => Some(Answer::text(password_is_changed(quietly, written))),
            Deed::Unregister(account) => Some(Answer::text(self.is_unregistered(account, written))),
            Deed::DeleteMail { account, count } => {
                Some(Answer::text(self.mail_is_deleted(account, count, written)))
            }
        }
    }
}

/// What becomes of what is promised in the last moment.
pub(super) fn too_late() -> Written {
    Err("the server stops, and the disk has not answered.".to_owned())
}

fn password_is_changed(quietly: bool, written: &Written) -> String {
    match written {
        _ if quietly => String::new(),
        Ok(()) => "*** Your password is changed.\n".to_owned(),
        Err(why) => format!("*** Your password is not changed: {why}\n"),
    }
}

#[cfg(test)]
mod tests;
