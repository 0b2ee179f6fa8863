//! One client's thread: reads, runs the session, and sees the client out. Runs on thread `c7:alice`.
//!
//! The story of a connection is `ChatHandler::serve`. All else here is how a session's wishes
//! ([`Hall`]) become channel sends and socket writes.

use super::{
    fanout::Post,
    flusher::FlusherQueue,
    historian::Reading,
    porter::Porter,
    registry::Registry,
    status::{self, Doing, Status, Totals},
    usher::UsherQueue,
    writer::{SlowLimits, WriterHandle},
};
use crate::{
    core::{
        event::{Answer, Attempt, Event, Hall, Question, Talk, Verdict},
        farewell::Farewell,
        record::{Found, PasswordHash, Query},
        secret::Secret,
        session::{Next, Peer, Session, SessionConfig},
    },
    lock::assert_no_lock_held,
    socketserver::{Accepting, Connection, Handler, Refusal},
};
use crossbeam_channel::{Sender, TrySendError};
use parking_lot::Mutex;
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

/// How long a client that floods and then ends its side is heard out, at the pace of `--flood`.
pub const LAST_WORDS: Duration = Duration::from_secs(10);

/// How long somebody may take to show that the place kept for an administrator is his: there is only one.
pub const RESERVE_DEADLINE: Duration = Duration::from_secs(15);

/// Bytes of replies that are gathered before they are sent, about.
const REPLIES_MAX: usize = 4096;

/// What a client's thread works with.
pub struct ChatHandler {
    /// What all sessions have in common.
    pub session: SessionConfig,
    /// When a client is too slow.
    pub limits: SlowLimits,
    /// How long a client may take to give its name.
    pub login_deadline: Duration,
    /// Client threads at most.
    pub threads_max: usize,
    /// The way to the fan-out, which ends when the last of these is gone.
    pub events: Sender<Post>,
    /// The way to the historian, for questions.
    pub reading: Reading,
    /// Compares passwords, a few at a time.
    pub porter: Porter,
    /// The way to the flusher.
    pub flusher: Arc<FlusherQueue>,
    /// The way to the usher.
    pub usher: UsherQueue,
    /// Connected clients.
    pub registry: Registry,
    /// Counts for `/threads`.
    pub totals: Arc<Totals>,
    /// The notes of the threads that are not clients'.
    pub house: Mutex<Vec<Arc<Status>>>,
}

impl Handler for ChatHandler {
    fn verify(&self, peer: SocketAddr) -> Result<(), String> {
        self.registry.admit(peer.ip())
    }

    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let Connection { number, stream, peer, others } = connection;
        let client =
            WriterHandle::new(number, stream, peer, self.limits, Arc::clone(&self.flusher));
        let seat = Seat { handler: self, client: &client };
        let reserve_of = (others >= self.threads_max).then_some(self.threads_max);
        self.serve(seat.client, reserve_of);
        Ok(())
    }

    fn watch(&self, now: Accepting) {
        status::note(match now {
            Accepting::Waiting => Doing::Accepting,
            Accepting::HandingOn => Doing::Working,
            Accepting::OutOfDescriptors => Doing::WaitingForDescriptors,
        });
    }

    fn refuse(&self, connection: Connection, refusal: Refusal) {
        self.totals.refused.fetch_add(1, Relaxed);
        let sentence = match refusal {
            Refusal::Full { .. } => {
                self.registry.dismiss(connection.peer.ip());
                format!("Sorry: all {} places are taken. Please try again later.", self.threads_max)
            }
            Refusal::NoThread { running, error } => {
                self.registry.dismiss(connection.peer.ip());
                log::warn!("no thread for {}: {error} ({running} run)", connection.peer);
                format!(
                    "Sorry: the machine cannot start one more thread ({running} run). Please try again later."
                )
            }
            Refusal::Unwelcome(sentence) => sentence,
        };
        log::info!("refused {}: {sentence}", connection.peer);
        self.usher.show_out(connection.stream, &sentence);
    }
}

