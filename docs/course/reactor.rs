//! A small reactor: the loop of step 7 once more, but it knows no protocol. Who uses it writes what happens when a
//! connection is made, when data is received, when the connection is lost. After Twisted. Used by step 9.

use super::client::{self, Client};
use chatd::{
    core::wire::line::{Line, LineBuffer},
    socketserver::program::{self, CtrlC},
};
use rustix::event::{PollFd, PollFlags, poll};
use std::net::SocketAddr;

/// Clients at once; more wait in the accept queue. The system's usual limit is 1,024 descriptors.
const CLIENTS_MAX: usize = 1000;

/// Makes a protocol for each connection, and has what they share.
pub trait Factory {
    /// What it makes.
    type Protocol: Protocol;
    /// For a client that has just connected.
    fn build_protocol(&self, peer: SocketAddr) -> Self::Protocol;
}

/// What happens on one connection. Nothing here may wait: it would stop everybody.
pub trait Protocol {
    /// It is connected.
    fn connection_made(&mut self, _transport: &mut Transport<'_>) {}
    /// Some bytes came: half a line, or three.
    fn data_received(&mut self, transport: &mut Transport<'_>, data: &[u8]);
    /// It is gone. Called once.
    fn connection_lost(&mut self) {}
}

/// The way back to the client.
pub struct Transport<'a>(&'a mut Client);

#[allow(dead_code, reason = "no program needs all of it")]
impl Transport<'_> {
    /// Sends, now or when the client can take it.
    pub fn write(&mut self, data: impl AsRef<[u8]>) {
        self.0.queue.extend_from_slice(data.as_ref());
    }

    /// Ends the connection when everything is sent.
    pub fn lose_connection(&mut self) {
        self.0.ended = true;
    }

    /// Whether it was ended.
    pub fn is_ending(&self) -> bool {
        self.0.ended
    }
}

/// Runs until Ctrl-C.
pub fn run<F: Factory>(default: &str, factory: &F) -> anyhow::Result<()> {
    let ctrl_c = CtrlC::new()?;
    let listener = program::listen(default)?;
    listener.set_nonblocking(true)?;
    let mut clients: Vec<(Client, F::Protocol)> = Vec::new();
    let mut accepting = true;
    loop {
        let when = |wanted: bool, flags: PollFlags| if wanted { flags } else { PollFlags::empty() };
        let accepts = when(accepting && clients.len() < CLIENTS_MAX, PollFlags::IN);
        let mut waits = vec![PollFd::new(&ctrl_c, PollFlags::IN), PollFd::new(&listener, accepts)];
        waits.extend(clients.iter().map(|(client, _)| {
            let wanted = when(client.may_receive(), PollFlags::IN)
                | when(!client.queue.is_empty(), PollFlags::OUT);
            PollFd::new(&client.stream, wanted)
        }));
        if poll(&mut waits, None).is_err() {
            continue; // interrupted by a signal: ask again
        }
        let ready: Vec<PollFlags> = waits.iter().map(PollFd::revents).collect();
        if !ready[0].is_empty() {
            clients.iter_mut().for_each(|(_, protocol)| protocol.connection_lost());
            return Ok(());
        }
        for ((client, protocol), ready) in clients.iter_mut().zip(&ready[2..]) {
            if ready.contains(PollFlags::IN) {
                let mut data = [0; 1024];
                let n = client.receive(&mut data);
                if n > 0 {
                    protocol.data_received(&mut Transport(client), &data[..n]);
                }
            }
            if ready.contains(PollFlags::OUT) {
                client.send();
            }
            if ready.intersects(PollFlags::ERR | PollFlags::HUP) {
                client.drop_queue(); // nobody will read it
            }
        }
        let before = clients.len();
        clients.retain_mut(|(client, protocol)| {
            let stays = !client.is_over();
            if !stays {
                protocol.connection_lost();
            }
            stays
        });
        accepting |= clients.len() < before;
        if !ready[1].is_empty() {
            match client::accept(&listener) {
                Ok(None) => {}
                Ok(Some(mut client)) => {
                    let mut protocol = factory.build_protocol(client.peer);
                    protocol.connection_made(&mut Transport(&mut client));
                    clients.push((client, protocol));
                }
                Err(_) => accepting = false,
            }
        }
    }
}

/// The lines of one connection: gives each whole line of `data`, and of what came before, to `received`.
#[allow(dead_code, reason = "the echo needs no lines")]
pub fn lines(
    unread: &mut LineBuffer,
    mut data: &[u8],
    mut received: impl FnMut(Result<&str, &'static str>),
) {
    while !data.is_empty() {
        let space = unread.space();
        let n = data.len().min(space.len());
        space[..n].copy_from_slice(&data[..n]);
        data = &data[n..];
        unread.received(n);
        while let Some(line) = unread.next_line() {
            received(match line {
                Line::Text(text) => Ok(text),
                Line::NotUtf8(_) => Err("That line is not UTF-8."),
                Line::TooLong(_) => Err("That line is too long."),
            });
        }
    }
}
