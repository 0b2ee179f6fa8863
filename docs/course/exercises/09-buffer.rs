//! A bounded buffer. The task is in 09-buffer.md.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Condvar, Mutex},
    thread,
};

/// Things that may be in the buffer.
const MOST: usize = 3;

/// Producers put something in, and wait while it is full; consumers take something out, and wait while it is empty.
#[derive(Default)]
struct Room {
    things: Mutex<VecDeque<String>>,
    changed: Condvar,
}

// --- yours ---
impl Room {
    /// Waits while the buffer is full.
    fn put(&self, thing: String) {
        let _ = (&self.changed, MOST);
        self.things.lock().unwrap().push_back(thing);
    }

    /// Waits while the buffer is empty, and takes what was put in first.
    fn get(&self) -> String {
        loop {
            if let Some(thing) = self.things.lock().unwrap().pop_front() {
                return thing; // and until then a whole core is busy with looking
            }
        }
    }
}
// --- end ---

impl Room {
    /// `put THING`, answered when it is in; `get`, answered with the thing.
    fn serve(&self, _number: u64, stream: &TcpStream) {
        let mut out = stream;
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let answer = match line.split_once(' ') {
                Some(("put", thing)) => {
                    self.put(thing.to_owned());
                    format!("{thing} is in")
                }
                _ => self.get(),
            };
            let _ = writeln!(out, "{answer}");
        }
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
