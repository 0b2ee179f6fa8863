//! The web port: one thread that speaks HTTP with all browsers, and hands on those whose connection
//! becomes a WebSocket. Runs on thread `web`.
//!
//! ```text
//!             web                                  c7:alice
//! TCP ──> accept ──> head ──> the page's files         ┌──> read ─> … as any client
//!                     └─────> /chat: 101 ──> hand_in ──┘
//! ```
//!
//! A browser opens connections ahead of need and says nothing on them, and keeps others open: 500
//! browsers are up to 1,000 sockets on which nothing happens. A thread for each would be most of
//! the server's threads. So one thread waits for all of them in `poll`, as the flusher does for slow
//! clients, and none of what it does for one of them waits for that one.

mod answer;
mod assets;
mod connection;
mod head;
mod join;
pub(crate) mod listener;
mod metrics;

use crate::{
    lock::assert_no_lock_held,
    server::{
        client::{admission::BrowserHandler, handler::ChatHandler, waiting::Begun},
        net::{self, Waker},
        proxies::Proxies,
        status::{Activity, Status},
        tls::connection::TlsConnection,
        turned_away::{Reason, TurnedAway},
        view::View,
        watch::Watch,
    },
    socketserver::{AcceptLog, OUT_OF_DESCRIPTORS, Threading, hand_in},
};
use answer::{Port, Rules, Target};
use connection::{Connection, Next, Upgraded};
use listener::WebListeners;
use metrics::Metrics;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

/// The most connections that are no WebSockets: two for each of 512 browsers.
pub(crate) const CONNECTIONS_MAX: usize = 1024;
/// The most that are accepted before those that are open get their turn.
const ACCEPTED_AT_ONCE: usize = 64;
/// How late a time limit may be noticed. With a thousand connections each has another one.
const ROUND: Duration = Duration::from_millis(250);

/// Stops the thread.
#[derive(Clone)]
pub(crate) struct WebStop(Arc<Bell>);

struct Bell {
    waker: Waker,
    stopping: AtomicBool,
}

impl WebStop {
    /// The thread ends as soon as it notices, and closes what is no WebSocket.
    pub(crate) fn stop(&self) {
        self.0.stopping.store(true, SeqCst);
        self.0.waker.wake();
    }
}

/// The thread.
pub(crate) struct Web {
    listeners: Vec<TcpListener>,
    /// What each of them is for.
    ports: Vec<Port>,
    rules: Rules,
    /// The most connections that are no WebSockets.
    most: usize,
    handler: Arc<ChatHandler>,
    threads: Arc<Threading>,
    view: Arc<View>,
    bell: Arc<Bell>,
    status: Arc<Status>,
    /// It is out of descriptors or memory, and accepts nobody until then.
    fails_until: Option<Instant>,
    log: AcceptLog,
}

/// How the thread is to answer.
pub(crate) struct WebConfig {
    pub(crate) proxies: Proxies,
    pub(crate) chat_port: u16,
    pub(crate) most: usize,
}

impl Web {
    /// The thread's work, and what stops it.
    pub(crate) fn new(
        opened: WebListeners,
        config: WebConfig,
        (handler, threads, view): (&Arc<ChatHandler>, &Arc<Threading>, &Arc<View>),
        watch: Watch,
    ) -> io::Result<(Web, WebStop)> {
        let pages = opened.pages();
        let WebListeners { mut listeners, encrypted, metrics, names, status } = opened;
        let mut ports = vec![Port::Page; listeners.len()];
        ports.extend(encrypted.iter().map(|_| Port::Encrypted));
        ports.extend(metrics.iter().map(|_| Port::Metrics));
        listeners.extend(encrypted.into_iter().chain(metrics));
        for listener in &listeners {
            listener.set_nonblocking(true)?;
        }
        let bell = Arc::new(Bell { waker: Waker::new()?, stopping: AtomicBool::new(false) });
        let WebConfig { proxies, chat_port, most } = config;
        let metrics = Metrics::new(Arc::clone(handler), watch);
        let web = Web {
            listeners,
            ports,
            rules: Rules { names, proxies, chat_port, pages, metrics },
            most,
            handler: Arc::clone(handler),
            threads: Arc::clone(threads),
            view: Arc::clone(view),
            bell: Arc::clone(&bell),
            status,
            fails_until: None,
            log: AcceptLog::new("web: "),
        };
        Ok((web, WebStop(bell)))
    }

