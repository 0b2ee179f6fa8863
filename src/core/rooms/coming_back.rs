//! Going, and coming back as the same person by another connection.

use super::{ClientKey, Rooms, member::Member, resumable::Gone, scrollback::Scrollback};
use crate::core::{address::ClientAddress, event::ClientId, history_reply::PRIVATE_MAX};
use jiff::Timestamp;

/// Private lines that are remembered of each of them: more than a broken connection loses.
const PRIVATE_KEPT: usize = 20;

/// A member as they are now, when they are about to go.
pub(super) fn leaving(rooms: &Rooms, client: ClientKey) -> (String, Option<Timestamp>) {
    (rooms.room_of(client).name().to_owned(), rooms.members[client].hand())
}

/// Keeps a member who has just left, if they have a token.
pub(super) fn keep(
    rooms: &mut Rooms,
    key: ClientKey,
    member: Member,
    (room, hand): (String, Option<Timestamp>),
) {
    let gone = gone(key, member, (room, hand));
    rooms.resumable.keep(gone, rooms.now);
}

pub(super) fn gone(
    key: ClientKey,
    mut member: Member,
    (room, hand): (String, Option<Timestamp>),
) -> Gone {
    let mut private: Vec<_> = member.private().lines().rev().take(PRIVATE_KEPT).cloned().collect();
    private.reverse();
    *member.private_mut() = Scrollback::new(PRIVATE_MAX, private);
    Gone { member, key, room, hand }
}

/// Lets somebody in again as they were: in their room, with their hand up, and ignored by those who
/// ignored them.
pub(crate) fn come_back(
    rooms: &mut Rooms,
    client: ClientKey,
    gone: Gone,
    (id, address): (ClientId, ClientAddress),
) {
    let Gone { mut member, key, room, hand } = gone;
    (member.client, member.address) = (id, address);
    member.set_room(None);
    let name = rooms.config.names.check(&room, "room's name").ok();
    let room = name.and_then(|name| rooms.rooms.find_or_add(&name, rooms.now).ok());
    rooms.members.follow(key, client);
    rooms.add_member(client, member, room);
    if room.is_some() && rooms.may_write(client).is_ok() {
        hand.iter().for_each(|&raised| {
            rooms.members[client].turn_hand(raised);
        });
    }
}
