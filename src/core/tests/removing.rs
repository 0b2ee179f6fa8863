//! `/remove`: whose lines, which, and who is told.

use super::*;
use crate::core::{
    event::Recalled,
    record::{Found, HistoryLine, LineId},
};

/// In the lobby: bob says four lines and carol one; alice announces.
fn talked() -> Conversation {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    for line in ["<bob> one", "<bob> C++ is c", "* bob waves", "<carol> mine", "<bob> four"] {
        let who = if line.contains("carol") { CAROL } else { BOB };
        chat.says(who, line);
    }
    chat.types(ALICE, "/announce a break");
    chat.finishes();
    chat.forgets();
    chat
}

#[test]
fn the_last_lines_of_a_name_are_removed_or_the_last_with_words() {
    for (typed, lines, author, left) in [
        ("bob", &["<bob> four"][..], "bob", 5),
        ("BOB 1", &["<bob> four"], "bob", 5),
        ("@bob 2", &["* bob waves", "<bob> four"], "bob", 4),
        ("bob 4", &["<bob> one", "<bob> C++ is c", "* bob waves", "<bob> four"], "bob", 2),
        ("bob c++", &["<bob> C++ is c"], "bob", 5),
        ("bob ONE", &["<bob> one"], "bob", 5),
        ("bob wav*", &["* bob waves"], "bob", 5),
        ("carol", &["<carol> mine"], "carol", 5),
        ("alice", &["*** Announcement by @alice: a break"], "alice", 5),
    ] {
        let mut chat = talked();
        chat.types(ALICE, &format!("/remove {typed}"));
        let changes = chat.finishes();
        let some = match lines.len() {
            1 => "a line".to_owned(),
            n => format!("{n} lines"),
        };
        let [Change::LinesRemoved(ids), Change::Audit { by, what }] = &changes[..] else {
            panic!("{typed}: {changes:?}")
        };
        assert_eq!(ids.len(), lines.len(), "{typed}");
        assert_eq!((&**by, &**what), ("alice", &*format!("removed {some} of {author}'s in lobby")));
        let (told, others) = (chat.reads(ALICE), chat.reads(BOB));
        assert!(lines.iter().all(|line| told.contains(&format!("(00:00) {line}\n"))), "{told}");
        assert_eq!(told.matches("(00:00)").count(), lines.len(), "{told}");
        let were = if lines.len() == 1 { "A line of" } else { &*format!("{some} of") };
        assert!(others.starts_with(&format!("*** {were} {author}'s w")), "{others}");
        assert!(others.ends_with(" removed by alice.\n"), "{others}");
        let past = chat.is_told(BOB, "/history");
        assert_eq!(past.matches("(00:00)").count(), left, "{typed}: {past}");
        assert!(lines.iter().all(|line| !past.contains(*line)), "{typed}: {past}");
        let log = chat.logs().join("\n");
        assert!(log.contains("removed ") && !lines.iter().any(|line| log.contains(*line)));
    }
}

#[test]
fn what_is_not_understood_or_not_there_removes_nothing() {
    for (typed, told) in [
        ("", "Like this: /remove NAME [COUNT|WORDS]"),
        ("dave", "No line of dave's is in the last 6 lines of lobby."),
        ("bob nonsense", "No line of bob's with nonsense is in the last 6 lines of lobby."),
        ("bob bob", "No line of bob's with bob is in the last 6 lines of lobby."),
        ("carol four", "No line of carol's with four is in the last 6 lines of lobby."),
        ("3", "No line of 3's is in the last 6 lines of lobby."),
        ("bob 0", "\"0\" is no number of lines."),
        ("bob 3x", "\"3x\" is no number of lines."),
        ("bob -1", "\"-1\" is no number of lines."),
        ("bob 3 lines", "\"3 lines\" is no number of lines."),
        (
            "bob 5",
            "4 of bob's are in the last 6 lines of lobby, and not 5. /remove bob \"5\" looks for that word.",
        ),
        ("bob 4711", "4 of bob's are in the last 6 lines of lobby, and not 4711."),
        ("bob \"4711\"", "No line of bob's with 4711 is in the last 6 lines of lobby."),
        ("dave 2", "0 of dave's are in the last 6 lines of lobby, and not 2."),
        ("bob :-)", "\":-)\" is no word to look for."),
    ] {
        let mut chat = talked();
        let answer = chat.is_told(ALICE, &format!("/remove {typed}"));
        assert!(answer.contains(told), "{typed}: {answer}");
        assert_eq!(chat.is_told(BOB, "/history").matches("(00:00)").count(), 6, "{typed}");
    }
    let mut chat = talked();
    assert_eq!(chat.is_told(BOB, "/remove bob"), "*** That is for administrators.\n");
    chat.types(ALICE, "/join math");
    chat.finishes();
    assert_eq!(chat.is_told(ALICE, "/remove bob"), "(looks up)\n");
}

