//! The promises of chatd, each tried on a real server process, over real sockets on loopback. A file for each.

mod harness;
mod protocol;
