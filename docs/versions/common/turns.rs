//! One client's turn in a round, from the greeting to the end. Thread `main` runs it.
//!
//! In chatd this is one function, `ClientThread::serve`. Here it is cut where that function waits:
//!
//! ```text
//!   accept ──> run ──> Reading, Paused or Behind ── bytes, time, or room to send ──> run ── ...
//!   close ── the rooms are told ──> Departing
//!   what was said before is delivered ── say_goodbye ──> Goodbye: the last line waits to be taken
//!   it is taken, or the time is over ── linger ──> Lingering: what still comes is thrown away
//!   they have closed their side, or the time is over ── remove
//! ```
//!
//! A turn is short: one read, one send. Only what a session computes has no bound.

use super::{
    client::{Client, ClientKey, Interest, Stage},
    driver::LoopDriver,
    server::Server,
    timers::Timer,
};
use chatd::{
    core::{
        address::ClientAddress,
        close_reason::CloseReason,
        event::{ClientId, Event},
        session::Session,
    },
    origin::Origin,
    server::{
        client::{
            handler::{READ_AFTER_END, RESERVE_DEADLINE},
            linger::{GOODBYE, is_still_there},
            waiting::{Arrival, LOOK_EVERY, Waiting},
        },
        net,
        proxies::Whose,
        sources::Admission,
        turned_away::{Reason, TurnedAway},
    },
    socketserver::{Connection, Listener, OUT_OF_DESCRIPTORS},
};
use std::{
    io::{ErrorKind, Read as _},
    net::{Shutdown, TcpStream},
    os::fd::AsRawFd as _,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

/// Clients accepted at one listener in a round, at most: a class that arrives must not stop those who talk.
const ACCEPTED_MAX: usize = 64;

impl Server<'_> {
    // --- They come ---

    /// A listener is ready.
    pub(super) fn accept(&mut self, listener: usize) {
        for _ in 0..ACCEPTED_MAX {
            let accepted = self.listeners.get(listener).map(Listener::accept);
            match accepted.unwrap_or(Err(ErrorKind::WouldBlock.into())) {
                Ok((stream, peer)) => {
                    self.accept_log.accepted();
                    self.last_number += 1;
                    let connection =
                        Connection { number: self.last_number, stream, peer, others: 0, kind: 0 };
                    let was_empty = self.outside.is_empty();
                    self.admit_from(self.sources.proxies.ask(connection));
                    if was_empty {
                        self.look_again();
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == ErrorKind::ConnectionAborted => {} // the next one may be fine
                Err(e) => {
                    // Out of descriptors. To try again at once would spin, and to sleep would keep everybody waiting: so
                    // the listeners are not watched for a while.
                    self.accept_log.failed(&e);
                    if !std::mem::replace(&mut self.is_out_of_descriptors, true) {
                        self.timers.set(Instant::now() + OUT_OF_DESCRIPTORS, Timer::Accept);
                    }
                    return;
                }
            }
        }
    }

    /// Does what comes of a connection, if it is known whose it is.
    fn admit_from(&mut self, whose: Whose) {
        let Server { outside, sources, totals, .. } = self;
        match whose {
            Whose::Known(connection) => self.admit(connection),
            Whose::NotYet(unnamed) => outside.add_unnamed(unnamed),
            Whose::Gone => {}
            Whose::Refused(connection, sentence) => {
                let why = TurnedAway::new(Reason::Proxy, sentence);
                outside.refuse(Arrival { connection, begun: None }, &why, sources, totals);
            }
        }
    }

    /// Lets a connection in, has it wait, or refuses it.
    fn admit(&mut self, connection: Connection) {
        let admission = match self.prepare(&connection.stream) {
            Ok(()) => self.sources.admit(connection.number, connection.peer, false),
            Err(sentence) => Admission::Refused(TurnedAway::new(Reason::Machine, sentence)),
        };
        let arrival = |connection| Arrival { connection, begun: None };
        let Server { outside, sources, totals, .. } = self;
        match admission {
            Admission::Place { gives_way } => self.begin(connection, gives_way),
            Admission::Wait { request, refusal, takes_turns } => {
                let waiting = Waiting::new(arrival(connection), request, refusal, takes_turns);
                outside.wait(waiting, sources, totals);
            }
            Admission::Refused(why) => {
                outside.refuse(arrival(connection), &why, sources, totals);
            }
        }
    }

    fn prepare(&self, socket: &TcpStream) -> Result<(), String> {
        if let Some(wall) = self.version.wall.filter(|&wall| socket.as_raw_fd() as usize >= wall) {
            return Err(format!(
                "Sorry: select can watch {wall} descriptors, and they are taken. Please try again later."
            ));
        }
        socket.set_nonblocking(true).map_err(|error| format!("Sorry: {error}."))
    }

    /// Looks at those who are not let in. They are not watched: if select's set is full, there is no place in it for them.
    pub(super) fn look_outside(&mut self) {
        for whose in self.outside.look_at_unnamed() {
            self.admit_from(whose);
        }
        for (arrival, gives_way) in self.outside.look(&self.sources, &self.totals) {
            self.begin(arrival.connection, gives_way);
        }
        self.look_again();
    }

    fn look_again(&mut self) {
        if !self.outside.is_empty() {
            self.timers.set(Instant::now() + LOOK_EVERY, Timer::Outside);
        }
    }

    fn begin(&mut self, connection: Connection, gives_way: Option<ClientId>) {
        let Connection { number, stream: socket, peer, .. } = connection;
        let most = self.options.threads_max;
        if let Some(other) = gives_way {
            let found = self.clients.iter().find(|(_, client)| client.number == other);
            if let Some(key) = found.map(|(key, _)| key) {
                self.close(key, CloseReason::Full(most));
            }
        }
        let reserve_of = self.sources.reserve_of(number);
        let deadline = reserve_of.map_or(self.options.login_deadline(), |_| RESERVE_DEADLINE);
        self.find_ended(peer);
        let usage = self.sources.begin(number, peer, &socket, reserve_of);
        usage.log_begin(peer);
        let connection = format!("c{number}");
        let from = usage.peer(&connection, peer, reserve_of);
        let client = Client::new(number, socket, peer, deadline, usage);
        let key = self.clients.insert(client);
        let config = self.session;
        let mut driver = LoopDriver { server: self, key };
        let session = Session::begin(config, from, Duration::ZERO, &mut driver);
        self.clients[key].session = Some(session);
        self.run(key);
    }

    /// Who pauses is not watched. Somebody comes from there: have others closed their side?
    fn find_ended(&mut self, peer: Origin) {
        let pauses = |client: &Client<'_>| {
            matches!(client.stage, Stage::Paused(_))
                && ClientAddress::from(client.peer) == peer.into()
        };
        let pausing = self.clients.iter().filter(|(_, client)| pauses(client));
        for key in pausing.map(|(key, _)| key).collect::<Vec<_>>() {
            let Client { session: Some(session), usage, socket, .. } = &mut self.clients[key]
            else {
                continue;
            };
            if usage.watches_for_end() && net::has_peer_ended(socket) {
                usage.half_close(&self.sources, session);
            } else if usage.may_be_gone() && net::wait_broken(socket, Duration::ZERO).is_err() {
                self.end_pause(key, Instant::now());
            }
        }
    }

    // --- They are ready, or due ---

    /// A client's socket is ready.
    pub(super) fn on_ready(&mut self, key: ClientKey, found: Interest) {
        let Some(client) = self.clients.get_mut(key) else { return };
        self.touched.push(key);
        if found.write {
            client.send_waiting();
            self.on_sent(key);
        }
        let Some(client) = self.clients.get(key).filter(|_| found.read) else { return };
        match client.stage {
            Stage::Reading => self.read(key),
            Stage::Lingering(_) if !is_still_there(&client.socket) => self.remove(key),
            _ => {}
        }
    }

    /// A client has taken bytes, perhaps: they may be read again, or have their last line.
    fn on_sent(&mut self, key: ClientKey) {
        let client = &mut self.clients[key];
        match client.stage {
            Stage::Behind if !client.is_behind() => self.run(key),
            Stage::Goodbye(_) if client.queue.is_empty() => self.linger(key),
            _ => {}
        }
    }

    /// One read, so that one who sends without end delays nobody; the rest is found in the next round.
    fn read(&mut self, key: ClientKey) {
        let client = &mut self.clients[key];
        let Client { session: Some(session), socket, queue, .. } = client else { return };
        match socket.read(session.input.space()) {
            Ok(0)
                if let Some(error) =
                    queue.cut_off().map(str::to_owned).or_else(|| net::cut_off(socket)) =>
            {
                self.close(key, CloseReason::Lost(error)); // half a line is dropped
            }
            Ok(n) => {
                session.input.received(n);
                self.run(key);
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(e) => self.close(key, CloseReason::Lost(e.to_string())),
        }
    }

    /// Runs a client's session. A panic in it ends this client; one in the rooms is everybody's.
    fn run(&mut self, key: ClientKey) {
        let Some(mut session) = self.clients[key].session.take() else { return };
        self.touched.push(key);
        let mut driver = LoopDriver { server: self, key };
        match catch_unwind(AssertUnwindSafe(|| driver.run(&mut session))) {
            Ok(Ok(stage)) => {
                let client = &mut self.clients[key];
                client.session = Some(session);
                client.wait_for(stage);
            }
            Ok(Err(reason)) => {
                self.clients[key].session = Some(session);
                self.close(key, reason);
            }
            Err(panic) if self.is_in_chat => resume_unwind(panic),
            Err(_) => self.close(key, CloseReason::ServerError),
        }
    }

    /// A client's timer is due.
    pub(super) fn on_due(&mut self, key: ClientKey, now: Instant) {
        let Some(client) = self.clients.get_mut(key) else { return };
        self.touched.push(key);
        client.timer = None;
        // A socket is called writable when a third of its buffer is free. Who reads slowly may be below that.
        client.send_waiting();
        let due = client.next_due(self.options.write_deadline).filter(|&(at, _)| at <= now);
        match (due, client.stage) {
            (None, _) => self.on_sent(key),
            (Some((_, Some(reason))), _) if reason.is_slow() => client.refuse_more(reason),
            (Some((_, Some(reason))), _) => self.close(key, reason),
            (Some((_, None)), Stage::Lingering(_)) => self.remove(key),
            (Some((_, None)), Stage::Goodbye(_)) if client.is_stuck() => {
                net::forget_unsent(&client.socket);
                self.remove(key);
            }
            (Some((_, None)), Stage::Goodbye(_)) => self.linger(key),
            (Some((_, None)), Stage::Reading) => self.run(key), // a program is told that the server is there
            (Some((_, None)), _) => self.end_pause(key, now),
        }
    }

    /// Goes on with a client that floods. Who floods and goes does not stay, with their name, until all is said.
    fn end_pause(&mut self, key: ClientKey, now: Instant) {
        let client = &mut self.clients[key];
        let Client { session: Some(session), usage, socket, .. } = client else { return };
        let watches = usage.watches_for_end();
        let paused = net::wait_broken(socket, Duration::ZERO);
        if let Err(e) = usage.end_pause(&self.sources, session, paused) {
            return self.close(key, CloseReason::Lost(e.to_string()));
        }
        if net::has_peer_ended(socket) {
            if watches {
                usage.half_close(&self.sources, session);
            }
            if now - *client.ended_at.get_or_insert(now) > READ_AFTER_END {
                return self.close(key, CloseReason::Closed);
            }
        }
        self.run(key);
    }

    // --- They go ---

    /// Ends a client's conversation, for this reason if there was no other before.
    pub(super) fn close(&mut self, key: ClientKey, reason: CloseReason) {
        let client = &mut self.clients[key];
        if client.is_leaving() {
            return;
        }
        let reason = match (reason, client.queue.broken()) {
            (CloseReason::Closed, Some(error)) => CloseReason::Lost(error.to_owned()),
            (reason, _) => reason,
        };
        let reason = client.close_reason.get_or_insert(reason).clone();
        if let Some(mut session) = client.session.take() {
            client.usage.end(&self.sources, &mut session);
        }
        client.wait_for(Stage::Departing);
        self.touched.push(key);
        self.apply(key, Event::Depart(reason));
    }

    /// The last words: what still waits, then the reason.
    pub(super) fn say_goodbye(&mut self, key: ClientKey, reason: &CloseReason) {
        let client = &mut self.clients[key];
        client.usage.log_end(&client.status.name(), reason);
        self.totals.count_end(reason);
        client.send_last(reason);
        let slow = Duration::from_secs(self.options.write_deadline);
        let patience = if reason.is_slow() { slow } else { GOODBYE };
        client.wait_for(Stage::Goodbye(Instant::now() + patience));
        self.on_sent(key);
    }

    /// Sends our end of file, and waits for the client's: if a socket is closed while bytes are unread, TCP resets the
    /// connection, and the last line may be lost.
    fn linger(&mut self, key: ClientKey) {
        let client = &mut self.clients[key];
        match client.socket.shutdown(Shutdown::Write) {
            Ok(()) => client.wait_for(Stage::Lingering(Instant::now() + GOODBYE)),
            Err(_) => self.remove(key), // nobody is there
        }
    }

    /// Takes a client out of the table, which closes the socket.
    fn remove(&mut self, key: ClientKey) {
        let Some(client) = self.clients.remove(key) else { return };
        client.timer.iter().for_each(|&at| self.timers.remove(at, Timer::Client(key)));
        self.sources.leave(client.number, client.peer);
    }
}
