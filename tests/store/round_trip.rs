//! What is written is read back.

use crate::*;
use chatd::core::record::{RoomSnapshot, Sanction, SanctionKind, Target};

#[test]
fn what_was_written_is_there_when_it_is_opened_again() {
    let (folder, mut store) = new_store();
    let text = "<alice> one\n* alice waves\n*** Announcement by alice: go home\n<alice> \n";
    let (room, author) = ("Lobby".to_owned(), stranger("alice"));
    let change = Change::RoomMessage { id: LineId(7), room, author, text: text.to_owned() };
    write(&mut store, [record(1, change)]);
    drop(store); // as kill -9 leaves it: no checkpoint was asked for

    let mut store = folder.open();
    let found = lines(&mut store, &older("lobby", None, 10));
    assert_eq!(found.iter().map(|line| line.text.as_str()).collect::<String>(), text);
    assert_eq!(found.iter().map(|line| line.id.0).collect::<Vec<_>>(), [7, 8, 9, 10]);
    assert!(found.iter().all(|line| line.at == at(1)));
    assert_eq!(store.snapshot(10, 2).unwrap().last_line, LineId(10));
    store.close().unwrap();
    assert_eq!(folder.files().len(), 1, "closed, all is in one file");
}

#[test]
fn what_a_killed_process_has_written_is_there() {
    // Its log is all that it leaves: copied while it runs, the two files are what a kill leaves
    // behind.
    let (folder, mut store) = new_store();
    let copy = Folder::new();
    write(&mut store, [said(1, "lobby", "in the log")]);
    for ending in ["db", "db-wal"] {
        let name = |folder: &Folder| folder.database().with_extension(ending);
        std::fs::copy(name(&folder), name(&copy)).unwrap();
    }
    assert_eq!(texts(&mut copy.open(), &older("lobby", None, 10)), ["<alice> in the log"]);
}

/// Or what is said first would begin it, which takes two syncs of the disk more.
#[test]
fn the_log_of_a_new_file_has_begun() {
    let (folder, _store) = new_store();
    let log = folder.database().with_extension("db-wal");
    assert!(std::fs::metadata(log).unwrap().len() > 0);
}

#[test]
fn a_file_may_have_any_name() {
    let folder = Folder::new();
    for name in ["a?b#c%20d e&mode=ro.db", "été.db", ":memory:", "file:x.db"] {
        let open = || Store::open(&folder.join(name), Durability::Normal, NO_PATIENCE).unwrap();
        let mut store = open();
        write(&mut store, [said(1, "lobby", "hi")]);
        store.close().unwrap();
        assert!(std::fs::read(folder.join(name)).unwrap().len() > 4096, "{name}");
        assert_eq!(ids(&mut open(), &older("lobby", None, 9)), [1]);
    }
}

#[test]
fn a_change_that_is_refused_costs_the_others_nothing() {
    let (folder, mut store) = new_store();
    write(&mut store, [registered(1, "alice"), registered(2, "bob")]);
    let mut other = folder.open(); // another process
    other.add_account("Eve", PasswordHash("x".into()), at(1)).unwrap();
    write(&mut other, [unregistered(2)]);

    let changed = |id| Change::PasswordChanged(AccountId(id), PasswordHash("new".into()));
    let outcomes = store.append(&[
        said(1, "lobby", "before"),
        registered(4, "eve"),
        mail(2, owner("alice", 1), owner("bob", 2), "lost"),
        record(3, changed(2)),
        record(3, changed(1)),
        private(3, owner("alice", 1), owner("bob", 2), "not lost"),
        registered(5, "carol"),
        said(4, "lobby", "after"),
    ]);
    let taken = Err("somebody registered that name a moment ago.".to_owned());
    let gone = Err("that account was deleted a moment ago.".to_owned());
    assert_eq!(outcomes.unwrap(), [taken, gone.clone(), gone, Ok(()), Ok(())]);

    assert_eq!(ids(&mut store, &older("lobby", Some(1), 9)), [1, 3, 4], "of 2 nothing is left");
    let names = |store: &Store| {
        let accounts = store.snapshot(0, 0).unwrap().accounts;
        accounts.into_iter().map(|account| account.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&store), ["alice", "Eve", "carol"]);
    assert_eq!(
        store.find(&Query::Password(AccountId(1))).unwrap(),
        Found::Password(Some(PasswordHash("new".into())))
    );
    let twice = store.add_account("CAROL", PasswordHash("x".into()), at(9)).unwrap_err();
    assert_eq!(twice.kind, StoreErrorKind::AccountTaken);
    assert_eq!(store.set_admin(AccountId(2), true).unwrap_err().kind, StoreErrorKind::AccountGone);
}

