//! Who somebody is: names that pretend, marks of administrators, and whom a command means.

use super::*;
use crate::core::{name::Name, record::Target};

/// Dave's, who has no account.
const DAVE: ClientId = 4;

fn zoe(client: ClientId, chat: &mut Conversation) {
    chat.asks(client, enter("zoe", Some(ZOES)));
}

// --- The mark of an administrator ---

#[test]
fn what_an_administrator_says_is_marked_on_every_path() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    chat.forgets();
    let lines = ["<alice> hi", "<alice> <alice> twice", "* alice waves", "<alice> @bob, * alice"];
    let text = lines.join("\n") + "\n";
    chat.does(ALICE, Event::Talk(Talk { text, lines: lines.len(), ..Talk::default() }));
    chat.types(ALICE, "/msg bob psst");
    chat.types(ALICE, "/announce a break");
    chat.finishes();
    let said = "<@alice> hi\n<@alice> <alice> twice\n* @alice waves\n<@alice> @bob, * alice\n";
    let announced = "*** Announcement by @alice: a break\n";
    assert_eq!(chat.reads(BOB), format!("{said}[from @alice] psst\n{announced}"));
    assert_eq!(chat.reads(CAROL), format!("{said}{announced}"));
    for (command, shown) in [
        ("/history", "(00:00) * @alice waves\n"),
        ("/history", "(00:00) [from @alice] psst\n"),
        ("/names", "*** lobby (3): @alice, bob, carol\n"),
        ("/who", "***   @alice                idle 0 s\n"),
    ] {
        let told = chat.is_told(BOB, command);
        assert!(told.contains(shown), "{command}: {told}");
    }
    chat.asks(DAVE, enter("dave", None));
    chat.finishes();
    assert!(chat.reads(DAVE).starts_with("*** You are in lobby with @alice, bob, carol.\n"));
    // Whoever ignores them does not read it in the past either.
    assert!(chat.is_told(CAROL, "/ignore @alice").ends_with("what alice says.\n"));
    let told = chat.is_told(CAROL, "/history");
    assert!(!told.contains("@alice>") && !told.contains("* @alice"), "{told}");
}

#[test]
fn the_mark_stands_in_what_is_written_and_comes_and_goes_with_the_account() {
    let mut chat = Conversation::new();
    let author_of = |changes: &[Change]| match &changes[0] {
        Change::RoomMessage { author, text, .. } => (author.name.clone(), text.clone()),
        other => panic!("{other:?}"),
    };
    for (is_admin, name) in [(true, "@alice"), (false, "alice"), (true, "@alice")] {
        let accounts = vec![account(ALICES, "alice", is_admin), account(ZOES, "zoe", false)];
        chat.chat.restore(Snapshot { accounts, last_account: ZOES, ..Snapshot::default() });
        chat.says(ALICE, "<alice> hi");
        let changes = chat.finishes();
        assert_eq!(author_of(&changes), (name.to_owned(), format!("<{name}> hi\n")));
    }
    chat.types(ALICE, "/nick boss");
    chat.finishes();
    chat.says(ALICE, "<boss> hi");
    assert_eq!(author_of(&chat.finishes()).0, "@boss", "under whatever name");
    zoe(CAROL, &mut chat);
    chat.finishes();
    chat.says(CAROL, "<zoe> hi");
    assert_eq!(author_of(&chat.finishes()).0, "zoe");
}

#[test]
fn the_mark_is_no_part_of_the_name() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    for (command, begins) in [
        ("/msg @alice hi", "[to alice] hi\n"),
        ("/ignore @carol", "*** You no longer read what carol says.\n"),
        ("/whois @alice", "*** alice is in lobby, "),
        ("/nick @bob", "*** A name has only "),
        ("/join @math", "*** A room's name has only "),
        ("/msg @ hi", "*** Nobody here is called "),
        ("/msg @@alice hi", "*** Nobody here is called "),
    ] {
        let told = chat.is_told(BOB, command);
        assert!(told.starts_with(begins), "{command}: {told}");
    }
}

// --- Names that pretend ---

