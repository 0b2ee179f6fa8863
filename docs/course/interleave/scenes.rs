//! What two threads do: the mistakes of the rooms, step by step, and each one mended.

use super::scheduler::Turn;
use parking_lot::Mutex;

/// What the threads share. (Only one of them runs at a time, so its lock here is never waited for; the locks of a scene
/// are [`Turn::locks`].)
#[derive(Default)]
pub struct Memory {
    /// The names that are taken.
    names: Vec<&'static str>,
    /// What a reader has received.
    wire: String,
    count: u32,
}

/// Two threads, each of which runs `program`.
pub struct Scene {
    pub name: &'static str,
    pub threads: [&'static str; 2],
    pub locks: &'static [&'static str],
    pub program: fn(&Turn<'_>, &Mutex<Memory>),
    /// What is wrong at the end, if something is. (That nobody can go on is seen without it.)
    pub wrong: fn(&Memory) -> Option<String>,
}

const TALKERS: [&str; 2] = ["c1", "c2"];

pub const SCENES: &[Scene] = &[
    scene("count", &[], count, lost_update),
    scene("count-mended", &["count"], count_mended, lost_update),
    scene("room-torn", &[], room_torn, torn),
    scene("room-torn-mended", &[], room_torn_mended, torn),
    scene("room-names", &["names"], room_names, twice),
    scene("room-names-mended", &["names"], room_names_mended, twice),
    scene("room-deadlock", &["red", "blue"], room_deadlock, |_| None),
    scene("room-deadlock-mended", &["red", "blue"], room_deadlock_mended, |_| None),
];

const fn scene(
    name: &'static str,
    locks: &'static [&'static str],
    program: fn(&Turn<'_>, &Mutex<Memory>),
    wrong: fn(&Memory) -> Option<String>,
) -> Scene {
    Scene { name, threads: TALKERS, locks, program, wrong }
}

/// `count += 1` is three steps for a processor.
fn count(turn: &Turn<'_>, memory: &Mutex<Memory>) {
    let read = turn.does(|| {
        let count = memory.lock().count;
        (format!("reads {count}"), count)
    });
    let sum = turn.does(|| (format!("adds 1: {}", read + 1), read + 1));
    turn.does(|| {
        memory.lock().count = sum;
        (format!("writes {sum}"), ())
    });
}

fn count_mended(turn: &Turn<'_>, memory: &Mutex<Memory>) {
    turn.locks(0);
    count(turn, memory);
    turn.lets_go(0);
}

fn lost_update(memory: &Memory) -> Option<String> {
    (memory.count != 2).then(|| format!("two have counted, and the count is {}", memory.count))
}

/// `writeln!` sends a line in pieces.
fn room_torn(turn: &Turn<'_>, memory: &Mutex<Memory>) {
    for piece in [format!("<c{}> ", turn.me + 1), "hello".into(), "\n".into()] {
        turn.does(|| {
            memory.lock().wire += &piece;
            (format!("sends {piece:?}"), ())
        });
    }
}

fn room_torn_mended(turn: &Turn<'_>, memory: &Mutex<Memory>) {
    let line = turn.does(|| {
        let line = format!("<c{}> hello\n", turn.me + 1);
        (format!("makes {line:?}"), line)
    });
    turn.does(|| {
        memory.lock().wire += &line;
        (format!("sends {line:?}"), ())
    });
}

fn torn(memory: &Memory) -> Option<String> {
    let is_whole = |line: &str| matches!(line, "<c1> hello" | "<c2> hello");
    (!memory.wire.lines().all(is_whole)).then(|| format!("a reader reads {:?}", memory.wire))
}

/// Looks, asks, and takes the name later.
fn room_names(turn: &Turn<'_>, memory: &Mutex<Memory>) {
    turn.locks(0);
    let is_free = looks(turn, memory);
    turn.lets_go(0);
    if is_free {
        turn.does(|| ("is asked, and says yes".into(), ()));
        turn.locks(0);
        takes(turn, memory);
        turn.lets_go(0);
    }
}

/// Is asked first; looks and takes under one lock.
fn room_names_mended(turn: &Turn<'_>, memory: &Mutex<Memory>) {
    turn.does(|| ("is asked, and says yes".into(), ()));
    turn.locks(0);
    if looks(turn, memory) {
        takes(turn, memory);
    }
    turn.lets_go(0);
}

fn looks(turn: &Turn<'_>, memory: &Mutex<Memory>) -> bool {
    turn.does(|| {
        let is_free = memory.lock().names.is_empty();
        (format!("looks: ann is {}", if is_free { "free" } else { "taken" }), is_free)
    })
}

fn takes(turn: &Turn<'_>, memory: &Mutex<Memory>) {
    turn.does(|| {
        memory.lock().names.push("ann");
        ("takes ann".into(), ())
    });
}

fn twice(memory: &Memory) -> Option<String> {
    (memory.names.len() > 1).then(|| "two are called ann".into())
}

/// c1 moves from red to blue, c2 from blue to red. Each locks the room where it is, then the other one.
fn room_deadlock(turn: &Turn<'_>, _: &Mutex<Memory>) {
    moves(turn, turn.me, 1 - turn.me);
}

/// Both lock red first: the locks have an order.
fn room_deadlock_mended(turn: &Turn<'_>, _: &Mutex<Memory>) {
    moves(turn, 0, 1);
}

fn moves(turn: &Turn<'_>, first: usize, second: usize) {
    turn.locks(first);
    turn.locks(second);
    turn.does(|| ("moves".into(), ()));
    turn.lets_go(second);
    turn.lets_go(first);
}
