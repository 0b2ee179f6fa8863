//! A socket server modelled on Python's `socketserver`. It knows nothing of what it serves.
//!
//! Two questions decide what a server is, and each has its own answer here:
//!
//! - *What happens to one connection?* A [`Handler`] decides: its [`Handler::handle`] is called
//!   once for each.
//! - *Who runs the handler?* A mix-in decides, by one method, [`MixIn::process`]: the accept loop
//!   itself ([`Inline`]: the next client waits), a new thread for each connection ([`Threading`],
//!   with a bound), or a fixed pool of threads ([`Pool`]).
//!
//! [`Server`] is the loop that they share: accept, verify, process. The chat server is one handler
//! with [`Threading`]; so are most programs of the course.
//!
//! | Python | here |
//! | --- | --- |
//! | `BaseServer.serve_forever`, `handle_request`, `shutdown` | [`Server::serve_forever`], [`Server::handle_request`], [`Server::shutdown`] |
//! | `TCPServer`, `UnixStreamServer` | the two kinds of [`Listener`] |
//! | `verify_request`, `handle_error` | [`Handler::verify`], [`Handler::handle_error`] |
//! | `process_request` | [`MixIn::process`] |
//! | `ThreadingMixIn`, `server_close` with `block_on_close` | [`Threading`], [`MixIn::close`] |
//!
//! Python lacks a bound on the threads, and a way to tell clients why they are refused.
//!
//! # A server that greets
//!
//! ```
//! use chatd::socketserver::{Connection, Handler, MixIn as _, Server, Threading};
//! use std::{
//!     io::{Read as _, Write as _},
//!     net::{TcpListener, TcpStream},
//!     sync::Arc,
//!     thread,
//! };
//!
//! struct Hello;
//!
//! impl Handler for Hello {
//!     fn handle(&self, mut connection: Connection) -> anyhow::Result<()> {
//!         Ok(connection.stream.write_all(b"Hello World!")?)
//!     }
//! }
//!
//! let threads = Arc::new(Threading::new(10, 128 * 1024));
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = Server::new(listener, Arc::new(Hello), Arc::clone(&threads));
//! thread::scope(|scope| {
//!     scope.spawn(|| server.serve_forever());
//!     let mut greeting = String::new();
//!     let read = TcpStream::connect(address)
//!         .and_then(|mut client| client.read_to_string(&mut greeting));
//!     server.shutdown(); // even after an error: the scope waits for `serve_forever`
//!     read.map(|_| assert_eq!(greeting, "Hello World!"))
//! })?;
//! threads.close(); // waits for the handlers
//! # Ok::<(), std::io::Error>(())
//! ```

mod accept_log;
mod inline;
mod listener;
mod pool;
pub mod program;
pub mod signals;
mod threading;
#[cfg(target_os = "linux")]
pub mod unix_socket;

pub use accept_log::AcceptLog;
pub use inline::Inline;
pub use listener::{Listener, READ_TIMEOUT};
pub use pool::Pool;
pub use threading::Threading;

use crate::origin::Origin;
use parking_lot::{Condvar, Mutex};
use std::{
    io,
    net::TcpStream,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// One accepted socket.
#[derive(Debug)]
pub struct Connection {
    /// Counts up from 1 in this process, and is never used twice.
    pub number: u64,
    /// The socket, blocking.
    pub stream: TcpStream,
    /// Where it comes from. (Asking the socket would fail if the peer were already gone.)
    pub peer: Origin,
    /// How many others the mix-in serves at the same time, if it counts them.
    pub others: usize,
    /// The kind of its server's listener: see [`Server::of_kind`].
    pub kind: u8,
}

/// Why a connection is refused.
#[derive(Debug)]
pub enum Refusal {
    /// All places are taken.
    Full {
        /// The number of places.
        most: usize,
    },
    /// The system cannot start a thread.
    NoThread {
        /// Threads of the mix-in that run.
        running: usize,
        /// The system's error.
        error: io::Error,
    },
}

/// What an accept loop does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepting {
    /// It waits for the next connection.
    Waiting,
    /// It hands a connection on.
    HandingOn,
    /// It is out of descriptors or memory, and waits before it tries again.
    OutOfDescriptors,
}

/// What happens to one connection.
pub trait Handler: Send + Sync + 'static {
    /// Serves one connection from its beginning to its end. The mix-in decides on which thread.
    fn handle(&self, connection: Connection) -> anyhow::Result<()>;

    /// Returns the connection if it is welcome; otherwise the handler has refused it, or keeps it
    /// until it is. The accept loop calls this, so it must not wait.
    fn verify(&self, connection: Connection) -> Option<Connection> {
        Some(connection)
    }

    /// Refuses a connection; by default, closes it. The accept loop calls this, so it must not
    /// wait.
    fn refuse(&self, _connection: Connection, _refusal: Refusal) {}

    /// Takes note of what the calling accept loop does now, so that it can be shown.
    fn watch(&self, _now: Accepting) {}

    /// Takes note of a handler that failed or panicked. The others go on.
    fn handle_error(&self, number: u64, peer: Origin, error: &anyhow::Error) {
        log::warn!("connection {number} from {peer}: {error:#}");
    }
}

