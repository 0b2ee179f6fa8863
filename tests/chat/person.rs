//! A person at a terminal: types keys, and sees what a terminal emulator makes of the program's
//! bytes.

use crate::{
    DEADLINE, folder,
    server::{Client, Server},
    wait_until,
};
use pty_process::{
    Size,
    blocking::{Command, Pts, Pty, open},
};
use rustix::{
    process::{Pid, Signal, kill_process},
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr},
};
use std::{
    io::{Read as _, Write as _},
    num::NonZeroU16,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::ExitStatus,
    sync::{
        Arc, Condvar, Mutex,
        mpsc::{Receiver, channel},
    },
    thread,
    time::Instant,
};
use vt100::Screen;

/// Rows that have left the screen stay there, so that a test can look at all of them.
const SCROLLBACK: usize = 30_000;

/// The bell's rings.
#[derive(Default)]
struct Bell(usize);

impl vt100::Callbacks for Bell {
    fn audible_bell(&mut self, _: &mut Screen) {
        self.0 += 1;
    }
}

/// The emulator, and every byte that went to it.
struct Display {
    emulator: Mutex<(vt100::Parser<Bell>, Vec<u8>)>,
    changed: Condvar,
}

pub struct Person {
    pty: Arc<Pty>,
    _pts: Pts, // stays open: so its mode can be looked at when the program has gone
    pid: Pid,
    ended: Receiver<ExitStatus>,
    display: Arc<Display>,
    found: Termios,
    /// Where the program has its data.
    pub data: PathBuf,
}

/// How to start the program.
pub struct Start {
    arguments: Vec<String>,
    size: (u16, u16),
    variable: Option<(&'static str, &'static str)>,
    data: PathBuf,
    shell: Option<&'static str>,
    is_full: bool,
}

impl Start {
    pub fn new(server: &Server, arguments: &[&str]) -> Start {
        Start::at(server.address(), arguments)
    }

    pub fn at(address: String, arguments: &[&str]) -> Start {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        let arguments = [address].into_iter().chain(arguments).collect();
        Start {
            arguments,
            size: (24, 80),
            variable: None,
            data: folder(),
            shell: None,
            is_full: false,
        }
    }

    pub fn argument(mut self, argument: &str) -> Start {
        self.arguments.push(argument.to_owned());
        self
    }

    pub fn size(self, rows: u16, columns: u16) -> Start {
        Start { size: (rows, columns), ..self }
    }

    /// Sets a variable of the environment.
    pub fn variable(self, name: &'static str, value: &'static str) -> Start {
        Start { variable: Some((name, value)), ..self }
    }

    pub fn data(self, data: PathBuf) -> Start {
        Start { data, ..self }
    }

    pub fn data_folder(&self) -> &str {
        self.data.to_str().unwrap()
    }

    /// By a line for the shell, in which `"$@"` is the program with its arguments.
    pub fn shell(self, line: &'static str) -> Start {
        Start { shell: Some(line), ..self }
    }

    /// On the full screen, which is what a person gets who asks for nothing else.
    pub fn full(self) -> Start {
        Start { is_full: true, ..self }
    }

    pub fn go(self) -> Person {
        let (rows, columns) = self.size;
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let found = tcgetattr(&pts).unwrap();
        let program = env!("CARGO_BIN_EXE_chat");
        let command = match self.shell {
            None => Command::new(program),
            Some(line) => Command::new("sh").args(["-c", line, "sh", program]),
        };
        let mut child = command
            .args(&self.arguments)
            .args((!self.is_full).then_some("--inline"))
            .current_dir(&self.data)
            .env_remove("NO_COLOR")
            .env_remove("TERM_PROGRAM")
            .env("TERM", "xterm")
            .env("XDG_DATA_HOME", &self.data)
            .env("XDG_CONFIG_HOME", &self.data)
            .env("RUST_BACKTRACE", "0")
            .envs(self.variable)
            .spawn_borrowed(&pts)
            .unwrap();
        let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        let (end, ended) = channel();
        thread::spawn(move || end.send(child.wait().unwrap()));

        let (rows, columns) = size(rows, columns);
        let emulator = vt100::Parser::new_with_callbacks(rows, columns, SCROLLBACK, Bell(0));
        let emulator = Mutex::new((emulator, Vec::new()));
        let display = Arc::new(Display { emulator, changed: Condvar::new() });
        let pty = Arc::new(pty);
        let (from, to) = (Arc::clone(&pty), Arc::clone(&display));
        thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            while let Ok(count) = (&*from).read(&mut bytes) {
                let mut emulator = to.emulator.lock().unwrap();
                emulator.0.process(&bytes[..count]);
                emulator.1.extend_from_slice(&bytes[..count]);
                to.changed.notify_all();
            }
        });
        Person { pty, _pts: pts, pid, ended, display, found, data: self.data }
    }
}

fn size(rows: u16, columns: u16) -> (NonZeroU16, NonZeroU16) {
    (NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap())
}

/// Somebody who has entered as alice, and the server's end of it.
pub fn alice() -> (Server, Client, Person) {
    alice_who(|start| start)
}

/// The same, of a program started in a way of the test's own.
pub fn alice_who(starts: impl FnOnce(Start) -> Start) -> (Server, Client, Person) {
    let server = Server::start();
    let person = starts(Start::new(&server, &["--name", "alice"])).go();
    let client = server.accepts();
    client.enters_as("alice");
    person.sees_prompt("alice@lobby> ");
    (server, client, person)
}

