//! A line is a line. The task is in 02-lines.md.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
};

/// Bytes of a line. A longer one ends the connection.
const LINE_MAX: u64 = 1024;

// --- yours ---
/// Answers each line in upper case.
fn serve(mut stream: TcpStream) {
    let mut bytes = [0; LINE_MAX as usize];
    while let Ok(n @ 1..) = stream.read(&mut bytes) {
        let _ = stream.write_all(&bytes[..n].to_ascii_uppercase());
    }
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
