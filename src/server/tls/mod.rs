//! TLS: `--tls`, and the page over https. rustls does what is hard; this is how its connections fit
//! in among threads that share a socket.
//!
//! A connection that is encrypted is a client like any other: a thread, an outbox, the same limits.
//! What waits in the outbox is not encrypted yet. It becomes records when the socket takes some
//! more, under the lock of the outbox: so only one thread at a time makes records or sends them, and
//! their numbers are in the order in which they leave. One record at most has been made and not
//! sent. The client's own thread waits for bytes without the lock, and decrypts them under it.
//!
//! | file | |
//! | --- | --- |
//! | connection.rs | one connection: bytes in, bytes out. No thread, no lock |
//! | certificates.rs | the certificate and its key, read at the start and on SIGHUP |
//! | fingerprint.rs | what a certificate is known by |
//!
//! The handshake is in `client/outbox/encrypted.rs`; the web thread's is in `web/connection.rs`.

use crate::core::sentences::TLS_ALONE;
use std::time::Duration;

/// How long a handshake may take: some round trips, and a machine that computes slowly.
pub(crate) const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// The kind of a listener whose clients encrypt from the first byte on.
pub(crate) const ENCRYPTED: u8 = 1;

pub mod certificates;
pub(crate) mod connection;
pub mod fingerprint;

/// To whoever does not speak TLS here.
pub(crate) fn only(plain_port: Option<u16>) -> String {
    let plain = plain_port.map(|port| format!(" (without encryption: nc HOST {port})"));
    format!("{TLS_ALONE}: chat --tls HOST PORT{}", plain.unwrap_or_default())
}
