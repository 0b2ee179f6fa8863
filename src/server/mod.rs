//! chatd itself: the threads, the channel and the locks around the core. [`Chatd::start`] is its
//! table of contents.

pub mod auth;
pub mod client;
pub mod clock;
mod cues;
mod fanout;
mod hazards;
pub mod history;
pub mod limits;
pub mod logger;
pub mod net;
pub mod number;
pub mod options;
pub mod registry;
mod repeated;
pub mod sources;
pub mod space;
pub mod status;
pub mod subcommands;
#[cfg(test)]
mod tests;
pub(crate) mod threads;
pub mod watch;
pub mod zone;

use crate::{
    core::{
        Chat, close_reason::CloseReason, pairing_code::PairingCode, places::RESERVED,
        record::Snapshot, rooms::Action,
    },
    socketserver::{MixIn as _, Server, Threading},
};
use anyhow::{Context as _, bail};
use auth::Authenticator;
use client::{
    flusher::{Flusher, FlusherQueue},
    handler::ChatHandler,
    linger::Lingerer,
};
use clock::Clock;
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use cues::Cues;
use fanout::{FanOut, Shutdown};
use hazards::Hazards;
use history::historian::{self, Historian};
use options::{ListenOn, Options};
use parking_lot::Mutex;
use registry::{Client, Registry};
use sources::SourceTable;
use status::{Activity, Status, Totals};
use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};
use threads::Threads;
use watch::Watch;

/// Stack of a client's thread. Address space, not memory: an idle client touches two pages of it.
/// Ample for the session's deepest call, in a debug build too.
const CLIENT_STACK: usize = 256 * 1024;
/// How long clients may take to say goodbye when the server stops, before their connections are
/// cut.
pub const SHUTDOWN_PATIENCE: Duration = Duration::from_millis(2500);
/// How long they may take after that to read their last line.
const LAST_PATIENCE: Duration = Duration::from_millis(1200);
/// How long the whole stop may take, whatever hangs; then the process ends without it. Whoever
/// stops a server is promised 5 s, and the log may take half a second more.
const STOP_PATIENCE: Duration = Duration::from_millis(4500);

/// Threads of clients beyond the ordinary places: who tries for an administrator's place, and who
/// gave way there and still takes a moment to go.
const EXTRA_THREADS: usize = RESERVED + 2;

/// A running server.
pub struct Chatd {
    servers: Vec<Arc<ChatServer>>,
    accepting: Vec<JoinHandle<()>>,
    handler: Arc<ChatHandler>,
    threads: Arc<Threading>,
    shutdown: Sender<Shutdown>,
    watch: Watch,
    /// `fanout`, `historian` and `linger`: each ends when nobody can send it anything any more.
    workers: [JoinHandle<()>; 3],
    flusher: JoinHandle<()>,
}

impl Chatd {
    /// Starts every thread of the server. `others`: threads that run already. `stop` is called when
    /// an administrator stops the server, and should end in [`Chatd::shutdown`].
    pub fn start(
        options: &Options,
        others: Vec<Arc<Status>>,
        stop: impl Fn() + Send + 'static,
    ) -> anyhow::Result<Chatd> {
        let listeners = listen(&options.listen_on(), Duration::from_secs(options.ghost_after))?;
        let totals = Arc::<Totals>::default();
        let (events, to_apply, large) = fanout::events(options.threads_max);
        let (shutdown, stopping) = bounded(2); // each of the two words is sent once at most
        let (flusher_queue, flusher) = FlusherQueue::new().context("cannot start the flusher")?;
        let (linger_queue, linger) = Lingerer::new(limits::refused_possible(options.threads_max));
        let (store, clock) = (options.store_config(), Clock::system());
        let (snapshot, handle, history, historian) = historian::open(&store, clock.clone())?;
        let chat = begin_chat(options, snapshot);
        let fanout = FanOut {
            events: to_apply,
            large,
            shutdown: stopping,
            cues: Cues::default(),
            historian: handle,
            clock,
            high_water: options.high_water,
            stop: Box::new(stop),
            status: Status::new("fanout"),
            totals: Arc::clone(&totals),
        };

        let accept_statuses: Vec<_> = listeners.iter().map(|_| Status::new("accept")).collect();
        let own = [&fanout.status, &historian.status, &flusher.status, &linger.status];
        let statuses: Vec<_> = accept_statuses.iter().chain(own).cloned().collect();
        let watch = Watch::new(&statuses, fanout.events.clone());
        let registry = Arc::<Registry>::default();
        let most = options.threads_max.saturating_add(EXTRA_THREADS);
        let rows = Arc::new(Threads::new(most, statuses.iter().chain(&others)));
        let hazards = Hazards::new(options, &listeners, (&registry, &rows), &fanout, &historian)?;
        let handler = Arc::new(ChatHandler {
            session: options.session_config()?,
            commands: options.commands(),
            limits: options.slow_limits(),
            login_deadline: options.login_deadline(),
            threads_max: options.threads_max,
            events,
            history,
            authenticator: Authenticator::new(options.instructor)?,
            flusher: flusher_queue,
            linger: linger_queue,
            registry,
            hazards,
            sources: SourceTable::new(options),
            totals,
            threads: rows,
        });

        let workers = start_workers((fanout, chat), historian, linger)?;
        let flusher = start_thread("flusher", move || Flusher::run(flusher))?;
        let threads = Arc::new(Threading::new(most, CLIENT_STACK));
        let started = start_accepting(listeners, accept_statuses, &handler, &threads)?;
        let (servers, accepting) = started.into_iter().unzip();
        Ok(Chatd { servers, accepting, handler, threads, shutdown, watch, workers, flusher })
    }

