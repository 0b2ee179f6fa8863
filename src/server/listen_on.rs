//! Where to listen: the addresses on the command line, and their listeners. Runs on thread `main`.

use super::{
    net,
    unix_listener::{self, UnixOn},
};
use crate::socketserver::Listener;
use std::{
    io::ErrorKind,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    str::FromStr,
    time::Duration,
};

/// The web port, if none is given.
pub(super) const PORT: u16 = 5080;
/// A port for TLS that anybody may take, for advice.
const TLS_PORT: u16 = 5001;

/// Addresses that belong together: one port on every interface, say.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenOn(pub Vec<SocketAddr>);

impl ListenOn {
    /// A port on all interfaces, IPv4 and IPv6.
    pub(crate) fn everywhere(port: u16) -> Self {
        ListenOn(vec![(Ipv4Addr::UNSPECIFIED, port).into(), (Ipv6Addr::UNSPECIFIED, port).into()])
    }
}

impl FromStr for ListenOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(ListenOn(vec![address]));
        }
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        match (host, port.parse()) {
            ("" | "*", Ok(port)) => Ok(ListenOn::everywhere(port)),
            ("localhost", Ok(port)) => Ok(ListenOn(vec![
                (Ipv4Addr::LOCALHOST, port).into(),
                (Ipv6Addr::LOCALHOST, port).into(),
            ])),
            _ => Err(format!(
                "\"{text}\" is not ADDR:PORT, like 127.0.0.1:5000 or [::1]:5000, and not a PORT, like 5000"
            )),
        }
    }
}

/// Ports that browsers refuse to open, because another protocol lives there (Fetch, "bad port").
const REFUSED: [u16; 82] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102,
    103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465,
    512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
    995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668,
    6669, 6679, 6697, 10080,
];

/// What `--web` says.
#[derive(Clone, Debug, PartialEq)]
pub enum WebOn {
    /// The usual port, on the addresses of `--listen`.
    Usual,
    /// These addresses.
    At(ListenOn),
    /// `none`: browsers are not served.
    Nowhere,
}

impl FromStr for WebOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(WebOn::Nowhere);
        }
        let on: ListenOn = text.parse().map_err(|sentence| format!("{sentence}, and not none"))?;
        match on.0.iter().map(SocketAddr::port).find(|port| REFUSED.contains(port)) {
            Some(port) => Err(format!(
                "browsers refuse to open port {port}, which is another protocol's. Give another one, like {PORT}"
            )),
            None => Ok(WebOn::At(on)),
        }
    }
}

/// What `--metrics` says: an address, or a port of this machine alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricsOn(pub(super) SocketAddr);

impl FromStr for MetricsOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = text.parse().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port)));
        port.or_else(|_| text.parse()).map(MetricsOn).map_err(|_| {
            format!("{text} is not ADDR:PORT, like 127.0.0.1:9100, or a port of this machine")
        })
    }
}

/// What `--listen` says.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatOn {
    /// These addresses.
    Port(ListenOn),
    /// `unix:PATH`: a file of this machine.
    File(UnixOn),
}

impl FromStr for ChatOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some(path) => path.parse().map(ChatOn::File),
            None => text
                .parse()
                .map(ChatOn::Port)
                .map_err(|sentence| format!("{sentence}, and not unix:PATH")),
        }
    }
}

/// Opens the listeners of the chat.
///
/// # Errors
/// A sentence that says what to do.
pub fn listen(on: &[ChatOn], ghost_after: Duration) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for on in on {
        match on {
            ChatOn::File(file) => listeners.push(unix_listener::open(file)?),
            ChatOn::Port(group) => {
                let opened = open(std::slice::from_ref(group), ghost_after)
                    .map_err(|failed| failed.explain("--listen", 5000))?;
                listeners.extend(opened.into_iter().map(Listener::from));
            }
        }
    }
    Ok(listeners)
}

/// Opens the listeners for clients that speak TLS.
///
/// # Errors
/// As [`listen`].
pub(super) fn listen_encrypted(
    on: &[ListenOn],
    ghost_after: Duration,
) -> anyhow::Result<Vec<Listener>> {
    let opened = open(on, ghost_after).map_err(|failed| failed.explain("--tls", TLS_PORT))?;
    Ok(opened.into_iter().map(Listener::from).collect())
}

/// An address on which nobody can listen.
#[derive(Debug)]
pub(super) struct Failed {
    address: SocketAddr,
    error: anyhow::Error,
}

