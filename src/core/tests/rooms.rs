//! Who is where and under which name, who may enter, and who may speak.

use super::*;
use crate::core::{
    record::{SanctionKind, Target},
    rooms::{LogLine, ROOMS_MAX},
};

fn question(name: &str, reserve_of: Option<usize>, account: Option<AccountId>) -> Question {
    let Question::Enter(mut entry) = enter(name, account) else { unreachable!() };
    entry.reserve_of = reserve_of;
    Question::Enter(entry)
}

#[test]
fn a_hundred_rooms_and_the_oldest_empty_one_makes_way() {
    let mut chat = Conversation::new();
    for i in 0..ROOMS_MAX + 20 {
        chat.passes(1);
        let told = chat.is_told(BOB, &format!("/join room{i}"));
        assert!(told.starts_with(&format!("*** You are in room{i}, alone.\n")), "{told}");
    }
    let rooms = chat.is_told(ALICE, "/rooms");
    assert_eq!(rooms.lines().count(), 1 + ROOMS_MAX);
    assert!(rooms.contains(" lobby ") && rooms.contains(" room119 "), "where people are is kept");
    assert!(
        !rooms.contains(" room0 ") && !rooms.contains(" room20 ") && rooms.contains(" room21 ")
    );
}

#[test]
fn when_somebody_is_in_every_room_there_is_no_other() {
    let mut chat = Conversation::new();
    for i in 1..ROOMS_MAX as u64 {
        chat.asks(10 + i, enter(&format!("guest{i}"), None));
        chat.types(10 + i, &format!("/join room{i}"));
    }
    let told = chat.is_told(BOB, "/join another");
    assert!(
        told.ends_with("*** There are 100 rooms already, and somebody is in each of them.\n"),
        "{told}"
    );
    chat.departs(11, CloseReason::Closed);
    assert!(chat.is_told(BOB, "/join another").starts_with("*** You are in another, alone."));
}

#[test]
fn a_room_makes_way_while_what_was_said_there_is_in_a_batch() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.types(CAROL, "/join quiet");
    chat.types(BOB, "/join quiet");
    chat.finishes();
    chat.forgets();
    chat.says(BOB, "<bob> hi");
    chat.types(ALICE, "/kick bob");
    chat.types(CAROL, "/leave");
    for i in 0..ROOMS_MAX + 10 {
        // Its answers in between are lost: no session would do that.
        chat.types(ALICE, &format!("/join room{i}"));
    }
    let changes = chat.seals();
    for i in 0..ROOMS_MAX + 10 {
        chat.types(ALICE, &format!("/join another{i}"));
    }
    chat.writes(&changes);
    chat.flushes();
    assert!(chat.reads(CAROL).starts_with("<bob> hi\n*** bob left quiet (kicked by alice)\n"));
    chat.ends_batch();
    assert!(chat.reads(ALICE).contains("*** You are in another109, alone.\n"));
    assert!(chat.closed.contains_key(&BOB));
}

#[test]
fn whoever_comes_to_many_is_told_how_many_and_not_who() {
    let mut chat = Conversation::new();
    for others in 2..42 {
        chat.asks(10 + others, enter(&format!("n{others}"), None));
        chat.finishes();
        let read = chat.reads(10 + others);
        let told = match others {
            2..=40 => "*** You are in lobby with @alice, bob".to_owned(),
            _ => "*** You are in lobby with 41 others; /names lists them.\n".to_owned(),
        };
        assert!(read.starts_with(&told), "{others}: {read}");
    }
}

// --- Names ---

#[test]
fn names_change_hands() {
    let mut chat = Conversation::new();
    assert_eq!(chat.is_told(BOB, "/nick BOB"), "*** You are now BOB.\n", "only its case");
    assert_eq!(chat.is_told(BOB, "/nick Bob"), "*** You are now Bob.\n");
    assert_eq!(chat.is_told(BOB, "/nick rob"), "*** You are now rob.\n");
    chat.asks(CAROL, enter("bob", None));
    assert!(chat.is_told(CAROL, "/whois rob").contains("Connection c2."));
    assert_eq!(chat.is_told(BOB, "/nick Bob"), "*** The name \"Bob\" is taken.\n");
    chat.types(CAROL, "/nick carol");
    chat.types(BOB, "/nick bob");
    chat.types(CAROL, "/nick rob");
    chat.finishes();
    assert_eq!(chat.is_told(ALICE, "/names"), "*** lobby (3): @alice, bob, rob\n");
    chat.departs(BOB, CloseReason::Closed);
    assert_eq!(
        chat.is_told(ALICE, "/whois bob"),
        "*** bob left lobby (connection closed)\n*** Nobody here is called bob. Did you mean rob?\n"
    );
    assert!(chat.is_told(ALICE, "/whois ROB").contains("Connection c3."));
    assert_eq!(
        chat.is_told(CAROL, "/nick zoe"),
        "*** zoe is registered. /login zoe asks for its password.\n"
    );
}

