//! What a change of the window's width does to the line being typed.
//!
//! Most terminals flow long lines anew when they get wider or narrower; xterm and the Linux console
//! do not. rustyline takes for granted that its rows are where it left them. Where they have flowed
//! together, it would take the rows above away, which are the chat's; where they have flowed apart,
//! it would leave old rows behind. So before it draws anew, the line is taken off the screen here,
//! as the terminal shows it, and the cursor put where rustyline begins its clearing. Runs on
//! `main`, in rustyline's callbacks; `screen` asks only whether a change has been seen yet.

use crate::terminal;
use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};
use unicode_width::UnicodeWidthChar as _;

/// How long printing waits for the editor to have seen a change. It sees it at once, unless there
/// is nothing to redraw.
const SEEN_LIMIT: Duration = Duration::from_millis(100);

/// How long a width has to stay before something is printed: while an edge is dragged, some terminals
/// tell late how wide they are, and a row of the chat could be taken for one of the typed line's.
const STEADY: Duration = Duration::from_millis(300);

/// How long printing waits for that.
const STEADY_LIMIT: Duration = Duration::from_secs(3);

/// Variables that are set by terminals that flow long lines anew.
const FLOWING: [&str; 7] = [
    "TMUX",
    "VTE_VERSION",
    "KITTY_WINDOW_ID",
    "WT_SESSION",
    "TERM_PROGRAM",
    "ALACRITTY_WINDOW_ID",
    "KONSOLE_VERSION",
];

/// What the terminal does with long lines when its width changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Anew,
    Stay,
    /// It is not known: an old row left behind is better than a row lost that is not ours.
    Unknown,
}

/// Rows below the first: of the line's end, and of the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rows {
    end: usize,
    cursor: usize,
}

pub(crate) struct Window {
    flow: Flow,
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// The window as the editor saw it last.
struct Seen {
    columns: u16,
    changed_at: Option<Instant>,
    /// The prompt and the line behind it.
    line: String,
}

impl Window {
    /// The window as it is, of the terminal that the environment tells of.
    pub(crate) fn new() -> Window {
        let is_set = |name: &&str| std::env::var_os(name).is_some();
        let flow = if FLOWING.iter().any(is_set) {
            Flow::Anew
        } else if is_set(&"XTERM_VERSION") || std::env::var("TERM").as_deref() == Ok("linux") {
            Flow::Stay
        } else {
            Flow::Unknown
        };
        let columns = terminal::columns().unwrap_or_default();
        let seen = Mutex::new(Seen { columns, changed_at: None, line: String::new() });
        Window { flow, seen, changed: Condvar::new() }
    }

    /// A new line is going to be typed.
    pub(crate) fn begin(&self) {
        let columns = terminal::columns().unwrap_or_default();
        let mut seen = self.seen.lock();
        (seen.columns, seen.line) = (columns, String::new());
        drop(seen);
        self.changed.notify_all();
    }

    /// Called before the editor draws `before` (prompt and what stands before the cursor) and
    /// `after`. If that is because the width has changed, returns what to write first.
    pub(crate) fn drawing(&self, before: &str, after: &str) -> Option<String> {
        let line = format!("{before}{after}");
        let mut seen = self.seen.lock();
        let new = terminal::columns()?;
        if seen.line != line {
            seen.line = line; // a key was pressed: a change of width, if any, is still to be seen
            return None;
        }
        let old = std::mem::replace(&mut seen.columns, new);
        self.changed.notify_all();
        if old == new || old == 0 {
            return None;
        }
        seen.changed_at = Some(Instant::now());
        take_off(self.flow, rows(before, after, old), rows(before, after, new))
    }

    /// Waits a little while until the editor has seen the width that the window has now, and that has
    /// stayed the same.
    pub(crate) fn wait_until_seen(&self) {
        let (deadline, steady_by) = (Instant::now() + SEEN_LIMIT, Instant::now() + STEADY_LIMIT);
        let mut seen = self.seen.lock();
        while terminal::columns().is_some_and(|now| now != seen.columns)
            && !self.changed.wait_until(&mut seen, deadline).timed_out()
        {}
        while let Some(at) = seen.changed_at
            && at.elapsed() < STEADY
            && !self.changed.wait_until(&mut seen, steady_by.min(at + STEADY)).timed_out()
        {}
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
    let (to_first, to_cursor) = (up(shown.cursor), up(old.end - old.cursor));
    Some(format!("{to_first}\r\x1b[J{}{to_cursor}", "\n".repeat(old.end)))
}

fn rows(before: &str, after: &str, columns: u16) -> Rows {
    let columns = usize::from(columns.max(2));
    let (mut row, mut column) = (0, 0);
    let mut go = |text: &str| {
        for c in text.chars() {
            let width = c.width().unwrap_or(0);
            (row, column) = match c {
                '\n' => (row + 1, 0),
                _ if column + width > columns => (row + 1, width),
                _ => (row, column + width),
            };
        }
        row + usize::from(column == columns) // behind a full row the cursor is on the next one
    };
    let cursor = go(before);
    Rows { cursor, end: if after.is_empty() { cursor } else { go(after) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_as_a_terminal_wraps_them() {
        for (before, after, columns, end, cursor) in [
            ("abcde", "", 10, 0, 0),
            ("abcdefghij", "", 10, 1, 1),
            ("abcde", "fghijk", 10, 1, 0),
            ("日本語日", "本", 9, 1, 0),
        ] {
            assert_eq!(rows(before, after, columns), Rows { end, cursor }, "{before}{after}");
        }
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
