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
    /// For browsers: those that are called `web` (`FileDescriptorName=web`).
    pub(super) web: Vec<TcpListener>,
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
            let is_web = names.next() == Some("web");
            let taken =
                all.take_tcp_listener(at).context("systemd has lent what is no TCP listener")?;
            let kind = if is_web { &mut lent.web } else { &mut lent.chat };
            kind.extend(taken);
        }
        Ok(lent)
    }

    /// There are none.
    #[cfg(not(unix))]
    pub fn take() -> anyhow::Result<LentListeners> {
        Ok(LentListeners::default())
    }

    /// Those for the chat; `None`: none are lent.
    #[cfg(unix)]
    pub(super) fn take_chat(
        &mut self,
        ghost_after: Duration,
    ) -> Option<anyhow::Result<Vec<Listener>>> {
        let listeners = std::mem::take(&mut self.chat);
        let prepared = |listener| Ok(Listener::lent(prepare(listener, ghost_after)?)?);
        (!listeners.is_empty()).then(|| listeners.into_iter().map(prepared).collect())
    }

    #[cfg(not(unix))]
    pub(super) fn take_chat(&mut self, _: Duration) -> Option<anyhow::Result<Vec<Listener>>> {
        debug_assert!(self.chat.is_empty(), "nobody but systemd lends any");
        None
    }
}

/// As if we had opened it.
pub(super) fn prepare(listener: TcpListener, ghost_after: Duration) -> anyhow::Result<TcpListener> {
    let socket = Socket::from(listener);
    net::set_options(&socket, ghost_after)?;
    Ok(socket.into())
}
