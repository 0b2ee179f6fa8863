//! Lines on the standard output.

use std::io::Write as _;

/// Prints a line. Whoever closed our standard output does not want it; that is no reason to end.
pub(crate) fn print_line(line: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
