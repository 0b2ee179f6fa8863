//! The queue into the one thread that prints, `screen` (see `screen_thread.rs`). Any thread.

use crate::{screen_lock::ScreenLock, server_line::ServerLine, window::Window};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::{fs::File, time::Duration};

/// Lines that may wait to be shown. A person who searches the typed lines holds the screen for a
/// while, and until this many have come the server does not notice; then TCP makes it wait. At most
/// 64 MiB of lines as long as `socket.rs` lets them be.
const QUEUE_MAX: usize = 16 * 1024;

/// How long the end of the program waits until everything is shown.
const FINISH_LIMIT: Duration = Duration::from_secs(3);

/// What can be shown.
pub(crate) enum Show {
    Line(ServerLine),
    /// A note, for a program.
    Note(String),
    /// A sentence of the client's own.
    Notice(String),
    /// A line of ours as others read it: it stands on the screen already, and goes into the log.
    Own(String),
    /// A line of ours, to a server that does not tell us what others read of it.
    Typed(String),
    /// What is known has changed.
    Changed,
    /// The window has another size, or the terminal was somebody else's meanwhile.
    Redraw,
    /// What was typed is dealt with, and the next input is waited for.
    Ready,
    /// Nothing of what was shown.
    Clear,
    /// The latest line that contains this, or the one before the last found.
    Find(Option<String>),
    /// The talk with somebody, or the room.
    Window(Option<String>),
    /// Add what is shown to this file, or no longer.
    Log(Option<File>),
    /// Nothing follows; say so when everything is on the screen.
    End(Sender<()>),
}

/// The screen as the other threads see it: the queue, and what the line editor says of itself.
pub(crate) struct Screen {
    queue: Sender<Show>,
    pub(crate) lock: ScreenLock,
    pub(crate) window: Window,
}

impl Screen {
    /// A screen, and the end of its queue that thread `screen` reads.
    pub(crate) fn new() -> (Screen, Receiver<Show>) {
        let (queue, waiting) = bounded(QUEUE_MAX);
        (Screen { queue, lock: ScreenLock::default(), window: Window::new() }, waiting)
    }

    /// Shows a line from the server. Waits while too many wait already.
    pub(crate) fn line(&self, line: ServerLine) {
        self.show(Show::Line(line));
    }

    /// Shows a sentence of the client's own: in a pipe on standard error, as it is not the
    /// server's.
    pub(crate) fn notice(&self, text: impl Into<String>) {
        self.show(Show::Notice(text.into()));
    }

    /// What is known has changed, and may be seen. Nobody waits for that.
    pub(crate) fn wake(&self) {
        let _ = self.queue.try_send(Show::Changed); // full: then it is drawn anyway
    }

    /// Has everything drawn anew. Nobody waits for that.
    pub(crate) fn redraw(&self) {
        let _ = self.queue.try_send(Show::Redraw); // full: then it is drawn anyway
    }

    pub(crate) fn show(&self, show: Show) {
        let _ = self.queue.send(show); // `screen` ends only with the program
    }

    /// Waits until everything is shown, or for [`FINISH_LIMIT`].
    pub(crate) fn finish(&self) {
        self.lock.end_program();
        let (done, is_done) = bounded(1);
        if self.queue.send_timeout(Show::End(done), FINISH_LIMIT).is_ok() {
            let _ = is_done.recv_timeout(FINISH_LIMIT); // a terminal may take nothing any more
        }
    }
}
