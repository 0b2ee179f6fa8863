//! Coming in: whether a client may, and under which name.

use super::{
    account::{log_login, make_way},
    instructor,
    mail::describe_mail,
    people::{describe_mute, describe_to_administrator, name_is_free},
    places::describe_place,
    row::RoomsCtx,
};
use crate::core::{
    close_reason::CloseReason,
    event::{Answer, ClientId, Entry, Login},
    notice::{Refusal, notice},
    record::SanctionKind,
    rooms::{
        Action, ClientKey, LogLine, Rooms, coming_back,
        identity::inherit_mute,
        member::Member,
        programs::{describe_who, set_reads_notes},
    },
    token::Token,
};
use std::{iter::once, mem::replace};

/// Lets a client try for a place that is kept for an administrator, or says why not.
pub(crate) fn take_reserve(ctx: &mut RoomsCtx<'_>, most: usize) -> Answer {
    let has_administrator = ctx.rooms.accounts.has_administrator();
    let may_log_in = has_administrator && !ctx.rooms.lasting.names_are_unchecked;
    let may_come_back = ctx.rooms.resumable.is_anybody_here(); // in the place of their old connection
    match may_log_in || ctx.rooms.config().has_code || may_come_back {
        true => Answer::default(),
        false => Answer::Close(CloseReason::Full(most)),
    }
}

/// Lets a client in, or says why not.
pub(crate) fn enter(ctx: &mut RoomsCtx<'_>, client: ClientId, mut entry: Entry) -> Answer {
    if let Some(refused) = refuse(ctx, &entry) {
        return refused;
    }
    let name = entry.name.clone();
    // Another process may have deleted the account since the password was right.
    let is_there = |login: &Login| ctx.rooms.accounts.get(login.account).is_some();
    entry.login = entry.login.filter(is_there);
    if let Some(login) = &entry.login {
        make_way(ctx, &name, login.account, None, entry.address);
    }
    let is_instructor = entry.is_instructor;
    let account = entry.login.as_ref().map(|login| login.account);
    set_reads_notes(ctx.rooms, ctx.client, entry.wishes.reads_notes);
    let token = entry.wishes.token.take();
    let member = Member::new(client, entry, ctx.rooms.now());
    ctx.rooms.add_member(ctx.client, member, None);
    if let Some(account) = account {
        log_login(ctx, account);
        ctx.rooms.members_mut().ignore_account_of(ctx.client, account);
    }
    let inherited = inherit_mute(ctx.rooms, ctx.client);
    if is_instructor {
        ctx.audit(instructor::ENTERS.to_owned());
    }
    let (config, now) = (ctx.rooms.config(), ctx.rooms.now());
    let mut text = ctx.rooms.lasting.describe(config, now, ctx.member());
    text.push_str(&describe_to_administrator(ctx));
    text.push_str(&describe_mail(ctx));
    text.push_str(&describe_mute(ctx));
    if let Some(left) = inherited {
        text.push_str(&describe_inherited_mute(ctx, &left));
    }
    let who = give_token(ctx, token);
    let (place, backlog) = describe_place(ctx.rooms, ctx.client, who);
    Answer::Named(name, text + &place, backlog)
}

/// Gives a member who reads notes a token, and tells them with who they are. (Under `--anonymous`
/// nobody is asked for a name, and nobody could use it.)
pub(crate) fn give_token(ctx: &mut RoomsCtx<'_>, token: Option<Token>) -> String {
    let may_have_one = ctx.rooms.output.reads_notes(ctx.client) && !ctx.rooms.config().anonymous;
    let token = token.filter(|_| may_have_one);
    if let Some(token) = &token {
        coming_back::give(ctx.rooms, ctx.client, token.hash());
    }
    describe_who(ctx.rooms, ctx.client, token.as_ref().map(Token::reveal))
}

/// Gives a member another token, if the one they had was ended: they are somebody else now, or may do
/// more, and others may have seen it before.
pub(crate) fn renew_token(ctx: &mut RoomsCtx<'_>, token: Token) -> String {
    match ctx.rooms.resumable.has(ctx.client) {
        true => String::new(),
        false => give_token(ctx, Some(token)),
    }
}

/// Says that a client is muted for somebody who has left: to them, to the administrators, and in the
/// log.
fn describe_inherited_mute(ctx: &mut RoomsCtx<'_>, left: &str) -> String {
    let member = ctx.member();
    let (name, client, address) =
        (member.name().shown().to_owned(), member.client(), member.address());
    ctx.rooms.actions.push(Action::Log(LogLine {
        event: "muted_again",
        client: Some(client),
        address: Some(address),
        text: format!("c{client} ({name}) is muted, as {left} was, who has just left {address}"),
        ..LogLine::default()
    }));
    let told = notice(format_args!(
        "{name} comes from the address that {left}, who is muted, has just left. So {name} is muted, too. /unmute {name} ends both."
    ));
    tell_administrators(ctx.rooms, &told);
    notice(format_args!(
        "{left} is muted and has just left your address. If you are somebody else, ask an administrator: /unmute {name} ends it."
    ))
}

