//! Step 4, a thread for each client: one line in, a sentence out after one second. Port 18001.

use chatd::socketserver::{Connection, Handler, Threading, program};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    thread,
    time::Duration,
};

/// How long the answer takes: it stands for a disk, a database, a password hash.
const WORK: Duration = Duration::from_secs(1);
/// A client that sends no line is not waited for any longer.
const IDLE_MAX: Duration = Duration::from_mins(1);
/// Bytes of a line.
const LINE_MAX: u64 = 1024;

/// Answers one line, slowly.
pub struct SlowAnswer;

impl Handler for SlowAnswer {
    fn handle(&self, connection: Connection) -> anyhow::Result<()> {
        connection.stream.set_read_timeout(Some(IDLE_MAX))?;
        let mut line = Vec::new();
        BufReader::new((&connection.stream).take(LINE_MAX)).read_until(b'\n', &mut line)?;
        thread::sleep(WORK);
        (&connection.stream).write_all(b"That took me one second.\n")?;
        Ok(())
    }
}

#[allow(dead_code, reason = "fork.rs takes the handler from here and has a main of its own")]
fn main() -> anyhow::Result<()> {
    program::run("127.0.0.1:18001", SlowAnswer, Threading::new(512, 128 << 10))
}
