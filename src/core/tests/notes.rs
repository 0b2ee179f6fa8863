//! Notes for programs: what is noted, where it stands, and that whoever adds the notes up has the
//! rooms as they are.

use super::*;
use crate::core::notes::ServerFacts;
use serde_json::Value;
use std::collections::BTreeSet;

const FACTS: ServerFacts = ServerFacts { line_max: 1024, flood: Some((32, 8)) };

fn notes_on() -> Question {
    Question::Notes(Some(FACTS), None)
}

/// Lets somebody in whose program has asked for notes.
fn enter_with_notes(name: &str, account: Option<AccountId>) -> Question {
    let Question::Enter(mut entry) = enter(name, account) else { unreachable!() };
    entry.wishes.reads_notes = true;
    Question::Enter(entry)
}

/// Alice, an administrator, and bob are here; bob reads notes.
fn with_notes() -> Conversation {
    let mut chat = Conversation::new();
    chat.asks(BOB, notes_on());
    chat.finishes();
    chat.forgets();
    chat
}

#[test]
fn a_program_is_told_of_the_server_itself_and_the_room() {
    let mut chat = Conversation::new();
    chat.types(ALICE, "/topic tea \"now\"");
    chat.asks(CAROL, notes_on());
    chat.finishes();
    assert_eq!(
        chat.reads(CAROL),
        concat!(
            "{\"chatd\":\"0.1.0\",\"you\":\"c3\",\"line_max\":1024,\"flood\":[32,8],",
            "\"zone\":\"+00:00\",\"epoch\":7,\"ask\":\"name\"}\n"
        )
        .replace("0.1.0", env!("CARGO_PKG_VERSION"))
    );
    chat.says(ALICE, "<alice> hi");
    chat.ends_batch();
    chat.forgets();
    chat.asks(CAROL, enter_with_notes("carol", None));
    chat.finishes();
    assert_eq!(
        chat.reads(CAROL),
        "*** You are in lobby with @alice, bob.\n\
         *** Topic of lobby: tea \"now\" (set by alice)\n\
         *** The last 1 line of lobby (times are +00:00):\n\
         (00:00) <@alice> hi\n\
         *** End of the history.\n\
         {\"in\":\"carol\",\"account\":null,\"admin\":false,\"ask\":null}\n\
         {\"room\":\"lobby\",\"topic\":\"tea \\\"now\\\"\",\"by\":\"alice\",\"paused\":false,\
         \"count\":3,\"here\":[\"alice\",\"bob\",\"carol\"],\"last\":1}\n\
         {\"+\":\"carol\"}\n"
    );
    assert_eq!(chat.reads(BOB), "*** carol entered lobby\n", "who asks for no note reads none");
}

#[test]
fn notes_stand_behind_the_lines_of_their_batch() {
    let mut chat = with_notes();
    chat.says(ALICE, "<alice> one");
    chat.asks(CAROL, enter("carol", None));
    chat.types(CAROL, "/nick cara");
    chat.finishes();
    assert_eq!(
        chat.reads(BOB),
        "<@alice> one\n*** carol entered lobby\n*** carol is now cara\n\
         {\"+\":\"carol\"}\n{\"=\":[\"carol\",\"cara\"]}\n{\"last\":1}\n"
    );
    chat.says(BOB, "<bob> two");
    chat.says(ALICE, "<alice> three");
    chat.departs(CAROL, CloseReason::Closed);
    chat.finishes();
    assert_eq!(
        chat.reads(BOB),
        "<@alice> three\n*** cara left lobby (connection closed)\n{\"-\":\"cara\"}\n{\"last\":3}\n",
        "one who reads the room in pieces has the notes, too"
    );
    assert_eq!(
        chat.reads(ALICE),
        "*** carol entered lobby\n*** carol is now cara\n<bob> two\n\
         *** cara left lobby (connection closed)\n"
    );
}

#[test]
fn settings_rights_and_accounts_are_noted() {
    let mut chat = with_notes();
    chat.types(ALICE, "/topic tea");
    chat.types(BOB, "/topic -");
    chat.finishes();
    assert_eq!(
        chat.reads(BOB),
        "*** alice set the topic of lobby: tea\n*** lobby has no topic now.\n\
         {\"topic\":\"tea\",\"by\":\"alice\"}\n{\"topic\":null,\"by\":\"bob\"}\n"
    );
    chat.asks(BOB, register());
    chat.finishes();
    let read = chat.reads(BOB);
    assert!(
        read.contains("{\"in\":\"bob\",\"account\":\"bob\",\"admin\":false,\"ask\":null}\n"),
        "{read}"
    );
    let read = chat.is_told(BOB, "/nick robert");
    assert!(
        read.contains("{\"in\":\"robert\",\"account\":\"bob\",\"admin\":false,\"ask\":null}\n"),
        "{read}"
    );
    let read = chat.is_told(BOB, "/join red");
    assert!(
        read.contains(
            "{\"room\":\"red\",\"topic\":null,\"paused\":false,\"count\":1,\"here\":[\"robert\"],"
        ),
        "{read}"
    );
}

