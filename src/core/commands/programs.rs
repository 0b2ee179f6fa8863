//! For programs that speak for somebody: a page in a browser, `chat`, a bot.

use super::row::{RoomsCtx, Row, on_or_off};
use crate::core::{
    event::{Answer, ClientId, Question},
    notes::{self, Ask, ServerFacts},
    rooms::programs::{describe_room, describe_who, set_reads_notes},
    session::program::facts_of,
};

pub(super) const ROWS: &[Row] = &[Row::session(
    "notes",
    "[on|off]",
    "adds JSON notes to what you read, one a line",
    |ctx, wanted| {
        let is_on = on_or_off(wanted)?.unwrap_or(!ctx.session.program.reads_notes());
        let facts = facts_of(ctx.session.config);
        let is_naming = ctx.session.is_naming();
        ctx.session.program.set_reads_notes(is_on, is_naming);
        ctx.driver.set_reads_notes(is_on);
        Ok(ctx.session.ask(Question::Notes(is_on.then_some(facts)), ctx.driver))
    },
)
.example("on")
.also_at_the_door()];

/// A client reads notes from now on, and first what there is to know; or they read none.
pub(crate) fn notes(
    ctx: &mut RoomsCtx<'_>,
    client: ClientId,
    facts: Option<ServerFacts>,
) -> Answer {
    let is_member = ctx.rooms.members().contains(ctx.client);
    if is_member {
        set_reads_notes(ctx.rooms, ctx.client, facts.is_some());
    }
    let Some(facts) = facts else { return Answer::default() };
    let (config, now) = (ctx.rooms.config(), ctx.rooms.now());
    let zone = now.to_zoned(config.zone.clone()).strftime("%:z").to_string();
    let ask = if is_member { Ask::Nothing } else { Ask::Name };
    let hello = notes::hello(client, facts, (&zone, config.epoch), ask);
    let (rooms, client) = (&ctx.rooms, ctx.client);
    Answer::Text(hello + &describe_who(rooms, client, None) + &describe_room(rooms, client))
}
