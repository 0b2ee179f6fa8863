//! The door: listeners, and those who find no place. What chatd's accept loop and its usher do, without waiting. Runs on
//! thread `main`.

use super::Wall;
use chatd::{
    server::{
        net,
        usher::{PATIENCE, ROUND, is_still_there},
    },
    socketserver::OUT_OF_DESCRIPTORS,
};
use std::{
    io::ErrorKind,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::{AsFd as _, AsRawFd as _, BorrowedFd},
    time::Instant,
};

/// The listeners and the refused.
pub struct Door {
    listeners: Vec<TcpListener>,
    wall: Option<Wall>,
    /// Refused, on their way out. They are not watched, but looked after by the clock, as chatd's usher does: who is
    /// refused because the set is full must not need a place in the set.
    guests: Vec<(TcpStream, Instant)>,
    guests_max: usize,
    next_look: Option<Instant>,
    /// Out of descriptors: no accepting before.
    accept_again: Option<Instant>,
    failing: bool,
}

impl Door {
    /// With listeners that are open already. `guests_max`: the refused kept open at once.
    pub fn new(
        listeners: Vec<TcpListener>,
        wall: Option<Wall>,
        guests_max: usize,
    ) -> anyhow::Result<Door> {
        for listener in &listeners {
            listener.set_nonblocking(true)?;
            beyond(wall, listener.as_fd()).map_err(anyhow::Error::msg)?;
        }
        Ok(Door {
            listeners,
            wall,
            guests: Vec::new(),
            guests_max,
            next_look: None,
            accept_again: None,
            failing: false,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// What to watch.
    pub fn listeners(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.listeners.iter().map(|listener| listener.as_fd())
    }

    /// Whether it takes newcomers now.
    pub fn is_open(&self) -> bool {
        self.accept_again.is_none()
    }

    /// The next newcomer, if there is one; its socket never waits.
    pub fn accept(&mut self, listener: usize, now: Instant) -> Option<(TcpStream, SocketAddr)> {
        loop {
            match self.listeners.get(listener)?.accept() {
                Ok(newcomer) => {
                    if std::mem::take(&mut self.failing) {
                        log::info!("accepting again");
                    }
                    if newcomer.0.set_nonblocking(true).is_ok() {
                        return Some(newcomer);
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return None,
                // The connection that was to be accepted is gone: the next one may be fine.
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::ConnectionAborted | ErrorKind::Interrupted
                    ) => {}
                Err(e) => {
                    // Out of descriptors: trying again at once would spin, and a line each time would fill the disk.
                    if !std::mem::replace(&mut self.failing, true) {
                        log::error!(
                            "cannot accept: {e}; trying again every {OUT_OF_DESCRIPTORS:?}"
                        );
                    }
                    self.accept_again = Some(now + OUT_OF_DESCRIPTORS);
                    return None;
                }
            }
        }
    }

    /// Says in a sentence if a newcomer's descriptor is too high to be watched.
    pub fn beyond_wall(&self, socket: &TcpStream) -> Result<(), String> {
        beyond(self.wall, socket.as_fd())
    }

    /// Tells a refused client why and shows it out. If the connection were closed at once while the client still talks,
    /// TCP would reset it, and the sentence could be lost.
    pub fn show_out(&mut self, socket: TcpStream, sentence: &str, now: Instant) {
        // A new socket's buffer is empty: the sentence fits. If the peer is gone already, nobody misses it.
        let _ = net::send_slices_now(&socket, &[b"*** ", sentence.as_bytes(), b"\n"]);
        let _ = socket.shutdown(Shutdown::Write);
        if self.guests.len() < self.guests_max {
            self.guests.push((socket, now + PATIENCE));
            self.next_look.get_or_insert(now + ROUND);
        }
    }

    /// When to look here next.
    pub fn deadline(&self) -> Option<Instant> {
        [self.next_look, self.accept_again].into_iter().flatten().min()
    }

    /// Lets the refused go who have gone, and opens again when it is time.
    pub fn look_after(&mut self, now: Instant) {
        self.accept_again = self.accept_again.filter(|again| *again > now);
        if self.next_look.is_some_and(|next| next <= now) {
            self.guests.retain(|(socket, until)| now < *until && is_still_there(socket));
            self.next_look = (!self.guests.is_empty()).then(|| now + ROUND);
        }
    }

    /// Nobody comes in any more.
    pub fn close(&mut self) {
        self.listeners.clear();
        self.accept_again = None;
    }
}

fn beyond(wall: Option<Wall>, socket: BorrowedFd<'_>) -> Result<(), String> {
    let Some(Wall { descriptors, .. }) =
        wall.filter(|wall| socket.as_raw_fd() as usize >= wall.descriptors)
    else {
        return Ok(());
    };
    Err(format!(
        "Sorry: select can watch {descriptors} descriptors, and they are taken. Please try again later."
    ))
}
