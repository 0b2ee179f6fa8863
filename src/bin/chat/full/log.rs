//! The file that what is shown is added to (`/log`).

use crate::screen::Screen;
use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
};

#[derive(Default)]
pub(crate) struct Log {
    file: Option<BufWriter<File>>,
    error: Option<io::Error>,
}

impl Log {
    /// Writes to this file from now on, or to none.
    pub(crate) fn begin(&mut self, file: Option<File>) {
        self.file = file.map(BufWriter::new);
    }

    pub(crate) fn add(&mut self, line: &str) {
        if let Some(file) = &mut self.file {
            self.error = writeln!(file, "{line}").err().or(self.error.take());
        }
    }

    /// Writes what waits. After an error there is no log any more, and that is said.
    pub(crate) fn flush(&mut self, screen: &Screen) {
        if let Some(file) = &mut self.file {
            self.error = file.flush().err().or(self.error.take());
        }
        if let Some(e) = self.error.take() {
            self.file = None;
            screen.notice(format!("the log cannot be written, and is ended: {e}"));
        }
    }
}