/// Somebody who has just connected, and the server's end of it.
pub fn somebody(arguments: &[&str]) -> (Server, Client, Person) {
    let server = Server::start();
    let person = Start::new(&server, arguments).go();
    let client = server.accepts();
    (server, client, person)
}

impl Person {
    pub fn types(&self, keys: &str) {
        self.types_bytes(keys.as_bytes());
    }

    pub fn types_bytes(&self, keys: &[u8]) {
        (&*self.pty).write_all(keys).unwrap();
    }

    /// Waits until the screen is as `is_so` wants it. Returns its rows then: a moment later it may be another one.
    #[track_caller]
    pub fn sees_that(&self, what: &str, is_so: impl Fn(&Screen) -> bool) -> Vec<String> {
        let deadline = Instant::now() + DEADLINE;
        let mut emulator = self.display.emulator.lock().unwrap();
        while !is_so(emulator.0.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not seen: {what}; but:\n{}", emulator.0.screen().contents());
            emulator = self.display.changed.wait_timeout(emulator, left).unwrap().0;
        }
        rows(emulator.0.screen())
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

    /// Types something, and waits until it stands behind the prompt.
    #[track_caller]
    pub fn half_types(&self, text: &str) {
        self.half_types_behind("alice@lobby> ", text);
    }

    #[track_caller]
    pub fn half_types_behind(&self, prompt: &str, text: &str) {
        self.types(text);
        self.sees_prompt(&format!("{prompt}{text}"));
    }

    /// The rows of the screen, without trailing blanks.
    pub fn rows(&self) -> Vec<String> {
        self.looks(rows)
    }

    /// Looks at the screen itself.
    pub fn looks<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        look(self.display.emulator.lock().unwrap().0.screen())
    }

    /// All rows since the program began, those that have left the screen too.
    pub fn all_rows(&self) -> Vec<String> {
        let mut emulator = self.display.emulator.lock().unwrap();
        let screen = emulator.0.screen_mut();
        let (height, lines) = (usize::from(screen.size().0.get()), screen.scrollback_len());
        let mut all = Vec::new();
        for above in (1..=lines).rev().step_by(height) {
            screen.set_scrollback(above);
            all.extend(rows(screen).into_iter().take(above));
        }
        screen.set_scrollback(0);
        all.extend(rows(screen));
        all
    }

    /// All rows that begin with this.
    pub fn all_rows_with(&self, beginning: &str) -> Vec<String> {
        let mut rows = self.all_rows();
        rows.retain(|row| row.starts_with(beginning));
        rows
    }

    /// How often the bell rang.
    pub fn bells(&self) -> usize {
        self.display.emulator.lock().unwrap().0.callbacks().0
    }

    /// Everything that went to the terminal.
    pub fn bytes(&self) -> String {
        String::from_utf8_lossy(&self.display.emulator.lock().unwrap().1).into_owned()
    }

    /// How many bytes that were.
    pub fn byte_count(&self) -> usize {
        self.display.emulator.lock().unwrap().1.len()
    }

    pub fn resizes(&self, rows: u16, columns: u16) {
        let (r, c) = size(rows, columns);
        self.display.emulator.lock().unwrap().0.screen_mut().set_size(r, c);
        self.pty.resize(Size::new(rows, columns)).unwrap();
    }

    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    pub fn kills(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Waits until the program is stopped, as after Ctrl-Z: a signal to continue that comes before
    /// is lost.
    #[track_caller]
    pub fn sees_it_stopped(&self) {
        let stat = format!("/proc/{}/stat", self.pid.as_raw_nonzero());
        let is_stopped = |stat: String| stat.rsplit_once(") ").unwrap().1.starts_with('T');
        let look = || std::fs::read_to_string(&stat).map_or(true, is_stopped); // or no /proc here
        wait_until(look, || "it does not stop".to_owned());
    }

    /// Waits until the program has ended; its exit code, or 128 and the signal that ended it.
    #[track_caller]
    pub fn ends(&self) -> i32 {
        let Ok(status) = self.ended.recv_timeout(DEADLINE) else {
            panic!("it does not end:\n{}", self.looks(Screen::contents));
        };
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
    }

    /// Waits until the program has ended with this exit code, and finds the terminal as it was
    /// before.
    #[track_caller]
    pub fn ends_with(&self, code: i32) {
        assert_eq!(self.ends(), code);
        self.finds_the_terminal_as_it_was();
    }

    /// Waits until the terminal itself shows typed letters, or no longer. Nothing tells of that but
    /// asking.
    #[track_caller]
    pub fn sees_echo(&self, is_on: bool) {
        let has_echo = || tcgetattr(&*self.pty).unwrap().local_modes.contains(LocalModes::ECHO);
        wait_until(|| has_echo() == is_on, || format!("the echo should be on: {is_on}"));
    }

    /// Gives the terminal the mode that it had before, as a shell does.
    pub fn puts_the_terminal_back(&self) {
        tcsetattr(&*self.pty, OptionalActions::Now, &self.found).unwrap();
    }

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
        let _ = kill_process(self.pid, Signal::KILL); // a test that failed half-way
    }
}

fn rows(screen: &Screen) -> Vec<String> {
    let columns = screen.size().1.get();
    screen.rows(0, columns).map(|row| row.trim_end().to_owned()).collect()
}
