//! `/view`: the address at which a browser shows the threads at work.

use super::row::{Row, SessionCtx, none};
use crate::core::{
    event::{Answer, Event, Question},
    notes,
    notice::{Refusal, notice},
};

pub(super) const ROW: Row =
    Row::session("view", "", "shows the threads at work, in a browser", view);

fn view(ctx: &mut SessionCtx<'_, '_>, arguments: &str) -> Result<String, Refusal> {
    none(arguments)?;
    let may = ctx.driver.ask(Event::Ask(Question::MayAdminister));
    let ticket = ctx.driver.give_ticket(matches!(may, Answer::MayAdminister(true)))?;
    let address = &ticket.address;
    let mut lines = notice("Open this address within a minute; it works once:") + &notice(address);
    if ctx.session.program.reads_notes() {
        lines += &notes::view(&ticket.ticket);
    }
    Ok(lines)
}
