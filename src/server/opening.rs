//! What a server opens at its start: listeners, and its certificate. Runs on thread `main`.

use super::{
    certificate,
    lent::LentListeners,
    listen_on::{listen, listen_encrypted},
    options::Options,
    tls::{ENCRYPTED, certificates::Certificates},
    web::listener::{self, WebListeners},
};
use crate::socketserver::Listener;
use std::{net::SocketAddr, sync::Arc, time::Duration};

/// The listeners of the chat.
pub(super) struct ChatListeners {
    plain: Vec<Listener>,
    /// For clients that speak TLS.
    encrypted: Vec<Listener>,
}

/// All that is open.
pub(super) struct Opened {
    pub(super) listeners: ChatListeners,
    /// Where the network finds the chat without encryption, if it does.
    pub(super) on: Option<SocketAddr>,
    pub(super) web: Option<WebListeners>,
    pub(super) certificates: Option<Arc<Certificates>>,
}

/// Opens the listeners, unless they are lent: those of the chat, and those of the page. Reads the
/// certificate first, if there is to be encryption.
pub(super) fn open(options: &Options, lent: &mut LentListeners) -> anyhow::Result<Opened> {
    let first = certificate::by_options(options, lent.encrypted_from())?;
    if let Some(first) = &first {
        log::info!(event = "certificate"; "the certificate is {}", first.fingerprint);
    }
    let ghost_after = Duration::from_secs(options.ghost_after);
    let own = || listen(&options.listen_on(), ghost_after);
    let plain = lent.take_chat(ghost_after).unwrap_or_else(own)?;
    let own = || listen_encrypted(&options.tls, ghost_after);
    let encrypted = lent.take_tls(ghost_after).unwrap_or_else(own)?;
    let web = listener::open(options, lent.take_web())?;
    let on = plain.iter().find_map(Listener::address);
    let port = on.map(|on| on.port());
    let certificates = first.map(|first| Arc::new(Certificates::new(first, port)));
    Ok(Opened { listeners: ChatListeners { plain, encrypted }, on, web, certificates })
}

impl ChatListeners {
    pub(super) fn count(&self) -> usize {
        self.plain.len() + self.encrypted.len()
    }

    /// Each with the kind of its server.
    pub(super) fn with_kinds(self) -> impl Iterator<Item = (Listener, u8)> {
        let plain = self.plain.into_iter().map(|listener| (listener, 0));
        plain.chain(self.encrypted.into_iter().map(|listener| (listener, ENCRYPTED)))
    }
}
