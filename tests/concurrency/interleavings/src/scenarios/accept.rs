//! An accept loop, which is paused, goes on, runs out of descriptors and is shut down.

use crate::{
    model::{
        channel::bounded,
        net::{Listener, connection},
        random,
    },
    origin::Origin,
    socketserver::{Connection, Handler, Inline, Server},
};
use shuttle::thread::{self, spawn};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

#[derive(Default)]
struct Counting(AtomicUsize);

impl Handler for Counting {
    fn handle(&self, _connection: Connection) -> anyhow::Result<()> {
        self.0.fetch_add(1, Relaxed);
        Ok(())
    }
}

pub(super) fn run() {
    let (connects, queue) = bounded(8);
    let handler = Arc::<Counting>::default();
    let listener = Listener::new(queue);
    let server = Arc::new(Server::new(listener, handler.clone(), Arc::new(Inline)));
    let accepting = spawn({
        let server = server.clone();
        move || server.serve_forever()
    });
    let connecting = spawn(move || {
        for _ in 0..3 {
            connects.send((connection(1).0, Origin::Uid(1))).unwrap();
        }
        connects
    });
    if random(2) == 0 {
        while !server.pause(true) {
            server.listener().interrupt();
            thread::yield_now();
        }
        // It rests: nobody is served.
        let served = handler.0.load(Relaxed);
        thread::yield_now();
        assert_eq!(handler.0.load(Relaxed), served);
        server.pause(false);
    }
    let connects = connecting.join().unwrap();
    while handler.0.load(Relaxed) < 3 {
        thread::yield_now();
    }
    // From here on it has no descriptors left, perhaps.
    server.listener().fail(random(2));
    server.shutdown();
    accepting.join().unwrap();
    drop(connects);
    assert_eq!(handler.0.load(Relaxed), 3);
}