#[test]
fn an_account_is_let_in_with_its_password_alone_and_once() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("ALICE", None));
    chat.ends_batch();
    assert_eq!(chat.reads(CAROL), "(password of 1?)\n");
    chat.asks(CAROL, enter("ALICE", Some(ZOES)));
    chat.ends_batch();
    assert_eq!(chat.reads(CAROL), "(password of 1?)\n", "another one's password does not do");
    chat.forgets();
    chat.asks(CAROL, enter("ALICE", Some(ALICES)));
    let [alice, bob, carol] = {
        chat.ends_batch();
        [ALICE, BOB, CAROL].map(|client| chat.reads(client))
    };
    assert_eq!(bob, "*** alice left lobby (logged in again)\n*** ALICE entered lobby\n");
    assert!(
        alice.is_empty() && carol.starts_with("*** You are in lobby with bob.\n"),
        "{alice}{carol}"
    );
    assert_eq!(
        chat.closed[&ALICE],
        CloseReason::TakenOver { address: "192.0.2.7".to_owned(), is_same: true }
    );
    assert_eq!(chat.is_told(CAROL, "/bans"), "*** Nobody is banned or muted.\n");
}

#[test]
fn who_logs_in_has_the_accounts_name_wherever_its_owner_was() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/nick boss");
    chat.finishes();
    chat.forgets();
    chat.asks(BOB, Question::LogIn(Login { account: ALICES, private: Vec::new() }));
    chat.ends_batch();
    let bob = chat.reads(BOB);
    assert_eq!(
        bob,
        "*** boss left lobby (logged in again)\n*** You are now alice.\n*** You are logged in.\n"
    );
    assert!(chat.is_told(BOB, "/whoami").contains(
        "You are alice: logged in as alice, registered on 1970-01-01, an administrator."
    ));
}

#[test]
fn the_place_that_is_kept_is_an_administrators() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, Question::TakeReserve(5));
    chat.asks(4, question("guest", Some(5), None));
    chat.asks(5, question("zoe", Some(5), None));
    chat.asks(6, question("alice", Some(5), None));
    chat.ends_batch();
    assert_eq!(chat.reads(CAROL), "");
    assert_eq!(chat.reads(4), "(all 5 places are taken)\n");
    assert_eq!(chat.reads(5), "(all 5 places are taken)\n");
    assert_eq!(chat.reads(6), "(password of 1?)\n");
    let only_zoe = vec![account(ZOES, "zoe", false)];
    chat.chat.restore(Snapshot { accounts: only_zoe, ..Snapshot::default() });
    chat.asks(CAROL, Question::TakeReserve(5));
    chat.ends_batch();
    assert_eq!(chat.reads(CAROL), "(all 5 places are taken)\n", "there is none");
}

#[test]
fn without_names_everybody_is_their_address() {
    let mut chat = Conversation::with(RoomsConfig {
        backlog_lines: 0,
        names: NameRule::Ascii,
        anonymous: true,
        has_code: false,
        zone: TimeZone::UTC,
        keeps_talk: false,
        epoch: 7,
        history_days: None,
        history_max: None,
    });
    for client in [BOB, CAROL] {
        let address = if client == BOB { "192.0.2.7:5000" } else { "192.0.2.7:5001" };
        let Question::Enter(mut entry) = enter("x", None) else { unreachable!() };
        entry.name = crate::core::name::Name::of_address(address, &format!("c{client}"));
        chat.asks(client, Question::Enter(entry));
    }
    chat.finishes();
    assert_eq!(chat.is_told(BOB, "/msg 192.0.2.7:5001 hi"), "[to 192.0.2.7:5001] hi\n");
    assert_eq!(chat.is_told(BOB, "/nick bob"), "*** Nobody has a name here: --anonymous.\n");
}

