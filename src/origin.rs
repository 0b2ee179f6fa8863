//! Where a connection comes from. No I/O.

use ::core::net::{IpAddr, SocketAddr};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// An address of the network.
    Address(SocketAddr),
    /// A user of this machine, by their number: they came by a Unix-domain socket, and the kernel
    /// says who they are.
    Uid(u32),
}

impl From<SocketAddr> for Origin {
    /// An IPv4 client of a port for both families (`[::]`, as systemd lends it) is `192.0.2.7` too,
    /// and not `::ffff:192.0.2.7`.
    fn from(address: SocketAddr) -> Origin {
        match address.ip().to_canonical() {
            ip @ IpAddr::V4(_) => Origin::Address(SocketAddr::new(ip, address.port())),
            IpAddr::V6(_) => Origin::Address(address), // with its scope
        }
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
    fn an_ipv4_client_of_a_port_for_both_families_is_named_by_its_ipv4_address() {
        for (text, shown) in [
            ("[::ffff:192.0.2.7]:40000", "192.0.2.7:40000"),
            ("192.0.2.7:40000", "192.0.2.7:40000"),
            ("[2001:db8::7]:40000", "[2001:db8::7]:40000"),
            ("[fe80::7%3]:40000", "[fe80::7%3]:40000"),
        ] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Origin::from(address).to_string(), shown);
        }
    }

    #[test]
    fn it_takes_no_more_room_than_an_address() {
        assert_eq!(size_of::<Origin>(), size_of::<SocketAddr>()); // each client has one
        assert_eq!(Origin::Uid(1000).to_string(), "uid:1000");
    }
}
