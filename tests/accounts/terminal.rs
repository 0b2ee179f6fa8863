//! A password that is typed at a terminal: asked for twice, and never shown.

use crate::harness::{DEADLINE, Folder, wait_for};
use pty_process::blocking::{self, Pts, Pty};
use rustix::termios::{LocalModes, tcgetattr};
use std::{
    io::{Read as _, Write as _},
    process::Child,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    thread,
};

/// The program, and whoever sits in front of it.
struct Terminal {
    pty: Arc<Pty>,
    _pts: Pts, // kept open: so its mode can be looked at when the program has gone
    child: Child,
    bytes: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn run(folder: &Folder, words: &str) -> Terminal {
        let (pty, pts) = blocking::open().unwrap();
        let command = blocking::Command::new(env!("CARGO_BIN_EXE_chatd"));
        let mut command = command.args(words.split_whitespace()).current_dir(folder.path(""));
        let child = command.spawn_borrowed(&pts).unwrap();
        let pty = Arc::new(pty);
        let (send, bytes) = channel();
        let read = Arc::clone(&pty);
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
            let bytes = bytes.unwrap_or_else(|_| panic!("not seen: {}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn types(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    fn shows_what_is_typed(&self) -> bool {
        tcgetattr(&*self.pty).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits until it has ended, and left the terminal as it was; whether it ended well.
    #[track_caller]
    fn ends(&mut self) -> bool {
        let (child, seen) = (&mut self.child, &self.seen);
        let status = wait_for(|| child.try_wait().unwrap(), || format!("it does not end: {seen}"));
        assert!(self.shows_what_is_typed());
        status.success()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill(); // a test that failed half-way
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_old_is_deleted_when_a_person_says_so() {
    for (answer, is_meant) in [
        ("\n", false),
        ("n\n", false),
        ("no\n", false),
        ("yesterday\n", false),
        ("\x04", false),
        ("\x03", false),
        ("y\n", true),
        (" Yes \n", true),
    ] {
        let folder = crate::pruning::folder_with_lines_of(&[40, 35, 20]);
        let mut terminal = Terminal::run(&folder, "history prune --days 30");
        terminal.sees("chatd.db: 2 of 3 lines");
        terminal.sees("Delete them? They cannot be brought back. [y/N] ");
        assert_eq!(crate::pruning::lines(&folder), 3);
        terminal.types(answer);
        if is_meant {
            terminal.sees("2 lines are deleted.");
        }
        assert_eq!(terminal.ends(), is_meant, "{answer:?}: {}", terminal.seen);
        assert_eq!(crate::pruning::lines(&folder), if is_meant { 1 } else { 3 }, "{answer:?}");
    }
}

/// Types a password, and then this one; expects what is told.
fn type_twice(second: &str, told: &str) -> (Folder, Terminal) {
    let folder = Folder::new();
    let mut terminal = Terminal::run(&folder, "account add alice");
    terminal.sees("Password for alice: ");
    assert!(!terminal.shows_what_is_typed());
    terminal.types("correct horse\n");
    terminal.sees("Once more: ");
    terminal.types(second);
    terminal.sees(told);
    (folder, terminal)
}

#[test]
fn a_password_is_typed_twice_and_unseen() {
    let (folder, mut terminal) = type_twice("correct horse\n", "alice has an account now.");
    assert!(terminal.ends());
    assert!(!terminal.seen.contains("horse"), "{}", terminal.seen);
    folder.has_password("alice", "correct horse");
}

#[test]
fn two_different_passwords_are_none() {
    let (folder, mut terminal) = type_twice("correct house\n", "two different passwords");
    assert!(!terminal.ends() && folder.files().is_empty());
}

#[test]
fn one_that_thinks_better_of_it_finds_the_terminal_as_it_was() {
    for keys in ["half a passw\x03", "\x04"] {
        let folder = Folder::new();
        let mut terminal = Terminal::run(&folder, "account add alice");
        terminal.sees("Password for alice: ");
        terminal.types(keys);
        assert!(!terminal.ends() && folder.files().is_empty(), "{keys:?}");
    }
}

/// Whoever shows the console to a class does not want the code there.
#[test]
fn a_file_of_options_keeps_the_instructors_code_off_a_terminal() {
    for (file, typed, has_code) in [
        ("", "", true),
        ("instructor = false", "", false),
        ("instructor = false", "--instructor", true),
    ] {
        let folder = Folder::new();
        std::fs::write(folder.path("chatd.toml"), file).unwrap();
        let here = "--listen 127.0.0.1:0 --web none --db none --config chatd.toml";
        let mut terminal = Terminal::run(&folder, &format!("{here} {typed}"));
        terminal.sees("Join from this machine: ");
        terminal.types("\x03");
        terminal.sees("every thread has ended"); // the code would stand before that
        assert!(terminal.ends());
        assert_eq!(terminal.seen.contains("/instructor "), has_code, "{file}: {}", terminal.seen);
    }
}
