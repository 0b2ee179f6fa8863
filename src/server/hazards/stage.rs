//! What a hazard works with, and how it is ended early.

use crate::origin::Origin;
use crate::server::{cues::Brake, fanout::ClientEvent, registry::Registry, threads::Threads};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU16},
    time::Duration,
};

/// What a puppet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It obeys `--flood`.
    Limited,
    /// It may say as much as it can.
    Unlimited,
    /// The same; and it will not read.
    Frozen,
    /// It may say as much as it can, and that is recorded.
    Recorded,
}

/// What the hazards work with.
pub(super) struct Stage {
    /// Where the puppets connect to.
    pub(super) listener: SocketAddr,
    pub(super) is_anonymous: bool,
    pub(super) has_file: bool,
    pub(super) threads_max: usize,
    pub(super) registry: Arc<Registry>,
    pub(super) threads: Arc<Threads>,
    /// Only to count what waits for the fan-out.
    pub(super) events: Receiver<ClientEvent>,
    /// Holds up the fan-out between its steps.
    pub(super) fanout: Arc<Brake>,
    /// Holds up the historian before each batch.
    pub(super) historian: Arc<Brake>,
    /// Where the puppets come from that are here.
    pub(super) puppets: Mutex<HashMap<Origin, Role>>,
    /// For the address of the next one.
    pub(super) next: AtomicU16,
}

/// Ends a hazard early: the sender is dropped.
pub(super) struct Stop(pub(super) Receiver<()>);

impl Stop {
    /// Waits this time. Returns whether the hazard has to end.
    pub(super) fn within(&self, time: Duration) -> bool {
        self.0.recv_timeout(time) == Err(RecvTimeoutError::Disconnected)
    }
}