    /// The addresses it listens on.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().filter_map(|server| server.local_addr().ok()).collect()
    }

    /// The code with which an instructor is known, if there is one.
    pub fn pairing_code(&self) -> Option<PairingCode> {
        self.handler.authenticator.code()
    }

    /// Notices when one of the server's own threads hangs.
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Stops gracefully, on a thread of its own: if another thread hangs, perhaps with a lock,
    /// whoever called this goes on all the same.
    ///
    /// # Errors
    /// A thread hangs: the sentence says which, where, and what is not delivered, and the process is
    /// to be ended without it. Or the disk has failed: the sentence says how much is lost.
    pub fn shutdown(self) -> anyhow::Result<()> {
        let watch = self.watch();
        let (clients, loss) = (Arc::downgrade(&self.handler), self.handler.history.loss());
        let (done, is_done) = bounded::<()>(1);
        // If no thread can be started for it, this one takes it back: nothing has been done yet.
        let handed_over = Arc::new(Mutex::new(Some((self, done))));
        let stop = || {
            let handed_over = Arc::clone(&handed_over);
            move || {
                let chatd = handed_over.lock().take();
                if let Some((chatd, _done)) = chatd {
                    chatd.stop();
                }
            }
        };
        if let Err(error) = start_thread("shutdown", stop()) {
            log::warn!("{error:#}");
            stop()();
        }
        if is_done.recv_timeout(STOP_PATIENCE) != Err(RecvTimeoutError::Timeout) {
            return loss(); // it drops `done` at its end
        }
        let left = clients.upgrade().map_or(Some(0), |handler| handler.registry.count());
        let clients = left.map_or("some".to_owned(), |left| left.to_string());
        bail!(
            "{}, and what waits for {clients} clients. What was said last may not be in the history",
            watch.hanging()
        )
    }

    /// Accepts nobody, tells everybody, delivers what was accepted, joins every thread. Channels
    /// run one way: each thread ends because the ones before it have.
    fn stop(self) {
        for server in &self.servers {
            server.shutdown();
        }
        join(self.accepting);

        self.handler.hazards.iter().for_each(|hazards| hazards.close());
        self.handler.history.begin_to_stop();
        let _ = self.shutdown.send(Shutdown::Gracefully);
        let clients = self.handler.registry.close();
        log::info!("shutting down, {} clients connected", clients.len());
        for client in clients {
            client.hang_up(CloseReason::Shutdown);
        }
        if !self.handler.registry.wait_until_empty(Instant::now() + SHUTDOWN_PATIENCE) {
            // Somebody has not said goodbye. The others stop waiting for them, and whoever is left
            // is cut off.
            let _ = self.shutdown.send(Shutdown::AtOnce);
            self.handler.registry.wait_until_empty(Instant::now() + LAST_PATIENCE);
            for client in self.handler.registry.all() {
                client.cut();
            }
        }
        self.threads.close();

        let flusher_queue = Arc::clone(&self.handler.flusher);
        drop(self.servers);
        drop(self.handler); // with it the last sender of events, of queries, and of the refused
        join(self.workers);
        flusher_queue.stop();
        join([self.flusher]);
        log::info!("every thread has ended");
    }
}

