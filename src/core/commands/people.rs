//! Names and people: who is here, what they are called, whom they ignore.

use super::{
    row::{CommandResult, Reply, RoomsCtx, Row, none, optional, required},
    talk::set,
};
use crate::core::{
    name::Name,
    notice::{Refusal, notice, push_wrapped},
    record::SanctionKind,
    rooms::{
        ClientKey, Rooms,
        identity::{AWAY, away_of},
        lasting::describe_mark,
        member::{Ignored, Preference},
        programs::describe_who,
        room::Room,
    },
    sentences,
};
use jiff::Timestamp;
use std::{borrow::Cow, iter::once};

pub(super) const ROWS: &[Row] = &[
    Row::rooms("nick", "NAME", "changes your name", nick).example("carol"),
    Row::rooms("who", "", "who is in this room, idle for how long", who),
    Row::rooms("names", "", "the names in every room", names),
    Row::rooms("whois", "NAME", "where NAME is, and since when", whois).example("bob"),
    Row::rooms("away", "[WHY]", "tells others that you are away, and why", away).example("lunch"),
    Row::rooms("back", "", "ends /away", back),
    Row::rooms("ignore", "[NAME]", "hides what NAME says, or lists whom you ignore", ignore)
        .example("bob"),
    Row::rooms("unignore", "NAME", "ends /ignore", unignore).example("bob"),
    Row::rooms("quiet", "[on|off]", "leaves out who comes and goes", quiet).example("on"),
];

/// The most names that one client may ignore.
const IGNORED_MAX: usize = 100;

// --- Names ---

fn nick(ctx: &mut RoomsCtx<'_>, typed: &str) -> CommandResult {
    let name = ctx.rooms.config().names.check(required(typed)?, "name")?;
    if ctx.rooms.config().anonymous {
        return Err("Nobody has a name here: --anonymous.".into());
    }
    ctx.rooms.may_speak(ctx.client)?; // others read the new name
    let mine = ctx.member().account();
    if let Some(account) = ctx.rooms.accounts.named(&name)
        && mine != Some(account.id)
    {
        let name = &account.name;
        return Err(format!("{name} is registered. /login {name} asks for its password.").into());
    }
    let now = ctx.rooms.now();
    for (kind, word) in [(SanctionKind::Ban, "banned"), (SanctionKind::Mute, "muted")] {
        if let Some(it) = ctx.rooms.sanctions.in_force(kind, once(name.key()), None, now) {
            return Err(format!("The name {} is {word} by {}.", name.shown(), it.by).into());
        }
    }
    name_is_free(ctx.rooms, &name, Some(ctx.client))?;
    let text = change_name(ctx, name.clone());
    Ok(Reply::Named(name, text + &describe_who(ctx.rooms, ctx.client, None)))
}

/// Gives a member another name, and tells their room. Returns what they read.
pub(super) fn change_name(ctx: &mut RoomsCtx<'_>, name: Name) -> String {
    let text = notice(sentences::you_are_now(name.shown()));
    ctx.rooms.rename(ctx.client, name);
    text + &describe_mark(ctx.member())
}

/// Whether `client` can have this name. They may have another one now.
pub(super) fn name_is_free(
    rooms: &mut Rooms,
    name: &Name,
    client: Option<ClientKey>,
) -> Result<(), Refusal> {
    let wanted = name.shown();
    if rooms.accounts.is_reserved(name) {
        return Err(sentences::name_is_taken(wanted).into());
    }
    // The operator may have made an account of this name: whoever asks has shown that it is theirs.
    if rooms.accounts.named(name).is_none() && rooms.config().names.is_official(name) {
        return Err(format!(
            "The name \"{wanted}\" is kept for accounts of the server's operator."
        )
        .into());
    }
    let Some(holder) = rooms.members().holders_of(name).find(|holder| Some(*holder) != client)
    else {
        return Ok(());
    };
    let taken = rooms.members()[holder].name();
    if name.is_same_word(taken) {
        return Err(sentences::name_is_taken(wanted).into());
    }
    Err(format!("The name \"{wanted}\" looks like \"{}\", who is here.", taken.shown()).into())
}

/// What whoever is an administrator from now on is told of what lasts.
pub(super) fn describe_to_administrator(ctx: &RoomsCtx<'_>) -> String {
    match ctx.rooms.is_admin(ctx.client) {
        true => ctx.rooms.lasting.describe_to_administrators(ctx.rooms.config()),
        false => String::new(),
    }
}

