//! A torn line. The task is in 07-torn.md.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Who is here: number and socket.
#[derive(Default)]
struct Room(Mutex<Vec<(u64, Arc<TcpStream>)>>);

impl Room {
    fn serve(&self, me: u64, stream: &TcpStream) {
        let Ok(mine) = stream.try_clone().map(Arc::new) else { return };
        self.0.lock().unwrap().push((me, mine));
        let _ = writeln!(&*stream, "You are c{me}.");
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            self.tell_the_others(me, &line);
        }
        self.0.lock().unwrap().retain(|(number, _)| *number != me);
    }
}

// --- yours ---
impl Room {
    /// `<c1> hello` to everybody but `me`.
    fn tell_the_others(&self, me: u64, line: &str) {
        let everybody = self.0.lock().unwrap().clone();
        for (_, stream) in everybody.iter().filter(|(number, _)| *number != me) {
            let mut stream = &**stream;
            let _ = write!(stream, "<c{me}> ");
            thread::yield_now();
            let _ = writeln!(stream, "{line}");
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
