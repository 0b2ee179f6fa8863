//! Lengths of time as people type them: `90s`, `30m`, `1h30m`, `2 days`. No I/O.
//!
//! Where a length of time may stand in front of other words, a slip must not become the next
//! argument: a ban for `1wk` would otherwise be one for ever, for the reason "1wk". So a word that
//! begins with a digit is a length of time there, or an error.

use std::time::Duration;

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;
/// The longest, in seconds: ten years. What should last longer is to last until it is lifted.
const SECONDS_MAX: u64 = 10 * 365 * DAY;

/// The units, from the longest to the shortest: how they are written, and their seconds. A month
/// has 30 days, and a year 365. Upper and lower case are the same: `5M` is five minutes.
const UNITS: [(&[&str], u64); 7] = [
    (&["y", "yr", "yrs", "year", "years"], 365 * DAY),
    (&["mo", "mos", "mon", "month", "months"], 30 * DAY),
    (&["w", "wk", "wks", "week", "weeks"], 7 * DAY),
    (&["d", "day", "days"], DAY),
    (&["h", "hr", "hrs", "hour", "hours"], 60 * 60),
    (&["m", "min", "mins", "minute", "minutes"], 60),
    (&["s", "sec", "secs", "second", "seconds"], 1),
];

/// The most words that a time in words has, here.
const WORDS_MAX: usize = 8;
/// In front of an end that is no length of time.
const UNTIL: [&str; 3] = ["until", "till", "til"];
/// Behind `for`, the same.
const DAYS: [&str; 3] = ["today", "tonight", "tomorrow"];
/// Numbers in words, and what stands between them and their unit. Not understood, but recognised.
const NUMBERS: [&str; 28] = [
    "a", "an", "half", "quarter", "one", "two", "three", "four", "five", "six", "seven", "eight",
    "nine", "ten", "eleven", "twelve", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty",
    "ninety", "hundred", "few", "couple", "several", "of",
];
/// Behind `for`, the same.
const THIS: [&str; 8] = ["the", "this", "next", "whole", "rest", "another", "some", "many"];

/// What is understood, for the end of a sentence.
const EXAMPLES: &str = "Like this: 90s, 30m, 12h, 7d, 1w, 1mo, 1y, 1h30m, 2 days.";

/// The length of time with which `text` begins, and what stands behind it; `None`: it begins with
/// another word, or with `forever`.
///
/// # Errors
/// A sentence: it begins with a digit (perhaps behind a sign), and is no length of time; or it is
/// none that is longer than nothing and at most ten years.
pub fn leading(text: &str) -> Result<(Option<Duration>, &str), String> {
    let text = text.trim_start();
    let text = match first_word(text) {
        (word, rest) if word.eq_ignore_ascii_case("for") && begins_with_digit(rest) => rest,
        (word, rest) if word.eq_ignore_ascii_case("forever") => return Ok((None, rest)),
        _ => text,
    };
    if !begins_with_digit(text) {
        return Ok((None, text));
    }
    let (mut rest, mut seconds, mut units) = (text, Some(0_u64), &UNITS[..]);
    while begins_with_digit(rest) {
        let typed = || first_word(rest).0;
        let unknown = || format!("\"{}\" is no length of time. {EXAMPLES}", typed());
        let (parts, behind) = parts(rest).ok_or_else(unknown)?;
        for (number, unit) in parts {
            // Each unit once, and the longer ones first: `1m1h` is a slip.
            let place = units.iter().position(|(names, _)| is_among(unit, names));
            let place = place.ok_or_else(unknown)?;
            let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(units[place].1));
            seconds = seconds.zip(part).and_then(|(sum, part)| sum.checked_add(part));
            units = &units[place + 1..];
        }
        rest = match first_word(behind) {
            (and, more) if and.eq_ignore_ascii_case("and") && begins_with_digit(more) => more,
            _ => behind,
        };
    }
    let typed = text[..text.len() - rest.len()].trim_end();
    match seconds {
        Some(0) => Err(format!("\"{typed}\" is no time at all. {EXAMPLES}")),
        Some(seconds @ ..=SECONDS_MAX) => Ok((Some(Duration::from_secs(seconds)), rest)),
        _ => Err(format!("\"{typed}\" is more than ten years, which is the most. {EXAMPLES}")),
    }
}

