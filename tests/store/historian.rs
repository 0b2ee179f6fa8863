//! The historian's thread, from outside: what it is handed it writes, whatever happens to the file, and says so.

use crate::*;
use chatd::core::record::Remembered;
use chatd::server::historian::{self, Desk, Memory, News, Reading};
use std::{
    fs,
    thread::{self, JoinHandle},
    time::Instant,
};

/// How long to wait for anything that has to happen.
const DEADLINE: Duration = Duration::from_secs(30);

struct Running {
    remembered: Remembered,
    desk: Desk,
    reading: Reading,
    thread: JoinHandle<()>,
}

fn memory(folder: &Folder) -> Memory {
    Memory { file: Some(folder.database()), ..Memory::default() }
}

impl Running {
    #[track_caller]
    fn start(memory: &Memory) -> Running {
        let (remembered, desk, reading, historian) = historian::open(memory).unwrap();
        Running { remembered, desk, reading, thread: thread::spawn(move || historian.run()) }
    }

    /// Hands records over, and waits until they are answered.
    #[track_caller]
    fn write(&self, records: &[Record]) -> Result<(), String> {
        self.desk.writes.send(records.to_vec()).unwrap();
        match self.hears() {
            News::Written(outcome) => outcome,
            news => panic!("{news:?}"),
        }
    }

    #[track_caller]
    fn hears(&self) -> News {
        self.desk.news.recv_timeout(DEADLINE).expect("news")
    }

    #[track_caller]
    fn hears_that_it_fails(&self) -> String {
        match self.hears() {
            News::Failing { why, .. } => why,
            news => panic!("{news:?}"),
        }
    }

    #[track_caller]
    fn hears_of_accounts(&self) -> Vec<String> {
        match self.hears() {
            News::Changed(remembered) => {
                remembered.accounts.into_iter().map(|account| account.name).collect()
            }
            news => panic!("{news:?}"),
        }
    }

    #[track_caller]
    fn finds(&self, query: Query) -> Vec<String> {
        match self.reading.ask(query) {
            Found::Lines(lines) => {
                lines.into_iter().map(|line| line.text.trim_end().to_owned()).collect()
            }
            found => panic!("{found:?}"),
        }
    }

    /// Lets go of both ends, and waits for the thread.
    fn ends(self) {
        drop((self.desk, self.reading));
        self.thread.join().unwrap();
    }
}

fn hi(id: LineId) -> Record {
    said(id, "lobby", &format!("hi {id}"))
}

fn all(lines: std::ops::RangeInclusive<i64>) -> Vec<String> {
    lines.map(|id| format!("<alice> hi {id}")).collect()
}

#[test]
fn what_is_answered_as_written_is_written() {
    let folder = Folder::new();
    let running = Running::start(&memory(&folder));
    assert_eq!(running.remembered, Remembered::default());
    assert_eq!(running.write(&[registered(1, "bob"), hi(1), hi(2)]), Ok(()));
    // Another process sees it while this one runs: it is written, not just taken.
    assert_eq!(texts(&mut folder.open(), &older("lobby", None, 9)), all(1..=2));
    assert_eq!(running.finds(search("lobby", None, "hi 2")), all(2..=2));
    assert_eq!(
        running.reading.ask(Query::Password(1)),
        Found::Password(Some(PasswordHash("hash of bob".into())))
    );
    running.ends();
    assert_eq!(folder.files().len(), 2, "the database and the server's lock");

    let running = Running::start(&memory(&folder));
    assert_eq!((running.remembered.last_line, running.remembered.last_account), (2, 1));
    assert_eq!(running.remembered.rooms[0].lines.len(), 2);
    let reading = running.reading.clone();
    drop((running.desk, running.reading));
    assert_eq!(
        reading.ask(older("lobby", None, 1)),
        Found::Lines(vec![folder_line(2)]),
        "it waits for those who ask"
    );
}

fn folder_line(id: LineId) -> PastLine {
    PastLine { id, at: at(id), text: format!("<alice> hi {id}\n") }
}

