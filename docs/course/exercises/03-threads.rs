//! A thread for each client. The task is in 03-threads.md.

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
/// Has the client served, and returns at once.
fn process(stream: TcpStream) {
    let thread = thread::spawn(move || serve(stream));
    let _ = thread.join();
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