#[test]
fn private_lines_are_not_touched_and_a_newcomer_is_not_told() {
    let mut chat = talked();
    chat.types(BOB, "/msg carol four");
    chat.types(ALICE, "/remove bob 4");
    chat.finishes();
    assert!(chat.is_told(CAROL, "/history").contains("[from bob] four\n"));
    chat.asks(4, enter("dave", None));
    chat.finishes();
    let told = chat.reads(4);
    assert!(told.contains("<carol> mine") && !told.contains("<bob>"), "{told}");
}

/// During an outage the file has them still.
#[test]
fn what_was_removed_is_not_told_from_the_file_either() {
    let mut chat = talked();
    chat.types(ALICE, "/remove bob 4");
    chat.finishes();
    chat.types(BOB, "/history 100");
    chat.hands_out_answers(|client, answer| {
        if let (BOB, Some(Answer::Fetch(_, mut reply))) = (client, answer) {
            let line = |id, text: &str| HistoryLine {
                id: LineId(id),
                at: Timestamp::UNIX_EPOCH,
                text: format!("<bob> {text}\n"),
            };
            reply.add(Found::Lines(vec![line(1, "one"), line(5, "four"), line(9, "later")]));
            let shown = reply.show();
            assert!(shown.contains("later") && !shown.contains("one"), "{shown}");
            assert!(!shown.contains("four"), "{shown}");
        }
    });
}

#[test]
fn a_full_scrollback_has_older_lines_after_a_removal_too() {
    let mut chat = Conversation::new();
    for i in 0..310 {
        chat.says(BOB, &format!("<bob> {i}"));
    }
    chat.types(ALICE, "/remove bob 50");
    chat.finishes();
    chat.forgets();
    chat.is_told(BOB, "/history 300");
    assert!(
        matches!(chat.queries[..], [Query::Older { before: LineId(11), .. }]),
        "{:?}",
        chat.queries
    );
}

#[test]
fn a_room_that_made_way_is_looked_up_first() {
    let line = |id, text: &str| HistoryLine {
        id: LineId(id),
        at: Timestamp::UNIX_EPOCH,
        text: format!("{text}\n"),
    };
    let found = || vec![line(1, "<bob> one"), line(2, "<carol> two"), line(3, "* bob waves")];
    for (arguments, is_all, removed) in [
        ("bob", true, "LinesRemoved([LineId(3)])"),
        ("bob one", true, "LinesRemoved([LineId(1)])"),
        ("bob 2", false, "LinesRemoved([LineId(1), LineId(3)])"),
        ("carol", false, "LinesRemoved([LineId(2)])"),
        ("dave", true, ""),
    ] {
        let mut chat = Conversation::new();
        chat.types(ALICE, "/join math"); // perhaps it was there before
        chat.finishes();
        assert_eq!(chat.is_told(ALICE, &format!("/remove {arguments}")), "(looks up)\n");
        let query = chat.queries.pop();
        let Some(Query::Older { room, account: None, most: 300, .. }) = query else {
            panic!("{query:?}")
        };
        assert_eq!(room, "math");
        let recalled =
            || Box::new(Recalled { lines: found(), is_all, arguments: arguments.to_owned() });
        chat.asks(BOB, Question::Recalled(recalled()));
        assert!(chat.finishes().is_empty(), "bob is no administrator");
        chat.forgets();
        chat.asks(ALICE, Question::Recalled(recalled()));
        let changes = chat.finishes();
        let change = changes.first().map(|change| format!("{change:?}")).unwrap_or_default();
        assert_eq!(change, removed, "{arguments}");
        let told = chat.reads(ALICE);
        if removed.is_empty() {
            assert_eq!(told, "*** No line of dave's is in the last 3 lines of math.\n");
        }
        // What is remembered is all there is, if the store has said so.
        chat.forgets();
        chat.types(ALICE, "/remove nobody");
        chat.finishes();
        assert_eq!(chat.reads(ALICE) != "(looks up)\n", is_all, "{arguments}");
    }
}

#[test]
fn a_look_alike_is_removed_if_there_is_no_such_name() {
    for (typed, removed) in [("b0b", "<b0b> mine"), ("B0B", "<b0b> mine"), ("bOb", "<bob> yours")] {
        let mut chat = Conversation::new();
        chat.says(BOB, "<b0b> mine"); // by somebody who is gone
        chat.says(BOB, "<bob> yours");
        chat.finishes();
        let told = chat.is_told(ALICE, &format!("/remove {typed}"));
        assert!(told.contains(&format!("(00:00) {removed}\n")), "{typed}: {told}");
    }
    let mut chat = Conversation::new();
    chat.says(BOB, "<al1ce> mine");
    chat.finishes();
    let told = chat.is_told(ALICE, "/remove alIce");
    assert!(told.contains("(00:00) <al1ce> mine\n"), "{told}");
}