impl ChatHandler {
    /// One connection, from the greeting to the farewell. Every ending comes by here.
    fn serve(&self, client: &Arc<WriterHandle>, reserve_of: Option<usize>) {
        self.take_in(client);
        let mut hall = ThreadHall { client, handler: self, replies: None, has_looked: false };
        let conversation = AssertUnwindSafe(|| self.converse(&mut hall, reserve_of));
        let farewell = catch_unwind(conversation).unwrap_or(Farewell::ServerError);
        self.see_out(hall, farewell);
    }

    #[inline(never)] // see `Session::run`
    fn take_in(&self, client: &Arc<WriterHandle>) {
        client.status.adopt();
        client.status.now(Doing::WaitingForRegistry);
        if !self.registry.insert(client) {
            client.hang_up(Farewell::Shutdown); // it came in the last moment
        }
        log::info!("c{} connected from {}", client.number, client.peer);
    }

    #[inline(never)] // see `Session::run`
    fn see_out(&self, mut hall: ThreadHall<'_>, farewell: Farewell) {
        hall.flush();
        let client = hall.client;
        let farewell = client.settle(farewell);
        hall.send(Event::Depart(farewell.clone()));
        client.wait_for_answer(); // what was said before has been delivered now, and the name is free
        log::info!("{} left: {farewell}", client.status.name());
        self.totals.too_slow.fetch_add(u64::from(farewell.is_slow()), Relaxed);
        self.totals.refused.fetch_add(u64::from(matches!(farewell, Farewell::Full(_))), Relaxed);
        client.say_goodbye(&farewell);
    }

    /// The conversation: read, run the session, until there is a reason to part.
    fn converse(&self, hall: &mut ThreadHall<'_>, reserve_of: Option<usize>) -> Farewell {
        let began = Instant::now();
        let client = hall.client;
        let peer =
            Peer { connection: &format!("c{}", client.number), address: client.peer, reserve_of };
        let mut session = Box::new(Session::begin(&self.session, peer, Duration::ZERO, hall));
        let login_deadline =
            if reserve_of.is_some() { RESERVE_DEADLINE } else { self.login_deadline };
        let mut was_naming = true;
        let mut last_words: Option<Instant> = None;
        loop {
            let next = session.run(began.elapsed(), hall);
            client.status.count_in(session.take_line_count());
            if let Some(farewell) = client.farewell() {
                return farewell; // somebody hung this client up
            }
            if was_naming && !session.is_naming() {
                was_naming = false;
                client.read_without_deadline();
            }
            let left = was_naming.then(|| login_deadline.saturating_sub(began.elapsed()));
            if left == Some(Duration::ZERO) {
                return Farewell::NoName(login_deadline.as_secs());
            }
            match next {
                Next::CatchUp => {} // not here: `flush` waits
                Next::Close(farewell) => return self.explain(client, farewell),
                Next::Pause(for_so_long) => {
                    hall.flush();
                    if let Err(e) =
                        client.pause(left.map_or(for_so_long, |left| left.min(for_so_long)))
                    {
                        return Farewell::Lost(e.to_string());
                    }
                    // Who floods and goes is not kept, with his name, until all his flood has been said.
                    if client.has_peer_ended()
                        && last_words.get_or_insert_with(Instant::now).elapsed() > LAST_WORDS
                    {
                        return self.explain(client, Farewell::Closed);
                    }
                }
                Next::Read => match hall.read(session.input.space(), left) {
                    Ok(0) if client.is_hung_up() => {} // not the peer's end of file: ours
                    Ok(n) => session.input.received(n),
                    Err(e)
                        if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                    Err(e) => return Farewell::Lost(e.to_string()),
                },
            }
        }
    }

    /// An end of file is a lost connection if a send has found it broken: the first to find out takes the error away.
    fn explain(&self, client: &WriterHandle, farewell: Farewell) -> Farewell {
        match (farewell, client.broken()) {
            (Farewell::Closed, Some(error)) => Farewell::Lost(error),
            (farewell, _) => farewell,
        }
    }

    /// The answer to `/threads`. It asks no thread: each has written down what it does.
    fn threads(&self, caller: &Status) -> String {
        caller.now(Doing::WaitingForRegistry);
        let clients = self.registry.all();
        caller.now(Doing::Working);
        let summary = format!(
            "{} of {} clients, {} of {} events waiting",
            clients.len(),
            self.threads_max,
            self.events.len(),
            self.events.capacity().unwrap_or(0)
        );
        let mut rows: Vec<Arc<Status>> = self.house.lock().clone();
        rows.extend(clients.iter().map(|client| Arc::clone(&client.status)));
        status::table(&summary, &self.totals, &rows)
    }
}

