//! Saying something in another way than by typing it: actions, private lines, the topic.

use super::row::{
    CommandResult, Reply, RoomsCtx, Row, SessionCtx, first_word, on_or_off, required,
};
use crate::core::{
    notice::{Refusal, notice},
    record::{Account, Author, Change, LineId},
    rooms::{
        ClientKey,
        identity::away_of,
        member::{Preference, ReplyTo},
        pending::Reserved,
        programs::{note_private, note_setting},
        room::{Lines, TOPIC},
    },
    sentences::{READS_OWN_LINES, UNCHECKED_MARK, without_mark},
};

pub(super) const ROWS: &[Row] = &[
    Row::session("me", "ACTION", "says what you do: * alice ACTION", me).example("waves"),
    Row::rooms("msg", "NAME TEXT", "says TEXT to NAME alone", msg)
        .example("bob do you have the slides?"),
    Row::rooms("reply", "TEXT", "says TEXT to whoever wrote to you last", reply)
        .example("yes, here"),
    Row::rooms("topic", "[TEXT]", "shows the topic, or sets it (- clears it)", topic)
        .example("sockets and threads"),
    Row::rooms("echo", "[on|off]", "gives you your own lines too", echo).example("on"),
    Row::rooms("timestamps", "[on|off]", "puts the time in front of live lines", timestamps)
        .example("on"),
];

fn me(ctx: &mut SessionCtx<'_, '_>, action: &str) -> Result<String, Refusal> {
    ctx.session.act(required(action)?);
    Ok(String::new())
}

// --- Private lines ---

/// Writes to whoever has the name, or is logged in to the account of that name. If nobody is, writes
/// into the account's mailbox.
fn msg(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let (to, text) = first_word(arguments)?;
    let text = required(text)?;
    ctx.rooms.may_write(ctx.client)?;
    let nobody = match ctx.rooms.find(to) {
        Ok(reader) if is_doubtful(ctx, reader, to) => {
            let shown = ctx.rooms.members()[reader].shown();
            return Err(format!("Nobody knows whether that is {to}: no password could be read. /msg {shown} TEXT writes to them all the same.").into());
        }
        Ok(reader) => return Ok(tell_privately(ctx, &[reader], text, "")),
        Err(nobody) => nobody,
    };
    if to.eq_ignore_ascii_case("nickserv") {
        return Err("There is no NickServ here: /register keeps your name, and /login NAME asks for your password.".into());
    }
    let name = ctx.rooms.config().names.check(without_mark(to), "name").ok();
    let account = name.and_then(|name| ctx.rooms.accounts.named(&name).cloned());
    keep(ctx, account.ok_or(nobody)?, text)
}

/// Writes to the owner of an account, whatever name they use; if they are away, into its mailbox.
fn write_to(ctx: &mut RoomsCtx<'_>, account: Account, text: &str) -> CommandResult {
    let owner = ctx.rooms.members().logged_in_to(account.id).next();
    match owner {
        Some(reader) => Ok(tell_privately(ctx, &[reader], text, "")),
        None => keep(ctx, account, text),
    }
}

/// Whether somebody who writes to `typed` may mean another person than this one, who has that name
/// and has not proved that it is theirs. Who types the mark knows that.
fn is_doubtful(ctx: &RoomsCtx<'_>, reader: ClientKey, typed: &str) -> bool {
    ctx.rooms.members()[reader].is_unchecked() && !typed.ends_with(UNCHECKED_MARK)
}

/// Keeps a message in the mailbox of an account.
fn keep(ctx: &mut RoomsCtx<'_>, to: Account, text: &str) -> CommandResult {
    let by_guest = ctx.member().account().is_none();
    let by_admin = ctx.rooms.is_admin(ctx.client);
    ctx.rooms.accounts.reserve_mail(to.id, by_guest, by_admin)?;
    let (now, from) = (ctx.rooms.now(), ctx.rooms.person(ctx.client).author());
    let id = ctx.rooms.pending.line_ids(1);
    let reserved = Reserved::Mail { to: to.id, by_guest };
    let to = Author { name: to.name, account: Some(to.id) };
    let change = Change::PrivateMessage { id, from, to, text: text.to_owned(), is_mail: true };
    ctx.rooms.pending.reserve(now, change, ctx.client, reserved);
    Ok(Reply::Later)
}

/// Writes to whoever wrote last, and never to another one who has taken their name. If that was
/// mail, its author's account is meant.
fn reply(ctx: &mut RoomsCtx<'_>, text: &str) -> CommandResult {
    let text = required(text)?;
    ctx.rooms.may_write(ctx.client)?;
    match ctx.member().reply_to().cloned() {
        None => Err("Nobody has written to you since you came.".into()),
        Some(ReplyTo::Client(client, name)) => match ctx.rooms.members().contains(client) {
            true => Ok(tell_privately(ctx, &[client], text, "")),
            false => Err(format!("{}, who wrote to you last, has left.", name.shown()).into()),
        },
        Some(ReplyTo::Mail(Author { name, account })) => {
            let account = account.and_then(|id| ctx.rooms.accounts.get(id).cloned());
            let name = name.trim_start_matches('@'); // in front of an administrator's
            let account = account.ok_or_else(|| {
                format!("{name}, whose message you read, has no account. /msg {name} TEXT writes to whoever is called so now.")
            })?;
            write_to(ctx, account, text)
        }
    }
}

