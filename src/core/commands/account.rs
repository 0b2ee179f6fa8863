//! Accounts: keeping a name, logging in to it, giving it up. The session has the dialogues; the
//! rooms change here.

use super::{
    mail::describe_mail,
    people::{change_name, describe_mute, describe_to_administrator, name_is_free},
    row::{CommandResult, Reply, RoomsCtx, Row, SessionCtx, first_word, none},
};
use crate::core::{
    address::ClientAddress,
    close_reason::CloseReason,
    event::{Answer, Login},
    history_reply::PRIVATE_MAX,
    name::Name,
    notice::{Refusal, notice},
    password::Password,
    record::{Account, AccountId, Change, Outcome, PasswordHash, SanctionKind, Target},
    rooms::{
        Action, ClientKey, LogLine,
        coming_back::{end_token, end_tokens_of, write_end_of_tokens},
        pending::Reserved,
        programs::{describe_who, note_who},
        scrollback::Scrollback,
    },
};
use std::iter::once;

pub(super) const ROWS: &[Row] = &[
    Row::session(
        "register",
        "[PASSWORD]",
        "keeps your name: from now on it has a password",
        |ctx, argument| {
            not_anonymous(ctx)?;
            ctx.session.register(password_in(argument), ctx.driver);
            Ok(String::new())
        },
    )
    .example("correct horse battery"),
    Row::session(
        "login",
        "NAME [PASSWORD]",
        "makes you NAME, which is registered",
        |ctx, arguments| {
            let (name, password) = first_word(arguments)?;
            not_anonymous(ctx)?;
            ctx.session.log_in(name, password_in(password), ctx.driver);
            Ok(String::new())
        },
    )
    .example("carol")
    .also_at_the_door(),
    Row::session("password", "", "changes your password", |ctx, argument| {
        none(argument)?;
        ctx.session.change_password(ctx.driver);
        Ok(String::new())
    }),
    Row::session("unregister", "", "gives your name up, and your mailbox", |ctx, argument| {
        none(argument)?;
        ctx.session.unregister(ctx.driver);
        Ok(String::new())
    }),
    Row::rooms("whoami", "", "who and where you are", whoami),
];

pub(crate) fn whose_is(ctx: &RoomsCtx<'_>, name: &Name) -> Answer {
    Answer::Account(ctx.rooms.accounts.named(name).map(|account| account.id))
}

fn password_in(argument: &str) -> Option<Password> {
    (!argument.is_empty()).then(|| Password::new(argument))
}

fn not_anonymous(ctx: &SessionCtx<'_, '_>) -> Result<(), Refusal> {
    match ctx.session.config.anonymous {
        true => Err("Nobody has an account here: --anonymous.".into()),
        false => Ok(()),
    }
}

fn whoami(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    none(arguments)?;
    let account = match ctx.rooms.account_of(ctx.client) {
        None => "not registered".to_owned(),
        Some(account) => {
            let since = ctx.rooms.config().zone.to_datetime(account.since).date();
            let admin = if account.is_admin { ", an administrator" } else { "" };
            format!("logged in as {}, registered on {since}{admin}", account.name)
        }
    };
    let instructor = if ctx.member().is_instructor() { ", an instructor" } else { "" };
    let member = ctx.member();
    Ok(Reply::notice(format_args!(
        "You are {}: {account}{instructor}. In {}; connection c{} from {}.",
        member.name().shown(),
        ctx.rooms.room_of(ctx.client).name(),
        member.client(),
        member.address(),
    )))
}

// --- Logging in ---

/// Sends away whoever is here under this name (or, without an account, under one that looks like
/// it) or logged in to this account. The account's `owner` stays. They come from `address`.
pub(super) fn make_way(
    ctx: &mut RoomsCtx<'_>,
    name: &Name,
    account: AccountId,
    owner: Option<ClientKey>,
    address: ClientAddress,
) {
    end_tokens_of(ctx.rooms, account); // who has gone does not come back in its place
    let members = ctx.rooms.members();
    let mut others: Vec<ClientKey> = members.logged_in_to(account).collect();
    let has_it = |holder: &ClientKey| {
        let member = &members[*holder];
        member.account().is_none() || member.name().is_same_word(name)
    };
    for holder in members.holders_of(name).filter(has_it) {
        if !others.contains(&holder) {
            others.push(holder);
        }
    }
    for other in others.into_iter().filter(|&other| Some(other) != owner) {
        let member = &ctx.rooms.members()[other];
        let reason = match member.account() == Some(account) {
            true => {
                let is_same = member.address() == address;
                CloseReason::TakenOver { address: address.to_string(), is_same }
            }
            false => CloseReason::NameClaimed,
        };
        ctx.rooms.kick(other, reason);
    }
}

