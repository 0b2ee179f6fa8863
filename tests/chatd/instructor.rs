//! The instructor's code: who guesses it is slowed down, and it is shown to nobody but whoever may use it.
//! (docs/protocol.md has the conversations.)

use crate::harness::{Client, Folder, Server, eventually};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// How long scripts guess, at least.
const PLAY: Duration = Duration::from_secs(2);
/// Three are free.
const FREE: usize = 3;
/// How long each of the next ones waits, in seconds.
const DELAYS: [u64; 4] = [1, 2, 4, 8];

/// Guesses until the connection ends, or it is time to end.
fn guess(
    address: SocketAddr,
    name: &str,
    is_over: &AtomicBool,
    compared: &AtomicUsize,
) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut lines = BufReader::new(socket.try_clone()?);
    let name = if name.is_empty() { String::new() } else { format!("{name}\n") };
    socket.write_all((name + &"/instructor AAAA-AAAA\n".repeat(20)).as_bytes())?;
    let mut line = String::new();
    while !is_over.load(Relaxed) {
        match lines.read_line(&mut line) {
            Ok(0) => return Ok(()),
            Ok(_) if line.starts_with("*** That is not the instructor's code.") => {
                compared.fetch_add(1, Relaxed);
            }
            Ok(_) | Err(_) => {}
        }
        line.clear();
    }
    Ok(())
}

/// Some have a name, and some do not; all reconnect when they are hung up.
#[test]
pub fn four_scripts_that_guess_the_code_are_no_more_guesses_than_one() {
    let server = Server::start("--instructor");
    let (is_over, compared) = (AtomicBool::new(false), AtomicUsize::new(0));
    let began = Instant::now();
    thread::scope(|scope| {
        for name in ["mal", "", "eve", ""] {
            let (is_over, compared) = (&is_over, &compared);
            scope.spawn(move || {
                while !is_over.load(Relaxed) {
                    let _ = guess(server.address, name, is_over, compared);
                }
            });
        }
        eventually("they have played", || began.elapsed() >= PLAY && compared.load(Relaxed) > FREE);
        is_over.store(true, Relaxed);
    });
    let (compared, played) = (compared.into_inner(), began.elapsed());
    let waited: u64 = DELAYS.iter().take(compared - FREE).sum();
    assert!(played.as_secs() >= waited, "{compared} guesses in {played:?}");

    // Who comes from elsewhere is not slower than by one delay, and who is right once waits no more.
    let mut alice = Client::connect_from("127.0.0.2", server.address, "alice");
    let began = Instant::now();
    alice
        .asks_until(&format!("/instructor {}", server.pairing_code()), "*** You are an instructor");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    alice.asks_until("alice", "*** Hello alice.");
}

/// It stands on the console, and goes nowhere from there.
#[test]
pub fn the_code_goes_nowhere() {
    let folder = Folder::new();
    let server = folder.start("--instructor --log debug");
    let [mut alice, mut bob] = server.enter(["alice", "bob"]);
    let first = server.pairing_code();
    alice.says(&format!("/instructor {first}X"));
    alice.hears("*** That is not the instructor's code.");
    alice.says(&format!("/INSTRUCTOR {}", first.to_lowercase()));
    alice.hears_until("*** You are an instructor from now on");
    let told = alice.asks_until("/instructor new", "*** The code is ");
    let second = told.split(' ').nth(4).unwrap().to_owned();
    assert!(second.len() == first.len() && second != first, "{told}");
    bob.asks("/instructor 0000-0000", "*** That is not the instructor's code.");
    bob.says(&format!("/instructor {second}"));
    bob.hears_until("*** You are an instructor");
    bob.says("/history");
    bob.hears("*** Nothing was said in lobby yet.");
    alice.says("hi");
    bob.hears("<@alice> hi");
    server.logs("alice (c1, 127.0.0.1, instructor) made another code for instructors");
    server.logs("wrong pairing code from 127.0.0.1");
    let (log, printed) = (server.log(), server.printed());
    drop((alice, bob, server));
    let mut places = vec![log, printed.replace(&first, "")];
    for entry in fs::read_dir(folder.path("")).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        places.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    assert!(
        places.iter().any(|text| text.contains("alice (instructor)")),
        "the audit is in the file"
    );
    for code in [first, second] {
        for code in [code.replace('-', ""), code] {
            let is_there = |text: &&String| text.to_lowercase().contains(&code.to_lowercase());
            assert_eq!(places.iter().find(is_there), None, "{code}");
        }
    }
}

#[test]
fn no_code_is_printed_where_nobody_asked_and_there_is_no_terminal() {
    let server = Server::start("");
    let [mut alice] = server.enter(["alice"]);
    alice.asks_until("/instructor AAAA-AAAA", "*** This server has no code for instructors");
    assert!(!server.printed().contains("Instructor"), "{}", server.printed());
}

/// Their rights end with the connection, and nothing of them is left to whoever has the name next.
#[test]
pub fn an_instructors_rights_end_with_the_connection() {
    let server = Server::start("--instructor");
    let [mut alice, bob] = server.enter(["alice", "bob"]);
    alice.says(&format!("/instructor {}", server.pairing_code()));
    alice.hears_until("*** You are an instructor");
    alice.asks("/nick anna", "*** You are now anna.");
    alice.asks_until("/pause", "*** anna paused lobby");
    alice.asks_until("/resume", "*** anna resumed lobby");
    alice.asks("/quit", "*** Goodbye.");
    alice.is_hung_up();
    drop(bob);
    let mut anna = server.lets_in("anna");
    anna.has_read_everything();
    anna.asks("/pause", "*** That is for administrators.");
}
