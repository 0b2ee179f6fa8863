//! Step 11, names, first try: looks whether a name is free, asks, and takes it later. Two can have it. Port 5000.

use chatd::{
    core::wire::sanitize::sanitize,
    socketserver::{Connection, Handler, Threading, program},
};
use parking_lot::Mutex;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

/// Bytes of a line.
const LINE_MAX: u64 = 64;

/// The names that are taken.
#[derive(Default)]
struct Names(Mutex<Vec<String>>);

impl Handler for Names {
    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let mut client = BufReader::new(connection.stream);
        loop {
            let name = ask(&mut client, "Your name?")?;
            let is_free = !self.0.lock().contains(&name); // true now
            if !is_free {
                client.get_ref().write_all(format!("{name} is taken.\n").as_bytes())?;
            } else if ask(&mut client, &format!("{name} is free. Do you want it? (yes)"))? == "yes"
            {
                self.0.lock().push(name.clone()); // but is it true now?
                let outcome = ask(&mut client, &format!("You are {name}. Return leaves."));
                let mut taken = self.0.lock();
                let mine = taken.iter().position(|taken| *taken == name);
                mine.map(|i| taken.swap_remove(i));
                return outcome.map(drop);
            }
        }
    }
}

/// Says something and reads a line.
fn ask(client: &mut BufReader<TcpStream>, question: &str) -> anyhow::Result<String> {
    client.get_ref().write_all(format!("{question}\n").as_bytes())?;
    let mut line = Vec::new();
    anyhow::ensure!(client.by_ref().take(LINE_MAX).read_until(b'\n', &mut line)? > 0, "it is gone");
    Ok(sanitize(String::from_utf8_lossy(&line).trim()).into_owned())
}

fn main() -> anyhow::Result<()> {
    program::run("127.0.0.1:5000", Names::default(), Threading::new(64, 128 << 10))
}
