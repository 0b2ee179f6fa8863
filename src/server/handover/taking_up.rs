//! The new server's side of an upgrade. Runs on thread `main`, at the start.

use super::{
    package::{Client, Kind, Package},
    pass,
};
use crate::{
    core::{Chat, record::Snapshot, rooms::RoomsConfig},
    server::{
        certificate,
        client::{handed::HandedHandler, handler::ChatHandler},
        options::Options,
        registry::Client as Handle,
        sources::SourceTable,
    },
    socketserver::{
        Connection, Listener, MixIn as _, Threading, number_from, signals::signals_in,
        unix_socket::UnixSocket,
    },
    store::{Store, schema},
};
use anyhow::{Context as _, anyhow, ensure};
use crossbeam_channel::bounded;
use parking_lot::Mutex;
use signal_hook::consts::SIGUSR2;
use std::{
    io::Write as _,
    mem::take,
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    sync::Arc,
    time::Duration,
};
use zeroize::Zeroizing;

/// The variable by which a program knows that it is to take over, and its two values.
pub(super) const VARIABLE: &str = "CHATD_UPGRADE";
pub(super) const REHEARSE: &str = "rehearse";
/// Behind it stands how often that has been done.
pub(super) const GO: &str = "go ";
/// What a rehearsal answers that went well.
pub(super) const READY: &str = "ready";
const NOT_UNDERSTOOD: &str = "what was handed over is not understood";
/// How long what is handed over may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the clients' threads may take to begin.
const BEGINNING: Duration = Duration::from_secs(10);

/// What another server has handed over.
pub struct Handed {
    package: Package,
    listeners: Vec<(Kind, OwnedFd)>,
    sockets: Vec<TcpStream>,
}

/// How often another program has taken over in a process, as far as that can be seen.
pub fn times_handed_over(process: i32) -> u32 {
    let variables = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    let lead = format!("{VARIABLE}={GO}");
    let mut variables = variables.split(|byte| *byte == 0);
    let times = variables.find_map(|one| one.strip_prefix(lead.as_bytes()));
    times.and_then(|times| std::str::from_utf8(times).ok()?.parse().ok()).unwrap_or(0)
}

/// Whether a process does something else at SIGUSR2 than to end: it has a handler, or it will have one.
pub fn may_be_asked(process: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let signals = ["SigCgt:", "SigBlk:"].map(|line| signals_in(&status, line));
    signals.into_iter().any(|signals| signals & (1 << (SIGUSR2 - 1)) != 0)
}

/// Whether this program takes over from another one, whose clients wait for it.
pub fn is_taking_over() -> bool {
    std::env::var(VARIABLE).is_ok_and(|act| act.starts_with(GO))
}

/// If this is a rehearsal, tells the other server why nothing comes of it. Returns whether it is one.
pub fn refuse(error: &anyhow::Error) -> bool {
    let is_rehearsal = std::env::var(VARIABLE).is_ok_and(|act| act == REHEARSE);
    if is_rehearsal && let Ok(socket) = std::io::stdin().as_fd().try_clone_to_owned() {
        let _ = UnixStream::from(socket).write_all(format!("{error:#}").as_bytes());
    }
    is_rehearsal
}

impl Handed {
    /// Takes what another server hands over, if it does. In a rehearsal it answers, and the process
    /// ends there: `None` is never returned then.
    ///
    /// # Errors
    /// It is not understood.
    pub fn take(options: &Options) -> anyhow::Result<Option<Handed>> {
        let Ok(act) = std::env::var(VARIABLE) else { return Ok(None) };
        let mut socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        socket.set_read_timeout(Some(PATIENCE))?;
        let received = pass::receive(&socket);
        if act != REHEARSE {
            return received.and_then(Handed::read).map(Some);
        }
        let rehearsed = received.and_then(|received| match received.0.is_empty() {
            true => read_files(options, None),
            false => Handed::read(received)?.rehearse(options),
        });
        let answer = match rehearsed {
            Ok(()) => READY.to_owned(),
            Err(error) => format!("{error:#}"),
        };
        let _ = socket.write_all(answer.as_bytes());
        std::process::exit(0); // without closing anything politely: it is the other server's
    }

