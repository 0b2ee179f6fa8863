//! What people type behind commands: names, lengths of time, words to search for. The first byte says
//! as what the rest is taken.

#![no_main]

#[path = "../common/page.rs"]
#[allow(dead_code, reason = "another target needs the rest")]
mod page;

use chatd::core::{
    length_of_time::{before_a_reason, leading, whole},
    name::NameRule,
    search_words::{fold, search_words, spread},
};
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

fuzz_target!(|data: &[u8]| {
    let Some((&kind, rest)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(rest) else { return };
    match kind % 4 {
        0 => name(NameRule::Ascii, text),
        1 => name(NameRule::Unicode, text),
        2 => length_of_time(text),
        _ => search(text),
    }
});

/// A name has no blanks, begins with a letter, and is not taken for anything else.
fn name(rule: NameRule, typed: &str) {
    let Ok(name) = rule.check(typed, "name") else { return };
    let shown = name.shown();
    page::assert_no_control(shown);
    assert!(shown.starts_with(char::is_alphabetic), "{typed:?} is {shown:?}");
    let forbidden = |c: char| c.is_whitespace() || "<>[](){}@?*/:,\"".contains(c);
    assert!(!shown.contains(forbidden), "{typed:?} is {shown:?}");
    if rule == NameRule::Ascii {
        assert!(shown == typed && shown.is_ascii() && shown.len() <= 20);
    }
    assert!(shown.chars().count() <= 20, "{typed:?} is {shown:?}");
    let again = rule.check(shown, "name").map(|name| name.shown().to_owned());
    assert_eq!(again.as_deref(), Ok(shown), "{typed:?}");
}

/// A word that begins with a digit is a length of time or an error, and never a reason.
fn length_of_time(text: &str) {
    let in_order = |length: Duration| (1..=3650 * DAY).contains(&length.as_secs());
    for found in [leading(text), before_a_reason(text, "/ban bob")] {
        match found {
            Ok((length, rest)) => {
                assert!(
                    length.is_none_or(in_order) && text.ends_with(rest),
                    "{text:?}: {length:?}"
                );
                let begins =
                    |text: &str| text.trim_start().starts_with(|c: char| c.is_ascii_digit());
                let is_forever = text.to_ascii_lowercase().contains("forever");
                assert!(is_forever || !begins(rest), "{text:?} has the reason {rest:?}");
            }
            Err(sentence) => {
                assert!(!sentence.is_empty() && !sentence.contains('\n') || text.contains('\n'))
            }
        }
    }
    let unit = text.chars().last().map_or(0, |unit| match unit {
        's' | 'S' => 1,
        'm' | 'M' => 60,
        'h' | 'H' => 3600,
        'd' | 'D' => DAY,
        'w' | 'W' => 7 * DAY,
        _ => 0,
    });
    if unit > 0
        && let Ok(number) = text[..text.len() - 1].parse::<u64>()
        && text.as_bytes()[0] != b'+'
    {
        let seconds = number.checked_mul(unit).filter(|seconds| (1..=3650 * DAY).contains(seconds));
        assert_eq!(whole(text).ok(), seconds.map(Duration::from_secs), "{text:?}");
    }
}

/// What was said is found by its own plain words, in any case.
fn search(text: &str) {
    let folded = fold(text);
    assert_eq!(fold(&folded), folded, "{text:?} is folded twice");
    spread(text);
    for word in search_words(text) {
        assert!(!word.shown().is_empty() && !word.indexed().is_empty(), "{text:?}: {word:?}");
        word.is_in(&folded);
    }
    let is_plain = |word: &&str| word.len() < 20 && word.bytes().all(|b| b.is_ascii_alphanumeric());
    for word in text.split(' ').filter(|word| !word.is_empty()).filter(is_plain).take(4) {
        for typed in [word.to_owned(), word.to_uppercase(), format!("{word}*")] {
            for word in search_words(&typed) {
                assert!(word.is_in(&folded), "{typed:?} is not found in {text:?}");
            }
        }
    }
}
