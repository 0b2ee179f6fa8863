//! Names: which are allowed, and when two are the same. Rooms are named by the same rules.
//!
//! Plain names are ASCII. `--unicode-names` admits others by the rules of RFC 8265 (usernames), but
//! refuses a name that looks like one in use (Unicode Technical Standard 39, "skeletons"): `аlice`
//! with a Cyrillic а is a different name to a computer and the same to a reader. So is `aIice` with a
//! capital I, for which no option is needed. No I/O.

use precis_core::profile::PrecisFastInvocation;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::skeleton;

/// The most characters of a name, so that it fits the tables of `/who` and `/threads`.
pub(crate) const NAME_MAX: usize = 20;

/// Names that people take for the server's own, or for those of whoever runs it. A stranger under
/// one of them would be believed (and told passwords). What is written with `-`, `_` or `.` in
/// between is the same to a reader.
const OFFICIAL: [&str; 16] = [
    "admin",
    "administrator",
    "chanserv",
    "chatd",
    "console",
    "moderator",
    "nickserv",
    "operator",
    "root",
    "server",
    "staff",
    "superuser",
    "support",
    "sysadmin",
    "sysop",
    "system",
];

/// Which names are allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NameRule {
    /// ASCII letters, digits, `-`, `_`, `.`; a letter first.
    #[default]
    Ascii,
    /// RFC 8265's usernames with a letter first (`--unicode-names`).
    Unicode,
}

/// A name that is allowed. Two names are the same if their `key`s are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
// All spellings in one piece, a line each, as none has a line end: as it is shown, `word`, `key`, and
// then what it looks like. A client's name stands in several places, and a piece each would cost as
// much memory as the rest of what is known of them.
pub struct Name(Box<str>);

impl Name {
    #[inline(never)] // see `Session::hear`
    fn spelt(shown: &str, key: &str, mut looks: Vec<String>) -> Name {
        looks.sort();
        looks.dedup();
        Name([shown, &shown.to_lowercase(), key, &looks.join("\n")].join("\n").into())
    }

    fn spelling(&self, line: usize) -> &str {
        self.0.split('\n').nth(line).unwrap_or_default()
    }

    /// As its holder wrote it.
    pub fn shown(&self) -> &str {
        self.spelling(0)
    }

    /// The same for a name and its other cases, and mostly for its look-alikes.
    pub(crate) fn key(&self) -> &str {
        self.spelling(2)
    }

    /// The same for a name and its other cases alone.
    pub(crate) fn word(&self) -> &str {
        self.spelling(1)
    }

    /// What it looks like, as it is written and in other cases. It looks like another name if the
    /// two have one of these in common.
    pub(crate) fn looks(&self) -> impl Iterator<Item = &str> {
        self.0.split('\n').skip(3)
    }

    /// Whether the two may be taken for each other.
    pub(crate) fn looks_like(&self, other: &Name) -> bool {
        self.looks().any(|look| other.looks().any(|other| look == other))
    }

    /// Whether the two are the same name written in another case, and not merely look-alikes.
    pub(crate) fn is_same_word(&self, other: &Name) -> bool {
        self.word() == other.word()
    }

    /// The name of a client that is not asked for one (`--anonymous`): its address. A port may be
    /// used again before its last client has left; `connection` keeps the two names apart.
    pub(crate) fn of_address(address: &str, connection: &str) -> Name {
        let key = format!("{address} {connection}");
        Name([address, &key, &key, &key].join("\n").into())
    }

    /// A name of an account that nobody can enter under, because the rule is another one now.
    pub(crate) fn not_allowed(shown: &str) -> Name {
        let shown = shown.replace('\n', "\u{FFFD}"); // only by hand can one come into the file
        Name::spelt(&shown, &shown, vec![shown.clone()])
    }
}

