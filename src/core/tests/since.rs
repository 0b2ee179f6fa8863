//! `/since`: what was said after a line, once, and the truth about what is left out.

use super::*;
use crate::core::{
    event::Since,
    record::{Found, HistoryLine, LineId},
};

fn since_of(room: &str, after: i64) -> Since {
    Since { room: NameRule::Ascii.check(room, "room's name").unwrap(), after: LineId(after) }
}

fn since(room: &str, after: i64) -> Question {
    Question::Since(Box::new(since_of(room, after)))
}

/// Somebody comes in who has asked at the door what was said after a line.
fn enter_since(name: &str, room: &str, after: i64) -> Question {
    let Question::Enter(mut entry) = enter(name, None) else { unreachable!() };
    entry.wishes.since = Some(Box::new(since_of(room, after)));
    Question::Enter(entry)
}

/// The words of the past lines in what was read.
fn past(read: &str) -> Vec<&str> {
    let lines = read.lines().filter_map(|line| line.strip_prefix('('));
    lines.map(|line| line.split_once(") ").unwrap().1).collect()
}

#[test]
fn each_line_after_that_one_is_told_once_and_private_ones_among_them() {
    for keeps_talk in [true, false] {
        let mut chat = Conversation::empty(keeps_talk);
        chat.asks(ALICE, enter("alice", Some(ALICES)));
        chat.asks(BOB, enter("bob", None));
        for i in 1..=3 {
            chat.says(ALICE, &format!("<alice> {i}"));
        }
        chat.types(ALICE, "/msg bob psst"); // line 4
        chat.says(BOB, "<bob> 5");
        chat.finishes();
        chat.forgets();
        chat.asks(BOB, since("Lobby", 2));
        chat.finishes();
        let read = chat.reads(BOB);
        assert!(
            read.starts_with("*** 3 lines were said in lobby since you left (times are"),
            "{read}"
        );
        assert_eq!(past(&read), ["<@alice> 3", "[from @alice] psst", "<bob> 5"]);
        chat.asks(ALICE, since("lobby", 4));
        chat.asks(BOB, since("lobby", 5));
        chat.finishes();
        assert!(chat.reads(ALICE).starts_with("*** 1 line was said in lobby since you left ("));
        assert_eq!(chat.reads(BOB), "*** Nothing was said in lobby since you left.\n");
        assert!(keeps_talk || chat.queries.is_empty());
    }
}

#[test]
fn at_the_door_it_stands_in_the_place_of_the_backlog() {
    let mut chat = Conversation::new();
    for i in 1..=30 {
        chat.says(ALICE, &format!("<alice> {i}"));
    }
    chat.finishes();
    chat.asks(CAROL, enter_since("carol", "lobby", 5));
    chat.finishes();
    let read = chat.reads(CAROL);
    assert!(read.contains("*** 25 lines were said in lobby since you left"), "{read}");
    assert_eq!(past(&read).len(), 25);

    // In another room it holds when they enter that.
    chat.asks(CAROL, since("red", 30));
    chat.types(ALICE, "/join red");
    chat.finishes();
    assert_eq!(
        chat.reads(CAROL),
        "*** You are told that when you enter red.\n*** alice left lobby (went to red)\n"
    );
    chat.says(ALICE, "<alice> 31");
    chat.finishes();
    let read = chat.is_told(CAROL, "/join RED");
    assert_eq!(past(&read), ["<@alice> 31"], "{read}");
    assert!(chat.is_told(CAROL, "/join lobby").contains("The last 20 lines"), "and once");
}