#[test]
fn of_a_batch_that_cannot_be_written_nothing_is_written() {
    let (folder, mut store) = new_store();
    let refuse = "CREATE TRIGGER t BEFORE INSERT ON audit BEGIN SELECT raise(FAIL, 'no'); END";
    folder.sqlite().execute_batch(refuse).unwrap();
    let audit = record(3, Change::Audit { by: "alice".into(), what: "it".into() });
    let batch = [said(1, "lobby", "hi"), registered(1, "bob"), audit, said(2, "lobby", "on")];
    store.append(&batch).unwrap_err();
    assert!(is_empty(&store.snapshot(9, 9).unwrap()));
    folder.sqlite().execute_batch("DROP TRIGGER t").unwrap();
    write(&mut store, batch);
    assert_eq!(ids(&mut store, &older("lobby", None, 9)), [1, 2]);
}

#[test]
fn a_line_that_comes_twice_is_written_once() {
    let (_folder, mut store) = new_store();
    let mail = mail(3, stranger("alice"), owner("bob", 1), "psst");
    let lines = [said(1, "lobby", "a\nb"), mail];
    write(&mut store, [registered(1, "bob")]);
    write(&mut store, [&lines[..], &lines[..]].concat());
    let expected = ["<alice> a", "<alice> b", "[from alice] psst"];
    assert_eq!(texts(&mut store, &older("lobby", Some(1), 10)), expected);
    assert_eq!(ids(&mut store, &Query::Mail(AccountId(1))), [3]);
}

#[test]
fn older_lines_are_the_last_ones_before_a_line_and_since_a_time() {
    let (_folder, mut store) = new_store();
    write(&mut store, (1..=20).map(|id| said(id, "lobby", "hi")));
    write(&mut store, [said(21, "math", "21"), said(22, "lobby", "22")]);
    let mut ask = |before: LineId, since: Option<i64>, most| {
        let (room, since) = ("LOBBY".to_owned(), since.map(at));
        ids(&mut store, &Query::Older { room, account: None, before, since, most })
    };
    assert_eq!(ask(LineId::MAX, None, 3), [19, 20, 22]);
    assert_eq!(ask(LineId(19), None, 3), [16, 17, 18]);
    assert_eq!(ask(LineId(19), Some(17), 30), [17, 18]);
    assert_eq!(ask(LineId::MAX, Some(23), 30), [0; 0]);
    assert_eq!(ask(LineId::MAX, None, 0), [0; 0]);
    assert_eq!(ids(&mut store, &older("nowhere", None, 10)), [0; 0]);
}

