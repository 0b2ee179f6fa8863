//! One order. The task is in 13-order.md.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};

/// Lines that may wait to be sent.
const WAITING_MAX: usize = 64;

type Members = Mutex<Vec<(u64, Arc<TcpStream>)>>;

/// Who is here, and where a line goes that is to be sent.
struct Room {
    members: Members,
    lines: SyncSender<String>,
}

// --- yours ---
impl Room {
    /// A line to everybody. No lock is held while it is sent: one that does not read would freeze all who talk, and those
    /// who come.
    fn say(&self, me: u64, line: &str) {
        let _ = &self.lines;
        let mut members = self.members.lock().unwrap().clone();
        let first = me as usize % members.len();
        members.rotate_left(first);
        for (_, stream) in members {
            let _ = (&*stream).write_all(format!("<c{me}> {line}\n").as_bytes());
            thread::yield_now();
        }
    }
}

/// Runs on a thread of its own, as long as the server does.
fn fan_out(lines: Receiver<String>, members: &Members) {
    let _ = (lines, members);
}
// --- end ---

impl Room {
    fn serve(&self, me: u64, stream: TcpStream) {
        let stream = Arc::new(stream);
        {
            let mut members = self.members.lock().unwrap();
            let _ = writeln!(&*stream, "You are c{me}.");
            members.push((me, Arc::clone(&stream)));
        }
        for line in BufReader::new(&*stream).lines().map_while(Result::ok) {
            self.say(me, &line);
        }
        self.members.lock().unwrap().retain(|member| member.0 != me);
    }
}

fn main() -> std::io::Result<()> {
    let listener = listen()?;
    let (lines, to_send) = mpsc::sync_channel(WAITING_MAX);
    let room: &'static Room = Box::leak(Box::new(Room { members: Mutex::default(), lines }));
    thread::spawn(|| fan_out(to_send, &room.members));
    for (number, stream) in (1..).zip(listener.incoming()) {
        let stream = stream?;
        thread::spawn(move || room.serve(number, stream));
    }
    Ok(())
}

fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5000".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}
