//! Arguments told apart, and what is answered when there is nothing to tell.

use super::*;
use crate::core::record::{Author, Found, HistoryLine, LineId, SanctionKind};

/// The end of the sanction that these changes put in force, in seconds from `now`, and its reason.
fn imposed(changes: &[Change], now: Timestamp) -> Option<(Option<i64>, Option<&str>)> {
    changes.iter().find_map(|change| {
        let Change::Sanctioned(sanction) = change else { return None };
        let seconds = |until: Timestamp| until.duration_since(now).as_secs();
        Some((sanction.until.map(seconds), sanction.why.as_deref()))
    })
}

#[test]
fn a_ban_or_a_mute_lasts_as_long_as_was_typed() {
    for (typed, seconds, why) in [
        ("1w spam", Some(7 * 86_400), Some("spam")),
        ("1h30m", Some(5_400), None),
        ("10min", Some(600), None),
        ("2 days too  loud", Some(2 * 86_400), Some("too  loud")),
        ("1y", Some(365 * 86_400), None),
        ("1H", Some(3_600), None),
        ("5M", Some(300), None),
        ("for 1mo spam", Some(30 * 86_400), Some("spam")),
        ("spam", None, Some("spam")),
        ("for a test", None, Some("for a test")),
        ("", None, None),
    ] {
        for command in ["ban", "mute"] {
            let mut chat = Conversation::new();
            chat.passes(1_000);
            chat.types(ALICE, &format!("/{command} zed {typed}"));
            let changes = chat.finishes();
            assert_eq!(imposed(&changes, chat.now), Some((seconds, why)), "/{command} {typed}");
            let told = chat.reads(ALICE);
            let lasts = if seconds.is_some() { " until 19" } else { " for ever" };
            assert!(told.contains(lasts), "/{command} {typed}: {told}");
            let reason = why.map(|why| format!(" ({why})")).unwrap_or_default();
            assert!(told.contains(&reason), "/{command} {typed}: {told}");
        }
    }
}

#[test]
fn a_length_of_time_that_is_not_understood_does_nothing() {
    for typed in [
        "10",
        "10 spam",
        "0m",
        "-5m",
        "99999d",
        "1wk3",
        "50x",
        "1.5h spam",
        "\"1w\" spam",
        "½h",
        "1h 30x spam",
        "2nd time",
    ] {
        for command in ["ban zed", "mute zed", "ban 192.0.2.9", "shutdown"] {
            if (command, typed) == ("shutdown", "10") {
                continue; // seconds
            }
            let mut chat = Conversation::new();
            let told = chat.is_told(ALICE, &format!("/{command} {typed}"));
            assert!(told.contains("Like this: 90s, 30m, 12h"), "/{command} {typed}: {told}");
            assert_eq!(chat.finishes(), [], "/{command} {typed}");
            assert!(chat.chat.take_actions().iter().all(|action| matches!(action, Action::Log(_))));
        }
    }
}

#[test]
fn a_shutdown_takes_seconds_or_a_length_of_time() {
    for (typed, seconds) in [
        ("", 0),
        ("0", 0),
        ("90", 90),
        ("90s", 90),
        ("10 minutes", 600),
        ("2H", 7_200),
        ("24h", 86_400),
    ] {
        let mut chat = Conversation::new();
        chat.types(ALICE, &format!("/shutdown {typed}"));
        let expected = Action::ShutDown(std::time::Duration::from_secs(seconds));
        assert!(chat.chat.take_actions().contains(&expected), "{typed}");
    }
    for typed in ["86401", "25h", "9999999999999999999999", "soon", "-1"] {
        let mut chat = Conversation::new();
        let told = chat.is_told(ALICE, &format!("/shutdown {typed}"));
        assert!(told.contains("Like this: "), "{typed}: {told}");
        let mut actions = chat.chat.take_actions();
        actions.retain(|action| !matches!(action, Action::Log(_)));
        assert!(actions.is_empty(), "{typed}");
    }
}

#[test]
fn a_kick_with_a_length_is_taken_for_a_ban_and_not_carried_out() {
    for (typed, is_kicked) in
        [("10m", false), ("2 days spam", false), ("1W", false), ("spam", true), ("3 strikes", true)]
    {
        let mut chat = Conversation::new();
        let told = chat.is_told(ALICE, &format!("/kick bob {typed}"));
        let refused = format!("*** A kick has no length. /ban bob {typed} keeps bob out.\n");
        assert_eq!(told == refused, !is_kicked, "{typed}: {told}");
        assert_eq!(chat.closed.contains_key(&BOB), is_kicked, "{typed}");
    }
}

