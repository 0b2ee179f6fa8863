//! What is forgotten is forgotten wholly, and its numbers are never used again.

use crate::*;
use chatd::core::record::Remembered;

/// Forgets all that was said before the line of this number, in small pieces.
fn forget(store: &mut Store, before: i64) -> usize {
    std::iter::from_fn(|| {
        Some(store.prune(at(before), 3).unwrap()).filter(|forgotten| *forgotten > 0)
    })
    .sum()
}

#[test]
fn what_is_too_old_is_forgotten_with_its_words() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[registered(1, "bob")]).unwrap();
    store
        .write(&(1..=20).map(|id| said(id, "lobby", &format!("word w{id}"))).collect::<Vec<_>>())
        .unwrap();
    store
        .write(&[
            said(21, "math", "word"),
            Record { at: at(5), what: What::Deed { by: "a".into(), what: "b".into() } },
        ])
        .unwrap();
    assert_eq!(texts(&mut store, &search("lobby", None, "word")).len(), 20);
    store.write(&[said(22, "lobby", "word not indexed yet")]).unwrap();

    assert_eq!(forget(&mut store, 15), 14);
    assert_eq!(lines(&mut store, &older("lobby", None, 99)).first().unwrap().id, 15);
    assert_eq!(texts(&mut store, &search("lobby", None, "word")).len(), 7);
    assert!(texts(&mut store, &search("lobby", None, "w14")).is_empty());
    assert_eq!(forget(&mut store, 15), 0);

    assert_eq!(forget(&mut store, 99), 8);
    assert_eq!(
        store.remembered(9, 9).unwrap(),
        Remembered { last_line: 22, rooms: vec![], ..store.remembered(9, 9).unwrap() }
    );
    store.write(&[said(23, "lobby", "word")]).unwrap();
    assert_eq!(texts(&mut store, &search("lobby", None, "word")).len(), 1);
    let left: i64 = folder
        .sqlite()
        .query_row(
            "SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM room WHERE name = 'math')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0, "audit entries and silent rooms go, too");
}

#[test]
fn a_room_with_the_number_of_one_that_is_forgotten_has_its_own_lines_alone() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[said(1, "lobby", "word"), said(2, "old", "word old")]).unwrap();
    assert_eq!(texts(&mut store, &search("old", None, "word")).len(), 1);
    assert_eq!(forget(&mut store, 9), 2);
    store.write(&[said(10, "one", "word"), said(11, "two", "word two")]).unwrap();
    assert_eq!(texts(&mut store, &search("one", None, "word")), ["<alice> word"]);
    assert_eq!(texts(&mut store, &search("two", None, "word")), ["<alice> word two"]);
    assert!(texts(&mut store, &search("old", None, "word")).is_empty());
}

#[test]
fn what_waits_in_a_mailbox_stays() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[registered(1, "bob")]).unwrap();
    let to_bob = |id, is_mail| told(id, guest("alice"), owner("bob", 1), "word", is_mail);
    store
        .write(&[
            to_bob(1, false),
            to_bob(2, true),
            to_bob(3, false),
            to_bob(4, true),
            to_bob(5, false),
        ])
        .unwrap();
    assert_eq!(texts(&mut store, &search("lobby", Some(1), "word")).len(), 5);
    assert_eq!(forget(&mut store, 99), 3);
    assert_eq!(texts(&mut store, &Query::Mail(1)).len(), 2);
    assert_eq!(texts(&mut store, &search("lobby", Some(1), "word")).len(), 2);
    store.write(&[Record { at: at(6), what: What::MailDeleted(1, 4) }]).unwrap();
    assert_eq!(forget(&mut store, 99), 2);
    assert!(texts(&mut store, &search("lobby", Some(1), "word")).is_empty());
}

#[test]
fn no_number_is_used_twice_though_everything_is_forgotten() {
    let folder = Folder::new();
    let mut store = folder.open();
    store
        .write(&[
            registered(1, "bob"),
            said(7, "lobby", "a\nb"),
            told(9, guest("alice"), owner("bob", 1), "c", false),
        ])
        .unwrap();
    forget(&mut store, 99);
    store.write(&[Record { at: at(9), what: What::Unregistered(1) }]).unwrap();
    store.close().unwrap();
    let remembered = folder.open().remembered(9, 9).unwrap();
    assert_eq!(remembered, Remembered { last_line: 9, last_account: 1, ..Remembered::default() });
}
