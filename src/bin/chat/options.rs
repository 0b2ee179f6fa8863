//! The command line: options and their help, and `HOST[:PORT]` taken apart. No I/O; runs on `main`,
//! once.

use anyhow::{Context as _, Result, bail};
use argh::FromArgs;
use chatd::server::number::whole_number;
use std::fmt;

/// Where `chat` goes when no host is given: a server on the same machine.
pub(crate) const DEFAULT_HOST: &str = "localhost";

/// The port of a host given without one.
pub(crate) const DEFAULT_PORT: u16 = 5000;

/// The longest `--wait`, in seconds.
const WAIT_MAX: u64 = 24 * 60 * 60;

/// Talk on a chat server, from the terminal or through a pipe.
#[derive(FromArgs, Debug)]
pub(crate) struct Options {
    /// the server, HOST or HOST:PORT (default localhost:5000)
    #[argh(positional)]
    pub(crate) server: Option<String>,

    /// the name to enter under; asked for if left out
    #[argh(option)]
    pub(crate) name: Option<String>,

    /// the room to go to
    #[argh(option)]
    pub(crate) room: Option<String>,

    /// stop when the server goes away, instead of trying again
    #[argh(switch)]
    pub(crate) no_reconnect: bool,

    /// ring the terminal's bell when somebody writes to you or mentions your name
    #[argh(switch)]
    pub(crate) bell: bool,

    /// after the end of piped input, seconds of silence to wait for the server's last words
    /// (default 10)
    #[argh(option, default = "10", from_str_fn(whole_number))]
    pub(crate) wait: u64,

    /// print the version and stop
    #[argh(switch)]
    pub(crate) version: bool,
}

/// Reads the command line. Not `argh::from_env`: its exit code for a wrong option is 1, and ours is
/// 2.
///
/// # Errors
/// A text to print in place of a chat, and the exit code that goes with it: help or the version
/// (0), or what was wrong (2).
pub(crate) fn read(arguments: &[String]) -> Result<Options, (String, i32)> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let options = Options::from_args(&["chat"], &arguments)
        .map_err(|early| (early.output, if early.status.is_ok() { 0 } else { 2 }))?;
    options.check().map_err(|wrong| (format!("chat: {wrong:#}\n"), 2))?;
    if options.version {
        return Err((concat!("chat ", env!("CARGO_PKG_VERSION"), "\n").to_owned(), 0));
    }
    Ok(options)
}

impl Options {
    /// Refuses what would be more than one line on the wire.
    fn check(&self) -> Result<()> {
        for (option, value) in [("--name", &self.name), ("--room", &self.room)] {
            if let Some(value) = value
                && (value.trim().is_empty() || value.chars().any(char::is_control))
            {
                bail!("{option} wants one word, not {value:?}.");
            }
        }
        if self.wait > WAIT_MAX {
            bail!("--wait {}: give 0 to {WAIT_MAX} seconds (a day).", self.wait);
        }
        self.address().map(drop)
    }

    /// The server's address.
    ///
    /// # Errors
    /// When the port is not a number from 1 to 65535.
    pub(crate) fn address(&self) -> Result<Address> {
        Address::parse(self.server.as_deref().unwrap_or(DEFAULT_HOST))
    }
}

/// A host, by name or in numbers, and a port; not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// `localhost`, `192.168.1.20`, `::1`: without brackets.
    pub(crate) host: String,
    /// TCP port.
    pub(crate) port: u16,
}

impl Address {
    /// Takes `HOST`, `HOST:PORT`, `[::1]:PORT` or a bare `::1` apart.
    ///
    /// # Errors
    /// When the port is not a number from 1 to 65535, or the host is empty.
    pub(crate) fn parse(text: &str) -> Result<Address> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None if text.matches(':').count() > 1 => (text, None), // IPv6 without a port
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => {
                port.parse().with_context(|| format!("{port:?} is not a port, in {text:?}"))?
            }
        };
        if port == 0 {
            bail!("port 0 cannot be connected to, in {text:?}");
        }
        if host.is_empty() || host.contains(char::is_whitespace) {
            bail!("{text:?} names no host");
        }
        Ok(Address { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
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
    fn seconds_to_wait_are_a_number_that_can_be_waited_for() {
        let read = |wait: &str| read(&["--wait".to_owned(), wait.to_owned()]);
        for wait in ["0", "1", "10", "86400"] {
            assert_eq!(read(wait).unwrap().wait.to_string(), wait);
        }
        for (wait, says) in [
            ("86401", "give 0 to 86400 seconds"),
            ("18446744073709551615", "give 0 to 86400 seconds"),
            ("18446744073709551616", "is too large a number"),
            ("-1", "is not a whole number"),
            ("1e3", "is not a whole number"),
            ("", "is not a whole number"),
        ] {
            let (said, code) = read(wait).unwrap_err();
            assert!(said.contains(says) && code == 2, "{wait}: {said}");
        }
    }

    #[test]
    fn an_address_is_shown_as_it_is_typed() {
        for text in ["localhost:5000", "[::1]:7000"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
    }
}
