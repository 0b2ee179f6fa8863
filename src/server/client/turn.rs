//! Who may send what waits in an outbox: an answer to the client is written by the client's own
//! thread, and all else by whoever is there.

/// Who may send what waits.
///
/// ```text
///   Anybody             [ what waits ]                        the flusher sends it
///   AnswerAfter(n)      [ n bytes | (answer) | said later ]   nobody sends: the client's thread writes the answer
///   OwnThread                     [ said later ]              the n bytes and the answer are on
///                                                             their way, outside the lock
/// ```
///
/// Nobody takes bytes from the front while it is `AnswerAfter`, so `n` stays correct. (The one
/// exception, `Outbox::refuse_more`, corrects it.)
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Turn {
    /// Any thread.
    #[default]
    Anybody,
    /// No thread yet: the client's own thread is about to write an answer, after this many of the
    /// bytes that wait.
    AnswerAfter(usize),
    /// The client's own thread, which is writing.
    OwnThread,
}
