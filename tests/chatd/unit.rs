//! The unit for systemd, with systemd's own program and with strace, as no systemd runs here.

use crate::harness::{Folder, Server, eventually, has_program, skip};
use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::Path,
    process::Command,
};

const UNIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/systemd/chatd.service");

/// systemd's own program finds nothing wrong with the unit.
#[test]
fn the_unit_for_systemd_is_a_good_one() {
    if !has_program("systemd-analyze") {
        return skip("systemd-analyze");
    }
    let text = fs::read_to_string(UNIT).unwrap();
    let folder = Folder::new();
    let installed = text.replace("/usr/bin/chatd", env!("CARGO_BIN_EXE_chatd"));
    fs::write(folder.path("chatd.service"), installed).unwrap();
    let analyze = |words: &[&str]| {
        let run = Command::new("systemd-analyze")
            .args(words)
            .arg(folder.path("chatd.service"))
            .output()
            .unwrap();
        (
            run.status.success(),
            String::from_utf8_lossy(&run.stdout).into_owned()
                + &String::from_utf8_lossy(&run.stderr),
        )
    };
    for socket in ["chatd.socket", "chatd-web.socket"] {
        let from = Path::new(UNIT).with_file_name(socket);
        fs::copy(from, folder.path(socket)).unwrap();
    }
    let sockets =
        ["chatd.socket", "chatd-web.socket"].map(|it| folder.path(it).display().to_string());
    assert_eq!(analyze(&["verify", &sockets[0], &sockets[1]]), (true, String::new()));
    let (is_good, says) = analyze(&["security", "--offline=true", "--threshold=15"]); // tenths
    assert!(is_good, "{says}");
}

type Groups = HashMap<String, Vec<String>>;

/// Systemd's groups of system calls: what is in each.
fn groups() -> Groups {
    let shown = Command::new("systemd-analyze").arg("syscall-filter").output().unwrap();
    let (mut groups, mut group) = (Groups::new(), String::new());
    for line in String::from_utf8(shown.stdout).unwrap().lines() {
        match line.strip_prefix("    ") {
            Some(call) if !call.starts_with('#') => {
                groups.entry(group.clone()).or_default().push(call.to_owned());
            }
            None if line.starts_with('@') => line.clone_into(&mut group),
            _ => {}
        }
    }
    groups
}

fn calls(word: &str, groups: &Groups) -> Vec<String> {
    match groups.get(word) {
        Some(parts) => parts.iter().flat_map(|part| calls(part, groups)).collect(),
        None => vec![word.to_owned()],
    }
}

/// The system calls that the unit permits: a line adds some, or with ~ takes them away.
fn permitted() -> BTreeSet<String> {
    let (groups, mut permitted) = (groups(), BTreeSet::new());
    for line in fs::read_to_string(UNIT).unwrap().lines() {
        let Some(list) = line.strip_prefix("SystemCallFilter=") else { continue };
        let (is_taken, list) = list.strip_prefix('~').map_or((false, list), |list| (true, list));
        for call in list.split(' ').flat_map(|word| calls(word, &groups)) {
            match is_taken {
                true => drop(permitted.remove(&call)),
                false => drop(permitted.insert(call)),
            }
        }
    }
    permitted
}

/// Any other would fail, perhaps at the first password.
#[test]
fn the_unit_permits_every_system_call_that_a_server_makes() {
    let name = "the_unit_permits_every_system_call_that_a_server_makes";
    if !has_program("strace") || !has_program("systemd-analyze") {
        return skip(&format!("{name}: there is no strace, or no systemd-analyze"));
    }
    let folder = Folder::new();
    let mut server = Server::start_traced(&folder, &["-c"]);
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    ann.asks_until("/register correct horse", "*** ann is yours");
    bob.asks_until("/login ann correct horse", "*** You are logged in.");
    bob.asks_until("/search horse", "*** Nothing with ");
    bob.asks_until("/history", "*** Nothing was said ");
    server.signal("USR2");
    server.logs("this program has taken over");
    bob.asks_until("/who", "***   ann");
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    let table = || fs::read_to_string(folder.path("calls")).unwrap_or_default();
    eventually("strace tells", || table().contains(" total"));
    let (table, permitted) = (table(), permitted());
    let made = table.lines().filter_map(|line| line.split_whitespace().last());
    let made: BTreeSet<_> = made.filter(|call| !["syscall", "total"].contains(call)).collect();
    assert!(made.contains("execve") && made.contains("accept4"), "{table}");
    // SQLite gives its files to the database's owner if it is root, who does not run the service.
    let is_of_root = |call: &&str| *call == "fchown" && rustix::process::geteuid().is_root();
    let is_forbidden = |call: &&str| !call.contains('-') && !permitted.contains(*call);
    let forbidden = made.into_iter().filter(is_forbidden).filter(|call| !is_of_root(call));
    assert_eq!(forbidden.collect::<Vec<_>>(), Vec::<&str>::new(), "the unit forbids these");
}
