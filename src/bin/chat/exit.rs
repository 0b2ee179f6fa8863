//! The one way out, once the chat has begun. Any thread may take it, one does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::ending::Ending;
use crate::screen::Screen;
use crate::terminal;

/// Ends the program in order: what waits is shown, then the ending's sentence, and the terminal is as it was found.
#[derive(Clone)]
pub struct Exit {
    screen: Screen,
}

impl Exit {
    /// An exit behind this screen.
    pub fn new(screen: Screen) -> Exit {
        Exit { screen }
    }

    /// Takes it.
    pub fn leave(&self, ending: &Ending) -> ! {
        static IS_TAKEN: AtomicBool = AtomicBool::new(false);
        if IS_TAKEN.swap(true, Ordering::SeqCst) {
            loop {
                thread::park(); // another thread is on its way out
            }
        }
        if *ending != Ending::Left {
            self.screen.notice(ending.to_string());
        }
        self.screen.finish();
        self.at_once(ending)
    }

    /// Takes it without waiting for what is still to be shown.
    pub fn at_once(&self, ending: &Ending) -> ! {
        terminal::restore();
        std::process::exit(ending.code())
    }
}