/// Logs who logged in, for the operator.
pub(super) fn log_login(ctx: &mut RoomsCtx<'_>, account: AccountId) {
    let Some(account) = ctx.rooms.accounts.get(account) else { return };
    let admin = if account.is_admin { ", an administrator" } else { "" };
    let (account, did) = (account.name.clone(), format!("is logged in as {}{admin}", account.name));
    log_account(ctx, "logged_in", account, &did);
}

/// Logs what a member has done about an account.
fn log_account(ctx: &mut RoomsCtx<'_>, event: &'static str, account: String, did: &str) {
    let member = ctx.member();
    let (client, address) = (Some(member.client()), Some(member.address()));
    let text = format!("c{} {did}", member.client());
    let line = LogLine { event, client, account: Some(account), address, text };
    ctx.rooms.actions.push(Action::Log(line));
}

/// Makes a member the owner of an account whose password they gave, and gives them its name.
pub(crate) fn log_in(ctx: &mut RoomsCtx<'_>, login: Login) -> Answer {
    let Some(account) = ctx.rooms.accounts.get(login.account).cloned() else {
        return Answer::Text(notice("That account is gone."));
    };
    let Ok(name) = ctx.rooms.config().names.check(&account.name, "name") else {
        return Answer::Text(notice(
            "That account's name is not allowed here: the server runs without --unicode-names.",
        ));
    };
    let address = ctx.member().address();
    let (names, now) = (once(name.key()), ctx.rooms.now());
    let is_admin = account.is_admin || ctx.rooms.is_admin(ctx.client);
    if !is_admin
        && let Some(ban) =
            ctx.rooms.sanctions.in_force(SanctionKind::Ban, names, Some(address), now)
    {
        let what = match ban.target {
            Target::Name(_) => format!("The name {}", name.shown()),
            Target::Address(_) => "Your address".to_owned(),
        };
        return Answer::Text(notice(format_args!("{what} is banned by {}.", ban.by)));
    }
    if !account.is_admin
        && ctx.member().name().key() != name.key()
        && let Err(Refusal::Because(why)) = ctx.rooms.may_write(ctx.client)
    {
        return Answer::Text(notice(why)); // otherwise a new name would end a mute
    }
    make_way(ctx, &name, account.id, Some(ctx.client), address);
    let mut text = String::new();
    if ctx.member().name().shown() != name.shown() {
        text = change_name(ctx, name.clone());
    }
    log_login(ctx, account.id);
    end_token(ctx.rooms, ctx.client); // of whoever they were
    let member = &mut ctx.rooms.members_mut()[ctx.client];
    member.set_account(Some(account.id));
    *member.private_mut() = Scrollback::new(PRIVATE_MAX, login.private);
    ctx.rooms.members_mut().ignore_account_of(ctx.client, account.id);
    text.push_str(&notice("You are logged in."));
    text.push_str(&describe_to_administrator(ctx));
    text.push_str(&describe_mail(ctx));
    text.push_str(&describe_mute(ctx));
    text.push_str(&describe_who(ctx.rooms, ctx.client, None));
    Answer::Named(name, text, None)
}

// --- What may fail: registering, another password, deleting ---

/// Registers a member's name.
pub(crate) fn register(ctx: &mut RoomsCtx<'_>, hash: PasswordHash) -> CommandResult {
    if let Some(account) = ctx.rooms.account_of(ctx.client) {
        return Err(format!("You are logged in to {} already.", account.name).into());
    }
    if ctx.rooms.lasting.names_are_unchecked {
        // Which names and numbers are taken is not known, either.
        return Err("Your name is not kept: as long as no password can be read, it is not known whether it is somebody's.".into());
    }
    let (name, address) = (ctx.member().name().clone(), ctx.member().address());
    name_is_free(ctx.rooms, &name, Some(ctx.client))?;
    let now = ctx.rooms.now();
    let with_administrator = ctx
        .rooms
        .members()
        .iter()
        .any(|(key, member)| member.address() == address && ctx.rooms.is_admin(key));
    let here_since = (!with_administrator).then(|| ctx.member().since());
    let account = ctx.rooms.accounts.reserve(&name, address, here_since, now)?;
    ctx.rooms.accounts.note_password(account.id, hash.mark());
    let change = Change::Registered(account.clone(), hash);
    ctx.rooms.pending.reserve(now, change, ctx.client, Reserved::Account(account, name));
    Ok(Reply::Later)
}

