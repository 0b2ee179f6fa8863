//! Telling of the class's question: to whoever looks at the view, and to a room's history.

use super::{ClientKey, RoomKey, Rooms, config::Action};
use crate::core::quiz_shown::QuizShown;

/// Hands a room's question to the driver, to be shown. With the counts if it is closed.
pub(crate) fn show(rooms: &mut Rooms, room: RoomKey, is_closed: bool) {
    let Some(quiz) = rooms.rooms[room].quiz() else { return };
    let shown = QuizShown {
        room: rooms.rooms[room].name().to_owned(),
        by: quiz.by.clone(),
        question: quiz.question.clone(),
        choices: quiz.choices.clone(),
        answers: quiz.answered(),
        counts: is_closed.then(|| quiz.counts()),
    };
    rooms.actions.push(Action::ShowQuiz(shown));
}

/// Shows lines to everybody in the room of `by`, as said there: they are remembered and recorded.
pub(crate) fn announce_here(rooms: &mut Rooms, by: ClientKey, lines: &str) {
    let author = rooms.person(by).author();
    let Rooms { rooms, members, pending, output, now, .. } = rooms;
    let Some(room) = members[by].room() else { return };
    for line in lines.split_inclusive('\n') {
        rooms[room].announce(&author, line, *now, members, pending, output);
    }
}
