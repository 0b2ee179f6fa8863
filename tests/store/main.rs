//! The store, from outside: what is written is read back, whatever happens to the file in between.

mod cost;
mod damage;
mod forgetting;
mod historian;
mod hostile;
mod locks;
mod mailbox;
mod pruning;
mod removing;
mod returning;
mod round_trip;
mod searching;
mod settings;
mod since;
mod size;
mod versions;

use chatd::{
    core::record::{
        Account, AccountId, Author, Change, Found, HistoryLine, LineId, PasswordHash, Query,
        Record, Snapshot,
    },
    store::{Durability, Store, StoreErrorKind},
};
use jiff::Timestamp;
use rusqlite::Connection;
use std::{
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

/// Waits for nobody: whoever has the file locked in a test does not let go of it.
const NO_PATIENCE: Duration = Duration::ZERO;

/// A folder of its own for a test, removed when the test is over.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    #[allow(clippy::new_without_default, reason = "it makes a folder")]
    #[allow(missing_docs, reason = "see the type")]
    pub fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("chatd-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    /// Every file in it, with its bytes.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
        files.sort();
        files
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The database in it, which may not be there yet.
    pub fn database(&self) -> PathBuf {
        self.join("chatd.db")
    }

    /// Opens the database.
    #[track_caller]
    pub fn open(&self) -> Store {
        Store::open(&self.database(), Durability::Normal, NO_PATIENCE).unwrap()
    }

    /// What is wrong with the database.
    #[track_caller]
    pub fn refuses(&self) -> StoreErrorKind {
        refuses(&self.database())
    }

    /// Opens it as another program would.
    pub fn sqlite(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An open store in a folder of its own, and that folder.
pub fn new_store() -> (Folder, Store) {
    let folder = Folder::new();
    let store = folder.open();
    (folder, store)
}

/// Why this file is not opened. The sentence names the file.
#[track_caller]
pub fn refuses(path: &Path) -> StoreErrorKind {
    let Err(error) = Store::open(path, Durability::Normal, NO_PATIENCE) else {
        panic!("it was opened")
    };
    let sentence = error.to_string();
    assert!(sentence.contains(&*path.to_string_lossy()), "{sentence}");
    assert!(!sentence.contains('\n'), "{sentence}");
    error.kind
}

/// A small disk, with a folder's methods.
pub struct Disk(Folder);

impl Disk {
    /// Root can make one; for others there is none, and the test says so.
    pub fn new(test: &str) -> Option<Disk> {
        let folder = Folder::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(&folder.0)
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Disk(folder));
        }
        println!("SKIPPED {test}: it takes root to make a small disk");
        None
    }

    /// Mounts it with other options.
    pub fn remount(&self, options: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.0.0)
            .status();
        assert!(status.unwrap().success());
    }
}

impl Deref for Disk {
    type Target = Folder;
    fn deref(&self) -> &Folder {
        &self.0
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0.0).status();
    }
}

/// The time `seconds` after the beginning of all tests.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).unwrap()
}

/// Somebody who is not logged in.
pub fn stranger(name: &str) -> Author {
    Author { name: name.to_owned(), account: None }
}

/// Somebody who is.
pub fn owner(name: &str, account: i64) -> Author {
    Author { name: name.to_owned(), account: Some(AccountId(account)) }
}

/// A change in this second.
pub fn record(second: i64, change: Change) -> Record {
    Record { at: at(second), change }
}

/// Lines of alice's, said in the second of their number.
pub fn said(id: i64, room: &str, text: &str) -> Record {
    let text = text.lines().map(|line| format!("<alice> {line}\n")).collect();
    let (room, author) = (room.to_owned(), stranger("alice"));
    record(id, Change::RoomMessage { id: LineId(id), room, author, text })
}

/// A private line.
pub fn private(id: i64, from: Author, to: Author, text: &str) -> Record {
    let text = text.to_owned();
    record(id, Change::PrivateMessage { id: LineId(id), from, to, text, is_mail: false })
}

/// A private line that waits in a mailbox.
pub fn mail(id: i64, from: Author, to: Author, text: &str) -> Record {
    let text = text.to_owned();
    record(id, Change::PrivateMessage { id: LineId(id), from, to, text, is_mail: true })
}

/// A setting of a room, set or cleared.
pub fn setting(room: &str, setting: &'static str, value: Option<(&str, Author)>) -> Record {
    let (room, value) = (room.to_owned(), value.map(|(text, by)| (text.to_owned(), by)));
    record(9, Change::RoomSetting { room, setting, value })
}

/// A new account.
pub fn registered(id: i64, name: &str) -> Record {
    let (id, name) = (AccountId(id), name.to_owned());
    let password = PasswordHash(format!("hash of {name}"));
    let account = Account { id, name, is_admin: false, since: at(0), mail: 0 };
    record(0, Change::Registered(account, password))
}

/// An account that is deleted.
pub fn unregistered(id: i64) -> Record {
    record(9, Change::Unregistered(AccountId(id)))
}

/// Writes these, each of which can be written.
#[track_caller]
pub fn write(store: &mut Store, records: impl IntoIterator<Item = Record>) {
    let records: Vec<Record> = records.into_iter().collect();
    let outcomes = store.append(&records).unwrap();
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
}

/// Asks for lines, as the historian does: before a search all are indexed.
#[track_caller]
pub fn lines(store: &mut Store, query: &Query) -> Vec<HistoryLine> {
    if let Query::Search { .. } = query {
        while store.index_some(1000).is_ok_and(|indexed| indexed > 0) {}
    }
    match store.find(query).unwrap() {
        Found::Lines(lines) => lines,
        found => panic!("{found:?}"),
    }
}

/// The numbers alone.
#[track_caller]
pub fn ids(store: &mut Store, query: &Query) -> Vec<i64> {
    lines(store, query).iter().map(|line| line.id.0).collect()
}

/// The texts alone, without their line ends.
#[track_caller]
pub fn texts(store: &mut Store, query: &Query) -> Vec<String> {
    let text = |line: HistoryLine| line.text.strip_suffix('\n').expect("a line end").to_owned();
    lines(store, query).into_iter().map(text).collect()
}

/// What a server starts with if there is nothing in the file.
pub fn empty(file: &Snapshot) -> Snapshot {
    Snapshot { epoch: file.epoch, ..Snapshot::default() }
}

/// Whether there is nothing in the file.
pub fn is_empty(file: &Snapshot) -> bool {
    *file == empty(file)
}

/// The last lines of a room.
pub fn older(room: &str, account: Option<i64>, most: usize) -> Query {
    let (room, account) = (room.to_owned(), account.map(AccountId));
    Query::Older { room, account, before: LineId::MAX, since: None, most }
}

/// The lines of a room with these words.
pub fn search(room: &str, account: Option<i64>, words: &str) -> Query {
    let (room, account) = (room.to_owned(), account.map(AccountId));
    Query::Search { room, account, words: words.to_owned(), most: 100 }
}
