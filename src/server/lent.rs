//! What a server need not open itself. The manager of services may lend it listeners: systemd's socket
//! activation. It keeps them while the server is started anew, and whoever connects meanwhile waits,
//! and is not refused. And another server may have handed over all that it had. Runs on thread `main`.

#[cfg(target_os = "linux")]
use super::handover::Handed;
use super::{
    client::handler::ChatHandler, net, options::Options, registry::Client, sources::SourceTable,
};
use crate::{
    core::{Chat, record::Snapshot},
    socketserver::{Listener, Threading},
};
use socket2::Socket;
use std::{mem::take, net::TcpListener, sync::Arc, time::Duration};

/// What is lent, or handed over.
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
    /// From another server.
    #[cfg(target_os = "linux")]
    handed: Option<Handed>,
}

impl LentListeners {
    /// Takes them, by the variables `LISTEN_FDS` and `LISTEN_FDNAMES`; and what another server hands
    /// over. To be called once, before there are other threads: the variables are removed.
    #[cfg(unix)]
    pub fn take(options: &Options) -> anyhow::Result<LentListeners> {
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
        #[cfg(target_os = "linux")]
        {
            lent.handed = Handed::take(options)?;
        }
        let _ = options;
        Ok(lent)
    }

    /// There are none.
    #[cfg(not(unix))]
    pub fn take(_: &Options) -> anyhow::Result<LentListeners> {
        Ok(LentListeners::default())
    }

    /// From whom there is a listener that needs a certificate.
    pub(super) fn encrypted_from(&self) -> Option<&'static str> {
        #[cfg(target_os = "linux")]
        if let Some(handed) = &self.handed {
            return handed.encrypted_from();
        }
        let is_any = !self.tls.is_empty() || !self.web_tls.is_empty();
        is_any.then_some("systemd")
    }

    /// Those for the chat, to accept from; `None`: there are none.
    pub(super) fn take_chat(&mut self, ghost_after: Duration) -> Option<anyhow::Result<Listeners>> {
        #[cfg(target_os = "linux")]
        if let Some(handed) = &mut self.handed {
            return Some(handed.take_chat());
        }
        to_accept_from(take(&mut self.chat), ghost_after)
    }

    /// Those for TLS.
    pub(super) fn take_tls(&mut self, ghost_after: Duration) -> Option<anyhow::Result<Listeners>> {
        #[cfg(target_os = "linux")]
        if let Some(handed) = &mut self.handed {
            return Some(handed.take_tls());
        }
        to_accept_from(take(&mut self.tls), ghost_after)
    }

    /// Those for browsers, those for browsers that speak https, and those for metrics.
    pub(super) fn take_web(&mut self) -> [Vec<TcpListener>; 3] {
        #[cfg(target_os = "linux")]
        if let Some(handed) = &mut self.handed {
            return handed.take_web();
        }
        [take(&mut self.web), take(&mut self.web_tls), Vec::new()]
    }

    /// What each source has used up: nothing, unless another server knew of it.
    pub(super) fn sources(&self, options: &Options) -> anyhow::Result<SourceTable> {
        #[cfg(target_os = "linux")]
        if let Some(handed) = &self.handed {
            return handed.sources(options);
        }
        Ok(SourceTable::new(options))
    }

    /// The chat that another server has left, with a thread for each of its clients; `None`: there is
    /// none.
    pub(super) fn take_up(
        self,
        options: &Options,
        snapshot: &Snapshot,
        handler: &Arc<ChatHandler>,
        threads: &Threading,
    ) -> anyhow::Result<Option<Chat<Client>>> {
        #[cfg(target_os = "linux")]
        if let Some(handed) = self.handed {
            return handed.begin_chat(options, snapshot.clone(), handler, threads).map(Some);
        }
        let _ = (options, snapshot, handler, threads);
        Ok(None)
    }
}

type Listeners = Vec<Listener>;

#[cfg(unix)]
fn to_accept_from(
    listeners: Vec<TcpListener>,
    ghost_after: Duration,
) -> Option<anyhow::Result<Listeners>> {
    let prepared = |listener| Ok(Listener::lent(prepare(listener, ghost_after)?)?);
    (!listeners.is_empty()).then(|| listeners.into_iter().map(prepared).collect())
}

#[cfg(not(unix))]
fn to_accept_from(listeners: Vec<TcpListener>, _: Duration) -> Option<anyhow::Result<Listeners>> {
    debug_assert!(listeners.is_empty(), "nobody but systemd lends any");
    None
}

/// As if we had opened it.
pub(super) fn prepare(listener: TcpListener, ghost_after: Duration) -> anyhow::Result<TcpListener> {
    let socket = Socket::from(listener);
    net::set_options(&socket, ghost_after)?;
    Ok(socket.into())
}
