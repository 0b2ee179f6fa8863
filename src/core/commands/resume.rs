//! Coming back after a broken connection, by a token: the same name, account, room and settings.

use super::{
    account::{log_login, make_way},
    entry::give_token,
    mail::describe_mail,
    people::{describe_mute, name_is_free},
    places::describe_place,
    row::RoomsCtx,
};
use crate::core::{
    close_reason::CloseReason,
    event::{Answer, ClientId, Resume},
    name::Name,
    notice::{Refusal, notice},
    record::SanctionKind,
    rooms::{
        ClientKey,
        coming_back::{come_back, take_gone},
        member::Member,
        presence::take_over,
        programs::set_reads_notes,
        resumable::Owner,
    },
};

const NOT_GOOD: &str = "That token is not good, or not any more.";
const NO_INSTRUCTOR: &str =
    "You are an instructor no longer: the server has started anew, and has another code.";

/// Lets somebody in again, or says why not. A token that was refused for a reason that passes is
/// still good.
pub(crate) fn resume(ctx: &mut RoomsCtx<'_>, client: ClientId, resume: Resume) -> Answer {
    let (hash, now) = (resume.token.hash(), ctx.rooms.now());
    let here = match ctx.rooms.resumable.owner(&hash, now) {
        Some(Owner::Here(key, _)) => Some(*key),
        Some(Owner::Gone(_)) => None,
        None => return refused(NOT_GOOD),
    };
    if let Some(answer) = why_not(ctx, &resume, here) {
        return answer;
    }
    let address = resume.address;
    let gone = match here {
        Some(key) => {
            let is_same = ctx.rooms.members()[key].address() == address;
            let reason = CloseReason::TakenOver { address: address.to_string(), is_same };
            take_over(ctx.rooms, key, reason)
        }
        None => take_gone(ctx.rooms, &hash),
    };
    let Some(gone) = gone else { return refused(NOT_GOOD) };
    set_reads_notes(ctx.rooms, ctx.client, resume.wishes.reads_notes);
    let (account, was_instructor) = (gone.account(), gone.was_instructor);
    if let Some(account) = account {
        make_way(ctx, &gone.name(), account, None, address);
    }
    come_back(ctx.rooms, ctx.client, gone, (client, address));
    if let Some(account) = account {
        log_login(ctx, account);
    }
    *ctx.rooms.members_mut()[ctx.client].asks_since() = resume.wishes.since;
    let name = ctx.member().name().clone();
    let mut text = notice(format_args!("Hello again {}.", name.shown()));
    if was_instructor {
        text.push_str(&notice(NO_INSTRUCTOR));
    }
    text.push_str(&ctx.rooms.lasting.describe(ctx.rooms.config(), now, ctx.member()));
    text.push_str(&describe_mail(ctx));
    text.push_str(&describe_mute(ctx));
    let who = give_token(ctx, resume.wishes.token);
    let (place, past) = describe_place(ctx.rooms, ctx.client, who);
    Answer::Named(name, text + &place, past)
}

/// Why they may not come back now, if they may not. `here`: their old connection, if it is open.
fn why_not(ctx: &mut RoomsCtx<'_>, resume: &Resume, here: Option<ClientKey>) -> Option<Answer> {
    let now = ctx.rooms.now();
    if ctx.rooms.is_closing {
        return Some(refused("The server is shutting down."));
    }
    let hash = resume.token.hash();
    let member: &Member = match here {
        Some(key) => &ctx.rooms.members()[key],
        None => match ctx.rooms.resumable.owner(&hash, now)? {
            Owner::Gone(gone) => &gone.member,
            Owner::Here(..) => return None,
        },
    };
    let (name, account) = (member.name().clone(), member.account());
    let is_instructor = member.is_instructor();
    let owned = account.is_some();
    let account = account.and_then(|id| ctx.rooms.accounts.get(id).cloned());
    if owned && account.is_none() {
        return Some(refused("That account is gone."));
    }
    let is_admin = is_instructor || account.as_ref().is_some_and(|account| account.is_admin);
    if let Some(most) = resume.reserve_of
        && here.is_none()
        && !is_admin
    {
        return Some(Answer::Close(CloseReason::Full(most)));
    }
    let names = ctx.rooms.config().names;
    let own = account.as_ref().and_then(|account| names.check(&account.name, "name").ok());
    let keys = [Some(name.key()), own.as_ref().map(Name::key)].into_iter().flatten();
    let address = Some(resume.address);
    if !is_admin
        && let Some(ban) = ctx.rooms.sanctions.in_force(SanctionKind::Ban, keys, address, now)
    {
        let sentence = ctx.rooms.config().describe_ban(&ban.clone());
        return Some(Answer::Close(CloseReason::Banned(sentence)));
    }
    let owner = ctx.rooms.accounts.named(&name).map(|account| account.id);
    if owner.is_some() && owner != account.as_ref().map(|account| account.id) {
        return Some(refused(&format!("{} is registered now.", name.shown())));
    }
    match name_is_free(ctx.rooms, &name, here) {
        Err(Refusal::Because(why)) if owner.is_none() => Some(refused(&why)),
        _ => None,
    }
}

fn refused(why: &str) -> Answer {
    Answer::NameRefused(why.to_owned())
}
