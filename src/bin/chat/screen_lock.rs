//! Who may write to the screen now: the agreement between the thread that prints and the line
//! editor. No I/O and no terminal: `screen` prints through it, the editor's callbacks run on
//! `main`.
//!
//! While the editor reads keys it owns the screen, and whoever wants to print hands the text to it:
//! it takes the half-typed line off, prints, and puts the line back. Between two readings nobody
//! would, and a line printed then would end up beside the one that was typed; so then printing
//! waits. The editor's callbacks say which it is: it drew its prompt
//! ([`ScreenLock::prompt_drawn`]), or is about to return a line ([`ScreenLock::end_reading`]); and
//! `main` says that a reading follows ([`ScreenLock::begin_reading`]). Before the first reading the
//! screen is nobody's, and printing goes straight to it.
//!
//! One print is on its way at a time: the next one waits until the editor has drawn its prompt
//! again. So what arrives meanwhile is printed at once, and keys never wait behind a heap of
//! prints.

use parking_lot::{Condvar, Mutex, MutexGuard};
use std::{
    thread,
    time::{Duration, Instant},
};

/// How long the end of a reading waits for a print that is being handed over. That takes
/// microseconds; a print that takes longer waits in the editor's own queue for the next reading.
const HANDOVER_LIMIT: Duration = Duration::from_millis(100);

/// How long printing waits for the editor once the program is ending.
const ENDING_LIMIT: Duration = Duration::from_secs(1);

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Straight to the terminal: no editor has it.
    Straight,
    /// Through the editor, which is reading keys.
    Editor,
}

pub(crate) struct ScreenLock {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// `None`: between two readings.
    way: Option<Way>,
    /// A reading follows, and its first prompt lets prints through.
    begins: bool,
    /// A print is being handed over.
    is_printing: bool,
    /// The last print has been followed by a prompt.
    is_shown: bool,
    /// The program ends, and printing no longer waits for ever.
    ends_by: Option<Instant>,
}

impl Default for ScreenLock {
    fn default() -> ScreenLock {
        let state = State {
            way: Some(Way::Straight),
            begins: false,
            is_printing: false,
            is_shown: true,
            ends_by: None,
        };
        ScreenLock { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl ScreenLock {
    /// A reading follows at once. Called by `main` between two readings. While the program ends none
    /// follows, and this never returns: the editor would switch on what was just switched off.
    pub(crate) fn begin_reading(&self) {
        let mut state = self.state.lock();
        while state.is_printing && state.way == Some(Way::Straight) {
            self.changed.wait(&mut state);
        }
        if state.ends_by.is_some() {
            state.way = Some(Way::Straight);
            self.changed.notify_all();
            drop(state);
            loop {
                thread::park(); // another thread is on its way out
            }
        }
        (state.way, state.begins) = (None, true);
    }

    /// The editor has drawn its prompt: it reads keys, and has printed what it was given.
    pub(crate) fn prompt_drawn(&self) {
        let mut state = self.state.lock();
        if state.begins {
            state.way = Some(Way::Editor);
        }
        state.is_shown = true;
        self.changed.notify_all();
    }

    /// The editor is about to return. Afterwards nothing is handed to it any more.
    pub(crate) fn end_reading(&self) {
        let mut state = self.state.lock();
        (state.way, state.begins) = (None, false);
        let deadline = Instant::now() + HANDOVER_LIMIT;
        while state.is_printing && !self.changed.wait_until(&mut state, deadline).timed_out() {}
    }

    /// Waits until something may be printed.
    pub(crate) fn wait(&self) {
        self.wait_for_way(&mut self.state.lock());
    }

    /// Prints, by `print`, when and in the way it may be done.
    pub(crate) fn print(&self, print: impl FnOnce(Way)) {
        let mut state = self.state.lock();
        let way = self.wait_for_way(&mut state);
        (state.is_printing, state.is_shown) = (true, false);
        drop(state); // the terminal may take its time, and the editor has to get in meanwhile
        print(way);
        self.state.lock().is_printing = false;
        self.changed.notify_all();
    }

    fn wait_for_way(&self, state: &mut MutexGuard<'_, State>) -> Way {
        loop {
            match state.way {
                Some(Way::Straight) => return Way::Straight,
                Some(Way::Editor) if state.is_shown => return Way::Editor,
                Some(Way::Editor) | None => {}
            }
            let Some(by) = state.ends_by else {
                self.changed.wait(state);
                continue;
            };
            if self.changed.wait_until(state, by).timed_out() {
                return state.way.unwrap_or(Way::Straight);
            }
        }
    }

    /// The program ends: printing waits for the editor only a little longer.
    pub(crate) fn end_program(&self) {
        self.state.lock().ends_by = Some(Instant::now() + ENDING_LIMIT);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn between_two_readings_nothing_is_printed() {
        let (lock, prints) = (ScreenLock::default(), AtomicU32::new(0));
        lock.print(|way| assert_eq!(way, Way::Straight));
        lock.begin_reading();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2 {
                    lock.print(|way| {
                        assert_eq!(way, Way::Editor);
                        prints.fetch_add(1, Ordering::SeqCst);
                    });
                }
            });
            assert_eq!(prints.load(Ordering::SeqCst), 0);
            lock.prompt_drawn();
            while prints.load(Ordering::SeqCst) == 0 {
                thread::park_timeout(Duration::from_millis(1));
            }
            lock.end_reading();
            lock.prompt_drawn(); // the editor may draw once more on its way out
            assert_eq!(prints.load(Ordering::SeqCst), 1);
            lock.begin_reading();
            lock.prompt_drawn();
        });
        assert_eq!(prints.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn at_the_end_nobody_waits_for_ever() {
        let lock = ScreenLock::default();
        lock.begin_reading();
        lock.end_program();
        lock.print(|way| assert_eq!(way, Way::Straight));
    }
}