#[test]
fn a_private_line_has_its_number_for_both() {
    let mut chat = with_notes();
    chat.asks(ALICE, notes_on());
    chat.finishes();
    chat.forgets();
    chat.types(ALICE, "/msg bob psst");
    chat.finishes();
    assert_eq!(chat.reads(BOB), "[from @alice] psst\n{\"last\":1}\n");
    assert_eq!(chat.reads(ALICE), "[to bob] psst\n{\"last\":1}\n");
    chat.says(BOB, "<bob> hi");
    chat.types(ALICE, "/msg bob again");
    chat.finishes();
    assert_eq!(chat.reads(BOB), "[from @alice] again\n{\"last\":3}\n", "once");
}

#[test]
fn an_announcement_has_a_number_in_each_room() {
    let mut chat = with_notes();
    chat.types(ALICE, "/join side");
    chat.finishes();
    chat.forgets();
    chat.types(ALICE, "/announce a break");
    chat.finishes();
    assert_eq!(chat.reads(BOB), "*** Announcement by @alice: a break\n{\"last\":2}\n");
}

#[test]
fn administrators_are_told_whose_hand_is_up() {
    let mut chat = with_notes();
    chat.asks(ALICE, notes_on());
    chat.asks(CAROL, enter("carol", None));
    chat.finishes();
    chat.forgets();
    chat.types(BOB, "/hand");
    chat.types(CAROL, "/hand");
    chat.finishes();
    let read = chat.reads(ALICE);
    assert!(read.contains("{\"hand\":[\"bob\",1]}\n"), "{read}");
    assert!(read.contains("{\"hand\":[\"carol\",2]}\n"), "{read}");
    assert!(!chat.reads(BOB).contains("{\"hand\""), "administrators alone");
    assert!(chat.is_told(ALICE, "/lower bob").contains("{\"hand\":[\"bob\",0]}\n"));
    chat.asks(ALICE, notes_on());
    chat.finishes();
    assert!(chat.reads(ALICE).contains("\"hands\":[\"carol\"]"), "also who comes later");
    chat.types(ALICE, "/mute carol");
    chat.finishes();
    assert!(chat.reads(ALICE).contains("{\"hand\":[\"carol\",0]}\n"));
}

#[test]
fn in_a_paused_room_nobody_writes_into_notes() {
    let mut chat = with_notes();
    chat.types(ALICE, "/pause");
    chat.asks(CAROL, enter_with_notes("carol", None));
    chat.finishes();
    let read = chat.reads(BOB);
    assert!(read.ends_with("{\"paused\":true}\n"), "{read}");
    assert!(!read.contains("carol"), "{read}");
    chat.types(ALICE, "/resume");
    chat.finishes();
    let read = chat.reads(BOB);
    assert!(read.contains("{\"room\":\"lobby\",\"topic\":null,\"paused\":false,"), "{read}");
    assert!(read.contains("\"here\":[\"alice\",\"bob\",\"carol\"]"), "now it is told: {read}");
}

#[test]
fn notes_end_with_notes_off_and_with_the_connection() {
    let mut chat = with_notes();
    chat.asks(BOB, Question::Notes(None, None));
    chat.says(ALICE, "<alice> hi");
    chat.finishes();
    assert_eq!(chat.reads(BOB), "<@alice> hi\n");
    chat.asks(BOB, notes_on());
    chat.departs(BOB, CloseReason::Closed);
    chat.finishes();
    assert!(!chat.chat.rooms.output.has_note_readers(), "nobody reads notes any more");
}

// --- Whoever adds them up has the rooms as they are ---

/// What a program knows from notes alone.
#[derive(Default, Debug, PartialEq)]
struct Known {
    name: String,
    room: String,
    here: BTreeSet<String>,
    topic: Option<String>,
    is_paused: bool,
    last: i64,
}

