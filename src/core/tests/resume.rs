//! `/resume`: the same person again after a broken connection, and nobody else.

use super::*;
use crate::core::{
    event::Resume,
    notes::ServerFacts,
    record::{Sanction, SanctionKind, Target},
    rooms::ROOMS_MAX,
    token::Token,
};

pub(super) const DAVE: ClientId = 4;

const FACTS: ServerFacts = ServerFacts { line_max: 1024, flood: None };

fn wishes(bits: u128) -> Wishes {
    Wishes { reads_notes: true, since: None, token: Some(Token::of(bits)) }
}

pub(super) fn enter_with(name: &str, account: Option<AccountId>, bits: u128) -> Question {
    let Question::Enter(mut entry) = enter(name, account) else { unreachable!() };
    entry.wishes = wishes(bits);
    Question::Enter(entry)
}

pub(super) fn resume(bits: u128, next: u128) -> Question {
    let (address, reserve_of) = ("192.0.2.8".parse().unwrap(), None);
    let (token, wishes) = (Token::of(bits), wishes(next));
    Question::Resume(Box::new(Resume { token, address, reserve_of, wishes }))
}

/// Alice and bob are here, and carol, whose token is 1.
pub(super) fn with_carol() -> Conversation {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter_with("carol", None, 1));
    chat.finishes();
    chat.forgets();
    chat
}

pub(super) const NOT_GOOD: &str = "*** That token is not good, or not any more.\n";

impl Conversation {
    pub(super) fn resumes(&mut self, client: ClientId, bits: u128, next: u128) -> String {
        self.asks(client, resume(bits, next));
        self.finishes();
        self.reads(client)
    }
}

#[test]
fn a_token_gives_back_name_room_and_settings_once() {
    let mut chat = with_carol();
    for command in [
        "/join red",
        "/timestamps on",
        "/echo on",
        "/quiet on",
        "/ignore bob",
        "/away tea",
        "/hand",
    ] {
        chat.types(CAROL, command);
        chat.finishes();
    }
    chat.departs(CAROL, CloseReason::Lost("reset".to_owned()));
    chat.finishes();
    chat.forgets();
    chat.passes(599);
    let read = chat.resumes(DAVE, 1, 2);
    assert!(read.starts_with("*** Hello again carol.\n*** You are in red, alone.\n"), "{read}");
    let token = format!("\"resume\":\"{:032x}\"", 2);
    assert!(read.contains("{\"in\":\"carol\",\"account\":null,\"admin\":false,"), "{read}");
    assert!(read.contains(&token), "{read}");
    let rooms = &chat.chat.rooms;
    let (_, carol) = rooms.members().iter().find(|(_, m)| m.name().shown() == "carol").unwrap();
    use crate::core::rooms::member::Preference::{Echo, Quiet, Timestamps};
    assert!([Echo, Quiet, Timestamps].iter().all(|&setting| carol.has(setting)));
    assert_eq!((carol.away(), carol.ignored().len()), (Some("tea"), 1));
    assert!(carol.hand().is_some());
    assert_eq!(chat.resumes(5, 1, 3), NOT_GOOD, "it is used up");
    chat.departs(DAVE, CloseReason::Closed);
    chat.finishes();
    chat.passes(601);
    assert_eq!(chat.resumes(6, 2, 3), NOT_GOOD, "ten minutes are over");
}

#[test]
fn an_old_connection_that_is_open_is_ended() {
    let mut chat = with_carol();
    chat.types(ALICE, "/ignore carol");
    chat.finishes();
    let read = chat.resumes(DAVE, 1, 2);
    assert!(read.starts_with("*** Hello again carol.\n"), "{read}");
    assert!(matches!(chat.closed[&CAROL], CloseReason::TakenOver { .. }), "{:?}", chat.closed);
    chat.departs(CAROL, CloseReason::Closed);
    chat.types(DAVE, "/nick cara");
    chat.finishes();
    chat.forgets();
    chat.says(DAVE, "<cara> hi");
    chat.finishes();
    assert_eq!(chat.reads(ALICE), "", "alice ignores the same person still");
    assert_eq!(chat.reads(BOB), "<cara> hi\n");
}

#[test]
fn whoever_left_or_was_sent_away_does_not_come_back_by_a_token() {
    for (command, why) in [("/kick carol", true), ("/ban carol", true), ("", false)] {
        let mut chat = with_carol();
        match why {
            true => chat.types(ALICE, command),
            false => chat.departs(CAROL, CloseReason::Quit(None)),
        }
        chat.finishes();
        assert_eq!(chat.resumes(DAVE, 1, 2), NOT_GOOD, "{command}");
    }
    // One who is banned when they come back is told so, from whatever address.
    let mut chat = with_carol();
    chat.departs(CAROL, CloseReason::Closed);
    chat.types(ALICE, "/ban carol spam");
    chat.finishes();
    let read = chat.resumes(DAVE, 1, 2);
    assert!(read.contains("you are banned by alice"), "{read}");
}

