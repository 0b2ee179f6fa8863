//! Lines on the standard output. Runs on thread `main`.

use std::io::Write as _;

/// Prints a line. If standard output is closed, the line is lost and the program goes on.
pub(crate) fn print_line(line: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
