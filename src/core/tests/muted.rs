//! A mute holds for whoever is behind it: for one who comes again under another name, who was muted
//! when they came, and for what they had set before. So does being ignored.

use super::*;
use crate::core::event::Login;

const DAVE: ClientId = 4;
const ERIN: ClientId = 5;
const UNTIL: &str = "1970-01-01 01:00.";

/// Comes in from this address.
fn enter_from(address: &str, name: &str, account: Option<AccountId>) -> Question {
    let Question::Enter(mut entry) = enter(name, account) else { unreachable!() };
    entry.address = address.parse().unwrap();
    Question::Enter(entry)
}

const ELSEWHERE: &str = "198.51.100.4";
const HERE: &str = "203.0.113.9";

/// Alice is an administrator; carol is a guest from another address, and is muted.
fn a_mute(for_how_long: &str) -> Conversation {
    let mut chat = Conversation::empty(true);
    let pupils = (10..40).map(|id| account(AccountId(id), &format!("n{id}"), false));
    let others = [account(ALICES, "alice", true), account(ZOES, "zoe", false)];
    let accounts = others.into_iter().chain(pupils).collect();
    let last_account = AccountId(40);
    chat.chat.restore(Snapshot { accounts, last_account, ..Snapshot::default() });
    chat.asks(ALICE, enter_from(ELSEWHERE, "alice", Some(ALICES)));
    chat.asks(CAROL, enter_from(HERE, "carol", None));
    chat.types(ALICE, &format!("/mute carol {for_how_long}"));
    chat.finishes();
    chat.forgets();
    chat.logs();
    chat
}

/// The same, but carol is one of a class of guests.
fn a_class(pupils: std::ops::Range<ClientId>) -> Conversation {
    let mut chat = a_mute("1h");
    chat.types(ALICE, "/unmute carol");
    chat.departs(CAROL, CloseReason::Closed);
    for pupil in pupils.clone() {
        chat.comes(pupil, &format!("n{pupil}"), None);
    }
    chat.types(ALICE, &format!("/mute n{} 1h", pupils.start));
    chat.finishes();
    chat
}

impl Conversation {
    /// Somebody comes from the address that carol has; returns what they read.
    fn comes(&mut self, client: ClientId, name: &str, account: Option<AccountId>) -> String {
        self.forgets();
        self.asks(client, enter_from(HERE, name, account));
        self.finishes();
        self.reads(client)
    }

    /// Whether alice reads what somebody says.
    fn is_heard(&mut self, client: ClientId, name: &str) -> bool {
        self.forgets();
        self.says(client, &format!("<{name}> hi"));
        self.finishes();
        let heard = self.reads(ALICE);
        assert!(heard.is_empty() || heard == format!("<{name}> hi\n"), "{heard}");
        !heard.is_empty()
    }
}

#[test]
fn a_muted_guest_who_comes_again_under_another_name_is_muted_still() {
    for reason in [CloseReason::Closed, CloseReason::Quit(None), CloseReason::Lost("reset".into())]
    {
        for released in ["carol", "max"] {
            let mut chat = a_mute("1h");
            chat.departs(CAROL, reason.clone());
            chat.passes(9 * 60);
            let told = chat.comes(DAVE, "max", None);
            let expected = format!(
                "*** You are muted by alice until {UNTIL}\n*** carol is muted and has just left your address. If you are somebody else, ask an administrator: /unmute max ends it.\n"
            );
            assert!(told.starts_with(&expected), "{told}");
            let told = chat.reads(ALICE);
            assert!(told.contains("*** max comes from the address that carol, who is muted, has just left. So max is muted, too. /unmute max ends both.\n"), "{told}");
            let logged = chat.chat.take_actions().into_iter().find_map(|action| match action {
                Action::Log(line) => Some((line.event, line.client, line.address, line.text)),
                _ => None,
            });
            let text = format!("c4 (max) is muted, as carol was, who has just left {HERE}");
            let address = HERE.parse().unwrap();
            assert_eq!(logged, Some(("muted_again", Some(DAVE), Some(address), text)));
            assert!(!chat.is_heard(DAVE, "max"));
            assert_eq!(
                chat.is_told(DAVE, "/nick bea"),
                format!("*** You are muted by alice until {UNTIL}\n")
            );
            // Once more, and from two connections.
            chat.departs(DAVE, CloseReason::Closed);
            assert!(chat.comes(BOB, "ben", None).contains("max is muted and has just left"));
            assert!(!chat.is_heard(BOB, "ben"));
            assert!(chat.comes(ERIN, "eva", None).contains("max is muted and has just left"));
            let released = if released == "max" { "eva" } else { released };
            let told = chat.is_told(ALICE, &format!("/unmute {released}"));
            assert_eq!(told, format!("*** {released} is muted no longer.\n"));
            for (client, name) in [(BOB, "ben"), (ERIN, "eva")] {
                assert_eq!(chat.reads(client), "*** You are muted no longer.\n", "{name}");
            }
            for (client, name) in [(BOB, "ben"), (ERIN, "eva")] {
                assert!(chat.is_heard(client, name), "{name}");
            }
        }
    }
}

