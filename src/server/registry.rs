//! The registry: every connected client's writer handle, under one lock. Any thread may ask; none
//! waits while it holds the lock.

use super::client::outbox::WriterHandle;
use crate::{
    core::{close_reason::CloseReason, event::ClientId},
    lock::{LockKind, Locked},
    origin::Origin,
};
use parking_lot::Condvar;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long to wait for a lock when somebody may hang with it: far longer than anybody keeps it.
const LOCK_PATIENCE: Duration = Duration::from_millis(100);

/// A connected client.
pub(crate) type Client = Arc<WriterHandle>;

/// Connected clients, shared by all threads. The lock is held for a look-up or a copy, never while
/// a thread waits.
pub(crate) struct Registry {
    clients: Locked<Clients>,
    /// The last client left.
    empty: Condvar,
}

#[derive(Default)]
struct Clients {
    by_number: HashMap<ClientId, Arc<WriterHandle>>,
    /// The server stops, and takes nobody in any more.
    closed: bool,
}

impl Default for Registry {
    fn default() -> Registry {
        Registry {
            clients: Locked::new(LockKind::Registry, Clients::default()),
            empty: Condvar::new(),
        }
    }
}

impl Registry {
    /// Takes a client in, unless the registry is closed.
    pub(crate) fn insert(&self, client: &Arc<WriterHandle>) -> bool {
        let mut clients = self.clients.lock();
        if !clients.closed {
            clients.by_number.insert(client.number, Arc::clone(client));
        }
        !clients.closed
    }

    /// Hangs up whoever has to give way to another client.
    pub(crate) fn give_way(&self, number: ClientId, reason: CloseReason) {
        let client = self.clients.lock().by_number.get(&number).cloned();
        client.iter().for_each(|client| client.hang_up(reason.clone()));
    }

    pub(crate) fn remove(&self, client: &WriterHandle) {
        let mut clients = self.clients.lock();
        clients.by_number.remove(&client.number);
        if clients.by_number.is_empty() {
            self.empty.notify_all();
        }
    }

    /// Every client, in the order in which they came.
    pub(crate) fn all(&self) -> Vec<Arc<WriterHandle>> {
        let mut clients: Vec<_> = self.clients.lock().by_number.values().cloned().collect();
        clients.sort_by_key(|client| client.number);
        clients
    }

    /// How many clients are here; `None`: the lock is not to be had, for a thread hangs with it.
    pub(crate) fn count(&self) -> Option<usize> {
        self.clients.lock_within(LOCK_PATIENCE).map(|clients| clients.by_number.len())
    }

    /// The client that comes from there.
    pub(crate) fn find(&self, peer: Origin) -> Option<Client> {
        self.clients.lock().by_number.values().find(|client| client.peer == peer).cloned()
    }

    /// For a demonstration: keeps the lock while `wait` waits.
    pub(crate) fn hold(&self, wait: impl FnOnce()) {
        self.clients.lock().break_the_lock_rule(wait);
    }

    /// Takes nobody in any more. Returns the clients that are here.
    pub(crate) fn close(&self) -> Vec<Arc<WriterHandle>> {
        self.clients.lock().closed = true;
        self.all()
    }

    /// Waits until every client has left, or until `deadline`. Returns whether they have left.
    pub(crate) fn wait_until_empty(&self, deadline: Instant) -> bool {
        let mut clients = self.clients.lock();
        while !clients.by_number.is_empty() && Instant::now() < deadline {
            clients.wait_on(&self.empty, deadline.saturating_duration_since(Instant::now()));
        }
        clients.by_number.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_nobody() {
        let began = Instant::now();
        assert!(Registry::default().wait_until_empty(began + Duration::from_secs(20)));
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