/// Says that a client is muted, if they are.
pub(super) fn describe_mute(ctx: &RoomsCtx<'_>) -> String {
    match ctx.rooms.may_write(ctx.client) {
        Err(Refusal::Because(sentence)) => notice(sentence),
        Ok(()) | Err(Refusal::Usage) => String::new(),
    }
}

// --- Who is here ---

fn who(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    none(arguments)?;
    let (room, now) = (ctx.rooms.room_of(ctx.client), ctx.rooms.now());
    let mut text = format!("*** {} in {}:\n", room.members().len(), room.name());
    for key in sorted_members(ctx.rooms, room) {
        let member = &ctx.rooms.members()[key];
        let idle = span(member.active(), now);
        let row = sentences::person_row(&shown(ctx.rooms, key), &idle, away_of(ctx.rooms, key));
        text.push_str(&notice(row));
    }
    Ok(Reply::Now(text))
}

fn names(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    none(arguments)?;
    let mut text = String::new();
    for room in ctx.rooms.rooms.iter().filter(|room| !room.members().is_empty()) {
        let lead = sentences::names_heading(room.name(), room.members().len());
        let names = sorted_members(ctx.rooms, room);
        push_wrapped(&mut text, &lead, &all_shown(ctx.rooms, &names));
        text.push('\n');
    }
    Ok(Reply::Now(text))
}

fn whois(ctx: &mut RoomsCtx<'_>, typed: &str) -> CommandResult {
    let found = ctx.rooms.find(required(typed)?)?;
    let (member, now) = (&ctx.rooms.members()[found], ctx.rooms.now());
    let account = match ctx.rooms.account_of(found) {
        Some(account) if account.is_admin => {
            format!(" Administrator, logged in as {}.", account.name)
        }
        Some(account) => format!(" Logged in as {}.", account.name),
        None => String::new(),
    };
    let instructor = if member.is_instructor() { " Instructor." } else { "" };
    let from = match ctx.rooms.is_admin(ctx.client) {
        true => format!(" From {}.", member.address()),
        false => String::new(),
    };
    let away = away_of(ctx.rooms, found).map(|why| format!(" Away: {why}.")).unwrap_or_default();
    Ok(Reply::notice(format_args!(
        "{} is in {}, connected for {}, idle for {}. Connection c{}.{account}{instructor}{from}{away}",
        member.shown(),
        ctx.rooms.room_of(found).name(),
        span(member.since(), now),
        span(member.active(), now),
        member.client(),
    )))
}

/// Who is in a room, by name.
pub(super) fn sorted_members(rooms: &Rooms, room: &Room) -> Vec<ClientKey> {
    let mut members = room.members().to_vec();
    members.sort_by_key(|&member| rooms.members()[member].name().key());
    members
}

/// A member's name as lists show it: an administrator's is marked.
fn shown(rooms: &Rooms, member: ClientKey) -> Cow<'_, str> {
    match rooms.person(member).label() {
        Some(label) => Cow::Owned(label),
        None => Cow::Borrowed(rooms.members()[member].name().shown()),
    }
}

pub(super) fn all_shown<'a>(rooms: &'a Rooms, members: &[ClientKey]) -> Vec<Cow<'a, str>> {
    members.iter().map(|&member| shown(rooms, member)).collect()
}

