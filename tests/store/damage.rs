//! Files that are not what they should be: each is refused in a sentence, and left as it is.

use crate::*;
use chatd::store::schema;
use rusqlite::config::DbConfig;
use std::fs;

/// A file that is refused is the same afterwards, to the byte, and nothing stands beside it that
/// was not there.
#[track_caller]
fn refused(folder: &Folder) -> StoreErrorKind {
    let before = folder.files();
    let kind = folder.refuses();
    assert!(folder.files() == before, "{kind:?}: it was written to");
    kind
}

/// As if its own program had crashed: whoever opens it with SQLite takes this away.
fn leave_journal(folder: &Folder) {
    fs::write(folder.join("chatd.db-journal"), "a journal").unwrap();
}

#[test]
fn what_is_no_database_is_left_as_it_is() {
    let magic = "SQLite format 3\0"; // with nothing behind it, and with what cannot be
    let nonsense = format!("{magic}{}", "\0".repeat(1000));
    for content in ["homework\n", &"more homework\n".repeat(1000), magic, &nonsense] {
        let folder = Folder::new();
        fs::write(folder.database(), content).unwrap();
        assert_eq!(refused(&folder), StoreErrorKind::NotADatabase);
    }
}

#[test]
fn another_programs_database_is_left_as_it_is() {
    for application_id in [0, 77] {
        let folder = Folder::new();
        let other = folder.sqlite();
        other.execute_batch("CREATE TABLE account (id INTEGER)").unwrap();
        other.pragma_update(None, "application_id", application_id).unwrap();
        drop(other);
        if application_id != 0 {
            leave_journal(&folder);
        }
        assert_eq!(refused(&folder), StoreErrorKind::AnotherPrograms);
    }
}

#[test]
fn a_newer_schema_is_left_as_it_is() {
    let folder = Folder::new();
    folder.open().close().unwrap();
    let newer = folder.sqlite();
    newer.pragma_update(None, "user_version", schema::VERSION as i64 + 1).unwrap();
    newer.close().unwrap();
    leave_journal(&folder);
    assert_eq!(
        refused(&folder),
        StoreErrorKind::Newer { found: schema::VERSION + 1, known: schema::VERSION }
    );
}

#[test]
fn a_newer_schema_that_a_crash_left_in_the_log_is_left_there() {
    let folder = Folder::new();
    folder.open().close().unwrap();
    let newer = folder.sqlite();
    newer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    newer.pragma_update(None, "user_version", schema::VERSION as i64 + 1).unwrap();
    newer.close().unwrap();
    let shared = |folder: &Folder| {
        // Shared memory, and not a file.
        let is_shared = |path: &Path| path.extension().is_some_and(|ending| ending == "db-shm");
        folder.files().into_iter().filter(|(path, _)| !is_shared(path)).collect::<Vec<_>>()
    };
    let before = shared(&folder);
    assert_eq!(before.len(), 2, "a file and its log");
    assert!(matches!(folder.refuses(), StoreErrorKind::Newer { .. }));
    assert!(shared(&folder) == before, "it was written to");
}

#[test]
fn a_damaged_file_is_left_as_it_is() {
    let (folder, mut store) = new_store();
    write(&mut store, (1..=2000).map(|id| said(id, "lobby", "some words to fill pages")));
    store.close().unwrap();
    let sound = fs::read(folder.database()).unwrap();
    let page = 4096;
    for damaged_at in [page, sound.len() / 2, sound.len() - page] {
        let mut damaged = sound.clone();
        damaged[damaged_at..damaged_at + page].fill(0x5a);
        fs::write(folder.database(), damaged).unwrap();
        let kind = refused(&folder);
        assert!(matches!(kind, StoreErrorKind::Damaged(_)), "{damaged_at}: {kind:?}");
    }
    fs::write(folder.database(), &sound[..sound.len() / 2]).unwrap();
    let kind = refused(&folder);
    assert!(matches!(kind, StoreErrorKind::Damaged(_)), "{kind:?}");
    fs::write(folder.database(), sound).unwrap();
    assert_eq!(lines(&mut folder.open(), &older("lobby", None, 5000)).len(), 2000);
}

#[test]
fn what_cannot_be_opened_says_why() {
    let folder = Folder::new();
    for path in [folder.0.clone(), folder.0.join("no such folder").join("chatd.db")] {
        let kind = refuses(&path);
        assert!(matches!(kind, StoreErrorKind::CannotOpen(_)), "{kind:?}");
    }
    assert!(folder.files().is_empty());
}

#[test]
fn an_empty_file_is_begun() {
    let folder = Folder::new();
    fs::write(folder.database(), "").unwrap();
    write(&mut folder.open(), [said(1, "lobby", "hi")]);
}

#[test]
fn a_locked_file_says_so_and_works_again() {
    let (folder, mut store) = new_store();
    let other = folder.sqlite();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = store.append(&[said(1, "lobby", "hi")]).unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Locked);
    assert!(texts(&mut store, &older("lobby", None, 9)).is_empty(), "it can still be read");
    other.execute_batch("COMMIT").unwrap();
    write(&mut store, [said(1, "lobby", "hi")]);
    store.close().unwrap();

    // Some programs keep others out altogether.
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    assert_eq!(folder.refuses(), StoreErrorKind::Locked);
    drop(other);
    folder.open();
}

