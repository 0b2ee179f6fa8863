//! Step 10, the tutorials' chat room: select, one thread, no names. Byte for byte what they send. Port 5000.

use chatd::socketserver::program;
use client::{Client, QUEUE_MAX};
use rustix::fd::{AsFd as _, AsRawFd as _};
use std::net::SocketAddr;

mod client;
mod select;

fn main() -> anyhow::Result<()> {
    let ctrl_c = program::CtrlC::new()?;
    let listener = program::listen("127.0.0.1:5000")?;
    program::say(&format!("Chat server started on port {}", listener.local_addr()?.port()));
    listener.set_nonblocking(true)?;
    let mut clients: Vec<Client> = Vec::new();
    let mut accepting = true;
    loop {
        let mut to_read = vec![ctrl_c.as_fd()];
        to_read.extend(accepting.then(|| listener.as_fd()));
        to_read.extend(clients.iter().map(|c| c.stream.as_fd()));
        let to_write =
            clients.iter().filter(|c| !c.queue.is_empty()).map(|c| c.stream.as_fd()).collect();

        let [readable, writable, _] = select::select([to_read, to_write, Vec::new()])?;
        if readable.contains(&ctrl_c.as_fd().as_raw_fd()) {
            return Ok(());
        }
        for client in clients.iter_mut().filter(|c| writable.contains(&c.stream.as_raw_fd())) {
            client.send();
        }
        for i in 0..clients.len() {
            if !readable.contains(&clients[i].stream.as_raw_fd()) || clients[i].ended {
                continue;
            }
            let mut bytes = [0; 4096];
            let n = clients[i].receive(&mut bytes);
            let peer = clients[i].peer;
            if n > 0 {
                let prefix = format!("\r<('{}', {})> ", peer.ip(), peer.port());
                broadcast(&mut clients, peer, &[prefix.as_bytes(), &bytes[..n]].concat());
            } else if clients[i].ended {
                clients[i].drop_queue();
                let offline = format!("Client {} is offline", in_python(peer));
                broadcast(&mut clients, peer, offline.as_bytes());
                program::say(&offline);
            }
        }
        let before = clients.len();
        clients.retain(|client| !client.ended);
        accepting |= clients.len() < before;
        if readable.contains(&listener.as_raw_fd()) {
            match client::accept(&listener) {
                Ok(Some(client)) if select::fits(client.stream.as_raw_fd()) => {
                    let peer = client.peer;
                    clients.push(client);
                    program::say(&format!("Client {} connected", in_python(peer)));
                    broadcast(&mut clients, peer, format!("[{peer}] entered room\n").as_bytes());
                }
                Ok(Some(_)) => {
                    program::say("select ends at descriptor 1023: a client is turned away");
                }
                Ok(None) => {}
                Err(_) => accepting = false,
            }
        }
    }
}

/// To everybody but `from`. A client that cannot take it, and has too much to read already, is dropped: nobody waits for it.
fn broadcast(clients: &mut [Client], from: SocketAddr, bytes: &[u8]) {
    for client in clients.iter_mut().filter(|client| client.peer != from && !client.ended) {
        client.queue.extend_from_slice(bytes);
        client.send();
        if client.queue.len() > QUEUE_MAX {
            client.drop_queue();
        }
    }
}

/// An address as Python prints a tuple.
fn in_python(peer: SocketAddr) -> String {
    format!("({}, {})", peer.ip(), peer.port())
}
