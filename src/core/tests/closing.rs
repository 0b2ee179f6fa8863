//! The end: whatever was accepted from one client before it reaches all the others.

use super::*;
use CloseReason::Shutdown;

#[test]
fn nobody_is_let_go_before_all_have_said_goodbye() {
    let mut chat = Conversation::new();
    chat.chat.close();
    chat.departs(ALICE, Shutdown);
    chat.says(BOB, "<bob> one");
    chat.ends_batch();
    assert_eq!((chat.reads(ALICE).as_str(), chat.answered.as_slice()), ("<bob> one\n", &[][..]));
    chat.says(BOB, "<bob> two");
    chat.departs(BOB, Shutdown);
    chat.ends_batch();
    assert_eq!(chat.reads(ALICE), "<bob> two\n");
    assert_eq!(chat.reads(BOB), "", "goodbyes are not announced");
    chat.answered.sort_unstable();
    assert_eq!((chat.answered.as_slice(), chat.chat.clients.len()), (&[ALICE, BOB][..], 0));
}

#[test]
fn the_first_goodbye_of_a_shutdown_may_come_before_the_word_of_it() {
    let mut chat = Conversation::new();
    chat.departs(ALICE, Shutdown);
    chat.says(BOB, "<bob> one");
    chat.ends_batch();
    assert_eq!((chat.reads(ALICE).as_str(), chat.answered.as_slice()), ("<bob> one\n", &[][..]));
    chat.chat.close();
    chat.departs(BOB, CloseReason::Closed);
    chat.ends_batch();
    assert_eq!((chat.reads(BOB).as_str(), chat.answered.len()), ("", 2));
}

#[test]
fn at_once_means_without_the_others_and_for_those_who_come_later_too() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    chat.forgets();
    chat.chat.close();
    chat.departs(ALICE, Shutdown);
    chat.chat.close_at_once();
    chat.ends_batch();
    assert_eq!(chat.answered, [ALICE]);
    chat.departs(BOB, Shutdown);
    chat.ends_batch();
    assert_eq!(chat.answered, [ALICE, BOB], "carol may never come");
}

#[test]
fn in_the_last_moment_the_driver_shows_what_is_not_written() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> one");
    chat.seals();
    chat.says(ALICE, "<alice> two");
    chat.asks(BOB, register());
    chat.chat.close_at_once();
    let why = "the server stops, and the disk has not answered.";
    chat.settles(Err(why.to_owned()));
    chat.flushes();
    let changes = chat.seals();
    assert!(
        matches!(changes[..], [Change::RoomMessage { .. }, Change::Registered(..)]),
        "to be written, should the disk answer"
    );
    chat.settles(Err(why.to_owned()));
    chat.flushes();
    chat.ends_batch();
    assert_eq!(
        chat.reads(BOB),
        format!("<@alice> one\n<@alice> two\n*** It is not known whether that is written: {why}\n")
    );
}

#[test]
fn nobody_comes_in_any_more_and_who_has_no_name_is_let_go() {
    let mut chat = Conversation::new();
    chat.chat.close();
    chat.asks(CAROL, enter("carol", None));
    chat.ends_batch();
    assert_eq!(chat.reads(CAROL), "*** The server is shutting down.\n");
    chat.departs(CAROL, Shutdown);
    chat.ends_batch();
    assert_eq!(chat.answered, [CAROL, CAROL]);
}

#[test]
fn who_is_sent_away_meanwhile_is_not_waited_for() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    chat.forgets();
    chat.chat.close();
    chat.departs(CAROL, Shutdown);
    chat.types(ALICE, "/kick carol"); // she is going already
    chat.types(ALICE, "/kick bob");
    chat.ends_batch();
    assert_eq!(chat.closed.keys().collect::<Vec<_>>(), [&BOB]);
    chat.departs(BOB, Shutdown);
    chat.departs(ALICE, Shutdown);
    chat.ends_batch();
    chat.answered.sort_unstable();
    chat.answered.dedup();
    assert_eq!((chat.answered.as_slice(), chat.chat.clients.len()), (&[ALICE, BOB, CAROL][..], 0));
}

#[test]
fn an_account_that_is_logged_in_to_while_its_bearer_says_goodbye() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    chat.chat.close();
    chat.departs(ALICE, Shutdown);
    chat.asks(BOB, Question::LogIn(Login { account: ALICES, private: Vec::new() }));
    chat.ends_batch();
    chat.chat.close_at_once();
    assert!(chat.is_told(CAROL, "/whois alice").contains("alice is in lobby"), "bob is alice now");
    assert_eq!(chat.is_told(CAROL, "/names"), "*** lobby (2): @alice, carol\n");
}
