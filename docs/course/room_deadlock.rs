//! Step 12, two rooms and two locks: `/move` needs both. Port 5000. `room-deadlock [ADDR:PORT] [CURE]`; without a cure two
//! who move at once may wait for each other for ever. `room-deadlock 0 time` measures the cures.

use anyhow::Context as _;
use chatd::socketserver::{
    Connection, Handler, Server, Threading,
    program::{self, CtrlC},
};
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// Bytes of a line.
const LINE_MAX: u64 = 64;
/// Whoever waits for a lock this long says for whom.
const PATIENCE: Duration = Duration::from_secs(1);
/// Moves of each thread when the cures are measured.
const MOVES: u32 = 100_000;

/// How `/move` gets its two locks.
#[derive(Clone, Copy, PartialEq)]
enum Cure {
    /// None: the room where one is, then the room where one goes. Two who go in opposite directions may deadlock.
    None,
    /// Always red first: with one order there is no circle.
    RedFirst,
    /// If the second lock is not free, lets go of the first, and begins again.
    Try,
    /// One more lock, for whoever moves: nobody else moves meanwhile.
    One,
    /// Never holds two: leaves, and then enters. In between one is in no room. chatd's rule.
    Never,
}

const CURES: [(&str, Cure); 5] = [
    ("none", Cure::None),
    ("order", Cure::RedFirst),
    ("try", Cure::Try),
    ("one", Cure::One),
    ("never", Cure::Never),
];

/// A room: who is in it.
#[derive(Default)]
struct Room {
    members: Mutex<BTreeSet<u64>>,
    /// Who had the lock last.
    holder: AtomicU64,
}

struct Rooms {
    cure: Cure,
    rooms: [Room; 2],
    moving: Mutex<()>,
}

const NAMES: [&str; 2] = ["red", "blue"];

impl Rooms {
    fn new(cure: Cure) -> Rooms {
        Rooms { cure, rooms: Default::default(), moving: Mutex::default() }
    }

    /// Locks a room, and says every second for whom it waits.
    fn lock(&self, me: u64, room: usize) -> MutexGuard<'_, BTreeSet<u64>> {
        let Room { members, holder } = &self.rooms[room];
        loop {
            if let Some(guard) = members.try_lock_for(PATIENCE) {
                holder.store(me, Relaxed);
                return guard;
            }
            let holder = holder.load(Relaxed);
            program::say(&format!("c{me} waits for {}, which c{holder} holds", NAMES[room]));
        }
    }

    fn moves(&self, me: u64, from: usize, to: usize) {
        let moving = (self.cure == Cure::One).then(|| self.moving.lock());
        let (mut old, mut new) = match self.cure {
            Cure::None | Cure::One => {
                let old = self.lock(me, from);
                (old, self.lock(me, to)) // and here two who meet stand for ever
            }
            Cure::RedFirst => {
                let (red, blue) = (self.lock(me, 0), self.lock(me, 1));
                if from == 0 { (red, blue) } else { (blue, red) }
            }
            Cure::Try => loop {
                let old = self.lock(me, from);
                if let Some(new) = self.rooms[to].members.try_lock() {
                    break (old, new);
                }
                drop(old);
                thread::yield_now(); // the other one may be about to do the same
            },
            Cure::Never => {
                self.lock(me, from).remove(&me);
                self.lock(me, to).insert(me);
                return;
            }
        };
        old.remove(&me);
        new.insert(me);
        drop((old, new, moving));
    }
}

impl Handler for Rooms {
    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let (me, mut at) = (connection.number, (connection.number + 1) as usize % 2);
        let mut client = BufReader::new(connection.stream);
        self.lock(me, at).insert(me);
        let mut said = format!("You are c{me}, in {}. /move moves you.", NAMES[at]);
        let mut line = Vec::new();
        loop {
            client.get_ref().write_all(format!("{said}\n").as_bytes())?;
            line.clear();
            if !matches!(client.by_ref().take(LINE_MAX).read_until(b'\n', &mut line), Ok(1..)) {
                self.lock(me, at).remove(&me);
                return Ok(());
            }
            if line.trim_ascii() == b"/move" {
                self.moves(me, at, 1 - at);
                at = 1 - at;
            }
            said = format!("You are in {}.", NAMES[at]);
        }
    }
}

/// Two threads move to and fro, in opposite directions.
fn measure() {
    for (name, cure) in CURES.into_iter().skip(1) {
        let rooms = Rooms::new(cure);
        let begin = Instant::now();
        thread::scope(|scope| {
            for (me, start) in [(1, 0), (2, 1)] {
                let rooms = &rooms;
                scope.spawn(move || {
                    (0..MOVES).for_each(|n| {
                        let from = (start + n as usize) % 2;
                        rooms.moves(me, from, 1 - from);
                    });
                });
            }
        });
        let each = begin.elapsed().as_nanos() / u128::from(2 * MOVES);
        program::say(&format!("{name:<8}{each:>6} ns a move"));
    }
}

fn main() -> anyhow::Result<()> {
    let word = std::env::args().nth(2).unwrap_or("none".into());
    if word == "time" {
        measure();
        return Ok(());
    }
    let cure = CURES.iter().find(|(name, _)| *name == word);
    let (_, cure) = cure.context("CURE is one of none, order, try, one, never")?;
    let ctrl_c = CtrlC::new()?;
    let listener = program::listen("127.0.0.1:5000")?;
    let threads = Arc::new(Threading::new(64, 128 << 10));
    let server = Server::new(listener, Arc::new(Rooms::new(*cure)), threads);
    thread::spawn(move || server.serve_forever());
    ctrl_c.wait();
    Ok(()) // the threads end with the process: nobody can join one that waits for ever
}
