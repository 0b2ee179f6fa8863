//! How clients leave: one path, as in chatd, cut into stages, because nothing here may wait for anybody. Runs on thread
//! `main`.
//!
//! ```text
//!   hang_up ── the rooms are told ──> Departing
//!   all that was said before has been told ── say_goodbye ──> Goodbye: the last line waits to be taken
//!   it was taken, or the time is over ── send_end_of_file ──> Lingering: what still comes is thrown away
//!   the client closed its side, or the time is over ── strike_out ──> Gone
//! ```

use super::{client::Stage, house::House};
use chatd::{
    core::{event::Event, farewell::Farewell},
    server::{
        SHUTDOWN_PATIENCE,
        writer::{GOODBYE, LINGER_BYTES},
    },
};
use std::{
    io::{ErrorKind, Read as _},
    net::Shutdown,
    sync::atomic::Ordering::Relaxed,
};

/// Bytes read from one who lingers in a round, at most.
const BITE: usize = 4096;

impl House<'_> {
    /// Ends a client's conversation, for this reason if it had no other before.
    pub(super) fn hang_up(&mut self, key: usize, farewell: Farewell) {
        let client = &mut self.clients[key];
        if client.farewell.is_some() {
            return;
        }
        client.farewell = Some(farewell.clone());
        client.session = None;
        client.stage = Stage::Departing;
        client.note_stage();
        self.touch(key);
        self.apply(key, Event::Depart(farewell));
        self.flush_if_much();
    }

    /// The last words: what still waits, then the reason.
    pub(super) fn say_goodbye(&mut self, key: usize) {
        let client = &mut self.clients[key];
        let Some(farewell) = client.farewell.clone() else { return };
        log::info!("{} left: {farewell}", client.status.name());
        self.totals.too_slow.fetch_add(u64::from(farewell.is_slow()), Relaxed);
        let patience = if farewell.is_slow() { self.deadlines.write } else { GOODBYE };
        client.stage = Stage::Goodbye(self.now + patience);
        if let Some(line) = farewell.to_client() {
            client.outgoing.last_words(&client.socket, &(line + "\n"), self.now);
        }
        self.see_out(key);
    }

    /// Goes on when the last line has been taken.
    pub(super) fn see_out(&mut self, key: usize) {
        self.touch(key);
        if self.clients[key].outgoing.is_empty() {
            self.send_end_of_file(key);
        }
    }

    /// Our end of file. The client's own is waited for: if a socket is closed with bytes unread, TCP resets the
    /// connection, and the client may lose the last line it was sent.
    pub(super) fn send_end_of_file(&mut self, key: usize) {
        let client = &mut self.clients[key];
        match client.socket.shutdown(Shutdown::Write) {
            Ok(()) => client.stage = Stage::Lingering(self.now + GOODBYE, 0),
            Err(_) => self.strike_out(key), // nobody is there
        }
        self.touch(key);
    }

    /// Reads what still comes, and throws it away.
    pub(super) fn linger(&mut self, key: usize) {
        let client = &mut self.clients[key];
        let Stage::Lingering(until, thrown_away) = client.stage else { return };
        match client.socket.read(&mut [0; BITE]) {
            Ok(n @ 1..) if thrown_away + n < LINGER_BYTES => {
                client.stage = Stage::Lingering(until, thrown_away + n)
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Ok(_) | Err(_) => self.strike_out(key),
        }
    }

    /// Closed at the end of this round.
    pub(super) fn strike_out(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if client.stage != Stage::Gone {
            client.stage = Stage::Gone;
            self.gone.push(key);
        }
    }

    /// After a signal: nobody comes in, everybody is told; what was accepted from anybody is delivered first.
    pub(super) fn shut_down(&mut self) {
        if self.cut_at.is_some() {
            return;
        }
        log::info!("shutting down, {} clients connected", self.clients.len());
        self.cut_at = Some(self.now + SHUTDOWN_PATIENCE);
        self.door.close();
        self.rooms.close();
        let everybody: Vec<usize> = self.clients.iter().map(|(key, _)| key).collect();
        for key in everybody {
            self.hang_up(key, Farewell::Shutdown);
        }
    }

    /// It is late: those who have not taken their farewell do not get it.
    pub(super) fn cut_all(&mut self) {
        let everybody: Vec<usize> = self.clients.iter().map(|(key, _)| key).collect();
        for key in everybody {
            self.strike_out(key);
        }
    }
}
