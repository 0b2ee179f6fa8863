//! What administrators may do. All of it takes effect at once, and is recorded and logged with its
//! author and time.

use super::row::{CommandResult, Reply, RoomsCtx, Row, Who, first_word, none, optional, required};
use crate::core::{
    address::ClientAddress,
    close_reason::CloseReason,
    length_of_time,
    notice::{Refusal, notice},
    record::{Change, Sanction, SanctionKind, Target},
    rooms::{
        Action, ClientKey, Rooms,
        identity::{mute_as, other_from_there},
        member::Member,
        programs::note_hand,
    },
    sentences::{ANNOUNCEMENT, without_mark},
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
    row("announce", "TEXT", "says TEXT in every room", announce).example("a break of ten minutes"),
    row("kick", "NAME [WHY]", "sends NAME away", kick).example("bob please read the rules"),
    row("ban", "NAME|ADDRESS [FOR] [WHY]", "keeps NAME or ADDRESS out (30m, 12h, 7d)", ban)
        .example("bob 2 days spam"),
    row("unban", "NAME|ADDRESS", "ends /ban", |ctx, who| lift(ctx, SanctionKind::Ban, who))
        .example("bob"),
    row("bans", "", "who is banned or muted, and for how long", bans),
    row("mute", "NAME [FOR] [WHY]", "silences NAME (for 30m, 12h, 7d)", mute)
        .example("bob 10m too loud"),
    row("unmute", "NAME", "ends /mute", |ctx, who| lift(ctx, SanctionKind::Mute, who))
        .example("bob"),
    row("shutdown", "[IN|off]", "stops the server, now or IN 90s, 10m, 2h", shutdown)
        .example("10m"),
];

/// The most seconds before a shutdown: a day.
const SHUTDOWN_MAX: u64 = 24 * 60 * 60;

/// Says something to everybody. Its author reads it too, and nobody can hide it.
fn announce(ctx: &mut RoomsCtx<'_>, text: &str) -> CommandResult {
    let text = required(text)?;
    ctx.audit(format!("announced: {text}"));
    let author = ctx.rooms.person(ctx.client).author();
    let line = notice(format_args!("{ANNOUNCEMENT}{}: {text}", author.name));
    ctx.rooms.announce(&author, &line);
    Ok(Reply::Now(String::new()))
}

fn kick(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let (typed, why) = first_word(arguments)?;
    let member = ctx.rooms.find(typed)?;
    if member == ctx.client {
        return Err("You cannot kick yourself: /quit leaves.".into());
    }
    let (whom, by) = (ctx.rooms.person(member).describe(), ctx.name());
    if let Ok((Some(_), _)) = length_of_time::leading(why) {
        let name = ctx.rooms.members()[member].name().shown();
        return Err(format!("A kick has no length. /ban {name} {why} keeps {name} out.").into());
    }
    let why = optional(why).map(|why| format!(": {why}")).unwrap_or_default();
    ctx.audit(format!("kicked {whom}{why}"));
    ctx.rooms.kick(member, CloseReason::Kicked(format!("kicked by {by}{why}")));
    Ok(Reply::notice(format_args!("{whom} is gone.")))
}

// --- Bans and mutes ---

/// Whom a ban or a mute is for.
struct Subject {
    target: Target,
    /// They are here.
    member: Option<ClientKey>,
    /// As administrators read it: `kurt (logged in as carl)`.
    shown: String,
}

fn ban(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let (who, rest) = first_word(arguments)?;
    let subject = subject(ctx, who)?;
    let reservation = reservation(ctx, &subject);
    let sanction = impose(ctx, SanctionKind::Ban, &subject, rest)?;
    let reason = CloseReason::Banned(ctx.rooms.config().describe_ban(&sanction));
    let everybody = ctx.rooms.members().iter().map(|(key, _)| key);
    let is_meant = |&member: &ClientKey| is_sent_away(ctx.rooms, &sanction.target, member);
    let meant: Vec<ClientKey> = everybody.filter(is_meant).collect();
    for &member in &meant {
        ctx.rooms.kick(member, reason.clone());
    }
    let (whom, terms, sent_away) = (subject.shown, terms(ctx, &sanction), meant.len());
    let line = notice(format_args!("{whom} is banned{terms}; {sent_away} sent away."));
    Ok(Reply::Now(line + &reservation))
}