/// Opens the listeners of every group. The first address of a group must open. Another one may be
/// missing on this machine, but not taken.
pub(super) fn open(groups: &[ListenOn], ghost_after: Duration) -> Result<Vec<TcpListener>, Failed> {
    let mut listeners = Vec::new();
    for ListenOn(addresses) in groups {
        let mut port = addresses.first().map_or(0, SocketAddr::port);
        let mut opened = 0;
        for &address in addresses {
            match net::listen(SocketAddr::new(address.ip(), port), ghost_after) {
                Ok(listener) => {
                    // Port 0 takes a free port: the first address's port serves the whole group.
                    port = listener.local_addr().map_or(port, |address| address.port());
                    opened += 1;
                    listeners.push(listener);
                }
                Err(e) if opened > 0 && !is_taken(&e) => {
                    log::debug!("not listening on {address}: {e:#}");
                }
                Err(error) => return Err(Failed { address, error }),
            }
        }
    }
    Ok(listeners)
}

fn kind_of(error: &anyhow::Error) -> Option<ErrorKind> {
    error.chain().find_map(|e| e.downcast_ref::<std::io::Error>()).map(std::io::Error::kind)
}

fn is_taken(error: &anyhow::Error) -> bool {
    kind_of(error) == Some(ErrorKind::AddrInUse)
}

impl Failed {
    /// Whether another program has the port.
    pub(super) fn is_taken(&self) -> bool {
        is_taken(&self.error)
    }

    /// The sentence. `option` is the one to change, and `usual` a port that anybody may take.
    pub(super) fn explain(self, option: &str, usual: u16) -> anyhow::Error {
        let Failed { address, error } = self;
        let next = address.port().checked_add(1).unwrap_or(usual);
        let advice = match kind_of(&error) {
            Some(ErrorKind::AddrInUse) => {
                format!(
                    "The port is taken, perhaps by another chatd. Stop that one, or choose another port: {option} {next}"
                )
            }
            Some(ErrorKind::AddrNotAvailable) => {
                format!(
                    "This machine has no such address. For all its addresses: {option} {}",
                    address.port()
                )
            }
            Some(ErrorKind::PermissionDenied) if cfg!(unix) => {
                format!("Ports below 1024 are for root. Choose another: {option} {usual}")
            }
            _ => return error.context(format!("cannot listen on {address}")),
        };
        anyhow::anyhow!("cannot listen on {address}. {advice}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_every_spelling() {
        let v4: SocketAddr = "127.0.0.1:5000".parse().unwrap();
        assert_eq!("127.0.0.1:5000".parse(), Ok(ListenOn(vec![v4])));
        assert_eq!("[::1]:0".parse::<ListenOn>().unwrap().0.len(), 1);
        for all in ["5000", ":5000", "*:5000"] {
            assert_eq!(all.parse(), Ok(ListenOn::everywhere(5000)), "{all:?}");
        }
        for wrong in ["", "host", "host:5000", "127.0.0.1", "127.0.0.1:99999", "-1"] {
            assert!(wrong.parse::<ListenOn>().is_err(), "{wrong:?}");
        }
    }

    /// 192.0.2.1 is nobody's: it stands in books.
    #[test]
    fn of_a_group_the_first_must_open_and_none_may_be_taken() {
        let taken = TcpListener::bind("127.0.0.2:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let group = |hosts: [&str; 2], port| {
            let address = |host: &str| SocketAddr::new(host.parse().unwrap(), port);
            open(&[ListenOn(hosts.map(address).to_vec())], Duration::from_mins(1))
        };
        assert_eq!(group(["127.0.0.1", "192.0.2.1"], 0).unwrap().len(), 1);
        assert!(!group(["192.0.2.1", "127.0.0.1"], 0).unwrap_err().is_taken());
        assert!(group(["127.0.0.1", "127.0.0.2"], port).unwrap_err().is_taken());
    }

    #[test]
    fn a_web_port_that_browsers_refuse_is_refused_in_a_sentence() {
        for port in ["6667", "127.0.0.1:5060", "[::1]:6000", "*:10080", "22"] {
            let sentence = port.parse::<WebOn>().unwrap_err();
            assert!(sentence.starts_with("browsers refuse to open port"), "{port}: {sentence}");
        }
        for port in ["0", "80", "443", "5080", "8080", "127.0.0.1:8000"] {
            assert!(matches!(port.parse(), Ok(WebOn::At(_))), "{port}");
        }
        assert_eq!("none".parse(), Ok(WebOn::Nowhere));
        assert!("somewhere".parse::<WebOn>().unwrap_err().contains("like 5000, and not none"));
    }
}
