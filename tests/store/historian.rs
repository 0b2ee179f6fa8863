//! The historian's thread, from outside: what it is handed it writes, whatever happens to the file,
//! and says so.

#[cfg(unix)]
mod replaced;
mod running;

use crate::*;
use chatd::{
    core::record::Outcome,
    server::{
        clock::{AGREEMENT, Clock},
        history::historian::{self, HistorianEvent, StoreConfig},
    },
};
use running::{DEADLINE, Machine, Running, config};
use std::{fs, thread, time::Instant};

fn hi(id: i64) -> Record {
    said(id, "lobby", &format!("hi {id}"))
}

fn all(lines: std::ops::RangeInclusive<i64>) -> Vec<String> {
    lines.map(|id| format!("<alice> hi {id}")).collect()
}

fn refused(why: &str) -> Outcome {
    Err(why.to_owned())
}

const NONE: [Outcome; 0] = [];

#[test]
fn what_is_answered_as_written_is_written() {
    let folder = Folder::new();
    let running = Running::start(&config(&folder));
    assert_eq!(running.snapshot, empty(&running.snapshot));
    assert_eq!(running.commits(&[registered(1, "bob"), hi(1), hi(2)]), [Ok(())]);
    // Another process sees it while this one runs: it is written, not just taken.
    assert_eq!(texts(&mut folder.open(), &older("lobby", None, 9)), all(1..=2));
    assert_eq!(running.finds(search("lobby", None, "hi 2")), all(2..=2));
    assert_eq!(
        running.reader.find(Query::Password(AccountId(1))),
        Found::Password(Some(PasswordHash("hash of bob".into())))
    );
    running.ends();
    assert_eq!(folder.files().len(), 2, "the database and the server's lock");

    let running = Running::start(&config(&folder));
    let Snapshot { last_line, last_account, rooms, .. } = &running.snapshot;
    assert_eq!((*last_line, *last_account), (LineId(2), AccountId(1)));
    assert_eq!(rooms[0].lines.len(), 2);
    let reader = running.reader.clone();
    drop((running.handle, running.reader));
    let last = HistoryLine { id: LineId(2), at: at(2), text: "<alice> hi 2\n".to_owned() };
    let found = reader.find(older("lobby", None, 1));
    assert_eq!(found, Found::Lines(vec![last]), "it waits for those who ask");
    drop(reader);
    running.thread.join().unwrap();
}

#[test]
fn each_record_that_may_fail_has_its_outcome() {
    let folder = Folder::new();
    let running = Running::start(&config(&folder));
    let (eve, bob, nobody) = (stranger("eve"), owner("bob", 1), owner("carol", 9));
    let password = |account| {
        record(3, Change::PasswordChanged(AccountId(account), PasswordHash("new".into())))
    };
    let gone = || refused("that account was deleted a moment ago.");
    let outcomes = running.commits(&[
        hi(1),
        registered(1, "bob"),
        mail(2, eve.clone(), nobody.clone(), "lost"),
        private(3, eve.clone(), nobody, "said, not kept"),
        mail(4, eve, bob, "psst"),
        password(9),
        password(1),
        registered(2, "BOB"),
        hi(5),
        record(9, Change::MailDeleted(AccountId(1), vec![LineId(7)])),
        unregistered(7),
    ]);
    let taken = refused("somebody registered that name a moment ago.");
    let done = || Ok(());
    assert_eq!(outcomes, [done(), gone(), done(), gone(), done(), taken, done(), done()]);
    assert_eq!(running.hears_of_accounts(), ["bob"], "who was refused did not know of it");
    assert_eq!(running.lobby(), ["<alice> hi 1", "<alice> hi 5"]);
    assert_eq!(running.finds(Query::Mail(AccountId(1))), ["[from eve] psst"]);
    assert_eq!(
        running.reader.find(Query::Password(AccountId(1))),
        Found::Password(Some(PasswordHash("new".into())))
    );
    running.ends();
}

#[test]
fn a_locked_file_is_written_when_it_is_unlocked() {
    let folder = Folder::new();
    let running = Running::start(&config(&folder));
    assert_eq!(running.commits(&[hi(1)]), NONE);
    let other = folder.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (why, since, outcomes) = running.cannot_commit(&[hi(2), registered(1, "bob")]);
    assert!(why.contains("locked"), "{why}");
    assert_eq!((since, outcomes), (at(2), vec![refused(&why)]));
    let start = Instant::now();
    for id in 3..=9 {
        let outcomes = running.commits(&[hi(id), registered(1, "bob")]);
        assert_eq!(outcomes, [refused(&why)]);
    }
    assert!(start.elapsed() < Duration::from_secs(2), "known to fail, it is not tried for each");
    assert_eq!(running.lobby(), all(1..=9), "it can be read, and what waits is told, too");
    other.execute_batch("COMMIT").unwrap();
    running.recovers(None);
    assert_eq!(running.commits(&[hi(10)]), NONE);
    assert_eq!(running.lobby(), all(1..=10), "in the order they were said");
    assert_eq!(
        running.reader.find(Query::Password(AccountId(1))),
        Found::Password(None),
        "it was told that it has no account"
    );
    running.ends();
}

