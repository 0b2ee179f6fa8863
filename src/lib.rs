//! chatd
#![forbid(unsafe_code)]
pub mod core;
pub mod lock;
pub mod server;
pub mod socketserver;
