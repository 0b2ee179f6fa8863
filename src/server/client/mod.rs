//! One connected client: their thread, their writer handle, and who sends when their socket is slow.

pub mod flusher;
pub mod handler;
pub mod linger;
pub mod outbox;
pub mod send_queue;