// --- Who may enter, and who may speak ---

#[test]
fn a_ban_ends_by_itself_and_is_told_at_the_door() {
    let mut chat = Conversation::new();
    assert_eq!(
        chat.is_told(ALICE, "/ban Bob 2h too loud"),
        "*** bob left lobby (banned)\n*** bob is banned until 1970-01-01 02:00 (too loud); 1 sent away.\n\
         *** bob has no account, and can come again under another name. /ban 192.0.2.7 keeps everybody out who comes from there.\n"
    );
    assert_eq!(
        chat.closed[&BOB],
        CloseReason::Banned(
            "you are banned by alice until 1970-01-01 02:00 (too loud).".to_owned()
        )
    );
    chat.asks(CAROL, enter("bOb", None));
    chat.ends_batch();
    assert_eq!(chat.reads(CAROL), "(you are banned by alice until 1970-01-01 02:00 (too loud).)\n");
    chat.passes(2 * 60 * 60);
    chat.asks(CAROL, enter("bOb", None));
    chat.ends_batch();
    assert!(chat.reads(CAROL).contains("You are in lobby"));
    assert_eq!(chat.is_told(ALICE, "/bans"), "*** Nobody is banned or muted.\n");
}

#[test]
fn a_ban_is_written_as_it_was_typed() {
    let mut chat = Conversation::new();
    for (typed, seconds, why) in [
        ("", None, None),
        ("90s", Some(90), None),
        ("30m", Some(1800), None),
        ("2h too loud", Some(7200), Some("too loud")),
        ("7d  why ", Some(604_800), Some("why")),
        ("too loud", None, Some("too loud")),
        ("é", None, Some("é")),
    ] {
        chat.types(ALICE, &format!("/ban mallory {typed}"));
        let changes = chat.finishes();
        let [Change::Audit { .. }, Change::Sanctioned(ban)] = &changes[..] else {
            panic!("{changes:?}")
        };
        let until = seconds.map(|seconds| chat.now + SignedDuration::from_secs(seconds));
        assert_eq!((ban.until, ban.why.as_deref()), (until, why), "{typed:?}");
    }
    chat.types(ALICE, "/unban MALLORY");
    let changes = chat.finishes();
    let lifted = Change::SanctionLifted(SanctionKind::Ban, Target::Name("mallory".to_owned()));
    assert_eq!(changes[0], lifted, "as it is written");
    assert_eq!(chat.is_told(ALICE, "/unban mallory"), "*** mallory is not banned.\n");
}

#[test]
fn an_address_is_banned_for_all_but_administrators() {
    let mut chat = Conversation::new();
    let own = "*** 192.0.2.7 is your own address. A ban would send 1 away, and keep out everybody \
               who comes from there but administrators. /ban NAME bans one of them. Type it again \
               to ban the address all the same.\n";
    assert_eq!(chat.is_told(ALICE, "/ban 192.0.2.7 1h"), own);
    assert_eq!(chat.is_told(ALICE, "/bans"), "*** Nobody is banned or muted.\n");
    let told = chat.is_told(ALICE, "/ban 192.0.2.7 1h");
    assert!(
        told.ends_with("*** 192.0.2.7 is banned until 1970-01-01 01:00; 1 sent away.\n"),
        "{told}"
    );
    chat.asks(CAROL, enter("carol", None));
    chat.asks(4, enter("zoe", Some(ZOES)));
    chat.asks(5, enter("alice", None)); // as every session asks first
    chat.ends_batch();
    assert_eq!(chat.reads(5), "(password of 1?)\n");
    chat.asks(5, enter("alice", Some(ALICES)));
    chat.ends_batch();
    assert!(chat.reads(CAROL).contains("banned") && chat.reads(4).contains("banned"));
    assert!(chat.reads(5).contains("You are in lobby"));
    assert_eq!(
        chat.is_told(5, "/ban 192.0.2"),
        "*** 192.0.2 is no address, like 192.0.2.7 or 2001:db8::1.\n"
    );
    assert_eq!(
        chat.is_told(5, "/ban uid:bob"),
        "*** uid:bob is no user of this machine, like uid:1000.\n"
    );
}

