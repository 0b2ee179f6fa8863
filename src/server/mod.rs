//! chatd itself: the threads, the channel and the locks around the core. [`Chatd::start`] is its
//! table of contents.

pub mod auth;
mod board;
mod certificate;
pub mod client;
pub mod clock;
pub mod config_file;
mod cues;
mod fanout;
#[cfg(target_os = "linux")]
pub mod handover;
mod hazards;
pub mod held_signals;
pub mod history;
pub mod lent;
pub mod limits;
mod listen_on;
pub mod log_line;
pub mod logger;
pub mod net;
pub mod number;
mod opening;
pub mod options;
pub mod own_names;
mod page_at;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nothing is handed over there"))]
mod parking;
pub mod proxies;
pub mod random;
pub mod registry;
mod repeated;
mod shutdown;
pub mod sources;
pub mod space;
pub mod status;
pub mod subcommands;
mod switches;
#[cfg(test)]
mod tests;
pub mod text_file;
pub(crate) mod threads;
pub mod tls;
mod trace;
pub mod turned_away;
mod unix_listener;
pub mod upkeep;
mod view;
pub mod watch;
pub(crate) mod web;
mod wiped_json;
pub mod zone;

use crate::{
    core::{
        Chat,
        pairing_code::PairingCode,
        record::Snapshot,
        rooms::{Action, RoomsConfig},
    },
    lock::{LockKind, Locked},
    socketserver::{Listener, Server, Threading},
};
use anyhow::Context as _;
use auth::Authenticator;
use client::{
    admission::Admitting,
    flusher::{Flusher, FlusherQueue},
    handler::ChatHandler,
    lingerer::Lingerer,
};
use clock::Clock;
use crossbeam_channel::{Sender, bounded};
use cues::Cues;
use fanout::{FanOut, Shutdown};
use hazards::Hazards;
use held_signals::HeldSignals;
use history::historian::{self, Historian};
use lent::LentListeners;
use limits::refused_possible;
pub use listen_on::listen;
use opening::{ChatListeners, Opened};
use options::Options;
use parking::Rests;
use registry::{Client, Registry};
pub use shutdown::SHUTDOWN_PATIENCE;
use status::{Activity, Status, Totals};
use std::{
    net::{SocketAddr, TcpListener},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{Builder, JoinHandle},
};
use threads::Threads;
use tls::ENCRYPTED;
use view::View;
use watch::Watch;
pub use web::listener::by_options as addresses;
use web::{Web, WebConfig, WebStop, listener::WebListeners};

/// Stack of a client's thread. Address space, not memory: an idle client touches two pages of it.
/// Ample for the session's deepest call, in a debug build too.
const CLIENT_STACK: usize = 256 * 1024;
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
    web: Option<WebThread>,
}

/// The thread `web`, and where it listens.
struct WebThread {
    addresses: Vec<SocketAddr>,
    /// For https.
    encrypted: Vec<SocketAddr>,
    stop: WebStop,
    thread: JoinHandle<()>,
    view: Arc<View>,
    /// Its listeners once more, to be handed to another server: those for the page, those for
    /// https, and those for metrics.
    #[cfg(target_os = "linux")] // nothing is handed over elsewhere
    listeners: [Vec<TcpListener>; 3],
}

