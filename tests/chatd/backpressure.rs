//! A full events channel slows its talkers down, through TCP. It does not grow, loses nothing, and `/threads` shows it.

use crate::{
    harness::{Client, eventually},
    internals::GatedServer,
};
use std::{
    io::{ErrorKind, Write as _},
    thread,
    time::{Duration, Instant},
};

/// Events that may wait here: few, so that the channel is soon full.
const EVENTS_MAX: usize = 4;

#[test]
fn a_full_channel_slows_the_talker_and_loses_nothing() {
    let mut server = GatedServer::start(EVENTS_MAX);
    let [mut listener, mut talker] = ["listener", "talker"].map(|name| {
        server.passes_one();
        let mut client = Client::connect(server.address, name);
        client.asks_until(name, "*** Hello");
        client
    });
    listener.hears_until("*** talker entered lobby");

    // The gate is closed. The talker talks until its socket takes no more: TCP has stopped it.
    talker.stream().set_nonblocking(true).unwrap();
    let mut said: Vec<u8> = Vec::new();
    let (mut sent, mut lines, mut stuck_since) = (0, 0, None);
    eventually("the talker is stopped", || {
        loop {
            while said.len() < sent + 4096 {
                said.extend(format!("{lines} {}\n", "x".repeat(100)).as_bytes());
                lines += 1;
            }
            match talker.stream().write(&said[sent..]) {
                Ok(n) => (sent, stuck_since) = (sent + n, None),
                Err(e) => {
                    assert_eq!(e.kind(), ErrorKind::WouldBlock);
                    let stuck_since = *stuck_since.get_or_insert_with(Instant::now);
                    let is_stuck = stuck_since.elapsed() > Duration::from_millis(300);
                    return is_stuck && server.waiting() >= EVENTS_MAX;
                }
            }
            assert!(sent < 200_000_000, "nothing slows the talker down");
        }
    });
    assert_eq!(server.waiting(), EVENTS_MAX, "the channel does not grow");

    // The window on it asks nobody, and so it still works.
    eventually("/threads shows the talker waiting", || {
        listener.asks_until("/threads", "*** c").contains(":listener")
            && listener.reads().unwrap().contains("waiting for the channel")
    });

    // One that is stopped, too, has first been answered what it asked before.
    listener.asks_until("/help quit\nI wait, too", "*** /quit [WHY]");

    // The gate opens, and every line arrives.
    server.opens();
    talker.stream().set_nonblocking(false).unwrap();
    let writing = thread::spawn(move || {
        talker.sends(&said[sent..]);
        talker
    });
    for i in 0..lines {
        let line = listener.hears_until("<talker> ");
        assert!(line.starts_with(&format!("<talker> {i} ")), "line {i} is missing: {line:?}");
    }
    for mut client in [listener, writing.join().unwrap()] {
        client.asks_until("/quit", "*** Goodbye.");
    }
    server.stops();
}
