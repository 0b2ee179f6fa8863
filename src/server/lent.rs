//! Listeners that the manager of services has opened and lends: systemd's socket activation. It keeps
//! them while the server is started anew, and whoever connects meanwhile waits, and is not refused.
//! Runs on thread `main`.

use super::net;
use crate::socketserver::Listener;
use socket2::Socket;
use std::{net::TcpListener, time::Duration};

/// What is lent.
#[derive(Default)]
pub struct LentListeners {
    /// For the chat: they take the place of `--listen`.
    pub(super) chat: Vec<TcpListener>,
    /// For clients that speak TLS: those that are called `tls` (`FileDescriptorName=tls`).
    pub(super) tls: Vec<TcpListener>,
    /// For browsers: those that are called `web`.
    pub(super) web: Vec<TcpListener>,
    /// For browsers that speak https: those that are called `web-tls`.
    pub(super) web_tls: Vec<TcpListener>,
}

impl LentListeners {
    /// Takes them, by the variables `LISTEN_FDS` and `LISTEN_FDNAMES`. To be called once, before there
    /// are other threads: the variables are removed.
    #[cfg(unix)]
    pub fn take() -> anyhow::Result<LentListeners> {
        use anyhow::Context as _;
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let (mut all, mut lent) = (listenfd::ListenFd::from_env(), LentListeners::default());
        for at in 0..all.len() {
            let kind = match names.next() {
                Some("web") => &mut lent.web,
                Some("tls") => &mut lent.tls,
                Some("web-tls") => &mut lent.web_tls,
                _ => &mut lent.chat,
            };
            let taken =
                all.take_tcp_listener(at).context("systemd has lent what is no TCP listener")?;
            kind.extend(taken);
        }
        Ok(lent)
    }

    /// There are none.
    #[cfg(not(unix))]
    pub fn take() -> anyhow::Result<LentListeners> {
        Ok(LentListeners::default())
    }
}

/// Those for the chat, or for TLS, to accept from; `None`: none are lent.
#[cfg(unix)]
pub(super) fn to_accept_from(
    listeners: Vec<TcpListener>,
    ghost_after: Duration,
) -> Option<anyhow::Result<Vec<Listener>>> {
    let prepared = |listener| Ok(Listener::lent(prepare(listener, ghost_after)?)?);
    (!listeners.is_empty()).then(|| listeners.into_iter().map(prepared).collect())
}

#[cfg(not(unix))]
pub(super) fn to_accept_from(
    listeners: Vec<TcpListener>,
    _: Duration,
) -> Option<anyhow::Result<Vec<Listener>>> {
    debug_assert!(listeners.is_empty(), "nobody but systemd lends any");
    None
}

/// As if we had opened it.
pub(super) fn prepare(listener: TcpListener, ghost_after: Duration) -> anyhow::Result<TcpListener> {
    let socket = Socket::from(listener);
    net::set_options(&socket, ghost_after)?;
    Ok(socket.into())
}
