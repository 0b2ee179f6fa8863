//! Step 2, a thread for each client, with the mistake: it joins each thread at once after starting it. Port 12307.

use chatd::socketserver::{Connection, Handler, MixIn, Refusal, program, run_handler};
use std::{sync::Arc, thread};

#[path = "files.rs"]
mod files;

/// A thread for each connection, in vain.
struct JoinedAtOnce;

impl MixIn for JoinedAtOnce {
    fn process<H: Handler>(
        &self,
        connection: Connection,
        handler: &Arc<H>,
    ) -> Result<(), (Connection, Refusal)> {
        let handler = Arc::clone(handler);
        let thread = thread::spawn(move || run_handler(connection, &*handler));
        let _ = thread.join(); // here the accept loop waits until this client goes
        Ok(())
    }

    fn close(&self) {}
}

fn main() -> anyhow::Result<()> {
    program::run("127.0.0.1:12307", files::Receiver::from_arguments()?, JoinedAtOnce)
}
