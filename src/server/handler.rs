//! One client's thread: reads, runs the session, and sees the client out. Runs on thread `c7:alice`.
//!
//! The story of a connection is `ChatHandler::serve`. All else here is how a session's wishes
//! ([`Hall`]) become channel sends and socket writes.

use super::{
    fanout::{EVENTS_MAX, Post},
    flusher::FlusherQueue,
    registry::Registry,
    status::{self, Doing, Status, Totals},
    usher::UsherQueue,
    writer::{SlowLimits, WriterHandle},
};
use crate::{
    core::{
        event::{Answer, Event, Hall, Question, Talk},
        farewell::Farewell,
        session::{Next, Session, SessionConfig},
    },
    lock::assert_no_lock_held,
    socketserver::{Connection, Handler, Refusal},
};
use crossbeam_channel::{Sender, TrySendError};
use parking_lot::Mutex;
use std::{
    io::ErrorKind,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

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
        let Connection { number, stream, peer } = connection;
        let client = WriterHandle::new(number, stream, peer, self.limits, Arc::clone(&self.flusher));
        self.serve(&client);
        self.registry.dismiss(peer.ip());
        Ok(())
    }

    fn refuse(&self, connection: Connection, refusal: Refusal) {
        self.totals.refused.fetch_add(1, Relaxed);
        let sentence = match refusal {
            Refusal::Full { most } => {
                self.registry.dismiss(connection.peer.ip());
                format!("Sorry: all {most} places are taken. Please try again later.")
            }
            Refusal::NoThread { running, error } => {
                self.registry.dismiss(connection.peer.ip());
                log::warn!("no thread for {}: {error} ({running} run)", connection.peer);
                format!("Sorry: the machine cannot start one more thread ({running} run). Please try again later.")
            }
            Refusal::Unwelcome(sentence) => sentence,
        };
        log::info!("refused {}: {sentence}", connection.peer);
        self.usher.show_out(connection.stream, &sentence);
    }
}

impl ChatHandler {
    /// One connection, from the greeting to the farewell. Every ending comes by here.
    fn serve(&self, client: &Arc<WriterHandle>) {
        client.status.now(Doing::WaitingForRegistry);
        if !self.registry.insert(client) {
            client.hang_up(Farewell::Shutdown); // it came in the last moment
        }
        log::info!("c{} connected from {}", client.number, client.peer);

        let farewell = catch_unwind(AssertUnwindSafe(|| self.converse(client))).unwrap_or(Farewell::ServerError);
        let farewell = client.settle(farewell);

        let mut hall = ThreadHall { client, handler: self };
        hall.send(Event::Depart(farewell.clone()));
        client.wait_for_answer(); // what was said before has been delivered now, and the name is free
        log::info!("{} left: {farewell}", client.status.name());
        self.totals.too_slow.fetch_add(u64::from(farewell.is_slow()), Relaxed);
        client.say_goodbye(&farewell);
        self.registry.remove(client);
    }

    /// The conversation: read, run the session, until there is a reason to part.
    fn converse(&self, client: &Arc<WriterHandle>) -> Farewell {
        let began = Instant::now();
        let mut hall = ThreadHall { client, handler: self };
        let (thread, address) = (format!("c{}", client.number), client.peer.to_string());
        let mut session = Session::begin(&self.session, &thread, &address, Duration::ZERO, &mut hall);
        let mut was_naming = true;
        loop {
            let next = session.run(began.elapsed(), &mut hall);
            if let Some(farewell) = client.farewell() {
                return farewell; // somebody hung this client up
            }
            if was_naming && !session.is_naming() {
                was_naming = false;
                client.read_without_deadline();
            }
            match next {
                Next::Close(farewell) => return farewell,
                Next::Pause(for_so_long) => client.pause(for_so_long),
                Next::CatchUp => {} // not here: `reply` waited
                Next::Read => {
                    let left = was_naming.then(|| self.login_deadline.saturating_sub(began.elapsed()));
                    if left == Some(Duration::ZERO) {
                        return Farewell::NoName(self.login_deadline.as_secs());
                    }
                    match client.read(session.input.space(), left) {
                        Ok(0) if client.farewell().is_some() => {} // not the peer's end of file: ours
                        Ok(n) => session.input.received(n),
                        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                        Err(e) => return Farewell::Lost(e.to_string()),
                    }
                }
            }
        }
    }

    /// The answer to `/threads`. It asks no thread: each has written down what it does.
    fn threads(&self, caller: &Status) -> String {
        caller.now(Doing::WaitingForRegistry);
        let clients = self.registry.all();
        caller.now(Doing::Working);
        let summary = format!(
            "{} of {} clients, {} of {EVENTS_MAX} events waiting",
            clients.len(),
            self.threads_max,
            self.events.len()
        );
        let mut rows: Vec<Arc<Status>> = self.house.lock().clone();
        rows.extend(clients.iter().map(|client| Arc::clone(&client.status)));
        status::table(&summary, &self.totals, &rows)
    }
}

/// A session's hall where every client has a thread: to wait is to let this thread wait.
struct ThreadHall<'a> {
    client: &'a Arc<WriterHandle>,
    handler: &'a ChatHandler,
}

impl Hall for ThreadHall<'_> {
    fn say(&mut self, talk: Talk) {
        self.client.status.count_in(talk.lines);
        self.send(Event::Say(talk));
    }

    fn ask(&mut self, question: Question) -> Answer {
        self.send(Event::Ask(question));
        let answer = self.client.wait_for_answer();
        if let Some(name) = &answer.name {
            self.client.status.rename_thread(&format!("c{}:{}", self.client.number, name.shown()));
        }
        answer
    }

    fn reply(&mut self, bytes: &[u8]) {
        self.client.write_answer(bytes);
    }

    fn describe_threads(&mut self) -> String {
        self.handler.threads(&self.client.status)
    }
}

impl ThreadHall<'_> {
    /// Sends an event. A full channel makes this thread wait, so it does not read, so its client cannot send:
    /// backpressure.
    fn send(&mut self, event: Event) {
        let post = Post::Client(Arc::clone(self.client), event);
        let Err(TrySendError::Full(post)) = self.handler.events.try_send(post) else { return };
        assert_no_lock_held("the events channel");
        self.client.status.now(Doing::WaitingForChannel);
        let _ = self.handler.events.send(post); // the fan-out outlives every client
        self.client.status.now(Doing::Working);
    }
}
