//! Where a connection comes from, as precisely as the server tells clients apart. No I/O.

use crate::origin::Origin;
use ::core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A household, a school or a machine: one IPv4 address, or one IPv6 network of 64 bits (its owner
/// can use any address in it). Or a user of this machine, who came by a Unix-domain socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClientAddress(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
enum Kind {
    Ip(IpAddr),
    /// As bytes: so it takes no more room than an address, and each client has a few of these.
    Uid([u8; 4]),
}

impl ClientAddress {
    /// The household, school or machine that has this address.
    pub fn of(address: IpAddr) -> ClientAddress {
        match address.to_canonical() {
            IpAddr::V6(v6) if !v6.is_loopback() => {
                let network = Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX));
                ClientAddress(Kind::Ip(network.into()))
            }
            canonical => ClientAddress(Kind::Ip(canonical)),
        }
    }

    /// Whether it is this machine's own address. (A user of this machine is not meant.)
    pub(crate) fn is_loopback(self) -> bool {
        matches!(self.0, Kind::Ip(ip) if ip.is_loopback())
    }

    /// The address (or `uid:1000`) that an administrator means, where a name may stand too. An
    /// address has a colon or begins with a digit; no name does.
    ///
    /// # Errors
    /// It looks like an address, and is none.
    pub fn meant(typed: &str) -> Result<Option<ClientAddress>, String> {
        if !typed.contains(':') && !typed.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(None);
        }
        match typed.parse::<ClientAddress>() {
            Ok(address) => Ok(Some(address)),
            Err(_) if typed.starts_with("uid:") => {
                Err(format!("{typed} is no user of this machine, like uid:1000."))
            }
            Err(_) => Err(format!("{typed} is no address, like 192.0.2.7 or 2001:db8::1.")),
        }
    }
}

impl Default for ClientAddress {
    fn default() -> Self {
        ClientAddress(Kind::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)))
    }
}

impl From<Origin> for ClientAddress {
    fn from(origin: Origin) -> ClientAddress {
        match origin {
            Origin::Address(address) => ClientAddress::of(address.ip()),
            Origin::Uid(uid) => ClientAddress(Kind::Uid(uid.to_ne_bytes())),
        }
    }
}

/// `192.0.2.7`, `2001:db8:0:1::/64`, or `uid:1000`.
impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Ip(IpAddr::V6(v6)) if !v6.is_loopback() => write!(f, "{v6}/64"),
            Kind::Ip(address) => write!(f, "{address}"),
            Kind::Uid(bytes) => Origin::Uid(u32::from_ne_bytes(bytes)).fmt(f),
        }
    }
}

/// Reads an address, or what [`ClientAddress`] displays.
impl FromStr for ClientAddress {
    type Err = ::core::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(uid) = text.strip_prefix("uid:").and_then(|uid| uid.parse().ok()) {
            return Ok(Origin::Uid(uid).into());
        }
        text.strip_suffix("/64").unwrap_or(text).parse().map(ClientAddress::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_64_bits_is_one_address() {
        let address = |text: &str| text.parse::<ClientAddress>().unwrap();
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:2"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(
            address("::ffff:192.0.2.7"),
            address("192.0.2.7"),
            "IPv4 through an IPv6 listener"
        );
        for text in ["192.0.2.7", "2001:db8:0:1::/64", "::1", "uid:1000"] {
            assert_eq!(address(text).to_string(), text);
        }
        for text in ["alice", "uid:", "uid:-1", "uid:alice"] {
            assert!(text.parse::<ClientAddress>().is_err(), "{text}");
        }
        assert_eq!(size_of::<ClientAddress>(), size_of::<IpAddr>());
    }
}
