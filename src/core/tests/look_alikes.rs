//! Names that may be taken for each other: at the door, by `/nick`, by registering; and those that are
//! there already.

use super::*;

fn with(rule: NameRule) -> Conversation {
    Conversation::with(RoomsConfig { names: rule, ..Conversation::config(true) })
}

#[test]
fn a_name_that_looks_like_one_that_is_here_is_refused() {
    for (rule, here, wanted) in [
        (NameRule::Ascii, "carol", "caroI"),
        (NameRule::Ascii, "BOB", "B0B"),
        (NameRule::Ascii, "user1", "userl"),
        (NameRule::Unicode, "carol", "caroI"),
        (NameRule::Unicode, "carol", "car\u{43e}l"),
        (NameRule::Unicode, "ivan", "\u{456}van"),
        (NameRule::Unicode, "ali", "a\u{406}i"),
        (NameRule::Unicode, "ali", "a\u{4cf}i"),
        (NameRule::Unicode, "nora", "\u{39d}ora"),
        (NameRule::Unicode, "Straße", "strasse"),
    ] {
        let mut chat = with(rule);
        chat.asks(BOB, enter_as(rule, here, None));
        chat.asks(CAROL, enter_as(rule, wanted, None));
        chat.finishes();
        let refused = format!("*** The name \"{wanted}\" looks like \"{here}\", who is here.\n");
        assert_eq!(chat.reads(CAROL), refused);
        chat.asks(CAROL, enter_as(rule, "dora", None));
        chat.finishes();
        assert_eq!(chat.is_told(CAROL, &format!("/nick {wanted}")), refused);
        // And when its holder is gone, or called otherwise, it is free.
        chat.types(BOB, "/nick ed");
        chat.types(CAROL, &format!("/nick {wanted}"));
        chat.finishes();
        assert!(chat.reads(CAROL).contains(&format!("You are now {wanted}.")), "{wanted}");
    }
}

#[test]
fn a_name_that_looks_like_a_registered_one_is_refused() {
    for (rule, wanted, told) in [
        (
            NameRule::Ascii,
            "aIice",
            "*** The name \"aIice\" looks like \"alice\", which is registered.\n",
        ),
        (NameRule::Ascii, "ALICE", "(password of 1?)\n"),
        (
            NameRule::Unicode,
            "aIice",
            "*** The name \"aIice\" looks like \"alice\", which is registered.\n",
        ),
        (
            NameRule::Unicode,
            "a\u{406}ice",
            "*** The name \"aІice\" looks like \"alice\", which is registered.\n",
        ),
        (NameRule::Unicode, "ΣΟΦΌΣ", "(password of 3?)\n"),
    ] {
        let mut chat = with(rule);
        let accounts = vec![account(ALICES, "alice", true), account(AccountId(3), "Σοφός", false)];
        chat.chat.restore(Snapshot { accounts, ..Snapshot::default() });
        chat.asks(CAROL, enter_as(rule, wanted, None));
        chat.finishes();
        assert_eq!(chat.reads(CAROL), told);
    }
}

/// They were registered when they did not look alike yet.
#[test]
fn names_that_are_there_already_keep_working() {
    for (rule, one, other) in [
        (NameRule::Ascii, "carol", "caroI"),
        (NameRule::Unicode, "Straße", "Strasse"),
        (NameRule::Unicode, "ali", "a\u{406}i"),
    ] {
        let mut chat = with(rule);
        let [mine, yours] = [AccountId(8), AccountId(9)];
        let accounts = vec![account(mine, one, false), account(yours, other, false)];
        chat.chat.restore(Snapshot { accounts, ..Snapshot::default() });
        for (client, name, id) in [(BOB, one, mine), (CAROL, other, yours)] {
            chat.asks(client, enter_as(rule, name, None));
            chat.finishes();
            assert_eq!(chat.reads(client), format!("(password of {id}?)\n"));
            chat.asks(client, enter_as(rule, name, Some(id)));
            chat.finishes();
            assert!(chat.reads(client).starts_with("*** You are in lobby"), "{name}");
        }
        assert!(chat.closed.is_empty(), "nobody makes way for a look-alike");
        chat.forgets();
        chat.types(BOB, &format!("/msg {other} to you"));
        chat.types(CAROL, &format!("/msg {one} and to you"));
        chat.finishes();
        assert!(chat.reads(CAROL).contains(&format!("[from {one}] to you\n")));
        assert!(chat.reads(BOB).contains(&format!("[from {other}] and to you\n")));
        chat.departs(BOB, CloseReason::Closed);
        chat.finishes();
        chat.forgets();
        chat.asks(4, enter_as(rule, one, None));
        chat.finishes();
        assert_eq!(chat.reads(4), format!("(password of {mine}?)\n"));
    }
}

