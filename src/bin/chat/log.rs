//! The file that what is shown is added to (`/log`), each line behind its date and time.

use crate::stamp::Stamp;
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

    pub(crate) fn add(&mut self, at: Stamp, line: &str) {
        if let Some(file) = &mut self.file {
            self.error = writeln!(file, "{at} {line}").err().or(self.error.take());
        }
    }

    /// Writes what waits. After an error there is no log any more; returns what to say of that.
    pub(crate) fn flush(&mut self) -> Option<String> {
        if let Some(file) = &mut self.file {
            self.error = file.flush().err().or(self.error.take());
        }
        let error = self.error.take()?;
        self.file = None;
        Some(format!("the log cannot be written, and is ended: {error}"))
    }
}
