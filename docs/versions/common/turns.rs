//! One client's turn in a round: it came, its socket is ready, or its time is over. Runs on thread `main`.
//!
//! Each turn is short by design: one read, one send. Only the session's own computing is not bounded here, and whatever
//! one session computes, everybody waits for.

use super::{
    client::{Client, Interest, Stage},
    hall::LoopHall,
    house::House,
    outgoing::Outgoing,
};
use chatd::{
    core::{
        event::ClientId,
        farewell::Farewell,
        session::{Next, Peer, Session},
    },
    server::{RESERVED, handler::LAST_WORDS, net, status::Status},
};
use std::{
    io::{ErrorKind, Read as _},
    net::{SocketAddr, TcpStream},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

/// Newcomers taken in from one listener in a round, at most: a class that arrives must not stop those who talk.
const NEWCOMERS_MAX: usize = 64;

impl House<'_> {
    // --- It came ---

    /// Newcomers at one listener.
    pub(super) fn take_in(&mut self, listener: usize) {
        for _ in 0..NEWCOMERS_MAX {
            let Some((socket, peer)) = self.door.accept(listener, self.now) else { return };
            let number = self.next_number;
            self.next_number += 1;
            if let Err(sentence) = self.admit(&socket, peer) {
                self.totals.refused.fetch_add(1, Relaxed);
                log::info!("refused {peer}: {sentence}");
                self.door.show_out(socket, &sentence, self.now);
            } else {
                self.begin(number, socket, peer);
            }
        }
    }

    fn admit(&self, socket: &TcpStream, peer: SocketAddr) -> Result<(), String> {
        if self.clients.len() >= self.clients_max + RESERVED {
            return Err(format!(
                "Sorry: all {} places are taken. Please try again later.",
                self.clients_max
            ));
        }
        self.door.beyond_wall(socket)?;
        self.sources.admit(peer.ip())
    }

    fn begin(&mut self, number: ClientId, socket: TcpStream, peer: SocketAddr) {
        log::info!("c{number} connected from {peer}");
        let reserve_of = (self.clients.len() >= self.clients_max).then_some(self.clients_max);
        let key = self.clients.insert(Client {
            number,
            peer,
            socket,
            session: None,
            is_naming: true,
            outgoing: Outgoing::new(self.now),
            stage: Stage::Reading,
            farewell: None,
            began: self.now,
            status: Status::new(&format!("c{number}")),
            alarm: None,
            ended: None,
            watched: Interest::NONE,
            touched: false,
        });
        self.touch(key);
        let (config, connection) = (self.config, format!("c{number}"));
        let mut hall = LoopHall { house: self, key };
        let peer = Peer { connection: &connection, address: peer, reserve_of };
        let session = Session::begin(config, peer, Duration::ZERO, &mut hall);
        let client = &mut self.clients[key];
        client.is_naming = session.is_naming();
        client.session = Some(session);
        self.run(key);
    }

    // --- It is ready, or due ---

    pub(super) fn client_is_ready(&mut self, key: usize, found: Interest) {
        let Some(client) = self.clients.get_mut(key) else { return };
        if found.write {
            client.outgoing.send(&client.socket, self.now);
            self.touch(key);
            self.go_on(key);
        }
        if found.read {
            match self.clients[key].stage {
                Stage::Reading => self.read(key),
                Stage::Lingering(..) => self.linger(key),
                _ => {}
            }
        }
    }

    /// After the client took bytes: it may be read again, or have its last line.
    fn go_on(&mut self, key: usize) {
        match self.clients[key].stage {
            Stage::Behind if !self.clients[key].outgoing.is_behind() => self.run(key),
            Stage::Goodbye(_) => self.see_out(key),
            _ => {}
        }
    }

    /// One read, so that one who sends without end delays nobody; what is left is found in the next round.
    fn read(&mut self, key: usize) {
        let client = &mut self.clients[key];
        let Some(session) = &mut client.session else { return };
        match client.socket.read(session.input.space()) {
            Ok(n) => {
                session.input.received(n);
                self.run(key);
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(e) => self.hang_up(key, Farewell::Lost(e.to_string())),
        }
    }

    /// Runs a client's session on what it has read. Whatever it computes, everybody waits for.
    fn run(&mut self, key: usize) {
        let client = &mut self.clients[key];
        let elapsed = self.now.saturating_duration_since(client.began);
        let Some(mut session) = client.session.take() else { return };
        let mut hall = LoopHall { house: self, key };
        let Ok(next) = catch_unwind(AssertUnwindSafe(|| session.run(elapsed, &mut hall))) else {
            self.give_up_if_in_rooms();
            return self.hang_up(key, Farewell::ServerError);
        };
        let client = &mut self.clients[key];
        client.status.count_in(session.take_line_count());
        if client.farewell.is_some() {
            return; // it was hung up while its session ran
        }
        client.is_naming = session.is_naming();
        client.session = Some(session);
        match next {
            Next::Read => client.stage = Stage::Reading,
            Next::Pause(for_so_long) => client.stage = Stage::Paused(self.now + for_so_long),
            Next::CatchUp => client.stage = Stage::Behind,
            Next::Close(farewell) => return self.hang_up(key, farewell),
        }
        client.note_stage();
        self.touch(key);
    }

    pub(super) fn client_is_due(&mut self, key: usize) {
        let client = &mut self.clients[key];
        let passed =
            |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= self.now);
        match client.stage {
            Stage::Lingering(until, _) if until <= self.now => self.strike_out(key),
            Stage::Goodbye(until) if until <= self.now => self.send_end_of_file(key),
            Stage::Goodbye(_) | Stage::Lingering(..) | Stage::Departing | Stage::Gone => {}
            _ if passed(client.login_deadline(self.deadlines)) => {
                self.hang_up(key, Farewell::NoName(self.deadlines.login.as_secs()));
            }
            _ if passed(client.write_deadline(self.deadlines)) => self.is_late(key),
            Stage::Paused(until) if until <= self.now => self.end_pause(key),
            _ => {}
        }
        self.touch(key);
    }

    /// Goes on with a client that floods; unless it has gone, in which case its name is not kept until all is said.
    fn end_pause(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if let Err(e) = net::wait_broken(&client.socket, Duration::ZERO) {
            return self.hang_up(key, Farewell::Lost(e.to_string()));
        }
        if net::has_peer_ended(&client.socket)
            && self.now - *client.ended.get_or_insert(self.now) > LAST_WORDS
        {
            return self.hang_up(key, Farewell::Closed);
        }
        self.run(key);
    }

    /// A client that has taken nothing for the whole write deadline, it seems. The kernel calls a socket writable when a
    /// third of its buffer is free, and one that reads slowly but reads may be below that: so it is tried once more.
    fn is_late(&mut self, key: usize) {
        let client = &mut self.clients[key];
        client.outgoing.send(&client.socket, self.now);
        if client.write_deadline(self.deadlines).is_none_or(|deadline| deadline > self.now) {
            return self.go_on(key);
        }
        client.outgoing.refuse_more();
        self.hang_up(key, Farewell::TooLate(self.deadlines.write.as_secs()));
    }

    /// A session that panics ends its client. If the rooms panicked, nobody could be served rightly any more.
    fn give_up_if_in_rooms(&self) {
        if self.in_rooms {
            log::error!("the rooms panicked, and chatd cannot go on without them");
            log::logger().flush();
            std::process::exit(101);
        }
    }
}
