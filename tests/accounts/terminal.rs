//! A password that is typed at a terminal: asked for twice, and never shown.

use crate::*;
use pty_process::blocking::{self, Pts, Pty};
use rustix::termios::{LocalModes, tcgetattr};
use std::{
    io::Read as _,
    process::Child,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Instant,
};

/// How long to wait for anything that has to happen.
const DEADLINE: Duration = Duration::from_secs(30);

/// The program, and whoever sits in front of it.
struct Terminal {
    pty: std::sync::Arc<Pty>,
    _pts: Pts, // kept open: so its mode can be looked at when the program has gone
    child: Child,
    bytes: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn run(folder: &Folder, words: &str) -> Terminal {
        let (pty, pts) = blocking::open().unwrap();
        let command = blocking::Command::new(env!("CARGO_BIN_EXE_chatd"));
        let child = command
            .args(words.split_whitespace())
            .current_dir(&folder.0)
            .spawn_borrowed(&pts)
            .unwrap();
        let pty = std::sync::Arc::new(pty);
        let (send, bytes) = channel();
        let read = std::sync::Arc::clone(&pty);
        thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(count) = (&*read).read(&mut buffer) {
                let _ = send.send(buffer[..count].to_vec());
            }
        });
        Terminal { pty, _pts: pts, child, bytes, seen: String::new() }
    }

    #[track_caller]
    fn sees(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let bytes = self.bytes.recv_timeout(DEADLINE);
            self.seen.push_str(&String::from_utf8_lossy(
                &bytes.unwrap_or_else(|_| panic!("not seen: {}", self.seen)),
            ));
        }
    }

    fn types(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    fn shows_what_is_typed(&self) -> bool {
        tcgetattr(&*self.pty).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits until it has ended; whether well.
    #[track_caller]
    fn ends(&mut self) -> bool {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(start.elapsed() < DEADLINE, "it does not end: {}", self.seen);
            thread::yield_now();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill(); // a test that failed half-way
        let _ = self.child.wait();
    }
}

#[test]
fn a_password_is_typed_twice_and_unseen() {
    let folder = Folder::new();
    let mut terminal = Terminal::run(&folder, "account add alice");
    terminal.sees("Password for alice: ");
    assert!(!terminal.shows_what_is_typed());
    terminal.types("correct horse\n");
    terminal.sees("Once more: ");
    terminal.types("correct horse\n");
    terminal.sees("alice has an account now.");
    assert!(terminal.ends() && terminal.shows_what_is_typed());
    assert!(!terminal.seen.contains("horse"), "{}", terminal.seen);
    folder.has_password(1, "correct horse");
}

#[test]
fn two_different_passwords_are_none() {
    let folder = Folder::new();
    let mut terminal = Terminal::run(&folder, "account add alice");
    terminal.sees("Password for alice: ");
    terminal.types("correct horse\n");
    terminal.sees("Once more: ");
    terminal.types("correct house\n");
    terminal.sees("two different passwords");
    assert!(!terminal.ends() && terminal.shows_what_is_typed());
    assert!(!folder.database().exists());
}

#[test]
fn whoever_thinks_better_of_it_finds_the_terminal_as_it_was() {
    for keys in ["half a passw\x03", "\x04"] {
        let folder = Folder::new();
        let mut terminal = Terminal::run(&folder, "account add alice");
        terminal.sees("Password for alice: ");
        terminal.types(keys);
        assert!(!terminal.ends() && terminal.shows_what_is_typed(), "{keys:?}");
        assert!(!folder.database().exists());
    }
}
