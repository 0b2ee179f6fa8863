//! Proxies in front of the chat, and the PROXY protocol: what a proxy sends ahead of what its client
//! sends, so that we know where that client is.
//!
//! Versions 1 (a line of text) and 2 (binary), by haproxy's `doc/proxy-protocol.txt`. Whoever may
//! speak it can claim to be anywhere, so it is understood from the addresses of `--proxy-from`
//! alone, and from there nothing else is. The bytes are looked at where they are until the header is
//! whole, and then taken out; what stands behind it is the client's.

use super::net;
use crate::{origin::Origin, socketserver::Connection};
use ipnet::IpNet;
use proxy_header::{Error, ParseConfig, ProxyHeader};
use std::{
    io,
    net::{IpAddr, SocketAddr, TcpStream},
    str::FromStr,
    time::{Duration, Instant},
};

/// The longest header, in bytes: in version 2 the addresses have 36, and what proxies add (names,
/// certificates) some hundreds.
const HEADER_MAX: usize = 2048;
/// The longest of version 1, in bytes, by the protocol.
const LINE_MAX: usize = 107;
/// How long a proxy may take to send it: the protocol asks for three seconds at least, in which a
/// packet may be lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// A proxy that speaks for itself looks whether we are here, as a rule: it connects, and closes. It
/// is a client only if it stays for this time, or says something.
const LOOK: Duration = Duration::from_secs(1);
/// What version 2 begins with; and the place of the length of what follows.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const LENGTH_AT: usize = 14;

/// The network of a proxy: `192.0.2.7`, `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let network = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| IpNet::from(ip)));
        match network {
            Ok(network) if network.prefix_len() == 0 => Err(format!(
                "{text} would let everybody say where they are. Give a smaller network"
            )),
            Ok(network) => Ok(Network(network.trunc())),
            Err(_) => Err(format!(
                "\"{text}\" is no address of a proxy, like 192.0.2.7 or 10.0.0.0/8 or 2001:db8::/32"
            )),
        }
    }
}

/// Whose word is taken for where others are.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<Network>);

/// Whose a connection is.
pub enum Whose {
    /// Its own; or that of the client whom the proxy has named. It comes from there.
    Known(Connection),
    /// The proxy has not said it yet.
    NotYet(Unnamed),
    /// The proxy has closed it. It looks like that whether we are here.
    Gone,
    /// It is not what was to come. The sentence is for whoever set the proxy up.
    Refused(Connection, String),
}

/// A connection from a proxy, which has not said yet whose it is.
pub struct Unnamed {
    connection: Connection,
    since: Instant,
}

/// What was found in front of a connection's bytes.
#[derive(Debug, PartialEq)]
enum Found {
    /// A header of this length, with the address of the client. `None`: the proxy speaks for itself,
    /// or does not know.
    Header(usize, Option<SocketAddr>),
    Part,
    Other(&'static str),
}

impl Proxies {
    /// Those of `--proxy-from`.
    pub(crate) fn new(networks: &[Network]) -> Proxies {
        Proxies(networks.to_vec())
    }

    /// Whether a proxy of ours has this address.
    pub(crate) fn has(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|network| network.0.contains(&ip))
    }

    /// Finds out whose a connection is that was just accepted. Does not wait.
    pub fn ask(&self, connection: Connection) -> Whose {
        match connection.peer {
            Origin::Address(address) if self.has(address.ip()) => {
                net::prepare(&connection.stream);
                let now = Instant::now();
                Unnamed { connection, since: now }.look(now)
            }
            _ => Whose::Known(connection),
        }
    }
}

impl Unnamed {
    /// Looks again. Does not wait.
    pub(crate) fn look(mut self, now: Instant) -> Whose {
        let (mut space, age) = ([0; HEADER_MAX], now - self.since);
        let socket = &self.connection.stream;
        let sentence = match net::peek_now(socket, &mut space) {
            Ok(0) => return Whose::Gone,
            Ok(count) => match find(&space[..count]) {
                Found::Header(length, None) if length == count && age < LOOK => {
                    match net::has_peer_ended(socket) {
                        true => return Whose::Gone,
                        false => return Whose::NotYet(self),
                    }
                }
                Found::Header(length, client) => match take(socket, &mut space[..length]) {
                    Ok(()) => {
                        self.connection.peer = client.map_or(self.connection.peer, Origin::from);
                        return Whose::Known(self.connection);
                    }
                    Err(_) => return Whose::Gone,
                },
                Found::Part if age < PATIENCE => return Whose::NotYet(self),
                Found::Part => sentence("it did not come whole within 5 s"),
                Found::Other(what) => sentence(what),
            },
            Err(error) if net::is_nothing(&error) && age < PATIENCE => {
                return Whose::NotYet(self);
            }
            Err(error) if net::is_nothing(&error) => sentence("nothing came within 5 s"),
            Err(_) => return Whose::Gone,
        };
        Whose::Refused(self.connection, sentence)
    }
}

fn sentence(what: &str) -> String {
    format!(
        "From this address, --proxy-from demands a PROXY header, version 1 or 2, and {what}. (haproxy: send-proxy.)"
    )
}

/// Takes the header out of the socket, where it is whole.
fn take(socket: &TcpStream, header: &mut [u8]) -> io::Result<()> {
    match net::read_now(socket, header)? {
        count if count == header.len() => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// What these bytes begin with, of which more may come.
fn find(bytes: &[u8]) -> Found {
    if let Some(&[high, low]) = bytes.get(LENGTH_AT..LENGTH_AT + 2)
        && bytes.starts_with(SIGNATURE)
        && SIGNATURE.len() + 4 + usize::from(u16::from_be_bytes([high, low])) > HEADER_MAX
    {
        return Found::Other("it is longer than 2 KiB");
    }
    let may_become = |whole: &[u8]| whole.iter().zip(bytes).all(|(a, b)| a == b);
    if !may_become(b"PROXY ") && !may_become(SIGNATURE) {
        return Found::Other("something else came");
    }
    match ProxyHeader::parse(bytes, ParseConfig::default()) {
        Ok((_, length)) if bytes[0] == b'P' && length > LINE_MAX => {
            Found::Other("its line is longer than 107 bytes")
        }
        Ok((header, length)) => {
            Found::Header(length, header.proxied_address().map(|address| address.source))
        }
        Err(Error::BufferTooShort) => Found::Part,
        Err(_) => Found::Other("what came is not one"),
    }
}

#[cfg(test)]
mod tests;
