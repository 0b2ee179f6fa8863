//! One connected client: their thread, their writer handle, and who sends when their socket is
//! slow.

pub(crate) mod admission;
mod driver;
pub(crate) mod flusher;
pub(crate) mod frames;
pub mod handler;
pub mod linger;
pub(crate) mod lingerer;
pub(crate) mod outbox;
pub mod send_queue;
mod turn;
pub mod waiting;
pub(crate) mod websocket;