fn mute(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let (who, rest) = first_word(arguments)?;
    let subject = subject(ctx, who)?;
    if let Target::Address(_) = subject.target {
        return Err(
            "An address is not muted. /mute NAME silences one, and /ban keeps an address out."
                .into(),
        );
    }
    let sanction = impose(ctx, SanctionKind::Mute, &subject, rest)?;
    if let Some(member) = subject.member {
        let until = ctx.rooms.config().until(sanction.until);
        let key = ctx.rooms.person(member).lasting_key().to_owned();
        let had_hand = ctx.rooms.members()[member].hand().is_some();
        mute_as(ctx.rooms, member, key);
        if had_hand {
            note_hand(ctx.rooms, member);
        }
        ctx.rooms.tell(member, &notice(format_args!("You are muted by {}{until}.", sanction.by)));
    }
    let terms = terms(ctx, &sanction);
    let line = notice(format_args!("{} is muted{terms}.", subject.shown));
    Ok(Reply::Now(line + &reservation(ctx, &subject)))
}

/// Whether a sanction of `target` holds for this member: a ban sends them away. Administrators stay.
fn is_sent_away(rooms: &Rooms, target: &Target, member: ClientKey) -> bool {
    let address = rooms.members()[member].address();
    let is_meant = |key: &str| rooms.sanctions.means(target, key, address);
    !rooms.is_admin(member) && rooms.person(member).keys().any(is_meant)
}

/// Whom an administrator means.
fn subject(ctx: &RoomsCtx<'_>, typed: &str) -> Result<Subject, Refusal> {
    if let Some(address) = ClientAddress::meant(typed)? {
        let shown = address.to_string();
        return Ok(Subject { target: Target::Address(shown.clone()), member: None, shown });
    }
    if let Ok(member) = ctx.rooms.find(typed) {
        let person = ctx.rooms.person(member);
        let (target, shown) = (person.target(), person.describe());
        return Ok(Subject { target, member: Some(member), shown });
    }
    let name = ctx.rooms.config().names.check(without_mark(typed), "name")?;
    let account = ctx.rooms.accounts.named(&name).map(|account| account.name.clone());
    let shown = account.unwrap_or_else(|| name.shown().to_owned());
    Ok(Subject { target: Target::Name(shown.clone()), member: None, shown })
}

/// For whom a sanction does not hold, as far as an administrator can do something about it.
fn reservation(ctx: &RoomsCtx<'_>, subject: &Subject) -> String {
    let other = subject.member.and_then(|member| other_from_there(ctx.rooms, member));
    let other = other.filter(|&other| !is_sent_away(ctx.rooms, &subject.target, other));
    let other = other.map(|other| ctx.rooms.person(other).describe());
    let other = other.map(|other| {
        notice(format_args!(
            "{other} is here from the same address, perhaps the same person: it does not hold for {other}."
        ))
    });
    without_account(ctx, subject) + &other.unwrap_or_default()
}

/// What an administrator has to know of a sanction of somebody without an account; nothing, if it is
/// no such one.
fn without_account(ctx: &RoomsCtx<'_>, subject: &Subject) -> String {
    match subject.member {
        Some(member) if ctx.rooms.account_of(member).is_none() => {
            let (name, address) = (&subject.shown, ctx.rooms.members()[member].address());
            notice(format_args!(
                "{name} has no account, and can come again under another name. /ban {address} keeps everybody out who comes from there."
            ))
        }
        None => {
            // Perhaps it was a slip of the keyboard.
            let Target::Name(name) = &subject.target else { return String::new() };
            let name = ctx.rooms.config().names.check(name, "name");
            match name.is_ok_and(|name| ctx.rooms.accounts.named(&name).is_none()) {
                true => notice(format_args!(
                    "Nobody here is called {0}, and no account is.",
                    subject.shown
                )),
                false => String::new(),
            }
        }
        Some(_) => String::new(),
    }
}

/// Refuses a sanction against an administrator: it would not hold. One against the administrator's
/// own address is refused once.
fn spare(ctx: &mut RoomsCtx<'_>, kind: SanctionKind, subject: &Subject) -> Result<(), Refusal> {
    let Subject { target, member, shown } = subject;
    if *member == Some(ctx.client) {
        return Err(match kind {
            SanctionKind::Ban => "You cannot ban yourself: /quit leaves.".into(),
            SanctionKind::Mute => "You cannot mute yourself.".into(),
        });
    }
    let is_admin = match (member, target) {
        (Some(member), _) => ctx.rooms.is_admin(*member),
        (None, Target::Name(name)) => {
            let name = ctx.rooms.config().names.check(name, "name")?;
            ctx.rooms.accounts.named(&name).is_some_and(|account| account.is_admin)
        }
        (None, Target::Address(_)) => false,
    };
    if is_admin {
        let word = word(kind);
        return Err(
            format!("{shown} is an administrator, and administrators are not {word}.").into()
        );
    }
    let own = ctx.member().address();
    let is_own = *target == Target::Address(own.to_string());
    let was_warned = ctx.rooms.members_mut()[ctx.client].warn_of_own_address(is_own);
    if is_own && !was_warned {
        let members = ctx.rooms.members().iter();
        let is_hit =
            |&(key, m): &(ClientKey, &Member)| m.address() == own && !ctx.rooms.is_admin(key);
        let hit = members.filter(is_hit).count();
        return Err(format!(
            "{shown} is your own address. A ban would send {hit} away, and keep out everybody who comes from there but administrators. /ban NAME bans one of them. Type it again to ban the address all the same."
        )
        .into());
    }
    Ok(())
}

