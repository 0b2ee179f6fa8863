//! `/since`: what was said between two lines.

use crate::*;

/// Lines 1 to 9: of two rooms, and private ones of alice (1), bob (2) and a stranger.
fn store(folder: &Folder) -> Store {
    let mut store = folder.open();
    let (alice, bob, eve) = (owner("alice", 1), owner("bob", 2), stranger("eve"));
    write(&mut store, [registered(1, "alice"), registered(2, "bob")]);
    write(
        &mut store,
        [
            said(1, "Lobby", "one"),
            said(2, "math", "two"),
            private(3, alice.clone(), bob.clone(), "three"),
            said(4, "lobby", "four\nfive"),
            private(6, eve.clone(), alice.clone(), "six"),
            private(7, alice.clone(), alice, "seven"),
            private(8, eve.clone(), eve, "eight"),
            mail(9, bob.clone(), bob, "nine"),
        ],
    );
    store
}

fn since(room: &str, account: Option<i64>, after: i64, before: i64, most: usize) -> Query {
    let (room, account) = (room.to_owned(), account.map(AccountId));
    Query::Since { room, account, after: LineId(after), before: LineId(before), most }
}

fn numbers(store: &mut Store, query: &Query) -> Vec<i64> {
    lines(store, query).iter().map(|line| line.id.0).collect()
}

/// The number of the lines that the query would find without its bound.
fn count(store: &mut Store, query: &Query) -> usize {
    let Query::Since { room, account, after, before, .. } = query.clone() else { panic!() };
    match store.find(&Query::CountSince { room, account, after, before }).unwrap() {
        Found::Count(count) => count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_of_a_room_and_of_an_account_between_two_lines() {
    let folder = Folder::new();
    let mut store = store(&folder);
    let most = i64::MAX;
    for (query, expected) in [
        (since("LOBBY", None, 0, most, 99), &[1, 4, 5][..]),
        (since("lobby", None, 1, 5, 99), &[4]),
        (since("lobby", None, 4, 5, 99), &[]),
        (since("lobby", Some(1), 1, most, 99), &[3, 4, 5, 6, 7]),
        (since("lobby", Some(2), 0, 9, 99), &[1, 3, 4, 5]),
        (since("math", Some(2), 3, most, 99), &[9]),
        (since("nowhere", None, 0, most, 99), &[]),
        (since("nowhere", Some(1), i64::MIN, most, 99), &[3, 6, 7]),
        (since("lobby", Some(99), i64::MIN, most, 99), &[1, 4, 5]),
        (since("lobby", None, most, i64::MIN, 99), &[]),
    ] {
        assert_eq!(numbers(&mut store, &query), expected, "{query:?}");
        assert_eq!(count(&mut store, &query), expected.len(), "{query:?}");
    }
    let texts: Vec<String> = lines(&mut store, &since("lobby", Some(1), 2, 8, 99))
        .into_iter()
        .map(|line| line.text)
        .collect();
    let expected = [
        "[to bob] three\n",
        "<alice> four\n",
        "<alice> five\n",
        "[from eve] six\n",
        "[to alice] seven\n",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn the_last_ones_are_found_and_all_are_counted() {
    let folder = Folder::new();
    let mut store = store(&folder);
    let bounded = since("lobby", Some(1), 0, i64::MAX, 4);
    assert_eq!(numbers(&mut store, &bounded), [4, 5, 6, 7]);
    assert_eq!(count(&mut store, &bounded), 6);
    assert_eq!(numbers(&mut store, &since("lobby", Some(1), 0, i64::MAX, 0)), [0; 0]);
    // Nobody waits while a whole history is counted.
    let many: String = (0..10_001).map(|i| format!("{i}\n")).collect();
    write(&mut store, [said(100, "talk", &many)]);
    assert_eq!(count(&mut store, &since("talk", None, 0, i64::MAX, 1)), 10_000);
    // What is deleted is not counted.
    write(&mut store, [record(9, Change::LinesRemoved(vec![LineId(4)]))]);
    store.prune(LineId(i64::MIN), at(2), 99).unwrap();
    assert_eq!(numbers(&mut store, &bounded), [3, 5, 6, 7]);
    assert_eq!(count(&mut store, &bounded), 4);
    assert_eq!(store.snapshot(9, 9).unwrap().forgotten, LineId(4), "the server is told so");
}
