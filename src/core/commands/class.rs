//! For a class: raised hands, and questions to the administrators alone.

use super::{
    row::{CommandResult, Reply, RoomsCtx, Row, none, required},
    talk::tell_privately,
};
use crate::core::{
    notice::notice,
    rooms::{ClientKey, Rooms, room::Room},
};

pub(super) const ROWS: &[Row] = &[
    Row::rooms("ask", "TEXT", "asks the administrators who are here, only them", ask)
        .example("is that in the exam?"),
    Row::rooms("hand", "", "raises your hand, or lowers it", hand),
    Row::rooms("hands", "", "whose hands are up in this room, in their order", hands),
];

fn ask(ctx: &mut RoomsCtx<'_>, text: &str) -> CommandResult {
    let text = required(text)?;
    ctx.rooms.may_write(ctx.client)?;
    let (rooms, asker) = (&ctx.rooms, ctx.client);
    let keys = rooms.members().iter().map(|(key, _)| key);
    let mut administrators: Vec<ClientKey> =
        keys.filter(|&key| key != asker && rooms.is_admin(key)).collect();
    administrators.sort_by_key(|&key| rooms.members()[key].name().key());
    if administrators.is_empty() {
        return Err("No administrator is here. /msg NAME TEXT leaves a message.".into());
    }
    Ok(tell_privately(ctx, &administrators, text, "question "))
}

/// Raises a hand or lowers it, and tells the administrators of the room.
fn hand(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    none(arguments)?;
    if ctx.member().hand().is_none() {
        ctx.rooms.may_write(ctx.client)?; // it asks to speak
    }
    let now = ctx.rooms.now();
    let is_up = ctx.rooms.members_mut()[ctx.client].turn_hand(now);
    let room = ctx.rooms.room_of(ctx.client);
    let (name, place) = (room.name().to_owned(), raised(ctx.rooms, room).len());
    let did = if is_up { "raised a" } else { "lowered the" };
    let line = notice(format_args!("{} {did} hand ({place} up in {name})", ctx.name()));
    for member in room.members().to_vec() {
        if member != ctx.client && ctx.rooms.is_admin(member) {
            ctx.rooms.tell(member, &line);
        }
    }
    Ok(match is_up {
        true => Reply::notice(format_args!(
            "Your hand is up, number {place} in {name}. /hand lowers it."
        )),
        false => Reply::notice("Your hand is down."),
    })
}

fn hands(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    none(arguments)?;
    let room = ctx.rooms.room_of(ctx.client);
    let raised = raised(ctx.rooms, room);
    if raised.is_empty() {
        return Ok(Reply::notice(format_args!("No hand is up in {}.", room.name())));
    }
    let mut text = notice(format_args!("Hands up in {}, the first raised first:", room.name()));
    for (i, member) in raised.into_iter().enumerate() {
        let name = ctx.rooms.members()[member].name().shown();
        text.push_str(&format!("*** {:>4}. {name}\n", i + 1));
    }
    Ok(Reply::Now(text))
}

/// The members with a raised hand, in the order in which they raised it.
fn raised(rooms: &Rooms, room: &Room) -> Vec<ClientKey> {
    let members = rooms.members();
    let is_up = |&member: &ClientKey| members[member].hand().is_some();
    let mut raised: Vec<ClientKey> = room.members().iter().copied().filter(is_up).collect();
    raised.sort_by_key(|&member| (members[member].hand(), members[member].client()));
    raised
}
