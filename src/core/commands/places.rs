//! Rooms: entering one, and what a newcomer is told.

use super::{
    history,
    people::{all_shown, sorted_members},
    row::{CommandResult, Reply, RoomsCtx, Row, none, required},
    talk::topic_line,
};
use crate::core::{
    history_reply::HistoryReply,
    notice::{notice, push_wrapped},
    rooms::{
        ClientKey, LOBBY, Rooms,
        programs::{describe_room, take_since},
        room::TOPIC,
    },
    sentences,
};

pub(super) const ROWS: &[Row] = &[
    Row::rooms("join", "ROOM", "goes to ROOM, which is made if it is not there", join)
        .example("math"),
    Row::rooms("leave", "", "goes back to lobby", leave),
    Row::rooms("rooms", "", "lists the rooms", list),
];

/// The most names told on entering a room. If there are more, their number is told; `/names` lists
/// all.
const NAMES_TOLD: usize = 40;

fn join(ctx: &mut RoomsCtx<'_>, typed: &str) -> CommandResult {
    let typed = required(typed)?;
    let typed = typed.strip_prefix('#').unwrap_or(typed);
    let name = ctx.rooms.config().names.check(typed, "room's name")?;
    if !ctx.rooms.rooms.contains(&name) {
        ctx.rooms.may_write(ctx.client)?; // others read the name of a new room
    }
    ctx.rooms.move_to(ctx.client, &name)?;
    Ok(match describe_place(ctx.rooms, ctx.client, String::new()) {
        (text, Some(reply)) => Reply::Fetch(text, reply),
        (text, None) => Reply::Now(text),
    })
}

fn leave(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    none(arguments)?;
    if ctx.rooms.room_of(ctx.client).name() == LOBBY {
        return Err("You are in lobby, where everybody starts. /quit leaves the chat.".into());
    }
    join(ctx, LOBBY)
}

fn list(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    none(arguments)?;
    let mut text = notice("Rooms:");
    for room in ctx.rooms.rooms.iter() {
        let topic = room.setting(TOPIC).map_or("", |(topic, _)| topic);
        text.push_str(&notice(sentences::room_row(room.name(), room.members().len(), topic)));
    }
    Ok(Reply::Now(text))
}

/// What a newcomer is told: who is here, the topic, and the backlog. Behind that are notes, if they
/// read any: `who`, and one about the room.
pub(super) fn describe_place(
    rooms: &mut Rooms,
    client: ClientKey,
    who: String,
) -> (String, Option<Box<HistoryReply>>) {
    let since = take_since(rooms, client);
    let room = rooms.room_of(client);
    let mut text = String::new();
    match room.members().len() - 1 {
        0 => text.push_str(&notice(sentences::alone_in(room.name()))),
        1..=NAMES_TOLD => {
            let mut others = sorted_members(rooms, room);
            others.retain(|&other| other != client);
            let lead = sentences::in_room_with(room.name());
            push_wrapped(&mut text, &lead, &all_shown(rooms, &others));
            text.push_str(".\n");
        }
        // If a class of 500 arrived at once, the fan-out would do nothing but tell 500 lists of 500
        // names.
        others => text.push_str(&notice(sentences::in_room_with_many(room.name(), others))),
    }
    if let Some((topic, by)) = room.setting(TOPIC) {
        text.push_str(&topic_line(room.name(), topic, by));
    }
    if room.is_paused() {
        text.push_str(&notice(format_args!("{} is paused: /hand raises your hand.", room.name())));
    }
    if let Some(quiz) = room.quiz() {
        text.push_str(&quiz.describe(Some(client)));
    }
    let mut past = match since {
        Some(after) => history::since(rooms, client, after),
        None => history::backlog(rooms, client),
    };
    past.notes = who + &describe_room(rooms, client);
    match past.query {
        // The usual case. It is formatted here, because on each client's thread it would enlarge
        // the stack and the heap.
        None => (text + &past.show(), None),
        Some(_) => (text, Some(past)),
    }
}
