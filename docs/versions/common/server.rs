//! The server: every client in one table, and the round in which they are served. Thread `main` runs it.
//!
//! A loop asks what to watch ([`Server::watched`], or [`Server::changes`]) and for how long ([`Timers::timeout`]), waits,
//! and calls [`Server::round`] with what it found. There is one thread, so there is one order, and no lock and no channel
//! is needed for it. The price: whatever one client makes this thread compute or wait for, everybody waits for.

use super::{
    Version,
    client::{Client, ClientKey, Interest, Stage},
    timers::{Timer, Timers},
};
use chatd::{
    core::{
        Chat, batch_max,
        close_reason::CloseReason,
        event::{Answer, ClientId, Event},
        rooms::Action,
        session::SessionConfig,
    },
    server::{
        SHUTDOWN_PATIENCE,
        auth::Authenticator,
        begin_chat,
        client::waiting::WaitingList,
        clock::Clock,
        history::historian::{self, HistorianEvent, HistorianHandle, HistoryReader},
        limits, listen, logger,
        options::Options,
        sources::SourceTable,
        start_thread,
        status::{Status, Totals},
    },
    socketserver::{AcceptLog, Listener},
};
use slotmap::SlotMap;
use std::{
    io::Read as _,
    iter,
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How often the loop looks at what it cannot watch: the historian.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long the historian may take to end. With the patience for the clients that is less than 5 s.
const HISTORIAN_PATIENCE: Duration = Duration::from_secs(2);

/// What the pipe and the listeners are watched for.
const READS: Interest = Interest { read: true, write: false };

/// What a loop watches.
#[derive(Clone, Copy)]
pub enum Source {
    /// The pipe that says that a signal came.
    Signals,
    Listener(usize),
    Client(ClientKey),
}

/// The whole server.
pub struct Server<'a> {
    pub(super) version: &'a Version,
    pub(super) options: &'a Options,
    pub(super) session: &'a SessionConfig,
    pub(super) clients: SlotMap<ClientKey, Client<'a>>,
    pub(super) last_number: ClientId,
    pub(super) accept_log: AcceptLog,
    /// Nobody can be accepted just now, so the listeners are not watched.
    pub(super) is_out_of_descriptors: bool,
    /// For what the listeners were watched in the last round.
    listeners_watched: Interest,
    chat: Chat<ClientKey>,
    historian: HistorianHandle,
    clock: Clock,
    historian_thread: JoinHandle<()>,
    pub(super) history: HistoryReader,
    pub(super) authenticator: Authenticator,
    pub listeners: Vec<Listener>,
    pub(super) sources: SourceTable,
    /// Who waits to be let in, or was refused and has not gone.
    pub(super) outside: WaitingList,
    signals: UnixStream,
    pub timers: Timers,
    /// Those to whom something has happened in this round.
    pub(super) touched: Vec<ClientKey>,
    is_stopping: bool,
    /// A panic now is one of the rooms, not of one client's session.
    pub(super) is_in_chat: bool,
    pub(super) totals: Totals,
    /// `main`, `logger` and `historian`.
    pub(super) threads: [Arc<Status>; 3],
}

impl<'a> Server<'a> {
    /// Opens the listeners and the database. `signals` becomes readable when a signal comes.
    pub fn start(
        version: &'a Version,
        options: &'a Options,
        session: &'a SessionConfig,
        [main, logger]: [Arc<Status>; 2],
        signals: UnixStream,
    ) -> anyhow::Result<Self> {
        let listeners = listen(&options.listen_on(), Duration::from_secs(options.ghost_after))?;
        listeners.iter().try_for_each(|listener| listener.set_nonblocking(true))?;
        let clock = Clock::system();
        let (snapshot, handle, history, historian) =
            historian::open(&options.store_config(), clock.clone())?;
        let mut timers = Timers::default();
        timers.set(Instant::now(), Timer::LookAround);
        Ok(Server {
            version,
            options,
            session,
            clients: SlotMap::with_key(),
            last_number: 0,
            accept_log: AcceptLog::new(""),
            is_out_of_descriptors: false,
            listeners_watched: READS,
            chat: begin_chat(options, snapshot),
            historian: handle,
            clock,
            threads: [main, logger, Arc::clone(&historian.status)],
            historian_thread: start_thread("historian", move || historian.run())?,
            history,
            authenticator: Authenticator::new(options.instructor)?,
            listeners,
            sources: SourceTable::new(options),
            outside: WaitingList::new(limits::refused_possible(options.threads_max, false)),
            signals,
            timers,
            touched: Vec::new(),
            is_stopping: false,
            is_in_chat: false,
            totals: Totals::default(),
        })
    }

