//! A name taken twice. The task is in 08-name.md.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::Mutex,
    thread,
};

/// The names that are taken.
#[derive(Default)]
struct Room(Mutex<Vec<String>>);

/// Says something and reads a line; `None` when the client has gone.
fn ask(client: &mut BufReader<&TcpStream>, question: &str) -> Option<String> {
    writeln!(client.get_mut(), "{question}").ok()?;
    let mut line = String::new();
    (client.read_line(&mut line).ok()? > 0).then(|| line.trim().to_owned())
}

impl Room {
    fn serve(&self, _number: u64, stream: &TcpStream) {
        let mut client = BufReader::new(stream);
        if let Some(name) = self.enter(&mut client) {
            while ask(&mut client, &format!("You are {name}.")).is_some() {}
            self.0.lock().unwrap().retain(|taken| *taken != name);
        }
    }
}

// --- yours ---
impl Room {
    /// Asks for a name until one is free and wanted; it is then taken.
    fn enter(&self, client: &mut BufReader<&TcpStream>) -> Option<String> {
        let mut question = "Your name?".to_owned();
        loop {
            let name = ask(client, &question)?;
            let is_free = !self.0.lock().unwrap().contains(&name);
            if !is_free {
                question = format!("{name} is taken. Your name?");
            } else if ask(client, &format!("{name} is free. Do you want it? (yes)"))? == "yes" {
                self.0.lock().unwrap().push(name.clone());
                return Some(name);
            } else {
                question = "Your name?".to_owned();
            }
        }
    }
}
// --- end ---

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