impl Chatd {
    /// Starts every thread of the server. `lent`: what it need not open itself. `others`: threads
    /// that run already. `stop` is called when an administrator stops the server, and should end in
    /// [`Chatd::shutdown`].
    pub fn start(
        options: &Options,
        mut lent: LentListeners,
        others: Vec<Arc<Status>>,
        stop: impl Fn() + Send + 'static,
    ) -> anyhow::Result<Chatd> {
        let session = Locked::new(LockKind::Settings, Arc::new(options.session_config()?));
        let Opened { listeners, on, web, certificates } = opening::open(options, &mut lent)?;
        let (totals, registry) = (Arc::<Totals>::default(), Arc::<Registry>::default());
        let (events, to_apply, large) = fanout::events(options.threads_max);
        let (shutdown, stopping) = bounded(2); // each of the two words is sent once at most
        let (flusher_queue, flusher) = FlusherQueue::new().context("cannot start the flusher")?;
        let (outside, linger) = Lingerer::new(refused_possible(options.threads_max, web.is_some()));
        let (store, clock) = (options.store_config(), Clock::system());
        let (snapshot, handle, history, historian) = historian::open(&store, clock.clone())?;
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
        let own = [&fanout.status, &historian.status, &flusher.status, &linger.status];
        let (accept_statuses, statuses) = statuses(listeners.count(), own, web.as_ref());
        let (watch, _held) = (Watch::new(&statuses, fanout.events.clone()), HeldSignals::hold());
        let rows = Arc::new(Threads::new(options.client_threads(), statuses.iter().chain(&others)));
        let handler = Arc::new(ChatHandler {
            session,
            commands: options.commands(),
            limits: options.slow_limits(),
            login_deadline: options.login_deadline(),
            threads_max: options.threads_max,
            events,
            history,
            authenticator: Authenticator::new(options.instructor)?,
            flusher: flusher_queue,
            linger: outside,
            hazards: Hazards::new(options, on, (&registry, &rows), &fanout, &historian)?,
            registry,
            sources: lent.sources(options)?,
            totals,
            threads: rows,
            web: web.as_ref().and_then(|web| web.pages().first().copied()),
            certificates,
            rests: Rests::new(&fanout.cues.rest, &historian.rest),
            tell: fanout.cues.tell.clone(),
        });
        let threads = Arc::new(Threading::new(options.client_threads(), CLIENT_STACK));
        let chat = (fanout, begin(options, snapshot, lent, (&handler, &threads))?);
        let workers = start_workers(chat, historian, linger, Admitting::new(&handler, &threads))?;
        let flusher = start_thread("flusher", move || Flusher::run(flusher))?;
        let (servers, accepting) = start_accepting(listeners, accept_statuses, &handler, &threads)?;
        let web = start_web(web, options, (&servers, &handler, &threads), watch.clone())?;
        Ok(Chatd { servers, accepting, handler, threads, shutdown, watch, workers, flusher, web })
    }

    /// Where it listens for clients that do not encrypt.
    pub fn listeners(&self) -> impl Iterator<Item = &Listener> {
        let servers = self.servers.iter().filter(|server| server.kind() != ENCRYPTED);
        servers.map(|server| server.listener())
    }

    /// Where it listens for clients that speak TLS.
    pub fn encrypted(&self) -> impl Iterator<Item = &Listener> {
        let servers = self.servers.iter().filter(|server| server.kind() == ENCRYPTED);
        servers.map(|server| server.listener())
    }

    /// Of the first, the addresses of the network.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners().filter_map(Listener::address).collect()
    }

    /// The code with which an instructor is known, if there is one.
    pub fn pairing_code(&self) -> Option<PairingCode> {
        self.handler.authenticator.code()
    }

    /// The addresses on which it serves browsers.
    pub fn web_addresses(&self) -> &[SocketAddr] {
        self.web.as_ref().map_or(&[], |web| &web.addresses)
    }

    /// The addresses on which it serves browsers over https.
    pub fn https_addresses(&self) -> &[SocketAddr] {
        self.web.as_ref().map_or(&[], |web| &web.encrypted)
    }

    /// How many clients are here; `None`: a thread hangs with the registry.
    pub fn clients(&self) -> Option<usize> {
        self.handler.registry.count()
    }

    /// Notices when one of the server's own threads hangs.
    pub fn watch(&self) -> Watch {
        self.watch.clone()
    }
}

/// The chat that another server has left, or else what the file has.
fn begin(
    options: &Options,
    snapshot: Snapshot,
    lent: LentListeners,
    (handler, threads): (&Arc<ChatHandler>, &Threading),
) -> anyhow::Result<Chat<Client>> {
    let left = lent.take_up(options, &snapshot, handler, threads)?;
    Ok(left.unwrap_or_else(|| begin_chat(options, snapshot)))
}

