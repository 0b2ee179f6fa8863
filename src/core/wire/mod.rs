//! From bytes to lines, and lines that are safe to show. Nothing here knows what a chat is.

pub(crate) mod hex;
mod keys;
pub mod line;
pub(crate) mod opening;
pub mod sanitize;
mod telnet;
