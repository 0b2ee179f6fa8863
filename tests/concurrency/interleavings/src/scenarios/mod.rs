//! What is played: each a few threads that do what chatd's threads do, and what must come of it in every order.

mod accept;
mod browser;
mod disk;
mod fanout;
mod flusher;
mod handover;
mod history;
mod outbox;
mod read;
mod registry;
mod server;
mod shutdown;
mod slow;
mod threads;
mod view;
mod web;

use crate::{
    core::event::ClientId,
    model::net::{Peer, connection},
    origin::Origin,
    server::client::{
        flusher::FlusherQueue,
        outbox::{SlowLimits, WriterHandle},
    },
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What must hold.
    pub(crate) what: &'static str,
    pub(crate) run: fn(),
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "outbox",
        what: "Two that send and the flusher: every line whole, in one order, and none is left lying.",
        run: outbox::run,
    },
    Scenario {
        name: "tls",
        what: "The same, encrypted, and the client types: each record whole, in its order, and none is left lying.",
        run: outbox::run_encrypted,
    },
    Scenario {
        name: "browser",
        what: "A browser that pings and talks: whole frames, a pong for each ping, one end, and nothing behind it.",
        run: browser::run,
    },
    Scenario {
        name: "flusher",
        what: "Two clients on its list: none is forgotten, and no wake-up is lost.",
        run: flusher::run,
    },
    Scenario {
        name: "slow",
        what: "A slow consumer is hung up: whole lines and the reason, whoever sends meanwhile.",
        run: slow::run,
    },
    Scenario {
        name: "registry",
        what: "Who comes while it closes is hung up or turned away; the last one to leave is noticed.",
        run: registry::run,
    },
    Scenario {
        name: "threads",
        what: "Never more threads than the bound, and no place is lost.",
        run: threads::run,
    },
    Scenario {
        name: "accept",
        what: "An accept loop rests, goes on and ends; each connection is served once.",
        run: accept::run,
    },
    Scenario {
        name: "history",
        what: "Nothing is shown before it is written; every line once, in one order for all.",
        run: history::run,
    },
    Scenario {
        name: "disk",
        what: "The disk fails, and works again: all is shown once, and written once, or said to be lost.",
        run: disk::run,
    },
    Scenario {
        name: "shutdown",
        what: "A graceful stop: all that was accepted is delivered, and every thread ends.",
        run: shutdown::run,
    },
    Scenario {
        name: "handover",
        what: "Threads rest and go on; the chat that is left has all that was said, and nothing is lost.",
        run: handover::run,
    },
    Scenario {
        name: "web",
        what: "Browsers come by thread `web`: each is served, with all that it has sent, or told why not; and every thread ends.",
        run: web::run,
    },
    Scenario {
        name: "view",
        what: "Some look, come and go: every slot is told once, and thread `view` runs while somebody looks.",
        run: view::run,
    },
];

/// Lines that may be shown. `None`: nobody checks.
static WRITTEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// At the beginning of each schedule.
pub(crate) fn reset() {
    *WRITTEN.lock().unwrap() = None;
    crate::store::reset();
}

/// From now on, what members say must not be sent before it is written.
fn check_what_is_sent() {
    *WRITTEN.lock().unwrap() = Some(HashSet::new());
}

/// The store has this line.
pub(crate) fn note_written(line: &str) {
    if let Some(written) = &mut *WRITTEN.lock().unwrap() {
        written.insert(line.to_owned());
    }
}

/// The network is about to take these bytes.
pub(crate) fn on_send(bytes: &[u8]) {
    let early = WRITTEN.lock().unwrap().as_ref().and_then(|written| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let said = text.lines().filter(|line| line.starts_with('<'));
        said.map(str::to_owned).find(|line| !written.contains(line))
    });
    assert!(early.is_none(), "{early:?} is shown before it is written");
}

/// More than any scenario sends.
const AMPLE: usize = 1 << 16;
const LIMITS: SlowLimits =
    SlowLimits { high_water: AMPLE, write_deadline: Duration::from_secs(3600) };

/// A connected client, over whose connection `space` bytes may be on their way.
fn client(
    number: ClientId,
    space: usize,
    limits: SlowLimits,
    flusher: &Arc<FlusherQueue>,
) -> (Arc<WriterHandle>, Peer) {
    let (socket, peer) = connection(space);
    let handle = WriterHandle::new(number, socket, Origin::Uid(1), limits, flusher.clone());
    (handle, peer)
}
