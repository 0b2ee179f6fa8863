//! Files of earlier versions: today's store finds everything in them, and keeps a copy before it
//! changes them.

use crate::*;
use chatd::{core::record::Sanction, store::schema};
use std::{fmt::Write as _, fs, path::PathBuf, thread};

/// Files of older schemas, of which `fixtures/README.md` tells how they were made.
const VERSION_1: &[u8] = include_bytes!("fixtures/version-1.db");
const VERSION_2: &[u8] = include_bytes!("fixtures/version-2.db");
const VERSION_3: &[u8] = include_bytes!("fixtures/version-3.db");
const VERSION_4: &[u8] = include_bytes!("fixtures/version-4.db");

fn of_version_1() -> Folder {
    folder_with(VERSION_1)
}

fn folder_with(file: &[u8]) -> Folder {
    let folder = Folder::new();
    fs::write(folder.database(), file).unwrap();
    folder
}

fn copy_in(folder: &Folder) -> PathBuf {
    folder.join("chatd.db.schema-1")
}

fn schema_of(path: &Path) -> usize {
    schema::version(&Connection::open(path).unwrap()).unwrap()
}

/// All that a store finds in the file, as text.
fn dump(folder: &Folder) -> String {
    let mut store = folder.open();
    let Snapshot { accounts, sanctions, rooms, other_settings, last_line, last_account, .. } =
        store.snapshot(9, 9).unwrap();
    assert!(other_settings.is_empty(), "of more than nine rooms: {other_settings:?}");
    let mut out = format!("last line {last_line}, last account {last_account}\n");
    let mut add = |words: std::fmt::Arguments<'_>| out.write_fmt(words).unwrap();
    for Account { id, name, is_admin, since, mail } in accounts {
        add(format_args!("account {id} {name}, admin: {is_admin}, {since}, {mail} in mailbox\n"));
        let Found::Password(hash) = store.find(&Query::Password(id)).unwrap() else { panic!() };
        add(format_args!("    password {}\n", hash.unwrap().0));
        for query in [Query::Private { account: id, most: 9 }, Query::Mail(id)] {
            for HistoryLine { id, at, text } in lines(&mut store, &query) {
                let kind = if matches!(query, Query::Mail(_)) { "mail" } else { "private" };
                add(format_args!("    {kind} {id} {at} {text}"));
            }
        }
    }
    for room in rooms {
        let topic = room.settings.get("topic");
        let topic = topic.map(|(text, by)| (text, &by.name, by.account.map(|id| id.0)));
        add(format_args!("room {}, topic {topic:?}\n", room.name));
        assert_eq!(room.lines, lines(&mut store, &older(&room.name, None, 9)));
        for HistoryLine { id, at, text } in room.lines {
            add(format_args!("    {id} {at} {text}"));
        }
    }
    for Sanction { kind, target, by, why, .. } in sanctions.iter().filter(|s| s.until.is_none()) {
        add(format_args!("{kind:?} {target:?} by {by}: {why:?}\n"));
    }
    for found in lines(&mut store, &search("lobby", Some(2), "deja")) {
        add(format_args!("found {}", found.text));
    }
    // What the store does not read, or not for ever.
    let sqlite = folder.sqlite();
    for sql in [
        "SELECT format('%s %s %d', kind, subject, until) FROM sanction WHERE until IS NOT NULL",
        "SELECT format('%d %d %s %s', id, at, by, what) FROM audit ORDER BY id",
    ] {
        let mut statement = sqlite.prepare(sql).unwrap();
        for row in statement.query_map([], |row| row.get::<_, String>(0)).unwrap() {
            add(format_args!("{}\n", row.unwrap()));
        }
    }
    out
}

#[test]
fn nothing_in_a_file_of_an_older_version_is_lost() {
    for (version, file, expected) in [
        (1, VERSION_1, include_str!("fixtures/version-1.txt")),
        (2, VERSION_2, include_str!("fixtures/version-2.txt")),
        (3, VERSION_3, include_str!("fixtures/version-3.txt")),
        (4, VERSION_4, include_str!("fixtures/version-4.txt")),
    ] {
        let folder = folder_with(file);
        let found = dump(&folder);
        assert!(found == expected, "{found}\nand not\n{expected}");
        let copy = folder.join(&format!("chatd.db.schema-{version}"));
        assert_eq!(copy.exists(), version < schema::VERSION, "of version {version}");
        assert!(!copy.exists() || schema_of(&copy) == version);
        assert_eq!(schema_of(&folder.database()), schema::VERSION);
    }
}

