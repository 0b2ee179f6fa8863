//! Scripts guess at a name from its owner's own address, and the owner comes in all the same.

use crate::harness::{DEADLINE, Folder, eventually};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// Connects and gives a password. Returns the connection, and whether the name was let in.
fn tries(address: SocketAddr, name: &str, password: &str) -> std::io::Result<(TcpStream, bool)> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(DEADLINE))?;
    socket.write_all(format!("{name}\n{password}\n").as_bytes())?;
    let hello = format!("*** Hello {name}.");
    let is_in = reads_until(&mut socket, &hello, "*** That is not the password of this name.")?;
    Ok((socket, is_in))
}

/// Whether one sentence comes before the other one and the end.
fn reads_until(socket: &mut TcpStream, yes: &str, no: &str) -> std::io::Result<bool> {
    let (mut told, mut bytes) = (String::new(), [0; 512]);
    while !told.contains(yes) && !told.contains(no) {
        let n = socket.read(&mut bytes)?;
        if n == 0 {
            break;
        }
        told += &String::from_utf8_lossy(&bytes[..n]);
    }
    Ok(told.contains(yes))
}

/// How long it takes until the owner of a name is in.
fn comes_in(address: SocketAddr, name: &str) -> Duration {
    let began = Instant::now();
    while !tries(address, name, "correct horse").is_ok_and(|(_, is_in)| is_in) {
        assert!(began.elapsed() < DEADLINE, "{name} is never let in");
    }
    began.elapsed()
}

/// Four scripts, at a full server: some connect again after each wrong password, others go on until they are hung up.
#[test]
pub fn an_owner_is_in_within_three_seconds_while_four_scripts_guess_at_the_name() {
    let folder = Folder::with_accounts(&["boss", "deputy"]);
    for name in ["boss", "deputy"] {
        folder.run(&format!("account promote {name}")); // for them places are kept
    }
    let server = folder.start("--threads-max 2");
    let _inside = server.enter(["ann", "bob"]);
    // Before anybody guesses: a machine that is busy with other things takes its time for a hash.
    let alone = (0..3).map(|_| comes_in(server.address, "deputy")).max().expect("three");
    let (address, is_over) = (server.address, AtomicBool::new(false));
    let guess = |i: usize| {
        let mut guesses = 0;
        while !is_over.load(Relaxed) {
            let Ok((mut socket, _)) = tries(address, "boss", "wrong horse") else { continue };
            guesses += 1;
            while i % 2 == 1
                && !is_over.load(Relaxed)
                && socket.write_all(b"wrong horse\n").is_ok()
                && socket.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
                && reads_until(
                    &mut socket,
                    "*** That is not the password of this name.",
                    "*** Hung up",
                )
                .unwrap_or(false)
            {
                guesses += 1;
            }
        }
        guesses
    };
    let (times, guesses) = thread::scope(|scope| {
        let scripts: Vec<_> = (0..4).map(|i| scope.spawn(move || guess(i))).collect();
        // From the fourth wrong password on, each in turn waits.
        eventually("some were wrong", || {
            server.log().matches("wrong password for boss").count() > 5
        });
        let times: Vec<Duration> = (0..3).map(|_| comes_in(address, "boss")).collect();
        is_over.store(true, Relaxed);
        (times, scripts.into_iter().map(|script| script.join().unwrap()).sum::<usize>())
    });
    println!("with {guesses} guesses it took {times:?}, without {alone:?}");
    let most = Duration::from_secs(3) + 4 * alone;
    assert!(times.iter().all(|time| *time < most), "{times:?}, and without guesses {alone:?}");
}

#[test]
fn wrong_passwords_are_logged_with_whose_they_should_be_and_from_where() {
    let folder = Folder::new();
    folder.run("account add alice");
    let mut server = folder.start("--flood off");
    let mut mallory = server.lets_in("mallory");
    let no = "*** No account has this name and this password.";
    mallory.asks_until("/login Alice wrong horse", no);
    for i in 0..3 {
        mallory.asks_until(&format!("/login n{i} wrong horse"), no);
    }
    server.logs("wrong password for alice from 127.0.0.1");
    server.logs("wrong password for a name that is not registered from 127.0.0.1");
    for i in 0..4 {
        let mut other = server.lets_in(&format!("other{i}"));
        (0..4).for_each(|j| drop(other.asks_until(&format!("/login m{i}-{j} wrong horse"), no)));
    }
    server.signal("INT");
    assert_eq!(server.exit_code(), Some(0));
    let log = server.log_to_the_end();
    let told = log.matches("wrong password for ").count();
    // Of those in ten seconds some are only counted; a slow machine tells all of them.
    let counted = log.lines().filter_map(|line| {
        let (before, _) = line.split_once(" more wrong passwords from 127.0.0.1 in the last ")?;
        before.rsplit(' ').next()?.parse::<usize>().ok()
    });
    assert_eq!(told + counted.sum::<usize>(), 20, "{log}");
    assert!(!log.contains("horse"), "{log}");
}
