//! A question to the class, as it is shown outside the chat.

/// A question as the view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuizShown {
    /// The name of its room.
    pub(crate) room: String,
    pub(crate) by: String,
    pub(crate) question: String,
    pub(crate) choices: Vec<String>,
    /// How many have answered.
    pub(crate) answers: usize,
    /// How many have chosen each; `None` while it is open: what the others choose would be copied.
    pub(crate) counts: Option<Vec<usize>>,
}
