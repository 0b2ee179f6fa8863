//! Log lines that say much the same of one source, again and again: the first few are written, the
//! others are counted. Thread `logger` runs it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long lines are counted before their number is written.
pub(crate) const WINDOW: Duration = Duration::from_secs(10);
/// Lines of one kind from one source that are written in that time.
const WRITTEN_MAX: u64 = 10;
/// Kinds and sources that are counted apart. Whatever comes from more of them is counted together.
const APART_MAX: usize = 1_000;

/// What was logged since a window began.
#[derive(Default)]
pub(crate) struct Repeated {
    /// `None`: nothing was logged.
    began: Option<Instant>,
    /// By kind and source.
    lines: BTreeMap<(String, String), u64>,
}

impl Repeated {
    /// Counts a line. Returns whether it is to be written.
    pub(crate) fn count(&mut self, kind: String, source: String, now: Instant) -> bool {
        self.began.get_or_insert(now);
        let mut key = (kind, source);
        if self.lines.len() >= APART_MAX && !self.lines.contains_key(&key) {
            key.1 = "other addresses".to_owned();
        }
        let lines = self.lines.entry(key).or_default();
        *lines += 1;
        *lines <= WRITTEN_MAX
    }

    /// How long the window lasts; `None`: there is none.
    pub(crate) fn left(&self, now: Instant) -> Option<Duration> {
        self.began.map(|began| (began + WINDOW).saturating_duration_since(now))
    }

    /// Ends the window. Returns a line for each kind and source of which some lines were not
    /// written.
    pub(crate) fn end(&mut self, now: Instant) -> Vec<String> {
        let Some(began) = self.began.take() else { return Vec::new() };
        let seconds = now.saturating_duration_since(began).as_secs().max(1);
        std::mem::take(&mut self.lines)
            .into_iter()
            .filter(|(_, lines)| *lines > WRITTEN_MAX)
            .map(|((kind, source), lines)| {
                let more = group(lines - WRITTEN_MAX);
                format!("and {more} more {kind} {source} in the last {seconds} s")
            })
            .collect()
    }
}

/// `3,214`.
fn group(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_written_and_the_others_counted() {
        let (mut repeated, now) = (Repeated::default(), Instant::now());
        let mut count = |source: &str, lines: u64| {
            (0..lines)
                .filter(|_| repeated.count("refusals of".to_owned(), source.to_owned(), now))
                .count() as u64
        };
        assert_eq!(count("192.0.2.7", 3_224), WRITTEN_MAX);
        assert_eq!(count("192.0.2.8", 3), 3, "others are not affected");
        assert_eq!(repeated.left(now), Some(WINDOW));
        let later = now + WINDOW;
        assert_eq!(repeated.left(later), Some(Duration::ZERO));
        assert_eq!(repeated.end(later), ["and 3,214 more refusals of 192.0.2.7 in the last 10 s"]);
        assert_eq!((repeated.left(later), repeated.end(later)), (None, Vec::new()));
    }

    #[test]
    fn what_is_counted_apart_is_bounded() {
        let (mut repeated, now) = (Repeated::default(), Instant::now());
        for i in 0..3 * APART_MAX {
            repeated.count("refusals of".to_owned(), i.to_string(), now);
        }
        assert_eq!(repeated.lines.len(), APART_MAX + 1);
        let told = repeated.end(now);
        assert_eq!(told, ["and 1,990 more refusals of other addresses in the last 1 s"]);
    }

    #[test]
    fn a_number_is_easy_to_read() {
        for (number, text) in [(1, "1"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(group(number), text);
        }
    }
}