/// The operator makes an account while others are here.
#[test]
fn who_has_the_name_of_a_new_account_makes_way_for_its_owner_and_a_look_alike_with_an_account_stays()
 {
    let carols = AccountId(8);
    for (here, account_of, makes_way) in [
        ("carol", None, true),
        ("caroI", None, true),
        ("CAROL", Some(ZOES), true),
        ("caroI", Some(ZOES), false),
        ("dora", None, false),
    ] {
        let mut chat = with(NameRule::Ascii);
        match account_of {
            Some(_) => {
                chat.asks(BOB, enter_as(NameRule::Ascii, "zoe", account_of));
                chat.types(BOB, &format!("/nick {here}"));
            }
            None => chat.asks(BOB, enter_as(NameRule::Ascii, here, None)),
        }
        chat.finishes();
        let mut accounts = snapshot().accounts;
        accounts.push(account(carols, "carol", false));
        chat.chat.restore(Snapshot { accounts, ..Snapshot::default() });
        chat.asks(CAROL, enter_as(NameRule::Ascii, "carol", Some(carols)));
        chat.finishes();
        assert!(chat.reads(CAROL).contains("You are in lobby"), "{here}");
        let closed = chat.closed.get(&BOB);
        assert_eq!(closed.is_some(), makes_way, "{here} {account_of:?}: {closed:?}");
        assert!(closed.is_none_or(|reason| *reason == CloseReason::NameClaimed), "{closed:?}");
    }
}

/// The owner of the one is here, and that of the other is not.
#[test]
fn who_looks_like_somebody_registered_is_not_taken_for_them() {
    let [bob, b0b] = [AccountId(8), AccountId(9)];
    let here = |name_now: Option<&str>| {
        let mut chat = with(NameRule::Ascii);
        let accounts = vec![
            account(ALICES, "alice", true),
            account(bob, "bob", false),
            account(b0b, "b0b", false),
        ];
        chat.chat.restore(Snapshot { accounts, ..Snapshot::default() });
        chat.asks(ALICE, enter_as(NameRule::Ascii, "alice", Some(ALICES)));
        chat.asks(BOB, enter_as(NameRule::Ascii, "bob", Some(bob)));
        if let Some(name) = name_now {
            chat.asks(CAROL, enter_as(NameRule::Ascii, "b0b", Some(b0b)));
            chat.types(CAROL, &format!("/nick {name}"));
        }
        chat.finishes();
        chat
    };
    let nobody = "*** Nobody here is called b0b. Did you mean bob?\n";
    for (typed, alone, told) in [
        ("/msg b0b psst", "*** b0b is away: your message is kept.\n", "[to zed] psst\n"),
        ("/whois b0b", nobody, "*** zed is in lobby"),
        ("/kick b0b", nobody, "*** zed (logged in as b0b) is gone.\n"),
        ("/lower b0b", nobody, "*** b0b has neither"),
        ("/mute b0b", "*** b0b is muted for ever.\n", "*** zed (logged in as b0b) is muted"),
        (
            "/ban b0b",
            "*** b0b is banned for ever; 0 sent away.\n",
            "*** zed (logged in as b0b) is banned",
        ),
        (
            "/ignore b0b",
            "*** You no longer read what b0b says.\n",
            "*** You no longer read what zed (logged in as b0b)",
        ),
    ] {
        assert_eq!(here(None).is_told(ALICE, typed), alone, "{typed}");
        let mut chat = here(Some("zed"));
        let read = chat.is_told(ALICE, typed);
        assert!(read.contains(told), "{typed}: {read}");
        assert!(chat.is_told(BOB, "/whoami").contains("You are bob"), "{typed}");
        chat.says(BOB, "<bob> hi");
        chat.finishes();
        assert_eq!(chat.reads(ALICE), "<bob> hi\n", "{typed}");
    }
    // Nobody has registered this one: it is the nearest that is meant.
    assert!(here(None).is_told(BOB, "/whois a1ice").starts_with("*** alice is in lobby"));
}
