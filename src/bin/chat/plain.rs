//! The chat in a pipe: bytes in are sent as they are, lines that come are printed exactly, and
//! nothing is edited, coloured or completed. Runs on `main`, which waits for standard input and for
//! nothing else.

use crate::{
    note::Question,
    shared::{Shared, not_sent},
    terminal,
};
use anyhow::{Context as _, Result};
use std::{
    io::{self, IsTerminal as _, Read as _},
    sync::atomic::Ordering,
    thread,
    time::Duration,
};

/// Input sent at once, in bytes.
const CHUNK: usize = 8 * 1024;

/// Sends standard input until its end; then waits for the server's last words, until it has been
/// silent for `silence`. The `socket` thread ends the program when the server closes.
pub(crate) fn run(shared: &Shared, silence: Duration) -> Result<()> {
    let is_typed = io::stdin().is_terminal();
    if !is_typed {
        shared.wait_for_welcome(); // or the first line would be taken for a name
    }
    let (mut input, mut chunk) = (io::stdin().lock(), vec![0; CHUNK]);
    loop {
        let count = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e).context("standard input cannot be read"),
        };
        let question = shared.change(|known| known.question.take());
        if is_typed && shared.end_typing() {
            terminal::echo(true);
            if question != Some(Question::Password) {
                shared.screen.notice("not sent: nothing asks for a password any more.");
                continue;
            }
        }
        let sent = match question {
            Some(_) => shared.link.send(&chunk[..count]).map_err(|e| not_sent(&e)),
            None => {
                let line = str::from_utf8(&chunk[..count]).ok().filter(|_| is_typed);
                let line = line.map(|line| line.trim_end_matches(['\r', '\n']));
                shared.send_typed(&chunk[..count], line).map(drop)
            }
        };
        match sent {
            Ok(()) => {}
            Err(why) if is_typed => shared.screen.notice(why),
            Err(_) => break,
        }
    }
    shared.is_leaving.store(true, Ordering::SeqCst);
    shared.link.half_close();
    let mut before = shared.known().heard;
    while shared.wait(silence, |known| known.heard != before) {
        before = shared.known().heard;
    }
    shared.link.hang_up();
    loop {
        thread::park(); // the socket's thread has read the end of file, and leaves
    }
}
