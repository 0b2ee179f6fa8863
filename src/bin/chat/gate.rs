//! When may the screen be written to? The agreement between the thread that prints and the line editor.
//!
//! While the editor reads keys it owns the screen, and whoever wants to print hands the text to it: it takes the
//! half-typed line off, prints, and puts the line back. Between two readings nobody would, and a line printed then
//! would end up beside the one that was typed; so then printing waits. Three callbacks of the editor say which it is:
//! it drew its prompt ([`Gate::painted`]), it is about to return a line ([`Gate::close`]), and `main` says that a
//! reading follows ([`Gate::begin`]). Before the first reading the screen is nobody's, and printing goes straight to it.
//!
//! One print is on its way at a time: the next one waits until the editor has drawn its prompt again. So what arrives
//! meanwhile gathers and is printed at once, and keys are never queued behind a heap of prints.
//!
//! No I/O and no terminal: `screen` prints through it; the editor's callbacks run on `main`.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// How long the end of a reading waits for a print that is being handed over. That takes microseconds; a print that
/// takes longer waits in the editor's own queue, where it stays, in order, for the next reading.
const HANDOVER_LIMIT: Duration = Duration::from_millis(100);

/// How long printing waits for the editor once the program is ending.
const ENDING_LIMIT: Duration = Duration::from_secs(1);

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Straight to the terminal: no editor has it.
    Straight,
    /// Through the editor, which is reading keys.
    Editor,
}

/// See the module's text.
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// `None`: between two readings.
    way: Option<Way>,
    /// A reading follows, and its first prompt opens the gate.
    begins: bool,
    /// A print is being handed over.
    is_printing: bool,
    /// The last print has not been followed by a prompt yet.
    is_shown: bool,
    /// The program ends, and printing no longer waits for ever.
    ends_by: Option<Instant>,
}

impl Default for Gate {
    fn default() -> Gate {
        let state = State {
            way: Some(Way::Straight),
            begins: false,
            is_printing: false,
            is_shown: true,
            ends_by: None,
        };
        Gate { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl Gate {
    /// A reading follows at once. Called by `main` between two readings.
    pub fn begin(&self) {
        let mut state = self.state.lock();
        while state.is_printing && state.way == Some(Way::Straight) {
            self.changed.wait(&mut state);
        }
        state.way = None;
        state.begins = true;
    }

    /// The editor has drawn its prompt: it reads keys, and has printed what it was given.
    pub fn painted(&self) {
        let mut state = self.state.lock();
        if state.begins {
            state.way = Some(Way::Editor);
        }
        state.is_shown = true;
        self.changed.notify_all();
    }

    /// The editor is about to return. Afterwards nothing is handed to it any more.
    pub fn close(&self) {
        let mut state = self.state.lock();
        (state.way, state.begins) = (None, false);
        let deadline = Instant::now() + HANDOVER_LIMIT;
        while state.is_printing && !self.changed.wait_until(&mut state, deadline).timed_out() {}
    }

    /// Waits until something may be printed.
    pub fn wait(&self) {
        let mut state = self.state.lock();
        self.wait_ready(&mut state);
    }

    /// Prints, by `print`, when and in the way it may be done.
    pub fn print(&self, print: impl FnOnce(Way)) {
        let mut state = self.state.lock();
        let way = self.wait_ready(&mut state);
        (state.is_printing, state.is_shown) = (true, false);
        drop(state); // the terminal may take its time, and the editor must be able to come here meanwhile
        print(way);
        let mut state = self.state.lock();
        state.is_printing = false;
        self.changed.notify_all();
    }

    fn wait_ready(&self, state: &mut parking_lot::MutexGuard<'_, State>) -> Way {
        loop {
            match state.way {
                Some(Way::Straight) => return Way::Straight,
                Some(Way::Editor) if state.is_shown => return Way::Editor,
                _ => {}
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
    pub fn end(&self) {
        self.state.lock().ends_by = Some(Instant::now() + ENDING_LIMIT);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    #[test]
    fn between_two_readings_nothing_is_printed() {
        let gate = Arc::new(Gate::default());
        gate.print(|way| assert_eq!(way, Way::Straight));
        gate.begin();
        let prints = Arc::new(AtomicU32::new(0));
        let printer = thread::spawn({
            let (gate, prints) = (Arc::clone(&gate), Arc::clone(&prints));
            move || {
                for _ in 0..2 {
                    gate.print(|way| {
                        assert_eq!(way, Way::Editor);
                        prints.fetch_add(1, Ordering::SeqCst);
                    });
                }
            }
        });
        assert_eq!(prints.load(Ordering::SeqCst), 0);
        gate.painted();
        while prints.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        gate.close();
        gate.painted(); // the editor may draw once more on its way out: that opens nothing
        assert_eq!(prints.load(Ordering::SeqCst), 1);
        gate.begin();
        gate.painted();
        printer.join().unwrap();
    }

    #[test]
    fn at_the_end_nobody_waits_for_ever() {
        let gate = Gate::default();
        gate.begin();
        gate.end();
        gate.print(|way| assert_eq!(way, Way::Straight));
    }
}