#[test]
fn private_lines_are_their_two_parties_alone() {
    let (_folder, mut store) = new_store();
    let (alice, bob, eve) = (owner("alice", 1), owner("bob", 2), stranger("eve"));
    write(&mut store, [registered(1, "alice"), registered(2, "bob"), registered(3, "carol")]);
    write(
        &mut store,
        [
            private(1, alice.clone(), bob.clone(), "psst"),
            said(2, "lobby", "aloud"),
            private(3, bob, eve.clone(), "to a stranger"),
            private(4, eve, stranger("bob"), "between strangers"),
            private(5, alice.clone(), alice, "to myself"),
        ],
    );
    let mut ask = |query| texts(&mut store, &query);
    let alices = ["[to bob] psst", "<alice> aloud", "[to alice] to myself"];
    assert_eq!(ask(older("lobby", Some(1), 10)), alices);
    assert_eq!(ask(older("lobby", Some(1), 2)), alices[1..]);
    let bobs = ["[from alice] psst", "<alice> aloud", "[to eve] to a stranger"];
    assert_eq!(ask(older("lobby", Some(2), 10)), bobs);
    for other in [None, Some(3), Some(99)] {
        assert_eq!(ask(older("lobby", other, 10)), ["<alice> aloud"]);
        assert_eq!(ask(search("lobby", other, "psst")), [""; 0]);
        assert_eq!(ask(search("lobby", other, "strangers")), [""; 0]);
    }
    let all = Query::Private { account: AccountId(1), most: 10 };
    assert_eq!(ask(all), ["[to bob] psst", "[to alice] to myself"]);
    assert_eq!(ask(search("math", Some(2), "psst")), ["[from alice] psst"]);
    assert_eq!(ask(search("math", Some(1), "myself")), ["[to alice] to myself"]);
}

#[test]
fn mail_waits_until_it_is_deleted() {
    let (_folder, mut store) = new_store();
    let (alice, bob) = (owner("alice", 1), owner("bob", 2));
    write(&mut store, [registered(1, "alice"), registered(2, "bob")]);
    let from_alice = |id, text| mail(id, alice.clone(), bob.clone(), text);
    let from_eve = mail(3, stranger("eve"), bob.clone(), "three");
    write(&mut store, [from_alice(1, "one"), from_alice(2, "two"), from_eve]);
    let waiting = ["[from alice] one", "[from alice] two", "[from eve] three"];
    assert_eq!(texts(&mut store, &Query::Mail(AccountId(2))), waiting);
    assert_eq!(store.snapshot(0, 0).unwrap().accounts[1].mail, 3);
    assert!(ids(&mut store, &Query::Mail(AccountId(1))).is_empty());

    // Only those of these numbers, and only one's own.
    let deleted = |owner, ids: &[i64]| {
        let ids = ids.iter().copied().map(LineId).collect();
        record(9, Change::MailDeleted(AccountId(owner), ids))
    };
    write(&mut store, [deleted(2, &[1, 3, 99]), deleted(1, &[2]), deleted(2, &[])]);
    assert_eq!(texts(&mut store, &Query::Mail(AccountId(2))), ["[from alice] two"]);
    assert_eq!(store.snapshot(0, 0).unwrap().accounts[1].mail, 1);
    let all = texts(&mut store, &older("lobby", Some(2), 9));
    assert_eq!(all, waiting, "what was read stays in the history");
}

#[test]
fn who_unregisters_leaves_what_was_said_and_nothing_else() {
    let (_folder, mut store) = new_store();
    let (alice, bob) = (owner("alice", 1), owner("bob", 2));
    let topic = setting("math", "topic", Some(("sums", bob.clone())));
    write(&mut store, [registered(1, "alice"), registered(2, "bob")]);
    let (hi, psst) = (said(1, "lobby", "hi"), mail(2, alice, bob.clone(), "psst"));
    write(&mut store, [hi, psst, topic, unregistered(2)]);
    let snapshot = store.snapshot(10, 10).unwrap();
    assert_eq!(snapshot.accounts.iter().map(|account| account.id.0).collect::<Vec<_>>(), [1]);
    assert_eq!(snapshot.last_account, AccountId(2), "a number is never used again");
    assert_eq!(snapshot.rooms[1].settings["topic"], ("sums".to_owned(), stranger("bob")));
    assert_eq!(store.find(&Query::Password(AccountId(2))).unwrap(), Found::Password(None));
    let left = ["<alice> hi", "[to bob] psst"];
    assert_eq!(texts(&mut store, &older("lobby", Some(1), 9)), left);
    for query in [Query::Mail(AccountId(2)), Query::Private { account: AccountId(2), most: 9 }] {
        assert!(ids(&mut store, &query).is_empty());
    }
    write(&mut store, [private(3, stranger("eve"), bob, "late")]);
    let another = store.add_account("bob", PasswordHash("other".into()), at(5)).unwrap();
    assert_eq!(another, AccountId(3));
    assert!(ids(&mut store, &Query::Private { account: another, most: 9 }).is_empty());
}

