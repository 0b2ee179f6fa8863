//! Two locks. The task is in 11-deadlock.md.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::Mutex,
    thread,
};

/// Two rooms: who is in each.
#[derive(Default)]
struct Room([Mutex<BTreeSet<u64>>; 2]);

// --- yours ---
impl Room {
    /// Moves a client from one room to the other.
    fn moves(&self, me: u64, from: usize, to: usize) {
        let mut old = self.0[from].lock().unwrap();
        thread::yield_now(); // so that it happens soon
        let mut new = self.0[to].lock().unwrap();
        old.remove(&me);
        new.insert(me);
    }
}
// --- end ---

impl Room {
    /// `/move` moves; `/count` says how many are in both rooms, counted under both locks.
    fn serve(&self, me: u64, stream: &TcpStream) {
        let (mut out, mut at) = (stream, (me % 2) as usize);
        self.0[at].lock().unwrap().insert(me);
        let _ = writeln!(out, "You are c{me}.");
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if line == "/move" {
                self.moves(me, at, 1 - at);
                at = 1 - at;
            }
            let counts = {
                let first = self.0[0].lock().unwrap();
                first.len() + self.0[1].lock().unwrap().len()
            };
            let _ = writeln!(out, "{counts} are here.");
        }
        self.0[at].lock().unwrap().remove(&me);
    }
}

fn main() -> std::io::Result<()> {
    let listener = listen()?;
    let room: &'static Room = Box::leak(Box::default());
    for (number, stream) in (1..).zip(listener.incoming()) {
        let stream = stream?;
        thread::spawn(move || room.serve(number, &stream));
    }
    Ok(())
}

fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5000".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}
