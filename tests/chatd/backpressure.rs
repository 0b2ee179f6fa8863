//! A full events channel slows its talkers down, through TCP. It does not grow, loses nothing, and `/threads` shows it.
//!
//! The fan-out of a real server is never slow for long. Here it stands behind a gate that the test opens and closes, so
//! the server runs inside the test.

use crate::harness::{Client, eventually};
use chatd::{
    core::{name::NameRule, rooms::RoomsConfig, session::SessionConfig},
    server::{
        fanout::FanOut,
        flusher::FlusherQueue,
        handler::ChatHandler,
        historian::{self, Memory},
        porter::Porter,
        registry::Registry,
        status::Status,
        usher::Usher,
        writer::SlowLimits,
    },
    socketserver::{MixIn as _, Server, Threading},
};
use parking_lot::Mutex;
use std::{
    io::{ErrorKind, Write as _},
    net::TcpListener,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

/// Events that may wait here: few, so that the channel is soon full.
const EVENTS_MAX: usize = 4;

#[test]
fn a_full_channel_slows_the_talker_and_loses_nothing() {
    let (events, gate) = crossbeam_channel::bounded(EVENTS_MAX);
    let (behind, posts) = crossbeam_channel::bounded(1);
    let (flusher, _flusher_thread) = FlusherQueue::new().unwrap();
    let (usher, _usher_thread) = Usher::new(8);
    let (remembered, desk, reading, _historian) = historian::open(&Memory::default()).unwrap();
    let handler = Arc::new(ChatHandler {
        session: SessionConfig::default(),
        limits: SlowLimits { high_water: 100_000_000, write_deadline: Duration::from_secs(3600) },
        login_deadline: Duration::from_secs(3600),
        threads_max: 10,
        events: events.clone(),
        reading,
        porter: Porter::default(),
        flusher,
        usher,
        registry: Registry::new(10),
        totals: Arc::default(),
        house: Mutex::default(),
    });
    let threads = Arc::new(Threading::new(10, 256 * 1024));
    let server = Arc::new(Server::new(
        TcpListener::bind("127.0.0.1:0").unwrap(),
        handler,
        Arc::clone(&threads),
    ));
    let address = server.local_addr().unwrap();

    // The gatekeeper hands on so many events, one for each permit. (No scope waits for these threads: a test that fails
    // must end, and not wait for threads that wait for it.)
    let (permit, permits) = mpsc::channel::<()>();
    let zone = jiff::tz::TimeZone::UTC;
    let config = RoomsConfig { backlog_lines: 0, names: NameRule::Ascii, zone, keeps_talk: false };
    let (status, totals, stop) = (Status::new("fanout"), Arc::default(), Box::new(|| {}));
    let (_closing, closing) = crossbeam_channel::bounded(1);
    let fanout = FanOut { posts, closing, desk, high_water: 64 * 1024, stop, status, totals };
    let fanout = thread::spawn(move || fanout.run(config, remembered));
    let gatekeeper = thread::spawn(move || {
        for _ in permits {
            let Ok(post) = gate.recv() else { return };
            let _ = behind.send(post);
        }
        for post in gate {
            let _ = behind.send(post); // the gate stays open
        }
    });
    let serving = Arc::clone(&server);
    let accepting = thread::spawn(move || serving.serve_forever());

    let [mut listener, mut talker] = ["listener", "talker"].map(|name| {
        permit.send(()).unwrap();
        let mut client = Client::connect(address, name);
        client.says(name);
        client.hears_until("*** Hello");
        client
    });
    listener.hears_until("*** talker entered lobby");

    // The gate is closed. The talker talks until its socket takes no more: TCP has stopped it.
    talker.stream().set_nonblocking(true).unwrap();
    let mut said: Vec<u8> = Vec::new();
    let mut sent = 0;
    let mut lines = 0;
    let mut stuck_since = None;
    loop {
        while said.len() < sent + 4096 {
            said.extend(format!("{lines} {}\n", "x".repeat(100)).as_bytes());
            lines += 1;
        }
        match talker.stream().write(&said[sent..]) {
            Ok(n) => (sent, stuck_since) = (sent + n, None),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                let since = stuck_since.get_or_insert_with(std::time::Instant::now);
                if since.elapsed() > Duration::from_millis(300) && events.is_full() {
                    break;
                }
                thread::yield_now();
            }
            Err(e) => panic!("{e}"),
        }
        assert!(sent < 200_000_000, "nothing slows the talker down");
    }
    assert_eq!(events.len(), EVENTS_MAX, "the channel does not grow");

    // The window on it asks nobody, and so it still works.
    eventually("/threads shows the talker waiting", || {
        listener.says("/threads");
        listener.hears_until("*** c").contains(":listener");
        listener.reads().unwrap().contains("waiting for the channel")
    });

    // Who is stopped, too, has first been answered what it asked before.
    listener.says("/help quit\nI wait, too");
    listener.hears_until("*** /quit [WHY]");

    // The gate opens, and every line arrives.
    drop(permit);
    talker.stream().set_nonblocking(false).unwrap();
    let rest = said[sent..].to_vec();
    let writing = thread::spawn(move || {
        talker.sends(&rest);
        talker
    });
    for i in 0..lines {
        let line = listener.hears_until("<talker> ");
        assert!(line.starts_with(&format!("<talker> {i} ")), "line {i} is missing: {line:?}");
    }
    let mut talker = writing.join().unwrap();
    for client in [&mut listener, &mut talker] {
        client.says("/quit");
        client.hears_until("*** Goodbye.");
    }
    drop((listener, talker));
    server.shutdown();
    threads.close();
    drop(server);
    drop(events);
    for thread in [accepting, gatekeeper, fanout] {
        thread.join().unwrap();
    }
}