/// Notes whose message a member has read last.
pub(crate) fn note_mail(ctx: &mut RoomsCtx<'_>, author: Author) {
    ctx.rooms.members_mut()[ctx.client].set_reply_to(ReplyTo::Mail(author));
}

/// Shows a line to some clients alone. `kind`: `question `, or nothing.
pub(super) fn tell_privately(
    ctx: &mut RoomsCtx<'_>,
    readers: &[ClientKey],
    text: &str,
    kind: &str,
) -> Reply {
    let (now, from) = (ctx.rooms.now(), ctx.rooms.person(ctx.client).author());
    let author_name = ctx.member().name().clone();
    let line = format!("[{kind}from {}] {text}\n", from.name);
    let first = ctx.rooms.pending.line_ids(readers.len());
    let (mut names, mut notes) = (Vec::new(), String::new());
    for (&reader, id) in readers.iter().zip(first.0..) {
        let id = LineId(id);
        let member = &ctx.rooms.members()[reader];
        let to = member.author();
        if let Some(why) = away_of(ctx.rooms, reader) {
            notes.push_str(&notice(format_args!("{} is away: {why}", to.name)));
        }
        names.push(to.name.clone());
        if !ctx.rooms.members().ignores(reader, ctx.client) {
            ctx.rooms.tell(reader, &line);
            note_private(ctx.rooms, reader);
            let member = &mut ctx.rooms.members_mut()[reader];
            member.private_mut().remember(id, now, &line, 1);
            member.set_reply_to(ReplyTo::Client(ctx.client, author_name.clone()));
        }
        if ctx.rooms.pending.keeps_talk() {
            let (from, text) = (from.clone(), text.to_owned());
            let change = Change::PrivateMessage { id, from, to, text, is_mail: false };
            ctx.rooms.pending.record(now, change);
        }
    }
    let told = format!("[{kind}to {}] {text}\n", names.join(", "));
    ctx.rooms.members_mut()[ctx.client].private_mut().remember(first, now, &told, 1);
    note_private(ctx.rooms, ctx.client);
    Reply::Now(told + &notes)
}

// --- The topic ---

fn topic(ctx: &mut RoomsCtx<'_>, text: &str) -> CommandResult {
    let room = ctx.rooms.room_of(ctx.client);
    let name = room.name().to_owned();
    if text.is_empty() {
        return match room.setting(TOPIC) {
            Some((topic, by)) => Ok(Reply::Now(topic_line(&name, topic, by))),
            None => Err(format!("{name} has no topic. /topic TEXT sets one.").into()),
        };
    }
    ctx.rooms.may_speak(ctx.client)?;
    let by = ctx.name();
    let (line, sentence) = match text {
        "-" => (format!("{by} cleared the topic of {name}"), format!("{name} has no topic now.")),
        text => (
            format!("{by} set the topic of {name}: {text}"),
            format!("The topic of {name} is now: {text}"),
        ),
    };
    ctx.rooms.set_setting(ctx.client, TOPIC, (text != "-").then(|| text.to_owned()))?;
    note_setting(ctx.rooms, ctx.client, TOPIC);
    ctx.rooms.tell_room(ctx.client, &Lines::of_author(&notice(line), ctx.client));
    Ok(Reply::notice(sentence))
}

/// A room's topic, as it is told.
pub(super) fn topic_line(room: &str, topic: &str, by: &Author) -> String {
    notice(format_args!("Topic of {room}: {topic} (set by {})", by.name))
}

// --- How lines are read ---

fn echo(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let sentences = ["You no longer read your own lines.", READS_OWN_LINES];
    set(ctx, Preference::Echo, arguments, sentences)
}

fn timestamps(ctx: &mut RoomsCtx<'_>, arguments: &str) -> CommandResult {
    let sentences = [
        "Live lines no longer have their time in front.",
        "Live lines have their time in front from now on.",
    ];
    set(ctx, Preference::Timestamps, arguments, sentences)
}

/// Turns a preference on or off. `sentences`: the one for off, and the one for on.
pub(super) fn set(
    ctx: &mut RoomsCtx<'_>,
    preference: Preference,
    arguments: &str,
    sentences: [&str; 2],
) -> CommandResult {
    let on = on_or_off(arguments)?;
    let is_on = ctx.rooms.members_mut()[ctx.client].set(preference, on);
    ctx.rooms.refilter(ctx.client);
    Ok(Reply::notice(sentences[usize::from(is_on)]))
}
