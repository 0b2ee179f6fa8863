//! `/demo`: shows a class what happens when something goes wrong.

use super::row::{Row, SessionCtx, Who, first_word};
use crate::core::{
    event::{Answer, Event, Question},
    hazard::{Announcement, DemoRequest, HAZARDS, Hazard},
    notice::{Refusal, notice},
    record::Change,
    rooms::{Action, LogLine, Rooms},
};

pub(super) const ROW: Row = Row::session(
    "demo",
    "[ask NAME|NAME [MS]|stop]",
    "shows the class a trouble, or asks first what will happen",
    demo,
)
.example("freeze")
.only_for(Who::DemoAdministrators);

fn demo(ctx: &mut SessionCtx<'_, '_>, arguments: &str) -> Result<String, Refusal> {
    let may = ctx.driver.ask(Event::Ask(Question::MayAdminister));
    if !matches!(may, Answer::MayAdminister(true)) {
        return Err("That is for administrators.".into());
    }
    Ok(ctx.driver.demonstrate(request(arguments)?)?)
}

fn request(arguments: &str) -> Result<DemoRequest, Refusal> {
    let (first, rest) = match first_word(arguments) {
        Ok((first, rest)) => (first, rest.trim()),
        Err(_) => return Ok(DemoRequest::List),
    };
    match first {
        "ask" => Ok(DemoRequest::Ask(hazard(rest)?)),
        "stop" if rest.is_empty() || rest == "all" => Ok(DemoRequest::Stop(None)),
        "stop" => Ok(DemoRequest::Stop(Some(hazard(rest)?))),
        name => {
            let hazard = hazard(name)?;
            let with = match rest.trim_end_matches("ms").trim() {
                "" => None,
                number => Some(number.parse().map_err(|_| Refusal::Usage)?),
            };
            Ok(DemoRequest::Begin(hazard, with))
        }
    }
}

fn hazard(name: &str) -> Result<&'static Hazard, Refusal> {
    let names = HAZARDS.each_ref().map(|hazard| hazard.name).join(", ");
    Hazard::named(name).ok_or_else(|| format!("There is {names}; and stop.").into())
}

/// Tells everybody what is being shown, and records who wanted it.
pub(crate) fn announce(rooms: &mut Rooms, announcement: Announcement) {
    let Announcement { hazard, by, audit, says, is_shown } = announcement;
    if let (Some(hazard), Some(is_shown)) = (hazard, is_shown) {
        let shown = &mut rooms.lasting.shown;
        shown.retain(|&other| other != hazard);
        shown.extend(is_shown.then_some(hazard));
    }
    if let Some(by) = by {
        let text = format!("{by} {audit}");
        rooms.actions.push(Action::Log(LogLine { event: "demo", text, ..LogLine::default() }));
        let now = rooms.now();
        rooms.pending.record(now, Change::Audit { by, what: audit });
    }
    if !says.is_empty() {
        rooms.tell_everybody(&notice(says));
    }
}

/// What there is. `shown`: the names of those that are being shown.
pub(crate) fn list(shown: &[&str]) -> String {
    let mut text =
        notice("/demo NAME shows it, /demo ask NAME asks the class first, /demo stop ends all:");
    for hazard in &HAZARDS {
        let is_shown = if shown.contains(&hazard.name) { " (now)" } else { "" };
        let does = hazard.describe(hazard.choices.first().copied().unwrap_or(0));
        text.push_str(&format!("***   {:<10} {does}{is_shown}\n", hazard.name));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_begins_asks_or_ends() {
        for (typed, wanted) in [
            ("", "list"),
            ("freeze", "begin freeze None"),
            ("DISK 50", "begin disk Some(50)"),
            ("disk 50 ms", "begin disk Some(50)"),
            ("ask freeze", "ask freeze"),
            ("stop", "stop all"),
            ("stop all", "stop all"),
            ("stop freeze", "stop freeze"),
        ] {
            let found = match request(typed).ok().unwrap() {
                DemoRequest::List => "list".to_owned(),
                DemoRequest::Ask(hazard) => format!("ask {}", hazard.name),
                DemoRequest::Begin(hazard, with) => format!("begin {} {with:?}", hazard.name),
                DemoRequest::Stop(hazard) => {
                    format!("stop {}", hazard.map_or("all", |hazard| hazard.name))
                }
            };
            assert_eq!(found, wanted, "{typed}");
        }
        for wrong in ["all", "ask", "ask all", "stop both", "disk soon"] {
            assert!(request(wrong).is_err(), "{wrong}");
        }
    }
}
