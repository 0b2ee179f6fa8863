//! A password from a person or a program: never from the command line, where everybody on the
//! machine could read it. Runs on thread `main`.
//!
//! Written here, as the crate for it (rpassword 7) shows what is typed before and between the two
//! questions, and leaves the terminal without an echo after a Ctrl-C.

use anyhow::{Context as _, ensure};
use chatd::core::password::Password;
use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _, stderr, stdin};

/// Bytes read of a line: longer than any password, and bounded.
const LINE_MAX: u64 = 4096;

/// At a terminal it is asked for twice, and what is typed is not shown. Otherwise it is the first
/// line of standard input.
pub(crate) fn read_password(name: &str) -> anyhow::Result<Password> {
    if !stdin().is_terminal() {
        return read_line().map(|line| Password::new(&line));
    }
    let hidden = echo::hide()?;
    let password = ask(&format!("Password for {name}: "))?;
    Password::new(&password).check().map_err(anyhow::Error::msg)?;
    let again = ask("Once more: ")?;
    drop(hidden);
    ensure!(password == again, "These were two different passwords. Nothing is changed.");
    Ok(Password::new(&password))
}

fn ask(question: &str) -> anyhow::Result<String> {
    let mut out = stderr(); // standard output may be redirected
    let _ = write!(out, "{question}").and_then(|()| out.flush());
    let line = read_line();
    let _ = writeln!(out); // in place of the line end that was not shown
    line
}

fn read_line() -> anyhow::Result<String> {
    let mut line = Vec::new();
    stdin()
        .lock()
        .take(LINE_MAX)
        .read_until(b'\n', &mut line)
        .context("cannot read the password")?;
    ensure!(!line.is_empty(), "There was no password to be read. Nothing is changed.");
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = String::from_utf8(line.to_owned()).ok();
    line.context("A password is text in UTF-8, and this was something else.")
}

/// The terminal does not show what is typed.
#[cfg(unix)]
mod echo {
    use anyhow::Context as _;
    use chatd::socketserver::signals::not_ignored;
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };
    use std::io::stdin;

    /// Shows what is typed again when it is dropped.
    pub(super) struct Hidden(Termios);

    /// Hides what is typed from now on. A signal ends the program with the terminal as it was
    /// found.
    pub(super) fn hide() -> anyhow::Result<Hidden> {
        let found = tcgetattr(stdin()).context("cannot ask the terminal")?;
        let mut signals = Signals::new(not_ignored(&[SIGINT, SIGTERM, SIGHUP]))?;
        let as_found = found.clone();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                show(&as_found);
                eprintln!();
                std::process::exit(128 + signal);
            }
        })?;
        let mut hidden = found.clone();
        hidden.local_modes -= LocalModes::ECHO;
        tcsetattr(stdin(), OptionalActions::Flush, &hidden).context("cannot hide what is typed")?;
        Ok(Hidden(found))
    }

    impl Drop for Hidden {
        fn drop(&mut self) {
            show(&self.0);
        }
    }

    fn show(found: &Termios) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, found); // else the terminal is gone
    }
}

/// The console does not show what is typed.
#[cfg(windows)]
mod echo {
    use anyhow::Context as _;
    use winapi_util::{HandleRef, console};

    /// `ENABLE_ECHO_INPUT`, as the console's reference numbers it.
    const ECHO: u32 = 0x0004;

    /// Shows what is typed again when it is dropped.
    pub(super) struct Hidden(u32);

    /// Hides what is typed from now on.
    pub(super) fn hide() -> anyhow::Result<Hidden> {
        let found = console::mode(HandleRef::stdin()).context("cannot ask the console")?;
        console::set_mode(HandleRef::stdin(), found & !ECHO)
            .context("cannot hide what is typed")?;
        Ok(Hidden(found))
    }

    impl Drop for Hidden {
        fn drop(&mut self) {
            let _ = console::set_mode(HandleRef::stdin(), self.0);
        }
    }
}
