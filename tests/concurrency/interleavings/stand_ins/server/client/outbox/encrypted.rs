//! Nothing is encrypted.

use super::WriterHandle;
use crate::{
    core::wire::line::LineBuffer,
    server::{
        client::websocket::{ReadError, Wait},
        tls::connection::TlsConnection,
    },
};
use std::{sync::Arc, time::Duration};

pub(crate) enum HandshakeError {
    NoTls,
    Failed(String),
    Gone,
    HungUp,
}

impl WriterHandle {
    pub(in crate::server::client) fn begin_tls(&self, _: Option<Box<TlsConnection>>) {
        unreachable!("nothing is encrypted");
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        false
    }

    pub(in crate::server::client) fn shake_hands(&self, _: Duration) -> Result<(), HandshakeError> {
        Ok(())
    }

    pub(in crate::server::client) fn read_encrypted(
        self: &Arc<Self>,
        _: &mut LineBuffer,
        _: Wait,
    ) -> Result<usize, ReadError> {
        unreachable!("nothing is encrypted")
    }
}
