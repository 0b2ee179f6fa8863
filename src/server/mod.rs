//! chatd itself: the threads, the channel and the locks around the core. [`Chatd::start`] is its table of contents.

pub mod attempts;
pub mod failing;
pub mod fanout;
pub mod flusher;
pub mod handler;
pub mod historian;
pub mod kept;
pub mod limits;
pub mod logger;
pub mod net;
pub mod options;
pub mod outbox;
pub mod passwords;
pub mod porter;
pub mod registry;
pub mod status;
pub mod subcommands;
pub mod usher;
pub mod writer;

use crate::{
    core::farewell::Farewell,
    socketserver::{MixIn as _, Server, Threading},
};
use anyhow::Context as _;
use crossbeam_channel::Sender;
use fanout::{Closing, FanOut};
use flusher::{Flusher, FlusherQueue};
use handler::ChatHandler;
use options::{ListenOn, Options};
use parking_lot::Mutex;
use porter::Porter;
use registry::Registry;
use status::{Status, Totals};
use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};
use usher::Usher;
use writer::SlowLimits;

/// Stack of a client's thread. Address space, not memory: an idle client touches two pages of it. Ample for the
/// session's deepest call, in a debug build too.
const CLIENT_STACK: usize = 256 * 1024;
/// Places beyond the last, kept for an administrator: a full server is when one is needed.
pub const RESERVED: usize = 1;
/// How long clients may take to say goodbye when the server stops, before their connections are cut.
pub const SHUTDOWN_PATIENCE: Duration = Duration::from_millis(2500);
/// And how long after that: the time of a farewell.
pub const LAST_PATIENCE: Duration = Duration::from_millis(1500);

/// A running server.
pub struct Chatd {
    servers: Vec<Arc<Server<ChatHandler, Threading>>>,
    accepting: Vec<JoinHandle<()>>,
    handler: Arc<ChatHandler>,
    threads: Arc<Threading>,
    closing: Sender<Closing>,
    fanout: JoinHandle<()>,
    historian: JoinHandle<()>,
    flusher: JoinHandle<()>,
    usher: JoinHandle<()>,
}

