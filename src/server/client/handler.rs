//! One client's thread: reads, runs the session, and closes politely. Runs on thread `c7:alice`.
//!
//! Start with `ClientThread::run`: it talks with a client until there is a reason to close. What the
//! session asks of it meanwhile is in `driver`.

use super::{
    flusher::FlusherQueue,
    linger::say_goodbye,
    lingerer::LingerQueue,
    outbox::{LOOK_UP, SlowLimits, WriterHandle},
    parked::Parked,
    websocket::{MessageReader, ReadError, Wait},
};
use crate::{
    core::{
        close_reason::CloseReason,
        commands::Table,
        event::Event,
        run_command,
        session::{Heard, Session, SessionConfig},
    },
    lock::{Locked, assert_no_lock_held},
    origin::Origin,
    server::{
        auth::Authenticator,
        cues::Cue,
        fanout::{EventSender, is_large},
        hazards::Hazards,
        history::historian::HistoryReader,
        net,
        page_at::PageAt,
        parking::Rests,
        registry::Registry,
        sources::{SourceTable, Usage},
        status::{Activity, Totals},
        threads::Threads,
        tls::certificates::Certificates,
    },
};
use crossbeam_channel::{Sender, TrySendError};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How long the server goes on reading what a flooding client sent, at the pace of `--flood`, after
/// the client has closed their side.
pub const READ_AFTER_END: Duration = Duration::from_secs(10);
/// How long a client in a place for an administrator may take to log in: there are few of these.
pub const RESERVE_DEADLINE: Duration = Duration::from_secs(15);
/// The most bytes of replies that gather before they are sent (approximately).
pub(super) const REPLIES_MAX: usize = 4096;

/// What all client threads work with.
pub(crate) struct ChatHandler {
    /// For whoever connects now. It changes when an operator has the options read again.
    pub(crate) session: Locked<Arc<SessionConfig>>,
    pub(crate) commands: Table,
    pub(crate) limits: SlowLimits,
    /// How long a client may take to give a name.
    pub(crate) login_deadline: Duration,
    /// The ordinary places. (A few more are kept for an administrator.)
    pub(crate) threads_max: usize,
    /// Sends to the fan-out, which ends when the last of these senders is gone.
    pub(crate) events: EventSender,
    pub(crate) history: HistoryReader,
    /// Compares passwords, a few at a time.
    pub(crate) authenticator: Authenticator,
    pub(crate) flusher: Arc<FlusherQueue>,
    /// Keeps connections that are not let in.
    pub(crate) linger: LingerQueue,
    pub(crate) registry: Arc<Registry>,
    /// `None` without `--demo`.
    pub(crate) hazards: Option<Arc<Hazards>>,
    pub(crate) sources: SourceTable,
    pub(crate) totals: Arc<Totals>,
    /// Every thread.
    pub(crate) threads: Arc<Threads>,
    /// Where browsers find the page, if they do.
    pub(crate) web: Option<PageAt>,
    /// For whoever comes encrypted, if there is a port for that.
    pub(crate) certificates: Option<Arc<Certificates>>,
    /// Where threads rest while the server is handed over.
    pub(crate) rests: Rests<Parked>,
    /// To tell the fan-out what no client has done.
    pub(crate) tell: Sender<Cue>,
}

impl ChatHandler {
    pub(super) fn session_of(&self, peer: Origin) -> Arc<SessionConfig> {
        let puppet = self.hazards.as_ref().and_then(|hazards| hazards.session(peer));
        puppet.unwrap_or_else(|| Arc::clone(&self.session.lock()))
    }
}

/// The thread of one client.
pub(super) struct ClientThread<'a> {
    pub(super) handler: &'a ChatHandler,
    pub(super) client: &'a Arc<WriterHandle>,
    pub(super) usage: Usage,
    /// Replies that are not sent yet. `Some`, perhaps empty: the fan-out has left an answer in the
    /// outbox, and holds back what the room says until this thread calls `write_answer`, even with
    /// nothing (see `Turn` in turn.rs).
    pub(super) replies: Option<Vec<u8>>,
    /// The socket has been read once, without waiting, since these replies began to wait.
    pub(super) has_looked: bool,
    /// `Some`: the client is a browser.
    pub(super) messages: Option<Box<MessageReader>>,
}

impl<'a> ClientThread<'a> {
    /// One connection, from the greeting to the goodbye. Every ending comes through here.
    pub(super) fn serve(
        handler: &'a ChatHandler,
        client: &'a Arc<WriterHandle>,
        reserve_of: Option<usize>,
        messages: Option<Box<MessageReader>>,
    ) {
        client.status.attach();
        if !handler.registry.insert(client) {
            client.hang_up(CloseReason::Shutdown); // the server stops: `run` sees it, and returns
        }
        let mut thread = ClientThread::new(handler, client, reserve_of, messages);
        thread.usage.log_begin(client.peer);
        let reason = catch_unwind(AssertUnwindSafe(|| {
            let config = handler.session_of(client.peer);
            let mut session = thread.greet(&config, reserve_of);
            let reason = thread.run(&mut session, reserve_of.is_some(), Instant::now());
            thread.usage.end(&handler.sources, &mut session);
            reason
        }));
        if reason.is_err() {
            handler.sources.end_without_session(client.peer, true);
        }
        thread.end(reason);
    }

