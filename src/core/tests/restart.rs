//! `/resume` at a server that follows another one: what is written of a token, and what comes of it.

use super::{
    resume::{DAVE, NOT_GOOD, enter_with, resume, with_carol},
    *,
};
use crate::core::{
    event::Since,
    record::LineId,
    returning::{Returning, TokenChange, TokenHash},
    token::Token,
};

/// What the store keeps of the tokens in these changes, in the order in which they were seen.
fn kept(changes: &[(Timestamp, Change)]) -> Vec<Returning> {
    let mut all: Vec<Returning> = Vec::new();
    for (at, change) in changes {
        let Change::Token(change) = change else { continue };
        match change {
            TokenChange::Given(token, profile) => {
                all.retain(|one| one.token != *token);
                let (token, profile) = (*token, (**profile).clone());
                all.push(Returning { token, seen: *at, profile });
            }
            TokenChange::Left(token) => {
                let gone = all.iter_mut().find(|one| one.token == *token);
                gone.unwrap().seen = *at;
            }
            TokenChange::Ended(token) => {
                all.retain(|one| one.token != *token);
            }
            TokenChange::AllEnded => all.clear(),
            TokenChange::EndedOf(account) => {
                all.retain(|one| one.profile.account != Some(*account));
            }
        }
    }
    all
}

/// A conversation whose changes are kept, and the server that follows it.
struct Lasting {
    chat: Conversation,
    changes: Vec<(Timestamp, Change)>,
}

impl Lasting {
    fn of(chat: Conversation) -> Lasting {
        Lasting { chat, changes: Vec::new() }
    }

    fn finishes(&mut self) {
        let now = self.chat.now;
        for _ in 0..2 {
            self.changes.extend(self.chat.ends_batch().into_iter().map(|change| (now, change)));
        }
    }

    fn types(&mut self, client: ClientId, command: &str) {
        self.chat.types(client, command);
        self.finishes();
    }

    fn departs(&mut self, client: ClientId, reason: CloseReason) {
        self.chat.departs(client, reason);
        self.finishes();
    }

    fn resumes(&mut self, client: ClientId, bits: u128, next: u128) -> String {
        self.chat.asks(client, resume(bits, next));
        self.finishes();
        self.chat.reads(client)
    }

    /// The server is killed, and another one starts with its file. Everybody who was here was so until
    /// now, as the historian has noted.
    fn starts(&self) -> Conversation {
        let mut returning = kept(&self.changes);
        let left = |token: &TokenHash| {
            let left =
                |(_, change): &(_, Change)| *change == Change::Token(TokenChange::Left(*token));
            self.changes.iter().any(left)
        };
        returning
            .iter_mut()
            .filter(|one| !left(&one.token))
            .for_each(|one| one.seen = self.chat.now);
        let snapshot = Snapshot { returning, ..snapshot() };
        let mut next = Conversation::empty(true);
        next.chat = Chat::new(Conversation::config(true), Table::default(), snapshot);
        next.now = self.chat.now;
        next
    }

    /// The same, and alice and bob are here.
    fn restarts(&self) -> Conversation {
        let mut next = self.starts();
        next.asks(ALICE, enter("alice", Some(ALICES)));
        next.asks(BOB, enter("bob", None));
        next.finishes();
        next.forgets();
        next
    }
}

/// Alice and bob are here, and carol, whose token is 1. With an account, she is zoe.
fn lasting(account: Option<AccountId>) -> Lasting {
    let mut lasting = Lasting::of(Conversation::new());
    let name = if account.is_some() { "zoe" } else { "carol" };
    lasting.chat.asks(CAROL, enter_with(name, account, 1));
    lasting.finishes();
    lasting.chat.forgets();
    lasting
}

#[test]
fn a_token_holds_for_the_server_that_follows() {
    for (account, name) in [(None, "carol"), (Some(ZOES), "zoe")] {
        for is_gone in [true, false] {
            let mut before = lasting(account);
            for command in
                ["/join red", "/timestamps on", "/echo on", "/quiet on", "/ignore bob", "/away tea"]
            {
                before.types(CAROL, command);
            }
            before.types(CAROL, "/ignore alice");
            before.types(CAROL, "/unignore bob");
            if is_gone {
                before.departs(CAROL, CloseReason::Lost("reset".to_owned()));
            }
            let mut chat = before.restarts();
            chat.passes(599);
            let read = chat.resumes(DAVE, 1, 2);
            let hello = format!("*** Hello again {name}.\n*** You are in red, alone.\n");
            assert!(read.starts_with(&hello), "{read}");
            let shown = account.map_or("null".to_owned(), |_| "\"zoe\"".to_owned());
            let note = format!("{{\"in\":\"{name}\",\"account\":{shown},\"admin\":false,");
            assert!(read.contains(&note), "{read}");
            let rooms = &chat.chat.rooms;
            let (_, it) = rooms.members().iter().find(|(_, m)| m.client() == DAVE).unwrap();
            use crate::core::rooms::member::Preference::{Echo, Quiet, Timestamps};
            assert!([Echo, Quiet, Timestamps].iter().all(|&setting| it.has(setting)));
            let ignored: Vec<_> = it.ignored().iter().map(|one| one.account).collect();
            assert_eq!((it.away(), &ignored[..]), (Some("tea"), &[Some(ALICES)][..]));
            assert_eq!(chat.resumes(5, 1, 3), NOT_GOOD, "it is used up");
            chat.departs(DAVE, CloseReason::Closed);
            chat.passes(1);
            assert!(chat.resumes(6, 2, 3).starts_with("*** Hello again"));
        }
    }
}