/// Changes the password of a member's account.
pub(crate) fn set_password(
    ctx: &mut RoomsCtx<'_>,
    hash: PasswordHash,
    quietly: bool,
) -> CommandResult {
    let (id, now) = (my_account(ctx)?, ctx.rooms.now());
    ctx.rooms.accounts.note_password(id, hash.mark());
    if !quietly {
        write_end_of_tokens(ctx.rooms, id);
    }
    let change = Change::PasswordChanged(id, hash);
    ctx.rooms.pending.reserve(now, change, ctx.client, Reserved::Password(id, quietly));
    Ok(Reply::Later)
}

/// Deletes a member's account.
pub(crate) fn unregister(ctx: &mut RoomsCtx<'_>) -> CommandResult {
    let (id, now) = (my_account(ctx)?, ctx.rooms.now());
    ctx.rooms.pending.reserve(now, Change::Unregistered(id), ctx.client, Reserved::Deletion(id));
    Ok(Reply::Later)
}

fn my_account(ctx: &RoomsCtx<'_>) -> Result<AccountId, Refusal> {
    ctx.member().account().ok_or_else(|| {
        Refusal::from("You are not logged in: /register keeps your name, /login NAME logs you in.")
    })
}

/// Takes the outcome of a registration. Returns what the member reads.
pub(crate) fn registered(
    ctx: &mut RoomsCtx<'_>,
    account: Account,
    name: &Name,
    outcome: Outcome,
) -> String {
    if let Err(why) = outcome {
        ctx.rooms.accounts.settle(name, None);
        return notice(format_args!("Your name is not kept: {why}"));
    }
    let text = notice(format_args!(
        "{} is yours from now on. When you come again, you are asked for your password.",
        account.name
    ));
    if ctx.rooms.members().get(ctx.client).is_some() {
        let did = format!("registered {}", account.name);
        log_account(ctx, "registered", account.name.clone(), &did);
        end_token(ctx.rooms, ctx.client);
        ctx.rooms.members_mut()[ctx.client].set_account(Some(account.id));
        ctx.rooms.members_mut().ignore_account_of(ctx.client, account.id);
    }
    ctx.rooms.accounts.settle(name, Some(account));
    note_who(ctx.rooms, ctx.client);
    text
}

/// Takes the outcome of a change of password. Returns what the member reads.
pub(crate) fn password_set(
    ctx: &mut RoomsCtx<'_>,
    account: AccountId,
    quietly: bool,
    outcome: Outcome,
) -> String {
    match outcome {
        _ if quietly => String::new(),
        Ok(()) => {
            // They came with the old password while the new one was being written.
            let others: Vec<ClientKey> = ctx.rooms.members().logged_in_to(account).collect();
            for other in others.into_iter().filter(|&other| other != ctx.client) {
                ctx.rooms.kick(other, CloseReason::PasswordChanged);
            }
            end_tokens_of(ctx.rooms, account);
            end_token(ctx.rooms, ctx.client);
            notice("Your password is changed.")
        }
        Err(why) => notice(format_args!("Your password is not changed: {why}")),
    }
}

/// Takes the outcome of a deletion. Returns what the member reads.
pub(crate) fn unregistered(ctx: &mut RoomsCtx<'_>, id: AccountId, outcome: Outcome) -> String {
    if let Err(why) = outcome {
        return notice(format_args!("Your account is still there: {why}"));
    }
    let key = ctx.rooms.accounts.key_of(id).map(str::to_owned);
    ctx.rooms.accounts.remove(id);
    end_tokens_of(ctx.rooms, id);
    let owners: Vec<ClientKey> = ctx.rooms.members().logged_in_to(id).collect();
    for owner in owners {
        ctx.rooms.log_out(owner, key.as_deref());
    }
    ctx.rooms.send_banned_away();
    notice("Your account and its mailbox are deleted. Your name is free when you have left.")
}