/// How long ago something was, in the largest unit that is not zero.
fn span(from: Timestamp, to: Timestamp) -> String {
    match (to.as_second() - from.as_second()).max(0) {
        s @ ..60 => format!("{s} s"),
        s @ ..3_600 => format!("{} min", s / 60),
        s @ ..86_400 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

// --- Being away ---

fn away(ctx: &mut RoomsCtx<'_>, why: &str) -> CommandResult {
    if !why.is_empty() {
        ctx.rooms.may_speak(ctx.client)?; // others read the reason
    }
    let why = optional(why).unwrap_or_else(|| AWAY.to_owned());
    let reply = Reply::notice(sentences::you_are_away(&why));
    ctx.rooms.members_mut()[ctx.client].set_away(Some(why));
    Ok(reply)
}

fn back(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    none(arguments)?;
    let was_away = ctx.rooms.members_mut()[ctx.client].set_away(None).is_some();
    Ok(Reply::notice(if was_away { sentences::WELCOME_BACK } else { sentences::WAS_NOT_AWAY }))
}

// --- Ignoring ---

fn quiet(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let sentences =
        ["You read who comes and goes again.", "You no longer read who comes and goes."];
    set(ctx, Preference::Quiet, arguments, sentences)
}

fn ignore(ctx: &mut RoomsCtx<'_>, typed: &str) -> CommandResult {
    if typed.is_empty() {
        return Ok(list_ignored(ctx));
    }
    let found = ctx.rooms.find(typed);
    if found.as_ref().is_ok_and(|&member| member == ctx.client) {
        return Err("You cannot ignore yourself.".into());
    }
    let typed = sentences::without_mark(typed);
    let (ignored, whom) = match found {
        Ok(client) => {
            let member = &ctx.rooms.members()[client];
            let (name, account) = (member.name().clone(), member.account());
            let whom = ctx.rooms.person(client).describe();
            (Ignored { name, client: Some(client), account }, whom)
        }
        Err(nobody) => {
            let name = ctx.rooms.config().names.check(typed, "name").map_err(|_| nobody)?;
            let account = ctx.rooms.accounts.named(&name).map(|account| account.id);
            let whom = name.shown().to_owned();
            (Ignored { name, client: None, account }, whom)
        }
    };
    let all = ctx.rooms.members_mut()[ctx.client].ignored_mut();
    if all.len() >= IGNORED_MAX {
        return Err(format!("You ignore {IGNORED_MAX} names, which is the most.").into());
    }
    let reply = Reply::notice(format_args!("You no longer read what {whom} says."));
    all.retain(|other| {
        other.name.key() != ignored.name.key()
            && (other.client != ignored.client || other.client.is_none())
            && (other.account != ignored.account || other.account.is_none())
    });
    all.push(ignored);
    ctx.rooms.refilter(ctx.client);
    Ok(reply)
}

fn unignore(ctx: &mut RoomsCtx<'_>, typed: &str) -> CommandResult {
    let typed = sentences::without_mark(required(typed)?);
    let found = ctx.rooms.find(typed).ok();
    let name = ctx.rooms.config().names.check(typed, "name").ok();
    let account = name.as_ref().and_then(|name| ctx.rooms.accounts.named(name)).map(|it| it.id);
    let key = name.map_or_else(|| typed.to_owned(), |name| name.key().to_owned());
    let is_meant = |name: &Name| name.key() == key || name.shown() == typed;
    let ignored = ctx.member().ignored();
    let mut is_kept = ignored
        .iter()
        .map(|ignored| {
            let is_found = (found.is_some() && ignored.client == found)
                || (account.is_some() && ignored.account == account);
            !is_found && !is_meant(&ignored.name) && !is_meant(name_now(ctx.rooms, ignored))
        })
        .collect::<Vec<bool>>()
        .into_iter();
    if is_kept.as_slice().iter().all(|&kept| kept) {
        return Err(format!("You do not ignore {typed}.").into());
    }
    let ignored = ctx.rooms.members_mut()[ctx.client].ignored_mut();
    ignored.retain(|_| is_kept.next().unwrap_or(true));
    ctx.rooms.refilter(ctx.client);
    Ok(Reply::notice(format_args!("You read what {typed} says again.")))
}

fn list_ignored(ctx: &RoomsCtx<'_>) -> Reply {
    let ignored = ctx.member().ignored().iter();
    let names: Vec<&str> = ignored.map(|ignored| name_now(ctx.rooms, ignored).shown()).collect();
    if names.is_empty() {
        return Reply::notice("You ignore nobody.");
    }
    let mut text = String::new();
    push_wrapped(&mut text, "You ignore:", &names);
    Reply::Now(text + ".\n")
}

/// Every name under which somebody who is ignored may have said something.
pub(super) fn names_of(rooms: &Rooms, ignored: &Ignored) -> Vec<String> {
    let account = ignored.account.and_then(|id| rooms.accounts.get(id));
    let names = [ignored.name.shown(), name_now(rooms, ignored).shown()];
    let account = account.map(|account| &*account.name);
    names.into_iter().chain(account).map(str::to_owned).collect()
}

/// The name that somebody ignored has now.
fn name_now<'a>(rooms: &'a Rooms, ignored: &'a Ignored) -> &'a Name {
    let members = rooms.members();
    let owner = || ignored.account.and_then(|id| members.logged_in_to(id).next());
    let client = ignored.client.filter(|&client| members.contains(client)).or_else(owner);
    let member = client.and_then(|client| members.get(client));
    member.map_or(&ignored.name, |member| member.name())
}
