//! A person at a terminal: types keys, and sees what a terminal emulator makes of the program's bytes.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use pty_process::blocking::{Command, Pts, Pty};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, Termios, tcgetattr};

use crate::server::{Client, Server};
use crate::{DEADLINE, folder};

/// Rows that have left the screen are kept, so that a test can look at all of them.
const SCROLLBACK: usize = 30_000;

#[derive(Default)]
struct Seen {
    /// What was seen of escape sequences that are not the screen's affair.
    bells: usize,
}

impl vt100::Callbacks for Seen {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }
}

struct Display {
    emulator: Mutex<(vt100::Parser<Seen>, Vec<u8>)>,
    changed: Condvar,
}

pub struct Person {
    pty: Arc<Pty>,
    _pts: Pts, // kept open: so its mode can be looked at when the program has gone
    pid: Pid,
    ended: Receiver<ExitStatus>,
    display: Arc<Display>,
    found: Termios,
    /// Where the program keeps its data.
    pub data: PathBuf,
}

/// How to start the program.
pub struct Start {
    arguments: Vec<String>,
    size: (u16, u16),
    variables: Vec<(&'static str, String)>,
    data: PathBuf,
    shell: Option<&'static str>,
}

impl Start {
    pub fn new(server: &Server, arguments: &[&str]) -> Start {
        let mut all = vec![server.address()];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Start { arguments: all, size: (24, 80), variables: Vec::new(), data: folder(), shell: None }
    }

    pub fn size(mut self, rows: u16, columns: u16) -> Start {
        self.size = (rows, columns);
        self
    }

    pub fn variable(mut self, name: &'static str, value: &str) -> Start {
        self.variables.push((name, value.to_owned()));
        self
    }

    pub fn data(mut self, data: PathBuf) -> Start {
        self.data = data;
        self
    }

    /// By a line for the shell, in which `"$@"` is the program with its arguments.
    pub fn shell(mut self, line: &'static str) -> Start {
        self.shell = Some(line);
        self
    }

    pub fn go(self) -> Person {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new(self.size.0, self.size.1)).unwrap();
        let found = tcgetattr(&pts).unwrap();
        let program = env!("CARGO_BIN_EXE_chat");
        let command = match self.shell {
            None => Command::new(program),
            Some(line) => Command::new("sh").args(["-c", line, "sh", program]),
        };
        let mut command = command.args(&self.arguments).current_dir(&self.data);
        for variable in ["NO_COLOR", "TERM_PROGRAM"] {
            command = command.env_remove(variable);
        }
        command = command
            .env("TERM", "xterm")
            .env("XDG_DATA_HOME", &self.data)
            .env("RUST_BACKTRACE", "0");
        command = self
            .variables
            .into_iter()
            .fold(command, |command, (name, value)| command.env(name, value));
        let mut child = command.spawn_borrowed(&pts).unwrap();
        let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        let (end, ended) = channel();
        thread::spawn(move || end.send(child.wait().unwrap()));
        let pty = Arc::new(pty);
        let display = display(self.size);
        show(Arc::clone(&pty), Arc::clone(&display));
        Person { pty, _pts: pts, pid, ended, display, found, data: self.data }
    }
}

fn size(rows: u16, columns: u16) -> (NonZeroU16, NonZeroU16) {
    (NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap())
}

fn display((rows, columns): (u16, u16)) -> Arc<Display> {
    let (rows, columns) = size(rows, columns);
    let emulator = vt100::Parser::new_with_callbacks(rows, columns, SCROLLBACK, Seen::default());
    Arc::new(Display { emulator: Mutex::new((emulator, Vec::new())), changed: Condvar::new() })
}

fn show(pty: Arc<Pty>, display: Arc<Display>) {
    thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count) = (&*pty).read(&mut bytes) {
            let mut emulator = display.emulator.lock().unwrap();
            emulator.0.process(&bytes[..count]);
            emulator.1.extend_from_slice(&bytes[..count]);
            display.changed.notify_all();
        }
    });
}

/// Somebody who has entered as alice, and the server's end of it.
pub fn alice() -> (Server, Client, Person) {
    let server = Server::start();
    let person = Start::new(&server, &["--name", "alice"]).go();
    let client = server.accepts();
    client.enters_as("alice");
    person.sees_prompt("alice@lobby> ");
    (server, client, person)
}

