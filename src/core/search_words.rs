//! The words of a search: which of them can be looked for, how they stand in an index, and whether
//! they are in a line. No I/O.
//!
//! A word is letters and digits between blanks or signs. Some scripts write no blanks between
//! words, so each of their characters is a word of its own here, and so is each emoji: a search for
//! a run of them finds that run inside a longer one. [`spread`] makes the text that an index of
//! words is fed with.
//!
//! An index has no signs. Whether `C++` is in a line, and not only `c`, is found out by looking:
//! [`SearchWord::is_in`].

use std::borrow::Cow;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use unicode_script::{Script, UnicodeScript as _};

/// The most words of one search that count. More narrow nothing down, and each costs time.
const WORDS_MAX: usize = 16;
/// The first character of words that are the index's own. No line contains it
/// ([`sanitize`](super::wire::sanitize::sanitize)), so nobody can write such a word.
pub const MARK: char = '\u{1}';

/// What stands around words and is not theirs, in a search: `"C++",` asks for `C++`.
const AROUND: &str = "\"'`“”„‘’‚«»‹›()[]{}<>,;:!?¡¿…、。「」『』（）【】《》〈〉！？，：；";
/// Scripts without blanks between words. (Korean has some, between words with their particles.)
const WITHOUT_BLANKS: [Script; 17] = [
    Script::Han,
    Script::Hiragana,
    Script::Katakana,
    Script::Bopomofo,
    Script::Hangul,
    Script::Yi,
    Script::Thai,
    Script::Lao,
    Script::Khmer,
    Script::Myanmar,
    Script::Tibetan,
    Script::Tai_Le,
    Script::New_Tai_Lue,
    Script::Tai_Tham,
    Script::Tai_Viet,
    Script::Balinese,
    Script::Javanese,
];

/// A word to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchWord {
    /// As it was typed, without what stood around it.
    typed: String,
    folded: String,
    is_beginning: bool,
}

/// The words that were typed. A `*` behind a word makes it a beginning. What has no letter, digit
/// or emoji is left out, because nothing can be looked up by it.
pub fn search_words(typed: &str) -> Vec<SearchWord> {
    let typed = typed.replace(['\0', MARK], " ");
    typed.split_whitespace().filter_map(search_word).take(WORDS_MAX).collect()
}

fn search_word(typed: &str) -> Option<SearchWord> {
    let is_around = |c: char| AROUND.contains(c);
    let word = typed.trim_matches(is_around);
    let stem = word.trim_end_matches('*').trim_end_matches(is_around).trim_end_matches('.');
    let is_letter = |c: char| is_of_a_word(c) && !is_combining_mark(c);
    let stem = match stem.contains(is_letter) {
        true => stem.trim_start_matches(|c| c == '*' || is_around(c)),
        false => stem, // the key with a star on it
    };
    // One dash leaves nothing out here; two belong to an option.
    let stem = stem.strip_prefix('-').filter(|rest| !rest.starts_with('-')).unwrap_or(stem);
    let folded = fold(stem).into_owned();
    folded.contains(|c| is_letter(c) || stands_alone(c)).then(|| SearchWord {
        typed: stem.to_owned(),
        folded,
        is_beginning: word.ends_with('*') && !stem.ends_with(stands_alone),
    })
}

impl SearchWord {
    /// As the asker is told that it was looked for.
    pub fn shown(&self) -> String {
        let star = if self.is_beginning { "*" } else { "" };
        format!("{}{star}", self.typed)
    }

