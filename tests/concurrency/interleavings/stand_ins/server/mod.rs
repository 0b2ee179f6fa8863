//! Of the server, what hands things from thread to thread.

pub(crate) mod board;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod cues;
pub(crate) mod fanout;
pub(crate) mod history;
pub(crate) mod logger;
pub(crate) mod parking;
pub(crate) mod registry;
pub(crate) mod status;
pub(crate) mod tls;
pub(crate) mod trace;
pub(crate) mod turned_away;

pub(crate) use crate::model::net;