impl Person {
    pub fn types(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the screen is as `is_so` wants it.
    #[track_caller]
    pub fn sees_that(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        let mut emulator = self.display.emulator.lock().unwrap();
        while !is_so(emulator.0.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                panic!("not seen: {what}; but:\n{}", emulator.0.screen().contents());
            }
            emulator = self.display.changed.wait_timeout(emulator, left).unwrap().0;
        }
    }

    /// Waits until `text` stands somewhere on the screen.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        self.sees_that(text, |screen| screen.contents().contains(text));
    }

    /// Waits until the cursor stands behind a row that reads `text` (trailing blanks aside).
    #[track_caller]
    pub fn sees_prompt(&self, text: &str) {
        self.sees_that(text, |screen| {
            let (row, _) = screen.cursor_position();
            rows(screen)[usize::from(row)] == text.trim_end()
        });
    }

    /// The rows of the screen, without trailing blanks.
    pub fn rows(&self) -> Vec<String> {
        rows(self.display.emulator.lock().unwrap().0.screen())
    }

    /// Looks at the screen itself.
    pub fn looks<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.display.emulator.lock().unwrap().0.screen())
    }

    /// All rows since the program began, those that have left the screen too.
    pub fn all_rows(&self) -> Vec<String> {
        let mut emulator = self.display.emulator.lock().unwrap();
        let screen = emulator.0.screen_mut();
        let (height, lines) = (usize::from(screen.size().0.get()), screen.scrollback_len());
        let mut all = Vec::new();
        let mut above = lines;
        while above > 0 {
            screen.set_scrollback(above);
            let page = rows(screen);
            all.extend(page.into_iter().take(height.min(above)));
            above = above.saturating_sub(height);
        }
        screen.set_scrollback(0);
        all.extend(rows(screen));
        all
    }

    /// How often the bell rang.
    pub fn bells(&self) -> usize {
        self.display.emulator.lock().unwrap().0.callbacks().bells
    }

    /// Every byte that went to the terminal.
    pub fn bytes(&self) -> Vec<u8> {
        self.display.emulator.lock().unwrap().1.clone()
    }

    pub fn resizes(&self, rows: u16, columns: u16) {
        let (r, c) = size(rows, columns);
        self.display.emulator.lock().unwrap().0.screen_mut().set_size(r, c);
        self.pty.resize(pty_process::Size::new(rows, columns)).unwrap();
    }

    pub fn kills(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Waits until the program is stopped, as after Ctrl-Z: a signal to continue that comes before is lost.
    pub fn sees_it_stopped(&self) {
        let stat = format!("/proc/{}/stat", self.pid.as_raw_nonzero());
        let deadline = Instant::now() + DEADLINE;
        loop {
            let Ok(stat) = std::fs::read_to_string(&stat) else { return }; // no /proc here
            if stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')) {
                return;
            }
            assert!(Instant::now() < deadline, "it does not stop: {stat}");
            thread::yield_now();
        }
    }

    /// Waits until the program has ended; its exit code, or 128 and the signal that ended it.
    #[track_caller]
    pub fn ends(&self) -> i32 {
        let status = match self.ended.recv_timeout(DEADLINE) {
            Ok(status) => status,
            Err(_) => panic!("it does not end:\n{}", self.looks(vt100::Screen::contents)),
        };
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
    }

    /// Waits until typed letters are shown by the terminal itself, or no longer. Nothing tells of that but asking.
    #[track_caller]
    pub fn sees_echo(&self, is_on: bool) {
        let deadline = Instant::now() + DEADLINE;
        while tcgetattr(&*self.pty).unwrap().local_modes.contains(LocalModes::ECHO) != is_on {
            assert!(Instant::now() < deadline, "echo stays {}", if is_on { "off" } else { "on" });
            thread::yield_now();
        }
    }

    /// The terminal is as it was before the program began.
    #[track_caller]
    pub fn finds_the_terminal_as_it_was(&self) {
        let now = tcgetattr(&*self.pty).unwrap();
        assert_eq!(now.local_modes, self.found.local_modes);
        assert_eq!(now.input_modes, self.found.input_modes);
        assert_eq!(now.output_modes, self.found.output_modes);
        assert!(now.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON));
        self.sees_that("no pasting in brackets", |screen| {
            !screen.bracketed_paste() && !screen.hide_cursor()
        });
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = kill_process(self.pid, Signal::KILL); // a test that failed half-way; otherwise it has ended
    }
}

fn rows(screen: &vt100::Screen) -> Vec<String> {
    let columns = screen.size().1.get();
    screen.rows(0, columns).map(|row| row.trim_end().to_owned()).collect()
}
