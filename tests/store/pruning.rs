//! What is deleted for its age is gone wholly, and its numbers are never used again.

use crate::*;

/// Deletes all that was said before the line of this number, in small pieces.
fn prune(store: &mut Store, before: i64) -> usize {
    let mut after = LineId::MIN;
    let piece = || {
        let piece = store.prune(after, at(before), 3).unwrap()?;
        after = piece.last;
        Some(piece.deleted)
    };
    std::iter::from_fn(piece).sum()
}

#[test]
fn what_is_too_old_is_deleted_with_its_words() {
    let (folder, mut store) = new_store();
    write(&mut store, (1..=20).map(|id| said(id, "lobby", &format!("word w{id}"))));
    let audit = Change::Audit { by: "a".into(), what: "b".into() };
    write(&mut store, [said(21, "math", "word"), record(5, audit)]);
    assert_eq!(ids(&mut store, &search("lobby", None, "word")).len(), 20);
    write(&mut store, [said(22, "lobby", "word not indexed yet")]);

    assert_eq!(prune(&mut store, 15), 14);
    assert_eq!(ids(&mut store, &older("lobby", None, 99)), [15, 16, 17, 18, 19, 20, 22]);
    assert_eq!(ids(&mut store, &search("lobby", None, "word")).len(), 7);
    assert!(ids(&mut store, &search("lobby", None, "w14")).is_empty());
    assert_eq!(prune(&mut store, 15), 0);

    assert_eq!(prune(&mut store, 99), 8);
    let snapshot = store.snapshot(9, 9).unwrap();
    let forgotten = LineId(22);
    let last_line = LineId(22);
    assert_eq!(snapshot, Snapshot { last_line, forgotten, ..empty(&snapshot) });
    write(&mut store, [said(23, "lobby", "word")]);
    assert_eq!(ids(&mut store, &search("lobby", None, "word")), [23]);
    let left = "SELECT (SELECT count(*) FROM audit)
                     + (SELECT count(*) FROM room WHERE name = 'math')";
    let left: i64 = folder.sqlite().query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "audit entries and silent rooms go, too");
}

#[test]
fn a_room_with_the_number_of_one_that_is_deleted_has_its_own_lines_alone() {
    let (_folder, mut store) = new_store();
    write(&mut store, [said(1, "lobby", "word"), said(2, "old", "word old")]);
    assert_eq!(ids(&mut store, &search("old", None, "word")), [2]);
    assert_eq!(prune(&mut store, 9), 2);
    write(&mut store, [said(10, "one", "word"), said(11, "two", "word two")]);
    for (room, found) in [("one", &[10][..]), ("two", &[11]), ("old", &[])] {
        assert_eq!(ids(&mut store, &search(room, None, "word")), found, "{room}");
    }
}

#[test]
fn what_waits_in_a_mailbox_stays() {
    let (_folder, mut store) = new_store();
    let (eve, bob) = (stranger("eve"), owner("bob", 1));
    write(&mut store, [registered(1, "bob")]);
    write(&mut store, [1, 3, 5].map(|id| private(id, eve.clone(), bob.clone(), "word")));
    write(&mut store, [2, 4].map(|id| mail(id, eve.clone(), bob.clone(), "word")));
    assert_eq!(ids(&mut store, &search("lobby", Some(1), "word")), [1, 2, 3, 4, 5]);
    assert_eq!(prune(&mut store, 99), 3);
    assert_eq!(ids(&mut store, &Query::Mail(AccountId(1))), [2, 4]);
    assert_eq!(ids(&mut store, &search("lobby", Some(1), "word")), [2, 4]);
    let deleted = Change::MailDeleted(AccountId(1), vec![LineId(2), LineId(4)]);
    write(&mut store, [record(6, deleted)]);
    assert_eq!(prune(&mut store, 99), 2);
    assert!(ids(&mut store, &search("lobby", Some(1), "word")).is_empty());
}

#[test]
fn no_number_is_used_twice_though_everything_is_deleted() {
    let (folder, mut store) = new_store();
    let private = private(9, stranger("alice"), owner("bob", 1), "c");
    write(&mut store, [registered(1, "bob"), said(7, "lobby", "a\nb"), private]);
    prune(&mut store, 99);
    write(&mut store, [unregistered(1)]);
    store.close().unwrap();
    let (last_line, last_account, forgotten) = (LineId(9), AccountId(1), LineId(9));
    let snapshot = folder.open().snapshot(9, 9).unwrap();
    let last = Snapshot { last_line, last_account, forgotten, ..empty(&snapshot) };
    assert_eq!(snapshot, last);
}

#[test]
fn a_file_that_was_edited_is_forgotten_too() {
    let (folder, mut store) = new_store();
    write(&mut store, [said(1, "lobby", "word"), said(20, "lobby", "word")]);
    let edit = "INSERT INTO line SELECT -id, at, room, form, author, body FROM line WHERE id = 1
                UNION ALL SELECT id + 40, -5, room, form, author, body FROM line WHERE id = 1
                UNION ALL SELECT id - 1, 9000000000000000, room, form, author, body FROM line WHERE id = 1";
    assert_eq!(folder.sqlite().execute(edit, []).unwrap(), 3);
    assert_eq!(store.count_older(at(15)).unwrap().lines, 3);
    assert_eq!(prune(&mut store, 15), 3);
    assert_eq!(ids(&mut store, &older("lobby", None, 99)), [0, 20]);
}
