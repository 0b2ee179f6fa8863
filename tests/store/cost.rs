//! What a line costs, measured. Run it by hand, on a machine with nothing else to do:
//! `cargo test --release --test store -- --ignored --nocapture cost`

use crate::*;
use chatd::store::{INDEX_CHUNK, PRUNE_CHUNK};
use std::time::Instant;

/// Lines written for each figure.
const LINES: i64 = 20_000;

/// Talk as people type it, of forty letters or so.
fn talk(id: i64) -> String {
    let words: Vec<&str> = "history exam thread mutex channel select poll lecture semaphore socket"
        .split(' ')
        .collect();
    let word = |n: i64| words[(n % 10) as usize];
    format!("{} and {} and then {} number {id}", word(id), word(id / 3), word(id / 7))
}

/// Microseconds a line.
fn write_all(store: &mut Store, at_once: usize, records: &[Record]) -> f64 {
    let start = Instant::now();
    records.chunks(at_once).for_each(|batch| drop(store.append(batch).unwrap()));
    start.elapsed().as_secs_f64() * 1e6 / records.len() as f64
}

fn in_lobby(count: i64) -> Vec<Record> {
    (1..=count).map(|id| said(id, "lobby", &talk(id))).collect()
}

/// Calls this until it has nothing more to do: how long all took, and the longest piece.
fn in_pieces(mut piece: impl FnMut() -> usize) -> String {
    let (start, mut longest, mut left) = (Instant::now(), Duration::ZERO, true);
    while left {
        let start = Instant::now();
        left = piece() > 0;
        longest = longest.max(start.elapsed());
    }
    format!("all in {:?}, the longest piece in {longest:?}", start.elapsed())
}

/// Prints what a question finds, and the median time of five.
fn ask(store: &mut Store, query: &Query) {
    let mut runs = [(); 5].map(|()| {
        let start = Instant::now();
        let found = match store.find(query).unwrap() {
            Found::Lines(lines) => format!("{} lines", lines.len()),
            found => format!("{found:?}"),
        };
        (start.elapsed(), found)
    });
    runs.sort();
    let (median, found) = &runs[runs.len() / 2];
    println!("{found} in {median:?}: {query:?}");
}

/// The index made by a trigger, with each line, instead of later.
const TRIGGER: &str = "CREATE TRIGGER eager AFTER INSERT ON line BEGIN
    INSERT INTO line_words (rowid, room, author, body)
    VALUES (new.id, char(1) || new.room, new.author, new.body);
END";

#[test]
#[ignore = "a measurement"]
fn cost_of_writing() {
    println!("microseconds a line, of {LINES}:  1 at once   10   100   1000");
    for (name, durability, trigger) in [
        ("normal", Durability::Normal, ""),
        ("normal, index by trigger", Durability::Normal, TRIGGER),
        ("full", Durability::Full, ""),
        ("off", Durability::Off, ""),
    ] {
        let [a, b, c, d] = [1, 10, 100, 1000].map(|at_once| {
            let (folder, _) = new_store();
            folder.sqlite().execute_batch(trigger).unwrap();
            let mut store = Store::open(&folder.database(), durability, NO_PATIENCE).unwrap();
            write_all(&mut store, at_once, &in_lobby(LINES))
        });
        println!("{name:<28} {a:>8.1} {b:>8.1} {c:>8.1} {d:>8.1}");
    }
}

#[test]
#[ignore = "a measurement"]
fn cost_of_reading() {
    let (folder, mut store) = new_store();
    let lines = 100_000;
    write_all(&mut store, 1000, &in_lobby(lines));
    let indexed = in_pieces(|| store.index_some(INDEX_CHUNK).unwrap());
    println!("indexed {lines} lines, {INDEX_CHUNK} at once: {indexed}");
    let before = LineId(lines / 2);
    let room = "lobby".to_owned();
    ask(&mut store, &Query::Older { room, account: None, before, since: None, most: 300 });
    store.close().unwrap();
    let bytes = std::fs::metadata(folder.database()).unwrap().len();
    let start = Instant::now();
    let mut store = folder.open();
    println!("opened, {bytes} bytes, in {:?}", start.elapsed());
    let start = Instant::now();
    store.snapshot(100, 300).unwrap();
    println!("snapshot in {:?}", start.elapsed());
    let mut piece = || store.prune(LineId(0), at(lines + 9), PRUNE_CHUNK).unwrap();
    let pruned = in_pieces(|| piece().map_or(0, |piece| piece.deleted));
    println!("deleted, {PRUNE_CHUNK} at once: {pruned}");
}

