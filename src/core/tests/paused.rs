//! Who may speak in a room that is paused, that nobody else says anything new by another way, and that
//! what is set in a room comes back.

use super::*;
use crate::core::{
    record::{Author, RoomSnapshot, SETTINGS_ROOMS_MAX, Settings},
    rooms::ROOMS_MAX,
};

const DAVE: ClientId = 4;
const PAUSED: &str = "*** lobby is paused: only administrators speak, and whoever they give the floor. \
                      /hand raises your hand.";

impl Conversation {
    /// Alice, an administrator, has paused the lobby; bob and carol are in it.
    fn paused() -> Conversation {
        let mut chat = Conversation::new();
        chat.asks(CAROL, enter("carol", None));
        chat.types(ALICE, "/pause");
        chat.finishes();
        chat.forgets();
        chat
    }
}

#[test]
fn in_a_paused_room_speak_administrators_and_who_has_the_floor() {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.types(CAROL, "/topic tea"); // to have set the topic first gives no right
    chat.finishes();
    chat.forgets();
    chat.types(ALICE, "/pause");
    chat.finishes();
    assert_eq!(
        chat.reads(BOB),
        "*** alice paused lobby: administrators speak, and whoever they give the floor. /hand raises your hand.\n"
    );
    chat.forgets();
    for (client, line) in [(ALICE, "<alice> one"), (BOB, "<bob> two"), (CAROL, "<carol> three")] {
        chat.says(client, line);
    }
    chat.finishes();
    assert_eq!(chat.reads(BOB), format!("<@alice> one\n{PAUSED} That was not said.\n"));
    assert_eq!(chat.reads(CAROL), format!("<@alice> one\n{PAUSED} That was not said.\n"));

    chat.types(CAROL, "/hand");
    chat.finishes();
    chat.forgets();
    chat.types(ALICE, "/floor Carol");
    chat.says(CAROL, "<carol> three");
    chat.says(BOB, "<bob> two");
    chat.finishes();
    assert_eq!(chat.reads(ALICE), "*** alice gave carol the floor.\n<carol> three\n");
    assert_eq!(chat.is_told(ALICE, "/hands"), "*** No hand is up in lobby.\n", "it is answered");
    assert_eq!(chat.is_told(ALICE, "/lower carol"), "*** alice took the floor back from carol.\n");
    chat.forgets();
    chat.says(CAROL, "<carol> four");
    chat.finishes();
    assert_eq!(chat.reads(CAROL), format!("{PAUSED} That was not said.\n"));
    assert_eq!(chat.is_told(ALICE, "/pause"), "*** lobby is paused already.\n");
    chat.types(ALICE, "/resume");
    assert_eq!(
        chat.is_told(ALICE, "/resume"),
        "*** alice resumed lobby: everybody speaks again.\n*** lobby is open already.\n"
    );
    chat.says(BOB, "<bob> two");
    chat.finishes();
    assert_eq!(chat.reads(ALICE), "<bob> two\n");
}

#[test]
fn the_floor_is_the_connections_and_no_names() {
    for leaves in ["/nick max", "/join math", "/quit", "the pause ends"] {
        let mut chat = Conversation::paused();
        chat.types(ALICE, "/floor bob");
        match leaves {
            "/quit" => chat.departs(BOB, CloseReason::Closed),
            "the pause ends" => {
                chat.types(ALICE, "/resume");
                chat.types(ALICE, "/pause");
            }
            command => chat.types(BOB, command),
        }
        chat.asks(DAVE, enter(if leaves == "/nick max" { "bob" } else { "dave" }, None));
        chat.finishes();
        chat.types(DAVE, "/nick bob");
        chat.finishes();
        chat.forgets();
        chat.says(DAVE, "<bob> I inherit it");
        chat.finishes();
        assert_eq!(chat.reads(CAROL), "", "{leaves}");
        chat.says(BOB, "<bob> it is mine");
        chat.finishes();
        let is_said = chat.reads(CAROL).contains("it is mine");
        assert_eq!(is_said, leaves == "/nick max", "{leaves}");
    }
}

#[test]
fn the_floor_goes_to_whom_it_can_help() {
    let mut chat = Conversation::paused();
    chat.asks(DAVE, enter("dave", None));
    chat.types(DAVE, "/join math");
    chat.types(ALICE, "/mute carol");
    chat.finishes();
    for (command, told) in [
        ("/floor", "Like this: /floor NAME"),
        ("/floor alice", "alice is an administrator, and speaks anyway."),
        ("/floor carol", "carol is muted: /unmute comes first."),
        ("/floor dave", "dave is in math, and not here."),
        ("/floor zoltan", "Nobody here is called zoltan."),
        ("/floor BOB", "alice gave bob the floor."),
        ("/floor @bob", "bob has the floor already. /lower takes it back."),
        ("/lower dave", "dave is in math, and not here."),
        ("/lower carol", "carol has neither a hand up nor the floor."),
        ("/lower", "No hand is up in lobby."),
    ] {
        assert_eq!(chat.is_told(ALICE, command), format!("*** {told}\n"), "{command}");
    }
    chat.types(BOB, "/hand");
    chat.types(ALICE, "/resume");
    chat.finishes();
    chat.forgets();
    assert_eq!(chat.is_told(ALICE, "/floor bob"), "*** lobby is not paused: everybody speaks.\n");
    assert_eq!(chat.is_told(ALICE, "/lower"), "*** 1 hand is down.\n");
    assert_eq!(chat.reads(BOB), "*** alice lowered your hand.\n");
    assert_eq!(chat.is_told(CAROL, "/hand"), "*** You are muted by alice.\n");
}

