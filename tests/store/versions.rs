//! Files of earlier versions: today's store finds everything in them, and keeps a copy before it changes them.

use crate::*;
use chatd::{
    core::record::{Sanction, SanctionKind, Subject},
    store::schema,
};
use std::{fs, path::PathBuf};

/// What is in `fixtures/version-1.db`, which `fixtures/README.md` tells of.
const VERSION_1: &[u8] = include_bytes!("fixtures/version-1.db");

/// When alice said the first line; the others' times are microseconds after it.
const FIRST_LINE: i64 = 1_795_800_838_975_829;

fn after_first_line(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(FIRST_LINE + micros).unwrap()
}

fn of_version_1() -> Folder {
    let folder = Folder::new();
    fs::write(folder.database(), VERSION_1).unwrap();
    folder
}

fn copy_in(folder: &Folder) -> PathBuf {
    folder.join("chatd.db.schema-1")
}

fn schema_of(path: &Path) -> usize {
    schema::version(&Connection::open(path).unwrap()).unwrap()
}

#[test]
fn nothing_in_a_file_of_version_1_is_lost() {
    let folder = of_version_1();
    let mut store = folder.open();
    let (alice, bob) = (owner("alice", 1), owner("Bob", 2));

    let snapshot = store.remembered(9, 9).unwrap();
    let account = |id, name: &str, is_admin, since, mail| Account {
        id,
        name: name.to_owned(),
        is_admin,
        since: after_first_line(since),
        mail,
    };
    assert_eq!(
        snapshot.accounts,
        [account(1, "alice", true, -2_906_432, 0), account(2, "Bob", false, -2_302_521, 2)]
    );
    assert_eq!((snapshot.last_line, snapshot.last_account), (12, 2));
    for (account, hash) in [
        (1, "cdFTDRLsV/E+BvJTt6EFSg$ZDKmRfZDGb4i3ZASa8A5oQCkVvpp7a0sUvchqP7ebjM"),
        (2, "Pcb0FK4vMRX4NjWTDunD5g$OLynKAAY4Lp0WJ93IY/ACmEYDHUtj1olrG2fsaHltcU"),
    ] {
        let hash = PasswordHash(format!("$argon2id$v=19$m=19456,t=2,p=1${hash}"));
        let found = store.find(&Query::Password(account)).unwrap();
        assert!(found == Found::Password(Some(hash)), "account {account}");
    }

    let rooms = snapshot.rooms.iter().map(|room| (room.name.as_str(), room.topic.clone()));
    let topic = |text: &str, by: &Party| Some((text.to_owned(), by.clone()));
    assert_eq!(
        rooms.collect::<Vec<_>>(),
        [
            ("lobby", topic("Threads, one per client", &alice)),
            ("math", topic("sums and products", &bob))
        ]
    );
    let lobby = lines(&mut store, &older("lobby", None, 9));
    assert_eq!(snapshot.rooms[0].lines, lobby);
    assert_eq!(
        lobby.iter().map(|line| (line.id, line.text.as_str())).collect::<Vec<_>>(),
        [
            (1, "<alice> good morning\n"),
            (2, "<Bob> hello, déjà vu?\n"),
            (3, "* alice waves\n"),
            (4, "<eve> I am a guest\n"),
            (5, "*** Announcement by alice: the exam begins at ten\n"),
            (12, "<alice> last words\n")
        ]
    );
    assert_eq!((lobby[0].at, lobby[5].at), (after_first_line(0), after_first_line(6_307_259)));
    assert_eq!(texts(&mut store, &older("math", None, 9)), ["<Bob> two and two is four"]);
    assert_eq!(texts(&mut store, &search("lobby", None, "deja")), ["<Bob> hello, déjà vu?"]);

    let mail = ["[from alice] read chapter three", "[from eve] I have your book"];
    assert_eq!(texts(&mut store, &Query::Mail(2)), mail);
    let private = |account| Query::Private { account, most: 9 };
    assert_eq!(
        texts(&mut store, &private(1)),
        [
            "[from Bob] psst",
            "[to Bob] what?",
            "[from eve] from a guest to you",
            "[to Bob] read chapter three"
        ]
    );
    assert_eq!(
        texts(&mut store, &private(2)),
        [&["[to alice] psst", "[from alice] what?"], &mail[..]].concat()
    );

    let sanction = |kind, subject, until: Option<i64>, why: &str| Sanction {
        kind,
        subject,
        until: until.map(after_first_line),
        by: "alice".to_owned(),
        why: Some(why.to_owned()),
    };
    let ten_years = 315_360_000_000_000 + 5_105_976;
    let mut sanctions = vec![
        sanction(SanctionKind::Ban, Subject::Address("192.0.2.7".into()), None, "an attack"),
        sanction(SanctionKind::Ban, Subject::Name("mallory".into()), None, "rude words"),
        sanction(SanctionKind::Mute, Subject::Name("trudy".into()), Some(ten_years), "too loud"),
    ];
    sanctions.retain(|sanction| sanction.until.is_none_or(|until| until > Timestamp::now()));
    assert_eq!(snapshot.sanctions, sanctions);

    let sqlite = folder.sqlite();
    let mut statement = sqlite.prepare("SELECT by || ' ' || what FROM audit ORDER BY id").unwrap();
    let audit = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(
        audit.map(Result::unwrap).collect::<Vec<_>>(),
        [
            "alice announced: the exam begins at ten",
            "alice banned mallory: rude words",
            "alice muted trudy until 2036-11-24 17:34: too loud",
            "alice banned 192.0.2.7: an attack",
            "alice kicked eve: you were warned"
        ]
    );
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
        store.write(&[said(1, "lobby", "hi")]).unwrap();
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
    let snapshot = store.remembered(9, 9).unwrap();
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
    assert_eq!(way_back.open().remembered(9, 9).unwrap(), snapshot);
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

#[test]
fn without_a_copy_nothing_is_changed() {
    let folder = of_version_1();
    let blocked = folder.join("chatd.db.schema-1.unfinished");
    fs::create_dir(&blocked).unwrap();
    let refused = folder.trouble();
    assert!(matches!(refused, Trouble::CannotCopy { .. }), "{refused:?}");
    fs::remove_dir(&blocked).unwrap();

    // A copy of something else, of the same length and of another.
    let mut other = VERSION_1.to_owned();
    *other.last_mut().unwrap() ^= 1;
    for content in [&other[..], b"homework"] {
        fs::write(copy_in(&folder), content).unwrap();
        let before = folder.files();
        let Trouble::CannotCopy { copy, why } = folder.trouble() else { panic!("no copy") };
        assert!(copy == copy_in(&folder) && why.contains("move it away"), "{why}");
        assert!(folder.files() == before, "it was written to");
    }
    fs::remove_file(copy_in(&folder)).unwrap();
    assert_eq!(folder.open().remembered(0, 0).unwrap().last_line, 12);
}

#[test]
fn a_disk_with_no_room_for_the_copy_is_left_as_it_is() {
    let Some(disk) = Disk::new("a_disk_with_no_room_for_the_copy_is_left_as_it_is") else { return };
    fs::write(disk.database(), VERSION_1).unwrap();
    let room_for_the_log = 40 * 1024; // and not for the copy as well
    let free = 1024 * 1024 - VERSION_1.len() - room_for_the_log;
    fs::write(disk.join("homework"), vec![0; free]).unwrap();
    let before = disk.files();
    let Trouble::CannotCopy { why, .. } = disk.trouble() else { panic!("there was room") };
    assert!(why.contains("full"), "{why}");
    assert!(disk.files() == before, "it was written to");
    fs::remove_file(disk.join("homework")).unwrap();
    assert_eq!(disk.open().remembered(0, 0).unwrap().last_line, 12);
}