#[test]
fn what_ended_a_token_ends_it_for_the_server_that_follows_too() {
    type Act = fn(&mut Lasting);
    let acts: [(&str, Act); 9] = [
        ("ten minutes", |it| it.chat.passes(0)),
        ("another one was given", |it| {
            assert!(it.resumes(DAVE, 1, 2).starts_with("*** Hello again"));
        }),
        ("quit", |it| it.departs(CAROL, CloseReason::Quit(None))),
        ("kicked", |it| it.types(ALICE, "/kick zoe")),
        ("banned, and not any more", |it| {
            it.types(ALICE, "/ban zoe");
            it.types(ALICE, "/unban zoe");
        }),
        ("quit while the server stops", |it| {
            it.chat.departs(ALICE, CloseReason::Shutdown);
            it.departs(CAROL, CloseReason::Quit(None));
        }),
        ("no notes", |it| {
            it.chat.asks(CAROL, Question::Notes(None, None));
            it.finishes();
        }),
        ("another password", |it| {
            let hash = PasswordHash("new".to_owned());
            it.chat.asks(CAROL, Question::SetPassword { hash, quietly: false });
            it.finishes();
        }),
        ("logged in elsewhere", |it| {
            it.departs(CAROL, CloseReason::Closed);
            it.chat.asks(DAVE, enter("zoe", Some(ZOES)));
            it.finishes();
        }),
    ];
    for (why, act) in acts {
        let mut before = lasting(Some(ZOES));
        act(&mut before);
        let mut chat = before.restarts();
        chat.passes(if why == "ten minutes" { 601 } else { 0 });
        assert_eq!(chat.resumes(DAVE, 1, 9), NOT_GOOD, "{why}");
    }
}

#[test]
fn an_orderly_stop_ends_no_token_and_a_mute_holds() {
    let mut before = lasting(None);
    before.types(ALICE, "/mute carol");
    for client in [ALICE, BOB, CAROL] {
        before.chat.departs(client, CloseReason::Shutdown);
    }
    before.finishes();
    let returning = kept(&before.changes);
    assert_eq!(returning[0].profile.muted_as, Some(("carol".to_owned(), true)));
    let mut chat = before.restarts();
    chat.types(ALICE, "/mute carol");
    chat.finishes();
    let read = chat.resumes(DAVE, 1, 2);
    assert!(read.contains("*** You are muted by alice"), "{read}");
}

#[test]
fn an_instructor_is_none_of_the_server_that_follows_and_an_administrator_is() {
    let mut before = lasting(None);
    before.chat.asks(CAROL, Question::BecomeInstructor);
    before.chat.asks(CAROL, Question::NewToken(Token::of(2)));
    before.finishes();
    let mut same = lasting(None);
    same.chat.asks(CAROL, Question::BecomeInstructor);
    same.chat.asks(CAROL, Question::NewToken(Token::of(2)));
    same.finishes();
    same.chat.forgets();
    let read = same.resumes(DAVE, 2, 3);
    assert!(read.contains("\"admin\":true"), "by the same server: {read}");
    let read = before.restarts().resumes(DAVE, 2, 3);
    let told = "*** Hello again carol.\n*** You are an instructor no longer: the server has started anew, and has another code.\n";
    assert!(read.starts_with(told) && read.contains("\"admin\":false"), "{read}");

    // They come to the third server, and the disk of the second one was full for a while.
    let mut second = Lasting::of(before.restarts());
    second.chat.asks(6, enter_with("erin", None, 9));
    second.chat.chat.begin_outage("the disk is full.", second.chat.now);
    second.chat.finishes();
    second.chat.chat.end_outage(None);
    second.finishes();
    let read = second.restarts().resumes(DAVE, 2, 3);
    assert!(read.starts_with(told), "{read}");

    let mut before = Lasting::of(Conversation::empty(true));
    before.chat.asks(CAROL, enter_with("alice", Some(ALICES), 1));
    before.finishes();
    let read = before.starts().resumes(DAVE, 1, 2);
    assert!(read.contains("\"account\":\"alice\",\"admin\":true"), "{read}");
}

