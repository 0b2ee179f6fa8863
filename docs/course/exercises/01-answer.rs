//! One client at a time. The task is in 01-answer.md.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

// --- yours ---
/// Answers whatever comes with `Thank you.` and a line end, until the client goes.
fn serve(mut stream: TcpStream) {
    let _ = stream.write_all(b"To be written.\n");
    let _ = stream.read(&mut [0]);
}
// --- end ---

fn main() -> std::io::Result<()> {
    let listener = listen()?;
    for stream in listener.incoming() {
        serve(stream?);
    }
    Ok(())
}

fn listen() -> std::io::Result<TcpListener> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5000".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}
