//! Lines that have come and are not shown yet. No I/O; the `socket` thread's own.
//!
//! A chatd numbers what is said, and notes up to which number everything has come. After a broken
//! connection it tells again what has a higher one. So a line waits here until its number is noted,
//! which is at the end of the same send: nothing is shown twice, and nothing is missing. If the number
//! is late, because the network is, a line is shown, and left out when it is told again.

use crate::server_line::ServerLine;

/// The most lines that wait. If there are more, nothing is noted, and they are shown.
const WAITING_MAX: usize = 2000;

/// Lines that wait for their number, with what came between them.
#[derive(Default)]
pub(crate) struct Arrivals {
    waiting: Vec<ServerLine>,
    /// Shown, and their number is not noted yet; without their times.
    early: Vec<String>,
}

impl Arrivals {
    /// Takes a line that came. `is_told_again`: past lines are what was missed, and have numbers to be
    /// noted too. Returns what is to be shown now.
    pub(crate) fn take(&mut self, line: ServerLine, is_told_again: bool) -> Vec<ServerLine> {
        let waits = line.has_number() && (is_told_again || !line.is_past);
        let is_it = |early: &String| waits && is_told_again && early == line.without_time();
        if let Some(at) = self.early.iter().position(is_it) {
            self.early.drain(..=at);
            return Vec::new();
        }
        if !waits && self.waiting.is_empty() {
            return vec![line];
        }
        self.waiting.push(line);
        if self.waiting.len() > WAITING_MAX { self.release() } else { Vec::new() }
    }

    /// The number is noted, or will not be: the lines are shown.
    pub(crate) fn release(&mut self) -> Vec<ServerLine> {
        self.early.clear();
        std::mem::take(&mut self.waiting)
    }

    /// The number is late: the lines are shown.
    pub(crate) fn release_early(&mut self) -> Vec<ServerLine> {
        let lines = std::mem::take(&mut self.waiting);
        let numbered = lines.iter().filter(|line| line.has_number());
        self.early.extend(numbered.map(|line| line.without_time().to_owned()));
        if self.early.len() > WAITING_MAX {
            self.early.clear(); // as above
        }
        lines
    }

    /// The connection is lost. Returns what nobody tells again; what has a number goes on waiting.
    pub(crate) fn interrupt(&mut self) -> Vec<ServerLine> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (numbered, others) = waiting.partition(ServerLine::has_number);
        self.waiting = numbered;
        others
    }

    /// The server tells again what waits here.
    pub(crate) fn forget(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> ServerLine {
        ServerLine::new(text.as_bytes())
    }

    fn texts(lines: Vec<ServerLine>) -> Vec<String> {
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn what_is_said_waits_for_its_number_and_what_comes_behind_it_waits_too() {
        let mut arrivals = Arrivals::default();
        for text in ["*** bob entered lobby", "(12:30) <bob> long ago"] {
            assert_eq!(texts(arrivals.take(line(text), false)), [text]);
        }
        for text in ["<bob> hi", "*** bob left lobby", "[from bob] psst"] {
            assert_eq!(texts(arrivals.take(line(text), false)), [""; 0]);
        }
        assert_eq!(
            texts(arrivals.release()),
            ["<bob> hi", "*** bob left lobby", "[from bob] psst"]
        );
        assert_eq!(texts(arrivals.release()), [""; 0]);
    }

    #[test]
    fn what_is_told_again_waits_and_what_is_not_told_again_is_shown_when_the_connection_is_lost() {
        let mut arrivals = Arrivals::default();
        for text in ["(12:30) <bob> hi", "*** End of the history.", "* bob waves"] {
            assert_eq!(texts(arrivals.take(line(text), true)), [""; 0]);
        }
        assert_eq!(texts(arrivals.interrupt()), ["*** End of the history."]);
        assert_eq!(texts(arrivals.release()), ["(12:30) <bob> hi", "* bob waves"]);
        arrivals.take(line("<bob> hi"), false);
        arrivals.forget();
        assert_eq!(texts(arrivals.release()), [""; 0]);
    }

    #[test]
    fn what_was_shown_before_its_number_is_left_out_when_it_is_told_again() {
        let mut arrivals = Arrivals::default();
        for text in ["<bob> hi", "<bob> hi", "* bob waves"] {
            assert_eq!(texts(arrivals.take(line(text), false)), [""; 0]);
        }
        assert_eq!(texts(arrivals.release_early()), ["<bob> hi", "<bob> hi", "* bob waves"]);
        arrivals.take(line("<bob> late"), false);
        assert_eq!(texts(arrivals.interrupt()), [""; 0]);
        arrivals.forget();
        for text in ["<bob> hi", "<bob> hi", "* bob waves", "<bob> late", "<bob> hi"] {
            let told = format!("(12:30) {text}");
            assert_eq!(texts(arrivals.take(line(&told), true)), [""; 0]);
        }
        assert_eq!(texts(arrivals.release()), ["(12:30) <bob> late", "(12:30) <bob> hi"]);
        for text in ["<bob> hi", "* bob waves"] {
            arrivals.take(line(text), false);
        }
        arrivals.release_early();
        arrivals.release(); // and now they are noted
        arrivals.take(line("(12:30) <bob> hi"), true);
        assert_eq!(texts(arrivals.release()), ["(12:30) <bob> hi"]);
    }

    #[test]
    fn a_server_that_notes_no_number_is_shown_all_the_same() {
        let mut arrivals = Arrivals::default();
        let shown = (0..=WAITING_MAX).flat_map(|_| arrivals.take(line("<bob> hi"), false)).count();
        assert_eq!(shown, WAITING_MAX + 1);
    }
}