#[test]
fn switches_are_read_in_any_case() {
    let mut chat = Conversation::new();
    for (typed, answer) in [
        ("/echo ON", "*** You read your own lines from now on.\n"),
        ("/echo Off", "*** You no longer read your own lines.\n"),
        ("/quiet oN", "*** You no longer read who comes and goes.\n"),
        ("/shutdown OFF", "*** alice called the shutdown off.\n"),
    ] {
        assert_eq!(chat.is_told(ALICE, typed), answer, "{typed}");
    }
}

/// At ten, noon and six in the evening of the first of January 1970, and again at six on the second.
fn talked() -> Conversation {
    let mut chat = Conversation::empty(false);
    chat.asks(BOB, enter("bob", None));
    for (hour, line) in [(10, "<b> one"), (12, "<b> two"), (18, "<b> three"), (42, "<b> four")] {
        chat.now = Timestamp::from_second(hour * 3_600).unwrap();
        chat.says(BOB, line);
    }
    chat.now = Timestamp::from_second(43 * 3_600).unwrap();
    chat
}

#[test]
fn past_lines_are_asked_for_by_number_or_by_time() {
    let mut chat = talked();
    for (typed, lines) in [
        ("", 4),
        ("3", 3),
        ("5000", 4),
        ("99999999999999999999", 4),
        ("1h", 1),
        ("2 hours", 1),
        ("1d 2h", 2),
        ("1 DAY and 8 hours", 3),
        ("since 18:00", 1),
        ("SINCE 17:59", 1),
        ("since 19:00", 0),
        ("since 19:30", 1),
        ("since 1970-01-02", 1),
        ("1970-01-01 12:00", 3),
        ("since 1970-01-01  12:01", 2),
        ("since 1970-01-01T12:01", 2),
        ("since 2h", 1),
        ("since 2030-01-01", 0),
    ] {
        let told = chat.is_told(BOB, &format!("/history {typed}"));
        assert_eq!(told.matches("<b>").count(), lines, "{typed}: {told}");
        if lines == 0 {
            assert_eq!(told, "*** Nothing was said in lobby since then.\n", "{typed}");
        }
    }
    for typed in [
        "0",
        "50x",
        "-5",
        "5 lines",
        "since 25:00",
        "since 2030-02-30",
        "since 10:30:99",
        "1h30",
        "since 5",
        "0m",
        "99999d",
        "since 2026-11-20 25:00",
        "since 2026-11-20T25:00",
        "since 2026-11-20T10:30Z",
        "since 20261120",
        "½",
    ] {
        let told = chat.is_told(BOB, &format!("/history {typed}"));
        let says = "\" is no number of lines and no time. Like this: /history 50, /history 2h, ";
        assert!(told.contains(says), "{typed}: {told}");
    }
}

#[test]
fn nothing_was_said_is_not_the_answer_where_nobody_could_look() {
    let mut chat = Conversation::new();
    chat.types(BOB, "/history");
    let mut reply = None;
    let sealed = chat.chat.seal();
    assert!(sealed.is_empty());
    chat.chat.flush(|&client, delivery| {
        if let (BOB, Some(Answer::Fetch(_, fetched))) = (client, delivery.answer) {
            reply = Some(fetched);
        }
    });
    let mut reply = reply.expect("past lines");
    assert_eq!(reply.show(), "*** Nothing was said in lobby yet.\n");
    let line = HistoryLine { id: LineId(1), at: chat.now, text: "<carol> hi\n".to_owned() };
    assert_eq!(reply.add(Found::Lines(vec![line])), None);
    reply.hidden.push("carol".to_owned());
    assert_eq!(reply.show(), "*** All of that was said by people whom you ignore.\n");
    reply.lines.clear();
    let why = reply.add(Found::Unavailable("its file is locked.".to_owned()));
    assert_eq!(why.as_deref(), Some("*** Older lines cannot be read now: its file is locked.\n"));
    assert_eq!(reply.show(), "");
}

#[test]
fn every_sanction_that_was_put_in_force_is_listed_as_it_was_meant() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/ban 192.0.2.9 2 days spam");
    let changes = chat.finishes();
    let is_it =
        |change: &Change| matches!(change, Change::Sanctioned(s) if s.kind == SanctionKind::Ban);
    assert!(changes.iter().any(is_it));
    assert!(chat.is_told(ALICE, "/bans").contains("banned until 1970-01-03 00:00 by alice: spam"));
    chat.passes(2 * 86_400);
    assert_eq!(chat.is_told(ALICE, "/bans"), "*** Nobody is banned or muted.\n");
}

