//! The old server's side of an upgrade. Runs on thread `main`.

use super::{
    package::{Client, Kind, Package},
    pass,
    taking_up::{GO, READY, REHEARSE, VARIABLE, times_handed_over},
};
use crate::{
    core::{close_reason::CloseReason, wire::sanitize::sanitize},
    server::{
        Chatd,
        client::{outbox::WriterHandle, parked::Parked},
        held_signals::HeldSignals,
        net,
        parking::{Ask, Resting, rest},
        tls::ENCRYPTED,
    },
    socketserver::{Listener, next_number},
};
use anyhow::{Context as _, anyhow, bail};
use nix::{
    sys::{
        pthread::{Pthread, pthread_kill},
        signal::Signal,
    },
    unistd::execvpe,
};
use rustix::stdio::dup2_stdin;
use signal_hook::{consts::SIGURG, flag};
use std::{
    collections::HashMap,
    convert::Infallible,
    env,
    ffi::CString,
    io::{self, ErrorKind, Read as _},
    iter::once,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::{ffi::OsStrExt as _, net::UnixStream, thread::JoinHandleExt as _},
    },
    process::{Command, Stdio},
    sync::{Arc, Once},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long the clients' threads may take to come to rest: one that hashes a password, or whose
/// client reads a long answer, is not at once where it can. After that its client is hung up.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long those that leave may take to do so.
const LEAVING: Duration = Duration::from_millis(500);
/// How long the fan-out, and then the historian, may take.
const QUIET: Duration = Duration::from_secs(3);
/// How long the new program may take to say that it is ready.
const REHEARSAL: Duration = Duration::from_secs(10);
/// How long to wait before a thread that has not come to rest is woken again: a signal that comes
/// just before its thread begins to wait is lost.
const AGAIN: Duration = Duration::from_millis(2);
/// How often to look meanwhile whether this server is to stop.
const LOOK_UP: Duration = Duration::from_millis(100);
/// The most bytes of what the new program answers: a sentence.
const ANSWER_MAX: usize = 4096;
const NOT_STARTED: &str = "the new program cannot be started";

/// Fails when the upgrade is to be given up.
type GoesOn<'a> = &'a dyn Fn() -> anyhow::Result<()>;

/// Wakes a thread that waits for a socket. Its handler does nothing. (By default this signal does
/// nothing, either: one that comes late harms no program.)
fn wake(thread: &JoinHandle<()>) {
    // A number for std; for musl's own functions it is a pointer.
    let thread = thread.as_pthread_t() as Pthread;
    let _ = pthread_kill(thread, Signal::SIGURG);
}

impl Chatd {
    /// Has `program` take over: in this process, so that it returns only if nothing came of it, and
    /// this server goes on. `is_stopping`: it is to stop, which comes first.
    ///
    /// # Errors
    /// Why nothing came of it.
    pub fn hand_over(
        &self,
        program: &mut Command,
        is_stopping: &dyn Fn() -> bool,
    ) -> anyhow::Result<Infallible> {
        static HANDLED: Once = Once::new();
        HANDLED.call_once(|| drop(flag::register(SIGURG, Arc::default())));
        let handed = self.leave(program, &|| match is_stopping() {
            true => bail!("the server is about to stop"),
            false => Ok(()),
        });
        self.handler.rests.clients.ask(None);
        for server in &self.servers {
            server.pause(false);
        }
        handed // whatever rests was dropped with `leave`, and goes on
    }

