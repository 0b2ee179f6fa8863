//! Where browsers find the page. No I/O, but for the question which address this machine has.

use super::options::address_for_others;
use std::net::SocketAddr;

/// A port at which the page is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageAt {
    pub(crate) address: SocketAddr,
    /// It speaks https.
    pub(crate) is_encrypted: bool,
}

impl PageAt {
    /// What others have to open, without the slash behind it.
    pub(crate) fn url(mut self) -> String {
        if self.address.ip().is_unspecified() {
            match address_for_others() {
                Some(ip) => self.address.set_ip(ip),
                None => return format!("{}localhost:{}", self.scheme(), self.address.port()),
            }
        }
        format!("{}{}", self.scheme(), self.address)
    }

    pub(crate) fn scheme(self) -> &'static str {
        if self.is_encrypted { "https://" } else { "http://" }
    }
}
