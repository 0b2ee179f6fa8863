//! What comes from the person, whichever way of showing the chat reads it.

use anyhow::Result;

/// What a reading came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Something to say or to do, without its end; pasted text may be several lines. `to`: said to
    /// this one alone, if it is talk.
    Line { text: String, to: Option<String> },
    /// The answer to a question for a password.
    Password(String),
    /// A line that was begun before a password was asked for. It comes back later.
    PutAside,
    /// Ctrl-C; it has emptied the line.
    Interrupt { was_empty: bool },
    /// Ctrl-D on an empty line; a signal.
    End,
}

/// Where what is typed comes from: the line editor, or the full screen. `main` alone reads.
pub(crate) trait Typing {
    /// Waits for the next input.
    ///
    /// # Errors
    /// The terminal cannot be read.
    fn read(&mut self) -> Result<Input>;

    /// Takes the screen's text away.
    fn clear_screen(&mut self);
}
