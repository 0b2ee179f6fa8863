//! `chatd backup`, `chatd restore` and `chatd check`.

use crate::{
    harness::Folder,
    history::{folder_with_history, write},
};
use chatd::{
    core::record::{Author, Change, LineId, Record},
    store::{Durability, Store, schema},
};
use jiff::Timestamp;
use std::{fs, path::Path, time::Duration};

fn open(path: &Path) -> Store {
    Store::open(path, Durability::Normal, Duration::from_secs(5)).unwrap()
}

/// Whether the program of SQLite's own finds the file sound; `None`: it is not installed.
fn is_sound_for_sqlite(path: &Path) -> Option<bool> {
    let mut sqlite3 = std::process::Command::new("sqlite3");
    let out = sqlite3.arg("-readonly").arg(path).arg("PRAGMA integrity_check").output().ok()?;
    Some(out.stdout == b"ok\n")
}

/// What a server has said last may be in the log beside the file only: a copy of the file alone would lack it.
#[test]
fn a_backup_has_what_a_running_server_has_written_and_serves_in_its_place() {
    let folder = folder_with_history();
    folder.run("account add bob");
    let mut server = open(&folder.path("chatd.db"));
    let change = Change::RoomMessage {
        id: LineId(9),
        room: "lobby".to_owned(),
        author: Author { name: "bob".to_owned(), account: None },
        text: "<bob> the newest\n".to_owned(),
    };
    server.append(&[Record { at: Timestamp::now(), change }]).unwrap();

    fs::write(folder.path("monday.db.unfinished"), "half").unwrap(); // a crash left it
    let told = folder.run("backup monday.db");
    assert!(told.starts_with("chatd.db is copied to monday.db: "), "{told}");
    assert!(told.ends_with(" KiB. The copy is sound.\n"), "{told}");
    let copied = folder.run("history export --db monday.db");
    assert_eq!(copied, folder.run("history export"));
    assert!(copied.ends_with("lobby <bob> the newest\n"), "{copied}");
    assert!(folder.run("account list --db monday.db").contains("bob"));
    assert!(!folder.path("monday.db.unfinished").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.path("monday.db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "private lines are in it, too");
    }
    assert_ne!(is_sound_for_sqlite(&folder.path("monday.db")), Some(false));

    for (words, told) in [
        ("backup monday.db", "monday.db is there already. Give another name."),
        ("backup chatd.db", "chatd.db is there already. Give another name."),
        (
            "backup no/such/folder.db",
            "no/such/folder.db cannot be written: there is no such folder",
        ),
        ("backup x.db --db gone.db", "There is no database gone.db."),
    ] {
        let said = folder.fails(words, "");
        assert!(said.contains(told), "{words}: {said}");
        assert!(!folder.path("x.db").exists(), "{words}");
    }
}

/// A disk that is full, and a limit on the length of a file, look the same to an operator.
#[cfg(unix)]
#[test]
fn a_backup_that_has_no_room_leaves_nothing_and_says_so() {
    let folder = Folder::new();
    let text = format!("<alice> {}\n", "x".repeat(1000)).repeat(1000);
    write(&folder, &[("2026-11-20T11:30:00Z", 1, "lobby", &text)]);
    let program = env!("CARGO_BIN_EXE_chatd");
    let line = format!("ulimit -f 100; exec '{program}' backup monday.db");
    let mut command = std::process::Command::new("bash");
    let output = command.args(["-c", &line]).current_dir(folder.path("")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "chatd: monday.db cannot be written: the disk is full, or a file may not become so large (ulimit -f)\n"
    );
    assert!(!output.status.success());
    assert_eq!(folder.files(), ["chatd.db"]);
}

#[test]
fn a_backup_is_restored_and_what_was_there_is_kept() {
    let folder = folder_with_history();
    folder.run("account add bob");
    folder.run("backup monday.db");
    let epoch = || folder.select::<i64>("SELECT epoch FROM marks").remove(0);
    let monday = (folder.run("history export"), epoch());
    let copy = fs::read(folder.path("monday.db")).unwrap();

    // A server is killed after it has said something more: that is in the log alone.
    let server = folder.start("");
    let [mut alice, mut carol] = server.enter(["alice", "carol"]);
    alice.says("after monday");
    carol.hears("<alice> after monday");
    let said = folder.fails("restore monday.db", "");
    assert!(said.contains("A chatd is using chatd.db, and nothing is changed. Stop it"), "{said}");
    drop(server);
    assert!(folder.path("chatd.db-wal").exists()); // whatever opens it now brings that in

    let told = folder.run("restore monday.db");
    assert!(told.starts_with("chatd.db is what monday.db was:\n  lines     4 in rooms, 1 in private, from 2026-11-20 12:30 to "), "{told}");
    assert!(told.ends_with("\nWhat was there before is kept as chatd.db.replaced-1.\n"), "{told}");
    assert_eq!(
        folder.files(),
        ["chatd.db", "chatd.db.lock", "chatd.db.replaced-1", "monday.db"],
        "the log is brought in, and gone"
    );
    assert_eq!(folder.run("history export"), monday.0);
    assert_ne!(epoch(), monday.1, "what was said since has the same numbers as what will be said");
    let tuesday = folder.run("history export --db chatd.db.replaced-1");
    assert!(tuesday.ends_with("lobby <alice> after monday\n"), "{tuesday}");
    assert_eq!(fs::read(folder.path("monday.db")).unwrap(), copy);
    folder.has_password("bob", "correct horse");
    let audit = folder.select::<String>("SELECT by || ' ' || what FROM audit ORDER BY id DESC");
    assert_eq!(audit[0], "operator restored the database from monday.db");
    assert_eq!(folder.select::<i64>("SELECT count(*) FROM returning_client"), [0]);

    // The second one is kept beside the first, and a server goes on with it.
    let told = folder.run("restore chatd.db.replaced-1");
    assert!(told.ends_with("kept as chatd.db.replaced-2.\n"), "{told}");
    assert_eq!(
        folder.files(),
        ["chatd.db", "chatd.db.lock", "chatd.db.replaced-1", "chatd.db.replaced-2", "monday.db"]
    );
    let server = folder.start("");
    let mut dora = server.connect("dora");
    dora.says("dora");
    dora.hears_until("*** The last 4 lines of lobby");
}

#[test]
fn what_cannot_be_restored_changes_nothing() {
    let folder = folder_with_history();
    folder.run("backup monday.db");
    fs::write(folder.path("homework"), "homework").unwrap();
    fs::write(folder.path("empty.db"), "").unwrap();
    let mut bytes = fs::read(folder.path("monday.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x5a);
    fs::write(folder.path("torn.db"), bytes).unwrap();
    fs::copy(folder.path("monday.db"), folder.path("newer.db")).unwrap();
    let newer = rusqlite::Connection::open(folder.path("newer.db")).unwrap();
    newer.pragma_update(None, "user_version", schema::VERSION as i64 + 1).unwrap();
    drop(newer);
    let before = fs::read(folder.path("chatd.db")).unwrap();
    for (words, told) in [
        ("restore gone.db", "There is no file gone.db."),
        ("restore chatd.db", "chatd.db is the database itself, and no backup of it."),
        ("restore ./chatd.db", "is the database itself"),
        (
            "restore homework",
            "homework is no backup: it is not a database of chatd's. Nothing is changed.",
        ),
        ("restore empty.db", "empty.db is no backup: it is not a database of chatd's."),
        ("restore torn.db", "torn.db is damaged ("),
        ("restore newer.db", "newer.db is from a newer chatd (schema 5; this one knows 4)"),
        ("check --db newer.db", "newer.db is from a newer chatd"),
        ("backup x.db --db newer.db", "newer.db is from a newer chatd"),
    ] {
        let said = folder.fails(words, "");
        assert!(said.contains(told), "{words}: {said}");
        assert_eq!(fs::read(folder.path("chatd.db")).unwrap(), before, "{words}");
    }
    let reader = folder.database();
    reader.execute_batch("BEGIN; SELECT count(*) FROM line").unwrap();
    write(&folder, &[("2026-11-21T11:30:00Z", 7, "lobby", "<alice> hi\n")]);
    let said = folder.fails("restore monday.db", "");
    assert!(said.contains("another program has it open"), "{said}");
    drop(reader);
    let files = folder.files();
    assert!(
        !files.iter().any(|file| file.contains("replaced") || file.contains("restored")),
        "{files:?}"
    );
}

/// A damaged file is the reason for most restorations.
#[test]
fn a_backup_replaces_a_file_that_is_damaged_and_one_that_is_gone() {
    let folder = folder_with_history();
    folder.run("backup monday.db");
    let lines = folder.run("history export");
    fs::write(folder.path("chatd.db"), "homework").unwrap();
    fs::write(folder.path("chatd.db-wal"), "of the homework").unwrap();
    folder.run("restore monday.db");
    assert_eq!(fs::read(folder.path("chatd.db.replaced-1")).unwrap(), b"homework");
    assert_eq!(fs::read(folder.path("chatd.db.replaced-1-wal")).unwrap(), b"of the homework");
    assert_eq!(folder.run("history export"), lines);

    fs::remove_file(folder.path("chatd.db")).unwrap();
    fs::write(folder.path("chatd.db-wal"), "of one that is gone").unwrap();
    let told = folder.run("restore monday.db");
    assert!(!told.contains("What was there before"), "{told}");
    assert_eq!(folder.run("history export"), lines);
    let files = folder.files();
    assert!(!files.iter().any(|file| file.contains("replaced-2")), "{files:?}");
}

/// Root restores, and the server of a user without rights goes on.
#[cfg(unix)]
#[test]
fn a_restored_database_belongs_to_whom_the_old_one_did() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    if !rustix::process::geteuid().is_root() {
        println!(
            "SKIPPED a_restored_database_belongs_to_whom_the_old_one_did: only root gives files away"
        );
        return;
    }
    let folder = folder_with_history();
    folder.run("backup monday.db");
    chown(folder.path("chatd.db"), Some(1234), Some(4321)).unwrap();
    folder.run("restore monday.db");
    let owner = fs::metadata(folder.path("chatd.db")).unwrap();
    assert_eq!((owner.uid(), owner.gid()), (1234, 4321));
}

#[test]
fn a_backup_of_an_older_schema_is_checked_as_it_is_and_restored_in_todays() {
    let folder = Folder::new();
    fs::write(folder.path("old.db"), include_bytes!("../store/fixtures/version-1.db")).unwrap();
    let told = folder.run("check --db old.db");
    assert!(
        told.contains("  schema    1: a server of today makes 4 of it, and keeps a copy\n"),
        "{told}"
    );
    folder.run("backup copy.db --db old.db");
    assert!(folder.run("check --db copy.db").contains("schema    1:"));
    assert_eq!(folder.files(), ["copy.db", "old.db"]);
    folder.run("restore old.db");
    assert!(folder.run("check").contains("  schema    4\n"));
    assert_eq!(folder.files(), ["chatd.db", "chatd.db.lock", "copy.db", "old.db"]);
}

/// Also while a server has it open.
#[test]
fn a_check_says_whether_the_file_is_sound_and_what_is_in_it() {
    let folder = folder_with_history();
    folder.run("account add bob");
    folder.run("account promote bob");
    let server = open(&folder.path("chatd.db"));
    let told = folder.run("check");
    assert!(told.starts_with("chatd.db is sound.\n"), "{told}");
    for part in [
        "  lines     4 in rooms, 1 in private, from 2026-11-20 12:30 to 2026-11-21 00:32\n",
        "  rooms     2\n  accounts  1, administrators: 1\n  mail      0 ",
        "  schema    4\n",
        "  size      ",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(folder.run("check"), told, "it changes nothing");
    drop(server);
    assert!(folder.fails("check --db gone.db", "").contains("There is no database gone.db."));

    // Each kind of damage, and what it is called.
    for (damage, told) in [
        (
            "PRAGMA foreign_keys = off; DELETE FROM room WHERE name = 'math'",
            "a row of line refers to none of room",
        ),
        (
            "PRAGMA writable_schema = on; UPDATE sqlite_schema SET sql = replace(sql, 'room, id', 'id, room') WHERE name = 'line_by_room'",
            "line_by_room",
        ),
        (
            "PRAGMA foreign_keys = off; INSERT INTO mailbox VALUES (77, 78), (79, 80)",
            "a row of mailbox refers to none of ",
        ),
        (
            "PRAGMA writable_schema = on; DELETE FROM sqlite_schema WHERE name = 'audit'",
            "never used",
        ),
    ] {
        let folder = folder_with_history();
        let database = folder.database();
        database
            .set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)
            .unwrap();
        database.execute_batch(damage).unwrap();
        drop(database);
        let error = folder.fails("check", "");
        assert!(error.contains(" is damaged (") && error.contains(told), "{damage}: {error}");
    }
    let folder = folder_with_history();
    let path = folder.path("chatd.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let error = folder.fails("check", "");
    assert!(error.contains("chatd.db is damaged ("), "{error}");
}