#[test]
fn whoever_is_muted_has_no_hand_up_and_not_the_floor() {
    let mut chat = Conversation::paused();
    chat.types(BOB, "/hand");
    chat.types(ALICE, "/floor carol");
    chat.types(ALICE, "/mute bob");
    chat.types(ALICE, "/mute carol");
    chat.types(ALICE, "/unmute carol");
    chat.finishes();
    chat.forgets();
    assert_eq!(chat.is_told(ALICE, "/hands"), "*** No hand is up in lobby.\n");
    chat.says(CAROL, "<carol> hi");
    chat.finishes();
    assert_eq!(chat.reads(CAROL), format!("{PAUSED} That was not said.\n"));
}

// --- Nothing new ---

/// What somebody tries who may not speak: they would have `NEW` read.
const TRIES: [&str; 13] = [
    "/nick NEW",
    "/topic NEW",
    "/away NEW",
    "/join NEW",
    "/join #NEW",
    "/me NEW",
    "//NEW",
    "NEW",
    "/quit NEW",
    "/hand NEW",
    "/ignore NEW",
    "/whois NEW",
    "/login NEW",
];

/// Bob tries it. Returns what carol reads then, and what she finds when she looks.
fn tries(chat: &mut Conversation, line: &str) -> [String; 2] {
    chat.forgets();
    match (line.strip_prefix("/quit "), line.strip_prefix("/me ")) {
        (Some(why), _) => chat.departs(BOB, CloseReason::Quit(Some(why.to_owned()))),
        (_, Some(action)) => chat.says(BOB, &format!("* bob {action}")),
        _ if line == "/login NEW" => {
            chat.asks(BOB, Question::LogIn(Login { account: AccountId(7), private: Vec::new() }));
        }
        _ if line.starts_with("//") || !line.starts_with('/') => {
            chat.says(BOB, &format!("<bob> {}", line.trim_start_matches("//")));
        }
        _ => chat.types(BOB, line),
    }
    chat.finishes();
    let read = chat.reads(CAROL);
    let looks = ["/rooms", "/topic", "/who", "/names", "/whois bob", "/hands", "/history"];
    (read, looks.map(|look| chat.is_told(CAROL, look)).concat()).into()
}

/// There is an account of the name NEW, too.
fn with_account(chat: &mut Conversation) {
    let accounts = vec![account(ALICES, "alice", true), account(AccountId(7), "NEW", false)];
    chat.chat.restore(Snapshot { accounts, last_account: AccountId(7), ..Snapshot::default() });
}

#[test]
fn in_a_paused_room_nobody_else_says_anything_new_by_any_way() {
    for line in TRIES {
        let mut chat = Conversation::paused();
        with_account(&mut chat);
        let [read, found] = tries(&mut chat, line);
        assert!(!read.contains("NEW"), "{line}: {read}");
        let may_be_found = line.starts_with("/join") || line == "/login NEW"; // asked for
        assert!(may_be_found || !found.contains("NEW"), "{line}: {found}");
    }
    // Who comes with a new name is told to administrators alone.
    let mut chat = Conversation::paused();
    chat.asks(DAVE, enter("NEW", None));
    chat.finishes();
    chat.departs(DAVE, CloseReason::Closed);
    chat.finishes();
    assert_eq!(chat.reads(CAROL), "");
    assert_eq!(
        chat.reads(ALICE),
        "*** NEW entered lobby\n*** NEW left lobby (connection closed)\n"
    );
    // An administrator's coming and going is told to all.
    chat.types(ALICE, "/join math");
    chat.finishes();
    assert_eq!(chat.reads(CAROL), "*** alice left lobby (went to math)\n");
}

