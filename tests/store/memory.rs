//! What is written is read back.

use crate::*;
use chatd::{
    core::record::{Remembered, RoomRemembered, Sanction, SanctionKind, Subject},
    store::server_lock::ServerLock,
};

#[test]
fn what_was_written_is_there_when_it_is_opened_again() {
    let folder = Folder::new();
    let mut store = folder.open();
    let line = "<alice> one\n* alice waves\n*** Announcement by alice: go home\n<alice> \n";
    let what =
        What::Said { id: 7, room: "Lobby".into(), author: guest("alice"), text: line.into() };
    store.write(&[Record { at: at(1), what }]).unwrap();
    drop(store); // as kill -9 leaves it: no checkpoint was asked for

    let mut store = folder.open();
    let found = lines(&mut store, &older("lobby", None, 10));
    assert_eq!(found.iter().map(|line| line.text.as_str()).collect::<String>(), line);
    assert_eq!(found.iter().map(|line| line.id).collect::<Vec<_>>(), [7, 8, 9, 10]);
    assert!(found.iter().all(|line| line.at == at(1)));
    assert_eq!(store.remembered(10, 2).unwrap().last_line, 10);
    store.close().unwrap();
    let wal = folder.database().with_extension("db-wal");
    assert!(!wal.exists(), "closed, all is in one file");
}

#[test]
fn what_a_killed_process_has_written_is_there() {
    // Its log is all that it leaves: copied while it runs, the two files are what a kill leaves behind.
    let (folder, copy) = (Folder::new(), Folder::new());
    let mut store = folder.open();
    store.write(&[said(1, "lobby", "in the log")]).unwrap();
    for ending in ["db", "db-wal"] {
        let name = |folder: &Folder| folder.database().with_extension(ending);
        std::fs::copy(name(&folder), name(&copy)).unwrap();
    }
    assert_eq!(texts(&mut copy.open(), &older("lobby", None, 10)), ["<alice> in the log"]);
}

#[test]
fn a_file_may_have_any_name() {
    let folder = Folder::new();
    for name in ["a?b#c%20d e&mode=ro.db", "été.db", ":memory:", "file:x.db"] {
        let mut store = Store::open(&folder.join(name), Durability::Normal, NO_PATIENCE).unwrap();
        store.write(&[said(1, "lobby", "hi")]).unwrap();
        store.close().unwrap();
        assert!(std::fs::read(folder.join(name)).unwrap().len() > 4096, "{name}");
        let mut store = Store::open(&folder.join(name), Durability::Normal, NO_PATIENCE).unwrap();
        assert_eq!(texts(&mut store, &older("lobby", None, 9)).len(), 1);
    }
}

#[test]
fn all_of_a_write_or_nothing() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[registered(1, "alice")]).unwrap();
    let refused = store.write(&[said(1, "lobby", "hi"), registered(2, "ALICE")]).unwrap_err();
    assert_eq!(refused.trouble, Trouble::AccountTaken);
    assert!(texts(&mut store, &older("lobby", None, 10)).is_empty());
    store.write(&[said(1, "lobby", "hi")]).unwrap();
}

#[test]
fn a_record_that_comes_twice_is_written_once() {
    let folder = Folder::new();
    let mut store = folder.open();
    let twice = [
        registered(1, "bob"),
        said(1, "lobby", "a\nb"),
        told(3, guest("alice"), owner("bob", 1), "psst", true),
        said(1, "lobby", "a\nb"),
        told(3, guest("alice"), owner("bob", 1), "psst", true),
    ];
    store.write(&twice).unwrap();
    assert_eq!(
        texts(&mut store, &older("lobby", Some(1), 10)),
        ["<alice> a", "<alice> b", "[from alice] psst"]
    );
    assert_eq!(texts(&mut store, &Query::Mail(1)).len(), 1);
}

#[test]
fn older_lines_are_the_last_ones_before_a_line_and_since_a_time() {
    let folder = Folder::new();
    let mut store = folder.open();
    store
        .write(&(1..=20).map(|id| said(id, "lobby", &id.to_string())).collect::<Vec<_>>())
        .unwrap();
    store.write(&[said(21, "math", "21"), said(22, "lobby", "22")]).unwrap();
    let mut ask = |before, since: Option<i64>, most| {
        let query = Query::Older {
            room: "LOBBY".into(),
            account: None,
            before,
            since: since.map(at),
            most,
        };
        lines(&mut store, &query).iter().map(|line| line.id).collect::<Vec<_>>()
    };
    assert_eq!(ask(LineId::MAX, None, 3), [19, 20, 22]);
    assert_eq!(ask(19, None, 3), [16, 17, 18]);
    assert_eq!(ask(19, Some(17), 30), [17, 18]);
    assert_eq!(ask(LineId::MAX, Some(23), 30), [0; 0]);
    assert_eq!(ask(LineId::MAX, None, 0), [0; 0]);
    assert!(lines(&mut store, &older("nowhere", None, 10)).is_empty());
}

