//! Step 11, second try: one lock, held while sending. Lines are whole; one client that does not read freezes all. Port 5000.

use chatd::socketserver::{Connection, Handler, Threading, program};
use parking_lot::Mutex;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};

/// Bytes of a line.
const LINE_MAX: u64 = 1024;

/// Who is here: number and socket.
#[derive(Default)]
struct Room(Mutex<Vec<(u64, Arc<TcpStream>)>>);

impl Handler for Room {
    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let (me, stream) = (connection.number, Arc::new(connection.stream));
        self.0.lock().push((me, Arc::clone(&stream)));
        let mut lines = BufReader::new(&*stream);
        let mut line = Vec::new();
        while matches!(lines.by_ref().take(LINE_MAX).read_until(b'\n', &mut line), Ok(1..)) {
            self.tell_the_others(me, &String::from_utf8_lossy(&line));
            line.clear();
        }
        self.0.lock().retain(|(number, _)| *number != me);
        Ok(())
    }
}

impl Room {
    fn tell_the_others(&self, me: u64, line: &str) {
        let whole = format!("<c{me}> {}\n", line.trim_end());
        let everybody = self.0.lock(); // held until everybody has it: nobody else speaks, enters or leaves meanwhile
        for (_, stream) in everybody.iter().filter(|(number, _)| *number != me) {
            let _ = (&**stream).write_all(whole.as_bytes()); // waits until this one takes it
        }
    }
}

fn main() -> anyhow::Result<()> {
    program::run("127.0.0.1:5000", Room::default(), Threading::new(64, 128 << 10))
}
