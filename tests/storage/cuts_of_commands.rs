//! The power fails while a command is at work: a migration, a backup, a restoration. Behind every single
//! call there is the old or the new, whole, and what the command has said to be done is done.

use crate::{
    Dice,
    disk::on_disk,
    harness::{Folder, Process},
    rounds,
    trace::{Trace, lay_out},
};
use chatd::store::{Durability, Sound, Store, schema};
use std::{fs, ops::ControlFlow, path::Path, time::Duration};

/// Cuts of each command in CI, spread over its calls. By hand each call is one, as often as
/// CHATD_ROUNDS says.
const CUTS: usize = 25;
const VERSIONS: [&[u8]; 3] = [
    include_bytes!("../store/fixtures/version-1.db"),
    include_bytes!("../store/fixtures/version-2.db"),
    include_bytes!("../store/fixtures/version-3.db"),
];

/// The number of its schema, if it is sound, and all lines of its rooms.
fn look(path: &Path) -> (usize, Vec<String>) {
    let store = Store::open_to_read(path, Duration::ZERO).unwrap();
    let mut lines = Vec::new();
    let take = |line: chatd::store::ExportedLine| {
        lines.push(line.shown());
        ControlFlow::<()>::Continue(())
    };
    store.export(None, take).unwrap();
    (Sound::check(&store).unwrap().schema, lines)
}

/// Runs the command in a folder with these files, and has `check` look at the folder that a cut leaves,
/// and at what had been printed. Says how many cuts that were.
fn cut_everywhere(command: &str, files: &[(&str, &[u8])], check: impl Fn(&Folder, &str)) {
    let (folder, traces) = (Folder::new(), Folder::new());
    for (name, bytes) in files {
        fs::write(folder.path(name), bytes).unwrap();
    }
    let file = traces.path("trace");
    let mut trace = Trace::begin(&folder.path(""));
    let does = [("DISK_TRACE", file.to_str().unwrap())];
    let Some(command_on_disk) = on_disk(folder.chatd(command), &folder, &does) else { return };
    Process::start(command_on_disk).ends();
    trace.read(&file);
    let (calls, mut dice) = (trace.ops.len(), Dice(7));
    let by_hand = std::env::var_os("CHATD_ROUNDS").is_some();
    let cuts: Vec<usize> = match by_hand {
        true => (0..=calls).flat_map(|at| std::iter::repeat_n(at, rounds(0))).collect(),
        // In the end, when the command has said that it is done, it matters most.
        false => (0..CUTS).map(|cut| (cut * calls / (CUTS - 5)).min(calls)).collect(),
    };
    for (cut, &at) in cuts.iter().enumerate() {
        let left = Folder::new();
        let keeps = [0, 50, 100, 10, 90][cut % 5];
        lay_out(&trace.cut(at, keeps, &mut dice), &left.path(""));
        let printed: String = trace.shown(at).into_values().collect();
        check(&left, &printed);
    }
    println!("chatd {command}: {calls} calls, {} cuts", cuts.len());
}

#[test]
fn a_migration_in_a_power_cut_leaves_the_old_file_or_the_new_one() {
    for (version, bytes) in (1..).zip(VERSIONS) {
        let whole = Folder::new();
        fs::write(whole.path("chatd.db"), bytes).unwrap();
        let (_, expected) = look(&whole.path("chatd.db"));
        assert!(expected.len() > 3, "{expected:?}");
        cut_everywhere("account list", &[("chatd.db", bytes)], |left, printed| {
            let [path, copy] = ["chatd.db".to_owned(), format!("chatd.db.schema-{version}")]
                .map(|name| left.path(&name));
            let found = look(&path);
            let is_old = found == (version, expected.clone());
            assert!(is_old || found == (schema::VERSION, expected.clone()), "{found:?}");
            assert!(!is_old || printed.is_empty(), "it said that it was done");
            if copy.exists() || !is_old {
                assert_eq!(look(&copy), (version, expected.clone()), "the way back");
            }
            // Whatever was left, the next start goes on with it.
            Store::open(&path, Durability::Full, Duration::ZERO).unwrap().close().unwrap();
            assert_eq!(look(&path), (schema::VERSION, expected.clone()));
            assert_eq!(look(&copy), (version, expected.clone()));
            assert_eq!(left.files(), ["chatd.db".to_owned(), format!("chatd.db.schema-{version}")]);
        });
    }
}

#[test]
fn a_backup_in_a_power_cut_is_whole_or_has_no_name() {
    let bytes = include_bytes!("../store/fixtures/version-4.db");
    let whole = Folder::new();
    fs::write(whole.path("chatd.db"), bytes).unwrap();
    let expected = look(&whole.path("chatd.db"));
    cut_everywhere("backup copy.db", &[("chatd.db", bytes)], |left, printed| {
        assert_eq!(look(&left.path("chatd.db")), expected);
        let copy = left.path("copy.db");
        assert!(printed.is_empty() || copy.exists(), "it said that it was done: {printed}");
        if copy.exists() {
            assert_eq!(look(&copy), expected);
        }
    });
}

#[test]
fn a_restoration_in_a_power_cut_leaves_the_old_file_or_the_new_one() {
    let (old, new) = (VERSIONS[0], include_bytes!("../store/fixtures/version-4.db"));
    let whole = Folder::new();
    let [old_lines, new_lines] = [old, &new[..]].map(|bytes| {
        fs::write(whole.path("chatd.db"), bytes).unwrap();
        look(&whole.path("chatd.db"))
    });
    assert_ne!(old_lines, new_lines);
    cut_everywhere("restore copy.db", &[("chatd.db", old), ("copy.db", new)], |left, printed| {
        assert_eq!(look(&left.path("copy.db")), new_lines);
        let found = look(&left.path("chatd.db"));
        assert!(found == new_lines || found == old_lines && printed.is_empty(), "{printed}");
        if found == new_lines {
            assert_eq!(look(&left.path("chatd.db.replaced-1")), old_lines);
        }
    });
}
