//! What needs a look inside: an open store, and what SQLite itself reports.

use super::*;
use rusqlite::{OpenFlags, ffi};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A folder of a test's own, deleted at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("chatd-in-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn open(&self, name: &str) -> Store {
        let patience = Duration::from_secs(7);
        Store::open(&self.0.join(name), Durability::Normal, patience).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Work that waits for nobody does not change how long the next one waits.
#[test]
fn patience_comes_back() {
    let folder = Folder::new();
    let mut store = folder.open("chatd.db");
    let patience = |store: &Store| -> i64 {
        store.connection.pragma_query_value(None, "busy_timeout", |row| row.get(0)).unwrap()
    };
    assert_eq!(store.without_waiting(|store| Ok(patience(store))).unwrap(), 0);
    assert_eq!(patience(&store), 7_000);
}

/// Another file, which another program has open, has taken the place of one that is given up. Its log
/// stays, and that of the one that is gone goes.
#[test]
#[cfg(unix)]
fn who_gives_up_a_file_that_was_replaced_deletes_their_own_log_alone() {
    for log_is_replaced in [false, true] {
        let folder = Folder::new();
        let (store, other) = (folder.open("chatd.db"), folder.open("other.db"));
        let endings: &[&str] = if log_is_replaced { &["", "-wal", "-shm"] } else { &[""] };
        for ending in endings {
            let [from, to] = ["other.db", "chatd.db"].map(|name| folder.0.join(name));
            fs::rename(beside(&from, ending), beside(&to, ending)).unwrap();
        }
        store.abandon();
        for ending in BESIDE {
            let is_there = beside(&folder.0.join("chatd.db"), ending).exists();
            assert_eq!(is_there, log_is_replaced, "{ending}");
        }
        drop(other);
    }
}

/// What the kernel and SQLite do when it happens, not a list of their numbers.
#[test]
#[cfg(target_os = "linux")]
fn what_sqlite_reports_is_called_by_its_name() {
    let folder = Folder::new();
    let open = |path: &str| {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let opened = Connection::open_with_flags(folder.0.join(path), flags)
            .and_then(|db| schema::version(&db));
        StoreErrorKind::from(opened.unwrap_err())
    };
    let kind = open("no such folder/chatd.db");
    assert!(matches!(kind, StoreErrorKind::CannotOpen(_)), "{kind:?}");
    fs::write(folder.0.join("homework"), "homework ".repeat(100)).unwrap();
    assert_eq!(open("homework"), StoreErrorKind::NotADatabase);
    // The first page of a process's memory is nobody's: to read it is an I/O error.
    let kind = open("/proc/self/mem");
    assert!(matches!(kind, StoreErrorKind::DiskFault(_)), "{kind:?}");

    // Without a write-ahead log SQLite sees for itself that the file is gone.
    let path = folder.0.join("moved.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch("CREATE TABLE t (a)").unwrap();
    fs::remove_file(&path).unwrap();
    let refused = db.execute_batch("INSERT INTO t VALUES (1)").unwrap_err();
    assert_eq!(
        refused.sqlite_error().map(|error| error.extended_code),
        Some(ffi::SQLITE_READONLY_DBMOVED)
    );
    assert_eq!(StoreErrorKind::from(refused), StoreErrorKind::Gone);
}
