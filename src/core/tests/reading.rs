//! What each client reads of what is said: joiners, /echo, /timestamps, /quiet, /ignore, private
//! lines.

use super::*;
use crate::core::record::{Author, HistoryLine, LineId, RoomSnapshot};
use std::collections::BTreeMap;

impl Conversation {
    /// What these clients read of one batch.
    fn batch<const N: usize>(&mut self, clients: [ClientId; N]) -> [String; N] {
        self.ends_batch();
        clients.map(|client| self.reads(client))
    }

    fn sets(&mut self, client: ClientId, command: &str) {
        self.types(client, command);
        self.finishes();
        self.forgets();
    }
}

#[test]
fn a_joiner_reads_nothing_of_the_batch_before_them_but_as_the_past() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> before");
    chat.asks(CAROL, enter("carol", None));
    chat.says(ALICE, "<alice> after");
    let [bob, carol] = chat.batch([BOB, CAROL]);
    assert_eq!(bob, "<@alice> before\n*** carol entered lobby\n<@alice> after\n");
    assert_eq!(
        carol,
        "*** You are in lobby with @alice, bob.\n*** The last 1 line of lobby (times are +00:00):\n\
         (00:00) <@alice> before\n*** End of the history.\n<@alice> after\n"
    );
}

#[test]
fn who_moves_reads_each_room_for_as_long_as_they_are_there() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.types(CAROL, "/join red");
    chat.finishes();
    chat.forgets();
    chat.says(ALICE, "<alice> one");
    chat.says(CAROL, "<carol> not yet");
    chat.types(BOB, "/join #Red");
    chat.says(CAROL, "<carol> welcome");
    chat.says(ALICE, "<alice> two");
    chat.says(BOB, "<bob> hi");
    let [alice, bob, carol] = chat.batch([ALICE, BOB, CAROL]);
    assert_eq!(alice, "*** bob left lobby (went to red)\n");
    assert_eq!(carol, "*** bob entered red\n<bob> hi\n");
    assert!(bob.starts_with("<@alice> one\n*** You are in red with carol.\n"), "{bob}");
    assert!(
        bob.ends_with("(00:00) <carol> not yet\n*** End of the history.\n<carol> welcome\n"),
        "{bob}"
    );
    chat.types(BOB, "/leave");
    chat.says(ALICE, "<alice> three");
    let [alice, bob, carol] = chat.batch([ALICE, BOB, CAROL]);
    assert_eq!(
        (alice.as_str(), carol.as_str()),
        ("*** bob entered lobby\n", "*** bob left red (went to lobby)\n")
    );
    assert!(bob.ends_with("<@alice> three\n") && bob.matches("three").count() == 1, "{bob}");
}

#[test]
fn back_and_forth_within_one_batch() {
    let mut chat = Conversation::empty(false);
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    chat.asks(BOB, enter("bob", None));
    chat.finishes();
    chat.forgets();
    for (line, command) in [("one", "/join red"), ("two", "/leave"), ("three", "/join red")] {
        chat.says(ALICE, &format!("<alice> {line}"));
        chat.types(BOB, command);
        assert!(chat.flushes_one(BOB));
    }
    chat.says(ALICE, "<alice> four");
    let [bob] = chat.batch([BOB]);
    assert!(bob.starts_with("<@alice> one\n*** You are in red, alone.\n"), "{bob}");
    assert!(bob.contains("(00:00) <@alice> two\n"), "as the past alone: {bob}");
    assert_eq!(
        [1, 1, 1, 0],
        ["(00:00) <@alice> one", "two", "three", "four"].map(|line| bob.matches(line).count())
    );
}

#[test]
fn with_echo_one_reads_ones_own_lines_in_their_place() {
    let mut chat = Conversation::new();
    chat.sets(BOB, "/echo on");
    chat.says(BOB, "<bob> one");
    chat.says(ALICE, "<alice> two");
    chat.says(BOB, "<bob> three");
    let [alice, bob] = chat.batch([ALICE, BOB]);
    assert_eq!(alice, "<bob> one\n<bob> three\n");
    assert_eq!(bob, "<bob> one\n<@alice> two\n<bob> three\n");
    chat.types(BOB, "/join red"); // about which nothing is echoed
    let [bob] = chat.batch([BOB]);
    assert_eq!(bob, "*** You are in red, alone.\n");
}

