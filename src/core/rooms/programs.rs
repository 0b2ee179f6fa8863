//! What programs are told of the rooms, beside the sentences: see [`crate::core::notes`].

use super::{
    ClientKey, Rooms,
    member::Member,
    room::{PAUSED, Room, TOPIC},
};
use crate::core::{event::Since, notes, record::LineId};

/// The most names in one note. The number of those who are in a room is told in any case.
const HERE_MAX: usize = 1_000;

/// From now on a member reads notes, or reads none.
pub(crate) fn set_reads_notes(rooms: &mut Rooms, client: ClientKey, reads_notes: bool) {
    rooms.output.set_reads_notes(client, reads_notes);
}

/// Tells one client, if they read notes.
pub(crate) fn note_to(rooms: &mut Rooms, client: ClientKey, note: &str) {
    if rooms.output.reads_notes(client)
        && let Some(member) = rooms.members.get(client)
    {
        rooms.output.tell(client, member.room(), note, false);
    }
}

/// A member has read or written a private line, which has a number.
pub(crate) fn note_private(rooms: &mut Rooms, client: ClientKey) {
    let room = rooms.members.get(client).and_then(Member::room);
    rooms.output.note_private(client, room);
}

/// Tells a client who they are, if they read notes: they have another account, or another right.
pub(crate) fn note_who(rooms: &mut Rooms, client: ClientKey) {
    if rooms.members.contains(client) {
        let note = describe_who(rooms, client, None);
        note_to(rooms, client, &note);
    }
}

/// Who a member is, for programs; nothing, if they read no notes. `resume`: their new token, if
/// there is one.
pub(crate) fn describe_who(rooms: &Rooms, client: ClientKey, resume: Option<&str>) -> String {
    if !rooms.output.reads_notes(client) {
        return String::new();
    }
    let name = rooms.members[client].name().shown();
    let account = rooms.account_of(client).map(|account| &*account.name);
    notes::entered(name, account, rooms.is_admin(client), resume)
}

/// The room of a member, for programs; nothing, if they read no notes.
pub(crate) fn describe_room(rooms: &Rooms, client: ClientKey) -> String {
    match rooms.output.reads_notes(client) {
        true => describe(rooms, rooms.room_of(client), rooms.is_admin(client)),
        false => String::new(),
    }
}

/// The line after which a member wants to be told what was said in their room, if they have asked.
pub(crate) fn take_since(rooms: &mut Rooms, client: ClientKey) -> Option<LineId> {
    let room = rooms.members[client].room()?;
    let is_here = |since: &mut Box<Since>| rooms.rooms.find(&since.room) == Some(room);
    let since = rooms.members[client].asks_since().take_if(is_here);
    since.map(|since| since.after)
}

fn describe(rooms: &Rooms, room: &Room, to_admin: bool) -> String {
    let name_of = |&member: &ClientKey| rooms.members[member].name().shown();
    let names = |members: &[ClientKey]| members.iter().map(name_of).collect::<Vec<_>>();
    let topic = room.setting(TOPIC);
    let topic = (topic.map(|(text, _)| &**text), topic.map(|(_, by)| &*by.name));
    let here = room.members();
    let count = (here.len(), (here.len() <= HERE_MAX).then(|| names(here)));
    let hands = to_admin.then(|| names(&room.raised_hands(&rooms.members)));
    let last = rooms.pending.last_line();
    notes::room(room.name(), topic, room.is_paused(), count, hands, last)
}

/// A member has changed a setting of their room.
pub(crate) fn note_setting(rooms: &mut Rooms, by: ClientKey, setting: &str) {
    let Some(key) = rooms.members[by].room() else { return };
    if !rooms.output.has_note_readers() {
        return;
    }
    let room = &rooms.rooms[key];
    let note = match setting {
        TOPIC => {
            let topic = room.setting(TOPIC).map(|(text, _)| &**text);
            notes::topic(topic, rooms.members[by].name().shown())
        }
        // While it was paused, not everybody was told who came and went.
        PAUSED if !room.is_paused() => describe(rooms, room, false),
        PAUSED => notes::paused(true),
        _ => return,
    };
    rooms.output.note(key, &note);
}

/// A member's hand is up, or down: the administrators in the room are told.
pub(crate) fn note_hand(rooms: &mut Rooms, client: ClientKey) {
    let Some(room) = rooms.members.get(client).and_then(Member::room) else { return };
    if !rooms.output.has_note_readers() {
        return;
    }
    let raised = rooms.rooms[room].raised_hands(&rooms.members);
    let place = raised.iter().position(|&other| other == client).map_or(0, |at| at + 1);
    let note = notes::hand(rooms.members[client].name().shown(), place);
    for member in rooms.rooms[room].members().to_vec() {
        if rooms.is_admin(member) {
            note_to(rooms, member, &note);
        }
    }
}
