//! The registry: every connected client's writer handle, under one lock; and how many connections
//! each address has. Any thread may ask; none waits while it holds the lock.

use super::client::outbox::WriterHandle;
use crate::{
    core::{address::ClientAddress, event::ClientId, sentences},
    lock::Locked,
};
use parking_lot::Condvar;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long to wait for a lock when somebody may hang with it: far longer than anybody keeps it.
const LOCK_PATIENCE: Duration = Duration::from_millis(100);

/// Connected clients, shared by all threads. The lock is held for a look-up or a copy, never while
/// a thread waits.
pub(crate) struct Registry {
    clients: Locked<Clients>,
    /// The last client left.
    empty: Condvar,
    addresses: Locked<Addresses>,
}

#[derive(Default)]
struct Clients {
    by_number: HashMap<ClientId, Arc<WriterHandle>>,
    /// The server stops, and takes nobody in any more.
    closed: bool,
}

/// How many connections each address has open.
pub struct Addresses {
    most: usize,
    open: HashMap<ClientAddress, usize>,
}

impl Registry {
    /// `per_source`: connections that one address may have open.
    pub(crate) fn new(per_source: usize) -> Self {
        Registry {
            clients: Locked::new("the registry", Clients::default()),
            empty: Condvar::new(),
            addresses: Locked::new("the addresses", Addresses::new(per_source)),
        }
    }

    /// Takes a client in, unless the registry is closed.
    pub(crate) fn insert(&self, client: &Arc<WriterHandle>) -> bool {
        let mut clients = self.clients.lock();
        if !clients.closed {
            clients.by_number.insert(client.number, Arc::clone(client));
        }
        !clients.closed
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

    /// Counts one more connection from this address, unless there are too many.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<(), String> {
        self.addresses.lock().admit(address)
    }

    pub(crate) fn release(&self, address: IpAddr) {
        self.addresses.lock().release(address);
    }
}

impl Addresses {
    /// `most`: connections that one address may have open.
    pub fn new(most: usize) -> Addresses {
        Addresses { most, open: HashMap::new() }
    }

    /// Counts one more connection from this address.
    ///
    /// # Errors
    /// There are too many: a sentence for the client.
    pub fn admit(&mut self, address: IpAddr) -> Result<(), String> {
        if address.is_loopback() {
            return Ok(()); // the machine itself, and every test
        }
        let open = self.open.entry(ClientAddress::of(address)).or_default();
        if *open >= self.most {
            return Err(sentences::sorry(&format!(
                "{open} connections from your address are open, and that is the most."
            )));
        }
        *open += 1;
        Ok(())
    }

    /// Counts one connection fewer.
    pub fn release(&mut self, address: IpAddr) {
        let address = ClientAddress::of(address);
        if let Some(open) = self.open.get_mut(&address) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_may_have_a_number_of_connections_and_no_more() {
        let mut addresses = Addresses::new(2);
        assert_eq!(addresses.admit(ip("192.0.2.1")), Ok(()));
        assert_eq!(addresses.admit(ip("192.0.2.1")), Ok(()));
        assert!(
            addresses
                .admit(ip("192.0.2.1"))
                .unwrap_err()
                .contains("2 connections from your address")
        );
        assert_eq!(addresses.admit(ip("192.0.2.2")), Ok(()), "others are not affected");
        addresses.release(ip("192.0.2.1"));
        assert_eq!(addresses.admit(ip("192.0.2.1")), Ok(()), "one place is free again");
    }

    #[test]
    fn nothing_is_kept_of_an_address_that_left() {
        let mut addresses = Addresses::new(2);
        addresses.admit(ip("192.0.2.1")).unwrap();
        addresses.release(ip("192.0.2.1"));
        assert!(addresses.open.is_empty());
    }

    #[test]
    fn loopback_is_exempt() {
        let mut addresses = Addresses::new(1);
        for _ in 0..1000 {
            assert_eq!(addresses.admit(ip("127.0.0.1")), Ok(()));
            assert_eq!(addresses.admit(ip("::1")), Ok(()));
        }
        addresses.release(ip("127.0.0.1"));
        assert!(addresses.open.is_empty());
    }
}