    // --- For the loop ---

    /// Whether the server has been stopped and everybody has left.
    pub fn is_over(&self) -> bool {
        self.is_stopping && self.clients.is_empty()
    }

    /// Everything there is to watch.
    pub fn watched(&self) -> impl Iterator<Item = (Source, BorrowedFd<'_>, Interest)> {
        let accepts = self.accepts();
        let signals = iter::once((Source::Signals, self.signals.as_fd(), READS));
        let listeners = self.listeners.iter().enumerate();
        let clients = self.clients.iter();
        signals
            .chain(listeners.map(move |(i, socket)| (Source::Listener(i), socket.as_fd(), accepts)))
            .chain(clients.map(|(key, c)| (Source::Client(key), c.socket.as_fd(), c.interest())))
    }

    /// What the listeners are to be watched for.
    fn accepts(&self) -> Interest {
        if self.is_out_of_descriptors { Interest::default() } else { READS }
    }

    /// Who is to be watched otherwise than they were before this round: as it was, and as it is.
    #[allow(dead_code, reason = "epoll asks for changes, select for all")]
    pub fn changes<E>(
        &mut self,
        mut tell: impl FnMut(Source, BorrowedFd<'_>, Interest, Interest) -> Result<(), E>,
    ) -> Result<(), E> {
        for &key in &self.touched {
            let Some(client) = self.clients.get_mut(key) else { continue };
            let is = client.interest();
            let was = std::mem::replace(&mut client.watched, is);
            if was != is {
                tell(Source::Client(key), client.socket.as_fd(), was, is)?;
            }
        }
        let is = self.accepts();
        let was = std::mem::replace(&mut self.listeners_watched, is);
        for (i, socket) in self.listeners.iter().enumerate().filter(|_| was != is) {
            tell(Source::Listener(i), socket.as_fd(), was, is)?;
        }
        Ok(())
    }

    /// One round: everybody who is ready, everything that is due, and then one send to each who has something to read.
    pub fn round(&mut self, ready: impl IntoIterator<Item = (Source, Interest)>) {
        self.touched.clear();
        for (source, found) in ready {
            match source {
                Source::Client(key) => self.on_ready(key, found),
                Source::Listener(i) => self.accept(i),
                Source::Signals => self.shut_down(),
            }
        }
        // What is due by now; a turn may take long, so each is told the time at which it begins.
        let begun = Instant::now();
        while let Some(timer) = self.timers.take_due(begun) {
            let now = Instant::now();
            match timer {
                Timer::Client(key) => self.on_due(key, now),
                Timer::LookAround => {
                    self.hear_historian();
                    self.timers.set(now + LOOK_EVERY, Timer::LookAround);
                }
                Timer::Accept => self.is_out_of_descriptors = false,
                Timer::Outside => self.look_outside(),
                Timer::Stop => self.shut_down(),
                Timer::Cut => self.clients.clear(),
            }
        }
        self.end_round();
    }

    /// Delivers what the round has brought, and what comes of that: who is found too slow goes, and the others are told.
    fn end_round(&mut self) {
        let mut seen = 0;
        loop {
            self.commit();
            if seen == self.touched.len() {
                return;
            }
            while let Some(&key) = self.touched.get(seen) {
                self.look_at(key);
                seen += 1;
            }
        }
    }

    /// What has become of a client to whom something has happened.
    fn look_at(&mut self, key: ClientKey) {
        let Some(client) = self.clients.get_mut(key) else { return };
        match client.close_reason.clone() {
            Some(reason) if !client.is_leaving() => self.close(key, reason),
            Some(reason) if client.stage == Stage::Departing && client.answer.is_some() => {
                self.say_goodbye(key, &reason);
            }
            _ => {}
        }
        let Some(client) = self.clients.get_mut(key) else { return };
        client.status.set_waiting(client.queue.len());
        // One that is too early stays: it will find nothing to do, which costs less than to move it with every byte.
        if let Some((at, _)) = client.next_due(self.options.write_deadline)
            && client.timer.is_none_or(|set| at < set)
        {
            let old = client.timer.replace(at);
            old.iter().for_each(|&old| self.timers.remove(old, Timer::Client(key)));
            self.timers.set(at, Timer::Client(key));
        }
    }

    // --- The rooms ---

    /// Applies an event. (A batch is no larger than chatd's.)
    pub(super) fn apply(&mut self, key: ClientKey, event: Event) {
        self.is_in_chat = true;
        self.chat.apply(self.clock.now(), self.clients[key].number, &key, event);
        self.is_in_chat = false;
        if self.chat.is_full(batch_max(self.options.high_water)) {
            self.commit();
        }
    }

    /// The answer to what this client has just asked. If it has to wait for the disk, so does everybody; otherwise
    /// nobody else is sent anything for it: a class that arrives in one round is told of in one batch.
    pub(super) fn answer(&mut self, key: ClientKey) -> Answer {
        let Server { chat, clients, options, .. } = self;
        let (client, high_water) = (&mut clients[key], options.high_water);
        if !chat.flush_one(client.number, |_, delivery| client.deliver(delivery, high_water)) {
            self.commit();
        }
        self.clients[key].answer.take().unwrap_or_default()
    }

    /// Ends the batch: what has to be written is written, and then everybody is shown it. What came of the writing is
    /// the next batch.
    fn commit(&mut self) {
        self.is_in_chat = true;
        loop {
            let records = self.chat.seal();
            let is_last = records.is_empty();
            if !is_last && self.historian.commits.send(records).is_ok() {
                while self.historian.events.recv().is_ok_and(|event| !self.on_history(event)) {}
            }
            self.deliver();
            if is_last {
                break;
            }
        }
        self.is_in_chat = false;
        for action in self.chat.take_actions() {
            match action {
                Action::Log(line) => logger::record(&line),
                Action::ShutDown(after) => {
                    self.timers.cancel(Timer::Stop);
                    self.timers.set(Instant::now() + after, Timer::Stop);
                }
                Action::CancelShutDown => self.timers.cancel(Timer::Stop),
                Action::ShowQuiz(_) => {} // there is no view
            }
        }
    }

    /// Sends each client what the sealed batch has for them.
    fn deliver(&mut self) {
        let Server { chat, clients, touched, options, .. } = self;
        let mut delivered = 0;
        chat.flush(|&key, delivery| {
            if let Some(client) = clients.get_mut(key) {
                delivered += delivery.lines;
                client.deliver(delivery, options.high_water);
                touched.push(key);
            }
        });
        self.threads[0].count_out(delivered);
        self.totals.delivered.fetch_add(delivered as u64, Relaxed);
    }

    // --- The history ---

    /// Takes what the historian has to tell, if there is something.
    pub(super) fn hear_historian(&mut self) {
        while let Ok(event) = self.historian.events.try_recv() {
            self.on_history(event);
        }
    }

    /// Returns whether the records that were handed over are written.
    fn on_history(&mut self, event: HistorianEvent) -> bool {
        self.chat.set_now(self.clock.now());
        match event {
            HistorianEvent::Committed(outcomes) => {
                self.chat.settle(self.clock.now(), outcomes);
                return true;
            }
            HistorianEvent::Outage { why, since } => self.chat.begin_outage(&why, since),
            HistorianEvent::Recovered { gap } => self.chat.end_outage(gap),
            HistorianEvent::Unreadable => self.chat.doubt_names(),
            HistorianEvent::Changed(snapshot) => self.chat.restore(snapshot),
        }
        false
    }

    // --- The end ---

    /// Stops gracefully: accepts nobody, tells everybody, delivers what was accepted. The loop ends when they have left,
    /// or when it is late.
    fn shut_down(&mut self) {
        let _ = self.signals.read(&mut [0; 8]); // does not block
        if self.is_stopping {
            return;
        }
        log::info!("shutting down, {} clients connected", self.clients.len());
        self.is_stopping = true;
        self.history.begin_to_stop();
        self.timers.set(Instant::now() + SHUTDOWN_PATIENCE, Timer::Cut);
        self.listeners.clear();
        self.outside.close();
        self.chat.set_now(self.clock.now());
        self.chat.close();
        for key in self.clients.keys().collect::<Vec<_>>() {
            self.close(key, CloseReason::Shutdown);
        }
    }

    /// Ends the historian, and waits for it; but not for a disk that hangs.
    pub fn end(self) -> anyhow::Result<()> {
        let loss = self.history.loss();
        drop((self.historian, self.history));
        let end = Instant::now() + HISTORIAN_PATIENCE;
        while !self.historian_thread.is_finished() && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let hangs = "thread historian hangs: what was said last may not be in the history";
        loss().unwrap_or_else(|| Err(anyhow::anyhow!(hangs)))
    }
}
