//! Nothing is encrypted.

use std::time::Duration;

pub(crate) const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const ENCRYPTED: u8 = 1;

pub(crate) fn only(_plain_port: Option<u16>) -> String {
    String::new()
}

pub(crate) mod certificates {
    use super::connection::TlsConnection;

    pub(crate) struct Certificates {
        pub(crate) plain_port: Option<u16>,
    }

    impl Certificates {
        pub(crate) fn begin(&self) -> Option<Box<TlsConnection>> {
            None
        }
    }
}

pub(crate) mod connection {
    use crate::model::net::TcpStream;
    use std::io;

    pub(crate) const DENIED: &[u8] = &[];

    pub(crate) enum TlsConnection {}

    impl TlsConnection {
        pub(crate) fn has_unsent(&self) -> bool {
            match *self {}
        }

        pub(crate) fn take_moved(&mut self) -> bool {
            match *self {}
        }

        pub(crate) fn send(
            &mut self,
            _socket: &TcpStream,
            _first: &[u8],
            _slices: &[&[u8]],
        ) -> io::Result<usize> {
            match *self {}
        }

        pub(crate) fn finish(self, _bytes: &[u8]) -> Vec<u8> {
            match self {}
        }
    }
}
