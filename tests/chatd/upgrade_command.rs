//! `chatd upgrade`, which finds the server by its database, and says what has come of it.

use crate::{
    harness::{Process, has_program},
    upgrade::{another_version, folder, install, start},
};
use std::process::Command;

/// Whoever else has the lock is left alone: this signal ends a program that does not know it.
#[test]
fn chatd_upgrade_asks_nobody_who_would_die_of_it() {
    if !has_program("flock") {
        return;
    }
    let folder = folder();
    let mut command = Command::new("flock");
    command.args(["--no-fork", "chatd.db.lock", "sh", "-c", "echo locked; exec sleep 600"]);
    let mut other = Process::start({
        command.current_dir(folder.path(""));
        command
    });
    other.prints("locked");
    let complaint = folder.fails("upgrade", "");
    assert!(complaint.contains("is of a version that is not upgraded in place"), "{complaint}");
    assert!(other.is_running());
    other.signal("TERM");
}

#[test]
fn chatd_upgrade_finds_the_server_by_its_database() {
    let folder = folder();
    let complaint = folder.fails("upgrade", "");
    assert!(complaint.contains("no server of yours has chatd.db"), "{complaint}");
    let server = start(&folder, "");
    let mut ann = server.lets_in("ann");
    let says = folder.run("upgrade");
    assert_eq!(says, format!("Process {} is upgraded.\n", server.pid()));
    ann.asks_until("/who", "***   ann");
}

#[test]
fn chatd_upgrade_says_at_once_what_the_server_refuses() {
    let folder = folder();
    let server = start(&folder, "");
    let mut ann = server.lets_in("ann");
    for exit in [3, 3, 4] {
        install(&folder, &format!("exit {exit}"));
        let complaint = folder.fails("upgrade", "");
        let says = format!(
            "nothing is upgraded: the new program has ended without a word: exit status: {exit}. The server goes on"
        );
        assert!(complaint.contains(&says), "{complaint}");
    }
    another_version(&folder);
    assert_eq!(folder.run("upgrade"), format!("Process {} is upgraded.\n", server.pid()));
    ann.asks_until("/who", "***   ann");
}
