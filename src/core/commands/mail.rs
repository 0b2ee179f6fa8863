//! The mailbox: what was written to an account while its owner was away.

use super::row::{CommandResult, Reply, RoomsCtx, Row, SessionCtx};
use crate::core::{
    event::Question,
    history_reply::{Gap, HistoryReply},
    notice::{Refusal, notice},
    record::{AccountId, Change, Found, LineId, Outcome, Query},
    rooms::{
        accounts::{ADMIN_MAIL_MAX, MAILBOX_MAX},
        pending::Reserved,
    },
};

pub(super) const ROWS: &[Row] =
    &[Row::session("mail", "[delete]", "what was kept for you while you were away", mail)
        .example("delete")];

fn mail(ctx: &mut SessionCtx<'_, '_>, argument: &str) -> Result<String, Refusal> {
    match &*argument.to_ascii_lowercase() {
        "" => {
            let text = ctx.session.ask(Question::Mail, ctx.driver);
            ctx.driver.reply(text.as_bytes()); // what is asked now has an answer of its own
            ctx.session.pace.pay_for_answer(text.len());
            let last = ctx.session.mail_read.last().copied().map(Query::AuthorOf);
            if let Some(Found::Author(Some(author))) = last.map(|last| ctx.driver.find(last)) {
                ctx.session.ask(Question::MailRead(author), ctx.driver);
            }
            Ok(String::new())
        }
        "delete" => match std::mem::take(&mut ctx.session.mail_read) {
            read if read.is_empty() => {
                Err("Read it first: /mail. Then /mail delete removes what you have read.".into())
            }
            read => Ok(ctx.session.ask(Question::DeleteMail(read), ctx.driver)),
        },
        _ => Err(Refusal::Usage),
    }
}

/// Says whether mail waits, for a greeting.
pub(super) fn describe_mail(ctx: &RoomsCtx<'_>) -> String {
    match ctx.rooms.account_of(ctx.client).map_or(0, |account| account.mail) {
        0 => String::new(),
        1 => notice("1 message waits for you: /mail reads it."),
        n => notice(format_args!("{n} messages wait for you: /mail reads them.")),
    }
}

/// Shows the mailbox. The client's thread asks the store for it.
pub(crate) fn read(ctx: &mut RoomsCtx<'_>) -> CommandResult {
    let Some(account) = ctx.member().account() else {
        return Ok(Reply::notice(
            "You have no mailbox: /register keeps your name, and what is written to you.",
        ));
    };
    let reply = HistoryReply {
        heading: "{} in your mailbox".to_owned(),
        if_none: notice("Your mailbox is empty."),
        lines: Vec::new(),
        query: Some(Query::Mail(account)),
        most: MAILBOX_MAX + ADMIN_MAIL_MAX,
        told_from: None, // it waits, however old it is
        removed: Vec::new(),
        heading_of_part: None,
        left_out: 0,
        gap: Gap::default(),
        hidden: Vec::new(),
        is_mail: true,
        now: ctx.rooms.now(),
        zone: ctx.rooms.config().zone.clone(),
        notes: String::new(),
    };
    Ok(Reply::Fetch(String::new(), Box::new(reply)))
}

/// Deletes messages that their owner has read.
pub(crate) fn delete(ctx: &mut RoomsCtx<'_>, read: Vec<LineId>) -> CommandResult {
    let Some(account) = ctx.member().account() else { return Ok(Reply::Now(String::new())) };
    let reserved = Reserved::MailDeletion { account, count: read.len() };
    let now = ctx.rooms.now();
    ctx.rooms.pending.reserve(now, Change::MailDeleted(account, read), ctx.client, reserved);
    Ok(Reply::Later)
}

/// Takes the outcome of a message to a mailbox. Returns what its author reads.
pub(crate) fn kept(
    ctx: &mut RoomsCtx<'_>,
    to: AccountId,
    by_guest: bool,
    outcome: Outcome,
) -> String {
    if outcome.is_err() {
        ctx.rooms.accounts.release_mail(to, by_guest);
    }
    let Some(account) = ctx.rooms.accounts.get(to) else {
        return notice("That account is gone.");
    };
    match outcome {
        Ok(()) => notice(format_args!("{} is away: your message is kept.", account.name)),
        Err(why) => {
            notice(format_args!("{} is away, and your message is not kept: {why}", account.name))
        }
    }
}

/// Takes the outcome of a deletion. Returns what the messages' owner reads.
pub(crate) fn deleted(
    ctx: &mut RoomsCtx<'_>,
    account: AccountId,
    count: usize,
    outcome: Outcome,
) -> String {
    match outcome {
        Err(why) => notice(format_args!("Your mail is still there: {why}")),
        Ok(()) => match ctx.rooms.accounts.mail_deleted(account, count) {
            0 => notice("Your mailbox is empty now."),
            left => notice(format_args!("What you have read is deleted; {left} came since.")),
        },
    }
}
