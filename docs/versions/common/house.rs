//! The house: every client in one table, and the round in which they are served. Runs on thread `main`, as all does.
//!
//! A loop asks what to watch ([`House::watched`], or [`House::changes`]) and for how long ([`House::timeout`]), waits, and
//! plays a [`House::round`] with what it found. What one client does in it stands in `turns.rs`, how it leaves in
//! `endings.rs`.

use super::{
    alarms::Alarms,
    client::{Client, Deadlines, Interest, Who},
    door::Door,
    memory::Memory,
    stop::StopPipe,
};
use chatd::{
    core::{
        event::{Answer, ClientId, Event},
        farewell::Farewell,
        record::Remembered,
        rooms::{Order, Rooms, RoomsConfig},
        session::{SessionConfig, TALK_MAX},
    },
    server::{
        options::Options,
        porter::Porter,
        registry::Registry,
        status::{Status, Totals},
    },
};
use jiff::Timestamp;
use slab::Slab;
use std::{
    os::fd::{AsFd as _, BorrowedFd},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

/// The whole server.
pub struct House<'a> {
    pub(super) clients: Slab<Client<'a>>,
    pub(super) rooms: Rooms<usize>,
    /// What is on disk. Whatever it takes, everybody waits for.
    pub(super) memory: Memory,
    /// Compares passwords. Whatever that takes, everybody waits for.
    pub(super) porter: Porter,
    pub(super) config: &'a SessionConfig,
    pub(super) clients_max: usize,
    high_water: usize,
    pub(super) deadlines: Deadlines,
    pub(super) door: Door,
    door_watched: Interest,
    stop: StopPipe,
    stop_watched: Interest,
    /// Of the registry, only its count of connections from each address.
    pub(super) sources: Registry,
    pub(super) next_number: ClientId,
    alarms: Alarms,
    /// When this round began.
    pub(super) now: Instant,
    timestamp: Timestamp,
    /// Those to whom something happened in this round.
    touched: Vec<usize>,
    /// Found over the high-water mark, still to be hung up.
    too_slow: Vec<usize>,
    /// Whom the rooms have sent away.
    evicted: Vec<(usize, Farewell)>,
    /// Told all that was said before they go.
    pub(super) departed: Vec<usize>,
    /// Struck out at the end of the round, so that no place in the table is taken twice within one.
    pub(super) gone: Vec<usize>,
    /// When an administrator stops the server.
    stop_at: Option<Instant>,
    /// After a signal: when to stop waiting for goodbyes.
    pub(super) cut_at: Option<Instant>,
    pub(super) totals: Totals,
    /// `main`, `logger` and `historian`.
    pub(super) threads: [Arc<Status>; 3],
    pub(super) main: Arc<Status>,
    /// A panic now would be one of the rooms, not of one client's session.
    pub(super) in_rooms: bool,
}

impl<'a> House<'a> {
    /// An empty house with an open door.
    pub fn new(
        options: &Options,
        config: &'a SessionConfig,
        (rooms, remembered): (RoomsConfig, Remembered),
        memory: Memory,
        [main, logger]: [Arc<Status>; 2],
        door: Door,
        stop: StopPipe,
    ) -> Self {
        House {
            clients: Slab::new(),
            rooms: Rooms::new(rooms, remembered),
            porter: Porter::default(),
            config,
            clients_max: options.threads_max,
            high_water: options.high_water,
            deadlines: Deadlines {
                login: options.login_deadline(),
                write: Duration::from_secs(options.write_deadline),
            },
            door,
            door_watched: Interest::NONE,
            stop,
            stop_watched: Interest::NONE,
            sources: Registry::new(options.per_source),
            next_number: 1,
            alarms: Alarms::default(),
            now: Instant::now(),
            timestamp: Timestamp::now(),
            touched: Vec::new(),
            too_slow: Vec::new(),
            evicted: Vec::new(),
            stop_at: None,
            departed: Vec::new(),
            gone: Vec::new(),
            cut_at: None,
            totals: Totals::default(),
            threads: [Arc::clone(&main), logger, Arc::clone(&memory.status)],
            main,
            in_rooms: false,
            memory,
        }
    }

    // --- For the loop ---

    /// Whether the server has stopped and everybody has left.
    pub fn is_over(&self) -> bool {
        self.cut_at.is_some() && self.clients.is_empty()
    }