/// A client's place: given back at its end, whatever the end was.
struct Seat<'a> {
    handler: &'a ChatHandler,
    client: &'a Arc<WriterHandle>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.handler.registry.remove(self.client);
        self.handler.registry.dismiss(self.client.peer.ip());
    }
}

/// A session's hall where every client has a thread: to wait is to let this thread wait.
struct ThreadHall<'a> {
    client: &'a Arc<WriterHandle>,
    handler: &'a ChatHandler,
    /// What it was replied and was not sent yet. `Some` also if that is nothing: since it was answered, what is said waits
    /// until its thread has written.
    replies: Option<Vec<u8>>,
    /// Whether there was a look at what the client sent while these wait.
    has_looked: bool,
}

impl Hall for ThreadHall<'_> {
    fn say(&mut self, talk: Talk) {
        self.send(Event::Say(talk));
    }

    fn ask(&mut self, question: Question) -> Answer {
        if !matches!(question, Question::Enter(_)) {
            self.flush(); // the answer may take long; but who enters is greeted and let in by one send
        }
        self.send(Event::Ask(question));
        let answer = self.client.wait_for_answer();
        self.replies.get_or_insert_default(); // the reply may be nothing
        if let Some(name) = &answer.name {
            self.client.status.rename_thread(&format!("c{}:{}", self.client.number, name.shown()));
        }
        answer
    }

    fn find(&mut self, query: Query) -> Found {
        self.handler.reading.ask(query)
    }

    fn hash(&mut self, password: &Secret) -> Result<PasswordHash, String> {
        self.flush();
        self.handler.porter.hash(password)
    }

    fn verify(&mut self, attempt: Attempt<'_>) -> Result<Verdict, String> {
        self.flush();
        let stored = match self.find(Query::Password(attempt.account.unwrap_or_default())) {
            Found::Password(stored) => stored,
            Found::Unavailable(why) => return Err(why),
            Found::Lines(_) => None,
        };
        Ok(self.handler.porter.verify(&attempt, stored.as_ref()))
    }

    fn reply(&mut self, bytes: &[u8]) {
        let replies = self.replies.get_or_insert_default();
        if replies.is_empty() && bytes.len() > REPLIES_MAX {
            (self.replies, self.has_looked) = (None, false);
            return self.client.write_answer(bytes); // without a copy
        }
        replies.extend(bytes);
        if replies.len() > REPLIES_MAX {
            self.flush();
        }
    }

    fn is_hung_up(&self) -> bool {
        self.client.is_hung_up()
    }

    fn describe_threads(&mut self) -> String {
        self.handler.threads(&self.client.status)
    }
}

impl ThreadHall<'_> {
    /// Reads what there is, or waits for it. What the client was replied it gets before that, but first there is one look
    /// whether it has sent something meanwhile, as a program does that sends its name at once.
    fn read(&mut self, space: &mut [u8], at_most: Option<Duration>) -> io::Result<usize> {
        if self.replies.is_some() {
            let is_first_look = !std::mem::replace(&mut self.has_looked, true);
            if is_first_look && let Ok(n) = self.client.read_now(space) {
                return Ok(n);
            }
            self.flush();
        }
        self.client.read(space, at_most)
    }

    /// Sends what was replied.
    fn flush(&mut self) {
        self.has_looked = false;
        if let Some(replies) = self.replies.take() {
            self.client.write_answer(&replies);
        }
    }

    /// Sends an event. A full channel makes this thread wait, so it does not read, so its client cannot send:
    /// backpressure.
    fn send(&mut self, event: Event) {
        let post = (Arc::clone(self.client), event);
        let Err(TrySendError::Full(post)) = self.handler.events.try_send(post) else { return };
        self.flush(); // it may take long
        assert_no_lock_held("the events channel");
        self.client.status.now(Doing::WaitingForChannel);
        let _ = self.handler.events.send(post); // the fan-out outlives every client
        self.client.status.now(Doing::Working);
    }
}
