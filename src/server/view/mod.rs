//! The view: what every thread does, told ten times a second to whoever looks at it in a browser.
//!
//! ```text
//!  every thread ──> its Status ──┐          view                                v1
//!  every lock ───> its waits ────┼──> look ─> slot ─> one JSON ──> each looker  <── what the page wants
//!  queues, totals ───────────────┘    (10 a second)                (8 at most; who is slow is left out)
//! ```
//!
//! Thread `view` runs while somebody looks. It reads what the threads have noted about themselves and
//! takes no lock that may be held for long, so the picture goes on when something hangs, which is
//! when it is wanted. What it costs is one of the numbers that it tells.

mod chrome_trace;
mod hello;
mod looker;
mod lookers;
pub(crate) mod queues;
mod recording;
mod round;
mod sampler;
mod session;
mod slot;
#[cfg(test)]
mod tests;
mod warnings;
mod way;

use super::{
    client::{handler::ChatHandler, waiting::Begun},
    options::Options,
};
use crate::socketserver::{MixIn as _, Threading, hand_in};
use lookers::{COMING_MAX, LOOKERS_MAX, Lookers};
use session::LookerHandler;
use std::{
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

/// Threads: for both, and for those who have to go and have not gone yet.
const THREADS_MAX: usize = LOOKERS_MAX + 2 * COMING_MAX;
/// The stack of a looker's thread.
const LOOKER_STACK: usize = 256 * 1024;

/// The view of a server.
pub(crate) struct View {
    lookers: Arc<Lookers>,
    threads: Threading,
}

impl View {
    pub(crate) fn new(options: &Options) -> View {
        let lookers = Arc::new(Lookers::new(options));
        View { lookers, threads: Threading::new(THREADS_MAX, LOOKER_STACK) }
    }

    /// A browser's connection has become a WebSocket of somebody who wants to look. Does not
    /// wait.
    pub(crate) fn hand_in(
        &self,
        chat: &Arc<ChatHandler>,
        (stream, peer): (TcpStream, SocketAddr),
        begun: Arc<Begun>,
    ) {
        let (lookers, chat) = (Arc::clone(&self.lookers), Arc::clone(chat));
        let handler = Arc::new(LookerHandler { lookers, chat, begun });
        hand_in(&handler, &self.threads, (stream, peer.into()), 0);
    }

    /// The server stops: everybody who looks is told, and their threads end.
    pub(crate) fn close(&self) {
        self.lookers.close();
        self.threads.close();
    }
}
