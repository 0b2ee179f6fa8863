//! Readers and writers. The task is in 12-topic.md.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Condvar, Mutex},
    thread,
    time::Duration,
};

/// A topic that takes a second to read, and as long to write: it stands for a large file.
#[derive(Default)]
struct Room {
    topic: Mutex<String>,
    lock: ReadersAndWriters,
}

/// Many may read at the same time. Who writes is alone.
#[derive(Default)]
struct ReadersAndWriters {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    readers: usize,
    is_written: bool,
    waiting_writers: usize,
}

// --- yours ---
impl ReadersAndWriters {
    /// Waits until one may read, reads, and is done.
    fn read<T>(&self, read: impl FnOnce() -> T) -> T {
        self.write(read)
    }

    /// Waits until one may write, writes, and is done.
    fn write<T>(&self, write: impl FnOnce() -> T) -> T {
        let mut state = self.state.lock().unwrap();
        while state.is_written || state.readers > 0 || state.waiting_writers > 0 {
            state = self.changed.wait(state).unwrap();
        }
        state.is_written = true;
        drop(state);
        let value = write();
        self.state.lock().unwrap().is_written = false;
        self.changed.notify_all();
        value
    }
}
// --- end ---

impl Room {
    /// `read`, answered with the topic; `write TOPIC`, answered when it is written.
    fn serve(&self, _number: u64, stream: &TcpStream) {
        let mut out = stream;
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let takes_time = || thread::sleep(Duration::from_secs(1));
            let answer = match line.split_once(' ') {
                Some(("write", topic)) => self.lock.write(|| {
                    takes_time();
                    self.topic.lock().unwrap().clone_from(&topic.to_owned());
                    "It is written.".to_owned()
                }),
                _ => self.lock.read(|| {
                    let topic = self.topic.lock().unwrap().clone();
                    takes_time();
                    format!("The topic is {topic:?}.")
                }),
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
