//! Where the web port is, and by what names. Runs on thread `main`, once, at the start.

use crate::server::{
    lent,
    listen_on::{self, ChatOn, ListenOn, PORT, WebOn},
    options::Options,
    own_names::own_names,
    page_at::PageAt,
    status::Status,
};
use anyhow::bail;
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

/// The usual port of what is asked for metrics.
const METRICS_PORT: u16 = 9100;
/// A port for https that anybody may take, for advice.
const TLS_PORT: u16 = 5443;

/// The addresses on which browsers are served. `--web PORT` means all interfaces, as for `--listen`.
fn addresses(options: &Options) -> Vec<ListenOn> {
    let at_port = |on: ChatOn| match on {
        ChatOn::Port(ListenOn(all)) => {
            Some(ListenOn(all.iter().map(|address| SocketAddr::new(address.ip(), PORT)).collect()))
        }
        ChatOn::File(_) => None, // no browser opens one
    };
    match &options.web {
        WebOn::Nowhere => Vec::new(),
        WebOn::At(on) => vec![on.clone()],
        WebOn::Usual => {
            let mut groups: Vec<ListenOn> =
                options.listen_on().into_iter().filter_map(at_port).collect();
            groups.dedup();
            groups
        }
    }
}

/// Opens the listeners for https, unless they are lent.
fn open_encrypted(
    options: &Options,
    lent: Vec<TcpListener>,
    ghost_after: Duration,
) -> anyhow::Result<Vec<TcpListener>> {
    if !lent.is_empty() {
        return lent.into_iter().map(|one| lent::prepare(one, ghost_after)).collect();
    }
    let WebOn::At(on) = &options.web_tls else { return Ok(Vec::new()) };
    let opened = listen_on::open(std::slice::from_ref(on), ghost_after);
    opened.map_err(|failed| failed.explain("--web-tls", TLS_PORT))
}

/// The chat's addresses, and those for browsers, as the options have them.
pub fn by_options(options: &Options) -> [Vec<SocketAddr>; 2] {
    let on_ports = options.listen_on().into_iter().filter_map(|on| match on {
        ChatOn::Port(group) => Some(group),
        ChatOn::File(_) => None,
    });
    let flat = |groups: Vec<ListenOn>| groups.into_iter().flat_map(|group| group.0).collect();
    [flat(on_ports.collect()), flat(addresses(options))]
}

/// Where the thread listens, and what it does.
pub(crate) struct WebListeners {
    /// For the page.
    pub(crate) listeners: Vec<TcpListener>,
    /// For the page over https.
    pub(crate) encrypted: Vec<TcpListener>,
    /// For metrics alone.
    pub(crate) metrics: Vec<TcpListener>,
    /// The names by which browsers may call the server.
    pub(crate) names: Vec<String>,
    pub(crate) status: Arc<Status>,
}

impl WebListeners {
    /// The listeners once more: those for the page, those for https, and those for metrics.
    #[cfg(target_os = "linux")] // nothing is handed over elsewhere
    pub(crate) fn again(&self) -> std::io::Result<[Vec<TcpListener>; 3]> {
        let again = |all: &[TcpListener]| -> std::io::Result<Vec<TcpListener>> {
            all.iter().map(TcpListener::try_clone).collect()
        };
        Ok([again(&self.listeners)?, again(&self.encrypted)?, again(&self.metrics)?])
    }

    /// Where browsers find it: the first port of each kind.
    pub(crate) fn pages(&self) -> Vec<PageAt> {
        let first = |listeners: &[TcpListener], is_encrypted| {
            let address = listeners.first()?.local_addr().ok()?;
            Some(PageAt { address, is_encrypted })
        };
        let pages = [first(&self.listeners, false), first(&self.encrypted, true)];
        pages.into_iter().flatten().collect()
    }
}

/// Opens the listeners, if there are to be any and they are not lent or handed over. If their port is taken, the chat goes on without.
pub(crate) fn open(
    options: &Options,
    [lent, lent_encrypted, handed]: [Vec<TcpListener>; 3],
) -> anyhow::Result<Option<WebListeners>> {
    let names = names(options)?;
    let ghost_after = Duration::from_secs(options.ghost_after);
    let on: Vec<ListenOn> = options.metrics.iter().map(|on| ListenOn(vec![on.0])).collect();
    let metrics = match handed.is_empty() {
        true => listen_on::open(&on, ghost_after)
            .map_err(|failed| failed.explain("--metrics", METRICS_PORT))?,
        false => handed,
    };
    let own = if lent.is_empty() { addresses(options) } else { Vec::new() };
    let mut listeners = match listen_on::open(&own, ghost_after) {
        Err(failed) if failed.is_taken() => {
            log::warn!("nobody can join with a browser: {}", failed.explain("--web", PORT));
            Vec::new()
        }
        Err(failed) => return Err(failed.explain("--web", PORT)),
        Ok(listeners) => listeners,
    };
    for listener in lent {
        listeners.push(lent::prepare(listener, ghost_after)?);
    }
    let encrypted = open_encrypted(options, lent_encrypted, ghost_after)?;
    let status = Status::new("web");
    let is_any = !listeners.is_empty() || !encrypted.is_empty() || !metrics.is_empty();
    Ok(is_any.then_some(WebListeners { listeners, encrypted, metrics, names, status }))
}

/// The names by which a browser may call this server: those of `--web-name`, and this machine's own,
/// also as the local network knows it.
fn names(options: &Options) -> anyhow::Result<Vec<String>> {
    let mut names = options.web_name.clone();
    for name in &names {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_';
        if name.is_empty() || !name.chars().all(is_letter) {
            bail!(
                "--web-name {name}: give a name as it stands in a URL, like chat.example.org, without http:// and without a port."
            );
        }
    }
    names.extend(own_names());
    Ok(names)
}
