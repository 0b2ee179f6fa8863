//! The promises of chatd, each tried on a real server process, over real sockets on loopback. A file for each.

mod accounts;
mod backpressure;
mod flood;
mod ghosts;
mod harness;
mod hostile;
mod memory;
mod order;
mod protocol;
mod shutdown;
mod slow_consumer;
mod start;
mod telnet;
mod threads_max;
#[cfg(target_os = "linux")]
mod versions;