#[test]
fn more_than_is_remembered_is_read_from_the_file_and_the_rest_is_counted() {
    let mut chat = Conversation::new();
    for i in 1..=310 {
        chat.says(ALICE, &format!("<alice> {i}"));
        if i % 50 == 0 {
            chat.finishes();
        }
    }
    chat.finishes();
    chat.forgets();
    chat.asks(BOB, since("lobby", 5));
    let mut reply = None;
    chat.hands_out_answers(|client, answer| {
        if client == BOB
            && let Some(Answer::Fetch(_, fetched)) = answer
        {
            reply = Some(fetched);
        }
    });
    let mut reply = reply.expect("the store has to be asked");
    let line = |id| HistoryLine { id: LineId(id), at: chat.now, text: format!("<alice> {id}\n") };
    let mut whole = reply.clone();
    let found = whole.look_up(|query| {
        let is_it = matches!(
            query,
            Query::Since { after: LineId(5), before: LineId(11), account: None, most: 1_000, .. }
        );
        assert!(is_it, "{query:?}");
        Found::Lines((6..=10).map(line).collect())
    });
    assert_eq!(found, "");
    let text = whole.show();
    assert!(text.starts_with("*** 305 lines were said in lobby since you left (times"), "{text}");
    // As if there were far more of them.
    let mut too_many = reply.clone();
    reply.look_up(|query| match query {
        Query::CountSince { after: LineId(5), before: LineId(11), .. } => Found::Count(1_112),
        _ => Found::Lines((-1_500..-500).map(line).collect()),
    });
    let text = reply.show();
    let heading =
        "*** 1412 lines were said in lobby since you left; the last 1000 lines (times are";
    assert!(text.starts_with(heading), "{}", text.lines().next().unwrap());
    assert_eq!(past(&text).len(), 1_000);
    assert!(text.contains("<@alice> 310\n"));
    too_many.look_up(|query| match query {
        Query::CountSince { .. } => Found::Count(10_000),
        _ => Found::Lines((-1_500..-500).map(line).collect()),
    });
    assert!(
        too_many.show().starts_with("*** 10300 or more lines were said in lobby since you left;")
    );
    // There is no line behind the highest number, and nobody who asks for it ends the server.
    for after in [i64::MAX, i64::MAX - 1] {
        chat.asks(BOB, since("lobby", after));
        chat.finishes();
        assert!(chat.reads(BOB).starts_with(&format!("*** There is no line {after} here")));
    }
}

#[test]
fn what_is_not_kept_or_not_known_is_not_called_nothing() {
    let mut chat = Conversation::empty(false);
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    for i in 1..=350 {
        chat.says(ALICE, &format!("<alice> {i}"));
    }
    chat.finishes();
    chat.forgets();
    chat.asks(ALICE, since("lobby", 10));
    chat.finishes();
    let read = chat.reads(ALICE);
    let heading = "*** Of what was said in lobby since you left, the last 300 lines (times";
    assert!(read.starts_with(heading), "{}", read.lines().next().unwrap());
    chat.asks(ALICE, since("lobby", 50));
    chat.finishes();
    assert!(chat.reads(ALICE).starts_with("*** 300 lines were said in lobby since you left ("));
    chat.asks(ALICE, since("lobby", 5_000));
    chat.finishes();
    assert_eq!(
        chat.reads(ALICE),
        "*** There is no line 5000 here: lines are counted anew. What was said in lobby since you left is not known.\n"
    );
    // A room that has made way for others forgets.
    chat.types(ALICE, "/join red");
    chat.finishes();
    chat.asks(ALICE, since("red", 3));
    chat.finishes();
    let read = chat.reads(ALICE);
    assert!(read.ends_with("*** What was said in red since you left is not kept.\n"), "{read}");
}

#[test]
fn what_was_removed_is_ignored_or_is_too_old_is_not_told() {
    let mut chat = Conversation::new();
    chat.says(BOB, "<bob> spam");
    chat.says(ALICE, "<alice> 2");
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    chat.types(ALICE, "/remove bob");
    chat.types(CAROL, "/ignore alice");
    chat.finishes();
    chat.asks(CAROL, since("lobby", 0));
    chat.asks(BOB, since("lobby", 0));
    chat.finishes();
    assert_eq!(past(&chat.reads(BOB)), ["<@alice> 2"]);
    let read = chat.reads(CAROL);
    assert!(read.ends_with("*** All of that was said by people whom you ignore.\n"), "{read}");
}