/// Also in a room that few use, and by an account with few letters, beside very many lines of
/// others.
#[test]
#[ignore = "a measurement"]
fn cost_of_searching() {
    let (folder, mut store) = new_store();
    let (lines, letters) = (200_000, 100_000);
    let last = lines + letters + 2;
    let (alice, bob, carol) = (owner("alice", 1), owner("bob", 2), owner("carol", 3));
    write(&mut store, [registered(1, "alice"), registered(2, "bob"), registered(3, "carol")]);
    write_all(&mut store, 1000, &in_lobby(lines));
    write(&mut store, [said(lines + 1, "rare", "history and lecture")]);
    let letter = |n| private(lines + 1 + n, alice.clone(), bob.clone(), &talk(n));
    write_all(&mut store, 1000, &(1..=letters).map(letter).collect::<Vec<_>>());
    write(&mut store, [private(last, alice, carol, "history and lecture")]);
    let indexed = in_pieces(|| store.index_some(INDEX_CHUNK).unwrap());
    println!("indexed {last} lines, {INDEX_CHUNK} at once: {indexed}");
    let usual = ["history", "and", "a*", "and*", "hist*", "a* h* l*"];
    for (room, account, words) in [
        ("rare", None, &usual[..]),
        ("lobby", None, &usual),
        ("lobby", None, &["number 77777", "history exam", "hist* ex*", "nothing"]),
        ("lobby", None, &["history exam thread mutex", "a* b* c* d* e* f* g* h* i* j* k* l*"]),
        ("nowhere", Some(3), &["history", "and", "a*"]),
        ("nowhere", Some(2), &["history", "a*"]),
    ] {
        words.iter().for_each(|words| ask(&mut store, &search(room, account, words)));
    }
    store.close().unwrap();
    println!("{} bytes", std::fs::metadata(folder.database()).unwrap().len());
}

/// Talk of some twenty characters without blanks, of which the first 600 of the script are used.
fn talk_without_blanks(id: i64) -> String {
    let character = |n: i64| char::from_u32(0x4e00 + (n * n * 31 + n * id) as u32 % 600).unwrap();
    (1..=20).map(character).chain(format!("{id}").chars()).collect()
}

#[test]
#[ignore = "a measurement"]
fn cost_of_scripts_without_blanks() {
    for (name, talk) in
        [("words", talk as fn(i64) -> String), ("without blanks", talk_without_blanks)]
    {
        let (folder, mut store) = new_store();
        let lines: Vec<Record> = (1..=100_000).map(|id| said(id, "lobby", &talk(id))).collect();
        write_all(&mut store, 1000, &lines);
        let indexed = in_pieces(|| store.index_some(INDEX_CHUNK).unwrap());
        println!("\n{name}: {} lines, {indexed}", lines.len());
        let run: String = talk(77_777).chars().skip(3).take(4).collect();
        for words in [&run[..], &run[..3], "C++ 7*", "nothing"] {
            ask(&mut store, &search("lobby", None, words));
        }
        store.close().unwrap();
        println!("{} bytes", std::fs::metadata(folder.database()).unwrap().len());
        folder.sqlite().execute("DELETE FROM line_words WHERE rowid > 100000", []).unwrap();
        let mut store = folder.open();
        let begun = Instant::now();
        store.index_some(1).unwrap();
        println!("an index of {} lines is emptied in {:?}", lines.len(), begun.elapsed());
    }
}
