//! The database, damaged: a sound file with some bytes changed or cut off, as the input says. It is opened,
//! read, searched and written.
//!
//! Whatever comes of it, it ends, and an error names the file. A file that is refused is left as it was.

#![no_main]

use chatd::{
    core::record::{Account, AccountId, Author, Change, LineId, PasswordHash, Query, Record},
    store::{Durability, Store, StoreError},
};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

static PATH: LazyLock<PathBuf> =
    LazyLock::new(|| PathBuf::from(format!("/dev/shm/chatd-fuzz-{}.db", std::process::id())));

/// A sound file: two rooms, accounts, private lines, mail, a topic, all of it indexed.
static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = PATH.with_extension("sound");
    remove(&path);
    let mut store = open(&path).expect("a new file");
    store.append(&records()).expect("records");
    while store.index_some(100).expect("an index") > 0 {}
    store.close().expect("a file");
    let bytes = fs::read(&path).expect("a file");
    remove(&path);
    bytes
});

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, Durability::Off, Duration::ZERO)
}

fn remove(path: &Path) {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(format!("{}{ending}", path.display()));
    }
}

fn author(name: &str, account: Option<i64>) -> Author {
    Author { name: name.to_owned(), account: account.map(AccountId) }
}

fn records() -> Vec<Record> {
    let alice = || author("alice", Some(1));
    let mut changes = Vec::new();
    for (id, name) in [(1, "alice"), (2, "bob")] {
        let since = Timestamp::UNIX_EPOCH;
        let account =
            Account { id: AccountId(id), name: name.to_owned(), is_admin: id == 1, since, mail: 0 };
        changes.push(Change::Registered(account, PasswordHash("$argon2id$v=19$x".to_owned())));
    }
    for id in 1..40 {
        let room = if id % 3 == 0 { "math" } else { "lobby" }.to_owned();
        let text = format!("<alice> line {id} of some words, \u{e9}t\u{e9}\n");
        changes.push(Change::RoomMessage { id: LineId(id), room, author: alice(), text });
    }
    for (id, is_mail) in [(40, false), (41, true)] {
        let text = "psst".to_owned();
        let to = author("bob", Some(2));
        changes.push(Change::PrivateMessage { id: LineId(id), from: alice(), to, text, is_mail });
    }
    let value = Some(("sockets".to_owned(), alice()));
    changes.push(Change::RoomSetting { room: "math".to_owned(), setting: "topic", value });
    changes.push(Change::Audit { by: "alice".to_owned(), what: "a test".to_owned() });
    let at = Timestamp::UNIX_EPOCH;
    changes.into_iter().map(|change| Record { at, change }).collect()
}

fn queries() -> Vec<Query> {
    let room = || "lobby".to_owned();
    let (account, before, most) = (Some(AccountId(1)), LineId::MAX, 50);
    vec![
        Query::Password(AccountId(1)),
        Query::Older { room: room(), account, before, since: None, most },
        Query::Since { room: room(), account, after: LineId(3), before, most },
        Query::CountSince { room: room(), account, after: LineId(3), before },
        Query::Search { room: room(), account, words: "line wor*".to_owned(), most },
        Query::Mail(AccountId(2)),
        Query::AuthorOf(LineId(41)),
        Query::Private { account: AccountId(1), most },
    ]
}

/// Each change: two bytes of where, one of what kind, one of what.
fn damaged(input: &[u8]) -> Vec<u8> {
    let mut bytes = SOUND.clone();
    for change in input.chunks_exact(4) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) * 2 % bytes.len().max(1);
        match (change[2] % 8, change[3]) {
            (0, value) => bytes.truncate(at.max(usize::from(value))),
            (1, value) => {
                let end = bytes.len().min(at + usize::from(value) * 16);
                bytes[at..end].fill(change[2]);
            }
            (2, value) => {
                let from = usize::from(value) * 512 % bytes.len().max(1);
                let length = 512.min(bytes.len() - from).min(bytes.len() - at);
                bytes.copy_within(from..from + length, at);
            }
            (3, value) => bytes[at] ^= 1 << (value % 8),
            // The header of a page, where SQLite says what is where.
            (4, value) => {
                let place = at / 4096 * 4096 + at % 32;
                if place < bytes.len() {
                    bytes[place] = value;
                }
            }
            (_, value) => bytes[at] = value,
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

fuzz_target!(|input: &[u8]| {
    let bytes = damaged(input);
    remove(&PATH);
    fs::write(&*PATH, &bytes).expect("a file in memory");
    match open(&PATH) {
        Err(error) => {
            assert!(error.to_string().contains(&*PATH.to_string_lossy()), "{error}");
            let is_changed = fs::read(&*PATH).ok().as_ref() != Some(&bytes);
            assert!(!is_changed || bytes.is_empty(), "{:?}: it was written to", error.kind);
        }
        Ok(mut store) => {
            let mut is_good = store.snapshot(100, 300).is_ok();
            for query in queries() {
                is_good &= store.find(&query).is_ok();
            }
            is_good &= store.index_some(100).is_ok();
            let alice = author("alice", Some(1));
            let text = "<alice> more\n".to_owned();
            let change = Change::RoomMessage {
                id: LineId(1000),
                room: "lobby".to_owned(),
                author: alice,
                text,
            };
            is_good &= store.append(&[Record { at: Timestamp::UNIX_EPOCH, change }]).is_ok();
            let is_closed = store.close().is_ok();
            let _ = is_good && is_closed; // each may fail, and none may panic
        }
    }
});
