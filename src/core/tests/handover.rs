//! A chat that is handed to another server, and what of it is.

use super::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// The chat of the server that takes over.
fn handed(chat: &Chat<ClientId>) -> Chat<ClientId> {
    chat.check_rest().unwrap();
    let json = serde_json::to_string(chat).unwrap();
    let chat: Chat<ClientId> = serde_json::from_str(&json).unwrap();
    let mut chat = chat.go_on(Conversation::config(true), Table::default()).unwrap();
    chat.set_handles(vec![(ALICE, ALICE), (BOB, BOB), (CAROL, CAROL)]);
    chat
}

/// A conversation in which everything has happened that leaves something behind.
fn eventful() -> Conversation {
    let mut chat = Conversation::new();
    chat.asks(CAROL, enter("carol", None));
    for (client, command) in [
        (ALICE, "/topic threads"),
        (ALICE, "/ban add mallory 7d noise"),
        (ALICE, "/class Which one? | this | that"),
        (BOB, "/a"),
        (BOB, "/hand"),
        (BOB, "/timestamps"),
        (CAROL, "/join side"),
        (CAROL, "/away at lunch"),
        (CAROL, "/ignore bob"),
        (CAROL, "/msg alice psst"),
    ] {
        chat.types(client, command);
    }
    chat.asks(BOB, Question::NewToken(crate::core::token::Token::of(7)));
    chat.says(BOB, "<bob> hi");
    chat.finishes();
    chat.forgets();
    chat
}

#[test]
fn a_chat_that_was_handed_over_goes_on_like_one_that_was_not() {
    let (mut stays, mut goes) = (eventful(), eventful());
    goes.chat = handed(&goes.chat);
    let mut heard = [&mut stays, &mut goes].map(|chat| {
        chat.passes(60);
        chat.forgets();
        chat.says(ALICE, "<alice> hello");
        chat.says(CAROL, "<carol> anybody here?");
        for command in
            ["/who", "/topic", "/bans", "/hands", "/history", "/whois carol", "/reply yes"]
        {
            chat.types(ALICE, command);
        }
        for command in ["/ignore", "/back", "/join lobby"] {
            chat.types(CAROL, command);
        }
        chat.types(BOB, "/b");
        chat.departs(BOB, CloseReason::Closed);
        let changes = chat.finishes();
        let read = std::mem::take(&mut chat.read);
        (changes.len(), format!("{changes:?}"), read, chat.queries.len())
    });
    assert_eq!(heard[0], heard[1]);
    let (.., read, _) = &mut heard[1];
    assert!(read[&BOB].contains("[00:01] <@alice> hello"), "{read:?}");
}

#[test]
fn whoever_is_not_handed_over_has_left() {
    let chat = eventful();
    let json = serde_json::to_string(&chat.chat).unwrap();
    let taken: Chat<ClientId> = serde_json::from_str(&json).unwrap();
    let mut chat = chat;
    chat.chat = taken.go_on(Conversation::config(true), Table::default()).unwrap();
    chat.chat.set_handles(vec![(ALICE, ALICE), (CAROL, CAROL)]);
    chat.finishes();
    assert_eq!(chat.reads(ALICE), "*** bob left lobby (server upgraded)\n");
}

#[test]
fn what_is_on_its_way_is_not_handed_over() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> hi");
    assert_eq!(chat.chat.check_rest(), Err("what was said is not delivered yet."));
    chat.finishes();
    chat.chat.begin_outage("the disk is full.", Timestamp::UNIX_EPOCH);
    chat.finishes();
    assert_eq!(chat.chat.check_rest(), Err("the history is not written."));
}

#[test]
fn what_is_shown_and_has_no_outcome_yet_is_not_handed_over() {
    let mut chat = Conversation::new();
    chat.says(ALICE, "<alice> hi");
    let changes = chat.seals();
    chat.flushes();
    assert_eq!(chat.chat.check_rest(), Err("what was said is not written yet."));
    chat.writes(&changes);
    assert_eq!(chat.chat.check_rest(), Ok(7));
}

