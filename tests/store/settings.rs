//! What is set in a room is there again when a server starts: the topic, and any other setting.

use crate::*;

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