#[test]
fn a_mute_holds() {
    for is_muted in [true, false] {
        let mut chat = with_carol();
        chat.types(CAROL, "/hand");
        if is_muted {
            chat.types(ALICE, "/mute carol");
        }
        chat.departs(CAROL, CloseReason::Closed);
        chat.finishes();
        let read = chat.resumes(DAVE, 1, 2);
        assert_eq!(read.contains("*** You are muted by alice"), is_muted, "{read}");
        let hands = chat.is_told(ALICE, "/hands");
        assert_eq!(hands.contains("carol"), !is_muted, "who may not write raises none: {hands}");
    }
}

#[test]
fn a_hand_is_down_in_another_room_than_it_was_raised_in() {
    let mut chat = with_carol();
    chat.types(CAROL, "/join side");
    chat.types(CAROL, "/hand");
    chat.departs(CAROL, CloseReason::Closed);
    for i in 1..ROOMS_MAX as u64 {
        chat.asks(10 + i, enter(&format!("guest{i}"), None));
        chat.types(10 + i, &format!("/join room{i}"));
    }
    chat.finishes();
    let read = chat.resumes(DAVE, 1, 2);
    assert!(read.contains("*** You are in lobby with @alice, bob.\n"), "side is gone: {read}");
    assert_eq!(chat.is_told(ALICE, "/hands"), "*** No hand is up in lobby.\n");
}

#[test]
fn an_account_that_is_entered_by_its_password_ends_the_tokens_of_others() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter_with("zoe", Some(ZOES), 1));
    chat.departs(CAROL, CloseReason::Closed);
    chat.finishes();
    chat.logs();
    let read = chat.resumes(DAVE, 1, 2);
    assert!(read.contains("\"in\":\"zoe\",\"account\":\"zoe\""), "{read}");
    assert_eq!(chat.logs(), ["c4 is logged in as zoe"], "the operator sees it");
    chat.departs(DAVE, CloseReason::Closed);
    chat.asks(5, enter("zoe", Some(ZOES)));
    chat.finishes();
    assert_eq!(chat.resumes(6, 2, 3), NOT_GOOD);
}

#[test]
fn a_deleted_account_and_another_password_end_the_tokens() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter_with("zoe", Some(ZOES), 1));
    chat.departs(CAROL, CloseReason::Closed);
    chat.finishes();
    for password in ["one", "another"] {
        let zoe = PasswordHash(password.to_owned()).mark();
        chat.chat.restore(Snapshot { passwords: BTreeMap::from([(ZOES, zoe)]), ..snapshot() });
        chat.finishes();
    }
    assert_eq!(chat.resumes(DAVE, 1, 2), NOT_GOOD, "the operator has set another");

    let mut chat = Conversation::new();
    chat.asks(CAROL, enter_with("zoe", Some(ZOES), 1));
    chat.departs(CAROL, CloseReason::Closed);
    chat.finishes();
    chat.chat.restore(Snapshot { accounts: Vec::new(), ..snapshot() });
    chat.finishes();
    let read = chat.resumes(DAVE, 1, 2);
    assert_eq!(read, "*** That account is gone.\n");
}

#[test]
fn a_name_that_somebody_else_has_meanwhile_is_theirs() {
    let mut chat = with_carol();
    chat.departs(CAROL, CloseReason::Closed);
    chat.asks(DAVE, enter("carol", None));
    chat.finishes();
    let read = chat.resumes(5, 1, 2);
    assert!(read.starts_with("*** The name \"carol\" is taken."), "{read}");
    chat.departs(DAVE, CloseReason::Closed);
    chat.finishes();
    assert!(chat.resumes(6, 1, 2).starts_with("*** Hello again carol."), "it is still good");
}

#[test]
fn the_number_of_those_who_may_come_back_is_bounded() {
    let mut chat = Conversation::empty(false);
    for i in 0..1_001u64 {
        chat.asks(i + 10, enter_with(&format!("n{i}"), None, u128::from(i) + 10));
        chat.departs(i + 10, CloseReason::Closed);
        chat.finishes();
    }
    assert_eq!(chat.resumes(5, 10, 2), NOT_GOOD, "the first has made way");
    assert!(chat.resumes(6, 11, 2).starts_with("*** Hello again n1."));
}

