//! What administrators may do. All of it takes effect at once, and is recorded and logged with its
//! author and time.

use super::{
    entry::describe_ban,
    row::{CommandResult, Reply, RoomsCtx, Row, Who, first_word, none, optional, required},
};
use crate::core::{
    address::ClientAddress,
    close_reason::CloseReason,
    length_of_time,
    notice::{Refusal, notice},
    record::{Change, Sanction, SanctionKind, Target},
    rooms::{Action, ClientKey, room::Lines},
};
use std::time::Duration;

/// A row for administrators.
const fn row(
    name: &'static str,
    arguments: &'static str,
    does: &'static str,
    run: fn(&mut RoomsCtx<'_>, &str) -> CommandResult,
) -> Row {
    Row::rooms(name, arguments, does, run).only_for(Who::Administrators)
}

pub(super) const ROWS: &[Row] = &[
    row("announce", "TEXT", "says TEXT in every room", announce),
    row("kick", "NAME [WHY]", "sends NAME away", kick),
    row("ban", "NAME|ADDRESS [FOR] [WHY]", "keeps NAME or ADDRESS out (30m, 12h, 7d)", ban),
    row("unban", "NAME|ADDRESS", "ends /ban", |ctx, who| lift(ctx, SanctionKind::Ban, who)),
    row("bans", "", "who is banned or muted, and for how long", bans),
    row("mute", "NAME [FOR] [WHY]", "silences NAME (for 30m, 12h, 7d)", mute),
    row("unmute", "NAME", "ends /mute", |ctx, who| lift(ctx, SanctionKind::Mute, who)),
    row("pause", "", "only you and who set the topic speak here", |ctx, arguments| {
        none(arguments)?;
        set_paused(ctx, true)
    }),
    row("resume", "", "ends /pause", |ctx, arguments| {
        none(arguments)?;
        set_paused(ctx, false)
    }),
    row("shutdown", "[IN|off]", "stops the server, now or IN 90s, 10m, 2h", shutdown),
];

/// The most seconds before a shutdown: a day.
const SHUTDOWN_MAX: u64 = 24 * 60 * 60;

/// Says something to everybody. Its author reads it too, and nobody can hide it.
fn announce(ctx: &mut RoomsCtx<'_>, text: &str) -> CommandResult {
    let text = required(text)?;
    ctx.audit(format!("announced: {text}"));
    let author = ctx.rooms.author(ctx.client);
    let line = notice(format_args!("Announcement by {}: {text}", author.name));
    ctx.rooms.announce(&author, &line);
    Ok(Reply::Now(String::new()))
}

fn kick(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let (typed, why) = first_word(arguments)?;
    let member = ctx.rooms.members().find(typed)?;
    if member == ctx.client {
        return Err("You cannot kick yourself: /quit leaves.".into());
    }
    let (name, by) = (ctx.rooms.members()[member].name().shown().to_owned(), ctx.name());
    if let Ok((Some(_), _)) = length_of_time::leading(why) {
        return Err(format!("A kick has no length. /ban {name} {why} keeps {name} out.").into());
    }
    let why = optional(why).map(|why| format!(": {why}")).unwrap_or_default();
    ctx.audit(format!("kicked {name}{why}"));
    ctx.rooms.kick(member, CloseReason::Kicked(format!("kicked by {by}{why}")));
    Ok(Reply::notice(format_args!("{name} is gone.")))
}

fn ban(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let (who, rest) = first_word(arguments)?;
    let sanction = impose(ctx, SanctionKind::Ban, target(ctx, who)?, rest)?;
    let reason = CloseReason::Banned(describe_ban(ctx.rooms.config(), &sanction));
    let others: Vec<ClientKey> =
        ctx.rooms.members().iter().map(|(key, _)| key).filter(|&key| key != ctx.client).collect();
    let mut sent_away = 0;
    for member in others {
        let (name, address) = {
            let member = &ctx.rooms.members()[member];
            (member.name().clone(), member.address())
        };
        let is_meant = ctx.rooms.sanctions.is_meant(&sanction.target, &name, address);
        if is_meant && !ctx.rooms.is_admin(member) {
            ctx.rooms.kick(member, reason.clone());
            sent_away += 1;
        }
    }
    let (whom, terms) = (describe(&sanction.target), terms(ctx, &sanction));
    Ok(Reply::notice(format_args!("{whom} is banned{terms}; {sent_away} sent away.")))
}

fn mute(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let (who, rest) = first_word(arguments)?;
    let name = ctx.rooms.config().names.check(who, "name")?;
    let sanction = impose(ctx, SanctionKind::Mute, Target::Name(name.shown().to_owned()), rest)?;
    let until = ctx.rooms.config().until(sanction.until);
    if let Some(member) = ctx.rooms.members().holder_of(&name) {
        let line = notice(format_args!("You are muted by {}{until}.", sanction.by));
        ctx.rooms.tell(member, &line);
    }
    let terms = terms(ctx, &sanction);
    Ok(Reply::notice(format_args!("{} is muted{terms}.", name.shown())))
}

/// Puts a sanction in force. `rest` is what was typed after the target: `[FOR] [WHY]`.
fn impose(
    ctx: &mut RoomsCtx<'_>,
    kind: SanctionKind,
    target: Target,
    rest: &str,
) -> Result<Sanction, Refusal> {
    let (lasts, why) = length_of_time::leading(rest)
        .map_err(|error| format!("{error} A reason begins with a letter."))?;
    let (why, now) = (optional(why), ctx.rooms.now());
    let until = lasts.and_then(|lasts| now.checked_add(lasts).ok());
    let sanction = Sanction { kind, target, until, by: ctx.name(), why };
    ctx.rooms.sanctions.impose(sanction.clone(), now)?;
    let why = sanction.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let until = ctx.rooms.config().until(until);
    ctx.audit(format!("{} {}{until}{why}", word(kind), describe(&sanction.target)));
    ctx.rooms.pending.record(now, Change::Sanctioned(sanction.clone()));
    Ok(sanction)
}

fn lift(ctx: &mut RoomsCtx<'_>, kind: SanctionKind, who: &str) -> CommandResult {
    let who = required(who)?;
    let target = target(ctx, who)?;
    let (whom, word, now) = (describe(&target), word(kind), ctx.rooms.now());
    let Some(lifted) = ctx.rooms.sanctions.lift(kind, &target) else {
        return Err(format!("{whom} is not {word}.").into());
    };
    ctx.rooms.pending.record(now, Change::SanctionLifted(kind, lifted.target));
    ctx.audit(format!("lifted: {whom} is {word} no longer"));
    if let (SanctionKind::Mute, Ok(member)) = (kind, ctx.rooms.members().find(who)) {
        ctx.rooms.tell(member, &notice("You are muted no longer."));
    }
    Ok(Reply::notice(format_args!("{whom} is {word} no longer.")))
}

fn bans(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    none(arguments)?;
    let (config, now) = (ctx.rooms.config().clone(), ctx.rooms.now());
    let mut text = String::new();
    for Sanction { kind, target, until, by, why } in ctx.rooms.sanctions.list(now) {
        let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let (until, word) = (config.until(*until), word(*kind));
        text.push_str(&format!("***   {:<21} {word}{until} by {by}{why}\n", describe(target)));
    }
    Ok(match text.is_empty() {
        true => Reply::notice("Nobody is banned or muted."),
        false => Reply::Now(notice("Banned and muted:") + &text),
    })
}

/// The target that an administrator means. An address has a colon or begins with a digit; no name
/// does.
fn target(ctx: &RoomsCtx<'_>, typed: &str) -> Result<Target, Refusal> {
    if typed.contains(':') || typed.starts_with(|c: char| c.is_ascii_digit()) {
        return match typed.parse::<ClientAddress>() {
            Ok(address) => Ok(Target::Address(address.to_string())),
            Err(_) => Err(format!("{typed} is no address, like 192.0.2.7 or 2001:db8::1.").into()),
        };
    }
    Ok(Target::Name(ctx.rooms.config().names.check(typed, "name")?.shown().to_owned()))
}

fn describe(target: &Target) -> &str {
    match target {
        Target::Name(name) | Target::Address(name) => name,
    }
}

/// How long a sanction lasts, and why: an administrator sees how their words were understood.
fn terms(ctx: &RoomsCtx<'_>, sanction: &Sanction) -> String {
    let until = match sanction.until {
        None => " for ever".to_owned(),
        until => ctx.rooms.config().until(until),
    };
    let why = sanction.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    until + &why
}

fn word(kind: SanctionKind) -> &'static str {
    match kind {
        SanctionKind::Ban => "banned",
        SanctionKind::Mute => "muted",
    }
}

