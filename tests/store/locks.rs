//! One server for one file.

use crate::*;
use chatd::store::ServerLock;
use std::{sync::atomic::AtomicBool, thread};

#[test]
fn one_server_for_one_file() {
    let folder = Folder::new();
    let lock = ServerLock::take(&folder.database()).unwrap();
    let refused = ServerLock::take(&folder.database()).unwrap_err().to_string();
    assert!(refused.contains("chatd.db") && refused.contains("--db"), "{refused}");
    drop(lock);
    ServerLock::take(&folder.database()).unwrap();
}

/// Only where nothing can be written does a server go without a lock: no other one can write, either.
#[test]
fn a_lock_that_cannot_be_made_is_refused() {
    let (folder, _store) = new_store();
    std::fs::create_dir(folder.join("chatd.db.lock")).unwrap();
    for path in [folder.database(), folder.join("no such folder").join("chatd.db")] {
        let kind = ServerLock::take(&path).unwrap_err().kind;
        assert!(matches!(kind, StoreErrorKind::CannotOpen(_)), "{kind:?}");
    }
    let Some(disk) = Disk::new("a_lock_that_cannot_be_made_is_refused") else { return };
    disk.open().close().unwrap();
    disk.remount("ro");
    ServerLock::take(&disk.database()).unwrap();
    let kind = ServerLock::take(&disk.join("missing.db")).unwrap_err().kind;
    assert!(matches!(kind, StoreErrorKind::CannotOpen(_)), "{kind:?}");
}

/// The kernel lists locks by the number of the file on its disk, and on two new disks that is the same.
#[cfg(target_os = "linux")]
#[test]
fn the_server_of_another_disk_is_not_taken_for_the_one_of_this() {
    let test = "the_server_of_another_disk_is_not_taken_for_the_one_of_this";
    let (Some(disk), Some(other)) = (Disk::new(test), Disk::new(test)) else { return };
    let number = |disk: &Disk| {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(disk.join("chatd.db.lock")).unwrap().ino()
    };
    let _lock = ServerLock::take(&disk.database()).unwrap();
    drop(ServerLock::take(&other.database()).unwrap());
    assert_eq!(number(&disk), number(&other), "so this test shows nothing");
    assert_eq!(ServerLock::holder(&disk.database()), Some(std::process::id() as i32));
    assert_eq!(ServerLock::holder(&other.database()), None);
}

/// It has the lock for a moment, to see whether a server has it.
#[test]
fn a_command_that_looks_for_a_server_keeps_none_from_starting() {
    let (folder, _store) = new_store();
    let (path, is_over) = (folder.database(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                let _ = ServerLock::check_name(&path);
            }
        });
        let refused = (0..200).find_map(|_| ServerLock::take(&path).err());
        is_over.store(true, Relaxed);
        assert!(refused.is_none(), "{refused:?}");
    });
}
