//! Where the class's question hangs for whoever looks at the view. The fan-out hangs it up; thread
//! `view` looks at it.

use crate::{
    core::quiz_shown::QuizShown,
    lock::{LockKind, Locked},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The question that was asked or answered last, as the page reads it.
pub(crate) struct Board(Locked<Option<Arc<str>>>);

impl Default for Board {
    fn default() -> Board {
        Board(Locked::new(LockKind::Board, None))
    }
}

impl Board {
    /// Hangs a question up, in the place of the last one.
    pub(crate) fn show(&self, quiz: &QuizShown) {
        let QuizShown { room, by, question, choices, answers, counts } = quiz;
        let count = |choice: usize| counts.as_ref().map_or(Value::Null, |all| all[choice].into());
        let choices: Vec<Value> =
            choices.iter().enumerate().map(|(i, words)| json!([words, count(i)])).collect();
        let shown = json!({
            "room": room, "by": by, "question": question, "open": counts.is_none(),
            "answers": answers, "choices": choices,
        });
        let json = Some(Arc::from(shown.to_string()));
        *self.0.lock() = json;
    }

    pub(crate) fn shown(&self) -> Option<Arc<str>> {
        self.0.lock().clone()
    }
}
