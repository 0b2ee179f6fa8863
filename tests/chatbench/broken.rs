//! A small line server that breaks one promise, once: to one client, with the 20th line of a sender.
//!
//! One thread accepts, one thread for each client reads and writes to all others under one lock. Nobody should build a
//! server like this: whoever does not read stops everybody.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    Nothing,
    Loses,
    Repeats,
    Tears,
    /// The line comes after the next one.
    Reorders,
    HangsUp,
}

/// The client it happens to: a watcher, and not the first, who decides what the others must read.
const VICTIM: usize = 2;
/// How the line is known.
const SEQ: &str = ".00000020 ";

struct Room {
    clients: Vec<TcpStream>,
    /// What is still to go wrong.
    breaks: Breaks,
    /// A line the victim gets later than it should.
    late: Vec<u8>,
}

/// Serves a free port on loopback until the process ends.
pub fn serve(breaks: Breaks) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let room = Arc::new(Mutex::new(Room { clients: Vec::new(), breaks, late: Vec::new() }));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            stream.set_nodelay(true).expect("a socket");
            let place = {
                let mut room = room.lock().expect("no thread panics");
                room.clients.push(stream.try_clone().expect("a descriptor"));
                room.clients.len() - 1
            };
            let room = room.clone();
            thread::spawn(move || read_all(stream, place, &room));
        }
    });
    address
}

fn read_all(stream: TcpStream, place: usize, room: &Mutex<Room>) {
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = [&line[..], b"\n"].concat();
        room.lock().expect("no thread panics").tell(place, &line);
    }
}

impl Room {
    fn tell(&mut self, speaker: usize, line: &[u8]) {
        for place in 0..self.clients.len() {
            if place != speaker {
                let bytes = if place == VICTIM { self.spoil(line) } else { line.to_vec() };
                // Whoever has gone needs nothing; chatbench notices if it should not have gone.
                let _ = self.clients[place].write_all(&bytes);
            }
        }
    }

    /// What the victim gets for `line`.
    fn spoil(&mut self, line: &[u8]) -> Vec<u8> {
        if !self.late.is_empty() {
            return [line, &std::mem::take(&mut self.late)].concat();
        }
        if !String::from_utf8_lossy(line).contains(SEQ) {
            return line.to_vec();
        }
        match std::mem::replace(&mut self.breaks, Breaks::Nothing) {
            Breaks::Nothing => line.to_vec(),
            Breaks::Loses => Vec::new(),
            Breaks::Repeats => line.repeat(2),
            Breaks::Tears => [&line[..10], &line[11..]].concat(),
            Breaks::Reorders => {
                self.late = line.to_vec();
                Vec::new()
            }
            Breaks::HangsUp => {
                let _ = self.clients[VICTIM].shutdown(Shutdown::Both);
                Vec::new()
            }
        }
    }
}
