//! An upgrade in place: another program takes over, in the same process, and nobody is hung up. Where that fails, the
//! server goes on.

use crate::harness::{Client, Folder, Server, eventually, wait_for};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
    thread,
};

const REAL: &str = env!("CARGO_BIN_EXE_chatd");

/// A folder in which `./chatd` is the program, until something else is.
pub fn folder() -> Folder {
    let folder = Folder::new();
    symlink(env!("CARGO_BIN_EXE_chatd"), folder.path("chatd")).unwrap();
    folder
}

pub fn start(folder: &Folder, options: &str) -> Server {
    let mut command = Command::new("./chatd");
    command.args(["--listen", "127.0.0.1:0", "--web", "none"]).args(options.split_whitespace());
    command.current_dir(folder.path(""));
    Server::start_program(command)
}

/// From now on `./chatd` does this.
pub fn install(folder: &Folder, script: &str) {
    install_program(folder, &format!("#!/bin/sh\n{script}\n"));
}

fn install_program(folder: &Folder, text: &str) {
    fs::write(folder.path("new"), text).unwrap();
    fs::set_permissions(folder.path("new"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(folder.path("new"), folder.path("chatd")).unwrap();
}

/// What another version would be, which is this one with a line of its own.
pub fn another_version(folder: &Folder) {
    install(
        folder,
        &format!("[ \"$CHATD_UPGRADE\" = rehearse ] || echo again\nexec {REAL} \"$@\""),
    );
}

/// Upgrades the server and returns when it serves again, for the `times`th time.
#[track_caller]
fn upgrade(server: &Server, times: usize) {
    server.signal("USR2");
    let done = || server.printed().matches("listening on").count() > times;
    eventually(&format!("upgrade {times}: {}", server.log()), done);
}

#[test]
fn nobody_is_hung_up_and_everything_is_as_it_was() {
    let folder = folder();
    let server = start(&folder, "--instructor");
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    let (pid, code) = (server.pid(), server.pairing_code());
    ann.asks("/topic threads", "*** The topic of lobby is now: threads");
    ann.asks_until("/join side", "*** You are in side");
    bob.hears_until("*** ann left lobby");
    bob.says("/ignore ann");
    ann.sends("half a line, "); // and it is not said before the rest has come
    let mut naming = Client::connect(server.address, "newcomer");
    naming.hears_until("*** What is your name?");
    another_version(&folder);
    upgrade(&server, 1);
    assert!(server.printed().contains("again\n"), "it is the other program: {}", server.printed());
    assert_eq!(server.pid(), pid);
    ann.sends("and the rest\n");
    naming.asks_until("eve", "*** Hello eve.");
    bob.hears_until("*** eve entered lobby");
    naming.asks_until("/join side", "*** You are in side with ann.");
    ann.hears_until("*** eve entered side");
    ann.says("hi");
    naming.hears_until("<ann> hi");
    naming.asks_until("/msg ann psst", "[to ann] psst");
    ann.hears("[from eve] psst");
    bob.asks_until("/ignore", "*** You ignore: ann");
    bob.asks_until(&format!("/instructor {code}"), "*** You are an instructor");
    server.connect("new").asks_until("new", "*** Topic of lobby: threads (set by ann)");
}

#[test]
fn a_telnet_client_and_a_password_go_over_too() {
    let folder = folder();
    folder.run("account add ann"); // with its password, "correct horse"
    let server = start(&folder, "");
    let mut ann = server.connect("ann");
    ann.sends(b"\xff\xfb\x18ann\r\n");
    ann.receives_until(b"assword");
    ann.sends(b"correct ");
    upgrade(&server, 1);
    ann.sends(b"horse\r\0");
    ann.receives_until(b"*** Hello ann.");
    ann.receives_until(b"\r\n");
}

/// Talkers never pause while the server is upgraded again and again. Everybody reads every line once, in order.
#[test]
fn upgrades_under_load_lose_nothing_and_repeat_nothing() {
    const LISTENERS: usize = 20;
    let times: usize = std::env::var("CHATD_UPGRADES").map_or(8, |times| times.parse().unwrap());
    let folder = folder();
    let server = start(&folder, "--flood off --source-limits off --log debug");
    let mut listeners =
        server.enter_all(&(0..LISTENERS).map(|i| format!("n{i}")).collect::<Vec<_>>());
    let mut talkers = server.enter(["ann", "bob"]);
    thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let stopped = std::sync::Arc::new(parking_lot::Mutex::new(stopped));
        let said: Vec<_> = talkers
            .iter_mut()
            .map(|talker| {
                let stopped = std::sync::Arc::clone(&stopped);
                scope.spawn(move || {
                    let mut said = 0;
                    while stopped.lock().try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                        talker.says(&format!("line {said}"));
                        said += 1;
                        thread::park_timeout(std::time::Duration::from_millis(2));
                    }
                    talker.says("that is all");
                    said
                })
            })
            .collect();
        let read: Vec<_> = listeners
            .iter_mut()
            .map(|listener| {
                scope.spawn(move || {
                    let (mut next, mut over) = ([0, 0], 0);
                    while over < 2 {
                        let line = listener.reads().expect("they are hung up");
                        let who = usize::from(line.starts_with("<bob> "));
                        if line.ends_with("> that is all") {
                            over += 1;
                        } else if let Some((_, number)) = line.split_once("> line ") {
                            assert_eq!(number.parse(), Ok(next[who]), "{line}");
                            next[who] += 1;
                        }
                    }
                    next
                })
            })
            .collect();
        for number in 1..=times {
            upgrade(&server, number);
        }
        drop(stop);
        let said: Vec<usize> = said.into_iter().map(|thread| thread.join().unwrap()).collect();
        for listener in read {
            assert_eq!(listener.join().unwrap()[..], said[..]);
        }
    });
    nobody_was_waited_for(&server.log());
}

