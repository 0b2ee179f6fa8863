//! Where to go, as people write it: `HOST`, `HOST:PORT`, `[::1]:PORT`, `telnet://HOST:PORT`,
//! `chat://NAME@HOST:PORT/ROOM`, `unix:PATH`. No I/O.

use anyhow::{Result, bail};
use std::fmt;

/// Where `chat` goes when no host is given: a server on the same machine.
pub(crate) const DEFAULT_HOST: &str = "localhost";

/// The port of a host given without one.
pub(crate) const DEFAULT_PORT: u16 = 5000;

/// What may stand in front of a host.
const SCHEMES: [&str; 3] = ["chat://", "telnet://", "tcp://"];

/// In front of the path of a Unix-domain socket.
const FILE: &str = "unix:";

/// A host, by name or in numbers, and a port; not yet looked up. Or a Unix-domain socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// `localhost`, `192.168.1.20`, `::1`: without brackets. Or `unix:/run/chatd/chat`.
    pub(crate) host: String,
    /// TCP port; 0 where there is none.
    pub(crate) port: u16,
}

/// An address, and what may be written around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: Address,
    /// In front of an `@`.
    pub(crate) name: Option<String>,
    /// Behind a `/`.
    pub(crate) room: Option<String>,
}

impl Target {
    /// Takes what a person gave apart.
    ///
    /// # Errors
    /// When the port is not a number from 1 to 65535, or the host or the path is empty.
    pub(crate) fn parse(text: &str) -> Result<Target> {
        if let Some(path) = text.strip_prefix(FILE) {
            if path.is_empty() {
                bail!("{text:?} names no socket, as unix:/run/chatd/chat does");
            }
            let address = Address { host: text.to_owned(), port: 0 };
            return Ok(Target { address, name: None, room: None });
        }
        let scheme = SCHEMES.iter().find(|scheme| begins_with(text, scheme));
        let rest = &text[scheme.map_or(0, |scheme| scheme.len())..];
        let (rest, room) = rest.split_once('/').unwrap_or((rest, ""));
        let (name, host) = rest.rsplit_once('@').unwrap_or(("", rest));
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Target { address: Address::parse(host)?, name: some(name), room: some(room) })
    }
}

fn begins_with(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

impl Address {
    /// Takes `HOST`, `HOST:PORT`, `[::1]:PORT` or a bare `::1` apart.
    fn parse(text: &str) -> Result<Address> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None if text.matches(':').count() > 1 => (text, None), // IPv6 without a port
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() || host.contains(char::is_whitespace) {
            bail!("{text:?} names no host");
        }
        let port = port.map_or(Ok(DEFAULT_PORT), Address::port)?;
        Ok(Address { host: host.to_owned(), port })
    }

    /// The path, if it is a Unix-domain socket.
    pub(crate) fn file(&self) -> Option<&str> {
        self.host.strip_prefix(FILE)
    }

    /// Reads a port.
    ///
    /// # Errors
    /// When it is not a number from 1 to 65535.
    pub(crate) fn port(text: &str) -> Result<u16> {
        match text.parse() {
            Ok(port @ 1..) => Ok(port),
            Ok(0) | Err(_) => bail!("{text:?} is no port: that is a number from 1 to 65535"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true if self.file().is_some() => f.write_str(&self.host),
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_taken_apart() {
        for (text, host, port) in [
            ("localhost", "localhost", 5000),
            ("example.org:6000", "example.org", 6000),
            ("192.168.1.20:1", "192.168.1.20", 1),
            ("::1", "::1", 5000),
            ("[::1]", "::1", 5000),
            ("[fe80::1]:7000", "fe80::1", 7000),
        ] {
            let address = Address { host: host.to_owned(), port };
            assert_eq!(Address::parse(text).unwrap(), address, "{text}");
        }
        for text in ["", ":5000", "host:", "host:0", "host:65536", "host:five", "two words"] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_stands_around_an_address_is_understood() {
        for (text, name, address, room) in [
            ("bob@example.org", Some("bob"), "example.org:5000", None),
            ("telnet://example.org:6000", None, "example.org:6000", None),
            ("telnet://example.org/", None, "example.org:5000", None),
            ("CHAT://bob@[::1]:7000/math", Some("bob"), "[::1]:7000", Some("math")),
            ("example.org:7000/math", None, "example.org:7000", Some("math")),
        ] {
            let target = Target::parse(text).unwrap();
            let shown = target.address.to_string();
            let (name, room) = (name.map(str::to_owned), room.map(str::to_owned));
            assert_eq!((target.name, &*shown, target.room), (name, address, room), "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_as_it_is_typed() {
        for text in ["localhost:5000", "[::1]:7000", "unix:/run/chatd/chat", "unix:a@b:1/c"] {
            assert_eq!(Target::parse(text).unwrap().address.to_string(), text);
        }
        assert!(Target::parse("unix:").is_err());
    }
}