    fn leave(&self, program: &mut Command, goes_on: GoesOn<'_>) -> anyhow::Result<Infallible> {
        rehearse(program, "", &[], goes_on)?; // if it cannot be started at all, nobody notices
        let began = Instant::now();
        self.stop_accepting(goes_on)?;
        let (rests, clients) = rest();
        self.handler.rests.clients.ask(Some(rests));
        let parked = self.park_clients(&clients, goes_on)?;
        let (chat, _chat_rests) = ask("fan-out", &self.handler.rests.fanout)?;
        let ((), _store_rests) = ask("historian", &self.handler.rests.historian)?;
        let (package, sockets) = self.pack(chat, parked)?;
        let state = package.write()?;
        let stdin = io::stdin();
        let mut descriptors = vec![stdin.as_fd()];
        descriptors.extend(self.descriptors());
        descriptors.extend(sockets.iter().map(|client| client.socket().as_fd()));
        log::debug!("{} clients rest after {:?}", sockets.len(), began.elapsed());
        rehearse(program, &state, &descriptors, goes_on)?;
        let _held = HeldSignals::hold(); // one that comes from here on finds the new program
        goes_on()?;
        log::info!(event = "upgrading"; "another program takes over, {} clients connected", sockets.len());
        log::logger().flush();
        become_other(program, &state, &descriptors)
    }

    fn stop_accepting(&self, goes_on: GoesOn<'_>) -> anyhow::Result<()> {
        let end = Instant::now() + QUIET;
        while !self.servers.iter().all(|server| server.pause(true)) {
            goes_on()?;
            if Instant::now() >= end {
                bail!("the accept loops do not come to rest");
            }
            self.accepting.iter().for_each(wake);
            thread::sleep(AGAIN);
        }
        Ok(())
    }

    /// Waits until every client's thread rests, or is about to end.
    fn park_clients(
        &self,
        resting: &Resting<Parked>,
        goes_on: GoesOn<'_>,
    ) -> anyhow::Result<HashMap<u64, Parked>> {
        let (mut parked, began) = (HashMap::new(), Instant::now());
        let mut is_late = false;
        // They cannot be handed over, and may be in their handshake.
        let mut encrypted = self.handler.registry.all();
        encrypted.retain(|client| client.is_encrypted());
        encrypted.iter().for_each(|client| client.hang_up(CloseReason::Upgrade));
        loop {
            goes_on()?;
            parked.extend(resting.left.try_iter().map(|one| (one.number, one)));
            let clients = self.handler.registry.all();
            // Each thread is in the registry, but for a moment at its beginning.
            let are_all_known = self.threads.running() <= clients.len();
            let (leaving, moving): (Vec<_>, Vec<_>) = clients
                .into_iter()
                .filter(|client| !parked.contains_key(&client.number))
                .partition(|client| client.is_leaving());
            let elapsed = began.elapsed();
            let have_left = leaving.is_empty() || elapsed > LEAVING;
            if (moving.is_empty() && are_all_known && have_left) || elapsed > 2 * PATIENCE {
                return Ok(parked);
            }
            if elapsed > PATIENCE && !is_late {
                is_late = true;
                moving.iter().for_each(|client| client.hang_up(CloseReason::Upgrade));
            }
            self.threads.for_each(wake);
            thread::sleep(AGAIN);
        }
    }

    fn pack(
        &self,
        (chat, epoch): (String, u64),
        mut parked: HashMap<u64, Parked>,
    ) -> anyhow::Result<(Package, Vec<Arc<WriterHandle>>)> {
        let mut sockets = self.handler.registry.all();
        sockets.retain(|client| parked.contains_key(&client.number) && !client.is_hung_up());
        let clients = sockets.iter().filter_map(|client| {
            let parked = parked.remove(&client.number)?;
            Some(Client { parked, peer: client.peer, outbox: client.freeze() })
        });
        let package = Package {
            epoch,
            chat,
            clients: clients.collect(),
            listeners: self.kinds(),
            sources: self.handler.sources.save()?,
            code: self.pairing_code(),
            next_number: next_number(),
        };
        Ok((package, sockets))
    }

    fn kinds(&self) -> Vec<Kind> {
        let chat = self.servers.iter().map(|server| match (server.listener(), server.kind()) {
            (Listener::Tcp(_), ENCRYPTED) => Kind::Tls,
            (Listener::Tcp(_), _) => Kind::Chat,
            (Listener::Lent(_), ENCRYPTED) => Kind::LentTls,
            (Listener::Lent(_), _) => Kind::LentChat,
            (Listener::Unix(socket), _) => Kind::File(socket.path().to_owned(), socket.file()),
        });
        let web = self.web.iter().flat_map(|web| &web.listeners).zip([
            Kind::Web,
            Kind::WebTls,
            Kind::Metrics,
        ]);
        let web = web.flat_map(|(listeners, kind)| listeners.iter().map(move |_| kind.clone()));
        chat.chain(web).collect()
    }

