//! The questions that a session asks by itself, each with the function that answers it.

use super::{account, entry, instructor, mail, programs, remove, resume, row::RoomsCtx, talk};
use crate::core::{
    event::{Answer, ClientId, Question},
    notice::{Refusal, notice},
};

/// Answers a question. Some are for members alone, others only for clients that have no name yet.
/// `None`: the answer comes with the outcome.
pub(crate) fn answer(
    ctx: &mut RoomsCtx<'_>,
    client: ClientId,
    question: Question,
    is_member: bool,
) -> Option<Answer> {
    let reply = match (question, is_member) {
        (Question::TakeReserve(most), false) => return Some(entry::take_reserve(ctx, most)),
        (Question::Enter(entry), false) => return Some(entry::enter(ctx, client, *entry)),
        (Question::Notes(facts, token), _) => {
            return Some(programs::notes(ctx, client, facts, token));
        }
        (Question::Resume(resume), false) => return Some(resume::resume(ctx, client, *resume)),
        (Question::NewToken(token), true) => {
            return Some(Answer::Text(entry::renew_token(ctx, token)));
        }
        (Question::WhoseIs(name), _) => return Some(account::whose_is(ctx, &name)),
        (Question::MyAccount, true) => {
            let account = ctx.rooms.account_of(ctx.client).map(|account| account.id);
            return Some(Answer::Account(account));
        }
        (Question::MayAdminister, true) => {
            return Some(Answer::MayAdminister(ctx.rooms.is_admin(ctx.client)));
        }
        (Question::AnotherCode, true) => return Some(instructor::another_code(ctx)),
        (Question::BecomeInstructor, true) => instructor::become_instructor(ctx),
        (Question::LogIn(login), true) => return Some(account::log_in(ctx, login)),
        (Question::Register(hash), true) => account::register(ctx, hash),
        (Question::SetPassword { hash, quietly }, true) => {
            account::set_password(ctx, hash, quietly)
        }
        (Question::Unregister, true) => account::unregister(ctx),
        (Question::Mail, true) => mail::read(ctx),
        (Question::Since(since), true) => Ok(programs::tell_since(ctx, since)),
        (Question::MailRead(author), true) => {
            talk::note_mail(ctx, author);
            return Some(Answer::default());
        }
        (Question::DeleteMail(read), true) => mail::delete(ctx, read),
        (Question::Recalled(recalled), true) => remove::recalled(ctx, *recalled),
        (Question::TakeReserve(_) | Question::Enter(_) | Question::Resume(_), true)
        | (_, false) => {
            return Some(Answer::default());
        } // they were sent away meanwhile
    };
    match reply {
        Ok(reply) => reply.into_answer(),
        Err(Refusal::Because(sentence)) => Some(Answer::Text(notice(sentence))),
        Err(Refusal::Usage) => Some(Answer::default()),
    }
}