#[test]
fn a_locked_file_is_written_when_it_is_unlocked() {
    let folder = Folder::new();
    let running = Running::start(&memory(&folder));
    assert_eq!(running.write(&[hi(1)]), Ok(()));
    let other = folder.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let why = running.write(&[hi(2), registered(1, "bob")]).unwrap_err();
    assert!(why.contains("locked"), "{why}");
    let News::Failing { since, .. } = running.hears() else {
        panic!("it should say that it fails")
    };
    assert_eq!(since, at(2));
    let start = Instant::now();
    for id in 3..=9 {
        assert_eq!(running.write(&[hi(id)]), Err(why.clone()));
    }
    assert!(start.elapsed() < Duration::from_secs(2), "known to fail, it is not tried for each");
    assert_eq!(running.finds(older("lobby", None, 9)), all(1..=1), "it can be read");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(running.hears(), News::Again { hole: None });
    assert_eq!(running.write(&[hi(10)]), Ok(()));
    assert_eq!(running.finds(older("lobby", None, 99)), all(1..=10), "in the order they were said");
    assert_eq!(
        running.reading.ask(Query::Password(1)),
        Found::Password(None),
        "it was told that it has no account"
    );
    running.ends();
}

#[test]
fn a_full_disk_is_written_when_there_is_room() {
    let Some(disk) = Disk::new("a_full_disk_is_written_when_there_is_room") else { return };
    let running = Running::start(&memory(&disk));
    fs::write(disk.join("homework"), vec![0; 500_000]).unwrap();
    let long = |id| said(id, "lobby", &"x".repeat(1000));
    let refused = (1..10_000).find(|id| running.write(&[long(*id)]).is_err()).unwrap();
    assert_eq!(running.hears_that_it_fails(), "the disk is full.");
    assert!(running.write(&[hi(refused + 1)]).is_err());
    assert_eq!(
        running.finds(search("lobby", None, "alice")).len(),
        0,
        "there is no room for an index, either"
    );
    assert_eq!(running.finds(older("lobby", None, 9999)).len() as i64, refused - 1);
    fs::remove_file(disk.join("homework")).unwrap();
    assert_eq!(running.hears(), News::Again { hole: None });
    assert_eq!(running.finds(older("lobby", None, 9999)).len() as i64, refused + 1);
    running.ends();
}

#[test]
fn much_that_is_said_meanwhile_leaves_a_hole() {
    let folder = Folder::new();
    let running = Running::start(&memory(&folder));
    let other = folder.sqlite();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let large = |id| said(id, "lobby", &"x".repeat(1_000_000));
    running.write(&[large(1)]).unwrap_err();
    running.hears_that_it_fails();
    for id in 2..=6 {
        running.write(&[large(id)]).unwrap_err();
    }
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(running.hears(), News::Again { hole: Some((at(1), at(2))) });
    assert_eq!(running.finds(older("lobby", None, 9)).len(), 4);
    running.ends();
}

#[test]
fn a_damaged_file_is_no_reason_not_to_start() {
    let (folder, sound) = (Folder::new(), Folder::new());
    sound.open().write(&[registered(1, "bob"), hi(1)]).unwrap();
    fs::write(folder.database(), "this was a database").unwrap();
    let running = Running::start(&memory(&folder));
    let first = running.remembered.last_line + 1;
    assert!(first > Timestamp::now().as_microsecond() - 60_000_000, "higher than any");
    assert_eq!(running.hears_that_it_fails(), "its file is damaged.");
    let mut late = said(9, "lobby", "late");
    if let What::Said { id, .. } = &mut late.what {
        *id = first;
    }
    running.write(&[late]).unwrap_err();
    assert_eq!(
        running.reading.ask(older("lobby", None, 9)),
        Found::Unavailable("its file is damaged.".to_owned())
    );
    assert_eq!(fs::read(folder.database()).unwrap(), b"this was a database");

    fs::rename(sound.database(), folder.database()).unwrap();
    assert_eq!(running.hears_of_accounts(), ["bob"]);
    assert_eq!(running.hears(), News::Again { hole: None });
    assert_eq!(running.finds(older("lobby", None, 9)), ["<alice> hi 1", "<alice> late"]);
    running.ends();
}

#[test]
fn a_read_only_disk_is_read_until_it_can_be_written() {
    let Some(disk) = Disk::new("a_read_only_disk_is_read_until_it_can_be_written") else { return };
    let mut store = disk.open();
    store.write(&[registered(1, "bob"), hi(1)]).unwrap();
    store.close().unwrap();
    disk.remount("ro");
    let running = Running::start(&memory(&disk));
    assert_eq!((running.remembered.accounts.len(), running.remembered.last_line), (1, 1));
    assert_eq!(running.hears_that_it_fails(), "its file is read-only.");
    running.write(&[hi(2)]).unwrap_err();
    assert_eq!(running.finds(older("lobby", None, 9)), all(1..=1));
    disk.remount("rw");
    assert_eq!(running.hears_of_accounts(), ["bob"]);
    assert_eq!(running.hears(), News::Again { hole: None });
    assert_eq!(running.finds(older("lobby", None, 9)), all(1..=2));
    running.ends();
}

