//! A migration that is cut off by `kill -9`: the file is the old one or the new one, and has everything.

use crate::harness::{Folder, Process, eventually};
use chatd::store::{Sound, Store, schema};
use std::{
    fs, io,
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

/// Kills in CI. More by hand: `CHATD_KILLS=2000 cargo test --test accounts migration -- --nocapture`.
const KILLS: usize = 50;
const VERSION_1: &[u8] = include_bytes!("../store/fixtures/version-1.db");

/// The number of its schema, if it is sound, and all lines of its rooms.
fn look(path: &Path) -> (usize, Vec<String>) {
    let store = Store::open_to_read(path, Duration::from_secs(5)).unwrap();
    let mut lines = Vec::new();
    store
        .export(None, |line| {
            lines.push(line.shown());
            ControlFlow::<()>::Continue(())
        })
        .unwrap();
    (Sound::check(&store).unwrap().schema, lines)
}

/// Begins a migration in a folder of its own.
fn begin() -> (Folder, Process) {
    let folder = Folder::new();
    fs::write(folder.path("chatd.db"), VERSION_1).unwrap();
    let process = Process::start(folder.chatd("account list"));
    (folder, process)
}

#[test]
fn a_migration_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let kills = std::env::var("CHATD_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let began = Instant::now();
    let (folder, mut process) = begin();
    assert_eq!(process.exit_code(), Some(0));
    let takes = began.elapsed();
    let (newest, expected) = look(&folder.path("chatd.db"));
    assert!(newest == schema::VERSION && expected.len() > 4, "{expected:?}");

    let (mut old, mut half) = (0, 0);
    for kill in 0..kills {
        let began = Instant::now();
        let (folder, process) = begin();
        let at = takes * kill as u32 / kills as u32;
        eventually("it is time", || began.elapsed() >= at);
        drop(process); // by kill -9
        let path = folder.path("chatd.db");
        let (found, lines) = look(&path);
        assert!(found == 1 || found == schema::VERSION, "schema {found}, killed after {at:?}");
        assert_eq!(lines, expected, "schema {found}, killed after {at:?}");
        let copy = folder.path("chatd.db.schema-1");
        match fs::metadata(&copy).map_err(|error| error.kind()) {
            Ok(_) => assert_eq!(look(&copy), (1, expected.clone()), "killed after {at:?}"),
            Err(error) => {
                assert!(found == 1 && error == io::ErrorKind::NotFound, "no copy is kept");
            }
        }
        old += usize::from(found == 1);
        half += usize::from(folder.path("chatd.db.schema-1.unfinished").exists());

        // Whatever was left, the next start goes on with it.
        folder.run("account list");
        assert_eq!(look(&path), (schema::VERSION, expected.clone()), "killed after {at:?}");
        assert_eq!(look(&copy), (1, expected.clone()));
        let files = ["chatd.db", "chatd.db.schema-1"];
        assert_eq!(folder.files(), files, "killed after {at:?}");
    }
    println!("{kills} kills within {takes:?}: {old} left the old file, {half} a copy unfinished");
}
