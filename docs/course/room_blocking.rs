//! Step 11, the same mistake in a loop: a send that waits. One client that does not read freezes all. Port 5000.

use chatd::socketserver::program::{self, CtrlC};
use rustix::event::{PollFd, PollFlags, poll};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
};

/// A number and a socket that waits.
type Client = (u64, TcpStream);

fn main() -> anyhow::Result<()> {
    let ctrl_c = CtrlC::new()?;
    thread::spawn(move || {
        ctrl_c.wait();
        std::process::exit(0); // the loop may be waiting for somebody, and would not look
    });
    let listener = program::listen("127.0.0.1:5000")?;
    let mut clients: Vec<Client> = Vec::new();
    let mut number = 0;
    loop {
        let mut waits = vec![PollFd::new(&listener, PollFlags::IN)];
        waits.extend(clients.iter().map(|(_, stream)| PollFd::new(stream, PollFlags::IN)));
        if poll(&mut waits, None).is_err() {
            continue; // interrupted by a signal: ask again
        }
        let ready: Vec<bool> = waits.iter().map(|wait| !wait.revents().is_empty()).collect();
        let mut gone = Vec::new();
        for ((me, stream), _) in clients.iter().zip(&ready[1..]).filter(|(_, ready)| **ready) {
            let mut bytes = [0; 1024];
            match (&*stream).read(&mut bytes) {
                Ok(n @ 1..) => tell_the_others(&clients, *me, &bytes[..n]),
                _ => gone.push(*me),
            }
        }
        clients.retain(|(number, _)| !gone.contains(number));
        if ready[0]
            && let Ok((newcomer, _)) = listener.accept()
        {
            number += 1;
            clients.push((number, newcomer));
        }
    }
}

fn tell_the_others(clients: &[Client], me: u64, bytes: &[u8]) {
    let whole = [format!("<c{me}> ").as_bytes(), bytes].concat();
    for (_, stream) in clients.iter().filter(|(number, _)| *number != me) {
        let _ = (&*stream).write_all(&whole); // waits until this one takes it, and everybody waits with it
    }
}
