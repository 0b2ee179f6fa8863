//! Somebody is taken out of a file that has more of them than is looked at together.

use crate::*;
use chatd::{
    core::record::{Sanction, SanctionKind, Target},
    store::{GONE, Traces},
};

const MANY: i64 = 2_500;

/// Alice says every second line, and bob the others, in which he names her, in the room and in private.
fn talk() -> Vec<Record> {
    let (alice, bob) = (owner("alice", 1), stranger("bob"));
    let mut records = vec![registered(1, "alice")];
    for id in (1..=MANY).step_by(4) {
        let (room, name) = ("lobby".to_owned(), stranger("bob"));
        let named = Change::RoomMessage {
            id: LineId(id),
            room: room.clone(),
            author: name,
            text: "<bob> ask alice\n".to_owned(),
        };
        let text = "<alice> alice is me\n".to_owned();
        let said = Change::RoomMessage { id: LineId(id + 1), room, author: alice.clone(), text };
        records.extend([record(id, named), record(id, said)]);
        records.push(private(id + 2, bob.clone(), stranger("carol"), "alice knows"));
        records.push(private(id + 3, alice.clone(), bob.clone(), "secret"));
    }
    for (by, whom) in [("carol", "alice"), ("alice", "mallory"), ("dave", "bob")] {
        for kind in [SanctionKind::Ban, SanctionKind::Mute] {
            let target = Target::Name(whom.to_owned());
            let (by, why) = (by.to_owned(), Some("as alice said".to_owned()));
            let sanction = Sanction { kind, target, until: None, by, why };
            records.push(record(1, Change::Sanctioned(sanction)));
        }
    }
    let entry = |by: &str, what: &str| Change::Audit { by: by.to_owned(), what: what.to_owned() };
    records.push(record(2, entry("alice", "banned mallory")));
    records.push(record(3, entry("carol", "banned alice")));
    records.push(record(4, entry("carol", "banned mallory")));
    records
}

#[test]
fn all_of_somebody_is_counted_and_goes_however_much_it_is() {
    let (_folder, mut store) = new_store();
    write(&mut store, talk());
    let quarter = (MANY / 4) as usize;
    let expected = Traces {
        accounts: 1,
        said: quarter,
        private: quarter,
        named: quarter,
        named_in_private: quarter,
        // Two on her, two by her, and the reasons of those and of two others; two entries.
        noted: 2 + 2 + 2 + 2 + 2,
    };
    assert_eq!(Traces::of(&mut store, "Alice").unwrap(), expected);
    assert_eq!(Traces::erase(&mut store, "Alice").unwrap(), expected);
    assert_eq!(Traces::of(&mut store, "alice").unwrap(), Traces::default());
    let said = texts(&mut store, &older("lobby", None, MANY as usize));
    assert_eq!(said.len(), 2 * quarter);
    assert!(said.iter().all(|text| text.contains(GONE) && !text.contains("alice")));
}
