//! Where a connection comes from. No I/O.

use ::core::net::SocketAddr;
use std::fmt;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An address of the network.
    Address(SocketAddr),
    /// A user of this machine, by their number: they came by a Unix-domain socket, and the kernel
    /// says who they are.
    Uid(u32),
}

impl From<SocketAddr> for Origin {
    fn from(address: SocketAddr) -> Origin {
        Origin::Address(address)
    }
}

/// `192.0.2.7:40000`, or `uid:1000`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Address(address) => address.fmt(f),
            Origin::Uid(uid) => write!(f, "uid:{uid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_no_more_room_than_an_address() {
        assert_eq!(size_of::<Origin>(), size_of::<SocketAddr>()); // each client has one
        assert_eq!(Origin::Uid(1000).to_string(), "uid:1000");
    }
}
