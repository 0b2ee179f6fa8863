//! Of the server, what hands things from thread to thread, and how it stops.

pub(crate) mod auth;
pub(crate) mod board;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod cues;
pub(crate) mod fanout;
pub(crate) mod hazards;
pub(crate) mod history;
pub(crate) mod logger;
pub(crate) mod options;
pub(crate) mod page_at;
pub(crate) mod parking;
pub(crate) mod proxies;
pub(crate) mod random;
pub(crate) mod registry;
mod shutdown;
pub(crate) mod sources;
pub(crate) mod status;
pub(crate) mod threads;
pub(crate) mod tls;
pub(crate) mod trace;
pub(crate) mod turned_away;
pub(crate) mod view;
pub(crate) mod watch;
pub(crate) mod web;
mod wiped_json;

pub(crate) use crate::model::net;

use crate::{
    model::std::thread::{Builder, JoinHandle},
    socketserver::{Server, Threading},
};
use client::handler::ChatHandler;
use fanout::Shutdown;
use std::sync::Arc;
use view::View;
use watch::Watch;
use web::WebStop;

/// As in the source.
pub(crate) struct Chatd {
    pub(crate) servers: Vec<Arc<Server<ChatHandler, Threading>>>,
    pub(crate) accepting: Vec<JoinHandle<()>>,
    pub(crate) handler: Arc<ChatHandler>,
    pub(crate) threads: Arc<Threading>,
    pub(crate) shutdown: crate::model::channel::Sender<Shutdown>,
    pub(crate) watch: Watch,
    pub(crate) workers: [JoinHandle<()>; 3],
    pub(crate) flusher: JoinHandle<()>,
    pub(crate) web: Option<WebThread>,
}

impl Chatd {
    fn watch(&self) -> Watch {
        self.watch.clone()
    }
}

/// The thread that hands browsers in.
pub(crate) struct WebThread {
    pub(crate) stop: WebStop,
    pub(crate) thread: JoinHandle<()>,
    pub(crate) view: Arc<View>,
}

pub(crate) fn start_thread(
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> anyhow::Result<JoinHandle<()>> {
    Ok(Builder::new().name(name.to_owned()).spawn(run)?)
}