#[test]
fn a_clock_that_is_set_makes_no_token_good_for_longer() {
    let mut chat = with_carol();
    chat.asks(6, enter_with("erin", None, 2));
    chat.departs(CAROL, CloseReason::Closed);
    chat.finishes();
    chat.passes(-3_600);
    chat.departs(6, CloseReason::Closed);
    chat.finishes();
    assert_eq!(chat.resumes(DAVE, 1, 3), NOT_GOOD, "it is of an hour that is to come");
    chat.passes(601);
    assert_eq!(chat.resumes(DAVE, 2, 3), NOT_GOOD, "whatever went before it");
    let mut chat = lasting(None).restarts();
    chat.passes(-3_600);
    assert_eq!(chat.resumes(DAVE, 1, 3), NOT_GOOD);
}

#[test]
fn nothing_of_a_token_is_written_if_there_is_no_file_or_nothing_has_changed() {
    let mut chat = Conversation::empty(false);
    chat.asks(CAROL, enter_with("carol", None, 1));
    assert!(chat.finishes().is_empty());
    chat.departs(CAROL, CloseReason::Closed);
    assert!(chat.finishes().is_empty());
    assert!(chat.resumes(DAVE, 1, 2).starts_with("*** Hello again carol."));

    let mut before = lasting(None);
    let count = before.changes.len();
    for command in ["/who", "/names", "/echo off", "/msg bob hi", "/whoami", "/hand"] {
        before.types(CAROL, command);
    }
    before.chat.says(CAROL, "<carol> hi");
    before.finishes();
    let tokens = before.changes[count..].iter().filter(|(_, it)| matches!(it, Change::Token(_)));
    assert_eq!(tokens.count(), 0);
}

#[test]
fn under_anonymous_there_is_no_token() {
    let config = RoomsConfig { anonymous: true, ..Conversation::config(true) };
    let mut chat = Conversation::with(config.clone());
    chat.asks(CAROL, enter_with("carol", None, 1));
    let changes = chat.finishes();
    assert!(!chat.reads(CAROL).contains("resume") && changes.is_empty());
    // Nor does one hold that was given without it.
    let returning = kept(&lasting(None).changes);
    let snapshot = Snapshot { returning, ..snapshot() };
    chat.chat = Chat::new(config, Table::default(), snapshot);
    assert_eq!(chat.resumes(DAVE, 1, 2), NOT_GOOD);
}

/// In an outage nothing of tokens is written, and there may be any number. Afterwards all is.
#[test]
fn after_an_outage_it_is_written_who_may_come_back_by_then() {
    let mut before = lasting(None);
    before.chat.asks(DAVE, enter_with("dave", None, 2));
    before.chat.asks(6, enter_with("erin", None, 3));
    before.finishes();
    before.chat.chat.begin_outage("the disk is full.", before.chat.now);
    let lost = before.changes.len();
    before.types(CAROL, "/join red");
    before.departs(DAVE, CloseReason::Closed);
    before.departs(6, CloseReason::Quit(None));
    assert!(before.resumes(7, 2, 4).starts_with("*** Hello again dave."));
    before.departs(7, CloseReason::Closed);
    before.changes.truncate(lost);
    before.chat.passes(60);
    before.chat.chat.set_now(before.chat.now);
    before.chat.chat.end_outage(None);
    let records = before.chat.chat.seal();
    before.changes.extend(records.into_iter().map(|record| (record.at, record.change)));
    before.chat.writes(&[]);
    before.chat.flushes();
    let found = kept(&before.changes);
    let ages: Vec<_> = found
        .iter()
        .map(|it| (&*it.profile.name, &*it.profile.room, before.chat.now.duration_since(it.seen)))
        .map(|(name, room, age)| (name, room, age.as_secs()))
        .collect();
    let expected = [("carol", "red", 0), ("dave", "lobby", 60)];
    assert!(ages.len() == 2 && expected.iter().all(|one| ages.contains(one)), "{ages:?}");
    let mut chat = before.restarts();
    for (bits, told) in [(1, "Hello again carol."), (4, "Hello again dave.")] {
        assert!(chat.resumes(10 + bits as u64, bits, bits + 10).contains(told));
    }
    assert_eq!(chat.resumes(20, 2, 30), NOT_GOOD, "it was used in the outage");
    assert_eq!(chat.resumes(21, 3, 31), NOT_GOOD, "erin has quit");
}

/// What was said to them alone is in the file.
#[test]
fn private_lines_from_before_are_asked_of_the_file() {
    let mut chat = lasting(Some(ZOES)).restarts();
    let Question::Resume(mut resume) = resume(1, 2) else { unreachable!() };
    let room = NameRule::Ascii.check("lobby", "room's name").unwrap();
    resume.wishes.since = Some(Box::new(Since { room, after: LineId(3) }));
    chat.says(BOB, "<bob> 1");
    chat.says(BOB, "<bob> 2");
    chat.says(BOB, "<bob> 3");
    chat.says(BOB, "<bob> 4");
    chat.finishes();
    chat.asks(DAVE, Question::Resume(resume));
    chat.finishes();
    let is_it = |query: &Query| {
        matches!(
            query,
            Query::Since { account: Some(ZOES), after: LineId(3), before: LineId(5), .. }
        )
    };
    assert!(chat.queries.iter().any(is_it), "{:?}", chat.queries);
}
