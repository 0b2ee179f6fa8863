//! For a class: pauses, raised hands, the floor, and questions to the administrators alone.

use super::{
    row::{CommandResult, Reply, RoomsCtx, Row, SessionCtx, Who, none, required},
    talk::tell_privately,
};
use crate::core::{
    notice::{Refusal, notice},
    rooms::{
        ClientKey,
        programs::{note_hand, note_setting},
        room::{Lines, PAUSED},
    },
    session::door::come_back,
    token::Token,
};

pub(super) const ROWS: &[Row] = &[
    Row::rooms("ask", "TEXT", "asks the administrators who are here, only them", ask)
        .example("is that in the exam?"),
    Row::rooms("hand", "", "raises your hand, or lowers it", hand),
    Row::rooms("hands", "", "whose hands are up in this room, in their order", hands),
    Row::rooms("pause", "", "only administrators speak here, and /floor", |ctx, arguments| {
        none(arguments)?;
        set_paused(ctx, true)
    })
    .only_for(Who::Administrators),
    Row::rooms(
        "resume",
        "[TOKEN]",
        "ends /pause; in the place of a name, TOKEN lets you in as you were",
        |ctx, arguments| {
            none(arguments)?;
            set_paused(ctx, false)
        },
    )
    .example("0f1e2d3c4b5a69788796a5b4c3d2e1f0")
    .at_the_door_runs(resume)
    .only_for(Who::Administrators),
    Row::rooms("floor", "NAME", "lets NAME speak here while the room is paused", floor)
        .example("bob")
        .only_for(Who::Administrators),
    Row::rooms("lower", "[NAME]", "lowers hands, or NAME's, and ends NAME's /floor", lower)
        .example("bob")
        .only_for(Who::Administrators),
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
    let raised = room.raised_hands(ctx.rooms.members());
    let (name, place) = (room.name().to_owned(), raised.len());
    let did = if is_up { "raised a" } else { "lowered the" };
    let line = notice(format_args!("{} {did} hand ({place} up in {name})", ctx.name()));
    for member in room.members().to_vec() {
        if member != ctx.client && ctx.rooms.is_admin(member) {
            ctx.rooms.tell(member, &line);
        }
    }
    note_hand(ctx.rooms, ctx.client);
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
    let raised = room.raised_hands(ctx.rooms.members());
    if raised.is_empty() {
        return Ok(Reply::notice(format_args!("No hand is up in {}.", room.name())));
    }
    let mut text = notice(format_args!("Hands up in {}, the first raised first:", room.name()));
    for (i, member) in raised.into_iter().enumerate() {
        let name = ctx.rooms.members()[member].shown();
        text.push_str(&format!("*** {:>4}. {name}\n", i + 1));
    }
    Ok(Reply::Now(text))
}

// --- A pause, and the floor ---

/// Lets somebody in as they were before their connection broke.
fn resume(ctx: &mut SessionCtx<'_, '_>, token: &str) -> Result<String, Refusal> {
    come_back(ctx.session, Token::typed(required(token)?), ctx.driver);
    Ok(String::new())
}

/// Pauses the room, or ends that. It lasts, as a topic does.
fn set_paused(ctx: &mut RoomsCtx<'_>, is_paused: bool) -> CommandResult {
    let room = ctx.rooms.room_of(ctx.client);
    let (name, members) = (room.name().to_owned(), room.members().to_vec());
    if room.is_paused() == is_paused {
        let is = if is_paused { "paused" } else { "open" };
        return Err(format!("{name} is {is} already.").into());
    }
    ctx.rooms.set_setting(ctx.client, PAUSED, is_paused.then(|| "yes".to_owned()))?;
    note_setting(ctx.rooms, ctx.client, PAUSED);
    for member in members {
        ctx.rooms.members_mut()[member].set_floor(false); // from the pause before
    }
    ctx.audit(format!("{} {name}", if is_paused { "paused" } else { "resumed" }));
    let by = ctx.name();
    tell_all(
        ctx,
        &match is_paused {
            true => format!(
                "{by} paused {name}: administrators speak, and whoever they give the floor. /hand raises your hand."
            ),
            false => format!("{by} resumed {name}: everybody speaks again."),
        },
    );
    Ok(Reply::Now(String::new()))
}