#[test]
fn private_lines_are_their_two_parties_alone() {
    let folder = Folder::new();
    let mut store = folder.open();
    let (alice, bob) = (owner("alice", 1), owner("bob", 2));
    store.write(&[registered(1, "alice"), registered(2, "bob"), registered(3, "carol")]).unwrap();
    store
        .write(&[
            told(1, alice.clone(), bob.clone(), "psst", false),
            said(2, "lobby", "aloud"),
            told(3, bob, guest("mallory"), "to a guest", false),
            told(4, guest("mallory"), guest("bob"), "between guests", false),
            told(5, alice.clone(), alice, "to myself", false),
        ])
        .unwrap();
    let alices = ["[to bob] psst", "<alice> aloud", "[to alice] to myself"];
    assert_eq!(texts(&mut store, &older("lobby", Some(1), 10)), alices);
    assert_eq!(texts(&mut store, &older("lobby", Some(1), 2)), alices[1..]);
    assert_eq!(
        texts(&mut store, &older("lobby", Some(2), 10)),
        ["[from alice] psst", "<alice> aloud", "[to mallory] to a guest"]
    );
    for other in [None, Some(3), Some(99)] {
        assert_eq!(texts(&mut store, &older("lobby", other, 10)), ["<alice> aloud"]);
        assert!(texts(&mut store, &search("lobby", other, "psst")).is_empty());
        assert!(texts(&mut store, &search("lobby", other, "guests")).is_empty());
    }
    assert_eq!(
        texts(&mut store, &Query::Private { account: 1, most: 10 }),
        ["[to bob] psst", "[to alice] to myself"]
    );
    assert_eq!(texts(&mut store, &search("math", Some(2), "psst")), ["[from alice] psst"]);
    assert_eq!(texts(&mut store, &search("math", Some(1), "myself")), ["[to alice] to myself"]);
}

#[test]
fn mail_waits_until_it_is_deleted() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[registered(1, "alice"), registered(2, "bob")]).unwrap();
    let mail = |id, text| told(id, owner("alice", 1), owner("bob", 2), text, true);
    store
        .write(&[
            mail(1, "one"),
            mail(2, "two"),
            told(3, guest("eve"), owner("bob", 2), "three", true),
        ])
        .unwrap();
    assert_eq!(store.remembered(0, 0).unwrap().accounts[1].mail, 3);
    let waiting = ["[from alice] one", "[from alice] two", "[from eve] three"];
    assert_eq!(texts(&mut store, &Query::Mail(2)), waiting);
    assert!(texts(&mut store, &Query::Mail(1)).is_empty());
    store.write(&[Record { at: at(9), what: What::MailDeleted(2, 2) }]).unwrap();
    assert_eq!(texts(&mut store, &Query::Mail(2)), waiting[2..]);
    assert_eq!(
        texts(&mut store, &older("lobby", Some(2), 9)),
        waiting,
        "what was read stays in the history"
    );
    assert_eq!(store.remembered(0, 0).unwrap().accounts[1].mail, 1);
}

#[test]
fn who_unregisters_leaves_what_was_said_and_nothing_else() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[registered(1, "alice"), registered(2, "bob")]).unwrap();
    let topic = Some(("sums".to_owned(), owner("bob", 2)));
    store
        .write(&[
            said(1, "lobby", "hi"),
            told(2, owner("alice", 1), owner("bob", 2), "psst", true),
            Record { at: at(2), what: What::Topic { room: "math".into(), topic } },
            Record { at: at(3), what: What::Unregistered(2) },
        ])
        .unwrap();
    let remembered = store.remembered(10, 10).unwrap();
    assert_eq!(remembered.accounts.iter().map(|account| account.id).collect::<Vec<_>>(), [1]);
    assert_eq!(remembered.last_account, 2, "a number is never used again");
    assert_eq!(remembered.rooms[1].topic, Some(("sums".to_owned(), guest("bob"))));
    assert_eq!(store.find(&Query::Password(2)).unwrap(), Found::Password(None));
    assert_eq!(texts(&mut store, &older("lobby", Some(1), 9)), ["<alice> hi", "[to bob] psst"]);
    for query in [Query::Mail(2), Query::Private { account: 2, most: 9 }] {
        assert!(texts(&mut store, &query).is_empty());
    }
    // Whoever is told of it late still writes to it, and nobody else's lines are lost for that.
    store
        .write(&[told(3, guest("eve"), owner("bob", 2), "late", true), said(4, "lobby", "on")])
        .unwrap();
    assert_eq!(store.add_account("bob", PasswordHash("other".into()), at(5)).unwrap(), 3);
    assert!(texts(&mut store, &Query::Private { account: 3, most: 9 }).is_empty(), "another bob");
}

