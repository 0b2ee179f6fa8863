//! No metrics. As in the source, thread `web` keeps the handler for them.

use crate::server::{client::handler::ChatHandler, watch::Watch};
use std::sync::Arc;

pub(crate) struct Metrics {
    _chat: Arc<ChatHandler>,
}

impl Metrics {
    pub(super) fn new(chat: Arc<ChatHandler>, _: Watch) -> Metrics {
        Metrics { _chat: chat }
    }

    pub(super) fn health(&self) -> Result<(), String> {
        Ok(())
    }

    pub(super) fn text(&self) -> String {
        String::new()
    }
}
