//! What is set in a room is there again when a server starts: the topic, and any other setting.

use crate::*;
use chatd::core::record::SETTINGS_ROOMS_MAX;

/// The settings of the only room, as text.
fn settings(store: &Store) -> Vec<String> {
    let mut rooms = store.snapshot(9, 9).unwrap().rooms;
    assert!(rooms.len() <= 1, "{rooms:?}");
    let settings = rooms.pop().unwrap_or_default().settings;
    settings
        .iter()
        .map(|(name, (text, by))| {
            format!("{name}: {text} by {} {:?}", by.name, by.account.map(|id| id.0))
        })
        .collect()
}

#[test]
fn a_room_has_more_than_one_setting_and_each_is_kept() {
    let (folder, mut store) = new_store();
    let (alice, bob) = (|| owner("alice", 1), || stranger("bob"));
    write(&mut store, [registered(1, "alice"), said(1, "math", "hi")]);
    write(&mut store, [setting("math", "topic", Some(("sums", alice())))]);
    write(&mut store, [setting("Math", "rules", Some(("be kind", bob())))]);
    store.close().unwrap();

    let mut store = folder.open();
    assert_eq!(
        settings(&store),
        ["rules: be kind by bob None", "topic: sums by alice Some(1)"],
        "after a restart"
    );
    write(&mut store, [setting("math", "rules", Some(("be quick", alice())))]);
    write(&mut store, [setting("math", "topic", None)]);
    assert_eq!(settings(&store), ["rules: be quick by alice Some(1)"]);
    write(&mut store, [unregistered(1)]);
    assert_eq!(settings(&store), ["rules: be quick by alice None"]);

    // A room with a setting stays when its last line is deleted.
    assert_eq!(store.prune(LineId(0), at(99), 9).unwrap().unwrap().deleted, 1);
    assert_eq!(settings(&store), ["rules: be quick by alice None"]);
    write(&mut store, [setting("math", "rules", None), said(2, "math", "bye")]);
    assert_eq!(settings(&store), [""; 0]);
    assert_eq!(store.prune(LineId(0), at(99), 9).unwrap().unwrap().deleted, 1);
    assert!(!store.has_room("math").unwrap());
}

#[test]
fn a_file_with_many_settings_fills_no_memory() {
    let (folder, mut store) = new_store();
    write(&mut store, [setting("math", "topic", Some(("sums", stranger("alice"))))]);
    let many = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 5000)
                INSERT INTO room_setting SELECT 1, 'made up ' || i, 'x', 'eve', NULL FROM n";
    assert_eq!(folder.sqlite().execute(many, []).unwrap(), 5000);
    assert_eq!(settings(&store).len(), 32);
}

#[test]
fn the_settings_of_every_room_are_read_and_not_of_those_alone_that_were_spoken_in_last() {
    let (folder, mut store) = new_store();
    let topic = |room: &str| setting(room, "topic", Some(("sums", stranger("alice"))));
    write(
        &mut store,
        [
            topic("lobby"),
            topic("Math"),
            setting("math", "paused", Some(("yes", stranger("alice")))),
        ],
    );
    // Twenty rooms that were spoken in later; every other one has a topic.
    for i in 0..20 {
        write(&mut store, [said(i + 1, &format!("room{i}"), "hi")]);
        if i % 2 == 0 {
            write(&mut store, [topic(&format!("room{i}"))]);
        }
    }
    let snapshot = store.snapshot(9, 9).unwrap();
    let with_topic =
        |name: &str| snapshot.rooms.iter().any(|r| r.name == name && r.settings.len() == 1);
    assert_eq!(snapshot.rooms.len(), 9);
    assert!(with_topic("room18") && with_topic("room12") && !with_topic("room10"));
    let others: Vec<String> = snapshot
        .other_settings
        .iter()
        .map(|(name, settings)| format!("{name} {}", settings.len()))
        .collect();
    assert_eq!(
        others,
        ["lobby 1", "room10 1", "room8 1", "room6 1", "room4 1", "room2 1", "room0 1", "Math 2"]
    );
    assert!(
        store.snapshot(0, 0).unwrap().other_settings.is_empty(),
        "nothing of the rooms was asked"
    );

    let many = "WITH RECURSIVE n (i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM n LIMIT 5000)
                INSERT INTO room (id, name, folded) SELECT i, 'made' || i, 'made' || i FROM n";
    assert_eq!(folder.sqlite().execute(many, []).unwrap(), 5000);
    let set =
        "INSERT INTO room_setting SELECT id, 'topic', 'x', 'eve', NULL FROM room WHERE id >= 100";
    folder.sqlite().execute(set, []).unwrap();
    let others = store.snapshot(9, 9).unwrap().other_settings;
    assert_eq!((others.len(), &*others[0].0), (SETTINGS_ROOMS_MAX, "lobby"));
}
