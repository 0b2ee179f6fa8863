//! `--history-max`: the oldest lines go, and the disk gets the space back.

use crate::*;
use chatd::store::{INDEX_CHUNK, Size, Sound};
use std::fs;

/// What is free and stays so, for what is said next: 64 pages.
const KEPT_FREE: u64 = 64 * 4096;

/// Bytes that are used, and of the file as the disk has it.
fn sizes(folder: &Folder, store: &Store) -> (u64, u64) {
    (Size::of(store).unwrap().used, fs::metadata(folder.database()).unwrap().len())
}

/// What the historian does, until there is nothing more to do.
fn shrink(store: &mut Store, most: u64) -> usize {
    let mut deleted = 0;
    loop {
        let size = Size::of(store).unwrap();
        if size.used > most {
            match Size::delete_oldest(store).unwrap() {
                0 => return deleted,
                lines => deleted += lines,
            }
        } else if !size.give_back(store).unwrap() {
            return deleted;
        }
    }
}

fn fill(store: &mut Store) {
    let text = format!("<alice> {}\n", "word and word ".repeat(70));
    write(store, [registered(1, "alice"), mail(1, stranger("eve"), owner("alice", 1), "waits")]);
    write(store, (2..3_000).map(|id| said(id, "lobby", &text)));
    write(store, [record(9, Change::Audit { by: "alice".into(), what: "did it".into() })]);
    while store.index_some(INDEX_CHUNK).unwrap() > 0 {}
}

#[test]
fn the_oldest_lines_go_and_the_disk_gets_the_space_back() {
    for is_prepared_before in [true, false] {
        let (folder, mut store) = new_store();
        if is_prepared_before {
            assert!(Size::prepare(&store).unwrap());
        }
        fill(&mut store);
        // A file of an earlier version is written anew for it, once.
        assert_eq!(Size::prepare(&store).unwrap(), !is_prepared_before);
        assert!(!Size::prepare(&store).unwrap());
        let log = fs::metadata(folder.join("chatd.db-wal")).unwrap().len();
        assert!(log == 0 || is_prepared_before, "the log has {log} bytes");
        store.close().unwrap();
        let mut store = folder.open();
        let (used, file) = sizes(&folder, &store);
        assert!(used > 3_000_000 && file >= used, "{used} used of {file}");

        let deleted = shrink(&mut store, 1_500_000);
        store.close().unwrap();
        let mut store = folder.open();
        let (used, file) = sizes(&folder, &store);
        assert!(used <= 1_500_000 && file == used + KEPT_FREE, "{used} used of {file}");
        let sound = Sound::check(&store).unwrap();
        assert_eq!((sound.bytes, sound.free), (file, KEPT_FREE));
        assert!((1_000..2_500).contains(&deleted), "{deleted} deleted");
        let left = ids(&mut store, &older("lobby", None, 9_999));
        assert_eq!(left, (deleted as i64 + 2..3_000).collect::<Vec<_>>(), "the newest are there");
        assert_eq!(texts(&mut store, &Query::Mail(AccountId(1))), ["[from eve] waits"]);
        let snapshot = store.snapshot(9, 9).unwrap();
        assert_eq!((snapshot.accounts.len(), snapshot.forgotten.0), (1, deleted as i64 + 1));
        let audit: i64 =
            folder.sqlite().query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap();
        assert_eq!(audit, 1);
        assert_eq!(shrink(&mut store, 1_500_000), 0);
    }
}

/// A file that cannot give anything back is not asked again and again.
#[test]
fn a_file_that_was_not_written_anew_keeps_its_length() {
    let (folder, mut store) = new_store();
    fill(&mut store);
    assert!(shrink(&mut store, 1_500_000) > 1_000);
    store.close().unwrap();
    let (used, file) = sizes(&folder, &folder.open());
    assert!(used <= 1_500_000 && file > 3_000_000, "{used} used of {file}");
}

#[test]
fn with_a_bound_below_all_else_there_is_an_end() {
    let (_folder, mut store) = new_store();
    fill(&mut store);
    assert_eq!(shrink(&mut store, 1), 2_998);
    assert_eq!(texts(&mut store, &Query::Mail(AccountId(1))), ["[from eve] waits"]);
}