#[cfg(unix)]
#[test]
fn a_file_that_is_deleted_is_begun_anew() {
    let folder = Folder::new();
    let running = Running::start(&memory(&folder));
    assert_eq!(running.write(&[registered(1, "bob"), hi(1)]), Ok(()));
    fs::remove_file(folder.database()).unwrap();
    running.write(&[hi(2)]).unwrap_err();
    assert_eq!(running.hears_that_it_fails(), "its file was deleted.");
    assert_eq!(running.hears_of_accounts(), [""; 0]);
    assert_eq!(running.hears(), News::Again { hole: None });
    assert_eq!(running.finds(older("lobby", None, 9)), all(2..=2));
    running.ends();
}

#[cfg(unix)]
#[test]
fn another_file_in_its_place_is_not_mixed_with_it() {
    let (folder, other) = (Folder::new(), Folder::new());
    let mut store = other.open();
    store.write(&[registered(1, "carol"), said(1, "lobby", "other")]).unwrap();
    store.close().unwrap();
    let running = Running::start(&memory(&folder));
    let many: Vec<Record> = (2..=200).map(hi).collect();
    assert_eq!(running.write(&many), Ok(()));
    fs::rename(other.database(), folder.database()).unwrap(); // and the log of the old one still lies there
    running.hears_that_it_fails();
    assert_eq!(running.hears_of_accounts(), ["carol"]);
    assert_eq!(running.hears(), News::Again { hole: None });
    assert_eq!(running.write(&[hi(201)]), Ok(()));
    assert_eq!(running.finds(older("lobby", None, 999)), ["<alice> other", "<alice> hi 201"]);
    running.ends();
    folder.open();
}

#[test]
fn only_the_operator_can_put_these_right() {
    let folder = Folder::new();
    let refused = |file: PathBuf| {
        let error = historian::open(&Memory { file: Some(file), ..memory(&folder) })
            .err()
            .expect("it is refused");
        format!("{error:#}")
    };
    assert!(refused(folder.join("no such folder").join("chatd.db")).contains("cannot open"));
    assert!(refused(folder.join(".")).contains("folder"));
    folder.sqlite().execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(refused(folder.database()).contains("another program's"));
    assert_eq!(folder.files().len(), 1, "and nothing is left beside it");
    fs::remove_file(folder.database()).unwrap();
    let running = Running::start(&memory(&folder));
    assert!(refused(folder.database()).contains("another chatd is using"));
    running.ends();
}

#[test]
fn what_another_process_does_to_accounts_is_told() {
    let folder = Folder::new();
    let running = Running::start(&memory(&folder));
    folder.open().add_account("bob", PasswordHash("x".into()), at(1)).unwrap();
    assert_eq!(running.hears_of_accounts(), ["bob"]);
    running.ends();
}

#[test]
fn who_registers_a_moment_too_late_costs_nobody_a_line() {
    let folder = Folder::new();
    let running = Running::start(&memory(&folder));
    folder.open().add_account("bob", PasswordHash("x".into()), at(1)).unwrap();
    let why = running.write(&[hi(1), registered(1, "Bob"), hi(2)]).unwrap_err();
    assert!(why.contains("registered"), "{why}");
    assert_eq!(running.hears_of_accounts(), ["bob"]);
    assert_eq!(running.finds(older("lobby", None, 9)), all(1..=2));
    running.ends();
}

#[test]
fn what_is_too_old_is_forgotten() {
    let folder = Folder::new();
    let running = Running::start(&Memory { history_days: Some(2), ..memory(&folder) });
    let now = Timestamp::now();
    let before =
        |days: i64, id| Record { at: now - jiff::SignedDuration::from_hours(24 * days), ..hi(id) };
    assert_eq!(running.write(&[before(3, 1), before(1, 2)]), Ok(()));
    let start = Instant::now();
    while running.finds(older("lobby", None, 9)) != all(2..=2) {
        assert!(start.elapsed() < DEADLINE, "it is not forgotten");
        thread::yield_now();
    }
    running.ends();
}

#[test]
fn without_a_file_accounts_live_as_long_as_the_server() {
    let none = Memory::default();
    assert!(!none.keeps_talk());
    let running = Running::start(&none);
    let mail = told(1, guest("eve"), owner("bob", 1), "psst", true);
    assert_eq!(running.write(&[registered(1, "bob"), mail]), Ok(()));
    assert_eq!(running.finds(Query::Mail(1)), ["[from eve] psst"]);
    running.ends();
    assert_eq!(Running::start(&none).remembered, Remembered::default());
}
