//! The history, as in the source, but for what is forgotten.

mod clock_check;
mod handle;
pub(crate) mod historian;
mod pieces;
mod pruning;
mod retry;
mod unwritten;
mod witness;
