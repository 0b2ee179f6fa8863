//! The history: thread `historian` writes it; what happens while it cannot be written; and how the
//! other threads ask.

mod handle;
pub mod historian;
mod pruning;
mod retry;
mod unwritten;
mod witness;
