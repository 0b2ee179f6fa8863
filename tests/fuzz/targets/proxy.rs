//! What comes from the address of a proxy: a PROXY header of version 1 or 2, in two pieces, and behind
//! it what the client sends. The first byte says where it is cut.
//!
//! A reader that is written from haproxy's `proxy-protocol.txt` finds the same client, and what stands
//! behind the header is left in the socket to the byte.

#![no_main]

use argh::FromArgs as _;
use chatd::{
    origin::Origin,
    server::{
        options::Options,
        proxies::{Proxies, Whose},
    },
    socketserver::Connection,
};
use libfuzzer_sys::fuzz_target;
use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixStream},
    sync::LazyLock,
};

static PROXIES: LazyLock<Proxies> = LazyLock::new(|| {
    let options = Options::from_args(&["chatd"], &["--proxy-from", "192.0.2.0/24"]);
    options.expect("it is an option").proxies()
});
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fuzz_target!(|data: &[u8]| {
    let Some((&cut, bytes)) = data.split_first() else { return };
    if bytes.len() > 4000 {
        return;
    }
    let (near, mut far) = UnixStream::pair().expect("two sockets");
    let near = TcpStream::from(OwnedFd::from(near));
    let proxy: SocketAddr = (Ipv4Addr::new(192, 0, 2, 7), 1).into();
    let ask = || {
        let stream = near.try_clone().expect("a descriptor");
        PROXIES.ask(Connection { number: 1, stream, peer: Origin::from(proxy), others: 0, kind: 0 })
    };
    let (first, second) = bytes.split_at(usize::from(cut).min(bytes.len()));
    far.write_all(first).expect("it fits");
    let early = ask();
    let is_open = matches!(early, Whose::NotYet(_));
    far.write_all(second).expect("it fits");
    let found = if is_open { ask() } else { early };
    match (found, header(bytes)) {
        (_, Header::Unsure) => {}
        (Whose::Known(connection), Header::Sure(client, length)) => {
            assert_eq!(connection.peer, client.map_or(Origin::from(proxy), Origin::from));
            drop((far.shutdown(std::net::Shutdown::Write), connection));
            let mut left = Vec::new();
            (&near).read_to_end(&mut left).expect("it is there");
            assert_eq!(left, &bytes[length..], "the client's bytes are its own");
        }
        (Whose::Known(_), Header::None) => panic!("that is no header: {bytes:?}"),
        // It speaks for itself, and has said nothing yet.
        (Whose::NotYet(_), Header::Sure(None, length)) => assert_eq!(length, bytes.len()),
        (Whose::NotYet(_) | Whose::Refused(..), Header::Sure(client, _)) => {
            panic!("it is the header of {client:?}: {bytes:?}")
        }
        _ => {}
    }
});

/// What these bytes begin with.
enum Header {
    /// A header of this length, with the address of the client, if it has one.
    Sure(Option<SocketAddr>, usize),
    /// What not everybody takes for one.
    Unsure,
    None,
}

fn header(bytes: &[u8]) -> Header {
    if bytes.starts_with(SIGNATURE) {
        return version_2(bytes).unwrap_or(Header::None);
    }
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match version_1(bytes) {
        None if line.starts_with(b"PROXY UNKNOWN") => Header::Unsure,
        None => Header::None,
        Some((client, length)) => Header::Sure(client, length),
    }
}

fn version_1(bytes: &[u8]) -> Option<(Option<SocketAddr>, usize)> {
    let length = bytes.windows(2).position(|end| end == b"\r\n")? + 2;
    let line = bytes.get(..length - 2).filter(|_| length <= 107)?;
    if line.starts_with(b"PROXY UNKNOWN") && !line.contains(&b'\r') {
        return Some((None, length)); // whatever follows is to be ignored
    }
    let words: Vec<&str> = str::from_utf8(line).ok()?.split(' ').collect();
    let ["PROXY", family, from, to, from_port, to_port] = *words else { return None };
    let (from, to): (IpAddr, IpAddr) = (from.parse().ok()?, to.parse().ok()?);
    let (port, _) = (from_port.parse().ok()?, to_port.parse::<u16>().ok()?);
    let is_of = |ip: IpAddr| family == if ip.is_ipv4() { "TCP4" } else { "TCP6" };
    (is_of(from) && is_of(to)).then(|| (Some((from, port).into()), length))
}

fn version_2(bytes: &[u8]) -> Option<Header> {
    let (&[verb, family, high, low], rest) = bytes[SIGNATURE.len()..].split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let length = (length <= 2048 - 16).then_some(length)?;
    let part = rest.get(..length)?;
    let port = |at: usize| u16::from_be_bytes([part[at], part[at + 1]]);
    let client = match (verb, family) {
        (0x20, 0x00) => None,
        (0x21, 0x11) if length >= 12 => {
            let [a, b, c, d] = *part.first_chunk::<4>()?;
            Some((IpAddr::V4(Ipv4Addr::new(a, b, c, d)), port(8)).into())
        }
        (0x21, 0x21) if length >= 36 => {
            Some((IpAddr::V6(Ipv6Addr::from(*part.first_chunk::<16>()?)), port(32)).into())
        }
        _ => return Some(Header::Unsure),
    };
    Some(Header::Sure(client, 16 + length))
}
