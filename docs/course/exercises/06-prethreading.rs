//! Prethreading. The task is in 06-prethreading.md.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// Answers whatever comes.
fn serve(mut stream: TcpStream) {
    let mut bytes = [0; 1024];
    while let Ok(1..) = stream.read(&mut bytes) {
        let _ = stream.write_all(b"Thank you.\n");
    }
}

// --- yours ---
/// Serves with this many threads, for ever.
fn serve_with(threads: usize, listener: TcpListener) -> std::io::Result<()> {
    let _ = threads;
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || serve(stream));
    }
    Ok(())
}
// --- end ---

fn main() -> std::io::Result<()> {
    let listener = listen()?;
    serve_with(4, listener)
}

fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5000".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}
