//! The terminal's mode: as it was found, as the chat needs it, and back again by whatever way the
//! program ends.
//!
//! Between two readings the line editor puts the mode back to what it was before; a key pressed
//! then would be echoed, a password too. So for the whole chat the mode is one without echo, and
//! what was found is put back once: by the end of the program, by a signal's thread, or by a
//! panic's hook. Any thread may call [`restore`], at any time.

#[cfg(unix)]
pub(crate) use mode::stop;
pub(crate) use mode::{columns, echo, remember, write};

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

/// A prompt stands on the screen, and what follows belongs below it.
static PROMPT_SHOWN: AtomicBool = AtomicBool::new(false);

/// The editor has the terminal; so its sequences have to be taken back.
static EDITING: AtomicBool = AtomicBool::new(false);

/// The full screen has the terminal.
static FULL: AtomicBool = AtomicBool::new(false);

/// It is told of the wheel.
static HAS_WHEEL: AtomicBool = AtomicBool::new(false);

/// Ends what the editor switches on: pasting in brackets, an update in one piece, a hidden cursor.
const EDITOR_OFF: &[u8] = b"\x1b[?2004l\x1b[?2026l\x1b[?25h";

/// The full screen: another screen, no arrow keys in place of the wheel (they would go through what was
/// typed), pasting in brackets, word of the focus; and the window's title is kept for later.
const FULL_ON: &[u8] = b"\x1b[?1049h\x1b[?1007l\x1b[22;2t\x1b[?2004h\x1b[?1004h";
const FULL_OFF: &[u8] =
    b"\x1b[?1006l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[23;2t\x1b[?1007h\x1b[?1049l\x1b[?25h";

/// The wheel's turns come as keys do; and so do clicks, with which the terminal would mark text.
const WHEEL_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const WHEEL_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Whether a person can edit lines: both ends are a terminal, and one that obeys.
pub(crate) fn can_edit() -> bool {
    let is_dumb = |term: String| ["dumb", "cons25", "emacs"].contains(&term.as_str());
    io::stdin().is_terminal()
        && io::stdout().is_terminal()
        && !std::env::var("TERM").is_ok_and(is_dumb)
}

/// Switches to the chat's mode: no echo, key by key. Keys that interrupt are keys too.
pub(crate) fn edit() {
    EDITING.store(true, Ordering::SeqCst);
    mode::quiet();
}

/// Gives the full screen the terminal.
pub(crate) fn take_screen() {
    FULL.store(true, Ordering::SeqCst);
    mode::remember_editing();
    write(FULL_ON);
    if HAS_WHEEL.load(Ordering::SeqCst) {
        write(WHEEL_ON);
    }
}

/// Whether the full screen is told of the wheel.
pub(crate) fn take_wheel(is_wanted: bool) {
    if HAS_WHEEL.swap(is_wanted, Ordering::SeqCst) != is_wanted {
        write(if is_wanted { WHEEL_ON } else { WHEEL_OFF });
    }
}

/// Takes it back: what is written next stands below what was there before.
pub(crate) fn leave_screen() {
    if FULL.swap(false, Ordering::SeqCst) {
        write(FULL_OFF);
    }
}

/// Says whether the cursor stands behind a prompt.
pub(crate) fn prompt_shown(is_shown: bool) {
    mode::remember_editing();
    PROMPT_SHOWN.store(is_shown, Ordering::SeqCst);
}

/// Leaves the terminal as it was found, with the cursor on a line of its own, for a program that ends:
/// what another thread is drawing must not come behind that.
pub(crate) fn restore() {
    let mut off = Vec::new();
    if FULL.swap(false, Ordering::SeqCst) {
        off.extend(FULL_OFF);
    }
    if EDITING.swap(false, Ordering::SeqCst) {
        off.extend(EDITOR_OFF);
        if PROMPT_SHOWN.load(Ordering::SeqCst) {
            off.extend(b"\r\n\x1b[J");
        }
    }
    if !off.is_empty() {
        mode::write_last(&off);
    }
    mode::restore();
}

/// Ends with the terminal restored, whichever thread panics. `cargo test` and a person see the
/// usual message.
pub(crate) fn restore_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        report(panic);
        let _ = io::stderr().flush();
        std::process::exit(101);
    }));
}

#[cfg(unix)]
mod mode {
    use rustix::termios::{
        InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr,
        tcgetwinsize, tcsetattr,
    };
    use std::{
        io::{stdin, stdout},
        sync::{OnceLock, atomic::Ordering::SeqCst},
    };

    static FOUND: OnceLock<Termios> = OnceLock::new();

    /// The mode in which keys are read.
    static CHOSEN: OnceLock<Termios> = OnceLock::new();

    /// Remembers the mode as it is. To be called first.
    pub(crate) fn remember() {
        if let Ok(found) = tcgetattr(stdin()) {
            let _ = FOUND.set(found);
        }
    }

    /// Keys are read in the mode that the terminal has now.
    pub(crate) fn remember_editing() {
        if CHOSEN.get().is_none()
            && let Ok(now) = tcgetattr(stdin())
        {
            let _ = CHOSEN.set(now);
        }
    }

    pub(crate) fn quiet() {
        change(|mode| {
            // Ctrl-C between two readings is a key of the next one.
            mode.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
            mode.input_modes -= InputModes::ICRNL;
            mode.special_codes[SpecialCodeIndex::VMIN] = 1;
            mode.special_codes[SpecialCodeIndex::VTIME] = 0;
        });
    }

    /// Shows what is typed, or hides it, where no line editor does: typed lines are still lines.
    pub(crate) fn echo(on: bool) {
        change(|mode| mode.local_modes.set(LocalModes::ECHO, on));
    }