#[test]
fn an_official_name_is_for_accounts_alone() {
    let mut chat = Conversation::new();
    let kept = |name: &str| {
        format!("*** The name \"{name}\" is kept for accounts of the server's operator.\n")
    };
    for name in
        ["admin", "Administrator", "SERVER", "chatd", "Root", "NickServ", "sys-op", "admin_"]
    {
        chat.forgets();
        chat.asks(CAROL, enter(name, None));
        chat.ends_batch();
        assert_eq!(chat.reads(CAROL), kept(name), "at the door");
        assert_eq!(chat.is_told(BOB, &format!("/nick {name}")), kept(name));
        assert_eq!(chat.is_told(ALICE, &format!("/nick {name}")), kept(name));
    }
    // The operator makes such an account, and it works.
    let accounts = vec![account(ALICES, "alice", true), account(AccountId(7), "Root", false)];
    chat.chat.restore(Snapshot { accounts, last_account: AccountId(7), ..Snapshot::default() });
    chat.forgets();
    chat.asks(CAROL, enter("root", None));
    chat.ends_batch();
    assert_eq!(chat.reads(CAROL), "(password of 7?)\n");
    chat.asks(CAROL, enter("root", Some(AccountId(7))));
    chat.finishes();
    assert!(chat.reads(CAROL).contains("You are in lobby"));
    chat.types(CAROL, "/nick kurt");
    chat.finishes();
    assert!(chat.is_told(CAROL, "/nick ROOT").contains("*** You are now ROOT.\n"), "it is theirs");
    chat.asks(CAROL, Question::Unregister);
    chat.finishes();
    chat.forgets();
    chat.asks(CAROL, register());
    chat.finishes();
    assert_eq!(chat.reads(CAROL), kept("ROOT"), "given up is given up");
    assert!(chat.is_told(BOB, "/join admin").starts_with("*** You are in admin"), "rooms may");
}

// --- Whom a command means ---

/// Zoe is called kurt now.
fn zoe_is_called_kurt() -> Conversation {
    let mut chat = Conversation::new();
    zoe(CAROL, &mut chat);
    chat.types(CAROL, "/nick kurt");
    chat.finishes();
    chat.forgets();
    chat
}

/// The ways to write the one person.
const KURT: [&str; 6] = ["zoe", "kurt", "ZOE", "Kurt", "@zoe", "@kurt"];

#[test]
fn one_lookup_finds_a_person_under_their_name_and_their_accounts() {
    for typed in KURT {
        let mut chat = zoe_is_called_kurt();
        for (client, command, told) in [
            (BOB, "/whois {}", "*** kurt is in lobby, "),
            (BOB, "/msg {} hi", "[to kurt] hi\n"),
            (BOB, "/ignore {}", "*** You no longer read what kurt (logged in as zoe) says.\n"),
            (BOB, "/unignore {}", "*** You read what "),
            (
                ALICE,
                "/mute {} 1h",
                "*** kurt (logged in as zoe) is muted until 1970-01-01 01:00.\n",
            ),
            (ALICE, "/unmute {}", "*** kurt (logged in as zoe) is muted no longer.\n"),
            (
                ALICE,
                "/kick {}",
                "*** kurt left lobby (kicked by alice)\n*** kurt (logged in as zoe) is gone.\n",
            ),
        ] {
            let command = command.replace("{}", typed);
            let read = chat.is_told(client, &command);
            assert!(read.starts_with(told), "{command}: {read}");
        }
        assert!(chat.closed.contains_key(&CAROL));
    }
}

#[test]
fn a_sanction_holds_for_the_account_under_whatever_name() {
    for typed in KURT {
        let mut chat = zoe_is_called_kurt();
        chat.types(ALICE, &format!("/mute {typed} 1h"));
        let changes = chat.finishes();
        let target = Target::Name("zoe".to_owned());
        let is_zoes =
            |change: &Change| matches!(change, Change::Sanctioned(it) if it.target == target);
        assert!(changes.iter().any(is_zoes), "{changes:?}");
        chat.forgets();
        chat.says(CAROL, "<kurt> hi");
        let muted = "*** You are muted by alice until 1970-01-01 01:00.";
        for command in ["/nick max", "/msg bob hi", "/topic hi", "/away hi", "/ask hi"] {
            assert!(chat.is_told(CAROL, command).ends_with(&format!("{muted}\n")), "{command}");
        }
        assert_eq!(chat.reads(BOB), "");
        // In another connection, under the account's own name, it holds as well, and is told.
        chat.forgets();
        zoe(DAVE, &mut chat);
        chat.finishes();
        assert!(chat.reads(DAVE).starts_with(&format!("{muted}\n*** You are in lobby")));
    }
}

