//! Nothing is shown before it is written, nothing is reordered, and the next batch gathers
//! meanwhile.

use super::*;
use crate::core::{batch_max, session::TALK_MAX};

#[test]
fn a_batch_waits_until_it_is_written_its_answers_too() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> hi");
    chat.types(BOB, "/hands");
    let changes = chat.seals();
    assert!(
        matches!(&changes[..], [Change::RoomMessage { id, text, .. }] if id.0 == 1 && text == "<@alice> hi\n")
    );
    assert!(chat.chat.is_sealed() && !chat.flushes_one(BOB), "it would be shown too early");
    assert_eq!(chat.reads(BOB), "");
    chat.writes(&changes);
    chat.flushes();
    assert_eq!(chat.reads(BOB), "<@alice> hi\n*** No hand is up in lobby.\n");
    assert_eq!(chat.reads(ALICE), "");
    assert!(!chat.chat.is_sealed());
}

#[test]
fn the_next_batch_gathers_meanwhile_and_comes_behind() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> one");
    let first = chat.seals();
    chat.types(BOB, "/hands"); // it has no record, and still waits for the batch before it
    chat.says(ALICE, "<alice> two");
    chat.writes(&first);
    chat.flushes();
    assert_eq!(chat.reads(BOB), "<@alice> one\n");
    assert!(chat.answered.is_empty());
    let second = chat.ends_batch();
    assert_eq!(second.len(), 1);
    assert_eq!(chat.reads(BOB), "*** No hand is up in lobby.\n<@alice> two\n");
}

#[test]
fn a_batch_without_records_can_be_shown_at_once() {
    let mut chat = Conversation::new();
    chat.types(BOB, "/hands");
    assert!(chat.seals().is_empty());
    chat.flushes();
    assert_eq!(chat.reads(BOB), "*** No hand is up in lobby.\n");
}

#[test]
fn talk_that_is_not_kept_has_no_records() {
    let mut chat = Conversation::empty(false);
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    chat.asks(BOB, enter("bob", None));
    chat.says(ALICE, "<alice> hi");
    chat.types(ALICE, "/msg bob psst");
    chat.types(ALICE, "/topic tea");
    assert!(chat.seals().is_empty());
    chat.flushes();
    assert!(chat.reads(BOB).contains("<@alice> hi\n[from @alice] psst\n"));
    chat.types(ALICE, "/kick bob");
    chat.asks(ALICE, Question::SetPassword { hash: PasswordHash(String::new()), quietly: false });
    let changes = chat.seals();
    assert!(
        matches!(changes[..], [Change::Audit { .. }, Change::PasswordChanged(..)]),
        "{changes:?}"
    );
}

#[test]
fn what_could_not_be_written_is_shown_behind_the_outage_notice() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> hi");
    chat.asks(BOB, register());
    chat.seals();
    chat.chat.begin_outage("the disk is full.", chat.now);
    chat.settles(Err("the disk is full.".to_owned()));
    chat.flushes();
    let notice = "*** The history has not been written since 00:00:00: the disk is full.\n";
    assert_eq!(chat.reads(BOB), format!("{notice}<@alice> hi\n"));
    assert_eq!(chat.reads(ALICE), notice, "who has nothing to read of the batch is told too");
    chat.ends_batch();
    assert_eq!(chat.reads(BOB), "*** Your name is not kept: the disk is full.\n");
    assert!(!chat.is_told(ALICE, "/whois bob").contains("Logged in"));
}

#[test]
fn an_outage_with_nothing_to_show_is_told_in_its_place() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> one");
    chat.chat.begin_outage("it is gone.", chat.now);
    chat.passes(90);
    chat.chat.end_outage(Some((Timestamp::UNIX_EPOCH, chat.now)));
    chat.says(ALICE, "<alice> two");
    chat.ends_batch();
    assert_eq!(
        chat.reads(BOB),
        "<@alice> one\n*** The history has not been written since 00:00:00: it is gone.\n\
         *** The history is written again; what was said from 1970-01-01 00:00:00 to 1970-01-01 00:01:30 is missing.\n\
         <@alice> two\n"
    );
}

#[test]
fn who_is_sent_away_has_still_said_what_they_said_and_reads_what_was_said_before() {
    let mut chat = Conversation::new();
    chat.says(BOB, "<bob> last words");
    chat.says(ALICE, "<alice> enough");
    chat.types(ALICE, "/kick bob spam");
    chat.says(BOB, "<bob> too late");
    let changes = chat.ends_batch();
    assert!(matches!(
        changes[..],
        [Change::RoomMessage { .. }, Change::RoomMessage { .. }, Change::Audit { .. }]
    ));
    assert_eq!(
        chat.reads(ALICE),
        "<bob> last words\n*** bob left lobby (kicked by alice: spam)\n*** bob is gone.\n"
    );
    assert_eq!(chat.reads(BOB), "<@alice> enough\n");
    assert_eq!(chat.closed[&BOB].to_client(), "*** Hung up: you were kicked by alice: spam.\n");
    chat.types(BOB, "/who");
    chat.asks(BOB, Question::MyAccount);
    chat.departs(BOB, CloseReason::Kicked(String::new()));
    chat.ends_batch();
    assert_eq!(chat.answered, [ALICE, BOB], "their thread would wait for ever");
    assert_eq!((chat.reads(ALICE), chat.reads(BOB)), (String::new(), String::new()));
}

