//! Where a connection comes from, as precisely as the server tells clients apart. No I/O.

use ::core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::{fmt, str::FromStr};

/// A household, a school or a machine: one IPv4 address, or one IPv6 network of 64 bits (its owner
/// can use any address in it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The household, school or machine that has this address.
    pub fn of(address: IpAddr) -> ClientAddress {
        match address.to_canonical() {
            IpAddr::V6(v6) if !v6.is_loopback() => {
                ClientAddress(IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))))
            }
            canonical => ClientAddress(canonical),
        }
    }

    /// The address that an administrator means, where a name may stand too. An address has a colon
    /// or begins with a digit; no name does.
    ///
    /// # Errors
    /// It looks like an address, and is none.
    pub fn meant(typed: &str) -> Result<Option<ClientAddress>, String> {
        if !typed.contains(':') && !typed.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(None);
        }
        match typed.parse::<ClientAddress>() {
            Ok(address) => Ok(Some(address)),
            Err(_) => Err(format!("{typed} is no address, like 192.0.2.7 or 2001:db8::1.")),
        }
    }
}

impl Default for ClientAddress {
    fn default() -> Self {
        ClientAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }
}

/// `192.0.2.7`, or `2001:db8:0:1::/64`.
impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(v6) if !v6.is_loopback() => write!(f, "{v6}/64"),
            address => write!(f, "{address}"),
        }
    }
}

/// Reads an address, or what [`ClientAddress`] displays.
impl FromStr for ClientAddress {
    type Err = ::core::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
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
        for text in ["192.0.2.7", "2001:db8:0:1::/64", "::1"] {
            assert_eq!(address(text).to_string(), text);
        }
        assert!("alice".parse::<ClientAddress>().is_err());
    }
}