#[cfg(unix)]
#[test]
fn a_file_that_is_deleted_while_it_is_open_is_missed() {
    let (folder, mut store) = new_store();
    fs::remove_file(folder.database()).unwrap();
    let refused = store.append(&[said(1, "lobby", "hi")]).unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Gone);
    write(&mut folder.open(), [said(1, "lobby", "hi")]);
}

#[test]
fn a_full_disk_says_so_and_works_again() {
    let Some(disk) = Disk::new("a_full_disk_says_so_and_works_again") else { return };
    let mut store = disk.open();
    fs::write(disk.join("homework"), vec![0; 500_000]).unwrap();
    let long = "x".repeat(500);
    let batch = |id| [said(id, "lobby", &long), registered(id, &format!("{id}{long}"))];
    let written = |store: &mut Store| {
        let accounts = store.snapshot(0, 0).unwrap().accounts.len();
        (ids(store, &older("lobby", None, 10_000)).len() as i64, accounts as i64)
    };
    let write_one = |id| store.append(&batch(id)).err().map(|error| (id, error.kind));
    let (id, kind) = (1..10_000).find_map(write_one).expect("a megabyte is not full yet");
    assert_eq!(kind, StoreErrorKind::DiskFull);
    assert_eq!(written(&mut store), (id - 1, id - 1), "what was written is there");
    fs::remove_file(disk.join("homework")).unwrap();
    write(&mut store, batch(id));
    assert_eq!(written(&mut store), (id, id));
}

#[test]
fn a_read_only_disk_is_read() {
    let Some(disk) = Disk::new("a_read_only_disk_is_read") else { return };
    let mut store = disk.open();
    write(&mut store, [said(1, "lobby", "hi\nthere")]);
    assert_eq!(texts(&mut store, &search("lobby", None, "hi")).len(), 1);
    store.close().unwrap();
    disk.remount("ro");
    let kind = refuses(&disk.join("missing.db"));
    assert!(
        matches!(&kind, StoreErrorKind::CannotOpen(why) if why.contains("Read-only")),
        "it cannot be made, which is why it is missing: {kind:?}"
    );
    let mut store = disk.open();
    assert!(store.is_read_only());
    assert_eq!(texts(&mut store, &older("lobby", None, 9)).len(), 2);
    assert_eq!(texts(&mut store, &search("lobby", None, "hi")).len(), 1);
    assert_eq!(store.append(&[said(3, "lobby", "no")]).unwrap_err().kind, StoreErrorKind::ReadOnly);
    drop(store);
    disk.remount("rw");
    write(&mut disk.open(), [said(3, "lobby", "yes")]);

    // What a crash has left in the log cannot be brought in there, and must not be missing.
    let crashed = disk.sqlite();
    crashed.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    crashed.execute_batch("PRAGMA journal_mode = wal; DELETE FROM line WHERE id = 3").unwrap();
    crashed.close().unwrap();
    let _ = fs::remove_file(disk.join("chatd.db-shm"));
    disk.remount("ro");
    let kind = disk.refuses();
    assert!(matches!(kind, StoreErrorKind::CannotOpen(_)), "{kind:?}");
}

#[cfg(unix)]
#[test]
fn a_read_only_file_is_read() {
    use std::os::unix::fs::PermissionsExt as _;
    if rustix::process::geteuid().is_root() {
        println!("SKIPPED a_read_only_file_is_read: root may write everything");
        return;
    }
    let (folder, mut store) = new_store();
    write(&mut store, [said(1, "lobby", "hi")]);
    store.close().unwrap();
    fs::set_permissions(folder.database(), fs::Permissions::from_mode(0o400)).unwrap();
    let mut store = folder.open();
    assert!(store.is_read_only());
    assert_eq!(texts(&mut store, &older("lobby", None, 9)).len(), 1);
    assert_eq!(store.append(&[said(2, "lobby", "no")]).unwrap_err().kind, StoreErrorKind::ReadOnly);
}

/// A change that may be refused is refused for what it is about, and never for what is wrong with
/// the file: then nothing of its batch is written.
#[test]
fn a_file_without_a_table_refuses_the_whole_batch_and_no_registration() {
    let (folder, mut store) = new_store();
    folder.sqlite().execute_batch("DROP TABLE account").unwrap();
    let error = store.append(&[said(1, "lobby", "<alice> hi\n"), registered(1, "bob")]);
    assert!(error.is_err(), "{error:?}");
    assert!(texts(&mut store, &older("lobby", None, 10)).is_empty());
}

/// A search that fails is no search that would take too long.
#[test]
fn a_file_without_an_index_of_words_says_so() {
    let (folder, mut store) = new_store();
    folder.sqlite().execute_batch("DROP TABLE line_words").unwrap();
    write(&mut store, [said(1, "math", "hi")]);
    let found = store.find(&search("math", None, "hi"));
    assert!(found.is_err(), "{found:?}");
}
