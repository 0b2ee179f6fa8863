//! What administrators may do. All of it takes effect at once, and is recorded and logged with its
//! author and time.

use super::{
    entry::describe_ban,
    row::{CommandResult, Reply, RoomsCtx, Row, Who, first_word, none, optional, required},
};
use crate::core::{
    address::ClientAddress,
    close_reason::CloseReason,
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
    row("shutdown", "[SECONDS|off]", "stops the server, now or in SECONDS", shutdown),
];

/// The most seconds before a shutdown: a day.
const SHUTDOWN_MAX: u64 = 24 * 60 * 60;
/// The longest time of a sanction that ends by itself: ten years.
const LASTS_MAX: u64 = 10 * 365 * 24 * 60 * 60;

/// Says something to everybody. Its author reads it too, and nobody can hide it.
fn announce(ctx: &mut RoomsCtx<'_>, text: &str) -> CommandResult {
    let text = required(text)?;
    ctx.audit(format!("announced: {text}"));
    let line = notice(format_args!("Announcement by {}: {text}", ctx.name()));
    let author = ctx.member().author();
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
    let until = ctx.rooms.config().until(sanction.until);
    let whom = describe(&sanction.target);
    Ok(Reply::notice(format_args!("{whom} is banned{until}; {sent_away} sent away.")))
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
    Ok(Reply::notice(format_args!("{} is muted{until}.", name.shown())))
}

/// Puts a sanction in force. `rest` is what was typed after the target: `[FOR] [WHY]`.
fn impose(
    ctx: &mut RoomsCtx<'_>,
    kind: SanctionKind,
    target: Target,
    rest: &str,
) -> Result<Sanction, Refusal> {
    let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (lasts, why) = match duration(first) {
        Some(lasts) => (Some(lasts), optional(after.trim_start())),
        None => (None, optional(rest)),
    };
    let now = ctx.rooms.now();
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

fn word(kind: SanctionKind) -> &'static str {
    match kind {
        SanctionKind::Ban => "banned",
        SanctionKind::Mute => "muted",
    }
}

/// `90s`, `30m`, `12h`, `7d`.
fn duration(text: &str) -> Option<Duration> {
    let unit = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 60 * 60,
        b'd' => 24 * 60 * 60,
        _ => return None,
    };
    let seconds = text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=LASTS_MAX).contains(&seconds).then(|| Duration::from_secs(seconds))
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
    if argument == "off" {
        ctx.audit("called the shutdown off".to_owned());
        ctx.rooms.act(Action::CancelShutDown);
        ctx.rooms.tell_everybody(&notice(format_args!("{by} called the shutdown off.")));
        return Ok(Reply::Now(String::new()));
    }
    let seconds = match argument {
        "" => 0,
        typed => typed.parse().ok().filter(|&s| s <= SHUTDOWN_MAX).ok_or(Refusal::Usage)?,
    };
    ctx.audit(format!("shuts the server down in {seconds} s"));
    ctx.rooms.act(Action::ShutDown(Duration::from_secs(seconds)));
    ctx.rooms.tell_everybody(&notice(format_args!("{by} shuts the server down in {seconds} s.")));
    Ok(Reply::Now(String::new()))
}
