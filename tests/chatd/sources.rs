//! Limits that outlive a connection: what one address (or one account) has used up is not given back to whoever connects
//! again. A class behind one router is not slowed by them.

use crate::harness::{Client, DEADLINE, Folder, Process, Server, eventually, has_program, matches};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// How long scripts play.
const PLAY: Duration = Duration::from_secs(2);
/// Lines that others may read of six connections meanwhile: a burst of 32 from each, 8 a second from all, what is spared,
/// and a coming and going that is just under way.
const READ_MAX: usize = 6 * 32 + 2 * 8 + 8 + 12;

/// How a script ends a connection before it makes the next one.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// Sends its end of file, and reads up to the server's.
    ReadsOn,
    /// Says goodbye, and reads up to the end.
    Quits,
    /// Closes at once.
    Forgets,
    /// Reads a line, and resets the connection.
    Resets,
}

/// Connects, says 31 lines under a name, and goes.
fn visit(address: SocketAddr, name: &str, ending: Ending) -> std::io::Result<()> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(DEADLINE))?;
    let quit = if let Ending::Quits = ending { "/quit\n" } else { "" };
    socket.write_all(format!("{name}\n{}{quit}", "a line of a script\n".repeat(31)).as_bytes())?;
    match ending {
        Ending::Forgets => {}
        Ending::Quits => drop(socket.read_to_end(&mut Vec::new())),
        Ending::ReadsOn => {
            socket.shutdown(Shutdown::Write)?;
            socket.read_to_end(&mut Vec::new())?;
        }
        Ending::Resets => {
            socket.read_exact(&mut [0; 16])?;
            socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO))?;
        }
    }
    Ok(())
}

/// How many lines a member of the room reads until then, and not later.
fn count_lines(mut member: &TcpStream, end: Instant) -> usize {
    let (mut lines, mut bytes) = (0, [0; 8192]);
    while let left = end.saturating_duration_since(Instant::now())
        && !left.is_zero()
    {
        member.set_read_timeout(Some(left)).unwrap();
        if let Ok(n) = member.read(&mut bytes) {
            lines += memchr::memchr_iter(b'\n', &bytes[..n]).count();
        }
    }
    lines
}

#[test]
pub fn six_scripts_that_reconnect_have_six_bursts_and_one_refill() {
    for (options, ending) in [
        ("", Ending::ReadsOn),
        ("", Ending::Quits),
        ("", Ending::Forgets),
        ("", Ending::Resets),
        ("--anonymous", Ending::ReadsOn),
        ("--anonymous", Ending::Forgets),
    ] {
        let server = Server::start(options);
        let mut watcher = server.connect("watcher");
        watcher.says("watcher");
        watcher.has_read_everything();
        let end = Instant::now() + PLAY;
        let script = |i: usize| {
            let visits = (0..).take_while(|_| Instant::now() < end);
            visits.map(|n| drop(visit(server.address, &format!("m{i}-{n}"), ending))).count()
        };
        let (read, visits) = thread::scope(|scope| {
            let scripts: Vec<_> = (0..6).map(|i| scope.spawn(move || script(i))).collect();
            let read = count_lines(watcher.stream(), end);
            server.signal("KILL"); // whoever waits for their turn need not
            (read, scripts.into_iter().map(|script| script.join().unwrap()).sum::<usize>())
        });
        let logged = server.log().lines().count();
        println!("{options} {ending:?}: {read} lines read, {visits} visits, {logged} lines logged");
        assert!(read <= READ_MAX, "{options} {ending:?}: {read} lines reached the room");
        assert!(logged < 300, "{logged} lines were logged");
    }
}

#[test]
pub fn twelve_that_paste_twenty_lines_each_are_not_one() {
    let server = Server::start("");
    let [mut reader] = server.enter(["reader"]);
    // One of them has come back.
    server.lets_in("p0").says("/quit");
    reader.hears_until("*** p0 left lobby");
    let began = Instant::now();
    let mut pupils = server.connect_all(0..12);
    let paste: String = (0..20).map(|i| format!("int line_{i};\n")).collect();
    for (i, pupil) in pupils.iter_mut().enumerate() {
        pupil.sends(format!("p{i}\n{paste}"));
        if i % 2 == 0 {
            pupil.stops_sending(); // as `nc -N` does
        }
    }
    let mut lines = 0;
    while lines < 12 * 20 {
        lines += usize::from(reader.reads().unwrap().contains("> int line_"));
    }
    println!("12 x 20 lines took {:?}", began.elapsed());
    // As one they would have taken 27 s.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
pub fn a_class_comes_at_once_again_and_again_and_after_a_restart() {
    let folder = Folder::new();
    let mut server = folder.start("--threads-max 600 --backlog-lines 0");
    for round in 0..3 {
        if round == 2 {
            drop(server);
            server = folder.start("--threads-max 600 --backlog-lines 0");
        }
        let began = Instant::now();
        let mut class = server.connect_all(0..512);
        class.iter_mut().enumerate().for_each(|(i, pupil)| pupil.says(&format!("n{i}\n/quiet on")));
        for pupil in &mut class {
            let line = pupil.hears_until("*** You no longer read who comes and goes.");
            assert!(!line.is_empty());
        }
        println!("512 are in after {:?}", began.elapsed());
        class.into_iter().for_each(Client::resets);
        eventually("they are gone", || {
            server.connect("late").asks_until("/quit", "*** Goodbye.");
            server.descriptors() < 100
        });
    }
}

#[test]
pub fn a_thousand_connections_are_refused_in_a_sentence_and_counted_in_the_log() {
    let mut server = Server::start("");
    let mut admitted = 0;
    let mut sentence = String::new();
    for _ in 0..2_000 {
        let mut client = server.connect("script");
        let line = client.reads().unwrap_or_default();
        admitted += usize::from(line.starts_with("*** Welcome"));
        if line.starts_with("*** Sorry") {
            sentence = line;
        }
        client.resets();
    }
    println!("{admitted} were admitted; {sentence}");
    assert!(admitted < 500, "{admitted}");
    let is_it = matches(
        "*** Sorry: {n} connections from your address have ended within a minute, and that is the most. Please try again in {n} s.",
        &sentence,
    );
    assert!(is_it, "{sentence}");
    server.signal("INT");
    assert_eq!(server.exit_code(), Some(0));
    let log = server.log_to_the_end();
    assert!(log.contains(" more refusals of 127.0.0.1 in the last "), "{log}");
    assert!(log.lines().count() < 150, "{log}");
}

/// With the programs that people have.
#[test]
fn six_shell_loops_and_yes_are_slowed_too() {
    if !has_program("nc") {
        return;
    }
    let server = Server::start("");
    let mut watcher = server.connect("watcher");
    watcher.says("watcher");
    watcher.has_read_everything();
    let port = server.address.port();
    let script = |i: u16| {
        let lines = if i.is_multiple_of(2) { "yes a line of a script | head -31" } else { "yes" };
        let visit = format!("(echo s{i}-$n; {lines}) | timeout 1 nc -N 127.0.0.1 {port}");
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("for n in {{1..1000}}; do {visit} > /dev/null; done")]);
        Process::start(shell)
    };
    let scripts: Vec<Process> = (0..6).map(script).collect();
    let read = count_lines(watcher.stream(), Instant::now() + PLAY);
    println!("{read} lines read of six shell loops");
    // In their first second, connections are filled by themselves; and when several end at once, one may be taken for new.
    assert!(read <= READ_MAX + 6 * 8 + 2 * 32, "{read}");
    drop(scripts);
}
