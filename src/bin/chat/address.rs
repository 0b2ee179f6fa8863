//! Where to go, as people write it: `HOST`, `HOST:PORT`, `[::1]:PORT`, `telnet://HOST:PORT`,
//! `chats://NAME@HOST:PORT/ROOM`, `unix:PATH`. No I/O.

use anyhow::{Result, bail};
use std::fmt;

/// Where `chat` goes when no host is given: a server on the same machine.
pub(crate) const DEFAULT_HOST: &str = "localhost";

/// The port of a host given without one; with TLS the one above, since a server that speaks both
/// needs two.
pub(crate) const DEFAULT_PORT: u16 = 5000;

/// What may stand in front of a host, and whether TLS is spoken there.
const SCHEMES: [(&str, bool); 6] = [
    (CHATS, true),
    ("telnets://", true),
    ("tls://", true),
    ("chat://", false),
    ("telnet://", false),
    ("tcp://", false),
];
const CHATS: &str = "chats://";

/// In front of the path of a Unix-domain socket.
const FILE: &str = "unix:";

/// A host, by name or in numbers, and a port; not yet looked up. Or a Unix-domain socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// `localhost`, `192.168.1.20`, `::1`: without brackets. Or `unix:/run/chatd/chat`.
    pub(crate) host: String,
    /// TCP port; 0 where there is none.
    pub(crate) port: u16,
    /// TLS is spoken there.
    pub(crate) has_tls: bool,
}

/// What a person gave: an address, and what may be written around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    host: String,
    pub(crate) port: Option<u16>,
    /// Whether TLS is spoken, if what stands in front of the host says so.
    pub(crate) has_tls: Option<bool>,
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
            let host = text.to_owned();
            return Ok(Target { host, port: None, has_tls: None, name: None, room: None });
        }
        let scheme = SCHEMES.iter().find(|(scheme, _)| begins_with(text, scheme));
        let rest = &text[scheme.map_or(0, |(scheme, _)| scheme.len())..];
        let (rest, room) = rest.split_once('/').unwrap_or((rest, ""));
        let (name, host) = rest.rsplit_once('@').unwrap_or(("", rest));
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (host, port) = host_and_port(host)?;
        let has_tls = scheme.map(|(_, has_tls)| *has_tls);
        Ok(Target { host, port, has_tls, name: some(name), room: some(room) })
    }

    /// Whether it is a Unix-domain socket.
    pub(crate) fn is_file(&self) -> bool {
        self.host.starts_with(FILE)
    }

    /// Where that is; by TLS, where nothing else is written and `wants_tls`. What goes to a socket
    /// of this machine leaves it for no network.
    pub(crate) fn address(&self, wants_tls: bool) -> Address {
        let has_tls = self.has_tls.unwrap_or(wants_tls) && !self.is_file();
        let default = if self.is_file() { 0 } else { DEFAULT_PORT + u16::from(has_tls) };
        Address { host: self.host.clone(), port: self.port.unwrap_or(default), has_tls }
    }
}

fn begins_with(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// Takes `HOST`, `HOST:PORT`, `[::1]:PORT` or a bare `::1` apart.
fn host_and_port(text: &str) -> Result<(String, Option<u16>)> {
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
    Ok((host.to_owned(), port.map(Address::port).transpose()?))
}

impl Address {
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

    /// Host and port alone.
    pub(crate) fn place(&self) -> String {
        match self.host.contains(':') {
            true if self.file().is_some() => self.host.clone(),
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.has_tls { CHATS } else { "" }, self.place())
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
            let address = Address { host: host.to_owned(), port, has_tls: false };
            assert_eq!(Target::parse(text).unwrap().address(false), address, "{text}");
        }
        for text in ["", ":5000", "host:", "host:0", "host:65536", "host:five", "two words"] {
            assert!(Target::parse(text).is_err(), "{text:?}");
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
            let shown = target.address(false).to_string();
            let (name, room) = (name.map(str::to_owned), room.map(str::to_owned));
            assert_eq!((target.name, &*shown, target.room), (name, address, room), "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_as_it_is_typed() {
        for text in ["h:5000", "[::1]:7000", "unix:/run/chatd/chat", "unix:a@b:1/c", "chats://h:1"]
        {
            assert_eq!(Target::parse(text).unwrap().address(false).to_string(), text);
        }
        assert!(Target::parse("unix:").is_err());
    }

    #[test]
    fn tls_is_spoken_where_it_is_written_or_else_where_it_is_wanted() {
        for (text, is_wanted, address) in [
            ("h", true, "chats://h:5001"),
            ("h:7", true, "chats://h:7"),
            ("chats://h", false, "chats://h:5001"),
            ("TELNETS://bob@h:7", false, "chats://h:7"),
            ("tls://[::1]", false, "chats://[::1]:5001"),
            ("telnet://h", true, "h:5000"),
            ("unix:/run/chat", true, "unix:/run/chat"),
        ] {
            assert_eq!(Target::parse(text).unwrap().address(is_wanted).to_string(), address);
        }
    }
}
