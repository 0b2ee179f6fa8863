//! What a command prints, and in which time zone its times are. Runs on thread `main`.

use chatd::server::zone::local_zone;
use jiff::tz::TimeZone;
use std::io::Write as _;

/// Prints a line. If standard output is closed, the line is lost and the program goes on.
pub(crate) fn print_line(line: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Says on standard error what is wrong. If that cannot be written, the line is lost.
pub(crate) fn print_error(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "chatd: {sentence}");
}

/// The zone of the times that are printed. If it is not known, standard error says so.
pub(crate) fn zone() -> TimeZone {
    let (zone, unknown) = local_zone();
    unknown.iter().for_each(|sentence| print_error(sentence));
    zone
}
