//! All rooms, by key and by name. Their number is bounded: an empty one makes way for a new one.

use super::{ClientKey, RoomKey, room::Room};
use crate::core::{
    name::{Name, NameRule},
    notice::Refusal,
    record::{RoomSnapshot, SETTINGS_ROOMS_MAX, Settings},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slotmap::SlotMap;
use std::{
    collections::BTreeMap,
    iter::once,
    ops::{Index, IndexMut},
};

/// The most rooms at once. It bounds what is remembered of them.
pub const ROOMS_MAX: usize = 100;

#[derive(Serialize, Deserialize)]
pub(crate) struct RoomList {
    rooms: SlotMap<RoomKey, Room>,
    /// By the name's key.
    names: BTreeMap<String, RoomKey>,
    lobby: RoomKey,
    /// What is set in rooms that made way, by the keys of their names. It is there again when they
    /// are: nobody can take a topic away by entering a hundred other rooms.
    kept: BTreeMap<String, Settings>,
}

impl RoomList {
    /// A list with only the lobby.
    pub(super) fn new(lobby: &Name) -> RoomList {
        let (rooms, names) = (SlotMap::with_key(), BTreeMap::new());
        let kept = BTreeMap::new();
        let mut list = RoomList { rooms, names, lobby: RoomKey::default(), kept };
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

    pub(super) fn find(&self, name: &Name) -> Option<RoomKey> {
        self.names.get(name.key()).copied()
    }

    /// Whether there is a room of this name.
    pub(crate) fn contains(&self, name: &Name) -> bool {
        self.names.contains_key(name.key())
    }

    /// Takes in what the store has of the rooms, and the settings of others.
    pub(super) fn restore(
        &mut self,
        rooms: Vec<RoomSnapshot>,
        others: Vec<(String, Settings)>,
        names: NameRule,
        now: Timestamp,
    ) {
        if rooms.len() >= ROOMS_MAX {
            self.rooms[self.lobby].doubt(); // it may not be among them, and yet have lines
        }
        // The rooms where somebody spoke last come first, and are the last to make way.
        for room in rooms.into_iter().rev() {
            let Ok(name) = names.check(&room.name, "room's name") else { continue };
            let Ok(key) = self.find_or_add(&name, now) else { continue };
            self.rooms[key].restore(room);
        }
        for (name, settings) in others {
            let Ok(name) = names.check(&name, "room's name") else { continue };
            match self.names.get(name.key()) {
                Some(&room) => self.rooms[room].restore_settings(settings),
                None => drop(self.kept.insert(name.key().to_owned(), settings)),
            }
        }
    }

    /// Whether something more may be set in a room. Some of what there is is only for
    /// administrators.
    ///
    /// # Errors
    /// There are too many rooms with settings.
    pub(super) fn may_set(&self, room: RoomKey, by_admin: bool) -> Result<(), Refusal> {
        let most = SETTINGS_ROOMS_MAX - if by_admin { 0 } else { ROOMS_MAX };
        let count = || self.rooms.values().filter(|room| room.has_settings()).count();
        if room == self.lobby || self.rooms[room].has_settings() || self.kept.len() + count() < most
        {
            return Ok(());
        }
        Err(format!("Something is set in {most} rooms already, which is the most.").into())
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
        let settings = self.kept.remove(name.key()).unwrap_or_default();
        let room = self.rooms.insert_with_key(|key| Room::new(key, name, settings, is_whole, now));
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
        let room = self.rooms.remove(oldest);
        for (key, _) in self.names.extract_if(.., |_, key| *key == oldest) {
            let settings =
                room.as_ref().map(Room::settings).filter(|settings| !settings.is_empty());
            self.kept.extend(settings.map(|settings| (key, settings.clone())));
        }
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