fn tell_administrators(rooms: &mut Rooms, line: &str) {
    let members = rooms.members().iter().map(|(member, _)| member);
    let administrators: Vec<ClientKey> = members.filter(|&it| rooms.is_admin(it)).collect();
    administrators.into_iter().for_each(|member| rooms.tell(member, line));
}

/// From now on the file is large, or not. Administrators are told when it has become so.
pub(crate) fn note_size(rooms: &mut Rooms, is_large: bool) {
    let was_large = replace(&mut rooms.lasting.is_large, is_large);
    if let (false, Some(line)) = (was_large, rooms.lasting.describe_size(rooms.config())) {
        tell_administrators(rooms, &line);
    }
}

/// From now on this is wrong with the server itself, or nothing is. Administrators are told.
pub(crate) fn warn(rooms: &mut Rooms, warning: Option<String>) {
    if let Some(sentence) = &warning {
        tell_administrators(rooms, &notice(sentence));
    }
    rooms.lasting.warning = warning;
}

/// Why a client may not come in like this, if they may not. The owner of an account has to give its
/// password first.
fn refuse(ctx: &mut RoomsCtx<'_>, entry: &Entry) -> Option<Answer> {
    if ctx.rooms.is_closing {
        return Some(Answer::NameRefused("The server is shutting down.".to_owned()));
    }
    let (name, now) = (&entry.name, ctx.rooms.now());
    // While no password can be read, nobody owns a name: see `Lasting`.
    let is_owned = !ctx.rooms.lasting.names_are_unchecked || entry.login.is_some();
    let named = ctx.rooms.accounts.named(name).filter(|_| is_owned).cloned();
    let login = entry.login.as_ref();
    let login = login.and_then(|login| ctx.rooms.accounts.get(login.account).cloned());
    if let Some(most) = entry.reserve_of
        && !(entry.is_instructor || named.as_ref().is_some_and(|account| account.is_admin))
    {
        return Some(Answer::Close(CloseReason::Full(most)));
    }
    let address = Some(entry.address);
    // Administrators are let in all the same, but not before their password was right.
    let account = login.as_ref().or(named.as_ref());
    let is_admin = entry.is_instructor || account.is_some_and(|account| account.is_admin);
    if !is_admin
        && let names = once(name.key())
        && let Some(ban) = ctx.rooms.sanctions.in_force(SanctionKind::Ban, names, address, now)
    {
        let ban = ban.clone();
        let sentence = ctx.rooms.config().describe_ban(&ban);
        return Some(Answer::Close(CloseReason::Banned(sentence)));
    }
    if !is_admin && let Some(lock) = &ctx.rooms.lasting.lock {
        let sentence = format!("the entrance is locked{}.", lock.by());
        return Some(Answer::Close(CloseReason::Locked(sentence)));
    }
    let shown = name.shown();
    match (named, login) {
        (None, _) => match name_is_free(ctx.rooms, name, None) {
            Ok(()) | Err(Refusal::Usage) => None,
            Err(Refusal::Because(sentence)) => Some(Answer::NameRefused(sentence)),
        },
        (Some(named), Some(login)) if named.id == login.id => None,
        (Some(named), _) if named.name.to_lowercase() == shown.to_lowercase() => {
            Some(Answer::NeedsPassword(named.id))
        }
        (Some(named), _) => Some(Answer::NameRefused(format!(
            "The name \"{shown}\" looks like \"{}\", which is registered.",
            named.name
        ))),
    }
}

// --- While nobody can prove who they are ---

/// From now on no password can be read. Whoever is logged in stays so.
pub(crate) fn doubt_names(rooms: &mut Rooms) {
    rooms.rooms.doubt_all(); // there may be a past that cannot be read
    if !rooms.config().anonymous && !replace(&mut rooms.lasting.names_are_unchecked, true) {
        rooms.tell_everybody(&notice(
            "No password can be read now, so nobody can prove who they are. Whoever comes is let in, with a ? behind the name.",
        ));
    }
}

/// From now on passwords can be read again, and the accounts are known. Whoever has taken a name
/// meanwhile that is no account's keeps it without a mark; the others have to prove that it is
/// theirs.
pub(crate) fn check_names(rooms: &mut Rooms) {
    if !replace(&mut rooms.lasting.names_are_unchecked, false) {
        return;
    }
    rooms.tell_everybody(&notice(
        "Passwords can be read again. Who still has a ? behind the name has not proved that it is theirs.",
    ));
    let marked = rooms.members().iter().filter(|(_, member)| member.is_unchecked());
    for client in marked.map(|(client, _)| client).collect::<Vec<ClientKey>>() {
        let Some(account) = rooms.accounts.named(rooms.members()[client].name()) else {
            rooms.members_mut()[client].set_unchecked(false);
            continue;
        };
        let (owner, shown) = (&account.name, rooms.members()[client].shown());
        let line = notice(format_args!(
            "{owner} is registered, so you are still shown as {shown}. /login {owner}, if you are; /nick NAME gives you another name."
        ));
        rooms.tell(client, &line);
    }
}