/// Puts a sanction in force. `rest` is what was typed after the target: `[FOR] [WHY]`.
fn impose(
    ctx: &mut RoomsCtx<'_>,
    kind: SanctionKind,
    subject: &Subject,
    rest: &str,
) -> Result<Sanction, Refusal> {
    let command = match kind {
        SanctionKind::Ban => "/ban",
        SanctionKind::Mute => "/mute",
    };
    let command = format!("{command} {}", describe(&subject.target));
    let (lasts, why) = length_of_time::before_a_reason(rest, &command)?;
    spare(ctx, kind, subject)?;
    let (why, now) = (optional(why), ctx.rooms.now());
    let until = lasts.and_then(|lasts| now.checked_add(lasts).ok());
    let sanction = Sanction { kind, target: subject.target.clone(), until, by: ctx.name(), why };
    let replaced = ctx.rooms.sanctions.impose(sanction.clone(), now)?;
    let why = sanction.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let until = ctx.rooms.config().until(until);
    ctx.audit(format!("{} {}{until}{why}", word(kind), subject.shown));
    for target in replaced {
        ctx.rooms.pending.record(now, Change::SanctionLifted(kind, target));
    }
    ctx.rooms.pending.record(now, Change::Sanctioned(sanction.clone()));
    Ok(sanction)
}

/// Ends every sanction of this kind that holds for whom the administrator means: for their account,
/// and for their name.
fn lift(ctx: &mut RoomsCtx<'_>, kind: SanctionKind, who: &str) -> CommandResult {
    let who = required(who)?;
    let Subject { target, member, shown } = subject(ctx, who)?;
    let mut targets = vec![target];
    if let Some(member) = member {
        let keys = ctx.rooms.person(member).keys();
        targets.extend(keys.map(|key| Target::Name(key.to_owned())));
    }
    let (word, now) = (word(kind), ctx.rooms.now());
    let is_muted = |rooms: &Rooms, member: &ClientKey| rooms.mute_of(*member).is_some();
    let members = ctx.rooms.members().iter().map(|(key, _)| key);
    let muted: Vec<ClientKey> = members.filter(|member| is_muted(ctx.rooms, member)).collect();
    let lifted: Vec<Sanction> =
        targets.iter().flat_map(|target| ctx.rooms.sanctions.lift(kind, target)).collect();
    if lifted.is_empty() {
        return Err(format!("{shown} is not {word}.").into());
    }
    for sanction in lifted {
        ctx.rooms.pending.record(now, Change::SanctionLifted(kind, sanction.target));
    }
    ctx.audit(format!("lifted: {shown} is {word} no longer"));
    for member in
        muted.into_iter().filter(|member| !is_muted(ctx.rooms, member)).collect::<Vec<_>>()
    {
        ctx.rooms.tell(member, &notice("You are muted no longer."));
    }
    Ok(Reply::notice(format_args!("{shown} is {word} no longer.")))
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

fn shutdown(ctx: &mut RoomsCtx<'_>, argument: &str) -> CommandResult {
    let by = ctx.name();
    if argument.eq_ignore_ascii_case("off") {
        ctx.audit("called the shutdown off".to_owned());
        ctx.rooms.actions.push(Action::CancelShutDown);
        ctx.rooms.lasting.stop_at = None;
        ctx.rooms.tell_everybody(&notice(format_args!("{by} called the shutdown off.")));
        return Ok(Reply::Now(String::new()));
    }
    let seconds = seconds_until(argument)?;
    ctx.audit(format!("shuts the server down in {seconds} s"));
    let after = Duration::from_secs(seconds);
    ctx.rooms.actions.push(Action::ShutDown(after));
    ctx.rooms.lasting.stop_at = ctx.rooms.now().checked_add(after).ok();
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