impl Chatd {
    /// Starts every thread of the server. `house`: the notes of threads that run already. `stop` is called when an
    /// administrator stops the server, and should end in [`Chatd::shutdown`].
    pub fn start(
        options: &Options,
        house: Vec<Arc<Status>>,
        stop: impl Fn() + Send + 'static,
    ) -> anyhow::Result<Chatd> {
        let listeners = listen(&options.listen_on(), Duration::from_secs(options.ghost_after))?;

        let totals = Arc::new(Totals::default());
        let (events, posts) = crossbeam_channel::bounded(fanout::events_max(options.threads_max));
        let (closing, close) = crossbeam_channel::bounded(2); // there are two things to say, once each
        let (flusher_queue, flusher) = FlusherQueue::new().context("cannot start the flusher")?;
        let (usher_queue, usher) = Usher::new(limits::refused_possible(options.threads_max));
        let memory = options.memory();
        let (remembered, desk, reading, historian) = historian::open(&memory)?;
        let (fanout_status, historian_status) =
            (Status::new("fanout"), Arc::clone(&historian.status));
        let accept_statuses: Vec<_> = listeners.iter().map(|_| Status::new("accept")).collect();
        let mut house_rows = accept_statuses.clone();
        house_rows.extend(
            [&fanout_status, &historian_status, &flusher.status, &usher.status].map(Arc::clone),
        );
        house_rows.extend(house);
        let handler = Arc::new(ChatHandler {
            session: options.session_config()?,
            limits: SlowLimits {
                high_water: options.high_water,
                write_deadline: Duration::from_secs(options.write_deadline),
            },
            login_deadline: options.login_deadline(),
            threads_max: options.threads_max,
            events,
            reading,
            porter: Porter::default(),
            flusher: flusher_queue,
            usher: usher_queue,
            registry: Registry::new(options.per_source),
            totals: Arc::clone(&totals),
            house: Mutex::new(house_rows),
        });

        let rooms = options.rooms_config(&memory);
        let (high_water, stop) = (options.high_water, Box::new(stop));
        let fanout =
            FanOut { posts, closing: close, desk, high_water, stop, status: fanout_status, totals };
        let fanout = start_thread("fanout", move || fanout.run(rooms, remembered))?;
        let historian = start_thread("historian", move || historian.run())?;
        let flusher = start_thread("flusher", move || Flusher::run(flusher))?;
        let usher = start_thread("usher", move || Usher::run(usher))?;

        let threads = Arc::new(Threading::new(options.threads_max + RESERVED, CLIENT_STACK));
        let serve =
            |listener| Arc::new(Server::new(listener, Arc::clone(&handler), Arc::clone(&threads)));
        let servers: Vec<_> = listeners.into_iter().map(serve).collect();
        let accept = |(server, status): (&Arc<Server<_, _>>, Arc<Status>)| {
            let server = Arc::clone(server);
            start_thread("accept", move || {
                status.adopt();
                server.serve_forever();
            })
        };
        let accepting =
            servers.iter().zip(accept_statuses).map(accept).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Chatd {
            servers,
            accepting,
            handler,
            threads,
            closing,
            fanout,
            historian,
            flusher,
            usher,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().filter_map(|server| server.local_addr().ok()).collect()
    }

    /// Stops gracefully: accepts nobody, tells everybody, delivers what was accepted, joins every thread. Channels run
    /// one way: each thread ends because the ones before it have.
    pub fn shutdown(self) {
        for server in &self.servers {
            server.shutdown();
        }
        join(self.accepting);

        let _ = self.closing.send(Closing::Gracefully);
        let clients = self.handler.registry.close();
        log::info!("shutting down, {} clients connected", clients.len());
        for client in clients {
            client.hang_up(Farewell::Shutdown);
        }
        if !self.handler.registry.wait_until_empty(Instant::now() + SHUTDOWN_PATIENCE) {
            // Somebody cannot say goodbye. The others need not wait for that any longer; and then nobody is waited for.
            let _ = self.closing.send(Closing::AtOnce);
            self.handler.registry.wait_until_empty(Instant::now() + LAST_PATIENCE);
            for client in self.handler.registry.all() {
                client.cut();
            }
        }
        self.threads.close();

        let flusher_queue = Arc::clone(&self.handler.flusher);
        drop(self.servers);
        drop(self.handler); // with it the last sender of events, of questions, and of the usher's guests
        join([self.fanout, self.usher, self.historian]);
        flusher_queue.stop();
        join([self.flusher]);
        log::info!("every thread has ended");
    }
}

/// Opens the listeners of each group; of a group, one at least.
pub fn listen(groups: &[ListenOn], ghost_after: Duration) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for ListenOn(addresses) in groups {
        let mut port = addresses.first().map_or(0, SocketAddr::port);
        let mut opened = 0;
        for &address in addresses {
            match net::listen(SocketAddr::new(address.ip(), port), ghost_after) {
                Ok(listener) => {
                    port = listener.local_addr()?.port(); // a free port that was taken for one is taken for all
                    opened += 1;
                    listeners.push(listener);
                }
                Err(e) if opened > 0 && !is_taken(&e) => {
                    log::debug!("not listening on {address}: {e:#}")
                }
                Err(e) => return Err(explain(e, address)),
            }
        }
    }
    Ok(listeners)
}

fn kind_of(error: &anyhow::Error) -> Option<ErrorKind> {
    error.chain().find_map(|e| e.downcast_ref::<std::io::Error>()).map(std::io::Error::kind)
}

fn is_taken(error: &anyhow::Error) -> bool {
    kind_of(error) == Some(ErrorKind::AddrInUse)
}

fn explain(error: anyhow::Error, address: SocketAddr) -> anyhow::Error {
    let next = address.port().saturating_add(1);
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

/// Starts a thread that the server cannot do without: if it panics, nobody could be served any more, and to go on as if
/// nothing were would be worse than to end with a message.
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
