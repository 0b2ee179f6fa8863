//! What is too old is told by nobody: the backlog, `/history`, `/search`, private lines. What waits
//! in a mailbox is not talk, and a topic is a setting.

use super::*;
use crate::core::record::{Author, HistoryLine, LineId, RoomSnapshot};

const DAY: i64 = 24 * 60 * 60;

/// Alice and Bob, and a limit of two days.
fn with_limit(keeps_talk: bool) -> Conversation {
    let config = RoomsConfig { history_days: Some(2), ..Conversation::config(keeps_talk) };
    let mut chat = Conversation::with(config);
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    chat.asks(BOB, enter("bob", None));
    chat.finishes();
    chat
}

#[test]
fn what_is_too_old_is_told_by_nobody_though_it_is_remembered() {
    for keeps_talk in [true, false] {
        let mut chat = with_limit(keeps_talk);
        chat.says(ALICE, "<alice> word one");
        chat.types(ALICE, "/msg bob word for bob");
        chat.types(ALICE, "/topic word of the day");
        chat.passes(DAY);
        chat.says(ALICE, "<alice> word two");
        chat.finishes();

        // Exactly two days are not too old; a second more is.
        for (seconds, told) in [(DAY, &["one", "for bob", "two"][..]), (1, &["two"])] {
            chat.passes(seconds);
            chat.asks(CAROL, enter("carol", None));
            chat.finishes();
            let backlog = chat.reads(CAROL);
            chat.departs(CAROL, CloseReason::Closed);
            assert!(backlog.contains("word of the day"), "a topic is a setting: {backlog}");
            let is_told = |text: &str, word: &str| {
                let line = |line: &str| line.starts_with('(') && line.ends_with(word);
                text.lines().any(line)
            };
            for word in ["one", "two"] {
                assert_eq!(is_told(&backlog, word), told.contains(&word), "{word}: {backlog}");
            }
            // Without a store, the lines that are remembered are searched.
            let search = if keeps_talk { "/history" } else { "/search word" };
            for command in ["/history", "/history 50", "/history since 1970-01-01", search] {
                let text = chat.is_told(BOB, command);
                for word in ["one", "two", "for bob"] {
                    assert_eq!(is_told(&text, word), told.contains(&word), "{command}: {text}");
                }
            }
        }
        chat.passes(DAY);
        let nothing = "*** Nothing was said in lobby in the last 2 days.\n";
        assert_eq!(chat.is_told(BOB, "/history"), nothing);
        assert_eq!(chat.is_told(BOB, "/join empty").lines().count(), 1);
        assert_eq!(chat.is_told(BOB, "/join lobby").matches("word").count(), 1, "the topic alone");
        chat.says(ALICE, "<alice> word three");
        chat.finishes();
        assert!(chat.is_told(BOB, "/history").contains("The last 1 line of lobby"));
    }
}

#[test]
fn what_the_file_has_is_too_old_too() {
    let line = |id, days: i64| HistoryLine {
        id: LineId(id),
        at: Timestamp::from_second(days * DAY).unwrap(),
        text: format!("<zoe> {id}\n"),
    };
    let topic = ("sums".to_owned(), Author { name: "zoe".to_owned(), account: None });
    let lobby = RoomSnapshot {
        name: "lobby".to_owned(),
        settings: BTreeMap::from([("topic".to_owned(), topic)]),
        lines: vec![line(1, 10), line(2, 12), line(3, 13)],
    };
    let mut chat = with_limit(true);
    chat.chat.restore(Snapshot { rooms: vec![lobby], last_line: LineId(3), ..snapshot() });
    chat.passes(14 * DAY);
    let login = Login { account: ZOES, private: vec![line(1, 11), line(2, 12)] };
    let name = NameRule::Ascii.check("zoe", "name").unwrap();
    let address = "192.0.2.7".parse().unwrap();
    let entry = Entry {
        name,
        address,
        login: Some(login),
        reserve_of: None,
        is_instructor: false,
        wishes: Wishes::default(),
    };
    chat.asks(CAROL, Question::Enter(Box::new(entry)));
    chat.finishes();
    let backlog = chat.reads(CAROL);
    assert!(backlog.contains("sums") && backlog.contains("The last 2 lines"), "{backlog}");
    assert!(!backlog.contains("<zoe> 1"), "{backlog}");
    let told = chat.is_told(CAROL, "/history 9");
    assert!(told.contains("<zoe> 2") && !told.contains("<zoe> 1"), "{told}");
    chat.types(CAROL, "/history 999");
    chat.finishes();
    // The file is not read further than that.
    let since = Some(Timestamp::from_second(12 * DAY).unwrap());
    assert!(
        chat.queries
            .iter()
            .all(|query| matches!(query, Query::Older { since: s, .. } if *s == since)),
        "{:?}",
        chat.queries
    );
}

#[test]
fn a_sanction_that_has_ended_is_in_force_again_if_the_time_was_wrong() {
    let mut chat = Conversation::new();
    for name in ["eve", "mallory"] {
        chat.is_told(ALICE, &format!("/ban {name} 1h"));
    }
    chat.is_told(ALICE, "/mute bob 1h");
    chat.passes(3_650 * DAY);
    assert_eq!(chat.is_told(ALICE, "/bans"), "*** Nobody is banned or muted.\n");
    chat.is_told(ALICE, "/ban trudy 1h");
    chat.passes(-3_650 * DAY);
    let bans = chat.is_told(ALICE, "/bans");
    for name in ["eve", "mallory", "trudy", "bob"] {
        assert!(bans.contains(name), "{name}: {bans}");
    }
}

#[test]
fn sanctions_that_have_ended_take_nobodys_place_and_are_bounded() {
    let mut chat = Conversation::new();
    for round in 0..4 {
        for i in 0..1_000 {
            let told = chat.is_told(ALICE, &format!("/ban n{round}x{i} 1h"));
            assert!(told.contains("is banned until"), "{round} {i}: {told}");
        }
        let told = chat.is_told(ALICE, "/ban one_more 1h");
        assert!(told.contains("There are 1000 bans and mutes, which is the most."), "{told}");
        chat.passes(3_600);
    }
    // The first ones are forgotten, the last ones are not.
    chat.passes(-1);
    assert_eq!(chat.is_told(ALICE, "/bans").lines().count(), 1 + 1_000);
    chat.passes(-4 * 3_600);
    assert_eq!(chat.is_told(ALICE, "/bans").lines().count(), 1 + 2_000);
}

#[test]
fn where_there_is_no_place_for_another_ban_one_that_is_there_can_be_changed() {
    let mut chat = Conversation::new();
    (0..1_000).for_each(|i| chat.types(ALICE, &format!("/ban n{i} 1h")));
    chat.finishes();
    assert!(chat.is_told(ALICE, "/ban another 1h").contains("which is the most"));
    assert!(chat.is_told(ALICE, "/ban n0 2h").contains("is banned until 1970-01-01 02:00"));
}
