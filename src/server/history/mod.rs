//! The history: thread `historian` writes it; what happens while it cannot be written; and how the
//! other threads ask.

mod clock_check;
mod handle;
pub mod historian;
mod pieces;
mod pruning;
mod retry;
mod shrinking;
mod unwritten;
mod witness;
