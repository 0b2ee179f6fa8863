//! One connected client: their thread, their writer handle, and who sends when their socket is
//! slow.

mod driver;
pub(crate) mod flusher;
pub mod handler;
pub mod linger;
pub(crate) mod outbox;
pub mod send_queue;
