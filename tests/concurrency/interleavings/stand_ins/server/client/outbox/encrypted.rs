//! Nothing is encrypted.

use super::WriterHandle;

pub(crate) enum HandshakeError {}

impl WriterHandle {
    pub(crate) fn is_encrypted(&self) -> bool {
        false
    }
}
