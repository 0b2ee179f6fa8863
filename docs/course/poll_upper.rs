//! Step 7, poll: upper case for everybody in one thread, and no wall at descriptor 1024. Port 8888.

use chatd::socketserver::program;
use client::Client;
use rustix::event::{PollFd, PollFlags, poll};

mod client;

/// Clients at once; more wait in the accept queue. The system's usual limit is 1,024 descriptors.
const CLIENTS_MAX: usize = 1000;

fn main() -> anyhow::Result<()> {
    let ctrl_c = program::CtrlC::new()?;
    let listener = program::listen("127.0.0.1:8888")?;
    listener.set_nonblocking(true)?;
    let mut clients: Vec<Client> = Vec::new();
    let mut accepting = true;
    loop {
        let when = |wanted: bool, flags: PollFlags| if wanted { flags } else { PollFlags::empty() };
        let mut waits = vec![PollFd::new(&ctrl_c, PollFlags::IN)];
        waits.push(PollFd::new(
            &listener,
            when(accepting && clients.len() < CLIENTS_MAX, PollFlags::IN),
        ));
        waits.extend(clients.iter().map(|client| {
            let wanted = when(client.may_receive(), PollFlags::IN)
                | when(!client.queue.is_empty(), PollFlags::OUT);
            PollFd::new(&client.stream, wanted)
        }));
        if poll(&mut waits, None).is_err() {
            continue; // interrupted by a signal: ask again
        }
        let ready: Vec<PollFlags> = waits.iter().map(PollFd::revents).collect();
        if !ready[0].is_empty() {
            return Ok(());
        }
        for (client, ready) in clients.iter_mut().zip(&ready[2..]) {
            if ready.contains(PollFlags::IN) {
                let mut bytes = [0; 1024];
                let n = client.receive(&mut bytes);
                client.answers_in_upper_case(&bytes[..n]);
            }
            if ready.contains(PollFlags::OUT) {
                client.send();
            }
            if ready.intersects(PollFlags::ERR | PollFlags::HUP) {
                client.drop_queue(); // nobody will read it
            }
        }
        let before = clients.len();
        clients.retain(|client| !client.is_over());
        let mut changed = clients.len() < before;
        accepting |= changed;
        if !ready[1].is_empty() {
            match client::accept(&listener) {
                Ok(newcomer) => {
                    changed |= newcomer.is_some();
                    clients.extend(newcomer);
                }
                Err(_) => accepting = false,
            }
        }
        if changed {
            let watched: Vec<_> = clients.iter().map(|client| client.peer).collect();
            program::say(&format!("watching {watched:?}"));
        }
    }
}