/// Whoever has an account leaves it behind no more easily than a name.
#[test]
fn a_muted_owner_of_an_account_who_comes_again_as_a_guest_is_muted_still() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter_from(HERE, "zoe", Some(ZOES)));
    chat.types(ALICE, "/mute zoe 1h");
    chat.finishes();
    chat.departs(CAROL, CloseReason::Closed);
    let told = chat.comes(DAVE, "max", None);
    assert!(told.contains("*** zoe is muted and has just left your address."), "{told}");
    assert!(!chat.is_heard(DAVE, "max"));
    assert!(chat.is_told(DAVE, "/nick bea").starts_with("*** You are muted"));
    // Her account is muted in whatever connection, and so is who was a guest there.
    assert!(chat.comes(CAROL, "zoe", Some(ZOES)).contains("*** You are muted"));
    assert_eq!(chat.is_told(ALICE, "/unmute max"), "*** max is muted no longer.\n");
    assert!(chat.is_heard(DAVE, "max") && chat.is_heard(CAROL, "zoe"));
}

/// Two connections of one person are two people to the server. The administrator is told of the
/// other one.
#[test]
fn who_is_here_twice_is_shown_to_whoever_mutes_or_bans() {
    let other = "*** max is here from the same address, perhaps the same person: it does not hold for max.\n";
    for (name, account) in [("zoe", Some(ZOES)), ("carol", None)] {
        for command in ["mute", "ban"] {
            let mut chat = Conversation::new();
            chat.asks(CAROL, enter_from(HERE, name, account));
            chat.asks(DAVE, enter_from(HERE, "max", None));
            chat.finishes();
            let told = chat.is_told(ALICE, &format!("/{command} {name}"));
            assert!(told.ends_with(other), "{told}");
            assert!(chat.is_heard(DAVE, "max"), "nobody is punished for an address");
            if command == "mute" {
                let told = chat.is_told(ALICE, "/mute max");
                assert!(told.contains(&format!("{name} is here from the same address")), "{told}");
            }
            // A class behind one router is not told of.
            let mut chat = Conversation::new();
            chat.asks(CAROL, enter_from(HERE, name, account));
            chat.asks(DAVE, enter_from(HERE, "max", None));
            chat.asks(ERIN, enter_from(HERE, "erin", None));
            chat.finishes();
            let told = chat.is_told(ALICE, &format!("/{command} {name}"));
            assert!(!told.contains("same address"), "{told}");
        }
    }
}

#[test]
fn whoever_is_probably_somebody_else_is_not_muted() {
    type Act = fn(&mut Conversation);
    let cases: [(&str, Act); 6] = [
        ("it is long ago", |chat| chat.passes(10 * 60 + 1)),
        ("the mute was ended", |chat| chat.types(ALICE, "/unmute carol")),
        ("two others are here from there", |chat| {
            chat.asks(BOB, enter_from(HERE, "zoe", Some(ZOES)));
            chat.asks(ERIN, enter_from(HERE, "erin", Some(AccountId(30))));
        }),
        ("the mute is over", |chat| {
            chat.types(ALICE, "/mute carol 1m");
            chat.passes(61);
        }),
        ("a class is here, and was before", |chat| {
            for client in 10..40 {
                let account = Some(AccountId(client as i64));
                chat.asks(client, enter_from(HERE, &format!("n{client}"), account));
            }
        }),
        ("nobody is muted", |chat| chat.types(ALICE, "/unmute CAROL")),
    ];
    for (why, change) in cases {
        let mut chat = a_mute("1h");
        chat.departs(CAROL, CloseReason::Closed);
        change(&mut chat);
        chat.finishes();
        assert!(!chat.comes(DAVE, "max", None).contains("muted"), "{why}");
        assert!(chat.is_heard(DAVE, "max"), "{why}");
    }
    // All of a class behind one router lose their connections, and come again one by one.
    for pupils in [10..13, 10..40] {
        let mut chat = a_class(pupils.clone());
        pupils.clone().for_each(|pupil| chat.departs(pupil, CloseReason::Lost("reset".to_owned())));
        chat.finishes();
        for pupil in pupils {
            let (client, name) = (pupil + 100, format!("again{pupil}"));
            assert!(!chat.comes(client, &name, None).contains("muted"), "{name}");
            assert!(chat.is_heard(client, &name), "{name}");
        }
    }
    // From elsewhere, with an account, or while the one who is muted is here.
    let mut chat = a_mute("1h");
    assert!(!chat.comes(BOB, "bob", None).contains("muted"), "carol has not left");
    chat.departs(CAROL, CloseReason::Closed);
    chat.finishes();
    assert!(chat.is_heard(BOB, "bob"), "bob came before she left");
    assert!(!chat.comes(DAVE, "zoe", Some(ZOES)).contains("muted"), "zoe has an account");
    chat.asks(ERIN, enter_from("192.0.2.1", "erin", None));
    chat.finishes();
    assert!(chat.is_heard(ERIN, "erin"), "erin comes from elsewhere");
}