/// Starts the threads that end when nobody can send them anything any more.
fn start_workers(
    (fanout, chat): (FanOut, Chat<Client>),
    historian: Historian,
    linger: Lingerer,
    admitting: Admitting,
) -> anyhow::Result<[JoinHandle<()>; 3]> {
    Ok([
        start_thread("fanout", move || fanout.run(chat))?,
        start_thread("historian", move || historian.run())?,
        start_thread("linger", move || linger.run(&admitting))?,
    ])
}

/// Those of the threads `accept`, one for each listener; and those of all the server's own threads,
/// in their order in the table.
fn statuses(
    listeners: usize,
    others: [&Arc<Status>; 4],
    web: Option<&WebListeners>,
) -> (Vec<Arc<Status>>, Vec<Arc<Status>>) {
    let accept: Vec<_> = (0..listeners).map(|_| Status::new("accept")).collect();
    let all = accept.iter().chain(others).chain(web.map(|web| &web.status)).cloned().collect();
    (accept, all)
}

type ChatServer = Server<ChatHandler, Threading>;
type Joins = Vec<JoinHandle<()>>;

/// Starts one thread `accept` for each listener.
fn start_accepting(
    listeners: ChatListeners,
    statuses: Vec<Arc<Status>>,
    handler: &Arc<ChatHandler>,
    threads: &Arc<Threading>,
) -> anyhow::Result<(Vec<Arc<ChatServer>>, Joins)> {
    let start = |((listener, kind), status): ((_, u8), Arc<Status>)| {
        let server = Server::new(listener, Arc::clone(handler), Arc::clone(threads));
        let server = Arc::new(server.of_kind(kind));
        let serving = Arc::clone(&server);
        let accepting = start_thread("accept", move || {
            status.attach();
            serving.serve_forever();
            status.set(Activity::Ended);
        })?;
        Ok((server, accepting))
    };
    listeners.with_kinds().zip(statuses).map(start).collect()
}

/// Starts the thread `web`, if there are listeners for it.
fn start_web(
    opened: Option<WebListeners>,
    options: &Options,
    (servers, handler, threads): (&[Arc<ChatServer>], &Arc<ChatHandler>, &Arc<Threading>),
    watch: Watch,
) -> anyhow::Result<Option<WebThread>> {
    let Some(opened) = opened else { return Ok(None) };
    let addresses_of = |listeners: &[TcpListener]| -> Vec<SocketAddr> {
        listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    };
    let (addresses, metrics) = (addresses_of(&opened.listeners), addresses_of(&opened.metrics));
    let (encrypted, pages) = (addresses_of(&opened.encrypted), opened.pages());
    let first = servers.iter().find_map(|server| server.listener().address());
    let config = WebConfig {
        proxies: options.proxies(),
        chat_port: first.map_or(0, |address| address.port()),
        most: limits::browsers_possible(options.threads_max),
    };
    pages.first().iter().for_each(|page| handler.authenticator.tickets.set_page(**page));
    metrics.iter().for_each(|on| log::info!("metrics are at http://{on}/metrics"));
    let view = Arc::new(View::new(options));
    #[cfg(target_os = "linux")]
    let listeners = opened.again()?;
    let web = Web::new(opened, config, (handler, threads, &view), watch);
    let (web, stop) = web.context("cannot start the thread web")?;
    let thread = start_thread("web", move || web.run())?;
    Ok(Some(WebThread {
        addresses,
        encrypted,
        stop,
        thread,
        view,
        #[cfg(target_os = "linux")]
        listeners,
    }))
}

/// The chat as it is at the start. The log has at once what is to be said of the file.
pub fn begin_chat<H>(options: &Options, snapshot: Snapshot) -> Chat<H> {
    let config = options.rooms_config();
    // Numbers of lines that are not kept are used again by the next server.
    let kept = snapshot.epoch.filter(|_| config.keeps_talk);
    let config = RoomsConfig { epoch: kept.unwrap_or_else(random::epoch), ..config };
    let mut chat = Chat::new(config, options.commands(), snapshot);
    for action in chat.take_actions() {
        if let Action::Log(line) = action {
            logger::record(&line);
        }
    }
    chat
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
