//! Step 4, a thread for each client, the smallest: says `Hello World!` to whoever connects. Port 2525.

use chatd::socketserver::{Connection, Handler, Threading, program};
use std::io::Write as _;

/// Says hello and closes.
struct Hello;

impl Handler for Hello {
    fn handle(&self, mut connection: Connection) -> anyhow::Result<()> {
        Ok(connection.stream.write_all(b"Hello World!")?)
    }
}

fn main() -> anyhow::Result<()> {
    program::run("127.0.0.1:2525", Hello, Threading::new(512, 128 << 10))
}
