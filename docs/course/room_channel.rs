//! Step 11, mended: everybody's lines go through one channel to one thread, and each client has a queue. One order, and
//! nobody waits for a reader. Port 5000.

use chatd::socketserver::{Connection, Handler, Threading, program};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::Arc,
    thread,
};

/// Bytes of a line.
const LINE_MAX: u64 = 1024;
/// Lines that may wait for the fan-out; who speaks then waits for a place.
const EVENTS_MAX: usize = 256;
/// Lines that may wait for one client: 1 MiB of the longest.
const QUEUE_MAX: usize = 1024;

/// What happens to the room.
enum Event {
    Entered(u64, Member),
    Said(u64, Vec<u8>),
    Left(u64),
}

/// Where a client's lines go.
struct Member {
    queue: Sender<Arc<[u8]>>,
    stream: Arc<TcpStream>,
}

/// The left end of the channel.
struct Room(Sender<Event>);

impl Handler for Room {
    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        let (me, stream) = (connection.number, Arc::new(connection.stream));
        let (queue, waiting) = bounded(QUEUE_MAX);
        self.0.send(Event::Entered(me, Member { queue, stream: Arc::clone(&stream) }))?;
        thread::scope(|scope| {
            // This thread alone waits until the client takes its lines. It ends when the fan-out drops the queue.
            scope.spawn(|| waiting.iter().try_for_each(|line| (&*stream).write_all(&line)));
            let mut lines = BufReader::new(&*stream);
            let mut line = Vec::new();
            while matches!(lines.by_ref().take(LINE_MAX).read_until(b'\n', &mut line), Ok(1..)) {
                self.0.send(Event::Said(me, std::mem::take(&mut line)))?;
            }
            Ok(self.0.send(Event::Left(me))?)
        })
    }
}

/// The one thread that knows who is here. What it takes out of the channel first, all read first.
fn fan_out(events: &Receiver<Event>) {
    let mut members: BTreeMap<u64, Member> = BTreeMap::new();
    for event in events {
        match event {
            Event::Entered(number, member) => drop(members.insert(number, member)),
            Event::Left(number) => drop(members.remove(&number)),
            Event::Said(me, line) => {
                let whole: Arc<[u8]> =
                    [format!("<c{me}> ").as_bytes(), line.trim_ascii_end(), b"\n"].concat().into();
                members.retain(|number, member| {
                    let takes_it =
                        *number == me || member.queue.try_send(Arc::clone(&whole)).is_ok();
                    if !takes_it {
                        let _ = member.stream.shutdown(Shutdown::Both); // its queue is full: hung up, not waited for
                    }
                    takes_it
                });
            }
        }
    }
}

fn main() -> anyhow::Result<()> {
    let (to_fan_out, events) = bounded(EVENTS_MAX);
    let fan_out = thread::spawn(move || fan_out(&events));
    program::run("127.0.0.1:5000", Room(to_fan_out), Threading::new(64, 128 << 10))?;
    fan_out.join().map_err(|_| anyhow::anyhow!("the fan-out panicked")) // it ends when the last sender is gone
}