/// Of somebody who comes back a few private lines are remembered: more are in the store.
#[test]
fn private_lines_that_were_forgotten_on_the_way_are_asked_for() {
    for (count, has_more) in [(3, false), (30, true)] {
        let mut chat = resume::with_carol();
        for i in 0..count {
            chat.types(BOB, &format!("/msg carol {i}"));
        }
        chat.departs(CAROL, CloseReason::Closed);
        chat.finishes();
        chat.resumes(4, 1, 2);
        chat.queries.clear();
        chat.asks(4, since("lobby", 1));
        chat.finishes();
        assert_eq!(!chat.queries.is_empty(), has_more, "{count}");
    }
}

/// What was deleted is not called nothing, either.
#[test]
fn a_gap_that_forgetting_or_an_administrator_made_is_said() {
    let mut chat = Conversation::new();
    for i in 1..=5 {
        match i {
            2 => chat.types(BOB, "/msg alice 2"),
            _ => chat.says(BOB, &format!("<bob> {i}")),
        }
    }
    chat.finishes();
    chat.types(ALICE, "/remove bob 2");
    chat.finishes();
    chat.forgets();
    let asks = |chat: &mut Conversation, after| {
        chat.asks(ALICE, since("lobby", after));
        chat.finishes();
        chat.reads(ALICE)
    };
    let removed = "lines that were said since you left were removed by an administrator.\n";
    let read = asks(&mut chat, 1);
    assert!(read.starts_with(&format!("*** 2 {removed}*** 2 lines were said in lobby")), "{read}");
    let removed = "*** 1 line that was said since you left was removed by an administrator.\n";
    let read = asks(&mut chat, 4);
    assert_eq!(read, format!("{removed}*** Nothing else was said in lobby since you left.\n"));
    assert_eq!(asks(&mut chat, 5), "*** Nothing was said in lobby since you left.\n");

    // Another process has deleted lines up to the third, or some server before this one.
    chat.chat.restore(Snapshot { forgotten: LineId(3), last_line: LineId(5), ..snapshot() });
    chat.finishes();
    let read = asks(&mut chat, 2);
    let deleted =
        "*** Lines that were said since you left may have been deleted from the history.\n";
    assert!(read.contains(deleted), "{read}");
    assert!(!asks(&mut chat, 3).contains("deleted"));
    chat.queries.clear();
    let told = chat.is_told(ALICE, "/history");
    assert!(!told.contains("<bob> 1") && !told.contains("[from bob] 2"), "{told}");
    assert!(!chat.queries.is_empty(), "the file may have a younger one");

    // What is too old is not told, whether it is deleted or not.
    for is_deleted in [false, true] {
        let config = RoomsConfig { history_days: Some(2), ..Conversation::config(true) };
        let mut chat = Conversation::with(config);
        chat.asks(ALICE, enter("alice", Some(ALICES)));
        chat.says(ALICE, "<alice> 1");
        chat.says(ALICE, "<alice> 2");
        chat.passes(3 * 24 * 60 * 60);
        chat.says(ALICE, "<alice> 3");
        chat.finishes();
        if is_deleted {
            chat.chat.restore(Snapshot { forgotten: LineId(2), ..snapshot() });
        }
        chat.forgets();
        let too_old = "*** What was said before 1970-01-02 00:00 is no longer kept.\n";
        let read = asks(&mut chat, 1);
        assert!(
            read.starts_with(&format!("{too_old}*** 1 line was said in lobby since")),
            "{read}"
        );
        let read = asks(&mut chat, 2);
        assert!(read.starts_with("*** 1 line was said in lobby since you left"), "{read}");
        chat.passes(3 * 24 * 60 * 60);
        let read = asks(&mut chat, 1);
        let nothing = "*** Nothing else was said in lobby since you left.\n";
        assert!(read.starts_with("*** What was said before") && read.ends_with(nothing), "{read}");
    }
}
