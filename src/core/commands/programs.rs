//! For programs that speak for somebody: a page in a browser, `chat`, a bot.

use super::{
    entry::give_token,
    history,
    row::{Reply, RoomsCtx, Row, SessionCtx, first_word, on_or_off},
};
use crate::core::{
    event::{Answer, ClientId, Question, Since},
    notes::{self, Ask, ServerFacts},
    notice::Refusal,
    record::LineId,
    rooms::{
        coming_back::end_token,
        programs::{describe_room, set_reads_notes, take_since},
    },
    sentences::TOLD_LATER,
    session::program::facts_of,
    token::Token,
};

pub(super) const ROWS: &[Row] = &[
    Row::session(
        "notes",
        "[on|off]",
        "adds JSON notes to what you read, one a line",
        notes_command,
    )
    .example("on")
    .also_at_the_door(),
    Row::session(
        "since",
        "ROOM N",
        "what was said in ROOM after the line with the number N",
        since,
    )
    .example("lobby 4711")
    .also_at_the_door(),
];

fn notes_command(ctx: &mut SessionCtx<'_, '_>, wanted: &str) -> Result<String, Refusal> {
    let is_on = on_or_off(wanted)?.unwrap_or(!ctx.session.program.reads_notes());
    let facts = facts_of(ctx.session.config);
    let is_naming = ctx.session.is_naming();
    ctx.session.program.set_reads_notes(is_on, is_naming);
    ctx.driver.set_reads_notes(is_on);
    let token = (is_on && !is_naming).then(|| ctx.driver.draw_token());
    Ok(ctx.session.ask(Question::Notes(is_on.then_some(facts), token), ctx.driver))
}

fn since(ctx: &mut SessionCtx<'_, '_>, arguments: &str) -> Result<String, Refusal> {
    let (room, after) = first_word(arguments)?;
    let room = ctx.session.config.names.check(room, "room's name")?;
    let is_number = after.bytes().all(|byte| byte.is_ascii_digit()); // and not "+5"
    let after = after.parse().ok().filter(|_| is_number).map(LineId).ok_or(Refusal::Usage)?;
    let since = Since { room, after };
    if ctx.session.is_naming() {
        ctx.session.program.set_since(since);
        return Ok(String::new());
    }
    Ok(ctx.session.ask(Question::Since(Box::new(since)), ctx.driver))
}

/// Tells a member what was said in their room after a line; or, of another room, when they enter it.
pub(crate) fn tell_since(ctx: &mut RoomsCtx<'_>, since: Box<Since>) -> Reply {
    let room = since.room.shown().to_owned();
    *ctx.rooms.members_mut()[ctx.client].asks_since() = Some(since);
    match take_since(ctx.rooms, ctx.client) {
        Some(after) => {
            let past = history::since(ctx.rooms, ctx.client, after);
            Reply::Fetch(String::new(), past)
        }
        None => Reply::notice(format_args!("{TOLD_LATER}{room}.")),
    }
}

/// A client reads notes from now on, and first what there is to know; or they read none.
pub(crate) fn notes(
    ctx: &mut RoomsCtx<'_>,
    client: ClientId,
    facts: Option<ServerFacts>,
    token: Option<Token>,
) -> Answer {
    let is_member = ctx.rooms.members().contains(ctx.client);
    if is_member {
        set_reads_notes(ctx.rooms, ctx.client, facts.is_some());
    }
    let Some(facts) = facts else {
        end_token(ctx.rooms, ctx.client);
        return Answer::default();
    };
    let (config, now) = (ctx.rooms.config(), ctx.rooms.now());
    let zone = now.to_zoned(config.zone.clone()).strftime("%:z").to_string();
    let ask = if is_member { Ask::Nothing } else { Ask::Name };
    let hello = notes::hello(client, facts, (&zone, config.epoch), ask);
    let who = if is_member { give_token(ctx, token) } else { String::new() };
    Answer::Text(hello + &who + &describe_room(ctx.rooms, ctx.client))
}
