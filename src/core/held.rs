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
        Held { queue: VecDeque::new(), records: Vec::new(), sanctioning: Vec::new(), taken: 0, outcome: None, bytes: 0 }
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
        self.held.sanctioning.iter().chain(self.held.records.iter().map(|record| &record.what).filter(is_one))
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
        let Some(Waiting { client, handle, at, bytes, then }) = self.held.queue.pop_front() else { return };
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
    pub(super) fn do_deed(&mut self, client: ClientId, at: Timestamp, deed: Deed, written: &Written) -> Option<Answer> {
        match deed {
            Deed::Say { room, talk, id } => {
                self.tell_talk(room, client, &talk, id, at);
                None
            }
            Deed::Tell { to, from, text, id, is_question } => {
                Some(Answer::text(self.tell_in_private(client, to, &from, &text, id, is_question)))
            }
            Deed::KeepMail { to, is_guests } => Some(Answer::text(self.mail_is_kept(to, is_guests, written))),
            Deed::SetTopic { room, topic } => Some(Answer::text(self.topic_is_set(client, room, topic))),
            Deed::Announce { line, rooms } => Some(Answer::text(self.tell_announcement(&line, rooms, at))),
            Deed::Register(account) => Some(Answer::text(self.is_registered(client, account, written))),
            Deed::Rehash { quietly } => Some(Answer::text(password_is_changed(quietly, written))),
            Deed::Unregister(account) => Some(Answer::text(self.is_unregistered(account, written))),
            Deed::DeleteMail { account, count } => Some(Answer::text(self.mail_is_deleted(account, count, written))),
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
mod tests {
    use super::*;
    use crate::core::{
        command::Command,
        event::{Entry, Login, Question},
        name::NameRule,
        record::{PasswordHash, Query, Remembered, Sanction, SanctionKind, Subject},
        rooms::RoomsConfig,
        source::Source,
    };
    use jiff::tz::TimeZone;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// Rooms that keep talk, with alice (account 1, an administrator) and bob.
    fn rooms() -> Rooms<usize> {
        let config = RoomsConfig { backlog_lines: 20, names: NameRule::Ascii, zone: TimeZone::UTC, keeps_talk: true };
        let alice = Account { id: 1, name: "alice".to_owned(), is_admin: true, since: NOW, mail: 0 };
        let mut rooms = Rooms::new(config, Remembered { accounts: vec![alice], ..Remembered::default() });
        ask(&mut rooms, 0, enter("alice", Some(1)));
        ask(&mut rooms, 1, enter("bob", None));
        read(&mut rooms);
        rooms
    }

    fn enter(name: &str, account: Option<AccountId>) -> Question {
        let name = NameRule::Ascii.check(name, "name").unwrap();
        let login = account.map(|account| Login { account, private: Vec::new() });
        Question::Enter(Box::new(Entry { name, source: Source::default(), login, reserve_of: None }))
    }

    fn ask(rooms: &mut Rooms<usize>, client: usize, question: Question) {
        rooms.apply(NOW, client as ClientId, &client, Event::Ask(question));
    }

    fn command(rooms: &mut Rooms<usize>, client: usize, line: &str) {
        let command = crate::core::command::CommandTable::default().parse(line).unwrap();
        ask(rooms, client, Question::Command(command));
    }

    fn say(rooms: &mut Rooms<usize>, client: usize, text: &str) {
        rooms.apply(NOW, client as ClientId, &client, Event::Say(Talk { text: text.to_owned(), lines: 1 }));
    }

    /// What each client reads now, answers among the rest, in the order of the clients.
    fn read(rooms: &mut Rooms<usize>) -> Vec<(usize, String)> {
        let mut read = Vec::new();
        rooms.flush(|&client, delivery| {
            let answer = delivery.answer.map(|answer| answer.text).unwrap_or_default();
            let parts = [delivery.before.concat(), answer.into_bytes(), delivery.after.concat()].concat();
            read.push((client, String::from_utf8(parts).unwrap()));
        });
        read.sort();
        read.retain(|(_, text)| !text.is_empty());
        read
    }

    fn written(rooms: &mut Rooms<usize>, outcome: Written) {
        rooms.written(outcome);
        assert!(!rooms.go_on(NOW, usize::MAX));
    }

    fn write(rooms: &mut Rooms<usize>) -> Vec<What> {
        let records = rooms.take_records();
        written(rooms, Ok(()));
        records.into_iter().map(|record| record.what).collect()
    }

    #[test]
    fn talk_waits_until_it_is_written_and_questions_do_not() {
        let mut rooms = rooms();
        say(&mut rooms, 0, "<alice> hi\n");
        assert_eq!(read(&mut rooms), []);
        command(&mut rooms, 1, "hands");
        assert_eq!(read(&mut rooms), [(1, "*** No hand is up in lobby.\n".to_owned())]);
        assert!(matches!(&write(&mut rooms)[..], [What::Said { id: 1, text, .. }] if text == "<alice> hi\n"));
        assert_eq!(read(&mut rooms), [(1, "<alice> hi\n".to_owned())]);
        assert!(!rooms.holds_any() && rooms.held.bytes == 0);
    }

    #[test]
    fn nobody_overtakes_himself() {
        let mut rooms = rooms();
        say(&mut rooms, 0, "<alice> hi\n");
        rooms.take_records();
        say(&mut rooms, 0, "<alice> there\n");
        command(&mut rooms, 0, "hands");
        written(&mut rooms, Ok(()));
        assert_eq!(read(&mut rooms), [(1, "<alice> hi\n".to_owned())]);
        write(&mut rooms);
        let both = [(0, "*** No hand is up in lobby.\n".to_owned()), (1, "<alice> there\n".to_owned())];
        assert_eq!(read(&mut rooms), both);
    }

    #[test]
    fn what_could_not_be_written_is_shown_and_what_was_promised_is_not() {
        let mut rooms = rooms();
        say(&mut rooms, 0, "<alice> hi\n");
        ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
        rooms.take_records();
        written(&mut rooms, Err("the disk is full.".to_owned()));
        let told = "<alice> hi\n*** Your name is not kept: the disk is full.\n";
        assert_eq!(read(&mut rooms), [(1, told.to_owned())]);
        command(&mut rooms, 0, "whois bob");
        assert!(!read(&mut rooms)[0].1.contains("Logged in"));
    }

    #[test]
    fn who_is_sent_away_has_still_said_what_it_said() {
        let mut rooms = rooms();
        say(&mut rooms, 1, "<bob> last words\n");
        command(&mut rooms, 0, "kick bob");
        let (_, alice) = read(&mut rooms).remove(0);
        assert_eq!(alice, "*** bob left lobby (kicked by alice)\n*** bob is gone.\n");
        assert!(matches!(&write(&mut rooms)[..], [What::Said { .. }, What::Deed { .. }]));
        assert_eq!(read(&mut rooms), [(0, "<bob> last words\n".to_owned())]);
    }

    #[test]
    fn one_who_is_sent_away_while_it_waits_is_answered() {
        let mut rooms = rooms();
        ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
        command(&mut rooms, 0, "kick bob");
        read(&mut rooms);
        write(&mut rooms);
        let mut answered = Vec::new();
        rooms.flush(|&client, delivery| answered.extend(delivery.answer.map(|_| client)));
        assert_eq!(answered, [1], "its thread would wait for ever");
    }

    #[test]
    fn a_room_with_something_held_does_not_make_way() {
        let mut rooms = rooms();
        command(&mut rooms, 1, "join quiet");
        say(&mut rooms, 1, "<bob> hi\n");
        command(&mut rooms, 0, "kick bob");
        for i in 0..super::super::rooms::ROOMS_MAX + 10 {
            ask(&mut rooms, 0, Question::Command(Command::Join(format!("room{i}"))));
        }
        read(&mut rooms);
        write(&mut rooms); // it would panic, or be told in another room
        read(&mut rooms);
    }

    #[test]
    fn in_the_last_moment_nobody_waits_for_the_disk() {
        let mut rooms = rooms();
        say(&mut rooms, 0, "<alice> one\n");
        rooms.take_records(); // and they are never written
        say(&mut rooms, 0, "<alice> two\n");
        rooms.close_at_once();
        say(&mut rooms, 1, "<bob> three\n");
        ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
        let bob = read(&mut rooms).pop().unwrap().1;
        assert!(bob.starts_with("<alice> one\n<alice> two\n*** Your name is not kept"), "{bob}");
        assert!(!rooms.holds_any());
    }

    #[test]
    fn one_address_cannot_take_all_accounts() {
        let mut rooms = rooms();
        for i in 0..super::super::accounts::REGISTERED_A_DAY {
            ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
            write(&mut rooms);
            assert!(read(&mut rooms)[0].1.contains("is yours"), "{i}");
            ask(&mut rooms, 1, Question::Unregister);
            write(&mut rooms);
            read(&mut rooms);
        }
        ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
        assert!(read(&mut rooms)[0].1.contains("registered from your address today"));
    }

    #[test]
    fn what_a_stranger_could_not_leave_does_not_count() {
        let mut rooms = rooms();
        let carol = Account { id: 2, name: "carol".to_owned(), is_admin: false, since: NOW, mail: 0 };
        rooms.remember(Remembered { accounts: vec![carol], ..Remembered::default() });
        for _ in 0..super::super::mail::GUEST_MAIL_MAX + 1 {
            command(&mut rooms, 1, "msg carol hello");
            rooms.take_records();
            written(&mut rooms, Err("the disk is full.".to_owned()));
            assert_eq!(read(&mut rooms)[0].1, "*** carol is away, and your message is not kept: the disk is full.\n");
        }
    }

    #[test]
    fn a_memory_that_is_back_may_know_more_than_the_rooms() {
        let mut rooms = rooms();
        say(&mut rooms, 0, "<alice> hi\n");
        write(&mut rooms);
        read(&mut rooms);
        assert_eq!(asks(&mut rooms, 1, "history"), None);
        rooms.memory_is_back(None);
        assert!(asks(&mut rooms, 1, "history").is_some());
    }

    #[test]
    fn too_much_is_told_to_the_driver() {
        let mut rooms = rooms();
        while !rooms.holds_much() {
            say(&mut rooms, 0, &format!("<alice> {}\n", "x".repeat(1000)));
        }
        assert!((50..70).contains(&rooms.held.queue.len()));
        write(&mut rooms);
        assert!(!rooms.holds_much());
    }

    #[test]
    fn what_is_written_is_shown_in_batches_of_a_size() {
        let mut rooms = rooms();
        for i in 0..10 {
            say(&mut rooms, 0, &format!("<alice> {i}\n"));
        }
        rooms.take_records();
        rooms.written(Ok(()));
        let mut batches = Vec::new();
        loop {
            let is_more = rooms.go_on(NOW, 30);
            batches.extend(read(&mut rooms).into_iter().map(|(_, text)| text.lines().count()));
            if !is_more {
                break;
            }
        }
        assert_eq!(batches, [3, 3, 3, 1]);
    }

    #[test]
    fn what_is_shown_in_haste_at_the_end_is_still_to_be_written() {
        let mut rooms = rooms();
        say(&mut rooms, 0, "<alice> one\n");
        rooms.take_records(); // and the disk does not answer
        say(&mut rooms, 0, "<alice> two\n");
        ask(&mut rooms, 1, Question::Register(PasswordHash("$".to_owned())));
        rooms.close_at_once();
        let why = "*** Your name is not kept: the server stops, and the disk has not answered.\n";
        assert_eq!(read(&mut rooms), [(1, format!("<alice> one\n<alice> two\n{why}"))]);
        assert!(matches!(&write(&mut rooms)[..], [What::Said { text, .. }] if text == "<alice> two\n"));
    }

    #[test]
    fn a_ban_that_is_not_written_yet_outlives_what_another_process_changes() {
        let mut rooms = rooms();
        let alice = Account { id: 1, name: "alice".to_owned(), is_admin: true, since: NOW, mail: 0 };
        let as_written = Remembered { accounts: vec![alice], ..Remembered::default() };
        let bans = |rooms: &mut Rooms<usize>| {
            command(rooms, 0, "bans");
            read(rooms).remove(0).1
        };
        command(&mut rooms, 0, "ban mallory");
        read(&mut rooms);
        rooms.remember(as_written.clone());
        assert!(bans(&mut rooms).contains("mallory"));
        rooms.take_records();
        rooms.remember(as_written);
        assert!(bans(&mut rooms).contains("mallory"));
        command(&mut rooms, 0, "unban mallory");
        let sanction = Sanction {
            kind: SanctionKind::Ban,
            subject: Subject::Name("mallory".to_owned()),
            until: None,
            by: "alice".to_owned(),
            why: None,
        };
        rooms.remember(Remembered { sanctions: vec![sanction], ..Remembered::default() });
        assert!(rooms.sanctioning().count() == 2 && !format!("{:?}", rooms.list_sanctions()).contains("mallory"));
    }

    #[test]
    fn nobody_logs_in_to_a_name_that_is_banned() {
        let mut rooms = rooms();
        let carol = Account { id: 2, name: "carol".to_owned(), is_admin: false, since: NOW, mail: 0 };
        let alice = Account { id: 1, name: "alice".to_owned(), is_admin: true, since: NOW, mail: 0 };
        rooms.remember(Remembered { accounts: vec![alice, carol], ..Remembered::default() });
        command(&mut rooms, 0, "ban carol");
        read(&mut rooms);
        ask(&mut rooms, 1, Question::LogIn(Login { account: 2, private: Vec::new() }));
        assert_eq!(read(&mut rooms), [(1, "*** The name carol is banned by alice.\n".to_owned())]);
    }

    #[test]
    fn another_files_account_of_the_same_number_is_nobodys_here() {
        let mut rooms = rooms();
        let mallory = Account { id: 1, name: "mallory".to_owned(), is_admin: true, since: NOW, mail: 0 };
        rooms.remember(Remembered { accounts: vec![mallory], ..Remembered::default() });
        command(&mut rooms, 0, "bans");
        assert_eq!(read(&mut rooms), [(0, "*** That is for administrators.\n".to_owned())]);
    }

    /// The question that a newcomer's backlog, or a history, carries along.
    fn asks(rooms: &mut Rooms<usize>, client: usize, line: &str) -> Option<Query> {
        command(rooms, client, line);
        let mut asked = None;
        rooms.flush(|_, delivery| asked = delivery.answer.and_then(|a| a.recall?.query).or(asked.take()));
        asked
    }

    #[test]
    fn a_room_that_made_way_has_all_its_past_when_it_comes_back_and_none_of_the_present() {
        let mut rooms = rooms();
        command(&mut rooms, 0, "msg bob psst"); // line 1
        write(&mut rooms);
        say(&mut rooms, 0, "<alice> hi\n"); // line 2
        write(&mut rooms);
        read(&mut rooms);
        let backlog = asks(&mut rooms, 1, "join old").unwrap(); // it was there before, for all that is known
        assert!(matches!(backlog, Query::Older { before: 3, account: None, .. }), "{backlog:?}");
        let history = asks(&mut rooms, 1, "history").unwrap();
        assert!(matches!(history, Query::Older { before: 3, .. }), "{history:?}");
    }

    #[test]
    fn a_ban_is_noted_and_lifted_in_whatever_case_it_is_written() {
        let mut rooms = rooms();
        command(&mut rooms, 0, "ban Mallory 1h");
        command(&mut rooms, 0, "unban mallory");
        let whats = write(&mut rooms);
        let lifted = What::Lifted(SanctionKind::Ban, Subject::Name("Mallory".to_owned()));
        assert!(whats.contains(&lifted), "{whats:?}");
    }
}
