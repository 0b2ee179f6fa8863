//! The baseline: what is the least that a fan-out can cost?
//!
//! Each round it reads all that is readable, appends the lines to one batch, and sends each client
//! the batch without the client's own lines, in one call that never waits. It is not a chat server:
//! no names, no rooms, no greeting, no cleaning of what strangers typed. One thread runs it all.

use super::socket::{Poller, QUEUE_MAX, Socket};
use anyhow::Result;
use argh::FromArgs;
use chatd::socketserver::program;
use rustix::{event::epoll::EventFlags, net::sockopt};
use std::{collections::HashMap, io, mem, net::TcpListener, ops::Range, os::fd::AsRawFd as _};

/// Connections the kernel keeps until they are accepted. With the 128 of `std`, 1,000 clients at
/// once would wait.
const BACKLOG: i32 = 4096;
/// Bytes read from one client in one round: what a fast client can have sent meanwhile.
const CHUNK: usize = 64 * 1024;
/// Events taken from the kernel in one round.
const EVENTS: usize = 1024;
/// The listener's key; all others are keys of `clients`.
const LISTENER: usize = usize::MAX;

/// Be the server beside which others are measured: fan-out and nothing else.
#[derive(FromArgs)]
#[argh(subcommand, name = "baseline")]
pub struct Baseline {}

struct Client {
    socket: Socket,
    /// Bytes without a line's end.
    unfinished: Vec<u8>,
    /// Where its own lines are in this round's batch.
    own: Range<usize>,
}

impl Baseline {
    /// Serves a free port until the process is ended.
    pub fn run(&self) -> Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        rustix::net::listen(&listener, BACKLOG)?;
        // Accepted sockets inherit it, which saves a system call for each.
        sockopt::set_tcp_nodelay(&listener, true)?;
        let mut poller = Poller::new(EVENTS)?;
        poller.add(&listener, LISTENER)?;
        program::say(&format!("listening on {}", listener.local_addr()?));

        let (mut clients, mut batch, mut chunk) = (HashMap::new(), Vec::new(), vec![0; CHUNK]);
        loop {
            for (key, ready) in poller.wait(None)? {
                if key == LISTENER {
                    accept_all(&listener, &poller, &mut clients)?;
                } else if let Some(client) = clients.get_mut(&key) {
                    // Closing a socket also takes it out of the poller.
                    if client.serve(ready, &mut chunk, &mut batch).is_err() {
                        clients.remove(&key);
                    }
                }
            }
            if batch.is_empty() {
                continue;
            }
            clients.retain(|_, client| {
                let own = mem::take(&mut client.own);
                let (before, after) = (&batch[..own.start], &batch[own.end..]);
                client.socket.send([before, after]).is_ok()
            });
            batch.clear();
        }
    }
}

fn accept_all(
    listener: &TcpListener,
    poller: &Poller,
    clients: &mut HashMap<usize, Client>,
) -> Result<()> {
    while let Ok((stream, _)) = listener.accept() {
        stream.set_nonblocking(true)?;
        let key = stream.as_raw_fd() as usize; // no two that are open have the same
        let socket = Socket::new(stream, poller, key)?;
        clients.insert(key, Client { socket, unfinished: Vec::new(), own: 0..0 });
    }
    Ok(())
}

impl Client {
    /// Appends the whole lines that have come to `batch`.
    fn serve(
        &mut self,
        ready: EventFlags,
        chunk: &mut [u8],
        batch: &mut Vec<u8>,
    ) -> io::Result<()> {
        self.socket.flush()?;
        if ready == EventFlags::OUT {
            return Ok(());
        }
        let count = self.socket.read(chunk)?;
        let bytes = &chunk[..count];
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        if whole > 0 {
            let start = batch.len();
            batch.append(&mut self.unfinished);
            batch.extend_from_slice(&bytes[..whole]);
            self.own = start..batch.len();
        }
        self.unfinished.extend_from_slice(&bytes[whole..]);
        let is_endless = self.unfinished.len() > QUEUE_MAX;
        if is_endless { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(()) }
    }
}
