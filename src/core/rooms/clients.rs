//! Every connection that the rooms have heard of, with the driver's handle of it.

use super::ClientKey;
use crate::core::event::ClientId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use slotmap::SlotMap;
use std::collections::HashMap;

/// Every client. A key is an index that no other client ever gets (a slot map); all tables of the
/// core use it.
pub(in crate::core) struct Clients<H> {
    slots: SlotMap<ClientKey, Connected<H>>,
    /// The key of each connection.
    keys: HashMap<ClientId, ClientKey>,
}

/// A client, and their handle: `None` only while a chat is handed over.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Connected<H> {
    id: ClientId,
    #[serde(skip)]
    handle: Option<H>,
}

impl<H> Default for Clients<H> {
    fn default() -> Clients<H> {
        Clients { slots: SlotMap::with_key(), keys: HashMap::new() }
    }
}

impl<H> Clients<H> {
    /// The key of a client, who has one from their first event on.
    pub(in crate::core) fn key(&mut self, id: ClientId, handle: &H) -> ClientKey
    where
        H: Clone,
    {
        let slots = &mut self.slots;
        let new = || slots.insert(Connected { id, handle: Some(handle.clone()) });
        *self.keys.entry(id).or_insert_with(new)
    }

    /// The key of a client, if they have one.
    pub(in crate::core) fn find(&self, id: ClientId) -> Option<ClientKey> {
        self.keys.get(&id).copied()
    }

    #[cfg(test)]
    pub(in crate::core) fn len(&self) -> usize {
        assert_eq!(self.keys.len(), self.slots.len(), "each has a key");
        self.slots.len()
    }

    pub(in crate::core) fn handle(&self, key: ClientKey) -> Option<&H> {
        self.slots.get(key)?.handle.as_ref()
    }

    /// Gives a client another handle.
    pub(in crate::core) fn set_handle(&mut self, id: ClientId, handle: H) {
        if let Some(client) = self.find(id).and_then(|key| self.slots.get_mut(key)) {
            client.handle = Some(handle);
        }
    }

    /// Those without a handle: they were not handed over with the others.
    pub(in crate::core) fn without_handle(&self) -> Vec<ClientKey> {
        let clients = self.slots.iter().filter(|(_, client)| client.handle.is_none());
        clients.map(|(key, _)| key).collect()
    }

    pub(in crate::core) fn remove(&mut self, key: ClientKey) {
        if let Some(client) = self.slots.remove(key) {
            self.keys.remove(&client.id);
        }
    }
}

impl<H> Serialize for Clients<H> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.slots.serialize(serializer)
    }
}

impl<'de, H> Deserialize<'de> for Clients<H> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Clients<H>, D::Error> {
        let slots: SlotMap<ClientKey, Connected<H>> = SlotMap::deserialize(deserializer)?;
        let keys = slots.iter().map(|(key, client)| (client.id, key)).collect();
        Ok(Clients { slots, keys })
    }
}
