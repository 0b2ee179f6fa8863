//! The few places where these tests look behind the protocol, all in this file.

use chatd::{
    core::{
        event::{Attempt, Verdict},
        name::NameRule,
        rooms::RoomsConfig,
        secret::Secret,
        session::SessionConfig,
        source::Source,
    },
    server::{
        fanout::{FanOut, Post},
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
use crossbeam_channel::Sender;
use std::{
    any::Any,
    net::{SocketAddr, TcpListener},
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

pub use chatd::core::rooms::ROOMS_MAX;

/// How long it takes to find that a password is wrong: where the account has another one, and where there is no account.
/// Taken in turns in one run, so that a busy machine is busy for both.
pub fn times_of_wrong_passwords(rounds: u8) -> [Vec<Duration>; 2] {
    let porter = Porter::default();
    let stored = porter.hash(&Secret::new("correct horse")).unwrap();
    let wrong = Secret::new("wrong horse");
    let mut times = [Vec::new(), Vec::new()];
    for i in 0..rounds {
        for (kind, stored) in [(0, Some(&stored)), (1, None)] {
            // Each from an address of its own and for a name of its own, or the delays would be measured.
            let name = format!("{kind}.{i}");
            let source = Source::of([10, kind, 0, i].into());
            let attempt = Attempt { name: &name, account: None, source, password: &wrong };
            let began = Instant::now();
            assert_eq!(porter.verify(&attempt, stored), Verdict::Wrong);
            times[usize::from(kind)].push(began.elapsed());
        }
    }
    times
}

/// The server, with a gate between the events channel and the fan-out: the fan-out of a real server is never slow for long.
/// No scope waits for its threads: a test that fails must end, and not wait for threads that wait for it.
pub struct GatedServer {
    pub address: SocketAddr,
    permit: mpsc::Sender<()>,
    events: Sender<Post>,
    server: Arc<Server<ChatHandler, Threading>>,
    threads: Arc<Threading>,
    ends: Vec<JoinHandle<()>>,
    /// What the server's own threads need to run on.
    _others: Box<dyn Any>,
}

impl GatedServer {
    pub fn start(events_max: usize) -> GatedServer {
        let (events, gate) = crossbeam_channel::bounded(events_max);
        let (behind, posts) = crossbeam_channel::bounded(1);
        let (flusher, flusher_thread) = FlusherQueue::new().unwrap();
        let (usher, usher_thread) = Usher::new(8);
        let (remembered, desk, reading, historian) = historian::open(&Memory::default()).unwrap();
        let an_hour = Duration::from_secs(3600);
        let handler = Arc::new(ChatHandler {
            session: SessionConfig::default(),
            limits: SlowLimits { high_water: 100_000_000, write_deadline: an_hour },
            login_deadline: an_hour,
            threads_max: 10,
            events: events.clone(),
            reading,
            porter: Porter::default(),
            flusher,
            usher,
            registry: Registry::new(10),
            totals: Arc::default(),
            house: parking_lot::Mutex::default(),
        });
        let threads = Arc::new(Threading::new(10, 256 * 1024));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Arc::new(Server::new(listener, handler, Arc::clone(&threads)));
        let address = server.local_addr().unwrap();

        let zone = jiff::tz::TimeZone::UTC;
        let config =
            RoomsConfig { backlog_lines: 0, names: NameRule::Ascii, zone, keeps_talk: false };
        let (status, totals, stop) = (Status::new("fanout"), Arc::default(), Box::new(|| {}));
        let (closes, closing) = crossbeam_channel::bounded(1);
        let fanout = FanOut { posts, closing, desk, high_water: 64 * 1024, stop, status, totals };
        let (permit, permits) = mpsc::channel();
        let serving = Arc::clone(&server);
        let ends = vec![
            thread::spawn(move || serving.serve_forever()),
            // The gatekeeper hands on one event for each permit; without permits to come, the gate is open.
            thread::spawn(move || {
                let pass = |event| drop(behind.send(event));
                permits.iter().map_while(|()| gate.recv().ok()).for_each(pass);
                gate.iter().for_each(pass);
            }),
            thread::spawn(move || {
                fanout.run(config, remembered);
                drop(closes);
            }),
        ];
        let _others = Box::new((flusher_thread, usher_thread, historian));
        GatedServer { address, permit, events, server, threads, ends, _others }
    }

    /// Lets one event pass.
    pub fn passes_one(&self) {
        self.permit.send(()).unwrap();
    }

    /// Events that wait.
    pub fn waiting(&self) -> usize {
        self.events.len()
    }

    /// Opens the gate for all that come.
    pub fn opens(&mut self) {
        self.permit = mpsc::channel().0;
    }

    /// Stops it and waits for its threads. Everybody has left.
    pub fn stops(self) {
        self.server.shutdown();
        self.threads.close();
        drop((self.server, self.events));
        self.ends.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
