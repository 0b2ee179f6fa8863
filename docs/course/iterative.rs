//! Step 1, iterative: one client at a time, and the next one waits in the accept queue. Port 50008.

use chatd::socketserver::{Connection, Handler, Inline, program};
use std::io::{Read as _, Write as _};

/// Answers whatever comes with the same sentence, until the client goes.
struct Sentence;

impl Handler for Sentence {
    fn handle(&self, mut connection: Connection) -> anyhow::Result<()> {
        let mut bytes = [0; 1024];
        while connection.stream.read(&mut bytes)? > 0 {
            connection.stream.write_all(b"Thank you, I have read it.\n")?;
        }
        Ok(())
    }
}

fn main() -> anyhow::Result<()> {
    program::run("127.0.0.1:50008", Sentence, Inline)
}
