//! Two accept loops share one bound.

use crate::{
    model::{net::connection, point},
    origin::Origin,
    socketserver::{Connection, Handler, MixIn as _, Refusal, Threading},
};
use shuttle::thread::{self, spawn};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

const MOST: usize = 2;

/// Counts who is served at the same time. (Counters that are no points of the schedule.)
#[derive(Default)]
struct Counting {
    now: AtomicUsize,
    most: AtomicUsize,
    served: AtomicUsize,
}

impl Handler for Counting {
    fn handle(&self, _connection: Connection) -> anyhow::Result<()> {
        let now = self.now.fetch_add(1, Relaxed) + 1;
        self.most.fetch_max(now, Relaxed);
        point();
        self.now.fetch_sub(1, Relaxed);
        self.served.fetch_add(1, Relaxed);
        Ok(())
    }
}

/// Whether it is served.
fn process(threads: &Threading, number: u64, handler: &Arc<Counting>) -> bool {
    let (stream, _) = connection(1);
    let connection = Connection { number, stream, peer: Origin::Uid(1), others: 0, kind: 0 };
    match threads.process(connection, handler) {
        Ok(()) => true,
        Err((_, Refusal::Full { most })) => {
            assert_eq!(most, MOST);
            false
        }
        Err((_, Refusal::NoThread { .. })) => panic!("there are threads"),
    }
}

pub(super) fn run() {
    let (threads, handler) = (Arc::new(Threading::new(MOST, 1 << 18)), Arc::<Counting>::default());
    let accepting = [1, 4].map(|first| {
        let (threads, handler) = (threads.clone(), handler.clone());
        spawn(move || {
            (first..first + 3).filter(|&number| process(&threads, number, &handler)).count()
        })
    });
    let accepted: usize = accepting.into_iter().map(|accepts| accepts.join().unwrap()).sum();
    while threads.running() > 0 {
        thread::yield_now();
    }
    // Nobody is served any more, so there is a place for each.
    for number in 10..10 + MOST as u64 {
        assert!(process(&threads, number, &handler), "a place is lost");
    }
    threads.close();
    assert_eq!(handler.served.load(Relaxed), accepted + MOST);
    assert!(handler.most.load(Relaxed) <= MOST, "more threads than the bound");
}