/// A token proves who somebody is, also while no password can be read.
#[test]
fn an_owner_who_comes_back_is_not_marked_and_a_guest_with_the_name_makes_way() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter_with("zoe", Some(ZOES), 1));
    chat.departs(CAROL, CloseReason::Closed);
    chat.finishes();
    chat.chat.doubt_names();
    chat.asks(DAVE, enter("zoe", None));
    chat.finishes();
    assert!(chat.is_told(BOB, "/names").contains("zoe?"));
    let read = chat.resumes(5, 1, 2);
    assert!(read.starts_with("*** Hello again zoe."), "{read}");
    assert_eq!(chat.closed.get(&DAVE), Some(&CloseReason::NameClaimed));
    assert_eq!(chat.is_told(BOB, "/names"), "*** lobby (3): @alice, bob, zoe\n");
}

/// Somebody notes the token of a page on which another one then gives a password, or the code.
#[test]
fn who_becomes_somebody_else_has_another_token() {
    let acts = [
        Question::LogIn(Login { account: ZOES, private: Vec::new() }),
        register(),
        Question::BecomeInstructor,
    ];
    for act in acts {
        let mut chat = with_carol();
        let shown = format!("{act:?}");
        chat.asks(CAROL, act);
        chat.finishes();
        chat.asks(CAROL, Question::NewToken(Token::of(2)));
        chat.finishes();
        let read = chat.reads(CAROL);
        assert!(read.contains(&format!("\"resume\":\"{:032x}\"", 2)), "{shown}: {read}");
        assert_eq!(chat.resumes(DAVE, 1, 3), NOT_GOOD, "{shown}");
        assert!(chat.resumes(5, 2, 4).starts_with("*** Hello again"), "{shown}");
    }
    let mut chat = with_carol();
    chat.asks(CAROL, Question::NewToken(Token::of(2)));
    chat.finishes();
    assert_eq!(chat.reads(CAROL), "", "nothing has happened");
    assert_eq!(chat.resumes(DAVE, 2, 3), NOT_GOOD);
}

#[test]
fn a_locked_entrance_and_a_full_server_let_those_in_who_come_back() {
    let mut chat = with_carol();
    chat.types(ALICE, "/lock exam");
    chat.finishes();
    assert!(chat.resumes(DAVE, 1, 2).starts_with("*** Hello again carol."), "she is here");
    chat.departs(DAVE, CloseReason::Closed);
    chat.finishes();
    assert!(chat.resumes(5, 2, 3).starts_with("*** Hello again carol."), "she was here");

    let full = |chat: &mut Conversation, client, bits, next| {
        let Question::Resume(mut resume) = resume(bits, next) else { unreachable!() };
        resume.reserve_of = Some(3);
        chat.asks(client, Question::Resume(resume));
        chat.finishes();
        chat.reads(client)
    };
    let read = full(&mut chat, 6, 3, 4);
    assert!(read.starts_with("*** Hello again carol."), "in the place that she had: {read}");
    chat.departs(6, CloseReason::Closed);
    chat.finishes();
    assert_eq!(full(&mut chat, 7, 4, 5), "(all 3 places are taken)\n", "she has left it");
    assert!(chat.resumes(8, 4, 5).starts_with("*** Hello again carol."), "it is still good");
    // Administrators come into the place that is kept, and past a ban: by their account, or the code.
    for by_code in [true, false] {
        let mut chat = with_carol();
        match by_code {
            true => {
                chat.asks(CAROL, Question::BecomeInstructor);
                chat.asks(CAROL, Question::NewToken(Token::of(5)));
            }
            false => chat.asks(ALICE, Question::Notes(Some(FACTS), Some(Token::of(5)))),
        }
        chat.finishes();
        chat.departs(if by_code { CAROL } else { ALICE }, CloseReason::Closed);
        chat.finishes();
        let target = Target::Address("192.0.2.8".to_owned());
        let by = "erin".to_owned();
        let ban = Sanction { kind: SanctionKind::Ban, target, until: None, by, why: None };
        chat.chat.restore(Snapshot { sanctions: vec![ban], ..snapshot() });
        let read = full(&mut chat, 9, 5, 6);
        assert!(read.starts_with("*** Hello again"), "by the code: {by_code}: {read}");
    }
    // Somebody may try, if anybody is here who could.
    let mut nobody = Conversation::empty(true);
    nobody.chat.restore(Snapshot::default());
    for (is_here, told) in [(false, "(all 3 places are taken)\n"), (true, "")] {
        if is_here {
            nobody.asks(CAROL, enter_with("carol", None, 1));
        }
        nobody.asks(DAVE, Question::TakeReserve(3));
        nobody.finishes();
        assert_eq!(nobody.reads(DAVE), told);
    }
}