#[test]
fn who_is_ignored_is_ignored_under_every_name_and_after_coming_back() {
    for typed in KURT {
        let mut chat = zoe_is_called_kurt();
        chat.says(CAROL, "<zoe> an old line");
        chat.says(CAROL, "<kurt> a later one");
        chat.finishes();
        chat.types(BOB, &format!("/ignore {typed}"));
        chat.finishes();
        let told = chat.is_told(BOB, "/history");
        assert!(!told.contains("line") && !told.contains("later"), "{typed}: {told}");
        chat.departs(CAROL, CloseReason::Closed);
        zoe(DAVE, &mut chat);
        chat.types(DAVE, "/nick max");
        chat.asks(5, enter("kurt", None)); // another one
        chat.finishes();
        chat.forgets();
        chat.says(DAVE, "<max> me again");
        chat.says(5, "<kurt> hello");
        chat.finishes();
        assert_eq!(chat.reads(BOB), "<kurt> hello\n", "{typed}");
        assert!(chat.is_told(BOB, "/unignore zoe").contains("You read what zoe says again"));
        chat.says(DAVE, "<max> hi");
        chat.finishes();
        assert_eq!(chat.reads(BOB), "<max> hi\n", "{typed}");
    }
    // Somebody who is not here is meant by the account as well.
    let mut chat = Conversation::new();
    chat.types(BOB, "/ignore zoe");
    zoe(CAROL, &mut chat);
    chat.types(CAROL, "/nick kurt");
    chat.finishes();
    chat.forgets();
    chat.says(CAROL, "<kurt> hi");
    chat.finishes();
    assert_eq!(chat.reads(BOB), "");
}

#[test]
fn a_line_is_removed_of_whoever_is_logged_in_to_the_account() {
    for typed in KURT {
        let mut chat = zoe_is_called_kurt();
        chat.says(CAROL, "<kurt> rude");
        chat.finishes();
        let told = chat.is_told(ALICE, &format!("/remove {typed}"));
        assert!(told.contains("A line of kurt's was removed by alice."), "{typed}: {told}");
    }
}

#[test]
fn whoever_gives_way_to_an_owner_reads_no_address() {
    // Who is here: the account's owner, or somebody without an account who has its name; and whether the owner comes
    // to the door, or logs in inside.
    for (is_owner, through_the_door) in [(true, true), (true, false), (false, true), (false, false)]
    {
        for address in ["192.0.2.7", "198.51.100.4"] {
            let mut chat = Conversation::new();
            chat.asks(CAROL, enter(if is_owner { "zoe" } else { "yve" }, is_owner.then_some(ZOES)));
            chat.finishes();
            if !is_owner {
                let accounts = vec![account(ALICES, "alice", true), account(ZOES, "yve", false)];
                chat.chat.restore(Snapshot { accounts, last_account: ZOES, ..Snapshot::default() });
            }
            let name = match (through_the_door, is_owner) {
                (false, _) => "dave",
                (true, true) => "zoe",
                (true, false) => "yve",
            };
            let account = through_the_door.then_some(ZOES);
            let Question::Enter(mut entry) = enter(name, account) else { unreachable!() };
            entry.address = address.parse().unwrap();
            chat.asks(DAVE, Question::Enter(entry));
            if !through_the_door {
                let login = Login { account: ZOES, private: Vec::new() };
                chat.asks(DAVE, Question::LogIn(login));
            }
            chat.finishes();
            let told = chat.closed[&CAROL].to_client();
            let same = if address == "192.0.2.7" { "the same" } else { "another" };
            let expected = match is_owner {
                true => format!("*** Hung up: you logged in again, from {same} address.\n"),
                false => {
                    "*** Hung up: your name is an account's now, and its owner has logged in.\n"
                        .to_owned()
                }
            };
            assert_eq!(told, expected);
            let others = chat.closed[&CAROL].to_others();
            assert!(!format!("{told}{others}").contains(address), "{told} {others}");
            let logged = chat.closed[&CAROL].to_string();
            assert_eq!(logged.contains(address), is_owner, "the operator sees it: {logged}");
        }
    }
}

