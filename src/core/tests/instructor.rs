//! An instructor has an administrator's rights on one connection; and the entrance that is locked.

use super::*;
use crate::core::record::{Sanction, SanctionKind};

/// Bob has given the code. Nobody has an account but alice, who is not here.
fn class() -> Conversation {
    let mut chat = Conversation::empty(true);
    chat.asks(BOB, enter("bob", None));
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    chat.asks(BOB, Question::BecomeInstructor);
    chat.finishes();
    chat.forgets();
    chat
}

/// Enters from an address of its own, with the code or without it.
fn comes(name: &str, account: Option<AccountId>, is_instructor: bool) -> Question {
    let Question::Enter(mut entry) = enter(name, account) else { unreachable!() };
    entry.is_instructor = is_instructor;
    Question::Enter(entry)
}

fn audits(changes: Vec<Change>) -> Vec<(String, String)> {
    let audit = |change| match change {
        Change::Audit { by, what } => Some((by, what)),
        _ => None,
    };
    changes.into_iter().filter_map(audit).collect()
}

#[test]
fn an_instructor_is_marked_and_has_an_administrators_rights() {
    let mut chat = class();
    chat.says(BOB, "<bob> hi");
    chat.says(BOB, "* bob waves");
    chat.finishes();
    assert_eq!(chat.reads(CAROL), "<@bob> hi\n* @bob waves\n");
    assert_eq!(chat.is_told(CAROL, "/pause"), "*** That is for administrators.\n");
    assert!(chat.is_told(BOB, "/pause").contains("bob paused lobby"));
    chat.says(CAROL, "<carol> but");
    chat.says(BOB, "<bob> quiet");
    chat.finishes();
    assert!(chat.reads(CAROL).ends_with("That was not said.\n<@bob> quiet\n"));
    assert!(chat.is_told(CAROL, "/ask why?").contains("[question to bob] why?"));
    assert!(chat.is_told(CAROL, "/names").contains("@bob, carol"));
    assert!(chat.is_told(CAROL, "/whois bob").contains(" Instructor."));
    let whoami = chat.is_told(BOB, "/whoami");
    assert!(whoami.contains("You are bob: not registered, an instructor. In lobby"), "{whoami}");
    chat.asks(BOB, Question::BecomeInstructor);
    assert_eq!(audits(chat.finishes()), [], "once is enough");
    assert_eq!(chat.reads(BOB), "*** You are an instructor already.\n");
}

#[test]
fn an_instructor_is_not_muted_and_not_banned() {
    let mut chat = class();
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    chat.finishes();
    for (command, says) in [
        ("/mute bob", "bob is an administrator, and administrators are not muted."),
        ("/ban bob", "bob is an administrator, and administrators are not banned."),
    ] {
        assert_eq!(chat.is_told(ALICE, command), format!("*** {says}\n"));
    }
    chat.is_told(ALICE, "/ban 192.0.2.7");
    assert!(chat.is_told(ALICE, "/ban 192.0.2.7").contains("1 sent away"));
    assert!(chat.closed.contains_key(&CAROL) && !chat.closed.contains_key(&BOB));
    assert_eq!(
        chat.is_told(ALICE, "/kick bob"),
        "*** bob left lobby (kicked by alice)\n*** bob is gone.\n"
    );
    chat.departs(BOB, CloseReason::Kicked("kicked by alice".to_owned()));
    chat.finishes();
    chat.asks(4, comes("bob", None, false));
    chat.finishes();
    assert!(chat.reads(4).contains("banned by alice"), "the rights have ended with the connection");
}

#[test]
fn what_an_instructor_does_is_recorded_as_theirs_and_no_accounts() {
    let mut chat = Conversation::empty(true);
    chat.asks(BOB, comes("bob", None, true));
    let entered = audits(chat.finishes());
    assert_eq!(
        entered,
        [("bob (instructor)".to_owned(), "is an instructor, by the pairing code".to_owned())]
    );
    chat.types(BOB, "/announce hello");
    chat.asks(BOB, Question::AnotherCode);
    let done = audits(chat.finishes());
    let what: Vec<&str> = done.iter().map(|(_, what)| what.as_str()).collect();
    assert_eq!(what, ["announced: hello", "made another code for instructors"]);
    assert!(done.iter().all(|(by, _)| by == "bob (instructor)"));
    assert!(chat.logs().iter().any(|line| line.starts_with("bob (c2, 192.0.2.7, instructor) ")));
    assert!(chat.reads(BOB).ends_with("(true)\n"));
    chat.asks(CAROL, enter("carol", None));
    chat.asks(CAROL, Question::AnotherCode);
    assert_eq!(audits(chat.finishes()), []);
    assert!(chat.reads(CAROL).ends_with("(false)\n"), "nobody else makes another code");
    // An administrator who gives the code acts by their account all the same.
    chat.asks(ALICE, comes("alice", Some(ALICES), true));
    chat.types(ALICE, "/announce hello");
    assert!(audits(chat.finishes()).iter().all(|(by, _)| by == "alice"));
    assert!(chat.logs().iter().any(|line| line == "alice (c1, 192.0.2.7) announced: hello"));
}

