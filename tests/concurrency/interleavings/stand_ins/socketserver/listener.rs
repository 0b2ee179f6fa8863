//! A listener to which a scenario connects.

pub use crate::model::net::{Listener, READ_TIMEOUT};