/// It takes 10 ms until all clients rest, of several upgrades once at least on a busy machine, too.
#[track_caller]
fn nobody_was_waited_for(log: &str) {
    let time = |line: &'_ str| Some(line.split_once(" clients rest after ")?.1.to_owned());
    let times: Vec<String> = log.lines().filter_map(time).collect();
    let is_short = |time: &String| {
        time.strip_suffix("ms").is_some_and(|number| number.parse::<f64>().unwrap() < 500.0)
    };
    assert!(times.iter().any(is_short), "{times:?}");
}

/// Asks for an upgrade of which nothing comes, for this reason.
#[track_caller]
pub fn fails(server: &Server, complaint: &str) {
    let count = || server.log().matches("nothing is upgraded").count();
    let before = count();
    server.signal("USR2");
    wait_for(|| (count() > before).then_some(()), || format!("{complaint}: {}", server.log()));
    let log = server.log();
    let says = log.lines().rfind(|line| line.contains("nothing is upgraded")).unwrap();
    assert!(says.contains(&format!("nothing is upgraded: {complaint}")), "{complaint}: {says}");
    assert!(says.ends_with(". The server goes on") && !says.contains(".. "), "{says}");
}

#[test]
fn where_it_fails_the_old_server_goes_on() {
    let folder = folder();
    let server = start(&folder, "");
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    let with = |options: &str| Some(format!("exec {REAL} {options} \"$@\""));
    for (number, (script, complaint)) in [
        (None, "the new program cannot be started: No such file or directory"),
        (Some("exit 3".to_owned()), "the new program has ended without a word: exit status: 3"),
        (Some("kill -SEGV $$".to_owned()), "the new program has ended without a word: signal: 11"),
        (Some("printf '\\033[31mred' >&0".to_owned()), "the new program refuses: \u{fffd}[31mred"),
        (with("--unicode-names"), "the new program refuses: --unicode-names was changed"),
        (with("--db nowhere.db"), "the new program refuses: cannot open nowhere.db: "),
        (with("--motd nowhere.txt"), "the new program refuses: cannot read "),
    ]
    .into_iter()
    .enumerate()
    {
        match &script {
            None => fs::remove_file(folder.path("chatd")).unwrap(),
            Some(script) => install(&folder, script),
        }
        ann.sends("half, "); // it is not lost, and not said twice
        fails(&server, complaint);
        ann.sends(format!("whole {number}\n"));
        bob.hears(&format!("<ann> half, whole {number}"));
        let mut new = server.lets_in("new");
        new.asks_until("/history", "*** End of the history.");
        new.says("/quit");
        bob.hears_until("*** new left lobby");
        ann.hears_until("*** new left lobby");
    }
    assert!(!folder.path("nowhere.db").exists(), "a rehearsal leaves nothing behind");
    // And then it succeeds.
    another_version(&folder);
    upgrade(&server, 1);
    ann.says("hi");
    bob.hears("<ann> hi");
}

/// The database that a program finds in its rehearsal is put in the place of the server's, and back afterwards.
fn rehearses_with(folder: &Folder, database: &str) {
    let script = format!(
        "mkdir aside; mv chatd.db* aside; cp {database} chatd.db\n{REAL} \"$@\"\n\
         cmp chatd.db {database} && echo untouched > files; ls chatd.db* >> files\n\
         rm chatd.db*; mv aside/* .; rmdir aside"
    );
    install(folder, &script);
}

