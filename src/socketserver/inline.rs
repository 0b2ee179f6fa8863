//! The mix-in without threads: the accept loop runs the handler itself. The next client waits in
//! the accept queue.

use super::{Connection, Handler, MixIn, Refusal, run_handler};
use std::sync::Arc;

/// One client at a time.
pub struct Inline;

impl MixIn for Inline {
    fn process<H: Handler>(
        &self,
        connection: Connection,
        handler: &Arc<H>,
    ) -> Result<(), (Connection, Refusal)> {
        run_handler(connection, &**handler);
        Ok(())
    }

    fn close(&self) {}
}
