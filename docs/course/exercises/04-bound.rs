//! A bound. The task is in 04-bound.md.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    thread,
};

/// Clients at once.
const MOST: usize = 4;

/// How many are served.
static SERVED: AtomicUsize = AtomicUsize::new(0);

/// Answers whatever comes. At a `!` it panics, as a handler with a mistake would.
fn serve(mut stream: TcpStream) {
    let mut bytes = [0; 1024];
    while let Ok(n @ 1..) = stream.read(&mut bytes) {
        assert!(!bytes[..n].contains(&b'!'), "as asked");
        let _ = stream.write_all(b"Thank you.\n");
    }
}

// --- yours ---
/// Has the client served, or refuses it with `Full.` and a line end.
fn process(mut stream: TcpStream) {
    if SERVED.load(SeqCst) == MOST {
        let _ = stream.write_all(b"Full.\n");
        return;
    }
    SERVED.fetch_add(1, SeqCst);
    thread::spawn(move || serve(stream));
}
// --- end ---

fn main() -> std::io::Result<()> {
    let listener = listen()?;
    for stream in listener.incoming() {
        process(stream?);
    }
    Ok(())
}

fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5000".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}