impl NameRule {
    /// Whether people take this name for the server's own, or for that of whoever runs it.
    pub(crate) fn is_official(self, name: &Name) -> bool {
        // Without what stands between the letters or above them.
        let bare: String = name.shown().nfd().filter(|c| c.is_alphanumeric()).collect();
        let Ok(bare) = self.check(&bare, "name") else { return false };
        // Whoever comes in is compared with all of them: letter by letter, and most differ in the
        // first. (They are ASCII, so their skeletons need no more than that.)
        let is_it = |word: &str| match self {
            NameRule::Ascii => bare.looks().any(|look| ascii_look(word).eq(look.chars())),
            NameRule::Unicode => bare.looks().any(|look| skeleton(word).eq(look.chars())),
        };
        let lower = bare.shown().to_lowercase();
        OFFICIAL.iter().any(|word| {
            is_it(word)
                || is_it(&word.to_ascii_uppercase())
                || without_digits(word).eq(without_digits(&lower))
        })
    }

    /// Checks a name. `kind` ("name", "room's name") is the subject of the sentence that says why
    /// it is refused.
    pub fn check(self, typed: &str, kind: &str) -> Result<Name, String> {
        let Some(first) = typed.chars().next() else {
            return Err(format!("A {kind} has at least one character."));
        };
        let length = typed.chars().count();
        if length > NAME_MAX {
            return Err(format!(
                "A {kind} has at most {NAME_MAX} characters, and this one has {length}."
            ));
        }
        match self {
            NameRule::Ascii => check_ascii(typed, first, kind),
            NameRule::Unicode => check_unicode(typed, kind),
        }
    }
}

#[inline(never)] // see `Session::hear`
fn check_ascii(typed: &str, first: char, kind: &str) -> Result<Name, String> {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(wrong) = typed.chars().find(|c| !allowed(c)) {
        return Err(format!(
            "A {kind} has only ASCII letters, digits, \"-\", \"_\" and \".\", and no \"{wrong}\"."
        ));
    }
    starts_with_letter(first.is_ascii_alphabetic(), typed, kind)?;
    let folded = typed.to_ascii_lowercase();
    let cases = [typed, &folded, &typed.to_ascii_uppercase()];
    let looks = cases.map(|name| ascii_look(name).collect()).to_vec();
    Ok(Name::spelt(typed, &folded, looks))
}

#[inline(never)] // see `Session::hear`
fn check_unicode(typed: &str, kind: &str) -> Result<Name, String> {
    let refused = |_| {
        format!(
            "A {kind} has only letters, digits and \"-\", \"_\", \".\" (RFC 8265), and \"{typed}\" has others."
        )
    };
    let shown = UsernameCasePreserved::enforce(typed).map_err(refused)?.into_owned();
    // A sign and a mark may have become another sign (`=` and U+0338 are `≠`), and that is no letter.
    UsernameCasePreserved::enforce(&shown).map_err(refused)?;
    UsernameCaseMapped::enforce(typed).map_err(refused)?;
    let is_word =
        |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.') || is_beyond_ascii(c);
    if !shown.chars().all(is_word) {
        return Err(refused(precis_core::Error::Invalid));
    }
    starts_with_letter(shown.starts_with(char::is_alphabetic), typed, kind)?;
    // A letter may look like one letter as a capital, and like another in lower case.
    // And a capital that is a look-alike may stand for a small letter.
    let key = look(&fold(&shown));
    let capitals = shown.to_uppercase();
    let cases = [&*shown, &fold(&in_ascii(&shown)), &capitals].map(look);
    let looks = [key.clone()].into_iter().chain(cases).collect();
    Ok(Name::spelt(&shown, &key, looks))
}

fn starts_with_letter(does: bool, typed: &str, kind: &str) -> Result<(), String> {
    if does {
        Ok(())
    } else {
        Err(format!("A {kind} starts with a letter, and \"{typed}\" does not."))
    }
}

/// What an ASCII name looks like in the typefaces where `I`, `l` and `1`, or `O` and `0`, are hard
/// to tell apart.
fn ascii_look(name: &str) -> impl Iterator<Item = char> {
    name.chars().map(|c| match c {
        'I' | '1' => 'l',
        '0' => 'O',
        c => c,
    })
}

/// A name in lower case, with letters where digits stand for them, as in `adm1n` and `r00t`. (`1`
/// stands for `i` and for `l`, so these are one letter here.)
fn without_digits(name: &str) -> impl Iterator<Item = char> {
    name.chars().map(|c| match c {
        '0' => 'o',
        '1' | 'l' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        c => c,
    })
}