#[test]
fn an_answer_on_its_way_and_a_stop_that_is_announced_are_not_handed_over() {
    let mut chat = Conversation::new();
    chat.types(BOB, "/hands");
    assert_eq!(chat.chat.check_rest(), Err("what was said is not delivered yet."));
    chat.finishes();
    assert_eq!(chat.chat.check_rest(), Ok(7));
    chat.types(ALICE, "/shutdown 60");
    chat.finishes();
    assert_eq!(chat.chat.check_rest(), Err("the server is about to stop."));
    let mut chat =
        Chat::<ClientId>::new(Conversation::config(false), Table::default(), Snapshot::default());
    assert_eq!(chat.check_rest(), Ok(7), "it has no accounts");
    chat.close();
    assert_eq!(chat.check_rest(), Err("the server is about to stop."));
}

#[test]
fn a_chat_goes_on_in_another_zone_and_with_the_commands_of_the_next_server() {
    let config = RoomsConfig {
        names: NameRule::Unicode,
        zone: TimeZone::fixed(jiff::tz::offset(1)),
        ..Conversation::config(true)
    };
    let mut chat = Conversation::with(RoomsConfig { zone: TimeZone::UTC, ..config.clone() });
    chat.asks(BOB, enter("bob", None));
    chat.types(BOB, "/timestamps on");
    chat.asks(ALICE, enter("alice", Some(ALICES)));
    chat.finishes();
    let json = serde_json::to_string(&chat.chat).unwrap();
    let taken: Chat<ClientId> = serde_json::from_str(&json).unwrap();
    let table = Table { demo: true, ..Table::default() };
    chat.chat = taken.go_on(config, table).unwrap();
    chat.chat.set_handles(vec![(ALICE, ALICE), (BOB, BOB)]);
    chat.forgets();
    chat.says(ALICE, "<alice> hi");
    chat.finishes();
    assert_eq!(chat.reads(BOB), "[01:00] <@alice> hi\n");
    assert!(!chat.is_told(ALICE, "/demo").contains("There is no command"));
}

#[test]
fn accounts_that_are_in_no_file_are_not_handed_over() {
    let chat = Conversation::empty(false); // alice and zoe have accounts
    assert_eq!(chat.chat.check_rest(), Err("its accounts are in no file (--db none)."));
}

/// Fields whose own fields are no names of ours: a map's keys.
const MAPS: [&str; 7] =
    ["words", "looks", "by_id", "spellings", "settings", "passwords", "rooms.rooms.names"];

/// Every place in a JSON document where a value stands.
fn places(value: &Value, place: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let is_map = MAPS.iter().any(|map| place.ends_with(map));
            for (name, value) in fields {
                let name = if is_map { "*" } else { name };
                places(value, &format!("{place}.{name}"), found);
            }
        }
        Value::Array(values) => {
            values.iter().for_each(|value| places(value, &format!("{place}[]"), found));
        }
        _ => drop(found.insert(place.to_owned())),
    }
}

/// If this fails, another version cannot read what this one hands over: raise `VERSION` in
/// rooms/handover.rs, and put what is printed here into the file.
#[test]
fn the_shape_of_what_is_handed_over_has_its_version() {
    let chat: Value = serde_json::to_value(&eventful().chat).unwrap();
    let mut found = BTreeSet::new();
    places(&chat, "chat", &mut found);
    let shape: String = found.iter().map(|place| format!("{place}\n")).collect();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/core/tests/handover.shape");
    let known = std::fs::read_to_string(file).unwrap();
    let (version, known) = known.split_once('\n').unwrap();
    assert_eq!(version, format!("version {}", crate::core::rooms::handover::VERSION));
    assert!(shape == known, "the shape has changed:\n{shape}");
}
