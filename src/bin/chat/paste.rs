//! Pasted lines on their way: sent in the server's measure by a thread of their own, `paste`, so
//! that the keyboard can call them back.

use crate::{
    pace::{Pace, as_talk},
    shared::Shared,
};
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use std::{sync::Arc, thread};

/// Lines on their way.
pub(crate) struct Sending {
    thread: thread::JoinHandle<()>,
    stop: Sender<()>,
}

impl Sending {
    /// Begins to send. `None`: there is no thread to be had, which the person was told.
    pub(crate) fn start(
        shared: &Arc<Shared>,
        lines: Vec<String>,
        to: Option<String>,
        pace: Pace,
    ) -> Option<Sending> {
        let (stop, stopped) = bounded::<()>(1);
        let sends = Arc::clone(shared);
        let send = move || {
            let count = lines.len();
            for (sent, line) in lines.iter().enumerate() {
                let wait = pace.wait_before(sent);
                if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                    return sends.screen.notice(format!("{sent} of {count} lines were sent."));
                }
                if let Err(why) = sends.say(&as_talk(line, to.as_deref())) {
                    let text = format!("{sent} of {count} lines were sent; the next one: {why}");
                    return sends.screen.notice(text);
                }
            }
        };
        match thread::Builder::new().name("paste".to_owned()).spawn(send) {
            Ok(thread) => Some(Sending { thread, stop }),
            Err(e) => {
                shared.screen.notice(format!("nothing is sent: no thread can be started: {e}."));
                None
            }
        }
    }

    /// Ends it. Returns whether anything was left to send.
    pub(crate) fn stop(self) -> bool {
        let is_running = !self.thread.is_finished();
        let _ = self.stop.send(()); // it has ended: then there is nobody to tell
        is_running
    }
}
