//! One that does not read. The task is in 10-outbox.md.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

/// Bytes that may wait for one client.
const OUTBOX_MAX: usize = 64 * 1024;

/// What waits for one client, and whether it is closed.
#[derive(Default)]
struct Outbox {
    waiting: Mutex<(Vec<u8>, bool)>,
    changed: Condvar,
}

/// Who is here.
#[derive(Default)]
struct Room(Mutex<Vec<(u64, Arc<TcpStream>, Arc<Outbox>)>>);

// --- yours ---
impl Outbox {
    /// Puts a line in. Returns whether there was room for it.
    fn put(&self, line: &[u8]) -> bool {
        let _ = (&self.waiting, &self.changed, OUTBOX_MAX, line);
        true
    }

    /// Waits until something is there, and takes all of it. `None` when it is closed.
    fn take(&self) -> Option<Vec<u8>> {
        None
    }

    fn close(&self) {}
}

impl Room {
    /// `<c1> hello` to everybody but `me`. Who has no room for it is disconnected.
    fn tell_the_others(&self, me: u64, line: &str) {
        let whole = format!("<c{me}> {line}\n");
        for (_, stream, outbox) in self.0.lock().unwrap().iter().filter(|member| member.0 != me) {
            let _ = (&**stream).write_all(whole.as_bytes()); // waits for everybody, in turn
            let _ = outbox.put(b"") || stream.shutdown(Shutdown::Both).is_ok();
        }
    }
}
// --- end ---

impl Room {
    fn serve(&self, me: u64, stream: &TcpStream) {
        let Ok(mine) = stream.try_clone().map(Arc::new) else { return };
        let outbox = Arc::new(Outbox::default());
        self.0.lock().unwrap().push((me, mine, Arc::clone(&outbox)));
        let _ = writeln!(&*stream, "You are c{me}.");
        thread::scope(|scope| {
            // This thread alone waits until the client takes its lines.
            scope.spawn(|| {
                while let Some(bytes) = outbox.take() {
                    if (&*stream).write_all(&bytes).is_err() {
                        return;
                    }
                }
            });
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                self.tell_the_others(me, &line);
            }
            self.0.lock().unwrap().retain(|member| member.0 != me);
            outbox.close();
        });
    }
}

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