    /// In the same order.
    fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let web = self.web.iter().flat_map(|web| &web.listeners).flatten();
        let chat = self.servers.iter().map(|server| server.listener().as_fd());
        chat.chain(web.map(|listener| listener.as_fd()))
    }
}

/// Has a thread come to rest, and takes what it leaves.
fn ask<T>(name: &str, thread: &Ask<T>) -> anyhow::Result<(T, Resting<Result<T, String>>)> {
    let (asked, resting) = rest();
    thread.send_timeout(asked, QUIET).map_err(|_| anyhow!("the {name} hangs"))?;
    let left = resting.left.recv_timeout(QUIET);
    let left = left.map_err(|_| anyhow!("the {name} does not come to rest"))?;
    Ok((left.map_err(|why| anyhow!("{why}"))?, resting))
}

/// Has the new program read everything in a process of its own, as if it took over. With no state, that
/// is what it reads of its options.
fn rehearse(
    program: &mut Command,
    state: &str,
    descriptors: &[BorrowedFd<'_>],
    goes_on: GoesOn<'_>,
) -> anyhow::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    let stdin = OwnedFd::from(theirs);
    let child = program.env(VARIABLE, REHEARSE).stdin(stdin).stdout(Stdio::null());
    let mut child = child.spawn().context(NOT_STARTED)?;
    program.stdin(Stdio::null()); // it keeps the other end
    let answer = match pass::send(&ours, state, descriptors) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot hand anything over")
        }
        _ => hear(&ours, goes_on), // if it has ended already, that is heard
    };
    let _ = child.kill(); // it is over
    let status = child.wait()?;
    match answer?.as_str() {
        READY => Ok(()),
        "" => bail!("the new program has ended without a word: {status}"),
        answer => bail!("the new program refuses: {}", sanitize(answer)),
    }
}

/// Hears what the new program answers, to the end.
fn hear(mut socket: &UnixStream, goes_on: GoesOn<'_>) -> anyhow::Result<String> {
    let (mut answer, mut space, end) = (Vec::new(), [0; 512], Instant::now() + REHEARSAL);
    socket.set_read_timeout(Some(LOOK_UP))?;
    while answer.len() < ANSWER_MAX {
        goes_on()?;
        if Instant::now() >= end {
            bail!("the new program is not ready after {REHEARSAL:?}");
        }
        match socket.read(&mut space) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&space[..count]),
            Err(e) if net::is_nothing(&e) => {}
            Err(_) => break, // it has ended, and had not read everything
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Becomes the new program. (Not by `Command::exec`: where that fails, it has changed our standard input,
/// and lets the next write to a closed pipe end this process.)
fn become_other(
    program: &Command,
    state: &str,
    descriptors: &[BorrowedFd<'_>],
) -> anyhow::Result<Infallible> {
    let (ours, theirs) = UnixStream::pair()?;
    pass::send(&ours, state, descriptors)?;
    let arguments = once(program.get_program()).chain(program.get_args());
    let arguments: Vec<CString> =
        arguments.map(|argument| CString::new(argument.as_bytes())).collect::<Result<_, _>>()?;
    let times = times_handed_over(std::process::id() as i32) + 1;
    let ours_to_say = (VARIABLE.into(), format!("{GO}{times}").into());
    let variables = env::vars_os().filter(|(name, _)| name != VARIABLE).chain([ours_to_say]);
    let variables: Vec<CString> = variables
        .map(|(name, value)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()))
        .collect::<Result<_, _>>()?;
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    dup2_stdin(&theirs)?;
    let Err(error) = execvpe(&arguments[0], &arguments, &variables);
    dup2_stdin(&stdin)?;
    Err(io::Error::from(error)).context(NOT_STARTED)
}
