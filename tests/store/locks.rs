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
