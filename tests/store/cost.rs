//! What a line costs, measured. Run it by hand, on a machine with nothing else to do:
//! `cargo test --release --test store -- --ignored --nocapture cost`

use crate::*;
use chatd::store::{FORGOTTEN_AT_ONCE, INDEXED_AT_ONCE};
use std::time::Instant;

/// Lines written for each figure.
const LINES: i64 = 20_000;

/// Talk as people type it, of forty letters or so.
fn talk(id: LineId) -> Record {
    let words = [
        "history",
        "exam",
        "thread",
        "mutex",
        "channel",
        "select",
        "poll",
        "lecture",
        "semaphore",
        "socket",
    ];
    let word = |n: i64| words[(n % 10) as usize];
    said(
        id,
        "lobby",
        &format!("{} and {} and then {} number {id}", word(id), word(id / 3), word(id / 7)),
    )
}

/// Microseconds a line.
fn write_all(store: &mut Store, at_once: usize, count: i64) -> f64 {
    let first = store.remembered(0, 0).unwrap().last_line + 1;
    let records: Vec<Record> = (first..first + count).map(talk).collect();
    let start = Instant::now();
    records.chunks(at_once).for_each(|batch| store.write(batch).unwrap());
    start.elapsed().as_secs_f64() * 1e6 / count as f64
}

/// The index made by a trigger, with each line, instead of later.
const TRIGGER: &str = "CREATE TRIGGER eager AFTER INSERT ON line BEGIN
    INSERT INTO line_words (rowid, room, author, body) VALUES (new.id, char(1) || new.room, new.author, new.body);
END";

#[test]
#[ignore = "a measurement"]
fn cost_of_writing() {
    println!("microseconds a line, of {LINES}:  1 at once   10   100   1000");
    for (name, durability, trigger) in [
        ("normal", Durability::Normal, None),
        ("normal, index by trigger", Durability::Normal, Some(TRIGGER)),
        ("full", Durability::Full, None),
        ("off", Durability::Off, None),
    ] {
        let figures = [1, 10, 100, 1000].map(|at_once| {
            let folder = Folder::new();
            folder.open();
            trigger.iter().for_each(|sql| folder.sqlite().execute_batch(sql).unwrap());
            let mut store = Store::open(&folder.database(), durability, NO_PATIENCE).unwrap();
            write_all(&mut store, at_once, LINES)
        });
        println!(
            "{name:<28} {:>8.1} {:>8.1} {:>8.1} {:>8.1}",
            figures[0], figures[1], figures[2], figures[3]
        );
    }
}

#[test]
#[ignore = "a measurement"]
fn cost_of_searching() {
    let folder = Folder::new();
    let mut store = folder.open();
    let lines = 100_000;
    write_all(&mut store, 1000, lines);
    store.write(&[said(lines + 1, "rare", "history")]).unwrap();
    let (all, longest) = in_pieces(|| store.index_some(INDEXED_AT_ONCE).unwrap());
    println!(
        "indexed {lines} lines in {all:?}; {INDEXED_AT_ONCE} at once in {longest:?} at the most"
    );
    for (room, words) in [
        ("lobby", "history"),
        ("lobby", "history exam"),
        ("lobby", "hist* ex*"),
        ("lobby", "number 77777"),
        ("lobby", "a*"),
        ("rare", "history"),
        ("lobby", "nothing"),
    ] {
        let start = Instant::now();
        let found = texts(&mut store, &search(room, None, words)).len();
        println!("search of {words:?} in {room}: {found} lines in {:?}", start.elapsed());
    }
    let start = Instant::now();
    let query = Query::Older {
        room: "lobby".into(),
        account: None,
        before: lines / 2,
        since: None,
        most: 300,
    };
    let found = texts(&mut store, &query).len();
    println!("{found} older lines in {:?}", start.elapsed());
    store.close().unwrap();
    let bytes = std::fs::metadata(folder.database()).unwrap().len();
    let start = Instant::now();
    let mut store = folder.open();
    println!("opened, {bytes} bytes, in {:?}", start.elapsed());
    let start = Instant::now();
    store.remembered(100, 300).unwrap();
    println!("remembered in {:?}", start.elapsed());
    let (all, longest) = in_pieces(|| store.prune(at(lines + 9), FORGOTTEN_AT_ONCE).unwrap());
    println!("forgot all in {all:?}; {FORGOTTEN_AT_ONCE} at once in {longest:?} at the most");
}

/// Calls this until it has nothing more to do: how long all took, and the longest piece.
fn in_pieces(mut piece: impl FnMut() -> usize) -> (Duration, Duration) {
    let (start, mut longest, mut left) = (Instant::now(), Duration::ZERO, true);
    while left {
        let start = Instant::now();
        left = piece() > 0;
        longest = longest.max(start.elapsed());
    }
    (start.elapsed(), longest)
}

/// A room that few use, and an account with few letters, beside very many lines of others.
#[test]
#[ignore = "a measurement"]
fn cost_of_searching_beside_others() {
    let folder = Folder::new();
    let mut store = folder.open();
    let (lines, told_lines) = (200_000, 100_000);
    write_all(&mut store, 1000, lines);
    store.write(&[registered(1, "alice"), registered(2, "bob"), registered(3, "carol")]).unwrap();
    store.write(&[said(lines + 1, "rare", "history and lecture")]).unwrap();
    let tell = |n: i64| {
        let What::Said { text, .. } = talk(n).what else { unreachable!() };
        told(lines + 1 + n, owner("alice", 1), owner("bob", 2), text.trim_end(), false)
    };
    let records: Vec<Record> = (1..=told_lines).map(tell).collect();
    records.chunks(1000).for_each(|batch| store.write(batch).unwrap());
    let last = lines + told_lines + 2;
    store
        .write(&[told(last, owner("alice", 1), owner("carol", 3), "history and lecture", false)])
        .unwrap();
    let (all, longest) = in_pieces(|| store.index_some(INDEXED_AT_ONCE).unwrap());
    println!(
        "indexed {last} lines in {all:?}; {INDEXED_AT_ONCE} at once in {longest:?} at the most"
    );
    for (room, account, words) in [
        ("rare", None, "history"),
        ("rare", None, "and"),
        ("rare", None, "a*"),
        ("rare", None, "and*"),
        ("rare", None, "hist*"),
        ("rare", None, "a* h* l*"),
        ("lobby", None, "history"),
        ("lobby", None, "and"),
        ("lobby", None, "a*"),
        ("lobby", None, "and*"),
        ("lobby", None, "hist*"),
        ("lobby", None, "a* h* l*"),
        ("lobby", None, "number 77777"),
        ("lobby", None, "history exam thread mutex"),
        ("lobby", None, "a* b* c* d* e* f* g* h* i* j* k* l* m* n*"),
        ("nowhere", Some(3), "history"),
        ("nowhere", Some(3), "and"),
        ("nowhere", Some(3), "a*"),
        ("nowhere", Some(2), "history"),
        ("nowhere", Some(2), "a*"),
    ] {
        let query = search(room, account, words);
        let mut runs = [(); 5].map(|()| {
            let start = Instant::now();
            let found = match store.find(&query).unwrap() {
                Found::Lines(lines) => format!("{} lines", lines.len()),
                found => format!("{found:?}"),
            };
            (start.elapsed(), found)
        });
        runs.sort();
        let (median, found) = &runs[runs.len() / 2];
        println!("search of {words:?} in {room} by {account:?}: {found} in {median:?}");
    }
    store.close().unwrap();
    println!("{} bytes", std::fs::metadata(folder.database()).unwrap().len());
}