#[test]
fn every_older_schema_becomes_the_newest() {
    let begin = |version| {
        let folder = Folder::new();
        schema::create(&mut folder.sqlite(), version).unwrap();
        folder
    };
    let dump = |folder: &Folder| -> Vec<String> {
        let sqlite = folder.sqlite();
        let mut statement = sqlite
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let newest = begin(schema::VERSION);
    for version in 0..schema::VERSION {
        let folder = begin(version);
        let mut store = folder.open();
        write(&mut store, [said(1, "lobby", "hi")]);
        store.close().unwrap();
        assert_eq!(dump(&folder), dump(&newest), "from version {version}");
        let copies = folder.files().len() - 1;
        assert_eq!(copies, usize::from(version > 0), "of a new file there is nothing to copy");
    }
}

#[test]
fn a_migration_leaves_a_copy_that_the_older_version_can_open() {
    let folder = of_version_1();
    let store = folder.open();
    let snapshot = store.snapshot(9, 9).unwrap();
    store.close().unwrap();
    let files = folder.files();
    let names: Vec<_> = files.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(names, [folder.database(), copy_in(&folder)]);
    assert_eq!(schema_of(&folder.database()), schema::VERSION);
    assert_eq!(schema_of(&copy_in(&folder)), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(copy_in(&folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "private lines are in it, too");
    }
    folder.open().close().unwrap();
    assert!(folder.files() == files, "it was migrated once");

    let way_back = Folder::new();
    fs::copy(copy_in(&folder), way_back.database()).unwrap();
    let again = way_back.open().snapshot(9, 9).unwrap();
    assert_eq!(Snapshot { epoch: snapshot.epoch, ..again }, snapshot);
}

#[test]
fn a_topic_without_anybody_who_set_it_is_kept() {
    let folder = of_version_1();
    let sqlite = folder.sqlite();
    sqlite.pragma_update(None, "foreign_keys", false).unwrap();
    sqlite.execute("UPDATE room SET topic_by = NULL, topic_account = 99", []).unwrap();
    drop(sqlite);
    for room in folder.open().snapshot(9, 9).unwrap().rooms {
        assert_eq!(room.settings["topic"].1, stranger(""), "of {}", room.name);
    }
}

#[test]
fn a_migration_that_was_cut_behind_the_copy_goes_on_with_it() {
    let folder = of_version_1();
    folder.open().close().unwrap();
    let copy = fs::read(copy_in(&folder)).unwrap();
    fs::write(folder.database(), VERSION_1).unwrap(); // as if it had not been committed
    fs::write(folder.join("chatd.db.schema-1.unfinished"), "half").unwrap();
    folder.open().close().unwrap();
    assert_eq!(schema_of(&folder.database()), schema::VERSION);
    assert!(fs::read(copy_in(&folder)).unwrap() == copy && folder.files().len() == 2);
}

/// One of them waits for the other meanwhile, and has nothing to do then.
#[test]
fn two_programs_that_open_it_at_once_leave_one_copy() {
    let folder = of_version_1();
    let path = folder.database();
    let patience = Duration::from_mins(1);
    let open = || Store::open(&path, Durability::Normal, patience).unwrap().close().unwrap();
    thread::scope(|scope| drop([scope.spawn(open), scope.spawn(open)]));
    let copies = folder.files().into_iter().filter(|(path, _)| *path != folder.database());
    assert_eq!(copies.map(|(path, _)| path).collect::<Vec<_>>(), [copy_in(&folder)]);
}

#[test]
fn without_a_copy_nothing_is_changed() {
    let folder = of_version_1();
    let blocked = folder.join("chatd.db.schema-1.unfinished");
    fs::create_dir(&blocked).unwrap();
    let refused = folder.refuses();
    assert!(matches!(refused, StoreErrorKind::CannotCopy { .. }), "{refused:?}");
    fs::remove_dir(&blocked).unwrap();

    // A copy of something else, of the same length and of another.
    let mut other = VERSION_1.to_owned();
    *other.last_mut().unwrap() ^= 1;
    for content in [&other[..], b"homework"] {
        fs::write(copy_in(&folder), content).unwrap();
        let before = folder.files();
        let StoreErrorKind::CannotCopy { copy, why } = folder.refuses() else { panic!("no copy") };
        assert!(copy == copy_in(&folder) && why.contains("move it away"), "{why}");
        assert!(folder.files() == before, "it was written to");
    }
    fs::remove_file(copy_in(&folder)).unwrap();
    assert_eq!(folder.open().snapshot(0, 0).unwrap().last_line, LineId(12));
}

#[test]
fn a_disk_with_no_room_for_the_copy_is_left_as_it_is() {
    let Some(disk) = Disk::new("a_disk_with_no_room_for_the_copy_is_left_as_it_is") else { return };
    fs::write(disk.database(), VERSION_1).unwrap();
    let room_for_the_log = 40 * 1024; // and not for the copy as well
    let free = 1024 * 1024 - VERSION_1.len() - room_for_the_log;
    fs::write(disk.join("homework"), vec![0; free]).unwrap();
    let before = disk.files();
    let StoreErrorKind::CannotCopy { why, .. } = disk.refuses() else { panic!("there was room") };
    assert!(why.contains("full"), "{why}");
    assert!(disk.files() == before, "it was written to");
    fs::remove_file(disk.join("homework")).unwrap();
    assert_eq!(disk.open().snapshot(0, 0).unwrap().last_line, LineId(12));
}