    fn read((state, descriptors): (Zeroizing<String>, Vec<OwnedFd>)) -> anyhow::Result<Handed> {
        let package = Package::read(&state).context(NOT_UNDERSTOOD)?;
        let mut descriptors = descriptors.into_iter();
        let mut next = || descriptors.next().context("a descriptor is missing");
        rustix::stdio::dup2_stdin(next()?)?;
        let listeners = package.listeners.iter().map(|kind| Ok((kind.clone(), next()?)));
        let listeners = listeners.collect::<anyhow::Result<_>>()?;
        let sockets = package.clients.iter().map(|_| next().map(TcpStream::from));
        let sockets = sockets.collect::<anyhow::Result<_>>()?;
        Ok(Handed { package, listeners, sockets })
    }

    /// Looks at everything that a start reads, and changes nothing: the other server may go on.
    fn rehearse(&self, options: &Options) -> anyhow::Result<()> {
        let package = &self.package;
        read_chat::<()>(package, options)?;
        for client in &package.clients {
            client.parked.check().context(NOT_UNDERSTOOD)?;
        }
        SourceTable::new(options).go_on(&package.sources, &[]).context(NOT_UNDERSTOOD)?;
        let (clients, most) = (package.clients.len(), options.threads_max);
        ensure!(
            clients <= options.client_threads(),
            "{clients} clients are connected, and --threads-max is {most}"
        );
        read_files(options, self.encrypted_from())?;
        options.store_config().file.map_or(Ok(()), |file| look_into(&file, package.epoch))
    }

