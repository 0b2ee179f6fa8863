//! Broken connections, at bytes that nobody chose, and a server that is stopped and killed in between: everybody
//! reads each line once and in order, and nothing that was typed is lost without a word. With `--inline` they are two hundred,
//! on the full screen fewer; `CUTS=200 SERVERS=50 cargo test --test chat cuts::` has more.

use crate::{
    harness::Folder,
    person::{Person, Start},
};
use std::{
    io::{Read, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

/// People who have them: each waits half a second before they come back.
const PEOPLE: usize = 16;
/// How often the server is stopped, or killed; by hand as often as `SERVERS` says.
const SERVERS: usize = 4;
/// A window in which all that was shown is seen at once.
const TALL: u16 = 3000;
/// In one without the people beside the text, and in which no line that is looked for is wrapped.
const COLUMNS: u16 = 89;
/// Said by bob, whose connection holds, as often as anybody else says one.
const LINES_AT_ONCE: usize = 3;
const OPTIONS: &str = "--flood off --source-limits off --backlog-lines 0";

/// Lets clients through to a server, and breaks each of their connections after some bytes.
struct Proxy {
    address: SocketAddr,
    /// Where the server is now.
    to: Mutex<SocketAddr>,
    /// Connections to be cut, all together.
    all: usize,
    cuts: AtomicUsize,
    connections: AtomicUsize,
    seed: AtomicUsize,
}

impl Proxy {
    fn start(to: SocketAddr, all: usize) -> Arc<Proxy> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Arc::new(Proxy {
            address: listener.local_addr().unwrap(),
            to: Mutex::new(to),
            all,
            cuts: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            seed: AtomicUsize::new(0x9e37_79b9),
        });
        let serving = Arc::clone(&proxy);
        thread::spawn(move || {
            for client in listener.incoming() {
                let serving = Arc::clone(&serving);
                thread::spawn(move || serving.serve(client.unwrap()));
            }
        });
        proxy
    }

    /// A number below `most`; no clock and no system decides it.
    fn random(&self, most: usize) -> usize {
        let step = |seed: usize| {
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
        };
        let before = self.seed.fetch_update(Relaxed, Relaxed, |seed| Some(step(seed))).unwrap();
        (before >> 33) % most
    }

    fn serve(&self, client: TcpStream) {
        let to = *self.to.lock().unwrap();
        let Ok(server) = TcpStream::connect(to) else { return }; // it is being started
        let is_first = self.connections.fetch_add(1, Relaxed) < PEOPLE;
        let is_last = self.cuts.load(Relaxed) >= self.all;
        // Often in the first dialogue, which has some 700 bytes; sometimes much later.
        let (down, up) = match self.random(3) {
            _ if is_last => (usize::MAX, usize::MAX),
            _ if is_first => (4_000 + self.random(4_000), usize::MAX),
            0 => (1 + self.random(900), usize::MAX),
            1 => (1 + self.random(9_000), usize::MAX),
            _ => (usize::MAX, 1 + self.random(300)),
        };
        thread::scope(|scope| {
            scope.spawn(|| self.pass_on(&client, &server, up));
            self.pass_on(&server, &client, down);
        });
    }

    /// Passes bytes on up to their end, or until there were `most` of them. Then both connections are reset: a network
    /// that breaks sends no end of file, behind which half a line would be said.
    fn pass_on(&self, mut from: &TcpStream, mut to: &TcpStream, most: usize) {
        let mut left = most;
        let mut bytes = [0; 1024];
        while left > 0 {
            let count = left.min(bytes.len());
            let Ok(count @ 1..) = from.read(&mut bytes[..count]) else { break };
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
            left -= count;
        }
        if left > 0 {
            let _ = to.shutdown(Shutdown::Write); // it is gone already, or reads its end of file
            return;
        }
        self.cuts.fetch_add(1, Relaxed);
        for socket in [from, to] {
            let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
            let _ = socket.shutdown(Shutdown::Read); // the other direction ends, too
        }
    }
}

/// What is in the history, in its order: who said it, and what.
fn said(folder: &Folder) -> Vec<(String, String)> {
    let lines: Vec<String> = folder.select("SELECT author || ' ' || body FROM line ORDER BY id");
    lines
        .iter()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(by, text)| (by.into(), text.into()))
        .collect()
}

/// A row as it was said, if it is what somebody said: `<bob> hi`, or `(12:30) <bob> hi`.
fn read(row: &str) -> Option<(String, String)> {
    let row =
        row.strip_prefix('(').and_then(|row| row.split_once(") ")).map_or(row, |(_, row)| row);
    let (name, text) = row.strip_prefix('<')?.split_once("> ")?;
    Some((name.to_owned(), text.to_owned()))
}

fn name(who: usize) -> String {
    format!("p{who}")
}

/// Lets everybody in, one after the other.
fn enter(proxy: &Proxy, is_full: bool) -> Vec<Person> {
    let enters = |who: usize| {
        let address = proxy.address.to_string();
        let start = Start::at(address, &["--name", &name(who)]);
        let person =
            if is_full { start.size(24, COLUMNS).full() } else { start.size(24, 200) }.go();
        person.sees_prompt(&format!("{}@lobby> ", name(who)));
        person
    };
    (0..PEOPLE).map(enters).collect()
}

