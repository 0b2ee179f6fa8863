//! Step 5, a thread for each client, with a bound: upper case. Python calls this `ThreadingTCPServer`; it is no pool.
//! Port 18001. `upper [ADDR:PORT] [MOST]`.

use chatd::socketserver::{Connection, Handler, Refusal, Threading, program};
use std::io::{Read as _, Write as _};

/// Sends back what comes, in upper case, until the client goes.
pub struct Upper;

impl Handler for Upper {
    fn handle(&self, mut connection: Connection) -> anyhow::Result<()> {
        let mut bytes = [0; 1024];
        loop {
            let n = connection.stream.read(&mut bytes)?;
            if n == 0 {
                return Ok(());
            }
            bytes[..n].make_ascii_uppercase();
            connection.stream.write_all(&bytes[..n])?;
        }
    }

    fn refuse(&self, mut connection: Connection, refusal: Refusal) {
        if let Refusal::Full { most } = refusal {
            let _ = connection.stream.write_all(format!("Full: {most} are here.\n").as_bytes());
        }
    }
}

#[allow(dead_code, reason = "upper_pool.rs takes the handler from here and has a main of its own")]
fn main() -> anyhow::Result<()> {
    let most = std::env::args().nth(2).map_or(Ok(8), |most| most.parse())?;
    program::run("127.0.0.1:18001", Upper, Threading::new(most, 128 << 10))
}
