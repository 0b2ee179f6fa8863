//! The server's own lines, which begin with `*** `, and refusals, which become such lines.

use super::sentences::MARK;
use std::fmt::Display;

/// A line of the server's, with its line end.
pub fn notice(sentence: impl Display) -> String {
    format!("{MARK}{sentence}\n")
}

/// Why something is not done, for the client to read. (Not to be confused with that of
/// `socketserver`, which refuses connections.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The sentence for whoever asked, without its `*** ` and its line end.
    Because(String),
    /// The command's arguments make no sense: its usage is shown.
    Usage,
}

impl From<String> for Refusal {
    fn from(sentence: String) -> Refusal {
        Refusal::Because(sentence)
    }
}

impl From<&str> for Refusal {
    fn from(sentence: &str) -> Refusal {
        Refusal::Because(sentence.to_owned())
    }
}

/// Appends `words` as lines of the server's, no wider than a terminal, with `lead` in front. The
/// last line is left open.
///
/// For lists of names: 500 of them in one line would be 10 KiB, which few terminals show well.
pub(crate) fn push_wrapped(text: &mut String, lead: &str, words: &[impl AsRef<str>]) {
    const WIDTH: usize = 78;
    text.push_str(MARK);
    text.push_str(lead);
    let mut column = MARK.len() + lead.chars().count();
    for (i, word) in words.iter().map(AsRef::as_ref).enumerate() {
        let comma = if i + 1 < words.len() { "," } else { "" };
        if column + 1 + word.chars().count() + comma.len() > WIDTH && i > 0 {
            text.push_str("\n***  ");
            column = 5;
        }
        text.push(' ');
        text.push_str(word);
        text.push_str(comma);
        column += 1 + word.chars().count() + comma.len();
    }
}

/// The candidate that `typed` most probably means, if one is near: at most `slips_max` slips, and
/// fewer slips than letters.
pub fn nearest<'a>(
    typed: &str,
    candidates: impl Iterator<Item = &'a str>,
    slips_max: usize,
) -> Option<&'a str> {
    candidates
        // Cheap, and rules most out.
        .filter(|candidate| candidate.len().abs_diff(typed.len()) <= slips_max)
        .map(|candidate| (strsim::osa_distance(typed, &candidate.to_lowercase()), candidate))
        .filter(|&(slips, candidate)| {
            slips <= slips_max && slips < candidate.len().min(typed.len())
        })
        .min_by_key(|&(slips, _)| slips)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_wrap_before_the_edge() {
        let names: Vec<String> = (0..60).map(|i| format!("name{i}")).collect();
        let words: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut text = String::new();
        push_wrapped(&mut text, "lobby (60):", &words);
        assert!(text.lines().all(|line| line.len() <= 78 && line.starts_with("*** ")));
        assert_eq!(text.matches("name").count(), 60);
    }

    #[test]
    fn a_word_that_ends_at_the_edge_fits_and_a_longer_one_is_in_the_next_line() {
        let wrapped = |words: &[&str]| {
            let mut text = String::new();
            push_wrapped(&mut text, "ab:", words);
            text
        };
        let (fits, next) = ("x".repeat(78 - "*** ab: c, ".len()), "d");
        assert_eq!(wrapped(&["c", &fits]), format!("*** ab: c, {fits}"));
        assert_eq!(wrapped(&["c", &format!("{fits}x")]), format!("*** ab: c,\n***   {fits}x"));
        assert_eq!(wrapped(&["c", &fits, next]), format!("*** ab: c,\n***   {fits}, d"));
        let second = "y".repeat(78 - "***   , d".len());
        let text = wrapped(&["c", &second, next]);
        assert_eq!(text, format!("*** ab: c,\n***   {second}, d"));
        let text = wrapped(&["c", &format!("{second}y"), next]);
        assert_eq!(text, format!("*** ab: c,\n***   {second}y,\n***   d"));
        let long = "z".repeat(100);
        assert_eq!(wrapped(&[&long]), format!("*** ab: {long}"), "nothing is in front of it");
    }

    #[test]
    fn what_is_nearest_shares_a_letter_with_what_was_typed() {
        let nearest = |typed| nearest(typed, ["who", "me"].into_iter(), 2);
        assert_eq!(nearest("hwo"), Some("who"));
        assert_eq!(nearest("my"), Some("me"));
        assert_eq!(nearest("ab"), None, "two slips in two letters");
    }
}
