//! Questions to the whole class: an administrator asks, everybody chooses a letter, and the count is
//! shown at the end.

use super::row::{CommandResult, Reply, RoomsCtx, Row, Who};
use crate::core::{
    notice::{Refusal, notice},
    rooms::{
        RoomKey,
        class::{announce_here, show},
        quiz::Quiz,
        room::Lines,
    },
};

pub(super) const ROWS: &[Row] = &[
    Row::rooms("answer", "[LETTER]", "chooses an answer to /class; /a, /b … do, too", answer)
        .example("b"),
    Row::rooms("class", "[QUESTION | ANSWER | ANSWER …|close]", "asks, counts, closes", class)
        .example("Who waits? | nobody | everybody")
        .only_for(Who::Administrators),
];

fn class(ctx: &mut RoomsCtx<'_>, typed: &str) -> CommandResult {
    let Some(room) = ctx.member().room() else { return Err(Refusal::Usage) };
    if typed.is_empty() {
        let counts = open(ctx, room)?.describe_counts("The question is open");
        let (answered, missing) = answered(ctx, room);
        let all = answered + missing;
        return Ok(Reply::Now(
            counts + &notice(format_args!("{answered} of {all} have answered.")),
        ));
    }
    if typed.eq_ignore_ascii_case("close") {
        return close(ctx, room);
    }
    let id = ctx.rooms.pending.last_line().next();
    let quiz = Quiz::read(id, ctx.name(), typed)?;
    if ctx.rooms.room_of(ctx.client).quiz().is_some() {
        return Err("A question is open here: /class close ends it and shows the count.".into());
    }
    for line in quiz.describe(None).split_inclusive('\n') {
        ctx.rooms.tell_room(ctx.client, &Lines::of_server(line)); // the count repeats it for later
    }
    ctx.rooms.rooms[room].set_quiz(Some(quiz));
    show(ctx.rooms, room, false);
    Ok(Reply::Now(String::new()))
}

fn close(ctx: &mut RoomsCtx<'_>, room: RoomKey) -> CommandResult {
    let counts = open(ctx, room)?.describe_counts(&format!("{} closed the question", ctx.name()));
    let (answered, missing) = answered(ctx, room);
    let sum = match (answered, answered + missing) {
        (0, _) => "Nobody answered.".to_owned(),
        (answered, all) => format!("{answered} of {all} answered."),
    };
    show(ctx.rooms, room, true);
    ctx.rooms.rooms[room].set_quiz(None);
    announce_here(ctx.rooms, ctx.client, &(counts + &notice(sum)));
    Ok(Reply::Now(String::new()))
}

/// Shows what is asked, or chooses an answer.
fn answer(ctx: &mut RoomsCtx<'_>, letter: &str) -> CommandResult {
    let client = ctx.client;
    let Some(room) = ctx.member().room() else { return Err(Refusal::Usage) };
    let quiz = open(ctx, room)?;
    if letter.is_empty() {
        return Ok(Reply::Now(quiz.describe(Some(client))));
    }
    let Some(choice) = quiz.choice(letter) else {
        return Err(format!("{letter} is none of the answers. /answer shows them.").into());
    };
    let told = quiz.describe_choice(choice);
    let quiz = ctx.rooms.rooms[room].quiz_mut();
    let is_first = quiz.is_some_and(|quiz| quiz.answer(client, choice).is_none());
    show(ctx.rooms, room, false);
    if is_first && answered(ctx, room).1 == 0 {
        let line = notice("Everybody here has answered: /class close shows the count.");
        for member in ctx.rooms.room_of(client).members().to_vec() {
            if ctx.rooms.is_admin(member) {
                ctx.rooms.tell(member, &line);
            }
        }
    }
    Ok(Reply::Now(told))
}

/// The room's open question.
fn open<'a>(ctx: &'a RoomsCtx<'_>, room: RoomKey) -> Result<&'a Quiz, Refusal> {
    let room = &ctx.rooms.rooms[room];
    room.quiz().ok_or_else(|| format!("No question is open in {}.", room.name()).into())
}

/// How many have answered, and how many have not. (Of an administrator no answer is expected.)
fn answered(ctx: &RoomsCtx<'_>, room: RoomKey) -> (usize, usize) {
    let room = &ctx.rooms.rooms[room];
    let Some(quiz) = room.quiz() else { return (0, 0) };
    let is_missing = |&&member: &&_| !quiz.has_answered(member) && !ctx.rooms.is_admin(member);
    (quiz.answered(), room.members().iter().filter(is_missing).count())
}