#[test]
fn passwords_and_administrators() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[registered(4, "Alice")]).unwrap();
    let password = |store: &mut Store| store.find(&Query::Password(4)).unwrap();
    assert_eq!(password(&mut store), Found::Password(Some(PasswordHash("hash of Alice".into()))));
    let other = PasswordHash("other".into());
    store.write(&[Record { at: at(1), what: What::Rehashed(4, other.clone()) }]).unwrap();
    assert_eq!(password(&mut store), Found::Password(Some(other)));
    store.set_admin(4, true).unwrap();
    let account = &store.remembered(0, 0).unwrap().accounts[0];
    assert_eq!((account.name.as_str(), account.is_admin, account.since), ("Alice", true, at(0)));
}

#[test]
fn sanctions_are_remembered_until_they_are_over() {
    let folder = Folder::new();
    let mut store = folder.open();
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap(); // the store asks the clock itself
    let hour = jiff::SignedDuration::from_hours(1);
    let sanction = |kind, subject: &Subject, until| Sanction {
        kind,
        subject: subject.clone(),
        until,
        by: "alice".into(),
        why: Some("because".into()),
    };
    let [mallory, eve, address] = [
        Subject::Name("Mallory".into()),
        Subject::Name("eve".into()),
        Subject::Address("192.0.2.1".into()),
    ];
    let all = [
        sanction(SanctionKind::Ban, &mallory, Some(now + hour)),
        sanction(SanctionKind::Ban, &eve, Some(now - hour)),
        sanction(SanctionKind::Mute, &mallory, None),
        sanction(SanctionKind::Ban, &address, None),
    ];
    let record = |what| Record { at: now, what };
    store.write(&all.clone().map(What::Sanctioned).map(record)).unwrap();
    let found = store.remembered(0, 0).unwrap().sanctions;
    assert_eq!(found.len(), 3, "eve's is over");
    assert!(found.iter().all(|sanction| all.contains(sanction)));

    let longer = sanction(SanctionKind::Ban, &Subject::Name("MALLORY".into()), None);
    store.write(&[record(What::Sanctioned(longer.clone()))]).unwrap();
    let found = store.remembered(0, 0).unwrap().sanctions;
    assert!(
        found.len() == 3 && found.contains(&longer),
        "a new one takes the place of the old one"
    );
    for (kind, subject) in [(SanctionKind::Ban, mallory.clone()), (SanctionKind::Ban, address)] {
        store.write(&[record(What::Lifted(kind, subject))]).unwrap();
    }
    assert_eq!(store.remembered(0, 0).unwrap().sanctions, [all[2].clone()]);
}

#[test]
fn a_server_begins_with_the_rooms_that_were_spoken_in_last() {
    let folder = Folder::new();
    let mut store = folder.open();
    assert_eq!(store.remembered(10, 10).unwrap(), Remembered::default());
    let topic =
        |room: &str, topic| Record { at: at(9), what: What::Topic { room: room.into(), topic } };
    let sums = Some(("sums".to_owned(), guest("alice")));
    store
        .write(&[
            said(1, "lobby", "1\n2\n3"),
            said(4, "math", "4"),
            said(5, "Lobby", "5"),
            topic("math", sums.clone()),
            topic("empty", sums.clone()),
            topic("forgotten", sums.clone()),
            topic("forgotten", None),
        ])
        .unwrap();
    let rooms = store.remembered(10, 2).unwrap().rooms;
    let brief = |room: &RoomRemembered| {
        (room.name.clone(), room.lines.iter().map(|line| line.id).collect::<Vec<_>>())
    };
    let expected = [("lobby", vec![3, 5]), ("math", vec![4]), ("empty", vec![])];
    assert_eq!(
        rooms.iter().map(brief).collect::<Vec<_>>(),
        expected.map(|(name, ids)| (name.to_owned(), ids))
    );
    assert_eq!([&rooms[0].topic, &rooms[1].topic, &rooms[2].topic], [&None, &sums, &sums]);
    assert_eq!(store.remembered(1, 10).unwrap().rooms.len(), 1);
}