#[test]
fn times_stand_in_front_of_live_lines_and_of_nothing_else() {
    let mut chat = Conversation::new();
    chat.sets(BOB, "/timestamps");
    chat.passes(12 * 3600 + 30 * 60 + 59);
    chat.does(
        ALICE,
        Event::Talk(Talk {
            text: "<@alice> one\n<@alice> two\n".to_owned(),
            lines: 2,
            ..Talk::default()
        }),
    );
    chat.types(ALICE, "/msg bob psst");
    chat.passes(1);
    chat.says(ALICE, "<alice> three");
    chat.types(BOB, "/hands");
    chat.says(ALICE, "<alice> four");
    let [bob] = chat.batch([BOB]);
    assert_eq!(
        bob,
        "[12:30] <@alice> one\n[12:30] <@alice> two\n[12:30] [from @alice] psst\n[12:31] <@alice> three\n\
         *** No hand is up in lobby.\n[12:31] <@alice> four\n"
    );
    chat.says(ALICE, "<alice> five");
    chat.types(BOB, "/timestamps off");
    chat.says(ALICE, "<alice> six");
    let [bob] = chat.batch([BOB]);
    assert_eq!(
        bob,
        "[12:31] <@alice> five\n*** Live lines no longer have their time in front.\n<@alice> six\n"
    );
}

#[test]
fn who_is_quiet_does_not_read_who_comes_and_goes() {
    let mut chat = Conversation::new();
    chat.sets(BOB, "/quiet on");
    chat.asks(CAROL, enter("carol", None));
    chat.says(CAROL, "<carol> hi");
    chat.types(CAROL, "/nick cary");
    chat.types(ALICE, "/announce tea");
    chat.types(ALICE, "/topic tea");
    chat.departs(CAROL, CloseReason::Quit(None));
    let [alice, bob] = chat.batch([ALICE, BOB]);
    let rest = "*** alice set the topic of lobby: tea\n";
    assert_eq!(bob, format!("<carol> hi\n*** Announcement by @alice: tea\n{rest}"));
    assert!(
        alice.contains("carol entered lobby") && alice.contains("carol is now cary"),
        "{alice}"
    );
}

#[test]
fn who_is_ignored_is_ignored_under_every_name_and_nobody_else_is() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    chat.sets(BOB, "/ignore carol");
    chat.says(CAROL, "<carol> one");
    chat.types(CAROL, "/nick cary");
    chat.says(CAROL, "<cary> two");
    chat.types(CAROL, "/msg bob psst");
    chat.says(ALICE, "<alice> hi");
    let [bob, carol] = chat.batch([BOB, CAROL]);
    assert_eq!(bob, "<@alice> hi\n");
    assert!(carol.contains("[to bob] psst"), "who is ignored is not told so: {carol}");
    assert_eq!(chat.is_told(BOB, "/ignore"), "*** You ignore: cary.\n");
    assert!(!chat.is_told(BOB, "/history").contains("two"));
    chat.asks(4, enter("carol", None)); // her old name, and another person
    chat.says(4, "<carol> me");
    let [bob] = chat.batch([BOB]);
    assert_eq!(bob, "*** carol entered lobby\n<carol> me\n");
    chat.departs(CAROL, CloseReason::Closed);
    chat.finishes();
    chat.forgets();
    chat.says(4, "<carol> who has the name now");
    let [bob] = chat.batch([BOB]);
    assert_eq!(bob, "", "the one who was meant has left");
    chat.sets(BOB, "/unignore carol");
    chat.says(4, "<carol> hi");
    let [bob] = chat.batch([BOB]);
    assert_eq!(bob, "<carol> hi\n");
}

#[test]
fn a_reply_goes_to_whoever_wrote_and_to_nobody_who_has_the_name_now() {
    let mut chat = Conversation::new();
    chat.types(BOB, "/msg alice psst");
    chat.types(BOB, "/nick rob");
    chat.asks(CAROL, enter("bob", None));
    chat.finishes();
    chat.forgets();
    chat.types(ALICE, "/reply yes?");
    let [alice, bob, carol] = chat.batch([ALICE, BOB, CAROL]);
    assert_eq!(
        (alice.as_str(), bob.as_str(), carol.as_str()),
        ("[to rob] yes?\n", "[from @alice] yes?\n", "")
    );
    chat.departs(BOB, CloseReason::Closed);
    assert_eq!(
        chat.is_told(ALICE, "/reply hello?"),
        "*** rob left lobby (connection closed)\n*** bob, who wrote to you last, has left.\n"
    );
}

#[test]
fn the_past_is_told_from_the_scrollback_and_what_is_older_asked_of_the_store() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/msg bob psst"); // line 1
    chat.says(ALICE, "<alice> hi"); // line 2
    chat.finishes();
    let history = chat.is_told(BOB, "/history");
    let lines = "(00:00) [from @alice] psst\n(00:00) <@alice> hi\n";
    assert_eq!(
        history,
        format!(
            "*** The last 2 lines of lobby (times are +00:00):\n{lines}*** End of the history.\n"
        )
    );
    assert_eq!(chat.queries, []);
    chat.is_told(BOB, "/join old"); // it was there before, for all that is known
    assert!(
        matches!(chat.queries[..], [Query::Older { before: LineId(3), account: None, .. }]),
        "{:?}",
        chat.queries
    );
    chat.is_told(BOB, "/history");
    assert!(
        matches!(chat.queries[..], [Query::Older { before: LineId(3), .. }]),
        "{:?}",
        chat.queries
    );
}

