//! An instructor: whoever gives the pairing code has an administrator's rights, until the connection
//! ends. So a class without accounts has somebody in charge.

use super::{
    people::describe_to_administrator,
    row::{CommandResult, Reply, RoomsCtx, Row, SessionCtx, required},
};
use crate::core::{
    event::{Answer, Event, Question},
    notice::{Refusal, notice},
    rooms::{coming_back::end_token, programs::describe_who},
    sentences::{NAME_QUESTION, YOU_ARE_INSTRUCTOR},
};

pub(super) const ROWS: &[Row] = &[Row::session(
    "instructor",
    "CODE|new",
    "gives you an administrator's rights here, by the code on the server's console",
    instructor,
)
.example("K7MQ-2R4T")
.also_at_the_door()];

/// For the audit, and the log.
pub(super) const ENTERS: &str = "is an instructor, by the pairing code";

fn instructor(ctx: &mut SessionCtx<'_, '_>, typed: &str) -> Result<String, Refusal> {
    let typed = required(typed)?;
    if !ctx.session.config.has_code {
        return Err("This server has no code for instructors: it runs without --instructor.".into());
    }
    if typed.eq_ignore_ascii_case("new") {
        return make_code(ctx);
    }
    ctx.session.offer_code(typed, ctx.driver);
    Ok(String::new())
}

/// Makes another code, and shows it.
fn make_code(ctx: &mut SessionCtx<'_, '_>) -> Result<String, Refusal> {
    if ctx.session.is_naming() {
        return Err(format!("That has to wait until you are in. {NAME_QUESTION}").into());
    }
    match ctx.driver.ask(Event::Ask(Question::AnotherCode)) {
        Answer::MayAdminister(true) => {
            let code = ctx.driver.make_code()?;
            Ok(notice(format_args!(
                "The code is {code} from now on. Whoever is an instructor already stays one until they leave."
            )))
        }
        _ => Err("Only an instructor makes another code: /instructor CODE.".into()),
    }
}

/// Makes a member an instructor: they gave the code.
pub(crate) fn become_instructor(ctx: &mut RoomsCtx<'_>) -> CommandResult {
    if ctx.member().is_instructor() {
        return Err("You are an instructor already.".into());
    }
    end_token(ctx.rooms, ctx.client);
    ctx.rooms.members_mut()[ctx.client].become_instructor();
    ctx.audit(ENTERS.to_owned());
    let text = notice(format_args!("{YOU_ARE_INSTRUCTOR} /help lists what you may do."));
    let text = text + &describe_to_administrator(ctx);
    Ok(Reply::Now(text + &describe_who(ctx.rooms, ctx.client, None)))
}

/// Whether a member may make another code. If so, that is recorded, and the code is not.
pub(crate) fn another_code(ctx: &mut RoomsCtx<'_>) -> Answer {
    let may = ctx.rooms.is_admin(ctx.client);
    if may {
        ctx.audit("made another code for instructors".to_owned());
    }
    Answer::MayAdminister(may)
}