/// Gives a member of this room the floor, for as long as they stay in it.
fn floor(ctx: &mut RoomsCtx<'_>, typed: &str) -> CommandResult {
    let member = here(ctx, required(typed)?)?;
    let (room, whom) = (ctx.rooms.room_of(ctx.client), ctx.rooms.person(member).describe());
    let room_name = room.name().to_owned();
    if !room.is_paused() {
        return Err(format!("{room_name} is not paused: everybody speaks.").into());
    }
    if ctx.rooms.is_admin(member) {
        return Err(format!("{whom} is an administrator, and speaks anyway.").into());
    }
    if ctx.rooms.mute_of(member).is_some() {
        return Err(format!("{whom} is muted: /unmute comes first.").into());
    }
    let subject = &mut ctx.rooms.members_mut()[member];
    let (was_up, had_floor) = (subject.lower_hand(), subject.set_floor(true));
    if was_up {
        note_hand(ctx.rooms, member);
    }
    if had_floor {
        return Err(format!("{whom} has the floor already. /lower takes it back.").into());
    }
    ctx.audit(format!("gave {whom} the floor in {room_name}"));
    let (by, name) = (ctx.name(), ctx.rooms.members()[member].shown().into_owned());
    tell_all(ctx, &format!("{by} gave {name} the floor."));
    Ok(Reply::Now(String::new()))
}

/// Lowers a hand and takes the floor back; without a name, lowers every hand of the room.
fn lower(ctx: &mut RoomsCtx<'_>, typed: &str) -> CommandResult {
    let by = ctx.name();
    let room = ctx.rooms.room_of(ctx.client);
    let is_for_one = !typed.is_empty();
    let members = match is_for_one {
        true => vec![here(ctx, typed)?],
        false => room.raised_hands(ctx.rooms.members()),
    };
    let room = room.name().to_owned();
    let (mut lowered, mut has_lost) = (0, false);
    for &member in &members {
        let subject = &mut ctx.rooms.members_mut()[member];
        let name = subject.shown().into_owned();
        let (was_up, had_floor) = (subject.lower_hand(), is_for_one && subject.set_floor(false));
        if was_up {
            lowered += 1;
            ctx.rooms.tell(member, &notice(format_args!("{by} lowered your hand.")));
            note_hand(ctx.rooms, member);
        }
        if had_floor {
            has_lost = true;
            ctx.audit(format!("took the floor from {name} in {room}"));
            tell_all(ctx, &format!("{by} took the floor back from {name}."));
        }
    }
    match (lowered, is_for_one) {
        (0, true) if !has_lost => {
            Err(format!("{typed} has neither a hand up nor the floor.").into())
        }
        (0, true) => Ok(Reply::Now(String::new())),
        (0, false) => Err(format!("No hand is up in {room}.").into()),
        (1, _) => Ok(Reply::notice("1 hand is down.")),
        (count, _) => Ok(Reply::notice(format_args!("{count} hands are down."))),
    }
}

/// The member of this room whom an administrator means.
fn here(ctx: &RoomsCtx<'_>, typed: &str) -> Result<ClientKey, Refusal> {
    let member = ctx.rooms.find(typed)?;
    let (theirs, ours) = (ctx.rooms.room_of(member), ctx.rooms.room_of(ctx.client));
    if theirs.name() != ours.name() {
        let (whom, room) = (ctx.rooms.person(member).describe(), theirs.name());
        return Err(format!("{whom} is in {room}, and not here.").into());
    }
    Ok(member)
}

fn tell_all(ctx: &mut RoomsCtx<'_>, sentence: &str) {
    ctx.rooms.tell_room(ctx.client, &Lines::of_server(&notice(sentence)));
}