#[test]
fn a_search_says_what_it_looked_for_and_where() {
    let mut chat = Conversation::empty(false);
    chat.asks(BOB, enter("bob", None));
    chat.asks(CAROL, enter("carol", None));
    for line in ["C++ rules", "see c", "日本語が好き", "3.14159", "ok 😀"] {
        chat.says(BOB, &format!("<bob> {line}"));
    }
    chat.types(CAROL, "/msg bob a secret");
    chat.finishes();
    for (typed, shown, lines) in [
        ("C++", "C++", 1),
        ("\"c\" :-)", "c", 2),
        ("(see) c.", "see c", 1),
        ("好き*", "好き", 1),
        ("3.14", "3.14", 0),
        ("3.14*", "3.14*", 1),
        ("😀", "😀", 1),
        ("secret", "secret", 1),
        ("C#", "C#", 0),
    ] {
        let told = chat.is_told(BOB, &format!("/search {typed}"));
        assert!(told.contains(&format!(" with {shown} ")), "{typed}: {told}");
        assert_eq!(told.matches("\n(").count(), lines, "{typed}: {told}");
    }
    for typed in [":-)", "++", "*", "...", "(", "\u{200d}", "-> <- !="] {
        let told = chat.is_told(BOB, &format!("/search {typed}"));
        assert!(told.starts_with("*** There is no word in that to look for."), "{typed}: {told}");
    }
    for i in 0..300 {
        chat.says(BOB, &format!("<bob> {i}"));
    }
    assert_eq!(
        chat.is_told(BOB, "/search C++"),
        "*** Nothing with C++ is in the last 300 lines of lobby; older ones are not kept.\n"
    );
}

/// Whoever has no account has no private lines in the file that can be found again.
#[test]
fn a_guests_private_lines_are_searched_where_they_are() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/msg bob psst");
    chat.finishes();
    let told = chat.is_told(BOB, "/search psst");
    assert!(told.ends_with("(00:00) [from @alice] psst\n*** End of the history.\n"), "{told}");
    assert!(matches!(&chat.queries[..], [Query::Search { account: None, .. }]));
}

#[test]
fn a_reply_goes_to_whoever_wrote_the_mail_that_was_read_last() {
    let mut chat = Conversation::new();
    let author = |name: &str, account| Author { name: name.to_owned(), account };
    let replies = |chat: &mut Conversation| chat.is_told(BOB, "/reply thank you");
    assert_eq!(replies(&mut chat), "*** Nobody has written to you since you came.\n");
    for (name, account, told) in [
        ("zoe", Some(ZOES), "*** zoe is away: your message is kept.\n"),
        ("alice", Some(ALICES), "[to alice] thank you\n"),
        (
            "alice",
            None,
            "*** alice, whose message you read, has no account. /msg alice TEXT writes to whoever is called so now.\n",
        ),
        (
            "gone",
            Some(AccountId(9)),
            "*** gone, whose message you read, has no account. /msg gone TEXT writes to whoever is called so now.\n",
        ),
    ] {
        chat.asks(BOB, Question::MailRead(author(name, account)));
        chat.finishes();
        assert_eq!(replies(&mut chat), told, "{name}");
    }
    // What is written later comes before mail that was read earlier.
    chat.asks(CAROL, enter("carol", None));
    chat.types(CAROL, "/msg bob hi");
    chat.finishes();
    assert_eq!(replies(&mut chat), "[to carol] thank you\n");
    // Zoe is logged in, under another name.
    chat.asks(BOB, Question::MailRead(author("zoe", Some(ZOES))));
    chat.asks(4, enter("zoe", Some(ZOES)));
    chat.types(4, "/nick zack");
    chat.finishes();
    assert_eq!(replies(&mut chat), "[to zack] thank you\n");
}

#[test]
fn what_is_forgotten_may_have_been_said() {
    let config = RoomsConfig { history_days: Some(2), ..Conversation::config(true) };
    let mut chat = Conversation::with(config);
    chat.passes(100 * 86_400);
    chat.asks(BOB, enter("bob", None));
    for (typed, told) in [
        ("/history since 1970-01-01", "Nothing was said in lobby in the last 2 days."),
        ("/history", "Nothing was said in lobby in the last 2 days."),
        ("/history 1h", "Nothing was said in lobby since then."),
        ("/search tea", "Nothing with tea was said in lobby or to you alone in the last 2 days."),
    ] {
        assert_eq!(chat.is_told(BOB, typed), format!("*** {told}\n"), "{typed}");
    }
}