impl Known {
    fn hears(&mut self, text: &str) {
        for line in text.lines().filter(|line| line.starts_with('{')) {
            let note: Value = serde_json::from_str(line).expect("a note is JSON");
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            if let Some(room) = note.get("room") {
                self.room = text(room);
                let here = note["here"].as_array().unwrap();
                self.here = here.iter().map(text).collect();
                assert_eq!(self.here.len() as u64, note["count"].as_u64().unwrap());
            }
            for (key, value) in note.as_object().unwrap() {
                match &**key {
                    "+" => drop(self.here.insert(text(value))),
                    "-" => drop(self.here.remove(&text(value))),
                    "=" => {
                        self.here.remove(&text(&value[0]));
                        self.here.insert(text(&value[1]));
                    }
                    "in" => self.name = text(value),
                    "topic" => self.topic = value.as_str().map(str::to_owned),
                    "paused" => self.is_paused = value.as_bool().unwrap(),
                    "last" => self.last = value.as_i64().unwrap(),
                    _ => {}
                }
            }
        }
    }

    /// What is true of a member.
    fn of(chat: &Conversation, client: ClientId) -> Option<Known> {
        let rooms = &chat.chat.rooms;
        let client = chat.chat.clients.find(client)?;
        let member = rooms.members().get(client)?;
        let room = rooms.room_of(client);
        let name_of = |&member| rooms.members()[member].name().shown().to_owned();
        Some(Known {
            name: member.name().shown().to_owned(),
            room: room.name().to_owned(),
            here: room.members().iter().map(name_of).collect(),
            topic: room.setting("topic").map(|(topic, _)| topic.clone()),
            is_paused: room.is_paused(),
            last: 0,
        })
    }
}

/// What a client may type in a random conversation.
fn random_command(below: &mut impl FnMut(u64) -> u64, step: u64) -> String {
    match below(12) {
        0 => "/join red".to_owned(),
        1 => "/join lobby".to_owned(),
        2 => format!("/nick {}", ["ann", "bo", "cy", "dee"][below(4) as usize]),
        3 => format!("/topic t{step}"),
        4 => "/pause".to_owned(),
        5 => "/resume".to_owned(),
        6 => format!("/kick n{}", 1 + below(5)),
        7 => format!("/msg n{} psst", 1 + below(5)),
        _ => "/who".to_owned(),
    }
}

/// Anything that changes who is where, in batches that end anywhere.
fn random_conversation(
    below: &mut impl FnMut(u64) -> u64,
) -> (Conversation, BTreeMap<ClientId, Known>) {
    let mut chat = Conversation::empty(below(2) == 0);
    let mut known = BTreeMap::<ClientId, Known>::new();
    let mut asking = BTreeSet::from([ALICE]);
    chat.asks(ALICE, enter_with_notes("alice", Some(ALICES)));
    for step in 0..=50 {
        let client = 1 + below(5);
        let is_free = !asking.contains(&client);
        match below(6) {
            0 if is_free => chat.asks(client, enter_with_notes(&format!("n{client}"), None)),
            1 if is_free => chat.asks(client, notes_on()),
            2 if is_free && client != ALICE && below(3) == 0 => {
                chat.departs(client, CloseReason::Closed);
            }
            3 => chat.says(client, &format!("<n{client}> {step}")),
            _ if is_free => chat.types(client, &random_command(below, step)),
            _ => {}
        }
        asking.insert(client);
        // As an event loop does, which hands one client's answer over before the batch ends.
        if below(4) == 0 {
            chat.flushes_one(client);
        }
        if below(5) == 0 || step == 50 {
            chat.finishes();
            asking.clear();
        }
        for (client, text) in std::mem::take(&mut chat.read) {
            known.entry(client).or_default().hears(&text);
        }
    }
    known.retain(|_, known| !known.name.is_empty());
    (chat, known)
}

#[test]
fn whoever_adds_the_notes_up_has_the_rooms_as_they_are() {
    let mut dice = 1u64;
    let mut below = move |n: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice >> 16) % n
    };
    let mut compared = 0;
    for round in 0..400 {
        let (chat, known) = random_conversation(&mut below);
        for (client, known) in known {
            let Some(is) = Known::of(&chat, client) else { continue };
            // While a room is paused, its administrators alone are told who comes and goes.
            let here = if is.is_paused { known.here.clone() } else { is.here };
            let is = Known { last: known.last, here, ..is };
            assert_eq!(known, is, "in round {round}");
            assert!(known.last <= chat.chat.rooms.pending.last_line().0);
            compared += 1;
        }
    }
    assert!(compared > 400, "{compared}");
}
