//! TLS, as in the source, but for certificates. `src/model/rustls.rs` has what is called of rustls.

use std::time::Duration;

pub(crate) const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const ENCRYPTED: u8 = 1;

pub(crate) mod connection;

pub(crate) fn only(_plain_port: Option<u16>) -> String {
    String::new()
}

pub(crate) mod certificates {
    use super::connection::TlsConnection;
    use crate::model::rustls::ServerConfig;
    use std::sync::Arc;

    pub(crate) struct Certificates {
        pub(crate) plain_port: Option<u16>,
    }

    impl Certificates {
        pub(crate) fn begin(&self) -> Option<Box<TlsConnection>> {
            TlsConnection::new(Arc::new(ServerConfig)).ok()
        }
    }
}