fn set_paused(ctx: &mut RoomsCtx<'_>, is_paused: bool) -> CommandResult {
    let room = ctx.rooms.room_of_mut(ctx.client);
    let name = room.name().to_owned();
    if room.is_paused() == is_paused {
        let is = if is_paused { "paused" } else { "open" };
        return Err(format!("{name} is {is} already.").into());
    }
    room.set_paused(is_paused);
    ctx.audit(format!("{} {name}", if is_paused { "paused" } else { "resumed" }));
    let by = ctx.name();
    let sentence = match is_paused {
        true => format!(
            "{by} paused {name}: who sets the topic speaks, and administrators. /hand raises your hand."
        ),
        false => format!("{by} resumed {name}: everybody speaks again."),
    };
    ctx.rooms.tell_room(ctx.client, &Lines::of_server(&notice(sentence)));
    Ok(Reply::Now(String::new()))
}

fn shutdown(ctx: &mut RoomsCtx<'_>, argument: &str) -> CommandResult {
    let by = ctx.name();
    if argument.eq_ignore_ascii_case("off") {
        ctx.audit("called the shutdown off".to_owned());
        ctx.rooms.act(Action::CancelShutDown);
        ctx.rooms.tell_everybody(&notice(format_args!("{by} called the shutdown off.")));
        return Ok(Reply::Now(String::new()));
    }
    let seconds = seconds_until(argument)?;
    ctx.audit(format!("shuts the server down in {seconds} s"));
    ctx.rooms.act(Action::ShutDown(Duration::from_secs(seconds)));
    ctx.rooms.tell_everybody(&notice(format_args!("{by} shuts the server down in {seconds} s.")));
    Ok(Reply::Now(String::new()))
}

/// The seconds until a shutdown: none, a bare number, or a length of time.
fn seconds_until(typed: &str) -> Result<u64, Refusal> {
    let seconds = match typed {
        "" | "0" => 0,
        typed if typed.bytes().all(|b| b.is_ascii_digit()) => typed.parse().unwrap_or(u64::MAX),
        typed => length_of_time::whole(typed)?.as_secs(),
    };
    match seconds {
        0..=SHUTDOWN_MAX => Ok(seconds),
        _ => Err("A shutdown is at most a day ahead. Like this: /shutdown 90s".into()),
    }
}