#[test]
fn a_room_is_restored_with_its_lines_and_its_topic() {
    let line = |id, text: &str| HistoryLine {
        id: LineId(id),
        at: Timestamp::UNIX_EPOCH,
        text: text.to_owned(),
    };
    let zoe = Author { name: "zoe".to_owned(), account: Some(ZOES) };
    let settings = BTreeMap::from([("topic".to_owned(), ("tea".to_owned(), zoe))]);
    let room = |name: &str, lines| RoomSnapshot {
        name: name.to_owned(),
        lines,
        ..RoomSnapshot::default()
    };
    let rooms = vec![
        RoomSnapshot { settings, ..room("red", vec![line(7, "<zoe> hi\n")]) },
        room("no name", vec![]),
        room("lobby", vec![line(6, "<zoe> first\n")]),
    ];
    let mut chat = Conversation::new();
    chat.chat.restore(Snapshot { rooms, last_line: LineId(7), ..snapshot() });
    assert_eq!(
        chat.is_told(BOB, "/join red"),
        "*** You are in red, alone.\n*** Topic of red: tea (set by zoe)\n\
         *** The last 1 line of red (times are +00:00):\n(00:00) <zoe> hi\n*** End of the history.\n"
    );
    assert!(chat.is_told(ALICE, "/history 1").contains("<zoe> first"));
}

#[test]
fn the_lobby_asks_the_store_if_a_hundred_other_rooms_were_spoken_in_later() {
    for (count, asks) in [(99, false), (100, true)] {
        let rooms = (0..count)
            .map(|i| RoomSnapshot { name: format!("room{i}"), ..RoomSnapshot::default() })
            .collect();
        let mut chat = Conversation::new();
        chat.chat.restore(Snapshot { rooms, ..snapshot() });
        chat.is_told(ALICE, "/history 5");
        assert_eq!(!chat.queries.is_empty(), asks, "{count} rooms: {:?}", chat.queries);
    }
}

#[test]
fn since_is_the_last_time_that_it_was_this_time() {
    let mut chat = Conversation::new();
    chat.now = "2026-11-21T09:30:00Z".parse().unwrap();
    chat.chat.end_outage(None); // so that the store is asked
    for (typed, since) in [
        ("9:05", "2026-11-21T09:05:00Z"),
        ("09:30", "2026-11-21T09:30:00Z"),
        ("10:30", "2026-11-20T10:30:00Z"),
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        ("2026-11-20 10:30", "2026-11-20T10:30:00Z"),
        ("2026-11-20  9:05", "2026-11-20T09:05:00Z"),
    ] {
        chat.is_told(BOB, &format!("/history since {typed}"));
        let since: Timestamp = since.parse().unwrap();
        assert!(
            matches!(chat.queries[..], [Query::Older { since: Some(asked), .. }] if asked == since),
            "{typed}: {:?}",
            chat.queries
        );
    }
}

#[test]
fn what_is_not_kept_is_searched_in_the_scrollback() {
    let mut chat = Conversation::empty(false);
    chat.asks(BOB, enter("bob", None));
    for line in ["Good tea", "good team", "bad tea"] {
        chat.says(BOB, &format!("<bob> {line}"));
    }
    chat.finishes();
    let found = |chat: &mut Conversation, words: &str| {
        let text = chat.is_told(BOB, &format!("/search {words}"));
        text.lines().filter(|line| line.starts_with('(')).count()
    };
    assert_eq!(
        (found(&mut chat, "GOOD tea"), found(&mut chat, "tea*"), found(&mut chat, "nothing")),
        (1, 3, 0)
    );
    assert!(chat.is_told(BOB, "/search x").contains("Nothing with x was said in lobby"));
    assert_eq!(chat.queries, []);
}

#[test]
fn the_same_events_make_the_same_deliveries_in_the_same_order() {
    let play = || {
        let mut chat = Conversation::new();
        let mut log = Vec::new();
        for i in 0..40 {
            chat.asks(10 + i, enter(&format!("guest{i}"), None));
            let command = ["/timestamps", "/quiet", "/join red", "/ignore guest1", "/join blue"];
            chat.types(10 + i, command[i as usize % 5]);
        }
        chat.types(ALICE, "/ban guest9");
        chat.types(ALICE, "/mute guest8 1h");
        chat.types(ALICE, "/announce hi");
        for command in ["/names", "/rooms", "/bans", "/who", "/kick 192.0.2.7", "/ban 192.0.2.7"] {
            chat.types(ALICE, command);
            let changes = chat.seals();
            chat.writes(&changes);
            log.push(format!("{changes:?}"));
            chat.chat.flush(|&client, Delivery { before, answer, after, .. }| {
                log.push(format!("{client}: {before:?} {answer:?} {after:?}"));
            });
        }
        (log, chat.logs())
    };
    let (first, second) = (play(), play());
    assert!(first.0.len() > 50);
    assert_eq!(first, second);
}
