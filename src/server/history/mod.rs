//! The history: who writes it, and what happens while it cannot be written.

mod handle;
pub mod historian;
mod retry;
