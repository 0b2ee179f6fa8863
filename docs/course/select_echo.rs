//! Step 6, select: one thread for everybody, echo with an outgoing queue for each client. Port 10000.

use chatd::socketserver::program;
use client::Client;
use rustix::fd::{AsFd as _, AsRawFd as _};
use std::io::Write as _;

mod client;
mod select;

fn main() -> anyhow::Result<()> {
    let ctrl_c = program::CtrlC::new()?;
    let listener = program::listen("127.0.0.1:10000")?;
    listener.set_nonblocking(true)?;
    let mut clients: Vec<Client> = Vec::new();
    let mut accepting = true;
    loop {
        let mut to_read = vec![ctrl_c.as_fd()];
        to_read.extend(accepting.then(|| listener.as_fd()));
        to_read.extend(clients.iter().filter(|c| c.may_receive()).map(|c| c.stream.as_fd()));
        let to_write =
            clients.iter().filter(|c| !c.queue.is_empty()).map(|c| c.stream.as_fd()).collect();
        let to_watch = clients.iter().map(|c| c.stream.as_fd()).collect();

        let [readable, writable, exceptional] = select::select([to_read, to_write, to_watch])?;
        if readable.contains(&ctrl_c.as_fd().as_raw_fd()) {
            return Ok(());
        }
        for client in &mut clients {
            let fd = client.stream.as_raw_fd();
            if exceptional.contains(&fd) {
                client.drop_queue();
            }
            if readable.contains(&fd) {
                let mut bytes = [0; 1024];
                let n = client.receive(&mut bytes);
                client.queue.extend_from_slice(&bytes[..n]);
            }
            if writable.contains(&fd) {
                client.send();
            }
        }
        let before = clients.len();
        clients.retain(|client| !client.is_over());
        accepting |= clients.len() < before;
        if readable.contains(&listener.as_raw_fd()) {
            match client::accept(&listener) {
                Ok(Some(mut full)) if !select::fits(full.stream.as_raw_fd()) => {
                    let _ = writeln!(
                        full.stream,
                        "Full: select ends at descriptor {}.",
                        select::FD_SETSIZE - 1
                    );
                }
                Ok(newcomer) => clients.extend(newcomer),
                Err(_) => accepting = false,
            }
        }
    }
}