#[test]
fn one_who_was_muted_when_they_came_stays_so_whatever_they_become() {
    let mut chat = a_mute("1h");
    chat.departs(CAROL, CloseReason::Closed);
    chat.passes(20 * 60);
    assert!(chat.comes(DAVE, "carol", None).contains("You are muted by alice"));
    // An administrator is not muted, and is again when they are none any more.
    chat.asks(DAVE, Question::LogIn(Login { account: ALICES, private: Vec::new() }));
    chat.finishes();
    chat.asks(BOB, enter_from(ELSEWHERE, "bob", None));
    chat.finishes();
    let heard = |chat: &mut Conversation| {
        chat.forgets();
        chat.says(DAVE, "<alice> hi");
        chat.finishes();
        !chat.reads(BOB).is_empty()
    };
    assert!(heard(&mut chat));
    let mute = crate::core::record::Sanction {
        kind: crate::core::record::SanctionKind::Mute,
        target: crate::core::record::Target::Name("carol".to_owned()),
        until: None,
        by: "boss".to_owned(),
        why: None,
    };
    chat.chat.restore(Snapshot {
        accounts: vec![account(ALICES, "alice", false)],
        sanctions: vec![mute],
        last_account: ZOES,
        ..Snapshot::default()
    });
    chat.finishes();
    assert!(!heard(&mut chat));
}

#[test]
fn a_mute_that_is_over_is_not_that_of_the_next_one_of_that_name() {
    let mut chat = a_mute("5m");
    chat.passes(5 * 60);
    assert!(chat.is_told(CAROL, "/nick max").contains("You are now max"));
    assert!(!chat.comes(DAVE, "carol", None).contains("muted"));
    chat.types(ALICE, "/mute carol");
    chat.finishes();
    assert!(chat.is_heard(CAROL, "max"), "the other carol is muted");
    assert!(!chat.is_heard(DAVE, "carol"));
}

#[test]
fn what_a_muted_one_has_set_before_is_told_no_more() {
    let mut chat = a_mute("1h");
    chat.types(ALICE, "/unmute carol");
    chat.types(CAROL, "/away you are all stupid");
    chat.finishes();
    for (command, told) in [
        ("/who", "away: you are all stupid"),
        ("/whois carol", "Away: you are all stupid."),
        ("/msg carol hi", "*** carol is away: you are all stupid\n"),
    ] {
        assert!(chat.is_told(ALICE, command).contains(told), "{command}");
    }
    chat.types(ALICE, "/mute carol");
    chat.finishes();
    for (command, told) in [
        ("/who", ", away: away\n"),
        ("/whois carol", "Away: away."),
        ("/msg carol hi", "*** carol is away: away\n"),
    ] {
        let answer = chat.is_told(ALICE, command);
        assert!(answer.contains(told) && !answer.contains("stupid"), "{command}: {answer}");
    }
}

/// Whoever is ignored as a guest, and then has an account, is the same one under every later name.
#[test]
fn a_guest_who_is_ignored_and_registers_is_ignored_still() {
    type Act = fn(&mut Conversation);
    let ignores: [(&str, Act); 3] = [
        ("while he is here", |chat| chat.types(ALICE, "/ignore bob")),
        ("before he comes", |chat| {
            chat.departs(BOB, CloseReason::Closed);
            chat.finishes();
            chat.types(ALICE, "/ignore bob");
            chat.asks(BOB, enter("bob", None));
        }),
        ("who came before", |chat| {
            chat.types(ALICE, "/ignore bob");
            chat.departs(BOB, CloseReason::Closed);
            chat.finishes();
            chat.asks(BOB, enter("bob", None));
        }),
    ];
    for (when, ignore) in ignores {
        let mut chat = Conversation::new();
        ignore(&mut chat);
        chat.finishes();
        chat.asks(BOB, register());
        let changes = chat.finishes();
        let bobs = changes.iter().find_map(|change| match change {
            Change::Registered(account, _) => Some(account.id),
            _ => None,
        });
        assert!(bobs.is_some(), "{when}");
        chat.departs(BOB, CloseReason::Closed);
        chat.asks(DAVE, enter("bob", bobs));
        chat.types(DAVE, "/nick kurt");
        chat.finishes();
        assert!(!chat.is_heard(DAVE, "kurt"), "{when}");
        // Another guest is not.
        chat.asks(CAROL, enter("carol", None));
        chat.finishes();
        assert!(chat.is_heard(CAROL, "carol"), "{when}");
        assert!(chat.is_told(ALICE, "/unignore bob").contains("You read what bob says again."));
        assert!(chat.is_heard(DAVE, "kurt"), "{when}");
    }
}