/// Who runs the handler.
pub trait MixIn: Send + Sync + 'static {
    /// Has `handler` serve `connection`, or returns the connection with the reason for its refusal.
    fn process<H: Handler>(
        &self,
        connection: Connection,
        handler: &Arc<H>,
    ) -> Result<(), (Connection, Refusal)>;

    /// Waits for every thread that was started. To be called when every accept loop has returned.
    fn close(&self);
}

/// Runs the handler on the calling thread; its errors and panics end here. Every mix-in calls this.
pub fn run_handler<H: Handler>(connection: Connection, handler: &H) {
    let (number, peer) = (connection.number, connection.peer);
    let outcome = catch_unwind(AssertUnwindSafe(|| handler.handle(connection)));
    if let Err(error) = outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("the handler panicked"))) {
        handler.handle_error(number, peer, &error);
    }
}

/// Has the mix-in serve a connection, whoever accepted it. Every accept loop calls this, and so may
/// a thread that has spoken with the peer before.
pub fn hand_in<H: Handler, M: MixIn>(
    handler: &Arc<H>,
    mixin: &M,
    (stream, peer): (TcpStream, Origin),
    kind: u8,
) {
    let number = NUMBERS.fetch_add(1, Relaxed);
    let connection = Connection { number, stream, peer, others: 0, kind };
    let Some(connection) = handler.verify(connection) else { return };
    if let Err((connection, refusal)) = mixin.process(connection, handler) {
        handler.refuse(connection, refusal);
    }
}

/// The next connection's number, for the whole process: several listeners may feed one handler.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// The number of the next connection.
pub fn next_number() -> u64 {
    NUMBERS.load(Relaxed)
}

/// Connections have at least this number from now on.
pub fn number_from(next: u64) {
    NUMBERS.fetch_max(next, Relaxed);
}

/// How long to wait before accepting again when the system is out of descriptors or memory.
pub const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// A listener, a handler, a mix-in: the accept loop.
pub struct Server<H, M> {
    listener: Listener,
    kind: u8,
    handler: Arc<H>,
    mixin: Arc<M>,
    stopping: Mutex<bool>,
    stopped: Condvar,
    pause: Mutex<Pause>,
    goes_on: Condvar,
    log: Mutex<AcceptLog>,
}

/// Whether an accept loop is to rest, and whether it does.
#[derive(Default)]
struct Pause {
    is_wanted: bool,
    is_reached: bool,
}

impl<H: Handler, M: MixIn> Server<H, M> {
    /// Puts the three together. Handler and mix-in may be shared by servers on other addresses.
    pub fn new(listener: impl Into<Listener>, handler: Arc<H>, mixin: Arc<M>) -> Self {
        Server {
            listener: listener.into(),
            kind: 0,
            handler,
            mixin,
            stopping: Mutex::new(false),
            stopped: Condvar::new(),
            pause: Mutex::default(),
            goes_on: Condvar::new(),
            log: Mutex::new(AcceptLog::new("")),
        }
    }

    /// For a handler that serves listeners of several kinds: each of the connections says which kind
    /// has accepted it. What the numbers mean, the handler knows; 0 is the usual kind.
    #[must_use]
    pub fn of_kind(self, kind: u8) -> Self {
        Server { kind, ..self }
    }

    /// The kind of its listener.
    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// Accepts until [`Server::shutdown`]. It hands connections on, and does nothing else.
    pub fn serve_forever(&self) {
        while !*self.stopping.lock() {
            self.wait_while_paused();
            self.handle_request();
        }
    }

    fn wait_while_paused(&self) {
        let mut pause = self.pause.lock();
        while pause.is_wanted {
            pause.is_reached = true;
            self.goes_on.wait(&mut pause);
        }
        pause.is_reached = false;
    }

    /// Accepts nobody from now on, or accepts again: connections wait in the queue meanwhile. Returns
    /// whether the loop has come to rest; a signal to its thread has it look.
    pub fn pause(&self, is_wanted: bool) -> bool {
        let mut pause = self.pause.lock();
        pause.is_wanted = is_wanted;
        self.goes_on.notify_all();
        pause.is_reached
    }

    /// Waits for one connection and hands it on. It returns without one, too, if there was an error
    /// or a shutdown. (Who wants to wait for a time, or for something else as well, polls the server
    /// first.)
    pub fn handle_request(&self) {
        self.handler.watch(Accepting::Waiting);
        let accepted = self.listener.accept();
        if *self.stopping.lock() {
            return;
        }
        self.handler.watch(Accepting::HandingOn);
        match accepted {
            Ok((stream, peer)) => {
                self.log.lock().accepted();
                hand_in(&self.handler, &*self.mixin, (stream, peer), self.kind);
            }
            // The connection that was to be accepted is gone: the next one may be fine.
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
                ) => {}
            Err(e) => {
                // Out of descriptors: trying again at once would spin.
                self.log.lock().failed(&e);
                self.handler.watch(Accepting::OutOfDescriptors);
                let mut stopping = self.stopping.lock();
                if !*stopping {
                    self.stopped.wait_for(&mut stopping, OUT_OF_DESCRIPTORS);
                }
            }
        }
    }

    /// Where it listens.
    pub fn listener(&self) -> &Listener {
        &self.listener
    }

    /// Ends [`Server::serve_forever`], from another thread.
    pub fn shutdown(&self) {
        *self.stopping.lock() = true;
        self.stopped.notify_all();
        self.listener.wake();
    }
}

#[cfg(test)]
mod tests;