/// What a name looks like: its "skeleton". The table leaves the second dot of `i̇` there, which no
/// typeface shows; it is what `İ` becomes in lower case.
fn look(name: &str) -> String {
    skeleton(name).collect::<String>().replace("i\u{307}", "i").replace("j\u{307}", "j")
}

/// A name without its case. By way of capitals, or the two forms of a small sigma were two letters.
fn fold(name: &str) -> String {
    name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// The name with each letter beyond ASCII in the place of which one of ASCII could stand.
fn in_ascii(name: &str) -> String {
    let mut buffer = [0; 4];
    let likeness = |c: char| match c.is_ascii() {
        true => c.to_string(),
        false => look(c.encode_utf8(&mut buffer)),
    };
    name.chars().map(likeness).collect()
}

/// Such as accents and vowel signs, which many scripts write as separate characters. RFC 8265 has
/// checked them already.
fn is_beyond_ascii(c: char) -> bool {
    !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names() {
        for good in ["a", "Alice", "a-b_c.9", "abcdefghijklmnopqrst"] {
            assert!(NameRule::Ascii.check(good, "name").is_ok(), "{good:?}");
        }
        for bad in
            ["", "7up", "-a", ".a", "a b", "a:b", "a<b", "é", "a*", "a\t", "abcdefghijklmnopqrstu"]
        {
            assert!(NameRule::Ascii.check(bad, "name").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn no_name_has_a_character_that_draws_or_is_not_seen() {
        let odd = ('\0'..'\u{3000}').chain('\u{fe00}'..='\u{ffff}').chain('\u{e0000}'..'\u{e0200}');
        for c in odd.filter(|c| !c.is_alphanumeric()) {
            for rule in [NameRule::Ascii, NameRule::Unicode] {
                let Ok(name) = rule.check(&format!("x{c}y"), "name") else { continue };
                let hidden = c.is_control()
                    || c.is_whitespace()
                    || "\u{200b}\u{202e}\u{2066}\u{feff}".contains(c);
                assert!(!hidden, "{rule:?} lets {c:?} in as {:?}", name.shown());
            }
        }
    }

    #[test]
    fn no_name_looks_like_an_administrators() {
        for rule in [NameRule::Ascii, NameRule::Unicode] {
            for typed in ["@alice", "\u{ff20}alice", "\u{fe6b}alice", "a@b", "alice@", "@", "@@a"] {
                assert!(rule.check(typed, "name").is_err(), "{rule:?} {typed:?}");
            }
        }
    }

    #[test]
    fn a_sign_that_is_composed_is_no_letter() {
        for typed in ["l=\u{338}l", "a<\u{338}", "a>\u{338}b"] {
            assert!(NameRule::Unicode.check(typed, "name").is_err(), "{typed:?}");
        }
        assert_eq!(NameRule::Unicode.check("e\u{301}t", "name").unwrap().shown(), "\u{e9}t");
    }

    #[test]
    fn official_names_in_their_spellings() {
        let is_official = |rule: NameRule, typed: &str| {
            let name = rule.check(typed, "name").unwrap_or_else(|why| panic!("{typed:?}: {why}"));
            rule.is_official(&name)
        };
        for rule in [NameRule::Ascii, NameRule::Unicode] {
            for typed in [
                "admin", "Admin", "SERVER", "r.o.o.t", "sys-op", "admin_", "Adm1n", "R00T",
                "supp0r7",
            ] {
                assert!(is_official(rule, typed), "{rule:?} {typed:?}");
            }
            for typed in
                ["adam", "administrate", "root2", "servers", "alice", "chat", "mod", "r2d2"]
            {
                assert!(!is_official(rule, typed), "{rule:?} {typed:?}");
            }
        }
        for typed in [
            "\u{430}dmin",
            "\u{251}dmin",
            "ADM\u{130}N",
            "admi\u{307}n",
            "r\u{43e}\u{43e}t",
            "ｒｏｏｔ",
            "s\u{435}rver",
            "ch\u{430}td",
            "\u{e1}dmin",
            "r\u{f6}\u{f6}t",
        ] {
            assert!(is_official(NameRule::Unicode, typed), "{typed:?}");
        }
    }

    #[test]
    fn case_does_not_make_another_name() {
        for rule in [NameRule::Ascii, NameRule::Unicode] {
            let [a, b] = ["Alice", "aLICE"].map(|name| rule.check(name, "name").unwrap());
            assert_eq!(a.key(), b.key());
            assert!(a.is_same_word(&b));
            assert_eq!(a.shown(), "Alice");
        }
    }

    #[test]
    fn unicode_names_and_their_look_alikes() {
        let check = |name| NameRule::Unicode.check(name, "name");
        for good in ["élodie", "日本", "Ёлка", "नमस्ते", "şule"] {
            assert!(check(good).is_ok(), "{good:?}: {:?}", check(good));
        }
        for bad in [
            "a b",
            "a\u{202e}b",
            "☃",
            "a☃",
            "1a",
            "\u{301}a",
            "<a>",
            "a>",
            "***",
            "a:b",
            "ａ\u{200b}b",
        ] {
            assert!(check(bad).is_err(), "{bad:?} passed");
        }
        let (latin, cyrillic) = (check("alice").unwrap(), check("\u{430}lice").unwrap());
        assert_eq!(latin.key(), cyrillic.key(), "look-alikes have one skeleton");
        assert!(!latin.is_same_word(&cyrillic));
        assert!(check("STRASSE").unwrap().is_same_word(&check("strasse").unwrap()));
    }

    fn are_alike(rule: NameRule, one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(|name| rule.check(name, "name").unwrap());
        assert_eq!(one.looks_like(&other), other.looks_like(&one));
        one.looks_like(&other)
    }

    #[test]
    fn look_alikes_in_whatever_case_they_are_written() {
        for (one, other) in [
            ("alice", "aIice"),
            ("alice", "a\u{406}ice"),
            ("alice", "\u{430}lice"),
            ("alice", "a\u{4cf}ice"),
            ("alice", "a\u{4c0}ice"),
            ("alice", "ALICE"),
            ("ALICE", "\u{410}LICE"),
            ("Alice", "\u{391}lice"),
            ("nora", "\u{39d}ora"),
            ("Nora", "\u{39d}ORA"),
            ("bob", "b\u{43e}b"),
            ("BOB", "B0B"),
            ("bob", "b0b"),
            ("alice", "AL1CE"),
            ("alice", "al1ce"),
            ("nora", "\u{3bd}ora"),
            ("ian", "\u{131}an"),
            ("ian", "\u{130}an"),
            ("ian", "i\u{307}an"),
            ("Ian", "\u{131}\u{307}an"),
            ("ΣΟΦΌΣ", "Σοφός"),
            ("Σοφόσ", "Σοφός"),
            ("Straße", "STRASSE"),
            ("user1", "userl"),
            ("tom", "torn"),
        ] {
            assert!(are_alike(NameRule::Unicode, one, other), "{one} {other}");
        }
        for (one, other) in [
            ("alice", "aiice"),
            ("neil", "nell"),
            ("NEIL", "nell"),
            ("lisa", "lise"),
            ("Ёлка", "Елка"),
            ("日本", "日木"),
        ] {
            assert!(!are_alike(NameRule::Unicode, one, other), "{one} {other}");
        }
        for (one, other, is_alike) in [
            ("alice", "aIice", true),
            ("ALICE", "AL1CE", true),
            ("user1", "userl", true),
            ("Ian", "lan", true),
            ("B0B", "BOB", true),
            ("bob", "b0b", true),
            ("alice", "AL1CE", true),
            ("alice", "al1ce", true),
            ("alice", "aiice", false),
            ("tom", "torn", false),
            ("n1", "n11", false),
            ("NEIL", "NELL", false),
        ] {
            assert_eq!(are_alike(NameRule::Ascii, one, other), is_alike, "{one} {other}");
        }
        let [one, other] = ["ΣΟΦΌΣ", "Σοφός"].map(|n| NameRule::Unicode.check(n, "name").unwrap());
        assert!(one.is_same_word(&other), "its owner is asked for the password");
    }
}
