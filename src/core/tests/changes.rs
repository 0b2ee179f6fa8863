//! What is known of changes and answers while they wait: whether they may be refused, how many lines
//! they have, and their bytes, for queues that are bounded.

use super::*;
use crate::core::{
    batch_max,
    event::{READER_ADDS, SHOWN_MAX},
    record::LineId,
    returning::{Profile, TokenChange},
    session::EVENT_MAX,
    token::Token,
};

/// A private line and one in a room, a setting, a sanction with its audit entry, and a password.
fn changes() -> Vec<Change> {
    let mut chat = Conversation::new();
    chat.does(
        BOB,
        Event::Talk(Talk { text: "<bob> a\n<bob> bc\n".to_owned(), lines: 2, ..Talk::default() }),
    );
    for command in ["/msg bob psst", "/topic tea", "/ban mallory noise"] {
        chat.types(ALICE, command);
    }
    chat.asks(ALICE, Question::SetPassword { hash: PasswordHash("$".to_owned()), quietly: true });
    chat.seals()
}

#[test]
fn only_what_may_be_refused_waits_for_its_outcome() {
    let changes = changes();
    let mut waiting = changes.iter().filter(|change| change.may_fail());
    assert!(matches!(waiting.next(), Some(Change::PasswordChanged(..))));
    assert!(waiting.next().is_none(), "{changes:?}");
}

#[test]
fn a_change_counts_its_lines_and_the_text_that_somebody_typed() {
    for change in changes() {
        let (lines, bytes) = match &change {
            Change::RoomMessage { text, .. } => (2, text.len()),
            Change::PrivateMessage { .. } => (1, "psst".len()),
            Change::RoomSetting { .. } => (0, "tea".len()),
            Change::Sanctioned(_) => (0, "noise".len()),
            Change::Audit { what, .. } => (0, what.len()),
            _ => (0, 0),
        };
        assert_eq!((change.line_count(), change.text_bytes()), (lines, bytes), "{change:?}");
        assert_eq!(change.first_line().is_some(), lines > 0, "{change:?}");
    }
    let ignored = vec![("mallory".to_owned(), None), ("bob".to_owned(), None)];
    let profile = Profile { away: Some("at lunch".to_owned()), ignored, ..Profile::default() };
    let token = Token::of(7).hash();
    let given = Change::Token(TokenChange::Given(token, Box::new(profile)));
    assert_eq!(given.text_bytes(), "mallorybobat lunch".len());
    assert_eq!(Change::Token(TokenChange::Ended(token)).text_bytes(), 0);
    assert_eq!(Change::LinesRemoved(vec![LineId(1); 3]).text_bytes(), 3 * size_of::<LineId>());
}

#[test]
fn lines_from_a_number_on_are_counted_anew() {
    let numbers = |first, by| {
        let mut changes = changes();
        changes.push(Change::LinesRemoved(vec![LineId(1), LineId(3)]));
        changes.iter_mut().for_each(|change| change.renumber(LineId(first), by));
        let removed = changes.pop();
        let said: Vec<i64> =
            changes.iter().filter_map(Change::first_line).map(|line| line.0).collect();
        let Some(Change::LinesRemoved(lines)) = removed else { unreachable!() };
        (said, lines.iter().map(|line| line.0).collect::<Vec<_>>())
    };
    assert_eq!(numbers(4, 10), (vec![1, 3], vec![1, 3]));
    assert_eq!(numbers(3, 10), (vec![1, 13], vec![1, 13]));
    assert_eq!(numbers(1, 10), (vec![11, 13], vec![11, 13]));
}

#[test]
fn talk_and_answers_are_counted_as_their_readers_get_them() {
    let mut talk = Talk::default();
    let name = NameRule::Ascii.check("alice", "name").unwrap();
    ["a", "b", "c"].iter().for_each(|text| talk.push("<", &name, "> ", text));
    assert_eq!(talk.wire_bytes(), "<alice> a\n".len() * 3 + READER_ADDS * 3);

    let mut chat = Conversation::new();
    chat.says(BOB, "<bob> one");
    chat.says(BOB, "<bob> two");
    chat.finishes();
    chat.types(ALICE, "/history");
    chat.types(BOB, "/hands");
    chat.hands_out_answers(|client, answer| {
        let (answer, past) = (answer.unwrap(), ["<bob> one\n", "<bob> two\n"].concat());
        let least = if client == ALICE { past.len() } else { "*** No hand is up".len() };
        assert!((least..200).contains(&answer.bytes()), "{answer:?}");
    });
    let (bob, counted) = (chat.chat.clients.find(BOB).unwrap(), chat.chat.rooms.output.bytes());
    chat.chat.rooms.tell(bob, "x\n");
    assert!(chat.chat.rooms.output.bytes() >= counted + "x\n".len() + READER_ADDS);
    let a_mebibyte = 1024 * 1024;
    for answers in 1..=4 {
        assert!(!chat.chat.is_full(usize::MAX));
        chat.chat.rooms.answer(bob, Answer::Text("x".repeat(a_mebibyte)));
        assert!(chat.chat.rooms.output.answer_bytes() >= answers * a_mebibyte);
    }
    assert!(chat.chat.is_full(usize::MAX), "of answers four wait at most");
}

#[test]
fn a_batch_leaves_room_for_the_event_that_ends_it_and_a_notice() {
    for high_water in [64 * 1024, 128 * 1024] {
        let most = batch_max(high_water);
        assert!(most + EVENT_MAX + SHOWN_MAX <= high_water && most >= high_water / 4, "{most}");
    }
    assert_eq!(batch_max(1 << 30), BATCH_MAX);
}

#[test]
fn a_new_password_ends_the_tokens_of_the_account_unless_its_hash_is_only_made_anew() {
    for quietly in [false, true] {
        let mut chat = Conversation::new();
        chat.asks(ALICE, Question::SetPassword { hash: PasswordHash("$".to_owned()), quietly });
        let ended = Change::Token(TokenChange::EndedOf(ALICES));
        assert_eq!(chat.finishes().contains(&ended), !quietly);
    }
}
