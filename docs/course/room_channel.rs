//! Step 11, mended: everybody's lines go through one channel to one thread, and each client has an outbox. One order, and
//! nobody waits for a reader. Port 5000.

use chatd::socketserver::{Connection, Handler, Threading, program};
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::{Condvar, Mutex};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

/// Bytes of a line.
const LINE_MAX: u64 = 1024;
/// Lines that may wait for the fan-out; whoever speaks then waits for a place.
const EVENTS_MAX: usize = 256;
/// Bytes that may wait for one client in its outbox: a screenful some hundred times over. And bytes that the kernel is to
/// keep for it; by itself it would keep megabytes.
const OUTBOX_MAX: usize = 256 << 10;
const KERNEL_MAX: usize = 16 << 10;
/// A client that takes nothing for this long, although something waits for it, is disconnected.
const GRACE: Duration = Duration::from_secs(2);
/// A talker waits this long after each line. So nobody speaks faster than a terminal can show.
const PAUSE: Duration = Duration::from_micros(50);

/// What happens to the room.
enum Event {
    Entered(u64, Member),
    Said(u64, Vec<u8>),
    Left(u64),
}

/// Where a client's lines go.
struct Member {
    outbox: Arc<Outbox>,
    stream: Arc<TcpStream>,
}

/// What waits for one client. The fan-out puts lines in and never waits; the client's writer takes out all there is.
#[derive(Default)]
struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    is_closed: bool,
}

impl Outbox {
    /// Puts a line in, if there is room for it. Returns whether there was.
    fn put(&self, line: &[u8]) -> bool {
        let mut waiting = self.waiting.lock();
        let has_room = waiting.bytes.len() + line.len() <= OUTBOX_MAX;
        if has_room {
            waiting.bytes.extend_from_slice(line);
            self.changed.notify_one();
        }
        has_room
    }

    /// Waits until something is there, and takes all of it. `None` when it is closed and empty.
    fn take(&self) -> Option<Vec<u8>> {
        let mut waiting = self.waiting.lock();
        while waiting.bytes.is_empty() && !waiting.is_closed {
            self.changed.wait(&mut waiting); // lets go of the lock, sleeps, and has the lock again
        }
        Some(std::mem::take(&mut waiting.bytes)).filter(|bytes| !bytes.is_empty())
    }

    fn close(&self) {
        self.waiting.lock().is_closed = true;
        self.changed.notify_one();
    }
}

/// The left end of the channel.
struct Room(Sender<Event>);

impl Handler for Room {
    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let (me, stream) = (connection.number, Arc::new(connection.stream));
        stream.set_write_timeout(Some(GRACE))?;
        socket2::SockRef::from(&*stream).set_send_buffer_size(KERNEL_MAX)?;
        let outbox = Arc::new(Outbox::default());
        let member = Member { outbox: Arc::clone(&outbox), stream: Arc::clone(&stream) };
        self.0.send(Event::Entered(me, member))?;
        thread::scope(|scope| {
            scope.spawn(|| write_all_of(&outbox, &stream));
            let mut lines = BufReader::new(&*stream);
            let mut line = Vec::new();
            while matches!(lines.by_ref().take(LINE_MAX).read_until(b'\n', &mut line), Ok(1..)) {
                self.0.send(Event::Said(me, std::mem::take(&mut line)))?;
                thread::sleep(PAUSE);
            }
            Ok(self.0.send(Event::Left(me))?)
        })
    }
}

/// The client's second thread, which alone waits until the client takes its lines. It ends when the fan-out closes the
/// outbox, or when the client has taken nothing for [`GRACE`].
fn write_all_of(outbox: &Outbox, mut stream: &TcpStream) {
    while let Some(bytes) = outbox.take() {
        if stream.write_all(&bytes).is_err() {
            let _ = stream.shutdown(Shutdown::Both); // and so the read of its other thread returns
            return;
        }
    }
}

/// The one thread that knows who is here. Everybody reads the lines in the order in which it takes them out of the channel.
fn fan_out(events: &Receiver<Event>) {
    let mut members: BTreeMap<u64, Member> = BTreeMap::new();
    for event in events {
        match event {
            Event::Entered(number, member) => drop(members.insert(number, member)),
            Event::Left(number) => drop(members.remove(&number)),
            Event::Said(me, line) => {
                let whole = [format!("<c{me}> ").as_bytes(), line.trim_ascii_end(), b"\n"].concat();
                members.retain(|number, member| {
                    let takes_it = *number == me || member.outbox.put(&whole);
                    if !takes_it {
                        let _ = member.stream.shutdown(Shutdown::Both); // its outbox is full: disconnected, not waited for
                    }
                    takes_it
                });
            }
        }
    }
}

/// The fan-out lets go of a member. What is in the outbox is still written.
impl Drop for Member {
    fn drop(&mut self) {
        self.outbox.close();
    }
}

fn main() -> anyhow::Result<()> {
    let (to_fan_out, events) = bounded(EVENTS_MAX);
    let fan_out = thread::spawn(move || fan_out(&events));
    program::run("127.0.0.1:5000", Room(to_fan_out), Threading::new(64, 128 << 10))?;
    fan_out.join().map_err(|_| anyhow::anyhow!("the fan-out panicked")) // it ends when the last sender is gone
}
