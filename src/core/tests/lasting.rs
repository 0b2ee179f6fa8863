//! What lasts is told to whoever comes later; and who somebody is while no password can be read.

use super::*;
use crate::core::record::RoomSnapshot;

/// What somebody reads who comes in now.
fn welcome(chat: &mut Conversation, client: ClientId, name: &str) -> String {
    chat.forgets();
    chat.asks(client, enter(name, None));
    chat.finishes();
    chat.reads(client)
}

#[test]
fn who_comes_while_nothing_is_written_is_told() {
    let mut chat = Conversation::new();
    chat.now = "2026-11-20T10:30:05Z".parse().unwrap();
    for (day, since) in [(0, "10:30:05"), (1, "2026-11-20 10:30:05")] {
        chat.chat.begin_outage("the disk is full.", chat.now);
        let began = chat.now;
        chat.passes(60 + day * 24 * 60 * 60);
        let told = welcome(&mut chat, CAROL, "carol");
        let expected =
            format!("*** The history has not been written since {since}: the disk is full.\n");
        assert!(told.starts_with(&expected), "{told}");
        chat.departs(CAROL, CloseReason::Closed);
        chat.chat.end_outage(None);
        chat.finishes();
        let told = welcome(&mut chat, CAROL, "carol");
        assert!(!told.contains("not been written"), "{told}");
        chat.departs(CAROL, CloseReason::Closed);
        chat.finishes();
        chat.now = began;
    }
}

#[test]
fn who_comes_before_a_shutdown_is_told_how_long_the_server_still_runs() {
    let mut chat = Conversation::new();
    for (typed, passed, told) in [
        ("/shutdown 60", 20, "*** The server stops in 40 s.\n"),
        ("/shutdown 5m", 0, "*** The server stops in 300 s.\n"),
        ("/shutdown 90s", 89, "*** The server stops in 1 s.\n"),
        ("/shutdown 0", 0, "*** The server stops in 0 s.\n"),
        ("/shutdown off", 0, ""),
    ] {
        chat.types(ALICE, typed);
        chat.finishes();
        chat.passes(passed);
        let welcome = welcome(&mut chat, CAROL, "carol");
        assert!(welcome.starts_with(&format!("{told}*** You are in lobby")), "{typed}: {welcome}");
        chat.departs(CAROL, CloseReason::Closed);
        chat.finishes();
    }
}

#[test]
fn while_no_password_can_be_read_every_new_name_is_marked() {
    let mut chat = Conversation::new();
    chat.chat.doubt_names();
    chat.finishes();
    for client in [ALICE, BOB] {
        let told = chat.reads(client);
        assert!(told.contains("nobody can prove who they are"), "{told}");
    }
    // Zoe's name is registered, and no password is asked for.
    let told = welcome(&mut chat, CAROL, "zoe");
    assert!(told.contains("You are shown as zoe?."), "{told}");
    assert_eq!(chat.reads(BOB), "*** zoe? entered lobby\n");
    chat.says(CAROL, "<zoe> hi");
    chat.says(BOB, "<bob> hi");
    chat.says(ALICE, "<alice> hi");
    chat.types(CAROL, "/msg bob psst");
    chat.finishes();
    assert_eq!(
        chat.reads(BOB),
        "<zoe?> hi\n<@alice> hi\n[from zoe?] psst\n",
        "who was here stays who they are"
    );
    for (command, told) in [
        ("/names", "*** lobby (3): @alice, bob, zoe?\n"),
        ("/whois zoe", "*** zoe? is in lobby"),
        ("/whois zoe?", "*** zoe? is in lobby"),
        ("/msg zoe secret", "*** Nobody knows whether that is zoe"),
        ("/msg zoe? hello", "[to zoe?] hello\n"),
        ("/ignore zoe?", "*** You no longer read what zoe? says."),
        ("/unignore zoe?", "*** You read what zoe says again."),
    ] {
        let answer = chat.is_told(BOB, command);
        assert!(answer.starts_with(told), "{command}: {answer}");
    }
    assert!(chat.is_told(BOB, "/who").contains("  zoe?  "), "{}", chat.is_told(BOB, "/who"));
    // Nobody becomes an administrator now, and who is one can do what they could.
    assert!(chat.is_told(CAROL, "/kick bob").contains("for administrators"));
    assert!(chat.is_told(CAROL, "/nick zed").contains("You are now zed."));
    assert_eq!(chat.reads(BOB), "*** zoe? is now zed?\n");
    assert!(chat.is_told(ALICE, "/mute zed?").contains("zed? is muted"));
    assert!(chat.is_told(ALICE, "/kick zed?").contains("zed? is gone"));
}

#[test]
fn when_passwords_can_be_read_again_marks_go_and_a_registered_name_keeps_its_own() {
    let mut chat = Conversation::empty(true);
    chat.chat.doubt_names(); // the file cannot be read at the start
    for (client, name) in [(ALICE, "alice"), (BOB, "bob"), (CAROL, "Zoe")] {
        chat.asks(client, enter(name, None));
    }
    chat.finishes();
    let told = chat.is_told(BOB, "/nick robert");
    assert!(told.starts_with("*** You are now robert.\n"), "{told}");
    assert!(told.ends_with("You are shown as robert?.\n"), "{told}");
    chat.is_told(BOB, "/nick bob");
    // A number that is given out now may be an account's in the file.
    chat.asks(BOB, register());
    chat.finishes();
    let told = chat.reads(BOB);
    assert_eq!(
        told,
        "*** Your name is not kept: as long as no password can be read, it is not known whether it is somebody's.\n"
    );
    chat.forgets();
    chat.chat.restore(snapshot());
    chat.finishes();
    let told = chat.reads(BOB);
    assert!(told.starts_with("*** Passwords can be read again."), "{told}");
    assert!(!told.contains("registered"), "{told}");
    let told = chat.reads(CAROL);
    assert!(
        told.contains("zoe is registered, so you are still shown as Zoe?. /login zoe"),
        "{told}"
    );
    assert_eq!(chat.is_told(BOB, "/names"), "*** lobby (3): alice?, bob, Zoe?\n");
    assert!(chat.is_told(ALICE, "/ban bob").contains("for administrators"));

    // The owner proves it; another one takes a free name; and the owner who comes has the name.
    chat.asks(ALICE, Question::LogIn(Login { account: ALICES, private: Vec::new() }));
    assert!(chat.is_told(CAROL, "/nick carol").contains("You are now carol."));
    assert_eq!(chat.is_told(BOB, "/names"), "*** lobby (3): @alice, bob, carol\n");
}