#[test]
fn who_is_ignored_by_account_is_known_by_the_name_they_have_now() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("zoe", Some(ZOES)));
    chat.types(BOB, "/ignore zoe");
    chat.departs(CAROL, CloseReason::Closed);
    chat.finishes();
    chat.asks(4, enter("zoe", Some(ZOES)));
    chat.types(4, "/nick bert");
    chat.says(4, "<bert> hi");
    chat.says(ALICE, "<alice> ho");
    chat.finishes();
    assert!(!chat.reads(BOB).contains("<bert> hi"));
    assert_eq!(chat.is_told(BOB, "/ignore"), "*** You ignore: bert.\n");
    let past = chat.is_told(BOB, "/history");
    assert!(past.contains("<@alice> ho") && !past.contains("<bert> hi"), "{past}");
    chat.is_told(BOB, "/ignore bert");
    assert_eq!(chat.is_told(BOB, "/ignore"), "*** You ignore: bert.\n", "once");
    for (by_account, typed) in [(true, "bert"), (false, "ZOE"), (true, "@bert"), (false, "zoe?")] {
        chat.is_told(BOB, if by_account { "/ignore zoe" } else { "/ignore bert" });
        let told = chat.is_told(BOB, &format!("/unignore {typed}"));
        assert!(told.starts_with("*** You read what "), "{typed}: {told}");
        assert_eq!(chat.is_told(BOB, "/ignore"), "*** You ignore nobody.\n", "{typed}");
    }
}

#[test]
fn whoever_has_gone_is_read_again_by_the_name_in_any_case_or_by_the_address() {
    for anonymous in [false, true] {
        let config = RoomsConfig { anonymous, ..Conversation::config(true) };
        let mut chat = Conversation::with(config);
        let name = if anonymous { "192.0.2.7:5000" } else { "Carol" };
        for (client, name) in [(BOB, "192.0.2.7:4000"), (CAROL, name)] {
            let Question::Enter(mut entry) = enter("carol", None) else { unreachable!() };
            entry.name = match NameRule::Ascii.check(name, "name") {
                Ok(name) => name,
                Err(_) => Name::of_address(name, &format!("c{client}")),
            };
            chat.asks(client, Question::Enter(entry));
        }
        chat.types(BOB, &format!("/ignore {name}"));
        chat.departs(CAROL, CloseReason::Closed);
        chat.finishes();
        assert_eq!(chat.is_told(BOB, "/ignore"), format!("*** You ignore: {name}.\n"));
        let typed = name.to_lowercase();
        let told = format!("*** You read what {typed} says again.\n");
        assert_eq!(chat.is_told(BOB, &format!("/unignore {typed}")), told);
        assert_eq!(chat.is_told(BOB, "/ignore"), "*** You ignore nobody.\n");
    }
}

#[test]
fn several_are_ignored_and_each_once_whatever_they_are_called() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.asks(4, enter("zoe", Some(ZOES)));
    let ignored = |chat: &mut Conversation| chat.is_told(ALICE, "/ignore");
    for name in ["bob", "carol", "zoe", "nobody", "BOB"] {
        chat.types(ALICE, &format!("/ignore {name}"));
    }
    chat.finishes();
    assert_eq!(ignored(&mut chat), "*** You ignore: carol, zoe, nobody, bob.\n");
    for command in ["/nick kurt", "/nick ken"] {
        chat.types(BOB, command);
        chat.is_told(ALICE, &command.replace("nick", "ignore"));
        let name = &command["/nick ".len()..];
        assert_eq!(ignored(&mut chat), format!("*** You ignore: carol, zoe, nobody, {name}.\n"));
    }
    chat.is_told(ALICE, "/unignore ken");
    assert_eq!(ignored(&mut chat), "*** You ignore: carol, zoe, nobody.\n");
    chat.is_told(ALICE, "/unignore zoe");
    assert_eq!(ignored(&mut chat), "*** You ignore: carol, nobody.\n");
}

#[test]
fn idle_is_since_the_last_line() {
    let mut chat = Conversation::new();
    chat.passes(100);
    chat.says(BOB, "<bob> hi");
    chat.passes(60);
    let who = chat.is_told(ALICE, "/who");
    assert!(who.contains("***   bob                   idle 1 min\n"), "{who}");
}
