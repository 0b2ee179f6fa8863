//! Step 6, the client: two connections at once, three messages on each, and the echo of each. Port 10000.

use chatd::socketserver::program;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:10000".into());
    let mut connections = [TcpStream::connect(&address)?, TcpStream::connect(&address)?];
    for connection in &connections {
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    }
    for message in ["This is the message. ", "It will be sent ", "in parts."] {
        for connection in &mut connections {
            program::say(&format!("{}: sending  {message:?}", connection.local_addr()?));
            connection.write_all(message.as_bytes())?;
        }
        for connection in &mut connections {
            let mut echo = vec![0; message.len()];
            connection.read_exact(&mut echo)?; // as many bytes as were sent: one read may bring fewer
            program::say(&format!(
                "{}: received {:?}",
                connection.local_addr()?,
                String::from_utf8_lossy(&echo)
            ));
        }
    }
    Ok(())
}