#[test]
fn a_full_disk_is_written_when_there_is_room() {
    let Some(disk) = Disk::new("a_full_disk_is_written_when_there_is_room") else { return };
    let running = Running::start(&config(&disk));
    fs::write(disk.join("homework"), vec![0; 500_000]).unwrap();
    let long = |id| said(id, "lobby", &"x".repeat(1000));
    let is_refused = |&id: &i64| {
        running.handle.commits.send(vec![long(id)]).unwrap();
        match running.hears() {
            HistorianEvent::Committed(outcomes) => {
                assert_eq!(outcomes, NONE);
                false
            }
            HistorianEvent::Outage { why, .. } => {
                assert_eq!(why, "the disk is full.");
                assert_eq!(running.hears_of_outcomes(), NONE);
                true
            }
            event => panic!("{event:?}"),
        }
    };
    let first_refused = (1..10_000).find(is_refused).unwrap();
    assert_eq!(running.commits(&[long(first_refused + 1)]), NONE);
    let found = running.reader.find(search("lobby", None, "alice"));
    let ids = |lines: &[HistoryLine]| lines.iter().map(|line| line.id.0).collect::<Vec<_>>();
    match found {
        // Those that were said before the historian last had a moment to spare are indexed, and two wait.
        Found::Partly { lines, why } => {
            let indexed: Vec<i64> = (1..=lines.len() as i64 - 2).collect();
            let waiting = [first_refused, first_refused + 1];
            assert_eq!(ids(&lines), [&indexed[..], &waiting].concat());
            assert!(indexed.len() as i64 + 1 < first_refused, "there is no room for an index");
            assert_eq!(why, "the newest lines are not indexed: the disk is full.");
        }
        // On a machine that is slow it has made room by now: the log is written from its beginning again.
        Found::Lines(lines) => {
            let last = first_refused + 1;
            assert_eq!(ids(&lines), (last + 1 - lines.len() as i64..=last).collect::<Vec<_>>());
        }
        found => panic!("{found:?}"),
    }
    assert_eq!(running.lobby().len() as i64, first_refused + 1);
    fs::remove_file(disk.join("homework")).unwrap();
    running.recovers(None);
    assert_eq!(running.lobby().len() as i64, first_refused + 1);
    running.ends();
}

#[test]
fn much_that_is_said_meanwhile_leaves_a_gap() {
    let folder = Folder::new();
    let running = Running::start(&config(&folder));
    let other = folder.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let large = |id| said(id, "lobby", &"x".repeat(1_000_000));
    running.cannot_commit(&[large(1)]);
    for id in 2..=6 {
        assert_eq!(running.commits(&[large(id)]), NONE);
    }
    other.execute_batch("COMMIT").unwrap();
    running.recovers(Some((at(1), at(2))));
    assert_eq!(running.lobby().len(), 4);
    running.ends();
}

#[test]
fn a_damaged_file_is_no_reason_not_to_start() {
    let (folder, sound) = (Folder::new(), Folder::new());
    write(&mut sound.open(), [registered(1, "bob"), hi(1)]);
    fs::write(folder.database(), "this was a database").unwrap();
    let running = Running::start(&config(&folder));
    let first = running.snapshot.last_line.next();
    assert!(first.0 > Timestamp::now().as_microsecond() - 60_000_000, "higher than any");
    assert_eq!(running.hears_of_an_outage().0, "its file is damaged.");
    let mut late = said(9, "lobby", "late");
    if let Change::RoomMessage { id, .. } = &mut late.change {
        *id = first;
    }
    assert_eq!(running.commits(&[late]), NONE);
    let Found::Partly { lines, why } = running.reader.find(older("lobby", None, 9)) else {
        panic!()
    };
    assert_eq!(
        (lines.len(), &*why),
        (1, "its file is damaged."),
        "what waits is told all the same"
    );
    assert_eq!(fs::read(folder.database()).unwrap(), b"this was a database");

    fs::rename(sound.database(), folder.database()).unwrap();
    assert_eq!(running.hears_of_accounts(), ["bob"]);
    running.recovers(None);
    assert_eq!(running.lobby(), ["<alice> hi 1", "<alice> late"]);
    running.ends();
}

#[test]
fn a_read_only_disk_is_read_until_it_can_be_written() {
    let Some(disk) = Disk::new("a_read_only_disk_is_read_until_it_can_be_written") else { return };
    let mut store = disk.open();
    write(&mut store, [registered(1, "bob"), hi(1)]);
    store.close().unwrap();
    disk.remount("ro");
    let running = Running::start(&config(&disk));
    assert_eq!((running.snapshot.accounts.len(), running.snapshot.last_line), (1, LineId(1)));
    assert_eq!(running.hears_of_an_outage().0, "its file is read-only.");
    assert_eq!(running.commits(&[hi(2)]), NONE);
    assert_eq!(running.lobby(), all(1..=2), "with what waits");
    disk.remount("rw");
    assert_eq!(running.hears_of_accounts(), ["bob"]);
    running.recovers(None);
    assert_eq!(running.lobby(), all(1..=2));
    running.ends();
}

