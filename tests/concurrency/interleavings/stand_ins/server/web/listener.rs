//! Where thread `web` listens: where a scenario connects.

use crate::server::{net::TcpListener, page_at::PageAt, status::Status};
use std::sync::Arc;

pub(crate) struct WebListeners {
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) encrypted: Vec<TcpListener>,
    pub(crate) metrics: Vec<TcpListener>,
    pub(crate) names: Vec<String>,
    pub(crate) status: Arc<Status>,
}

impl WebListeners {
    pub(crate) fn pages(&self) -> Vec<PageAt> {
        Vec::new()
    }
}
