//! Several lines at once: what they are, what is asked about them, and how fast they may be said. No
//! I/O, no clock.

use std::time::Duration;

/// What a server takes that does not note how much: chatd's own measure.
const BURST: u64 = 32;
const PER_SECOND: u64 = 8;

/// How fast lines may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Lines at once.
    burst: usize,
    /// Then one after each of these.
    interval: Duration,
}

impl Pace {
    /// Of a server that lets `burst` lines pass, and then `per_second` a second. Half the burst is left for
    /// what is typed meanwhile, and a tenth of the time for two clocks that do not agree.
    pub(crate) fn new(flood: Option<(u64, u64)>) -> Pace {
        let (burst, per_second) = flood.unwrap_or((BURST, PER_SECOND));
        let interval = Duration::from_millis(1100 / per_second.clamp(1, 1000));
        Pace { burst: usize::try_from(burst / 2).unwrap_or(usize::MAX).max(1), interval }
    }

    /// How long to wait when `sent` lines were sent.
    pub(crate) fn wait_before(self, sent: usize) -> Duration {
        if sent < self.burst { Duration::ZERO } else { self.interval }
    }

    /// How long this many lines take.
    fn time_for(self, lines: usize) -> Duration {
        let waits = lines.saturating_sub(self.burst);
        self.interval * u32::try_from(waits).unwrap_or(u32::MAX)
    }
}

/// The lines of a text, if it has more than one.
pub(crate) fn lines_of(text: &str) -> Option<Vec<String>> {
    let text = text.trim_end_matches(['\r', '\n']);
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<String> = lines.split('\n').map(str::to_owned).collect();
    (lines.len() > 1).then_some(lines)
}

/// A line as it goes out to be said, whatever it begins with; to one alone if `to` is given.
pub(crate) fn as_talk(line: &str, to: Option<&str>) -> String {
    match to {
        Some(name) => format!("/msg {name} {line}"),
        None if line.starts_with('/') => format!("/{line}"),
        None => line.to_owned(),
    }
}

/// What is asked before lines are sent.
pub(crate) fn question(lines: &[String], pace: Pace) -> String {
    let (count, seconds) = (lines.len(), pace.time_for(lines.len()).as_secs());
    let time = if seconds < 2 { String::new() } else { format!(" (it takes {seconds} s)") };
    format!("{count} lines: Enter sends them as text{time}, Ctrl-C does not.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_lines_are_told_from_one() {
        for one in ["", "a", "a\n", "a\r\n", "a\r\n\r\n"] {
            assert_eq!(lines_of(one), None, "{one:?}");
        }
        assert_eq!(lines_of("a\r\n\tb\n\nc\n").unwrap(), ["a", "\tb", "", "c"]);
        assert_eq!(lines_of("a\rb").unwrap(), ["a", "b"]);
    }

    #[test]
    fn nothing_pasted_is_obeyed() {
        assert_eq!(as_talk("// the margin", None), "/// the margin");
        assert_eq!(as_talk("/quit", None), "//quit");
        assert_eq!(as_talk("int x;", None), "int x;");
        assert_eq!(as_talk("/quit", Some("bob")), "/msg bob /quit");
    }

    #[test]
    fn a_paste_takes_the_time_that_the_server_asks_for() {
        let lines = vec![String::new(); 600];
        let asked = question(&lines, Pace::new(Some((32, 8))));
        assert_eq!(asked, "600 lines: Enter sends them as text (it takes 80 s), Ctrl-C does not.");
        let asked = question(&lines[..5], Pace::new(Some((32, 8))));
        assert_eq!(asked, "5 lines: Enter sends them as text, Ctrl-C does not.");
    }
}