    fn change(change: impl FnOnce(&mut Termios)) {
        if let Some(found) = FOUND.get() {
            let mut mode = found.clone();
            change(&mut mode);
            set(&mode);
        }
    }

    /// The window's width, where it is known.
    pub(crate) fn columns() -> Option<u16> {
        tcgetwinsize(stdout()).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
    }

    pub(crate) fn restore() {
        if let Some(found) = FOUND.get() {
            set(found);
        }
    }

    /// At once, not when all output is written: a terminal that stands still must not keep a signal
    /// from ending us.
    fn set(mode: &Termios) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, mode); // else the terminal is gone
    }

    /// Writes past every buffer and lock: a thread that panics or was stopped may hold them.
    pub(crate) fn write(bytes: &[u8]) {
        let _ = rustix::io::write(stdout(), bytes);
    }

    /// The same, and from now on the standard output leads nowhere: no other thread writes to the
    /// terminal after this.
    pub(super) fn write_last(bytes: &[u8]) {
        let terminal = rustix::io::dup(stdout());
        let nowhere = std::fs::File::options().write(true).open("/dev/null");
        match (terminal, nowhere) {
            (Ok(terminal), Ok(nowhere)) if rustix::stdio::dup2_stdout(&nowhere).is_ok() => {
                let _ = rustix::io::write(terminal, bytes);
            }
            _ => write(bytes), // no descriptors are left
        }
    }

    /// Stops the program as Ctrl-Z does, with the terminal as it was found meanwhile. Returns when
    /// it goes on.
    pub(crate) fn stop() {
        let Ok(now) = tcgetattr(stdin()) else { return };
        let is_full = super::FULL.load(SeqCst);
        super::leave_screen();
        restore();
        if !is_full {
            write(&[super::EDITOR_OFF, b"\r\n"].concat());
        }
        let _ = signal_hook::low_level::raise(signal_hook::consts::SIGSTOP);
        take_again(&now, is_full);
    }

    /// We go on. If somebody else has stopped us, the terminal has a shell's mode.
    pub(super) fn go_on() {
        let Some(chosen) = CHOSEN.get() else { return };
        if tcgetattr(stdin()).is_ok_and(|now| now.local_modes != chosen.local_modes) {
            take_again(chosen, super::FULL.load(SeqCst));
        }
    }

    fn take_again(mode: &Termios, is_full: bool) {
        set(mode);
        if is_full {
            super::take_screen();
        } else {
            write(b"\x1b[?2004h");
        }
    }
}

#[cfg(windows)]
mod mode {
    use std::{
        io::{self, Write as _},
        sync::OnceLock,
    };
    use winapi_util::{HandleRef, console};

    static FOUND: OnceLock<(Option<u32>, Option<u32>)> = OnceLock::new();

    /// `ENABLE_ECHO_INPUT`, as the console's reference numbers it.
    const ECHO: u32 = 0x0004;

    pub(crate) fn remember() {
        FOUND.get_or_init(|| {
            (console::mode(HandleRef::stdin()).ok(), console::mode(HandleRef::stdout()).ok())
        });
    }

    pub(crate) fn remember_editing() {}

    /// The console echoes nothing while nobody reads from it.
    pub(crate) fn quiet() {}

    pub(crate) fn echo(on: bool) {
        if let Some((Some(found), _)) = FOUND.get() {
            let mode = if on { found | ECHO } else { found & !ECHO };
            let _ = console::set_mode(HandleRef::stdin(), mode);
        }
    }

    /// A console's rows stay where they are, as rustyline expects.
    pub(crate) fn columns() -> Option<u16> {
        None
    }

    pub(crate) fn restore() {
        if let Some((input, output)) = FOUND.get() {
            let _ = input.map(|mode| console::set_mode(HandleRef::stdin(), mode));
            let _ = output.map(|mode| console::set_mode(HandleRef::stdout(), mode));
        }
    }

    pub(crate) fn write(bytes: &[u8]) {
        let mut out = io::stdout();
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }

    pub(super) fn write_last(bytes: &[u8]) {
        write(bytes);
    }
}

/// Ends the program when a signal (or the console) asks for it: as the signal would, but with the
/// terminal restored. Where the terminal is ours, its signals are obeyed too, and then the screen is
/// `changed`: its size, or whose it was meanwhile.
#[cfg(unix)]
pub(crate) fn obey_signals(is_ours: bool, changed: impl Fn() + Send + 'static) -> io::Result<()> {
    use chatd::socketserver::signals::not_ignored;
    use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
    let mut obeyed = not_ignored(&[SIGHUP, SIGINT, SIGTERM]);
    if is_ours {
        obeyed.extend(not_ignored(&[SIGTSTP]));
        obeyed.push(SIGCONT);
    }
    if is_ours && FULL.load(Ordering::SeqCst) {
        obeyed.push(SIGWINCH); // elsewhere it is the line editor's
    }
    let mut signals = signal_hook::iterator::Signals::new(obeyed)?;
    let wait = move || {
        for signal in signals.forever() {
            match signal {
                SIGTSTP => stop(),
                SIGCONT => mode::go_on(),
                SIGWINCH => {}
                _ => {
                    restore();
                    std::process::exit(128 + signal);
                }
            }
            changed();
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
}

/// Ends the program when a signal (or the console) asks for it, with the terminal restored.
#[cfg(windows)]
pub(crate) fn obey_signals(_: bool, _: impl Fn() + Send + 'static) -> io::Result<()> {
    let end = || {
        restore();
        std::process::exit(130);
    };
    ctrlc::set_handler(end).map_err(io::Error::other)
}
