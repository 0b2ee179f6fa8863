//! All rooms, by key and by name. Their number is bounded: an empty one makes way for a new one.

use super::{ClientKey, RoomKey, room::Room};
use crate::core::{
    name::{Name, NameRule},
    notice::Refusal,
    record::RoomSnapshot,
};
use jiff::Timestamp;
use slotmap::SlotMap;
use std::{
    collections::BTreeMap,
    iter::once,
    ops::{Index, IndexMut},
};

/// The most rooms at once. It bounds what is remembered of them.
pub const ROOMS_MAX: usize = 100;

pub(crate) struct RoomList {
    rooms: SlotMap<RoomKey, Room>,
    /// By the name's key.
    names: BTreeMap<String, RoomKey>,
    lobby: RoomKey,
}

impl RoomList {
    /// A list with only the lobby.
    pub(super) fn new(lobby: &Name) -> RoomList {
        let (rooms, names) = (SlotMap::with_key(), BTreeMap::new());
        let mut list = RoomList { rooms, names, lobby: RoomKey::default() };
        list.lobby = list.add(lobby, true, Timestamp::UNIX_EPOCH);
        list
    }

    /// Where everybody starts.
    pub(crate) fn lobby(&self) -> RoomKey {
        self.lobby
    }

    /// Every room: the lobby first, the others by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Room> {
        let others = self.names.values().copied().filter(|&key| key != self.lobby);
        once(self.lobby).chain(others).map(|key| &self.rooms[key])
    }

    /// Every room, to change it. No client may see this order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Room> {
        self.rooms.values_mut()
    }

    /// The members of a room; nobody, if the room is gone.
    pub(super) fn members_of(&self, room: RoomKey) -> &[ClientKey] {
        self.rooms.get(room).map(Room::members).unwrap_or_default()
    }

    /// Takes in what the store has of the rooms.
    pub(super) fn restore(&mut self, rooms: Vec<RoomSnapshot>, names: NameRule, now: Timestamp) {
        if rooms.len() >= ROOMS_MAX {
            self.rooms[self.lobby].doubt(); // it may not be among them, and yet have lines
        }
        // The rooms where somebody spoke last come first, and are the last to make way.
        for room in rooms.into_iter().rev() {
            let Ok(name) = names.check(&room.name, "room's name") else { continue };
            let Ok(key) = self.find_or_add(&name, now) else { continue };
            self.rooms[key].restore(room);
        }
    }

    /// Assumes that the store has more than the scrollbacks: perhaps it could not be read, or it is
    /// another file.
    pub(in crate::core) fn doubt_all(&mut self) {
        self.rooms.values_mut().for_each(Room::doubt);
    }

    /// The room of this name. It is made if it is missing.
    ///
    /// # Errors
    /// There are too many, and somebody is in each of them.
    pub(super) fn find_or_add(&mut self, name: &Name, now: Timestamp) -> Result<RoomKey, Refusal> {
        if let Some(&room) = self.names.get(name.key()) {
            return Ok(room);
        }
        if self.rooms.len() >= ROOMS_MAX {
            self.drop_oldest_empty()?;
        }
        Ok(self.add(name, false, now)) // not whole: perhaps it was there before, and made way
    }

    fn add(&mut self, name: &Name, is_whole: bool, now: Timestamp) -> RoomKey {
        let room = self.rooms.insert_with_key(|key| Room::new(key, name, is_whole, now));
        self.names.insert(name.key().to_owned(), room);
        room
    }

    fn drop_oldest_empty(&mut self) -> Result<(), Refusal> {
        let spare = |(key, room): (RoomKey, &Room)| {
            room.spare_since().filter(|_| key != self.lobby).map(|since| (since, key))
        };
        let Some((_, oldest)) = self.rooms.iter().filter_map(spare).min() else {
            return Err(format!(
                "There are {ROOMS_MAX} rooms already, and somebody is in each of them."
            )
            .into());
        };
        self.rooms.remove(oldest);
        self.names.retain(|_, room| *room != oldest);
        Ok(())
    }
}

impl Index<RoomKey> for RoomList {
    type Output = Room;
    fn index(&self, key: RoomKey) -> &Room {
        &self.rooms[key]
    }
}

impl IndexMut<RoomKey> for RoomList {
    fn index_mut(&mut self, key: RoomKey) -> &mut Room {
        &mut self.rooms[key]
    }
}