#[test]
fn one_client_can_be_answered_before_the_batch_ends_and_the_rest_follows() {
    let mut chat = Conversation::empty(false);
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    chat.asks(BOB, enter("bob", None));
    chat.finishes();
    chat.forgets();
    chat.says(ALICE, "<alice> one");
    chat.types(BOB, "/hands");
    chat.says(ALICE, "<alice> two");
    assert!(chat.flushes_one(BOB));
    assert_eq!(chat.reads(BOB), "<@alice> one\n*** No hand is up in lobby.\n<@alice> two\n");
    chat.says(ALICE, "<alice> three");
    chat.types(BOB, "/away");
    assert!(chat.flushes_one(BOB));
    assert_eq!(chat.reads(BOB), "<@alice> three\n*** You are away: away. /back ends it.\n");
    chat.says(ALICE, "<alice> four");
    assert!(chat.flushes_one(CAROL), "of whom nothing is known");
    chat.ends_batch();
    assert_eq!(chat.reads(BOB), "<@alice> four\n");
    assert_eq!((chat.reads(ALICE), chat.lines), (String::new(), 4));
}

#[test]
fn one_client_is_not_answered_before_what_happened_is_written() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> hi");
    chat.types(BOB, "/hands");
    assert!(!chat.flushes_one(BOB));
    chat.ends_batch();
    chat.types(BOB, "/hands");
    assert!(chat.flushes_one(BOB));
}

#[test]
fn a_batch_that_grows_says_so_in_what_it_shows_and_in_what_is_written() {
    let mut chat = Conversation::new();
    let line = format!("<@alice> {}", "x".repeat(1000));
    for _ in 0..60 {
        chat.says(ALICE, &line);
    }
    assert!(chat.chat.is_full(60_000) && !chat.chat.is_full(BATCH_MAX));
    chat.ends_batch();
    assert!(!chat.chat.is_full(1));
    for _ in 0..10_000 {
        chat.says(ALICE, "<alice> ");
    }
    assert!(chat.chat.is_full(usize::MAX), "small records count for more than their text");
}

#[test]
fn the_times_of_many_readers_count_for_a_batch() {
    let mut chat = Conversation::empty(false);
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    for i in 0..100 {
        chat.asks(10 + i, enter(&format!("reader{i}"), None));
        chat.types(10 + i, "/timestamps on");
    }
    chat.finishes();
    for _ in 0..100 {
        chat.says(ALICE, "<alice> x");
    }
    assert!(chat.chat.is_full(15_000) && !chat.chat.is_full(30_000));
}

/// The promise: one batch alone puts nobody over the mark.
#[test]
fn a_batch_with_the_event_that_exceeds_it_fits_into_an_empty_outbox() {
    const HIGH_WATER: usize = 64 * 1024;
    for text in ["", "x", "\u{fffd}", &"\u{fffd}".repeat(341), &"x".repeat(1024)] {
        let mut chat = Conversation::new();
        chat.types(BOB, "/timestamps on");
        chat.finishes();
        chat.forgets();
        let mut talk = Talk::default();
        let name = NameRule::Ascii.check("alice", "name").unwrap();
        while talk.wire_bytes() < TALK_MAX {
            talk.push("<", &name, "> ", if text.is_empty() { "." } else { text });
        }
        let (mut said, mut lines) = (0, 0);
        while !chat.chat.is_full(batch_max(HIGH_WATER)) {
            let Talk { text: all, lines: count, .. } = &talk;
            chat.does(
                ALICE,
                Event::Talk(Talk { text: all.clone(), lines: *count, ..Talk::default() }),
            );
            chat.types(ALICE, &format!("/msg bob {text}."));
            (said, lines) = (said + all.len(), lines + count);
        }
        chat.ends_batch();
        let read = chat.reads(BOB);
        let on_the_wire = read.len() + read.matches('\n').count(); // by telnet
        assert!(read.len() > said && read.matches('\n').count() > lines);
        assert!(on_the_wire <= HIGH_WATER, "{on_the_wire} bytes of {text:?}");
    }
}

#[test]
fn clients_who_have_left_are_forgotten_when_they_have_read_the_last_of_it() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/kick bob");
    chat.asks(CAROL, Question::WhoseIs(NameRule::Ascii.check("zoe", "name").unwrap()));
    chat.departs(CAROL, CloseReason::Closed);
    chat.ends_batch();
    assert_eq!(chat.chat.clients.len(), 2, "alice, and bob, who was not told yet that he has left");
    chat.departs(BOB, CloseReason::Kicked(String::new()));
    chat.departs(ALICE, CloseReason::Quit(None));
    chat.ends_batch();
    assert_eq!(chat.chat.clients.len(), 0);
    assert_eq!(chat.chat.rooms.members().iter().count(), 0);
    for client in 10..30 {
        chat.asks(client, enter("again", None));
        chat.ends_batch();
        chat.departs(client, CloseReason::Closed);
        chat.ends_batch();
        assert!(chat.reads(client).contains("You are in lobby, alone."));
    }
    assert_eq!(chat.chat.clients.len(), 0);
}

#[test]
fn what_is_sealed_is_read_by_those_who_were_there_then() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> one");
    let changes = chat.seals();
    chat.asks(CAROL, enter("carol", None));
    chat.types(BOB, "/join red");
    chat.types(ALICE, "/kick bob");
    chat.writes(&changes);
    chat.flushes();
    assert_eq!(chat.reads(BOB), "<@alice> one\n");
    assert_eq!(chat.reads(CAROL), "");
    chat.ends_batch();
    assert!(chat.reads(BOB).starts_with("*** carol entered lobby\n*** You are in red, alone.\n"));
    assert!(chat.closed.contains_key(&BOB));
}
