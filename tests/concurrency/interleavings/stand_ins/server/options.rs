//! How the server is started.

use super::proxies::Proxies;
use crate::core::session::flood::FloodOption;

pub struct Options {
    pub(crate) threads_max: usize,
    pub(crate) flood: FloodOption,
    pub(crate) source_limits: OnOff,
    pub(crate) view: ViewFor,
    pub(crate) anonymous: bool,
}

pub(crate) struct OnOff;

impl OnOff {
    pub(crate) fn is_on(&self) -> bool {
        false
    }
}

pub(crate) struct ViewFor;

impl ViewFor {
    pub(crate) fn is_open(&self) -> bool {
        true
    }
}

impl Options {
    pub(crate) fn new(threads_max: usize) -> Options {
        let flood = FloodOption(None);
        Options { threads_max, flood, source_limits: OnOff, view: ViewFor, anonymous: false }
    }

    pub(crate) fn per_source(&self) -> usize {
        self.threads_max
    }

    pub(crate) fn proxies(&self) -> Proxies {
        Proxies
    }

    pub(crate) fn for_the_view(&self) -> Vec<String> {
        Vec::new()
    }
}

pub(crate) fn address_for_others() -> Option<std::net::IpAddr> {
    None
}