#[test]
fn an_instructor_comes_in_past_a_ban_and_takes_the_reserved_place() {
    let mut chat = Conversation::empty(true);
    let ban = |target| Sanction {
        kind: SanctionKind::Ban,
        target,
        until: None,
        by: "alice".to_owned(),
        why: None,
    };
    let target = super::super::record::Target::Address("192.0.2.7".to_owned());
    chat.chat.restore(Snapshot { sanctions: vec![ban(target)], ..snapshot() });
    chat.asks(BOB, comes("bob", None, false));
    chat.asks(CAROL, comes("carol", None, true));
    chat.finishes();
    assert!(chat.reads(BOB).contains("banned by alice"));
    assert!(chat.reads(CAROL).contains("You are in lobby"));

    let config = RoomsConfig { has_code: true, ..Conversation::config(true) };
    for (has_code, is_instructor) in [(true, true), (true, false), (false, true)] {
        let config = RoomsConfig { has_code, ..config.clone() };
        let mut chat = Conversation::with(config);
        chat.chat.restore(Snapshot::default()); // nobody has an account
        chat.asks(BOB, Question::TakeReserve(1));
        chat.finishes();
        assert_eq!(chat.reads(BOB).is_empty(), has_code, "whether they may try");
        let Question::Enter(mut entry) = comes("bob", None, is_instructor) else { unreachable!() };
        entry.reserve_of = Some(1);
        chat.asks(BOB, Question::Enter(entry));
        chat.finishes();
        assert_eq!(chat.reads(BOB).contains("You are in lobby"), is_instructor);
    }
}

#[test]
fn a_registered_name_needs_its_password_from_an_instructor_too() {
    let mut chat = Conversation::empty(true);
    chat.asks(BOB, comes("zoe", None, true));
    chat.finishes();
    assert!(chat.reads(BOB).contains("password of"), "the code is no account's");
}

#[test]
fn nobody_new_comes_in_while_the_entrance_is_locked() {
    let mut chat = class();
    assert_eq!(chat.is_told(CAROL, "/lock"), "*** That is for administrators.\n");
    assert_eq!(chat.is_told(BOB, "/unlock"), "*** The entrance is not locked.\n");
    let line = "*** bob locked the entrance (exam): whoever is here stays, and nobody new comes in but administrators.\n";
    assert_eq!(chat.is_told(BOB, "/lock exam"), line);
    assert_eq!(chat.reads(CAROL), line);
    assert_eq!(
        chat.is_told(BOB, "/lock again"),
        "*** The entrance is locked already by bob (exam).\n"
    );
    // A guest, the owner of an account, and whoever does not say yet that they are one.
    for (client, question) in [
        (5, comes("eve", None, false)),
        (6, comes("zoe", Some(ZOES), false)),
        (7, comes("zoe", None, false)),
    ] {
        chat.asks(client, question);
        chat.finishes();
        assert_eq!(chat.reads(client), "(the entrance is locked by bob (exam).)\n");
    }
    chat.says(CAROL, "<carol> still here");
    chat.asks(ALICE, comes("alice", None, false));
    chat.finishes();
    assert!(chat.reads(ALICE).contains("password of"), "an administrator is asked for it first");
    chat.asks(ALICE, comes("alice", Some(ALICES), false));
    chat.asks(8, comes("dan", None, true));
    chat.finishes();
    for client in [ALICE, 8] {
        let told = "*** The entrance is locked by bob (exam). /unlock opens it.\n";
        assert!(chat.reads(client).contains(told), "{client}");
    }
    assert_eq!(
        chat.is_told(ALICE, "/unlock"),
        "*** alice unlocked the entrance: everybody may come in.\n"
    );
    chat.asks(9, comes("eve", None, false));
    chat.finishes();
    assert!(chat.reads(9).contains("You are in lobby"));
}