#[test]
fn it_is_told_when_passwords_cannot_be_read_and_when_they_can_again() {
    let (folder, sound) = (Folder::new(), Folder::new());
    write(&mut sound.open(), [registered(1, "bob"), hi(1)]);
    fs::write(folder.database(), "this was a database").unwrap();
    let running = Running::start(&config(&folder));
    assert!(matches!(running.hears_whatever(), HistorianEvent::Outage { .. }));
    assert_eq!(running.hears_whatever(), HistorianEvent::Unreadable);
    fs::rename(sound.database(), folder.database()).unwrap();
    assert!(matches!(running.hears_whatever(), HistorianEvent::Changed(_)));
    running.recovers(None);

    // A file that can only not be written is no such state.
    let other = folder.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    running.handle.commits.send(vec![hi(2)]).unwrap();
    assert!(matches!(running.hears_whatever(), HistorianEvent::Outage { .. }));
    assert!(matches!(running.hears_whatever(), HistorianEvent::Committed(_)));
    assert_eq!(running.lobby(), all(1..=2), "what waits is told, too");
    let Found::Partly { lines, .. } = running.reader.find(search("lobby", None, "2")) else {
        panic!()
    };
    assert_eq!(lines[0].text, "<alice> hi 2\n", "and that the rest is not indexed");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(running.hears_whatever(), HistorianEvent::Recovered { gap: None });
    running.ends();
}

#[test]
fn only_the_operator_can_put_these_right() {
    let folder = Folder::new();
    let refuses = |file: PathBuf| {
        let config = StoreConfig { file: Some(file), ..StoreConfig::default() };
        format!("{:#}", historian::open(&config, Clock::system()).err().expect("it is refused"))
    };
    assert!(refuses(folder.join("no such folder").join("chatd.db")).contains("cannot open"));
    assert!(refuses(folder.join(".")).contains("folder"));
    folder.sqlite().execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(refuses(folder.database()).contains("another program's"));
    assert_eq!(folder.files().len(), 1, "and nothing is left beside it");

    // An older file: it is not changed without a copy of it, and another one has the copy's place.
    fs::write(folder.database(), include_bytes!("fixtures/version-1.db")).unwrap();
    fs::write(folder.join("chatd.db.schema-1"), "homework").unwrap();
    let before = folder.files();
    let sentence = refuses(folder.database());
    assert!(sentence.contains("no copy") && sentence.contains("move it away"), "{sentence}");
    assert!(folder.files() == before, "nothing was written, and no lock is left beside it");
    fs::remove_file(folder.join("chatd.db.schema-1")).unwrap();

    let running = Running::start(&config(&folder));
    assert!(refuses(folder.database()).contains("another chatd is using"));
    running.ends();
}

#[test]
fn what_another_process_does_to_accounts_is_told() {
    let folder = Folder::new();
    let running = Running::start(&config(&folder));
    folder.open().add_account("bob", PasswordHash("x".into()), at(1)).unwrap();
    assert_eq!(running.hears_of_accounts(), ["bob"]);
    running.ends();
}

#[test]
fn who_registers_a_moment_too_late_costs_nobody_a_line() {
    let folder = Folder::new();
    let running = Running::start(&config(&folder));
    folder.open().add_account("bob", PasswordHash("x".into()), at(1)).unwrap();
    let outcomes = running.commits(&[hi(1), registered(1, "Bob"), registered(2, "carol"), hi(2)]);
    let [Err(why), Ok(())] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert!(why.contains("registered"), "{why}");
    assert_eq!(running.hears_of_accounts(), ["bob", "carol"], "with the one it did not know");
    assert_eq!(running.lobby(), all(1..=2));
    running.ends();
}

#[test]
fn what_is_too_old_is_deleted() {
    let folder = Folder::new();
    let machine = Machine::new();
    let config = StoreConfig { history_days: Some(2), ..config(&folder) };
    let running = Running::start_at(&config, Clock::new(machine.clone()));
    let now = machine.time();
    let before =
        |days: i64, id| Record { at: now - jiff::SignedDuration::from_hours(24 * days), ..hi(id) };
    assert_eq!(running.commits(&[before(3, 1), before(1, 2)]), NONE);
    assert_eq!(running.lobby(), all(1..=2), "not after a start");
    machine.passes(AGREEMENT);
    let start = Instant::now();
    while running.lobby() != all(2..=2) {
        assert!(start.elapsed() < DEADLINE, "it is not deleted");
        thread::park_timeout(Duration::from_millis(1));
    }
    running.ends();
}

#[test]
fn without_a_file_accounts_live_as_long_as_the_server() {
    let none = StoreConfig::default();
    assert!(!none.keeps_talk());
    let running = Running::start(&none);
    let mail = mail(1, stranger("eve"), owner("bob", 1), "psst");
    assert_eq!(running.commits(&[registered(1, "bob"), mail]), [Ok(()), Ok(())]);
    assert_eq!(running.finds(Query::Mail(AccountId(1))), ["[from eve] psst"]);
    running.ends();
    let again = Running::start(&none);
    assert_eq!(again.snapshot, empty(&again.snapshot));
    again.ends();
}