#[test]
fn passwords_and_administrators() {
    let (_folder, mut store) = new_store();
    let (id, new) = (AccountId(4), PasswordHash("new".into()));
    let password = |store: &mut Store| store.find(&Query::Password(id)).unwrap();
    write(&mut store, [registered(4, "Alice")]);
    assert_eq!(password(&mut store), Found::Password(Some(PasswordHash("hash of Alice".into()))));
    let mark = |store: &Store| store.snapshot(0, 0).unwrap().passwords[&id];
    let old_mark = mark(&store);
    write(&mut store, [record(1, Change::PasswordChanged(id, new.clone()))]);
    assert_eq!(password(&mut store), Found::Password(Some(new)));
    assert_ne!(mark(&store), old_mark, "whoever is logged in by the old one is told");
    store.set_admin(id, true).unwrap();
    let account = Account { id, name: "Alice".into(), is_admin: true, since: at(0), mail: 0 };
    assert_eq!(store.snapshot(0, 0).unwrap().accounts, [account]);
}

#[test]
fn sanctions_stay_until_they_are_replaced_or_lifted_or_pruned() {
    let (_folder, mut store) = new_store();
    let now = at(1_000_000);
    let hour = jiff::SignedDuration::from_hours(1);
    let (by, why) = ("alice".to_owned(), Some("because".to_owned()));
    let sanction = |kind, target: &Target, until| Sanction {
        kind,
        target: target.clone(),
        until,
        by: by.clone(),
        why: why.clone(),
    };
    let [mallory, shouting, eve] = ["Mallory", "MALLORY", "eve"].map(|n| Target::Name(n.into()));
    let address = Target::Address("192.0.2.1".into());
    let all = [
        sanction(SanctionKind::Ban, &mallory, Some(now + hour)),
        sanction(SanctionKind::Ban, &eve, Some(now - hour)),
        sanction(SanctionKind::Mute, &mallory, None),
        sanction(SanctionKind::Ban, &address, None),
    ];
    let at_now = |change| Record { at: now, change };
    write(&mut store, all.clone().map(Change::Sanctioned).map(at_now));
    let found = store.snapshot(0, 0).unwrap().sanctions;
    assert_eq!(found.len(), 4, "whether eve's has ended is for the rooms to say");
    assert!(found.iter().all(|sanction| all.contains(sanction)));

    let longer = sanction(SanctionKind::Ban, &shouting, None);
    write(&mut store, [at_now(Change::Sanctioned(longer.clone()))]);
    let found = store.snapshot(0, 0).unwrap().sanctions;
    assert!(found.len() == 4 && found.contains(&longer), "the new one replaces the old one");
    assert_eq!(store.prune_sanctions(now).unwrap(), 1);
    assert!(!store.snapshot(0, 0).unwrap().sanctions.contains(&all[1]));
    assert_eq!(store.prune_sanctions(now).unwrap(), 0);
    let lifted = |target| at_now(Change::SanctionLifted(SanctionKind::Ban, target));
    write(&mut store, [mallory, address].map(lifted));
    assert_eq!(store.snapshot(0, 0).unwrap().sanctions, [all[2].clone()]);
}

#[test]
fn a_server_starts_with_the_rooms_that_were_spoken_in_last() {
    let (_folder, mut store) = new_store();
    assert!(is_empty(&store.snapshot(10, 10).unwrap()));
    let sums = || Some(("sums", stranger("alice")));
    write(&mut store, [said(1, "lobby", "1\n2\n3"), said(4, "math", "4"), said(5, "Lobby", "5")]);
    write(&mut store, ["math", "empty", "forgotten"].map(|room| setting(room, "topic", sums())));
    write(&mut store, [setting("forgotten", "topic", None)]);
    let brief = |room: RoomSnapshot| {
        let ids = room.lines.iter().map(|line| line.id.0).collect::<Vec<_>>();
        let topic = room.settings.get("topic").map(|(topic, by)| (topic, &by.name));
        format!("{} {topic:?} {ids:?}", room.name)
    };
    let rooms = store.snapshot(10, 2).unwrap().rooms;
    assert_eq!(
        rooms.into_iter().map(brief).collect::<Vec<_>>(),
        [
            "lobby None [3, 5]",
            "math Some((\"sums\", \"alice\")) [4]",
            "empty Some((\"sums\", \"alice\")) []"
        ]
    );
    assert_eq!(store.snapshot(1, 10).unwrap().rooms.len(), 1);
}

