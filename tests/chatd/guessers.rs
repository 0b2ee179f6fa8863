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
fn tries(address: SocketAddr, password: &str) -> std::io::Result<(TcpStream, bool)> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(DEADLINE))?;
    socket.write_all(format!("boss\n{password}\n").as_bytes())?;
    let is_in =
        reads_until(&mut socket, "*** Hello boss.", "*** That is not the password of this name.")?;
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

/// Four scripts, at a full server: some connect again after each wrong password, others go on until they are hung up.
#[test]
pub fn an_owner_is_in_within_three_seconds_while_four_scripts_guess_at_the_name() {
    let folder = Folder::new();
    folder.run("account add boss");
    folder.run("account promote boss");
    let server = folder.start("--threads-max 2");
    let _inside = server.enter(["ann", "bob"]);
    let (address, is_over) = (server.address, AtomicBool::new(false));
    let guess = |i: usize| {
        let mut guesses = 0;
        while !is_over.load(Relaxed) {
            let Ok((mut socket, _)) = tries(address, "wrong horse") else { continue };
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
        let times: Vec<Duration> = (0..3)
            .map(|_| {
                let began = Instant::now();
                while !tries(address, "correct horse").is_ok_and(|(_, is_in)| is_in) {}
                began.elapsed()
            })
            .collect();
        is_over.store(true, Relaxed);
        (times, scripts.into_iter().map(|script| script.join().unwrap()).sum::<usize>())
    });
    println!("with {guesses} guesses it took {times:?}");
    assert!(times.iter().all(|time| *time < Duration::from_secs(3)), "{times:?}");
}
