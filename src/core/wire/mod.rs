//! From bytes to lines, and lines that are safe to show. Nothing here knows what a chat is.

pub mod line;
pub mod sanitize;
mod telnet;
