//! One connected client: their thread, their writer handle, and who sends when their socket is
//! slow.

pub(crate) mod admission;
mod driver;
pub(crate) mod flusher;
pub(crate) mod frames;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "nothing is handed over there"))]
pub(crate) mod handed;
pub mod handler;
pub mod linger;
pub(crate) mod lingerer;
pub(crate) mod outbox;
pub(crate) mod parked;
pub mod send_queue;
mod turn;
pub mod waiting;
pub(crate) mod websocket;
