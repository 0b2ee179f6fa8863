//! The history: who writes it, and what happens while it cannot be written.

pub mod handle;
pub mod historian;
pub mod retry;