    /// Everything there is to watch.
    #[allow(dead_code, reason = "select asks for all, epoll for changes")]
    pub fn watched(&self) -> impl Iterator<Item = (Who, BorrowedFd<'_>, Interest)> {
        let signals = (Who::Signals, self.stop.as_fd(), self.stop_interest());
        let listeners = self
            .door
            .listeners()
            .enumerate()
            .map(|(i, fd)| (Who::Listener(i), fd, self.door_interest()));
        let clients = self
            .clients
            .iter()
            .map(|(key, client)| (Who::Client(key), client.socket.as_fd(), client.interest()));
        std::iter::once(signals)
            .chain(listeners)
            .chain(clients)
            .filter(|(_, _, interest)| *interest != Interest::NONE)
    }

    /// What is to be watched otherwise than it was when this was last called: who, its socket, as it was, as it is.
    #[allow(dead_code, reason = "select asks for all, epoll for changes")]
    pub fn changes<E>(
        &mut self,
        mut tell: impl FnMut(Who, BorrowedFd<'_>, Interest, Interest) -> Result<(), E>,
    ) -> Result<(), E> {
        let (stop, door) = (self.stop_interest(), self.door_interest());
        let stop_was = std::mem::replace(&mut self.stop_watched, stop);
        if stop_was != stop {
            tell(Who::Signals, self.stop.as_fd(), stop_was, stop)?;
        }
        let door_was = std::mem::replace(&mut self.door_watched, door);
        for (i, listener) in self.door.listeners().enumerate().filter(|_| door_was != door) {
            tell(Who::Listener(i), listener, door_was, door)?;
        }
        for &key in &self.touched {
            let Some(client) = self.clients.get_mut(key) else { continue };
            let is = client.interest();
            let was = std::mem::replace(&mut client.watched, is);
            if was != is {
                tell(Who::Client(key), client.socket.as_fd(), was, is)?;
            }
        }
        Ok(())
    }

    /// How long to wait at most, in whole milliseconds, rounded up: a moment too late costs nothing, a moment too early
    /// costs a round in which there is nothing to do.
    pub fn timeout(&self) -> Option<Duration> {
        let memory = self.memory.deadline();
        let next = [self.alarms.first(), self.door.deadline(), self.cut_at, self.stop_at, memory]
            .into_iter()
            .flatten()
            .min()?;
        let left = next.saturating_duration_since(Instant::now());
        Some(Duration::from_millis(left.as_nanos().div_ceil(1_000_000) as u64))
    }

    /// One round: everybody who is ready and everybody who is due, then one send to each who has something to read.
    pub fn round(&mut self, ready: impl IntoIterator<Item = (Who, Interest)>) {
        self.begin_round();
        for (who, found) in ready {
            match who {
                Who::Client(key) => self.client_is_ready(key, found),
                Who::Listener(i) => self.take_in(i),
                Who::Signals => self.shut_down(),
            }
        }
        while let Some(key) = self.alarms.take_due(self.now) {
            self.clients[key].alarm = None;
            self.client_is_due(key);
        }
        self.door.look_after(self.now);
        self.memory.look_after(&mut self.rooms, self.now);
        if self.stop_at.is_some_and(|stop_at| stop_at <= self.now) {
            self.stop_at = None;
            self.shut_down();
        }
        self.deliver();
        self.end_round();
    }

    fn stop_interest(&self) -> Interest {
        if self.cut_at.is_none() { Interest::READ } else { Interest::NONE }
    }

    fn door_interest(&self) -> Interest {
        if self.door.is_open() { Interest::READ } else { Interest::NONE }
    }

    // --- The round ---

    fn begin_round(&mut self) {
        self.now = Instant::now();
        self.timestamp = Timestamp::now();
        for key in self.touched.drain(..) {
            if let Some(client) = self.clients.get_mut(key) {
                client.touched = false;
            }
        }
    }

    /// Notes that something happened to a client: its alarm and its interest have to be looked at.
    pub(super) fn touch(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if !std::mem::replace(&mut client.touched, true) {
            self.touched.push(key);
        }
    }

    /// What administrators want of the server itself.
    fn follow_orders(&mut self) {
        for order in self.rooms.take_orders() {
            match order {
                Order::Log(deed) => log::info!("{deed}"),
                Order::ShutDown(within) => self.stop_at = Some(self.now + within),
                Order::CallOffShutDown => self.stop_at = None,
            }
        }
    }

    // --- The rooms ---

    /// Tells the rooms. They lay out who has to read what; [`House::flush`] sends it.
    pub(super) fn apply(&mut self, key: usize, event: Event) {
        self.in_rooms = true;
        self.rooms.apply(self.timestamp, self.clients[key].number, &key, event);
        self.in_rooms = false;
    }

    /// Sends what is laid out if it is much: batches are as large as chatd's.
    pub(super) fn flush_if_much(&mut self) {
        if self.rooms.gathered() >= self.high_water.saturating_sub(TALK_MAX) {
            self.flush();
        }
    }

    /// Sends the asker what it has to read by now, and returns its answer. Nobody else is sent anything for it: a class that
    /// arrives in one round is told of in one batch.
    pub(super) fn answer(&mut self, asker: usize) -> Option<Answer> {
        self.write();
        let House { rooms, clients, .. } = self;
        let (now, mut asked) = (self.now, None);
        self.in_rooms = true;
        rooms.flush_one(clients[asker].number, |_, delivery| {
            asked = delivery.answer;
            let client = &mut clients[asker];
            client.outgoing.put(&client.socket, delivery.before, now);
            client.status.count_out(delivery.lines);
        });
        self.in_rooms = false;
        self.look_at_mark(asker);
        asked
    }

    /// Writes what has to be written before anybody is shown it.
    fn write(&mut self) {
        self.memory.write(&mut self.rooms, self.timestamp);
        self.follow_orders();
    }

    /// Sends each client what it has to read.
    pub(super) fn flush(&mut self) {
        self.write();
        let House { rooms, clients, evicted, departed, .. } = self;
        let now = self.now;
        let (mut delivered, mut reached) = (0, Vec::new());
        self.in_rooms = true;
        rooms.flush(|&key, delivery| {
            let client = &mut clients[key];
            client.outgoing.put(&client.socket, delivery.before, now);
            client.outgoing.put(&client.socket, delivery.after, now);
            if delivery.answer.is_some() {
                departed.push(key); // what is answered and was not asked is a goodbye
            }
            evicted.extend(delivery.farewell.map(|farewell| (key, farewell)));
            client.status.count_out(delivery.lines);
            delivered += delivery.lines;
            reached.push(key);
        });
        self.in_rooms = false;
        reached.into_iter().for_each(|key| self.look_at_mark(key));
        self.main.count_out(delivered);
        self.totals.delivered.fetch_add(delivered as u64, Relaxed);
    }

    /// Notes a client that was sent something; one over the high-water mark is to be hung up.
    fn look_at_mark(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if client.outgoing.counted() > self.high_water && !client.outgoing.is_refusing() {
            client.outgoing.refuse_more();
            self.too_slow.push(key);
        }
        self.touch(key);
    }

    /// Delivers what the round has laid out, and what comes of it: who is found too slow goes, and the others are told.
    fn deliver(&mut self) {
        loop {
            self.flush();
            while let Some(key) = self.departed.pop() {
                self.say_goodbye(key);
            }
            if self.too_slow.is_empty() && self.evicted.is_empty() {
                return;
            }
            for (key, farewell) in std::mem::take(&mut self.evicted) {
                self.hang_up(key, farewell);
            }
            for key in std::mem::take(&mut self.too_slow) {
                self.hang_up(key, Farewell::TooSlow(self.high_water));
            }
        }
    }

    fn end_round(&mut self) {
        if self.cut_at.is_some_and(|cut_at| cut_at <= self.now) {
            self.cut_all();
        }
        for key in std::mem::take(&mut self.gone) {
            self.forget(key);
        }
        for &key in &self.touched {
            let Some(client) = self.clients.get_mut(key) else { continue };
            client.status.set_waiting(client.outgoing.len());
            let deadline = client.deadline(self.deadlines);
            self.alarms.change(key, &mut client.alarm, deadline);
        }
    }

    /// Takes a client out of the table, which closes its socket.
    fn forget(&mut self, key: usize) {
        let mut client = self.clients.remove(key);
        self.alarms.change(key, &mut client.alarm, None);
        self.sources.dismiss(client.peer.ip());
    }
}
