//! What a server opens at its start: listeners, and the files of its certificate. Runs on thread
//! `main`.

use super::{
    lent::LentListeners,
    listen_on::{listen, listen_encrypted},
    options::Options,
    tls::{
        ENCRYPTED,
        certificates::{Certificate, Certificates, TlsFiles},
    },
    web::listener::{self, WebListeners},
};
use crate::socketserver::Listener;
use anyhow::ensure;
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
    let first = first_certificate(options)?;
    ensure!(
        (lent.tls.is_empty() && lent.web_tls.is_empty()) || first.is_some(),
        "systemd lends a listener for TLS, which needs --tls-cert and --tls-key."
    );
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

fn first_certificate(options: &Options) -> anyhow::Result<Option<Certificate>> {
    let Some(files) = options.tls_files() else { return Ok(None) };
    let first = read_certificate(&files)?;
    log::info!(event = "certificate"; "the certificate is {}", first.fingerprint);
    Ok(Some(first))
}

/// Reads it, and logs what the operator has to know of it.
pub(super) fn read_certificate(files: &TlsFiles) -> anyhow::Result<Certificate> {
    let certificate = files.read()?;
    certificate.warnings.iter().for_each(|warning| log::warn!(event = "certificate"; "{warning}"));
    Ok(certificate)
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
