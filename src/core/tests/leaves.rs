//! The data that everybody uses: what it says of itself, and what it keeps to itself.

use super::*;
use crate::core::{
    close_reason::CLOSE_WORDS,
    commands::demo,
    hazard::{Announcement, HAZARDS},
    password::Password,
    rooms::LogLine,
    sentences,
    token::Token,
};

#[test]
fn each_reason_has_its_word_and_tells_a_program_whether_to_come_back() {
    let closed = |reason: CloseReason| (CLOSE_WORDS[reason.kind()], reason.close_code());
    let name = String::new;
    for (reason, word, code, comes_back, is_slow) in [
        (CloseReason::Quit(None), "quit", 1000, false, false),
        (CloseReason::TooSlow(1), "too_slow", 4008, true, true),
        (CloseReason::TooLate(1), "too_late", 4008, true, true),
        (CloseReason::Kicked(name()), "kicked", 4003, false, false),
        (CloseReason::Full(1), "full", 1013, true, false),
        (CloseReason::ServerError, "server_error", 1011, true, false),
        (CloseReason::Upgrade, "upgrade", 1012, true, false),
    ] {
        assert_eq!(closed(reason.clone()), (word, code));
        assert_eq!(reason.is_slow(), is_slow, "{word}");
        let expected = crate::core::notes::bye(code, comes_back);
        assert_eq!(reason.to_program(), expected, "{word}");
    }
}

#[test]
fn numbers_of_accounts_go_up_and_a_first_password_is_marked() {
    assert_eq!(AccountId(7).next(), AccountId(8));
    let hash = PasswordHash("$argon2".to_owned());
    let once = hash.clone().for_one_time();
    assert_eq!((hash.is_for_one_time(), once.is_for_one_time()), (false, true));
    assert_eq!((hash.phc(), once.phc()), ("$argon2", "$argon2"));
}

#[test]
fn a_secret_that_is_printed_says_what_it_is_and_no_more() {
    let token = Token::of(7);
    for shown in [
        format!("{:?}", Password::new("hunter22")),
        format!("{token:?}"),
        format!("{:?}", token.hash()),
    ] {
        assert!(shown.ends_with("…)") && shown.len() < 20, "{shown}");
    }
}

#[test]
fn a_demonstration_is_announced_recorded_and_logged_and_its_question_has_an_answer() {
    let mut chat = Conversation::new();
    chat.logs();
    let hazard = &HAZARDS[0];
    chat.chat.announce_hazard(Announcement {
        hazard: Some(hazard),
        by: Some("alice".to_owned()),
        audit: "showed it".to_owned(),
        says: "look".to_owned(),
        is_shown: Some(true),
    });
    let logged = chat.chat.take_actions();
    let is_it = matches!(
        &logged[..],
        [Action::Log(LogLine { event: "demo", text, .. })] if text == "alice showed it"
    );
    assert!(is_it, "by a name that does not change, for whoever reads the log by a program");
    assert!(matches!(&chat.finishes()[..], [Change::Audit { by, .. }] if by == "alice"));
    assert_eq!(chat.reads(BOB), "*** look\n");
    assert_eq!(chat.chat.check_rest(), Err("a demonstration is under way."));
    for (hazard, is_shown) in [(&HAZARDS[1], true), (hazard, false)] {
        let (audit, says) = (String::new(), String::new());
        let is_shown = Some(is_shown);
        let ends = Announcement { hazard: Some(hazard), by: None, audit, says, is_shown };
        chat.chat.announce_hazard(ends);
    }
    assert_eq!(chat.chat.rooms.lasting.shown, [&HAZARDS[1]], "the other one goes on");
    for hazard in &HAZARDS {
        let (asks, answer) = (hazard.asks(), hazard.answer());
        assert!(asks.starts_with(hazard.question) && asks.contains("; (C) "), "{asks}");
        assert!(answer.contains(hazard.because), "{answer}");
        assert!(!hazard.describe(5).contains("{}"));
    }
    let list = demo::list(&["registry"]);
    assert!(list.starts_with("*** /demo NAME shows it, "), "{list}");
    for (hazard, line) in HAZARDS.iter().zip(list.lines().skip(1)) {
        assert!(line.starts_with(&format!("***   {} ", hazard.name)), "{line}");
        assert_eq!(line.ends_with(" (now)"), hazard.name == "registry", "{line}");
    }
}

#[test]
fn whoever_has_to_wait_for_a_place_is_told_what_for() {
    for (places, taken) in [(5, "all 5 places are taken"), (1, "the only place is taken")] {
        assert_eq!(
            sentences::please_wait_for_a_place(places),
            format!("Please wait: {taken}. Perhaps one is left soon.")
        );
    }
}