#[test]
fn whoever_has_a_banned_name_now_is_sent_away_and_nobody_takes_it() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.types(BOB, "/nick rob");
    chat.types(CAROL, "/nick bob");
    chat.finishes();
    assert!(chat.is_told(ALICE, "/ban bob").contains("*** bob is banned for ever; 1 sent away.\n"));
    assert_eq!(chat.closed.keys().collect::<Vec<_>>(), [&CAROL]);
    assert_eq!(chat.is_told(BOB, "/nick bob"), "*** The name bob is banned by alice.\n");
    chat.types(ALICE, "/ban zoe");
    chat.finishes();
    chat.forgets();
    chat.asks(BOB, Question::LogIn(Login { account: ZOES, private: Vec::new() }));
    chat.ends_batch();
    assert_eq!(chat.reads(BOB), "*** The name zoe is banned by alice.\n");
}

#[test]
fn who_is_muted_writes_nothing_that_others_read() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/mute bob 1h");
    chat.finishes();
    assert_eq!(chat.reads(BOB), "*** You are muted by alice until 1970-01-01 01:00.\n");
    chat.says(BOB, "<bob> hi");
    for command in ["/msg alice hi", "/topic hi", "/away hi", "/nick rob", "/ask hi", "/msg zoe hi"]
    {
        let told = chat.is_told(BOB, command);
        assert!(
            told.ends_with("*** You are muted by alice until 1970-01-01 01:00.\n"),
            "{command}: {told}"
        );
        assert_eq!(chat.reads(ALICE), "", "{command}");
    }
    chat.forgets();
    chat.asks(BOB, Question::LogIn(Login { account: ZOES, private: Vec::new() }));
    chat.ends_batch();
    let muted = "*** You are muted by alice until 1970-01-01 01:00.\n";
    assert_eq!(chat.reads(BOB), muted, "another name would end it");
    chat.types(ALICE, "/unmute BOB");
    chat.says(BOB, "<bob> hi");
    chat.finishes();
    assert_eq!(chat.reads(ALICE), "*** bob is muted no longer.\n<bob> hi\n");
    assert_eq!(chat.reads(BOB), "*** You are muted no longer.\n");
    chat.types(ALICE, "/mute bob 1h");
    chat.finishes();
    chat.forgets();
    chat.departs(BOB, CloseReason::Quit(Some("hi".to_owned())));
    chat.finishes();
    assert_eq!(chat.reads(ALICE), "*** bob left lobby (quit)\n");
}

#[test]
fn a_shutdown_is_announced_ordered_and_called_off() {
    let mut chat = Conversation::new();
    chat.chat.take_actions();
    for (typed, told) in
        [("60", "shuts the server down in 60 s."), ("off", "called the shutdown off.")]
    {
        chat.types(ALICE, &format!("/shutdown {typed}"));
        chat.finishes();
        assert_eq!(chat.reads(BOB), format!("*** alice {told}\n"));
    }
    let actions = chat.chat.take_actions();
    let log = |what: &str| {
        Action::Log(LogLine {
            event: "administered",
            client: Some(1),
            account: Some("alice".to_owned()),
            address: Some("192.0.2.7".parse().unwrap()),
            text: format!("alice (c1, 192.0.2.7) {what}"),
        })
    };
    let in_a_minute = Action::ShutDown(std::time::Duration::from_mins(1));
    assert_eq!(
        actions,
        [
            log("shuts the server down in 60 s"),
            in_a_minute,
            log("called the shutdown off"),
            Action::CancelShutDown
        ]
    );
}

#[test]
fn an_account_that_was_deleted_since_its_password_was_right_opens_no_door() {
    let mut chat = Conversation::new();
    chat.logs();
    chat.asks(CAROL, enter("yve", Some(AccountId(7)))); // there is no such account
    chat.types(CAROL, "/topic tea");
    let changes = chat.finishes();
    let by = changes.iter().find_map(|change| match change {
        Change::RoomSetting { value: Some((_, by)), .. } => Some(by),
        _ => None,
    });
    assert_eq!(by.expect("a topic is kept").account, None, "{changes:?}");
    assert!(!chat.logs().iter().any(|line| line.contains("logged in")));
}
