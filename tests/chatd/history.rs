//! What is shown is kept: after `kill -9`, on a full disk, beside another process, with a file that is damaged.

use crate::harness::{Client, Folder, Server, eventually, skip};
use std::{
    collections::{HashMap, HashSet},
    fs,
    io::Write as _,
    ops::Deref,
    process::Command,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};

/// Rounds of the killing test in CI. More by hand: see docs/operations.md.
const KILLS: usize = 12;
/// Rounds on one file; the mailbox would hold two messages of each.
const ROUNDS_OF_A_FILE: usize = 25;
/// Lines of one talker in a round, at most.
const LINES_MAX: usize = 5_000;

/// What was said in a room, as the file has it.
fn lines_of(folder: &Folder, room: &str) -> Vec<String> {
    folder.select(&format!(
        "SELECT '<' || author || '> ' || body FROM line JOIN room ON room.id = line.room
        WHERE folded = '{room}' ORDER BY line.id"
    ))
}

// --- kill -9 ---

/// Two rooms, two talkers and a listener for each; one that writes private messages, and mail. They talk at full speed
/// until enough was heard; then `kill -9`. Whatever anybody read is in the file: each line once, in the order it was read.
#[test]
pub fn what_anybody_was_shown_is_there_after_kill_9() {
    let rounds = std::env::var("CHATD_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let (mut lines, mut private, mut mail) = (0, 0, 0);
    let mut folder = Folder::new();
    for round in 0..rounds {
        // A new file now and then, or a thousand rounds would be spent in reading what the others wrote.
        if round % ROUNDS_OF_A_FILE == 0 {
            folder = Folder::new();
            folder.run("account add away");
        }
        let shown = talk_until_killed(&folder, round);
        for (room, heard) in &shown.rooms {
            let stored = lines_of(&folder, room);
            let place: HashMap<&str, usize> =
                stored.iter().enumerate().map(|(i, line)| (&**line, i)).collect();
            assert_eq!(place.len(), stored.len(), "round {round}: a line is in {room} twice");
            let lost = |line| -> usize { panic!("round {round}: {line:?} was shown, and is lost") };
            let places: Vec<usize> = heard
                .iter()
                .map(|line| place.get(&**line).copied().unwrap_or_else(|| lost(line)))
                .collect();
            assert!(places.is_sorted(), "round {round}: {room} is stored in another order");
            lines += places.len();
        }
        // The readers have no accounts, so only the file itself has their private lines.
        for (found, shown) in [
            ("SELECT body FROM private WHERE author = 'bea'", &shown.private),
            ("SELECT body FROM private JOIN mailbox ON line = id", &shown.mail),
        ] {
            let stored: HashSet<String> = folder.select(found).into_iter().collect();
            let lost: Vec<&String> = shown.iter().filter(|line| !stored.contains(*line)).collect();
            assert!(lost.is_empty(), "round {round}: {lost:?} are lost");
        }
        private += shown.private.len();
        mail += shown.mail.len();
    }
    println!(
        "{rounds} kills: {lines} lines, {private} private ones and {mail} messages were shown, and all are there"
    );
    assert!(lines > 100 * rounds && private > 0 && mail > 0, "too little was shown to tell");
}

/// What people were shown before the server was killed.
struct Shown {
    /// What was said in each room.
    rooms: [(&'static str, Vec<String>); 2],
    /// What bea wrote in private.
    private: Vec<String>,
    /// What bea wrote to an account that was away, and was told is kept.
    mail: Vec<String>,
}

fn talk_until_killed(folder: &Folder, round: usize) -> Shown {
    let server = folder.start("--flood off --backlog-lines 0");
    let [mut ann, mut bea, mut cat, mut lis, mut len] =
        server.enter(["ann", "bea", "cat", "lis", "len"]);
    for (client, room) in [(&mut cat, "math"), (&mut len, "math"), (&mut bea, "desk")] {
        client.asks_until(&format!("/join {room}"), &format!("*** You are in {room}"));
    }
    lis.has_read_everything();
    let room_line = |i| format!("{round}.{i}\n");
    let private_line = |i| match i {
        // Mail is bounded, so only the first of them are.
        1 | 3 => format!("/msg away {round}.{i}\n/msg lis bulk {round}.{i}\n"),
        i if i % 2 == 1 => format!("/msg lis {round}.{i}\n/msg lis bulk {round}.{i}\n"),
        _ => format!("/msg lis {round}.{i}\n"),
    };
    let writers = [&ann, &cat, &bea].map(|client| client.stream().try_clone().unwrap());
    let [heard, answered, other] = &[0; 3].map(AtomicUsize::new);
    let enough = 200 + 37 * (round % 11);
    thread::scope(|scope| {
        for (mut writer, is_private) in writers.into_iter().zip([false, false, true]) {
            scope.spawn(move || {
                let line = |i| if is_private { private_line(i) } else { room_line(i) };
                // Until the server is gone.
                let _ = (0..LINES_MAX).try_for_each(|i| writer.write_all(line(i).as_bytes()));
            });
        }
        let [lobby, math, answers, _, _] = [
            (&mut lis, heard),
            (&mut len, heard),
            (&mut bea, answered),
            (&mut ann, other),
            (&mut cat, other),
        ]
        .map(|(client, counter)| scope.spawn(|| reads_to_the_kill(client, counter)));
        eventually("enough is heard, and answered", || {
            heard.load(Relaxed) > enough && answered.load(Relaxed) > 3 + round % 7
        });
        server.signal("KILL");
        let [lobby, math, answers] = [lobby, math, answers].map(|lines| lines.join().unwrap());
        let said = |lines: &[String]| -> Vec<String> {
            lines.iter().filter(|line| line.starts_with('<')).cloned().collect()
        };
        let private = lobby.iter().filter_map(|line| line.strip_prefix("[from bea] "));
        let private = private.map(str::to_owned).collect();
        // The answers come in the order of the questions: the messages that were kept are the first of those.
        let kept = answers.iter().filter(|line| line.contains("your message is kept")).count();
        let mail = [1, 3].into_iter().take(kept).map(|i| format!("{round}.{i}")).collect();
        Shown { rooms: [("lobby", said(&lobby)), ("math", said(&math))], private, mail }
    })
}

/// Reads until the server is gone, and counts along.
fn reads_to_the_kill(client: &mut Client, counter: &AtomicUsize) -> Vec<String> {
    std::iter::from_fn(|| {
        let line = client.reads_whole()?;
        counter.fetch_add(1, Relaxed);
        Some(line)
    })
    .collect()
}

// --- Files that cannot be used ---

#[cfg(target_os = "linux")]
#[test]
fn a_second_server_on_the_same_file_is_refused_whatever_the_file_is_called() {
    let folder = Folder::new();
    let mut first = folder.start("");
    let [mut alice, mut bob] = first.enter(["alice", "bob"]);
    alice.says("hi");
    bob.hears("<alice> hi");
    let database = folder.path("chatd.db");
    fs::create_dir(folder.path("other")).unwrap();
    fs::hard_link(&database, folder.path("hard.db")).unwrap();
    fs::hard_link(&database, folder.path("other/chatd.db")).unwrap();
    std::os::unix::fs::symlink(&database, folder.path("soft.db")).unwrap();
    std::os::unix::fs::symlink(folder.path("hard.db"), folder.path("both.db")).unwrap();
    std::os::unix::fs::symlink(folder.path(""), folder.path("other/folder")).unwrap();
    let names = [
        ("chatd.db", true),
        ("other/../chatd.db", true),
        ("soft.db", true),
        ("other/folder/chatd.db", true),
        ("hard.db", false),
        ("both.db", false),
        ("other/chatd.db", false),
    ];
    for (name, is_servers_name) in names {
        let files = folder.files();
        let second = folder.run_with(&format!("--listen 127.0.0.1:0 --web none --db {name}"), "");
        assert!(!second.is_success, "{name}: {}", second.out);
        assert!(
            second.err.contains(name) && second.err.contains("another chatd"),
            "{}",
            second.err
        );
        // An account is added beside the server, but not beside its log.
        let added =
            folder.run_with(&format!("account add a{} --db {name}", name.len()), "correct horse\n");
        assert_eq!(added.is_success, is_servers_name, "{name}: {}{}", added.out, added.err);
        assert!(is_servers_name || added.err.contains("under another name"), "{}", added.err);
        assert_eq!(folder.files(), files, "{name} leaves nothing behind");
    }
    first.signal("TERM");
    assert_eq!(first.exit_code(), Some(0));
    let again = Server::start_in(&folder, "--db hard.db");
    let mut alice = again.lets_in("alice");
    alice.hears_until("*** The last 1 line of lobby");
}

#[test]
fn a_damaged_file_is_left_alone_and_the_chat_goes_on() {
    const DAMAGED: &[u8] = b"this is no database, and somebody may want it back";
    let folder = Folder::new();
    let db = folder.path("chatd.db");
    fs::write(&db, DAMAGED).unwrap();
    let server = folder.start("");
    server.logs("is not written");
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| server.lets_in(name));
    alice.says("hi");
    bob.hears_until("<alice?> hi"); // nobody can prove who they are
    alice.asks_until("/register correct horse", "*** Your name is not kept:");
    assert_eq!(fs::read(&db).unwrap(), DAMAGED);

    // The operator takes it away: history begins, and everybody is told.
    fs::rename(&db, folder.path("away.db")).unwrap();
    alice.hears_until("*** The history is written again");
    bob.hears_until("*** The history is written again");
    alice.asks_until("/register correct horse", "*** alice is yours from now on.");
}

#[test]
fn a_locked_file_is_told_once_and_nothing_is_missing_afterwards() {
    let folder = Folder::new();
    let server = folder.start("");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.says("before");
    bob.hears("<alice> before");
    let other = folder.database();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    alice.says("during\n/who");
    bob.hears("*** The history has not been written since{…}"); // before they read what is not written
    bob.hears("<alice> during");
    let told = alice.hears_until("*** The history has not been written since");
    alice.hears("*** 2 in lobby:"); // asked behind it, and answered behind it
    assert!(told.contains("locked by another program"), "{told}");
    alice.says("more");
    bob.hears("<alice> more");
    other.execute_batch("ROLLBACK").unwrap();
    bob.hears("*** The history is written again; nothing is missing.");
    drop(server);
    let stored = lines_of(&folder, "lobby");
    assert_eq!(stored, ["<alice> before", "<alice> during", "<alice> more"]);
}

/// A folder in which a disk is mounted, until the end.
struct Mounted(Folder);

impl Mounted {
    /// `None`, said loudly: only root may mount one. `disk`: what `mount` is told of it.
    fn new(disk: &[&str]) -> Option<Mounted> {
        let mounted = Mounted(Folder::new());
        let is_mounted = mounted.mount(disk);
        if !is_mounted {
            skip("it takes root to mount a disk");
        }
        is_mounted.then_some(mounted)
    }

    fn mount(&self, disk: &[&str]) -> bool {
        let mut mount = Command::new("mount");
        mount.args(disk).arg(self.path("")).status().is_ok_and(|status| status.success())
    }

    /// Whoever has a file of it open keeps that.
    fn unmount(&self) {
        let _ = Command::new("umount").args(["-q", "-l"]).arg(self.path("")).status();
    }
}

impl Deref for Mounted {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.0
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.unmount();
    }
}

#[test]
fn a_full_disk_is_told_once_and_the_chat_goes_on_and_recovers() {
    let Some(disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=600k", "none"]) else { return };
    let filler = disk.path("filler");
    let mut server = disk.start("--flood off");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.says("before");
    bob.hears("<alice> before");
    // Whatever is left is taken; and then they talk some more, for the log that has room already.
    let _ = fs::write(&filler, vec![0; 600 * 1024]);
    let long = "x".repeat(1000);
    let mut said = 0;
    let told = loop {
        alice.says(&format!("{said} {long}"));
        said += 1;
        assert!(said < 2_000, "the disk is never full");
        match bob.reads().unwrap() {
            line if line.starts_with("*** The history has not been written since") => break line,
            line => assert!(line.starts_with("<alice> "), "{line}"),
        }
    };
    assert!(told.contains("full"), "{told}");
    alice.says("during");
    bob.hears_until("<alice> during");
    assert!(server.is_running());
    fs::remove_file(&filler).unwrap();
    let again = bob.hears_until("*** The history is written again");
    assert!(again.ends_with("nothing is missing."), "{again}");
    drop(server);
    let stored = lines_of(&disk, "lobby");
    assert_eq!((stored.len(), &**stored.last().unwrap()), (said + 2, "<alice> during"));
}

/// Each line is on the disk that is there when it is said, and everybody is told what the other one has not.
#[test]
fn a_disk_that_is_gone_and_comes_back_is_told_both_times() {
    let disk = Folder::new();
    let bind = ["--bind", &disk.path("").display().to_string()];
    let Some(place) = Mounted::new(&bind) else { return };
    // Not from a folder on that disk, for a file that is named from there is still there.
    let database = place.path("chatd.db").display().to_string();
    let mut server = Server::start_in(&Folder::new(), &format!("--db {database}"));
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    alice.says("before");
    bob.hears("<alice> before");
    for (change, line) in [("it is gone", "meanwhile"), ("it is back", "after")] {
        match change {
            "it is gone" => place.unmount(),
            _ => assert!(place.mount(&bind)),
        }
        let told = bob.hears_until("*** The history has not been written since");
        assert!(told.ends_with("its file was deleted."), "{told}");
        let again = bob.hears_until("*** The history is written again; what was said ");
        assert!(again.ends_with(" is missing."), "{again}");
        alice.says(line);
        bob.hears_until(&format!("<alice> {line}"));
    }
    assert!(server.is_running());
    drop(server);
    assert_eq!(lines_of(&place, "lobby"), ["<alice> before", "<alice> after"]);
    place.unmount();
    assert_eq!(lines_of(&place, "lobby"), ["<alice> meanwhile"], "where the disk was missing");
}
