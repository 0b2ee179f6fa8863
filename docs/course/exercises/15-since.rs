//! Coming back. The task is in 15-since.md.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::Mutex,
    thread,
};

/// Lines that are remembered.
const PAST_MAX: usize = 1000;

/// Lines have numbers from 1 on. Whoever was away says which one they read last.
#[derive(Default)]
struct State {
    last: u64,
    past: VecDeque<(u64, String)>,
    members: Vec<Member>,
}

struct Member {
    /// The number of the connection.
    me: u64,
    name: String,
    stream: TcpStream,
}

#[derive(Default)]
struct Room(Mutex<State>);

// --- yours ---
impl Room {
    /// Somebody comes, who has read the lines up to `last`: they are sent what they missed, and are a member. Lines that
    /// are not remembered any more are told as `lines 2 to 4 are gone`. If their old connection is still there (the
    /// server has not noticed that it is broken), it is ended.
    fn enter(&self, me: u64, name: &str, stream: TcpStream, last: u64) {
        let past = self.0.lock().unwrap().past.clone();
        for (number, line) in past {
            let _ = writeln!(&stream, "{number} {line}");
        }
        let _ = last;
        self.0.lock().unwrap().members.push(Member { me, name: name.to_owned(), stream });
    }
}
// --- end ---

impl Room {
    /// The first line is `NAME LAST`; each other line is said.
    fn serve(&self, me: u64, stream: &TcpStream) {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let first = lines.next().unwrap_or_default();
        let Some((name, last)) = first.split_once(' ') else { return };
        let (Ok(last), Ok(own)) = (last.parse(), stream.try_clone()) else { return };
        self.enter(me, name, own, last);
        for line in lines {
            self.say(format!("<{name}> {line}"));
        }
        self.0.lock().unwrap().members.retain(|member| member.me != me);
    }

    fn say(&self, line: String) {
        let mut state = self.0.lock().unwrap();
        state.last += 1;
        for member in &state.members {
            let _ = (&member.stream).write_all(format!("{} {line}\n", state.last).as_bytes());
        }
        let number = state.last;
        state.past.push_back((number, line));
        if state.past.len() > PAST_MAX {
            state.past.pop_front();
        }
    }
}

fn main() -> std::io::Result<()> {
    let listener = listen()?;
    let room: &'static Room = Box::leak(Box::default());
    for (number, stream) in (1..).zip(listener.incoming()) {
        let stream = stream?;
        thread::spawn(move || {
            room.serve(number, &stream);
            let _ = stream.shutdown(Shutdown::Both);
        });
    }
    Ok(())
}

fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5000".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}