#[test]
fn words_are_found_in_any_case_with_any_accent() {
    let folder = Folder::new();
    let mut store = folder.open();
    store
        .write(&[said(1, "lobby", "Das Café öffnet\ncafeteria\nother"), said(4, "math", "cafe")])
        .unwrap();
    let mut find = |words| {
        lines(&mut store, &search("lobby", None, words)).iter().map(|l| l.id).collect::<Vec<_>>()
    };
    assert_eq!(find("cafe"), [1]);
    assert_eq!(find("CAFÉ"), [1]);
    assert_eq!(find("caf*"), [1, 2]);
    assert_eq!(find("offnet cafe"), [1]);
    assert_eq!(find("cafe other"), [0; 0], "all words in one line");
    assert_eq!(find("alice other"), [3], "its author's name is one of a line's words");
    assert_eq!(find("other :-)"), [3]);
    assert_eq!(find(""), [0; 0]);
}

#[test]
fn a_search_finds_the_newest_of_one_room_and_of_one_account() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[registered(1, "alice"), registered(2, "bob"), registered(12, "carol")]).unwrap();
    let rooms = ["lobby", "math", "art"];
    let talk = |id: i64| match id % 5 {
        room @ 0..3 => said(id, rooms[room as usize], "word"),
        3 => told(id, owner("alice", 1), owner("bob", 2), "word", false),
        _ => told(id, owner("carol", 12), owner("alice", 1), "word", false),
    };
    store.write(&(1..=2000).map(talk).collect::<Vec<_>>()).unwrap();
    let mut find = |room: &str, account, words: &str, most| {
        let query = Query::Search { room: room.into(), account, words: words.into(), most };
        lines(&mut store, &query).iter().map(|line| line.id).collect::<Vec<_>>()
    };
    for words in ["word", "w*", "WORD wor*"] {
        assert_eq!(find("lobby", None, words, 3), [1990, 1995, 2000], "{words}");
        assert_eq!(find("math", None, words, 2), [1991, 1996]);
        assert_eq!(find("art", Some(2), words, 3), [1993, 1997, 1998]);
        assert_eq!(find("nowhere", Some(1), words, 3), [1994, 1998, 1999]);
        assert_eq!(find("nowhere", Some(12), words, 2), [1994, 1999]);
        assert_eq!(find("lobby", Some(1), words, 5000).len(), 400 + 800);
        assert_eq!(find("nowhere", None, words, 3), [0; 0]);
        assert_eq!(find("nowhere", Some(3), words, 3), [0; 0]);
    }
}

#[test]
fn private_lines_of_an_account_that_is_no_more_are_found_by_the_other_party_alone() {
    for is_indexed_before in [true, false] {
        let folder = Folder::new();
        let mut store = folder.open();
        store.write(&[registered(1, "alice"), registered(2, "bob")]).unwrap();
        store.write(&[told(1, owner("alice", 1), owner("bob", 2), "psst", false)]).unwrap();
        if is_indexed_before {
            store.index_some(9).unwrap();
        }
        store.write(&[Record { at: at(2), what: What::Unregistered(2) }]).unwrap();
        assert_eq!(texts(&mut store, &search("lobby", Some(1), "psst")), ["[to bob] psst"]);
        assert!(texts(&mut store, &search("lobby", Some(2), "psst")).is_empty());
    }
}

#[test]
fn what_is_new_is_indexed_when_there_is_time_or_a_search_comes() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[registered(1, "bob")]).unwrap();
    store.write(&(1..=5).map(|id| said(id, "lobby", "word")).collect::<Vec<_>>()).unwrap();
    store.write(&[told(6, guest("alice"), owner("bob", 1), "word", false)]).unwrap();
    assert_eq!([4, 4, 4].map(|most| store.index_some(most).unwrap()), [4, 2, 0]);
    store.write(&[said(7, "lobby", "word")]).unwrap();
    assert_eq!(texts(&mut store, &search("lobby", Some(1), "word")).len(), 7);
    assert_eq!(store.index_some(4).unwrap(), 0);
}

#[test]
fn what_others_change_is_noticed() {
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[registered(1, "alice")]).unwrap();
    assert!(!store.changed_by_others().unwrap(), "that was we ourselves");
    folder.open().set_admin(1, true).unwrap();
    assert!(store.changed_by_others().unwrap());
    assert!(!store.changed_by_others().unwrap());
}

#[test]
fn one_server_for_one_file() {
    let folder = Folder::new();
    let lock = ServerLock::take(&folder.database()).unwrap();
    let refused = ServerLock::take(&folder.database()).unwrap_err().to_string();
    assert!(refused.contains("chatd.db") && refused.contains("--db"), "{refused}");
    drop(lock);
    ServerLock::take(&folder.database()).unwrap();
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let mut store = folder.open();
    store.write(&[said(1, "lobby", "hi")]).unwrap();
    for ending in ["db", "db-wal", "db-shm"] {
        let path = folder.database().with_extension(ending);
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