/// Starts the threads that end when nobody can send them anything any more.
fn start_workers(
    (fanout, chat): (FanOut, Chat<Client>),
    historian: Historian,
    linger: Lingerer,
) -> anyhow::Result<[JoinHandle<()>; 3]> {
    Ok([
        start_thread("fanout", move || fanout.run(chat))?,
        start_thread("historian", move || historian.run())?,
        start_thread("linger", move || Lingerer::run(linger))?,
    ])
}

type ChatServer = Server<ChatHandler, Threading>;

/// Starts one thread `accept` for each listener.
fn start_accepting(
    listeners: Vec<TcpListener>,
    statuses: Vec<Arc<Status>>,
    handler: &Arc<ChatHandler>,
    threads: &Arc<Threading>,
) -> anyhow::Result<Vec<(Arc<ChatServer>, JoinHandle<()>)>> {
    let start = |(listener, status): (_, Arc<Status>)| {
        let server = Arc::new(Server::new(listener, Arc::clone(handler), Arc::clone(threads)));
        let serving = Arc::clone(&server);
        let accepting = start_thread("accept", move || {
            status.attach();
            serving.serve_forever();
            status.set(Activity::Ended);
        })?;
        Ok((server, accepting))
    };
    listeners.into_iter().zip(statuses).map(start).collect()
}

/// Opens the listeners of every group. The first address of a group must open. Another one may be
/// missing on this machine, but not taken.
pub fn listen(groups: &[ListenOn], ghost_after: Duration) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for ListenOn(addresses) in groups {
        let mut port = addresses.first().map_or(0, SocketAddr::port);
        let mut opened = 0;
        for &address in addresses {
            match net::listen(SocketAddr::new(address.ip(), port), ghost_after) {
                Ok(listener) => {
                    // Port 0 takes a free port: the first address's port serves the whole group.
                    port = listener.local_addr()?.port();
                    opened += 1;
                    listeners.push(listener);
                }
                Err(e) if opened > 0 && !is_taken(&e) => {
                    log::debug!("not listening on {address}: {e:#}");
                }
                Err(e) => return Err(explain(e, address)),
            }
        }
    }
    Ok(listeners)
}

/// The chat as it is at the start. The log has at once what is to be said of the file.
pub fn begin_chat<H>(options: &Options, snapshot: Snapshot) -> Chat<H> {
    let mut chat = Chat::new(options.rooms_config(), options.commands(), snapshot);
    for action in chat.take_actions() {
        if let Action::Log(line) = action {
            log::info!("{line}");
        }
    }
    chat
}

fn kind_of(error: &anyhow::Error) -> Option<ErrorKind> {
    error.chain().find_map(|e| e.downcast_ref::<std::io::Error>()).map(std::io::Error::kind)
}

fn is_taken(error: &anyhow::Error) -> bool {
    kind_of(error) == Some(ErrorKind::AddrInUse)
}

fn explain(error: anyhow::Error, address: SocketAddr) -> anyhow::Error {
    let next = address.port().checked_add(1).unwrap_or(5000);
    let advice = match kind_of(&error) {
        Some(ErrorKind::AddrInUse) => {
            format!(
                "The port is taken, perhaps by another chatd. Stop that one, or choose another port: --listen {next}"
            )
        }
        Some(ErrorKind::AddrNotAvailable) => {
            format!(
                "This machine has no such address. For all its addresses: --listen {}",
                address.port()
            )
        }
        Some(ErrorKind::PermissionDenied) if cfg!(unix) => {
            "Ports below 1024 are for root. Choose another: --listen 5000".to_owned()
        }
        _ => return error.context(format!("cannot listen on {address}")),
    };
    anyhow::anyhow!("cannot listen on {address}. {advice}")
}

/// Starts a thread that the server cannot do without. If it panics, nobody can be served any more,
/// so the process ends with a message.
pub fn start_thread(
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> anyhow::Result<JoinHandle<()>> {
    let guarded = move || {
        if catch_unwind(AssertUnwindSafe(run)).is_err() {
            log::error!("thread {name} panicked, and chatd cannot go on without it");
            log::logger().flush();
            std::process::exit(101);
        }
    };
    Builder::new()
        .name(name.to_owned())
        .spawn(guarded)
        .with_context(|| format!("cannot start thread {name}"))
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        let _ = thread.join(); // a panic in it has ended the process
    }
}