#[test]
fn a_database_that_would_be_changed_is_left_as_it_is() {
    let folder = folder();
    folder.run("account add zoe");
    fs::copy(folder.path("chatd.db"), folder.path("newer")).unwrap();
    let newer = rusqlite::Connection::open(folder.path("newer")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    newer.close().unwrap();
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/store/fixtures");
    fs::copy(format!("{fixtures}/version-2.db"), folder.path("older")).unwrap();
    let server = start(&folder, "");
    let mut ann = server.lets_in("ann");
    for (database, complaint) in [
        ("older", "the new program refuses: it changes the database (schema 2 becomes 4), "),
        ("newer", "the new program refuses: chatd.db is from a newer chatd"),
    ] {
        let _ = fs::remove_file(folder.path("files"));
        rehearses_with(&folder, database);
        fails(&server, complaint);
        let files = fs::read_to_string(folder.path("files")).unwrap();
        assert_eq!(files, "untouched\nchatd.db\n", "{database}");
        ann.says("hi");
        ann.asks_until("/history", "*** End of the history."); // written, before the file is moved again
    }
    another_version(&folder);
    upgrade(&server, 1);
    ann.asks_until("/history", "*** End of the history.");
}

#[test]
fn a_program_that_is_gone_after_its_rehearsal_costs_nothing() {
    let folder = folder();
    let server = start(&folder, "");
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    let state = || {
        let file = |name: &str| format!("/proc/{}/{name}", server.pid());
        let status = fs::read_to_string(file("status")).unwrap();
        let ignored = status.lines().find(|line| line.starts_with("SigIgn:")).map(str::to_owned);
        (fs::read_link(file("fd/0")).unwrap(), ignored)
    };
    let before = state();
    install(&folder, &format!("[ -e at ] && rm chatd; touch at; exec {REAL} \"$@\""));
    fails(&server, "the new program cannot be started: No such file or directory");
    assert_eq!(state(), before, "its standard input; and SIGPIPE is ignored as ever");
    ann.says("hi");
    bob.hears("<ann> hi");
    another_version(&folder);
    upgrade(&server, 1);
    ann.says("hi again");
    bob.hears("<ann> hi again");
}

#[test]
fn a_signal_in_the_middle_is_not_lost_and_ends_nothing() {
    let folder = folder();
    let mut server = start(&folder, "");
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    // It comes before the new program has said what it does then. (A shell would unblock it.)
    let comes = |signal: &str| {
        let program = format!(
            "#!/usr/bin/env python3\n\
             import os, signal, sys\n\
             if os.environ['CHATD_UPGRADE'] != 'rehearse' and not os.path.exists('{signal}'):\n    \
                 open('{signal}', 'w')\n    \
                 os.kill(os.getpid(), signal.SIG{signal})\n\
             os.execv('{}', ['./chatd'] + sys.argv[1:])\n",
            env!("CARGO_BIN_EXE_chatd")
        );
        install_program(&folder, &program);
    };
    comes("USR2");
    upgrade(&server, 1);
    eventually("twice", || server.printed().matches("listening on").count() == 3);
    ann.says("hi");
    bob.hears("<ann> hi");
    // And to stop.
    comes("TERM");
    server.signal("USR2");
    bob.hears_until("*** Hung up: the server is shutting down.");
    assert_eq!(server.exit_code(), Some(0), "{}", server.log());
}

#[test]
fn a_stop_does_not_wait_for_a_rehearsal_that_hangs() {
    let folder = folder();
    let mut server = start(&folder, "");
    let mut ann = server.lets_in("ann");
    install(&folder, "touch rehearses\nexec sleep 60");
    server.signal("USR2");
    eventually("it rehearses", || folder.path("rehearses").exists());
    server.signal("TERM");
    ann.hears_until("*** Hung up: the server is shutting down.");
    assert_eq!(server.exit_code(), Some(0), "{}", server.log());
    assert!(server.log_to_the_end().contains("nothing is upgraded: the server is about to stop\n"));
}

#[test]
fn a_rehearsal_that_takes_too_long_is_given_up() {
    let folder = folder();
    let server = start(&folder, "");
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    install(&folder, "echo $$ > pid\nexec sleep 600");
    fails(&server, "the new program is not ready after 10s");
    let pid = fs::read_to_string(folder.path("pid")).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "it is ended, and waited for");
    ann.says("hi");
    bob.hears("<ann> hi");
}

#[test]
fn more_clients_than_places_are_not_handed_over() {
    let folder = folder();
    let server = start(&folder, "");
    let names: Vec<String> = (0..12).map(|i| format!("n{i}")).collect();
    let mut clients = server.enter_all(&names);
    install(&folder, &format!("exec {} --threads-max 1 \"$@\"", env!("CARGO_BIN_EXE_chatd")));
    fails(&server, "the new program refuses: 12 clients are connected, and --threads-max is 1");
    clients[0].says("hi");
    clients[11].hears_until("<n0> hi");
}

/// Nobody who came to a port for TLS speaks plain text there afterwards.
#[test]
fn without_a_good_certificate_nothing_is_upgraded() {
    let folder = folder();
    folder.run("tls make --in .");
    let encrypted =
        "tls-cert = \"chatd-cert.pem\"\ntls-key = \"chatd-key.pem\"\ntls = \"127.0.0.1:0\"\n";
    fs::write(folder.path("chatd.toml"), encrypted).unwrap();
    let server = start(&folder, "--config chatd.toml");
    let mut ann = server.lets_in("ann");
    fs::write(folder.path("chatd.toml"), "").unwrap();
    fails(
        &server,
        "the new program refuses: the old server lends a listener for TLS, which needs ",
    );
    fs::write(folder.path("chatd.toml"), encrypted).unwrap();
    let key = fs::read(folder.path("chatd-key.pem")).unwrap();
    fs::write(folder.path("chatd-key.pem"), "").unwrap();
    fails(&server, "the new program refuses: chatd-key.pem has no private key in PEM. ");
    fs::write(folder.path("chatd-key.pem"), key).unwrap();
    upgrade(&server, 1);
    ann.asks_until("/who", "***   ann");
}
