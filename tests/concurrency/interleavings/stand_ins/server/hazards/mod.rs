//! Nothing is demonstrated.

use crate::{
    core::{hazard::DemoRequest, session::SessionConfig},
    origin::Origin,
};
use std::sync::Arc;

pub(crate) enum Hazards {}

impl Hazards {
    pub(crate) fn is_puppet(&self, _peer: Origin) -> bool {
        match *self {}
    }

    pub(crate) fn session(&self, _peer: Origin) -> Option<Arc<SessionConfig>> {
        match *self {}
    }

    pub(crate) fn obey(self: &Arc<Self>, _: DemoRequest, _by: &str) -> Result<String, String> {
        match **self {}
    }

    pub(crate) fn close(&self) {
        match *self {}
    }
}
