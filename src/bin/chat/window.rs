//! What a change of the window's width does to the line being typed.
//!
//! Most terminals flow long lines anew when they get wider or narrower; xterm and the Linux console do not. rustyline
//! takes for granted that its rows are where it left them. Where they have flowed together, it would take the rows above
//! away, which are the chat's; where they have flowed apart, it would leave old rows behind. So before it draws anew, the
//! line is taken off the screen here, as the terminal shows it, and the cursor put where rustyline begins its clearing.
//! Runs on `main`, in rustyline's callbacks; `screen` asks only whether a change has been seen yet.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use unicode_width::UnicodeWidthChar;

use crate::terminal;

/// How long printing waits for the editor to have seen a change. It sees it at once, unless there is nothing to redraw.
const SEEN_LIMIT: Duration = Duration::from_millis(100);

/// What the terminal does with long lines when its width changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// They flow anew.
    Anew,
    /// They stay as they are.
    Stay,
    /// Not known: then rather leave an old row behind than take one away that is not ours.
    Unknown,
}

/// What the environment tells of the terminal.
pub fn flow(variable: impl Fn(&str) -> Option<String>) -> Flow {
    let is_set = |names: &[&str]| names.iter().any(|name| variable(name).is_some());
    if is_set(&[
        "TMUX",
        "VTE_VERSION",
        "KITTY_WINDOW_ID",
        "WT_SESSION",
        "TERM_PROGRAM",
        "ALACRITTY_WINDOW_ID",
        "KONSOLE_VERSION",
    ]) {
        Flow::Anew
    } else if is_set(&["XTERM_VERSION"]) || variable("TERM").as_deref() == Some("linux") {
        Flow::Stay
    } else {
        Flow::Unknown
    }
}

/// Rows below the first: of the line's end, and of the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rows {
    end: usize,
    cursor: usize,
}

/// The width as the editor has last seen it.
pub struct Window {
    flow: Flow,
    columns: AtomicU16,
    last: Mutex<String>,
    changed: Condvar,
}

impl Window {
    /// The window as it is.
    pub fn new(flow: Flow) -> Window {
        let columns = AtomicU16::new(terminal::columns().unwrap_or_default());
        Window { flow, columns, last: Mutex::default(), changed: Condvar::new() }
    }

    /// A new line is going to be typed.
    pub fn begin(&self) {
        let mut last = self.last.lock();
        last.clear();
        self.columns.store(terminal::columns().unwrap_or_default(), Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Called before the editor draws `before` (prompt and what stands before the cursor) and `after`. If that is because
    /// the width has changed, returns what to write first.
    pub fn drawing(&self, before: &str, after: &str) -> Option<String> {
        let mut last = self.last.lock();
        let (old, new) = (self.columns.load(Ordering::Relaxed), terminal::columns()?);
        let is_same = last.len() == before.len() + after.len()
            && last.starts_with(before)
            && last.ends_with(after);
        if !is_same {
            *last = format!("{before}{after}"); // a key was pressed: a change of width, if any, is still to be seen
            return None;
        }
        self.columns.store(new, Ordering::Relaxed);
        self.changed.notify_all();
        if old == new || old == 0 {
            return None;
        }
        take_off(self.flow, rows(before, after, old), rows(before, after, new))
    }

    /// Waits a little while until the editor has seen the width that the window has now.
    pub fn wait_until_seen(&self) {
        let deadline = Instant::now() + SEEN_LIMIT;
        let mut last = self.last.lock();
        while terminal::columns().is_some_and(|now| now != self.columns.load(Ordering::Relaxed)) {
            if self.changed.wait_until(&mut last, deadline).timed_out() {
                return;
            }
        }
    }
}

/// Takes the line off, and leaves the cursor where the old rows would have had it.
fn take_off(flow: Flow, old: Rows, new: Rows) -> Option<String> {
    let shown = match flow {
        Flow::Anew => new,
        Flow::Unknown if new.end < old.end => new,
        Flow::Unknown | Flow::Stay => return None,
    };
    let up = |rows: usize| if rows > 0 { format!("\x1b[{rows}A") } else { String::new() };
    Some(format!(
        "{}\r\x1b[J{}{}",
        up(shown.cursor),
        "\n".repeat(old.end),
        up(old.end - old.cursor)
    ))
}

fn rows(before: &str, after: &str, columns: u16) -> Rows {
    let columns = usize::from(columns.max(2));
    let mut at = (0, 0);
    let mut go = |text: &str| {
        for c in text.chars() {
            let width = c.width().unwrap_or(0);
            match c {
                '\n' => at = (at.0 + 1, 0),
                _ if at.1 + width > columns => at = (at.0 + 1, width),
                _ => at.1 += width,
            }
        }
        if at.1 == columns { at.0 + 1 } else { at.0 }
    };
    let cursor = go(before);
    Rows { cursor, end: if after.is_empty() { cursor } else { go(after) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_as_a_terminal_wraps_them() {
        assert_eq!(rows("abcde", "", 10), Rows { end: 0, cursor: 0 });
        assert_eq!(
            rows("abcdefghij", "", 10),
            Rows { end: 1, cursor: 1 },
            "a full row puts the cursor below"
        );
        assert_eq!(rows("abcde", "fghijk", 10), Rows { end: 1, cursor: 0 });
        assert_eq!(rows("日本語日", "本", 9), Rows { end: 1, cursor: 0 });
    }

    #[test]
    fn only_rows_that_are_ours_are_taken_off() {
        let (wide, narrow) = (Rows { end: 0, cursor: 0 }, Rows { end: 2, cursor: 1 });
        assert_eq!(take_off(Flow::Anew, narrow, wide).as_deref(), Some("\r\x1b[J\n\n\x1b[1A"));
        assert_eq!(take_off(Flow::Anew, wide, narrow).as_deref(), Some("\x1b[1A\r\x1b[J"));
        assert_eq!(take_off(Flow::Stay, narrow, wide), None);
        assert_eq!(take_off(Flow::Unknown, wide, narrow), None);
        assert!(take_off(Flow::Unknown, narrow, wide).is_some());
    }
}