    /// As it stands in an index: one word, or several that follow each other.
    pub fn indexed(&self) -> Cow<'_, str> {
        spread(&self.typed)
    }

    /// Whether words that begin like this are meant, too.
    pub fn is_beginning(&self) -> bool {
        self.is_beginning
    }

    /// Whether an index finds lines without it, too.
    pub fn has_signs(&self) -> bool {
        !self.typed.bytes().all(|b| b.is_ascii_alphanumeric())
    }

    /// Whether it is a word of this text, which is [folded](fold).
    pub fn is_in(&self, text: &str) -> bool {
        let word = &*self.folded;
        let begins = word.starts_with(is_of_a_word);
        let ends = !self.is_beginning && word.ends_with(is_of_a_word);
        let mut from = 0;
        while let Some(at) = text[from..].find(word).map(|at| from + at) {
            let (before, behind) = (&text[..at], &text[at + word.len()..]);
            let goes_on = (begins && before.ends_with(is_of_a_word))
                || (ends && behind.starts_with(is_of_a_word));
            if !goes_on {
                return true;
            }
            from = at + word.chars().next().map_or(1, char::len_utf8);
        }
        false
    }
}

/// A text without what a search does not distinguish: case, accents, Hebrew's and Arabic's vowel
/// signs, ß and ss, how a letter is composed, the kinds of quotes and dashes, invisible characters.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|b| b.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    let folded = text
        .nfd()
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase) // of ς and σ, of ſ and s
        .flat_map(char::to_lowercase)
        .filter(|&c| !is_no_matter(c));
    Cow::Owned(folded.map(as_typed).nfc().collect())
}

/// A text for an index that takes letters and digits for words, and knows of ASCII's case: other
/// characters are [folded](fold), and each that is a word of its own stands alone, as a name that
/// begins with [`MARK`].
pub fn spread(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let folded = fold(text);
    if !folded.contains(stands_alone) {
        return folded;
    }
    let mut spread = String::with_capacity(2 * text.len());
    let mut characters = folded.chars().peekable();
    while let Some(c) = characters.next() {
        if !stands_alone(c) {
            spread.push(c);
            continue;
        }
        spread.push_str(&format!(" {MARK}u{:x}", c as u32));
        // A flag is two letters.
        if is_flag_letter(c)
            && let Some(second) = characters.next_if(|&second| is_flag_letter(second))
        {
            spread.push_str(&format!("u{:x}", second as u32));
        }
        spread.push(' ');
    }
    Cow::Owned(spread)
}

/// Whether a character is a part of a longer word.
fn is_of_a_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || (!c.is_ascii() && (c.is_alphanumeric() || is_combining_mark(c)) && !stands_alone(c))
}

/// Whether a character is a word of its own.
fn stands_alone(c: char) -> bool {
    match c {
        ..'\u{a9}' => false,
        '\u{a9}'..'\u{e00}' => is_symbol(c),
        // Old scripts, and mathematical letters; those with a case are words as usual.
        '\u{10000}'.. if c.is_alphanumeric() => c.to_lowercase().eq(c.to_uppercase()),
        _ => is_symbol(c) || has_no_blanks(c),
    }
}

fn has_no_blanks(c: char) -> bool {
    match c.script() {
        // Used by several scripts, as the long-vowel mark and some accents of Japanese are.
        Script::Common | Script::Inherited => {
            let scripts = c.script_extension();
            (c.is_alphanumeric() || is_combining_mark(c))
                && !scripts.is_common()
                && !scripts.is_inherited()
                && WITHOUT_BLANKS.iter().any(|&script| scripts.contains_script(script))
        }
        script => WITHOUT_BLANKS.contains(&script),
    }
}

/// Emoji and what looks like them: arrows, mathematical signs, currencies, keycaps, flags.
fn is_symbol(c: char) -> bool {
    match c {
        '©' | '®' | '‼' | '⁉' | '\u{20e3}' | '〰' | '〽' => true,
        '\u{20a0}'..='\u{20cf}' | '\u{2100}'..='\u{2bff}' | '\u{3200}'..='\u{33ff}' => {
            !c.is_alphanumeric() || ('Ⓐ'..='ⓩ').contains(&c)
        }
        '\u{1f000}'..='\u{1fbff}' | '\u{e0020}'..='\u{e007f}' => true,
        _ => false,
    }
}