#[test]
fn whoever_is_muted_says_nothing_new_by_any_way() {
    for line in TRIES {
        for typed in ["bob", "@bob"] {
            let mut chat = Conversation::new();
            chat.asks(CAROL, enter("carol", None));
            chat.types(ALICE, &format!("/mute {typed}"));
            chat.finishes();
            with_account(&mut chat); // it forgets the mute, as another file would
            chat.types(ALICE, "/mute bob");
            chat.finishes();
            let [read, found] = tries(&mut chat, line);
            assert!(!format!("{read}{found}").contains("NEW"), "{line}: {read}\n---\n{found}");
        }
    }
    // They may go where a room is already; its name is not told where they were.
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    chat.asks(DAVE, enter("dave", None));
    chat.types(DAVE, "/join math");
    chat.types(ALICE, "/mute bob");
    chat.finishes();
    chat.forgets();
    chat.types(BOB, "/join math");
    chat.finishes();
    assert_eq!(chat.reads(CAROL), "*** bob left lobby (changed rooms)\n");
    assert_eq!(chat.reads(DAVE), "*** bob entered math\n");
}

// --- What is set in a room comes back ---

#[test]
fn a_topic_and_a_pause_outlive_a_hundred_other_rooms() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/join quiet");
    chat.types(ALICE, "/topic hush");
    chat.types(ALICE, "/pause");
    chat.types(ALICE, "/join lobby");
    for i in 0..3 * ROOMS_MAX {
        chat.passes(1);
        chat.types(BOB, &format!("/join room{i}"));
    }
    chat.finishes();
    assert!(!chat.is_told(BOB, "/rooms").contains(" quiet "), "it made way");
    let told = chat.is_told(BOB, "/join Quiet");
    assert!(told.contains("*** Topic of Quiet: hush (set by alice)\n"), "{told}");
    assert!(told.contains("*** Quiet is paused: /hand raises your hand.\n"), "{told}");
    chat.says(BOB, "<bob> hi");
    assert!(chat.is_told(BOB, "/topic mine").contains("Quiet is paused"));
    // What is cleared stays cleared.
    chat.types(ALICE, "/join quiet");
    chat.types(ALICE, "/resume");
    chat.types(ALICE, "/topic -");
    chat.types(ALICE, "/leave");
    for i in 0..2 * ROOMS_MAX {
        chat.passes(1);
        chat.types(BOB, &format!("/join again{i}"));
    }
    chat.finishes();
    let told = chat.is_told(BOB, "/join quiet");
    assert!(!told.contains("Topic of") && !told.contains("is paused"), "{told}");
}

#[test]
fn what_the_store_has_of_more_than_a_hundred_rooms_is_there_again() {
    let alice = Author { name: "alice".to_owned(), account: Some(ALICES) };
    let settings = |text: &str| -> Settings {
        let pair = |name: &str, text: &str| (name.to_owned(), (text.to_owned(), alice.clone()));
        [pair("topic", text), pair("paused", "yes")].into()
    };
    let room = |i| RoomSnapshot { name: format!("room{i}"), ..RoomSnapshot::default() };
    let rooms = (0..ROOMS_MAX).map(room).collect();
    let other_settings = [("lobby", "all"), ("Quiet", "hush"), ("no name", "x")]
        .map(|(name, topic)| (name.to_owned(), settings(topic)))
        .into();
    let mut chat = Conversation::empty(true);
    chat.chat.restore(Snapshot { rooms, other_settings, ..snapshot() });
    chat.asks(BOB, enter("bob", None));
    chat.finishes();
    let told = chat.reads(BOB);
    assert!(told.contains("*** Topic of lobby: all (set by alice)\n"), "{told}");
    assert!(told.contains("*** lobby is paused: /hand raises your hand.\n"), "{told}");
    let told = chat.is_told(BOB, "/join quiet");
    assert!(told.contains("*** Topic of quiet: hush (set by alice)\n"), "{told}");
}

#[test]
fn the_rooms_with_settings_are_bounded_and_nobody_loses_one() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/topic the lobby's");
    chat.types(ALICE, "/join first");
    chat.types(ALICE, "/topic mine");
    chat.types(ALICE, "/leave");
    chat.finishes();
    let mut set = 2; // the lobby's, and this one
    for i in 0..SETTINGS_ROOMS_MAX + 10 {
        chat.passes(1);
        chat.types(BOB, &format!("/join room{i}"));
        chat.types(BOB, "/topic flood");
        set += chat.finishes().iter().filter(|it| matches!(it, Change::RoomSetting { .. })).count();
    }
    assert_eq!(set, SETTINGS_ROOMS_MAX - ROOMS_MAX);
    let told = chat.is_told(BOB, "/topic flood");
    assert_eq!(told, "*** Something is set in 900 rooms already, which is the most.\n");
    assert!(chat.is_told(BOB, "/join first").contains("*** Topic of first: mine"));
    assert!(chat.is_told(BOB, "/topic other").contains("is now: other"), "it has one");
    assert!(chat.is_told(BOB, "/join lobby").contains("*** Topic of lobby: the lobby's"));
    chat.types(ALICE, "/join another");
    chat.types(ALICE, "/pause");
    chat.finishes();
    assert!(chat.reads(ALICE).contains("alice paused another"), "administrators have a share");
}