/// Whether this person has read one of bob's latest lines: the server tells a thousand again, and no more.
fn is_near(person: &Person, lines: usize) -> bool {
    let number =
        |row: &String| read(bare(row))?.1.strip_prefix("line ")?.split(' ').next()?.parse().ok();
    let latest = person.rows().iter().filter_map(number).max();
    lines < 500 || latest.is_some_and(|latest: usize| latest + 500 > lines)
}

/// A row without the time that the full screen puts in front.
fn bare(row: &str) -> &str {
    row.split_at_checked("12:30 ".len())
        .filter(|(time, _)| time.find(':') == Some(2))
        .map_or(row, |(_, rest)| rest)
}

/// All rows of a full screen that can be scrolled to, without the times in front.
fn all_rows_of(person: &Person) -> Vec<String> {
    person.resizes(TALL, COLUMNS);
    let rows = person.sees_that("all of it", |screen| {
        let (first, last) = (screen.rows(0, COLUMNS).next().unwrap(), screen.cursor_position().0);
        first.trim().is_empty() && last == TALL - 1 && screen.contents().contains("Welcome")
    });
    rows.iter().map(|row| bare(row).to_owned()).collect()
}

/// Compares what this person has seen with what was said.
fn check(who: usize, rows: &[String], said: &[(String, String)], typed: usize, reads_own: bool) {
    let me = name(who);
    let seen: Vec<_> = rows.iter().filter_map(|row| read(row)).collect();
    let others: Vec<_> = said.iter().filter(|(by, _)| reads_own || *by != me).cloned().collect();
    if let Some(i) = (0..seen.len().max(others.len())).find(|&i| seen.get(i) != others.get(i)) {
        let around = |lines: &[(String, String)]| {
            lines.iter().skip(i.saturating_sub(3)).take(8).cloned().collect::<Vec<_>>()
        };
        panic!(
            "{me}, line {i}: {:?}, not {:?}; all rows:\n{}",
            around(&seen),
            around(&others),
            rows.join("\n")
        );
    }
    let told = |text: &str| rows.iter().any(|row| row.starts_with("chat: ") && row.ends_with(text));
    let mut unsaid = 0;
    for i in 0..typed {
        let own = format!("own {i} of {who}");
        match said.iter().filter(|line| **line == (me.clone(), own.clone())).count() {
            0 => unsaid += usize::from(!told(&format!(": {own}"))),
            1 => {
                assert!(!told(&format!("was lost: {own}")), "{own} was said:\n{}", rows.join("\n"));
            }
            times => panic!("{own} was said {times} times"),
        }
    }
    let not_sent = rows.iter().filter(|row| row.starts_with("chat: not sent: ")).count();
    assert!(
        unsaid <= not_sent,
        "{me}: {unsaid} lost, {not_sent} of them told:\n{}",
        rows.join("\n")
    );
}

#[test]
fn nobody_misses_a_line_or_reads_one_twice() {
    play(200, false);
}

#[test]
fn nor_on_the_full_screen() {
    play(std::env::var("CUTS").map_or(60, |cuts| cuts.parse().unwrap()), true);
}

fn play(cuts: usize, is_full: bool) {
    let folder = Folder::new();
    let mut server = folder.start(OPTIONS);
    let proxy = Proxy::start(server.address, cuts);
    let people = enter(&proxy, is_full);
    let mut bob = server.lets_in("bob");
    bob.has_read_everything();
    let mut typed = [0; PEOPLE];
    let servers = std::env::var("SERVERS").map_or(SERVERS, |servers| servers.parse().unwrap());
    let (mut lines, mut next_server) = (0, cuts / servers);
    while proxy.cuts.load(Relaxed) < cuts {
        let at_once =
            if people.iter().all(|person| is_near(person, lines)) { LINES_AT_ONCE } else { 0 };
        for i in 0..at_once {
            bob.says(&format!("line {lines} {}.", "x".repeat(10 * i)));
            lines += 1;
        }
        let who = proxy.random(PEOPLE);
        people[who].types(&format!("own {} of {who}\r", typed[who]));
        typed[who] += 1;
        bob.has_read_everything();
        if proxy.cuts.load(Relaxed) >= next_server {
            if (next_server / (cuts / servers)).is_multiple_of(2) {
                server.signal("TERM");
                assert_eq!(server.exit_code(), Some(0));
            }
            drop(server); // by SIGKILL, if it still runs
            server = folder.start(OPTIONS);
            *proxy.to.lock().unwrap() = server.address;
            bob = server.lets_in("bob");
            next_server += cuts / servers;
        }
        thread::park_timeout(Duration::from_millis(50));
    }
    bob.says("that is all");
    for person in &people {
        person.sees_that("the last line", |screen| screen.contents().contains("<bob> that is all"));
        person.types("\r");
    }
    let said = said(&folder);
    for (who, person) in people.iter().enumerate() {
        let rows = if is_full { all_rows_of(person) } else { person.all_rows() };
        check(who, &rows, &said, typed[who], is_full);
    }
    println!(
        "{lines} lines of bob's, {} in all, {} typed",
        said.len(),
        typed.iter().sum::<usize>()
    );
}
