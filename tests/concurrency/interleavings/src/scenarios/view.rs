//! Some look at the view, come and go, and the server stops. (See stand_ins/server/view.)

use crate::{
    model::{
        channel::bounded,
        net::{Peer, connection},
        random, time,
    },
    server::{options::Options, view::View},
};
use serde_json::Value;
use shuttle::thread::{spawn, yield_now};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

const LOOKERS: usize = 3;
const TICK: Duration = Duration::from_millis(100);

pub(super) fn run() {
    let view = Arc::new(View::new(&Options::new(1)));
    let (begins, begun) = bounded(LOOKERS);
    let mut threads = Vec::new();
    for _ in 0..LOOKERS {
        let (socket, peer) = connection(16 + random(80));
        let (view, begins, goes) = (view.clone(), begins.clone(), random(2) == 0);
        threads.push(spawn(move || drop(view.looks(socket))));
        threads.push(spawn(move || looks(&peer, goes, || drop(begins.send(())))));
    }
    drop(begins);
    let is_over = Arc::new(AtomicBool::new(false));
    let clock = spawn({
        let is_over = is_over.clone();
        move || {
            while !is_over.load(Relaxed) {
                time::pass(TICK);
                yield_now();
            }
        }
    });
    // Everybody is shown something; or the server stops before that.
    if random(4) > 0 {
        (0..LOOKERS).for_each(|_| begun.recv().unwrap());
    }
    is_over.store(true, Relaxed);
    clock.join().unwrap();
    view.close(); // thread `view` has ended, though no time passes any more
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// A page: it sends its ticket, reads, asks for everything once more, and perhaps goes.
fn looks(peer: &Peer, goes: bool, begins: impl Fn()) {
    peer.write(b"t");
    let mut read = Vec::new();
    for i in 0.. {
        let some = peer.read();
        if some.is_empty() {
            break;
        }
        read.extend(some);
        match i {
            0 => begins(),
            2 if goes => peer.end(),
            1 | 3 => peer.write(b"a"),
            _ => {}
        }
    }
    peer.end();
    check(&read);
}

/// Every slot is told once: by itself, in a sum, or in all that there is. (The last frame may be torn:
/// the connection ends when the socket takes no more.)
fn check(mut bytes: &[u8]) {
    let (mut said, mut is_over) = (Vec::new(), false);
    while let [kind, length, rest @ ..] = bytes {
        let length = usize::from(*length);
        assert!(length < 126 && !is_over);
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        match kind {
            0x81 => said.push(serde_json::from_slice::<Value>(payload).expect("JSON")),
            0x88 => is_over = true,
            _ => panic!("no frame begins with {kind}"),
        }
        bytes = rest;
    }
    let mut last = None;
    for one in said.iter().filter(|one| !one["t"].is_null()) {
        let [end, count] = ["t", "n"].map(|key| one[key].as_u64().expect("a number"));
        assert!(one["all"] == true || last.is_some_and(|last| end == last + count), "{said:?}");
        last = Some(end);
    }
}
