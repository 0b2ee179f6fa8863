//! An experiment: a command that computes for a second, in a loop and on threads. Port 1200.
//! `slow-command [ADDR:PORT] [loop|threads]`

use anyhow::bail;
use chatd::socketserver::{Connection, Handler, Threading, program};
use reactor::{Factory, Protocol, Transport};
use std::{
    hint::black_box,
    io::{Read as _, Write as _},
    net::SocketAddr,
    time::{Duration, Instant},
};

mod client;
mod reactor;

/// How long the command computes, as the hash of a password does on purpose.
const WORK: Duration = Duration::from_secs(1);

/// `hash` is computed; everything else comes back in upper case, at once.
fn answer(text: &[u8]) -> Vec<u8> {
    if text.trim_ascii() != b"hash" {
        return text.to_ascii_uppercase();
    }
    let (begin, mut hash) = (Instant::now(), 1u64);
    while begin.elapsed() < WORK {
        hash = black_box(hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7));
    }
    b"computed\n".to_vec()
}

/// Both models serve it.
struct Answers;

/// In the loop: all that a client gets is said in this call, and until it returns nobody else is served.
impl Protocol for Answers {
    fn data_received(&mut self, transport: &mut Transport<'_>, data: &[u8]) {
        transport.write(answer(data));
    }
}

impl Factory for Answers {
    type Protocol = Answers;

    fn build_protocol(&self, _peer: SocketAddr) -> Answers {
        Answers
    }
}

/// On a thread: the same call, and it is this client's own thread that is in it.
impl Handler for Answers {
    fn handle(&self, mut connection: Connection) -> anyhow::Result<()> {
        let mut bytes = [0; 1024];
        loop {
            match connection.stream.read(&mut bytes)? {
                0 => return Ok(()),
                n => connection.stream.write_all(&answer(&bytes[..n]))?,
            }
        }
    }
}

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(2).as_deref() {
        None | Some("loop") => reactor::run("127.0.0.1:1200", &Answers),
        Some("threads") => program::run("127.0.0.1:1200", Answers, Threading::new(64, 128 << 10)),
        Some(other) => bail!("{other:?} is no model: loop or threads"),
    }
}