    #[inline(never)] // in a box, and only built here on the stack: see `Session::hear`
    fn new(
        handler: &'a ChatHandler,
        client: &'a Arc<WriterHandle>,
        reserve_of: Option<usize>,
        messages: Option<Box<MessageReader>>,
    ) -> Box<ClientThread<'a>> {
        let usage = handler.sources.begin(client.number, client.peer, client.socket(), reserve_of);
        let (replies, has_looked) = (None, false);
        Box::new(ClientThread { handler, client, usage, replies, has_looked, messages })
    }

    #[inline(never)] // see `Session::hear`
    fn greet<'b>(
        &mut self,
        config: &'b SessionConfig,
        reserve_of: Option<usize>,
    ) -> Box<Session<'b>> {
        let connection = format!("c{}", self.client.number);
        let peer = self.usage.peer(&connection, self.client.peer, reserve_of);
        Session::begin(config, peer, Duration::ZERO, self)
    }

    /// A browser that was pointed at the chat's port is told where the page is: on the address that
    /// it has tried, unless the page is on another one alone.
    fn point_to_page(&self, reason: CloseReason) -> CloseReason {
        let web = self.handler.web.filter(|_| self.messages.is_none());
        match (&reason, web, self.client.socket().local_addr()) {
            (CloseReason::OtherProtocol("an HTTP request"), Some(mut page), Ok(tried)) => {
                if page.address.ip().is_unspecified() {
                    page.address.set_ip(tried.ip());
                }
                CloseReason::PageElsewhere(page.url() + "/")
            }
            _ => reason,
        }
    }

    /// Takes leave of the rooms, and then of the client.
    #[inline(never)] // see `Session::hear`
    pub(super) fn end(&mut self, reason: thread::Result<CloseReason>) {
        let (client, totals) = (self.client, &self.handler.totals);
        self.flush();
        let reason = reason.unwrap_or(CloseReason::ServerError); // the thread has panicked
        let reason = client.settle(self.point_to_page(reason));
        self.send(Event::Depart(reason.clone()));
        // When this returns, what was said before has been delivered, and the name is free.
        client.wait_for_answer();
        self.usage.log_end(&client.status.name(), &reason);
        totals.count_end(&reason);
        say_goodbye(client, &reason);
    }

    /// Reads, and runs the session, until there is a reason to close.
    #[inline(never)] // see `Session::hear`
    pub(super) fn run(
        &mut self,
        session: &mut Session<'_>,
        is_reserve: bool,
        began: Instant,
    ) -> CloseReason {
        let (handler, client) = (self.handler, self.client);
        let mut deadline = if is_reserve { RESERVE_DEADLINE } else { handler.login_deadline };
        let mut ended_at: Option<Instant> = None;
        loop {
            if self.is_to_rest(session) {
                self.rest(session, began.elapsed());
            }
            let heard = session.hear(began.elapsed(), self);
            client.status.count_in(session.take_line_count());
            if client.is_hung_up()
                && let Some(reason) = client.close_reason()
            {
                return reason; // somebody hung this client up
            }
            let left = session.is_naming().then(|| deadline.saturating_sub(began.elapsed()));
            if left == Some(Duration::ZERO) {
                return CloseReason::NoName(deadline.as_secs());
            }
            match heard {
                Heard::Talk(talk) => self.send(Event::Talk(talk)),
                Heard::Command(text) => run_command(handler.commands, session, &text, self),
                Heard::Dialogue => {}
                Heard::Close(reason) => return explain(client, reason),
                Heard::Pause(wait) => {
                    self.flush();
                    let is_theirs = session.pace.is_greeted(); // the time before that is not
                    deadline += if is_theirs { Duration::ZERO } else { wait };
                    let left = left.filter(|_| is_theirs).unwrap_or(wait);
                    let paused = self.pause(left.min(wait), session);
                    if let Err(e) = self.usage.end_pause(&handler.sources, session, paused) {
                        return CloseReason::Lost(e.to_string());
                    }
                    // A client that floods and leaves must not keep their name until the whole
                    // flood has been said.
                    if net::has_peer_ended(client.socket())
                        && ended_at.get_or_insert_with(Instant::now).elapsed() > READ_AFTER_END
                    {
                        return explain(client, CloseReason::Closed);
                    }
                }
                Heard::Nothing => match self.read(session, until_beat(session, began, left)) {
                    Ok(0) if client.is_hung_up() => {} // not the peer's end of file: `hang_up` ended the reading
                    Ok(0) => match client.cut_off() {
                        Some(error) => return CloseReason::Lost(error), // half a line is dropped
                        None => session.input.received(0),
                    },
                    Ok(n) => session.input.received(n),
                    Err(ReadError::Io(e)) if net::is_nothing(&e) => {}
                    Err(ReadError::Io(e)) => return CloseReason::Lost(e.to_string()),
                    Err(ReadError::Bad(reason)) => return reason,
                },
            }
        }
    }

    /// Reads what there is. If there is nothing, waits: for ever, or for `at_most`, and then fails
    /// with `WouldBlock`. Replies are sent before the wait. But the first read does not wait: a
    /// program may have sent its name already, and then one send can carry all replies.
    fn read(
        &mut self,
        session: &mut Session<'_>,
        at_most: Option<Duration>,
    ) -> Result<usize, ReadError> {
        let input = &mut session.input;
        let mut wait = Wait::AtMost(at_most);
        if self.replies.is_some() {
            match std::mem::replace(&mut self.has_looked, true) {
                false => wait = Wait::No,
                true => self.flush(),
            }
        }
        if let Wait::AtMost(_) = wait {
            assert_no_lock_held("a socket");
            self.client.status.set(Activity::Reading);
        }
        let socket = self.client.socket();
        let read = match (&mut self.messages, wait) {
            (Some(messages), _) => messages.read(input, wait),
            (None, _) if self.client.is_encrypted() => self.client.read_encrypted(input, wait),
            (None, Wait::No) => net::read_now(socket, input.space()).map_err(ReadError::Io),
            (None, Wait::AtMost(at_most)) => {
                net::read(socket, input.space(), at_most).map_err(ReadError::Io)
            }
        };
        self.client.status.set(Activity::Working);
        read
    }

    /// Waits for `at_most`, or until the client is hung up. Fails if the connection is found
    /// broken.
    #[inline(never)] // see `Session::hear`
    fn pause(&mut self, at_most: Duration, session: &mut Session<'_>) -> io::Result<()> {
        let end = Instant::now() + at_most;
        self.client.status.set(Activity::Pausing);
        while self.client.close_reason().is_none() {
            if self.is_to_rest(session) && !self.usage.may_be_gone() {
                session.pace.pause_for(end.saturating_duration_since(Instant::now()));
                break;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            assert_no_lock_held("the end of a pause");
            let (socket, at_most) = (self.client.socket(), left.min(LOOK_UP));
            match self.usage.watches_for_end() {
                false => net::wait_broken(socket, at_most)?,
                true if !net::wait_end(socket, at_most)? => {}
                true => self.usage.half_close(&self.handler.sources, session),
            }
        }
        Ok(())
    }

    /// Sends the replies that have gathered.
    pub(super) fn flush(&mut self) {
        self.has_looked = false;
        if let Some(replies) = self.replies.take() {
            self.client.write_answer(&replies);
        }
    }

    /// Sends an event. If the channel is full, this thread waits, so it does not read, so its
    /// client cannot send: backpressure.
    pub(super) fn send(&mut self, mut event: Event) {
        if let Event::Talk(talk) = &mut event {
            talk.trace = self.handler.totals.trace.begin(&self.client.status);
        }
        if is_large(&event) {
            self.take_large_place();
        }
        let event = (Arc::clone(self.client), event);
        let Err(TrySendError::Full(event)) = self.handler.events.queue.try_send(event) else {
            return;
        };
        self.flush(); // the wait below may be long
        assert_no_lock_held("the events channel");
        self.client.status.set(Activity::WaitingForChannel);
        let _ = self.handler.events.queue.send(event); // the fan-out outlives every client
        self.client.status.set(Activity::Working);
    }

    /// Takes the place of a large event, and waits for it as for a place of any other.
    #[inline(never)] // see `Session::hear`
    fn take_large_place(&mut self) {
        if self.handler.events.large.try_send(()).is_err() {
            self.flush();
            assert_no_lock_held("a place for a large event");
            self.client.status.set(Activity::WaitingForChannel);
            let _ = self.handler.events.large.send(());
            self.client.status.set(Activity::Working);
        }
    }
}

/// How long a read may wait: `left`, or until a program has to be told that the server is there.
fn until_beat(session: &Session<'_>, began: Instant, left: Option<Duration>) -> Option<Duration> {
    let Some(due) = session.program.next_beat() else { return left };
    let beat = due.saturating_sub(began.elapsed()).max(Duration::from_millis(1));
    Some(left.map_or(beat, |left| left.min(beat)))
}

/// If a send has found the connection broken, a later read sees only an end of file: the kernel
/// reports the error once. It is a lost connection all the same.
fn explain(client: &WriterHandle, reason: CloseReason) -> CloseReason {
    match (reason, client.broken()) {
        (CloseReason::Closed, Some(error)) => CloseReason::Lost(error),
        (reason, _) => reason,
    }
}