#[test]
fn a_past_that_cannot_be_read_is_not_nothing() {
    let mut chat = Conversation::empty(true);
    chat.chat.doubt_names();
    for command in
        ["/history", "/history 5", "/history 2h", "/history since 2026-01-01", "/search hi"]
    {
        chat.asks(BOB, enter("bob", None));
        chat.finishes();
        chat.forgets();
        chat.types(BOB, command);
        chat.finishes();
        assert_eq!(chat.queries.len(), 1, "{command}: the store is asked, and says why not");
    }
}

#[test]
fn what_is_out_of_reach_without_unicode_names_is_logged() {
    let named =
        |names: &[&str]| names.iter().map(|name| account(ZOES, name, false)).collect::<Vec<_>>();
    let rooms = |names: &[&str]| -> Vec<RoomSnapshot> {
        names
            .iter()
            .map(|name| RoomSnapshot { name: (*name).to_owned(), ..RoomSnapshot::default() })
            .collect()
    };
    for (names, accounts, room_names, counts) in [
        (NameRule::Ascii, &["zoe", "zoé", "Ёлка"][..], &["math", "日本"][..], Some((2, 1))),
        (NameRule::Ascii, &["zoe"], &["été", "日本"], Some((0, 2))),
        (NameRule::Ascii, &["élodie"], &[], Some((1, 0))),
        (NameRule::Ascii, &["zoe"], &["math", "lobby"], None),
        (NameRule::Unicode, &["zoe", "zoé", "Ёлка"], &["math", "日本"], None),
    ] {
        let config = RoomsConfig { names, ..Conversation::config(true) };
        let snapshot =
            Snapshot { accounts: named(accounts), rooms: rooms(room_names), ..Snapshot::default() };
        let mut chat: Chat<ClientId> = Chat::new(config, Table::default(), snapshot);
        let logged = chat.take_actions().into_iter().find_map(|action| match action {
            Action::Log(line) if line.text.contains("out of reach") => Some(line.text),
            _ => None,
        });
        let expected =
            counts.map(|(accounts, rooms)| format!("accounts: {accounts}, rooms: {rooms} "));
        assert_eq!(logged.is_some(), expected.is_some(), "{logged:?}");
        assert!(logged.zip(expected).is_none_or(|(line, counts)| line.contains(&counts)));
    }
}

#[test]
fn administrators_are_warned_when_it_happens_and_when_they_come() {
    let warning = Some("The certificate expires soon.".to_owned());
    let told = |text: &str| text.contains("*** The certificate expires soon.\n");
    let mut chat = Conversation::new();
    chat.forgets();
    for _ in 0..2 {
        chat.chat.warn(warning.clone());
        chat.finishes();
        assert_eq!(chat.reads(ALICE), "*** The certificate expires soon.\n", "each time");
        assert_eq!(chat.reads(BOB), "");
    }
    assert!(!told(&welcome(&mut chat, CAROL, "carol")));
    chat.asks(CAROL, Question::BecomeInstructor);
    chat.finishes();
    assert!(told(&chat.reads(CAROL)));
    chat.chat.warn(None);
    chat.forgets();
    chat.asks(BOB, Question::BecomeInstructor);
    chat.finishes();
    assert!(!told(&chat.reads(BOB)));
}

#[test]
fn administrators_are_told_of_a_large_file_when_they_come_and_when_they_become_one() {
    let large = "*** The history has become larger than 1 GiB. Nothing is deleted for that, ";
    let told = |text: &str| text.contains(large);
    let is_large = |is_large| Snapshot { is_large, ..snapshot() };
    let mut chat = Conversation::new();
    chat.forgets();
    chat.chat.restore(is_large(true));
    chat.finishes();
    assert!(chat.reads(ALICE).starts_with(large));
    assert_eq!(chat.reads(BOB), "");
    chat.chat.restore(is_large(true));
    chat.finishes();
    assert_eq!(chat.reads(ALICE), "", "once is enough");

    assert!(!told(&welcome(&mut chat, CAROL, "carol")));
    chat.asks(CAROL, Question::BecomeInstructor);
    chat.finishes();
    assert!(told(&chat.reads(CAROL)));
    chat.asks(BOB, Question::LogIn(Login { account: ALICES, private: Vec::new() }));
    chat.finishes();
    assert!(told(&chat.reads(BOB)));

    chat.chat.restore(is_large(false));
    chat.finishes();
    chat.departs(CAROL, CloseReason::Closed);
    assert!(!told(&welcome(&mut chat, CAROL, "carol")));
    chat.asks(CAROL, Question::BecomeInstructor);
    chat.finishes();
    assert!(!told(&chat.reads(CAROL)));

    let mut config = Conversation::config(true);
    config.history_max = Some("2.0 GiB".to_owned());
    let mut chat = Conversation::with(config);
    chat.chat.restore(is_large(true));
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    chat.finishes();
    assert!(!told(&chat.reads(ALICE)), "it is looked after");
}