#[test]
fn words_are_found_in_any_case_with_any_accent() {
    let (_folder, mut store) = new_store();
    let lobby = said(1, "lobby", "Das Café öffnet\ncafeteria\nother");
    write(&mut store, [lobby, said(4, "math", "cafe")]);
    for (words, found) in [
        ("cafe", &[1][..]),
        ("CAFÉ", &[1]),
        ("caf*", &[1, 2]),
        ("offnet cafe", &[1]),
        ("cafe other", &[]),   // all words in one line
        ("alice other", &[3]), // its author's name is one of a line's words
        ("other :-)", &[3]),
        ("", &[]),
    ] {
        assert_eq!(ids(&mut store, &search("lobby", None, words)), found, "{words}");
    }
}

#[test]
fn a_search_finds_the_newest_of_one_room_and_of_one_account() {
    let (_folder, mut store) = new_store();
    let (alice, bob, carol) = (owner("alice", 1), owner("bob", 2), owner("carol", 12));
    write(&mut store, [registered(1, "alice"), registered(2, "bob"), registered(12, "carol")]);
    let rooms = ["lobby", "math", "art"];
    let talk = |id: i64| match id % 5 {
        room @ 0..3 => said(id, rooms[room as usize], "word"),
        3 => private(id, alice.clone(), bob.clone(), "word"),
        _ => private(id, carol.clone(), alice.clone(), "word"),
    };
    write(&mut store, (1..=2000).map(talk));
    let mut find = |room: &str, account: Option<i64>, words: &str, most| {
        let (room, account) = (room.to_owned(), account.map(AccountId));
        ids(&mut store, &Query::Search { room, account, words: words.to_owned(), most })
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
fn private_lines_of_a_deleted_account_are_found_by_the_other_party_alone() {
    for is_indexed_before in [true, false] {
        let (_folder, mut store) = new_store();
        write(&mut store, [registered(1, "alice"), registered(2, "bob")]);
        write(&mut store, [private(1, owner("alice", 1), owner("bob", 2), "psst")]);
        if is_indexed_before {
            store.index_some(9).unwrap();
        }
        write(&mut store, [unregistered(2)]);
        assert_eq!(texts(&mut store, &search("lobby", Some(1), "psst")), ["[to bob] psst"]);
        assert!(ids(&mut store, &search("lobby", Some(2), "psst")).is_empty());
    }
}

#[test]
fn lines_are_indexed_some_at_a_time() {
    let (_folder, mut store) = new_store();
    write(&mut store, [registered(1, "bob")]);
    write(&mut store, (1..=5).map(|id| said(id, "lobby", "word")));
    write(&mut store, [private(6, stranger("alice"), owner("bob", 1), "word")]);
    assert_eq!([4, 4, 4].map(|most| store.index_some(most).unwrap()), [4, 2, 0]);
    write(&mut store, [said(7, "lobby", "word")]);
    assert_eq!(ids(&mut store, &search("lobby", Some(1), "word")), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(store.index_some(4).unwrap(), 0);
}

#[test]
fn what_others_change_is_noticed() {
    let (folder, mut store) = new_store();
    write(&mut store, [registered(1, "alice")]);
    assert!(!store.changed_by_others().unwrap(), "that was we ourselves");
    folder.open().set_admin(AccountId(1), true).unwrap();
    assert!(store.changed_by_others().unwrap());
    assert!(!store.changed_by_others().unwrap());
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let (folder, mut store) = new_store();
    write(&mut store, [said(1, "lobby", "hi")]);
    for ending in ["db", "db-wal", "db-shm"] {
        let path = folder.database().with_extension(ending);
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
