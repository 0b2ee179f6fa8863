//! An upgrade in place: another program takes over, in the same process, and nobody is hung up. Where that fails, the
//! server goes on.

use crate::harness::{Client, Folder, Server, eventually, wait_for};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::Command,
    thread,
};

/// A folder in which `./chatd` is the program, until something else is.
fn folder() -> Folder {
    let folder = Folder::new();
    symlink(env!("CARGO_BIN_EXE_chatd"), folder.path("chatd")).unwrap();
    folder
}

fn start(folder: &Folder, options: &str) -> Server {
    let mut command = Command::new("./chatd");
    command.args(["--listen", "127.0.0.1:0", "--web", "none"]).args(options.split_whitespace());
    command.current_dir(folder.path(""));
    Server::start_program(command)
}

/// From now on `./chatd` does this.
fn install(folder: &Folder, script: &str) {
    fs::write(folder.path("new"), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(folder.path("new"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(folder.path("new"), folder.path("chatd")).unwrap();
}

/// What another version would be, which is this one with a line of its own.
fn another_version(folder: &Folder) {
    let program = env!("CARGO_BIN_EXE_chatd");
    install(
        folder,
        &format!("[ \"$CHATD_UPGRADE\" = rehearse ] || echo again\nexec {program} \"$@\""),
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
    let server = start(&folder, "--flood off --source-limits off");
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
}

#[test]
fn where_it_fails_the_old_server_goes_on() {
    let folder = folder();
    let server = start(&folder, "");
    let [mut ann, mut bob] = server.enter(["ann", "bob"]);
    let real = env!("CARGO_BIN_EXE_chatd");
    for (number, (script, complaint)) in [
        (None, "the new program cannot be started: No such file or directory"),
        (Some("exit 3".to_owned()), "the new program has ended without a word: exit status: 3"),
        (Some("kill -SEGV $$".to_owned()), "the new program has ended without a word: signal: 11"),
        (
            Some(format!("exec {real} --unicode-names \"$@\"")),
            "the new program refuses: --unicode-names was changed",
        ),
        (
            Some(format!("exec {real} --db other.db \"$@\"")),
            "the new program refuses: its database is another one",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        match &script {
            None => fs::remove_file(folder.path("chatd")).unwrap(),
            Some(script) => install(&folder, script),
        }
        ann.sends("half, "); // it is not lost, and not said twice
        server.signal("USR2");
        wait_for(
            || (server.log().matches("nothing is upgraded").count() > number).then_some(()),
            || format!("{script:?}: {}", server.log()),
        );
        assert!(server.log().contains(complaint), "{complaint}: {}", server.log());
        ann.sends(format!("whole {number}\n"));
        bob.hears(&format!("<ann> half, whole {number}"));
        let mut new = server.lets_in("new");
        new.asks_until("/history", "*** End of the history.");
        new.says("/quit");
        bob.hears_until("*** new left lobby");
        ann.hears_until("*** new left lobby");
    }
    // And then it succeeds.
    another_version(&folder);
    upgrade(&server, 1);
    ann.says("hi");
    bob.hears("<ann> hi");
}

#[test]
fn chatd_upgrade_finds_the_server_by_its_database() {
    let folder = folder();
    let complaint = folder.fails("upgrade", "");
    assert!(complaint.contains("no server has chatd.db"), "{complaint}");
    let server = start(&folder, "");
    let mut ann = server.lets_in("ann");
    let says = folder.run("upgrade");
    assert_eq!(says, format!("Process {} is upgraded.\n", server.pid()));
    ann.asks_until("/who", "***   ann");
}
