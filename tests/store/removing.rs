//! Lines that an administrator takes out: no question finds them, and the file does not have them.

use crate::*;
use chatd::store::ExportedLine;
use std::ops::ControlFlow;

fn removed(second: i64, lines: &[i64]) -> Record {
    record(second, Change::LinesRemoved(lines.iter().map(|&id| LineId(id)).collect()))
}

fn exported(store: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    let each = |line: ExportedLine| {
        lines.push(line.body);
        ControlFlow::<()>::Continue(())
    };
    store.export(None, each).unwrap();
    lines
}

#[test]
fn a_removed_line_is_nowhere() {
    for is_indexed_before in [true, false] {
        let (folder, mut store) = new_store();
        write(
            &mut store,
            [said(1, "lobby", "good\nsecretword 秘密\nlast"), said(4, "math", "secretword")],
        );
        if is_indexed_before {
            assert_eq!(store.index_some(9).unwrap(), 4);
        }
        write(&mut store, [removed(5, &[2, 3])]);
        write(&mut store, [removed(6, &[2, 3])]); // as after a failure that was none
        assert_eq!(ids(&mut store, &older("lobby", None, 9)), [1]);
        assert_eq!(ids(&mut store, &search("lobby", None, "secretword")), [0; 0]);
        assert_eq!(ids(&mut store, &search("lobby", None, "秘密")), [0; 0]);
        assert_eq!(ids(&mut store, &search("math", None, "secretword")), [4]);
        assert_eq!(exported(&store), ["good", "secretword"]);
        write(&mut store, [removed(7, &[4])]);
        store.close().unwrap();
        // Nor do the bytes of the file have it.
        let bytes = std::fs::read(folder.database()).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(has("good") && !has("secretword 秘密"), "indexed: {is_indexed_before}");
    }
}

#[test]
fn the_number_of_a_removed_line_is_not_used_again() {
    let (folder, mut store) = new_store();
    write(&mut store, [said(1, "lobby", "one\ntwo")]);
    write(&mut store, [removed(3, &[1, 2])]);
    store.close().unwrap();
    assert_eq!(folder.open().snapshot(9, 9).unwrap().last_line, LineId(2));
}

#[test]
fn a_line_that_is_said_and_removed_in_one_batch_is_gone() {
    let (_folder, mut store) = new_store();
    write(&mut store, [said(1, "lobby", "one"), said(2, "lobby", "two"), removed(3, &[1])]);
    assert_eq!(ids(&mut store, &older("lobby", None, 9)), [2]);
}