/// The length of time with which `text` begins, and the reason behind it; `None`: it begins with
/// the reason, or with `forever`. `command` is what stands in front, for an example.
///
/// # Errors
/// As with [`leading`]; or it begins with a time in words, such as `until friday` or `for a week`.
/// As a reason, that would be for ever.
pub fn before_a_reason<'a>(
    text: &'a str,
    command: &str,
) -> Result<(Option<Duration>, &'a str), String> {
    if let Some(typed) = time_in_words(text.trim()) {
        return Err(format!(
            "\"{typed}\" is no length of time. {EXAMPLES} As in: {command} 2 days too loud"
        ));
    }
    leading(text).map_err(|error| format!("{error} A reason begins with a letter."))
}

/// A length of time that is all of `text`.
///
/// # Errors
/// As with [`leading`].
pub fn whole(text: &str) -> Result<Duration, String> {
    match leading(text)? {
        (Some(length), "") => Ok(length),
        _ => Err(format!("\"{}\" is no length of time. {EXAMPLES}", text.trim())),
    }
}

/// Whether the first letter or digit is a digit. Signs, quotes and brackets in front of it do not
/// make it another word.
pub(crate) fn begins_with_digit(text: &str) -> bool {
    let (word, _) = first_word(text);
    word.chars().find(|c| c.is_alphanumeric()).is_some_and(char::is_numeric)
}

/// The words with which `text` begins, if they say a time: `until …`, or a number in words with its
/// unit, `for half an hour`. (`for flooding` and `for one of us` do not.)
fn time_in_words(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX).collect();
    let word = |at: usize| bare(words.get(at).copied().unwrap_or_default());
    let is_for = usize::from(is_among(word(0), &["for"]));
    let end = if is_among(word(0), &UNTIL) {
        2.min(words.len())
    } else if is_for == 1 && is_among(word(1), &DAYS) {
        2
    } else {
        let is_number = |word| is_among(word, &NUMBERS) || (is_for == 1 && is_among(word, &THIS));
        let unit = (is_for..words.len()).find(|&at| !is_number(word(at)))?;
        // A letter alone is the unit of a digit.
        let is_unit =
            word(unit).len() > 1 && UNITS.iter().any(|(names, _)| is_among(word(unit), names));
        if unit == is_for || !is_unit {
            return None;
        }
        unit + 1
    };
    Some(bare_end(&words[..end].join(" ")).to_owned())
}

/// Without the signs around it.
fn bare(word: &str) -> &str {
    bare_end(word).trim_start_matches(|c: char| !c.is_alphanumeric())
}

fn bare_end(text: &str) -> &str {
    text.trim_end_matches(|c: char| !c.is_alphanumeric())
}

/// The numbers and units of `1h30m`, or of `2 days`, and what stands behind them; `None`: it is
/// something else.
fn parts(text: &str) -> Option<(Vec<(&str, &str)>, &str)> {
    let (mut word, behind) = first_word(text);
    if word.bytes().all(|b| b.is_ascii_digit()) {
        let (unit, behind) = first_word(behind);
        return Some((vec![(word, unit)], behind));
    }
    let mut parts = Vec::new();
    while !word.is_empty() {
        let (number, unit) = word.split_at(word.find(|c: char| !c.is_ascii_digit())?);
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        if number.is_empty() {
            return None;
        }
        parts.push((number, &unit[..end]));
        word = &unit[end..];
    }
    Some((parts, behind))
}

fn is_among(unit: &str, names: &[&str]) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(unit))
}

fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_understood() {
        for (typed, seconds) in [
            ("90s", 90),
            ("30m", 1_800),
            ("10min", 600),
            ("12h", 43_200),
            ("7d", 604_800),
            ("1w", 604_800),
            ("1mo", 2_592_000),
            ("1y", 31_536_000),
            ("10y", 315_360_000),
            ("1h30m", 5_400),
            ("1y2mo3w4d5h6m7s", 450 * 86_400 + 5 * 3_600 + 6 * 60 + 7),
            ("2 days", 172_800),
            ("10 minutes", 600),
            ("1 hour 30 minutes", 5_400),
            ("1 hour and 30 min", 5_400),
            ("1h 30m", 5_400),
            ("for 1 week", 604_800),
            ("1H", 3_600),
            ("5M", 300),
            ("5Mo", 12_960_000),
            ("3 WEEKS", 1_814_400),
            ("0h5m", 300),
            ("007d", 604_800),
        ] {
            for reason in ["", "spam and eggs", "for 2 reasons", "and more"] {
                let text = format!("{typed} {reason}");
                let expected = Ok((Some(Duration::from_secs(seconds)), reason));
                assert_eq!(leading(text.trim()), expected, "{text:?}");
            }
            assert_eq!(whole(typed), Ok(Duration::from_secs(seconds)), "{typed:?}");
        }
    }

    #[test]
    fn a_slip_is_an_error_and_not_the_next_argument() {
        for typed in [
            "10",
            "0",
            "10 reasons",
            "2nd time",
            "1x",
            "1 x",
            "50x",
            "1wk2",
            "1h30",
            "30m1h",
            "1h1h",
            "1h 1h",
            "1h 30",
            "1h 30x spam",
            "1m 1h",
            "0m",
            "0 days",
            "0h0m",
            "-5m",
            "+5m",
            "−5m",
            "- 5m5",
            "1.5h",
            "1,5h",
            ".5h",
            "1e3s",
            "1_000s",
            "5 ",
            "５m",
            "½h",
            "٣d",
            "\"1w\"",
            "(1w)",
            "#3",
            "1h,",
            "1h:",
            "99999d",
            "11y",
            "10y1s",
            "3651d",
            "99999999999999999999999d",
            "18446744073709551615y",
            "for 10",
            "for -5m",
            "1h-30m",
            "1:30",
            "1/2h",
            "1d1d",
            "2026-11-20",
        ] {
            let is_split = typed == "- 5m5"; // a sign that stands alone is a word
            for text in [typed.to_owned(), format!("{typed} spam")] {
                let error = leading(&text).err();
                let is_told = error.is_some_and(|e| e.contains("Like this: 90s, 30m"));
                assert_eq!(is_told, !is_split, "{text:?}: {:?}", leading(&text));
            }
            assert!(whole(typed).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn a_time_in_words_is_an_error_and_not_a_reason() {
        for (typed, said) in [
            ("until friday", "until friday"),
            ("UNTIL Friday, spam", "UNTIL Friday"),
            ("till tomorrow", "till tomorrow"),
            ("'til 5pm", "'til 5pm"),
            ("until", "until"),
            ("until 2 days from now", "until 2"),
            ("for two days", "for two days"),
            ("for two days spam", "for two days"),
            ("for a week", "for a week"),
            ("for half an hour: too loud", "for half an hour"),
            ("for an hour", "for an hour"),
            ("for a couple of minutes", "for a couple of minutes"),
            ("for the rest of the day", "for the rest of the day"),
            ("for this week", "for this week"),
            ("for today", "for today"),
            ("two days", "two days"),
            ("a week spam", "a week"),
            ("Half an hour", "Half an hour"),
        ] {
            let error = before_a_reason(typed, "/ban bob").unwrap_err();
            let says = format!("\"{said}\" is no length of time. Like this: 90s, ");
            assert!(error.starts_with(&says), "{typed}: {error}");
            assert!(error.ends_with(" As in: /ban bob 2 days too loud"), "{typed}: {error}");
        }
        for reason in [
            "for flooding",
            "for a test",
            "for one of us it was too much",
            "for the love of god",
            "for two reasons",
            "for days of spam",
            "for ever and ever",
            "for now",
            "for today's talk",
            "a daydreamer",
            "the day was ruined",
            "one of many",
            "spam until friday",
            "tillandsia",
            "untidy",
            "a secret told",
            "a d of mine",
            "",
        ] {
            assert_eq!(before_a_reason(reason, "/ban bob"), Ok((None, reason)), "{reason:?}");
        }
        let (lasts, why) = before_a_reason("2 days until friday", "/ban bob").unwrap();
        assert_eq!((lasts, why), (Some(Duration::from_secs(2 * DAY)), "until friday"));
        let slip = before_a_reason("10", "/ban bob").unwrap_err();
        assert!(slip.ends_with(" A reason begins with a letter."), "{slip}");
    }

    #[test]
    fn another_word_is_no_length_of_time() {
        assert_eq!(leading("Forever spam"), Ok((None, "spam")));
        assert!(whole("forever").is_err());
        for text in
            ["", "spam", "for a test", "for ever", "s5", "x1w", "-", "- 5 minutes", "…", ":-) 3"]
        {
            assert_eq!(leading(text), Ok((None, text)));
            assert!(whole(text).is_err());
        }
    }
}
