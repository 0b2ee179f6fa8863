//! Names: which are allowed, and when two are the same. Rooms are named by the same rules.
//!
//! Plain names are ASCII. `--unicode-names` admits others by the rules of RFC 8265 (usernames), but
//! refuses a name that looks like one in use (Unicode Technical Standard 39, "skeletons"): `аlice`
//! with a Cyrillic а is a different name to a computer and the same to a reader. No I/O.

use precis_core::profile::PrecisFastInvocation;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};

/// The most characters of a name, so that it fits the tables of `/who` and `/threads`.
const NAME_MAX: usize = 20;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameRule {
    /// ASCII letters, digits, `-`, `_`, `.`; a letter first.
    #[default]
    Ascii,
    /// RFC 8265's usernames with a letter first (`--unicode-names`).
    Unicode,
}

/// A name that is allowed. Two names are the same if their `key`s are.
#[derive(Clone, Debug, PartialEq, Eq)]
// In a box: names are passed around, on stacks that should stay small.
pub struct Name(Box<Spellings>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Spellings {
    shown: String,
    folded: String,
    key: String,
}

impl Name {
    fn spelt(shown: String, folded: String, key: String) -> Name {
        Name(Box::new(Spellings { shown, folded, key }))
    }

    /// As its holder wrote it.
    pub fn shown(&self) -> &str {
        &self.0.shown
    }

    /// The same for a name, its look-alikes and its other cases.
    pub(crate) fn key(&self) -> &str {
        &self.0.key
    }

    /// Whether the two are the same name written in another case, and not merely look-alikes.
    pub(crate) fn is_same_word(&self, other: &Name) -> bool {
        self.0.folded == other.0.folded
    }

    /// The name of a client that is not asked for one (`--anonymous`): its address. A port may be
    /// used again before its last client has left; `connection` keeps the two names apart.
    pub(crate) fn of_address(address: &str, connection: &str) -> Name {
        let key = format!("{address} {connection}");
        Name::spelt(address.to_owned(), key.clone(), key)
    }
}

impl NameRule {
    /// Whether people take this name for the server's own, or for that of whoever runs it.
    pub(crate) fn is_official(self, name: &Name) -> bool {
        let bare: String = name.shown().replace(['-', '_', '.'], "");
        let key = |word: &str| self.check(word, "name").map(|name| name.0.key);
        let bare = key(&bare);
        OFFICIAL.iter().any(|word| key(word) == bare)
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
            NameRule::Ascii => {
                let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                if let Some(wrong) = typed.chars().find(|c| !allowed(c)) {
                    return Err(format!(
                        "A {kind} has only ASCII letters, digits, \"-\", \"_\" and \".\", and no \"{wrong}\"."
                    ));
                }
                starts_with_letter(first.is_ascii_alphabetic(), typed, kind)?;
                let folded = typed.to_ascii_lowercase();
                Ok(Name::spelt(typed.to_owned(), folded.clone(), folded))
            }
            NameRule::Unicode => {
                let refused = |_| {
                    format!(
                        "A {kind} has only letters, digits and \"-\", \"_\", \".\" (RFC 8265), and \"{typed}\" has others."
                    )
                };
                let shown = UsernameCasePreserved::enforce(typed).map_err(refused)?.into_owned();
                let folded = UsernameCaseMapped::enforce(typed).map_err(refused)?.into_owned();
                let is_word = |c: char| {
                    c.is_alphanumeric() || matches!(c, '-' | '_' | '.') || is_beyond_ascii(c)
                };
                if !shown.chars().all(is_word) {
                    return Err(refused(precis_core::Error::Invalid));
                }
                starts_with_letter(shown.starts_with(char::is_alphabetic), typed, kind)?;
                let key = unicode_security::skeleton(&folded).collect();
                Ok(Name::spelt(shown, folded, key))
            }
        }
    }
}

fn starts_with_letter(does: bool, typed: &str, kind: &str) -> Result<(), String> {
    if does {
        Ok(())
    } else {
        Err(format!("A {kind} starts with a letter, and \"{typed}\" does not."))
    }
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
    fn no_name_looks_like_an_administrators() {
        for rule in [NameRule::Ascii, NameRule::Unicode] {
            for typed in ["@alice", "\u{ff20}alice", "\u{fe6b}alice", "a@b", "alice@", "@", "@@a"] {
                assert!(rule.check(typed, "name").is_err(), "{rule:?} {typed:?}");
            }
        }
    }

    #[test]
    fn official_names_in_their_spellings() {
        let is_official = |rule: NameRule, typed: &str| {
            let name = rule.check(typed, "name").unwrap_or_else(|why| panic!("{typed:?}: {why}"));
            rule.is_official(&name)
        };
        for rule in [NameRule::Ascii, NameRule::Unicode] {
            for typed in
                ["admin", "Admin", "SERVER", "ChatD", "Root", "r.o.o.t", "sys-op", "admin_"]
            {
                assert!(is_official(rule, typed), "{rule:?} {typed:?}");
            }
            for typed in ["adam", "administrate", "root2", "servers", "alice", "chat", "mod"] {
                assert!(!is_official(rule, typed), "{rule:?} {typed:?}");
            }
        }
        for typed in ["\u{430}dmin", "r\u{43e}\u{43e}t", "ｒｏｏｔ", "s\u{435}rver", "ch\u{430}td"]
        {
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
}