    /// From whom there is a listener that needs a certificate.
    pub(in crate::server) fn encrypted_from(&self) -> Option<&'static str> {
        let is_any = self.package.listeners.iter().any(Kind::is_encrypted);
        is_any.then_some("the old server")
    }

    /// The chat's listeners.
    pub(in crate::server) fn take_chat(&mut self) -> anyhow::Result<Vec<Listener>> {
        let all = self.pick(|kind| matches!(kind, Kind::Chat | Kind::LentChat | Kind::File(..)));
        all.map(|(kind, it)| listener(kind, it)).collect()
    }

    /// Those for clients that speak TLS.
    pub(in crate::server) fn take_tls(&mut self) -> anyhow::Result<Vec<Listener>> {
        let all = self.pick(|kind| matches!(kind, Kind::Tls | Kind::LentTls));
        all.map(|(kind, it)| listener(kind, it)).collect()
    }

    /// The listeners for browsers, those for https, and those for metrics.
    pub(in crate::server) fn take_web(&mut self) -> [Vec<TcpListener>; 3] {
        let kinds: [fn(&Kind) -> bool; 3] = [
            |kind| matches!(kind, Kind::Web),
            |kind| matches!(kind, Kind::WebTls),
            |kind| matches!(kind, Kind::Metrics),
        ];
        kinds.map(|kind| self.pick(kind).map(|(_, it)| it.into()).collect())
    }

    /// Takes some of the listeners.
    fn pick(&mut self, is_wanted: fn(&Kind) -> bool) -> std::vec::IntoIter<(Kind, OwnedFd)> {
        let all = take(&mut self.listeners).into_iter();
        let (some, others): (Vec<_>, _) = all.partition(|(kind, _)| is_wanted(kind));
        self.listeners = others;
        some.into_iter()
    }

    /// What the other server knew of what each source has used up.
    pub(in crate::server) fn sources(&self, options: &Options) -> anyhow::Result<SourceTable> {
        let clients = self.package.clients.iter();
        let origins: Vec<_> = clients.map(|one| (one.parked.number, one.peer)).collect();
        let mut table = SourceTable::new(options);
        table.go_on(&self.package.sources, &origins)?;
        Ok(table)
    }

    /// The chat, and a thread for each client.
    pub(in crate::server) fn begin_chat(
        self,
        options: &Options,
        snapshot: Snapshot,
        handler: &Arc<ChatHandler>,
        threads: &Threading,
    ) -> anyhow::Result<Chat<Handle>> {
        if let Some(code) = &self.package.code {
            handler.authenticator.set_code(code.clone());
        }
        number_from(self.package.next_number);
        let mut chat = read_chat(&self.package, options)?;
        self.start_clients(&mut chat, handler, threads)?;
        if snapshot.epoch.is_some() {
            // Others may have changed the file meanwhile. The rooms are as they were handed over.
            chat.restore(Snapshot { rooms: Vec::new(), other_settings: Vec::new(), ..snapshot });
        }
        Ok(chat)
    }

    /// Starts a thread for each client.
    fn start_clients(
        self,
        chat: &mut Chat<Handle>,
        handler: &Arc<ChatHandler>,
        threads: &Threading,
    ) -> anyhow::Result<()> {
        let (begun, has_begun) = bounded(self.sockets.len());
        let mut started = 0;
        for (client, stream) in self.package.clients.into_iter().zip(self.sockets) {
            let Client { parked, peer, outbox } = client;
            let number = parked.number;
            let (chat, begun) = (Arc::clone(handler), begun.clone());
            let handed = Mutex::new(Some((parked, outbox)));
            let handed = Arc::new(HandedHandler { chat, begun, handed });
            let connection = Connection { number, stream, peer, others: 0, kind: 0 };
            match threads.process(connection, &handed) {
                Ok(()) => started += 1,
                Err((_, refusal)) => log::error!("c{number} is hung up: {refusal:?}"),
            }
        }
        let begin = |_| has_begun.recv_timeout(BEGINNING).map(|client| (client.number, client));
        let clients = (0..started).map(begin).collect::<Result<_, _>>();
        chat.set_handles(clients.context("a client's thread does not begin")?);
        log::info!(event = "upgraded"; "this program has taken over, {started} clients connected");
        Ok(())
    }
}

/// Reads the message of the day and the certificate.
fn read_files(options: &Options, lent_by: Option<&str>) -> anyhow::Result<()> {
    options.session_config()?;
    certificate::by_options(options, lent_by).map(drop)
}

/// Looks into the database. The other server has closed it, and keeps its lock.
fn look_into(file: &Path, epoch: u64) -> anyhow::Result<()> {
    let store = Store::open_to_read(file, PATIENCE)?;
    let found = store.schema()?;
    ensure!(
        found == schema::VERSION,
        "it changes the database (schema {found} becomes {}), and that is done at an ordinary start: stop the old server, and start this one",
        schema::VERSION
    );
    ensure!(store.snapshot(0, 0)?.epoch == Some(epoch), "its database is another one");
    Ok(())
}

fn read_chat<H>(package: &Package, options: &Options) -> anyhow::Result<Chat<H>> {
    let chat: Chat<H> = serde_json::from_str(&package.chat).context(NOT_UNDERSTOOD)?;
    let config = RoomsConfig { epoch: package.epoch, ..options.rooms_config() };
    chat.go_on(config, options.commands()).map_err(|why| anyhow!("{why}"))
}

fn listener(kind: Kind, descriptor: OwnedFd) -> anyhow::Result<Listener> {
    Ok(match kind {
        Kind::LentChat | Kind::LentTls => Listener::lent(descriptor.into())?,
        Kind::File(path, file) => UnixSocket::handed(descriptor.into(), &path, file).into(),
        Kind::Chat | Kind::Tls | Kind::Web | Kind::WebTls | Kind::Metrics => {
            TcpListener::from(descriptor).into()
        }
    })
}