fn is_flag_letter(c: char) -> bool {
    ('\u{1f1e6}'..='\u{1f1ff}').contains(&c)
}

/// Accents and vowel signs; and what is invisible: joiners, and how an emoji is to be drawn.
fn is_no_matter(c: char) -> bool {
    is_accent(c)
        || is_vowel_sign(c)
        || matches!(c, '\u{ad}' | '\u{200b}' | '\u{200d}' | '\u{2060}' | '\u{feff}')
        || ('\u{fe00}'..='\u{fe0f}').contains(&c)
}

fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// The points of Hebrew and the signs above and below Arabic letters, which people leave out when they
/// type, the ones of a hamza too; and the stroke that makes an Arabic word longer.
fn is_vowel_sign(c: char) -> bool {
    let hebrew = matches!(
        c,
        '\u{591}'
            ..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
    );
    let arabic = matches!(
        c,
        '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
            | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}' | '\u{6e8}' | '\u{6ea}'..='\u{6ed}'
    );
    hebrew || arabic
}

/// The sign that a keyboard has for this one.
fn as_typed(c: char) -> char {
    match c {
        '‘' | '’' | '‚' | 'ʼ' | '′' => '\'',
        '“' | '”' | '„' | '″' => '"',
        '\u{2010}'..='\u{2015}' | '−' => '-',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(typed: &str, text: &str) -> bool {
        let words = search_words(typed);
        !words.is_empty() && words.iter().all(|word| word.is_in(&fold(text)))
    }

    #[test]
    fn a_word_is_found_whole_and_with_its_signs() {
        for (typed, text) in [
            ("c++", "I like C++."),
            ("C++", "C++11, and (c++)"),
            ("c#", "C#!"),
            (".net", "ASP.NET"),
            ("3.14", "pi is 3.14, nearly"),
            ("3.14*", "3.14159"),
            ("v1.2.3-rc4", "V1.2.3-RC4 is out"),
            ("don't", "don’t"),
            ("\"C++\",", "c++"),
            ("(hello)", "well, hello!"),
            ("hel*", "HELLO"),
            ("*ell* hell*", "the ell of hell"),
            ("<b>", "b"),
            ("foo_bar", "foo_bar()"),
            ("--help", "chatd --help"),
            ("-world", "hello world"),
            ("50%", "50% off"),
            ("a@b.c", "<a@b.c>"),
            ("end.", "the end"),
            ("élan", "ELAN"),
            ("naive", "naïve"),
            ("ΣΟΦΟΣ", "σοφος"),
            ("strasse", "STRAẞE"),
            ("好き", "日本語が好きです"),
            ("日本*", "日本語"),
            ("ばー", "スーパーばーばら"),
            ("가", "가\u{301}"),
            ("공부", "한국어를 공부합니다"),
            ("ไทย", "ภาษาไทยง่าย"),
            ("ລາວ", "ພາສາລາວ"),
            ("ខ្មែរ", "ភាសាខ្មែរល្អ"),
            ("မြန်မာ", "ကမြန်မာစာ"),
            ("😀", "party😀time"),
            ("👍", "👍🏽"),
            ("👍🏽", "ok👍🏽!"),
            ("❤", "I ❤️ Rust"),
            ("❤️", "I ❤ Rust"),
            ("💻", "👩‍💻"),
            ("👩‍💻", "a 👩‍💻 here"),
            ("🇩🇪", "from 🇩🇪"),
            ("1️⃣", "1️⃣ first"),
            ("1", "1️⃣ first"),
            ("*️⃣", "press *️⃣"),
            ("→", "a→b"),
            ("€", "5 €"),
            ("की", "उस की बात"),
            ("exam", "ex\u{ad}am ex\u{200b}am"),
            ("خواهم", "می\u{200c}خواهم"),
            ("𒀀", "𒀁𒀀"),
        ] {
            assert!(finds(typed, text), "{typed} is in {text}: {:?}", search_words(typed));
        }
    }

    #[test]
    fn accents_and_vowel_signs_and_how_a_letter_is_written_do_not_matter() {
        for (typed, text) in [
            ("Straße", "strasse"),
            ("fin", "ﬁn"),
            ("שלום", "שָׁלוֹם"),
            ("שָׁלוֹם", "שלום לכם"),
            ("שׁ", "\u{fb2a}"),
            ("محمد", "مُحَمَّد"),
            ("مُحَمَّد", "قال محمد"),
            ("احمد", "أحمد"),
            ("أحمد", "احمد"),
            ("سلام", "ســـلام"),
        ] {
            assert!(finds(typed, text), "{typed} is in {text}: {:?}", search_words(typed));
        }
    }

    #[test]
    fn what_is_not_the_word_is_not_found() {
        for (typed, text) in [
            ("c++", "c"),
            ("c++", "a c, and ++"),
            ("c#", "c"),
            ("c#", "abc#"),
            (".net", "net"),
            ("3.14", "3.14159"),
            ("3.14", "13.14"),
            ("3.14", "3 14"),
            ("1.2.3", "v1.2.3"),
            ("hel", "hello"),
            ("ello*", "hello"),
            ("foo-bar", "foo bar"),
            ("好き", "好日き"),
            ("고", "공부"),
            ("👍🏽", "👍🏿"),
            ("😀", "😁"),
            ("की", "का"),
            ("क", "की"),
            ("ไทย", "ไทร"),
            ("שלום", "שלומי"),
            ("strase", "Straße"),
            ("a", "aˇ"),
            ("𐐨", "𐐨𐐩"),
        ] {
            assert!(!finds(typed, text), "{typed} is not in {text}");
        }
    }

    #[test]
    fn what_has_no_word_in_it_is_not_looked_for() {
        for typed in [
            "",
            "   ",
            "*",
            "***",
            "\"",
            ":-)",
            "(",
            "++",
            "-> <- !=",
            "\0",
            "\u{1}",
            "…",
            "。",
            "\u{fe0f}",
            "\u{200d}",
            "\u{301}",
            "ी",
            "\u{5b8}",
            "\u{64e}",
            "\u{640}",
            "\u{10100}",
        ] {
            assert_eq!(search_words(typed), [], "{typed:?}");
        }
        let shown = |typed| search_words(typed).iter().map(SearchWord::shown).collect::<Vec<_>>();
        assert_eq!(shown("say \"hi :-) ,C++ exa** - 日本*"), ["say", "hi", "C++", "exa*", "日本"]);
        assert_eq!(shown(&"x ".repeat(99)).len(), 16);
        let has_signs = |typed| search_words(typed)[0].has_signs();
        assert_eq!(["plain1", "c++", "café"].map(has_signs), [false, true, true]);
    }

    #[test]
    fn what_an_index_is_fed_with() {
        for (text, spread_out) in [
            ("plain C++ text", "plain C++ text"),
            ("café", "cafe"),
            ("Cafe\u{301} STRAẞE", "cafe strasse"),
            ("Σοφός Ёлка ﬁn", "σοφοσ елка fin"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد أحمد", "محمد احمد"),
            ("C言語x", "c \u{1}u8a00  \u{1}u8a9e x"),
            ("😀", " \u{1}u1f600 "),
            ("❤\u{fe0f}", " \u{1}u2764 "),
            ("🇩🇪🇫", " \u{1}u1f1e9u1f1ea  \u{1}u1f1eb "),
            ("\u{1112}\u{1161}\u{11ab}", " \u{1}ud55c "),
            ("Ａ", "ａ"),
            ("1\u{fe0f}\u{20e3}", "1 \u{1}u20e3 "),
            ("ー", " \u{1}u30fc "),
            ("。", "。"),
            ("क\u{1cd0}", "क\u{1cd0}"),
            ("a“b", "a\"b"),
            ("a–b", "a-b"),
        ] {
            assert_eq!(spread(text), spread_out, "{text}");
        }
    }
}