    /// Runs until [`WebStop::stop`].
    pub(crate) fn run(mut self) {
        self.status.attach();
        let mut all: Vec<Connection> = Vec::new();
        loop {
            self.status.set(Activity::WaitingForBrowsers);
            let ready = self.wait(&all).unwrap_or_else(|e| {
                log::error!("web: poll: {e}; trying again in 0.1 s");
                std::thread::sleep(Duration::from_millis(100));
                Vec::new()
            });
            self.status.set(Activity::Working);
            self.bell.waker.clear();
            if self.bell.stopping.load(SeqCst) {
                return self.status.set(Activity::Ended);
            }
            let now = Instant::now();
            let is_ready = |at: usize| ready.get(at).copied().unwrap_or(false);
            let mut next = Vec::with_capacity(all.len());
            for (at, connection) in all.into_iter().enumerate() {
                match connection.go_on(is_ready(at), &self.rules, now) {
                    Next::Stay(connection) => next.push(connection),
                    Next::Gone => {}
                    Next::NoTls(peer, error) => self.note_failed(peer, &error),
                    Next::Switch(upgraded) => self.hand_on(upgraded),
                }
            }
            all = next;
            self.accept(&mut all, now);
        }
    }

    /// Waits for any of the connections. Returns which of them are ready.
    fn wait(&self, all: &[Connection]) -> io::Result<Vec<bool>> {
        let now = Instant::now();
        let first = all.iter().map(Connection::until).chain(self.fails_until).min();
        let at_most = match all.iter().any(Connection::is_due) {
            true => Some(Duration::ZERO),
            false => first.map(|first| first.saturating_duration_since(now).max(ROUND)),
        };
        let listeners = if self.fails_until.is_some() { &[][..] } else { &self.listeners };
        let sockets = all.iter().map(|one| (&one.stream, one.wants_to_send()));
        assert_no_lock_held("browsers");
        net::wait_any(&self.bell.waker, listeners, sockets, at_most)
    }

    fn accept(&mut self, all: &mut Vec<Connection>, now: Instant) {
        if self.fails_until.is_some_and(|until| now < until) {
            return;
        }
        self.fails_until = None;
        for (listener, &port) in self.listeners.iter().zip(&self.ports) {
            for _ in 0..ACCEPTED_AT_ONCE {
                match listener.accept() {
                    Ok((stream, peer)) => {
                        self.log.accepted();
                        make_room(all, self.most);
                        // (Accepted from a listener that does not wait; a client's thread does.)
                        if stream.set_nonblocking(false).is_ok() {
                            let tls = self.begin_tls(port);
                            all.push(Connection::new((stream, tls), peer, port, now));
                        }
                    }
                    Err(e) if net::is_nothing(&e) => break,
                    Err(e) if e.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(e) => {
                        self.log.failed(&e);
                        self.fails_until = Some(now + OUT_OF_DESCRIPTORS);
                        break;
                    }
                }
            }
        }
    }

    /// What a connection encrypts with, if it comes by a port for that.
    fn begin_tls(&self, port: Port) -> Option<Box<TlsConnection>> {
        self.handler.certificates.as_ref().filter(|_| port == Port::Encrypted)?.begin()
    }

    /// A handshake has failed.
    fn note_failed(&self, peer: SocketAddr, error: &io::Error) {
        let sentence = format!("the TLS handshake failed: {error}");
        let why = TurnedAway::new(Reason::Tls, sentence);
        self.handler.sources.refuse(peer.into(), &why, &self.handler.totals);
    }

    /// Hands on a connection that is a WebSocket.
    fn hand_on(&self, Upgraded { target, stream, tls, peer, first }: Upgraded) {
        match target {
            Target::Chat => {
                let chat = Arc::clone(&self.handler);
                let handler = Arc::new(BrowserHandler { chat, begun: Begun::new(first, tls) });
                hand_in(&handler, &*self.threads, (stream, peer.into()), 0);
            }
            Target::View => {
                self.view.hand_in(&self.handler, (stream, peer), Begun::new(first, tls));
            }
        }
    }
}

/// If there are too many, closes the one that has not got on for longest. One that does not take its
/// answer is no better than one that is idle; and the last that came may be about to ask.
fn make_room(all: &mut Vec<Connection>, most: usize) {
    if all.len() < most {
        return;
    }
    let longest = (0..all.len()).min_by_key(|&at| all[at].since());
    longest.map(|at| all.swap_remove(at));
}
