//! A password, as it was typed and as it is compared. It has no `Display`, and its `Debug` does not
//! show it.
//!
//! One keyboard writes é as one character, and another as an e and an accent. So passwords are
//! compared in the form that RFC 8265 ("OpaqueString") gives them: composed (NFC), with plain
//! blanks. What else that RFC does is to refuse some characters; here whatever was a password stays
//! one.

use super::wire::sanitize::replace_controls;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// The fewest bytes of a password: what OWASP asks for at least.
pub(crate) const PASSWORD_MIN: usize = 8;
/// The most bytes. Any sentence fits, and its hash costs the same.
pub(crate) const PASSWORD_MAX: usize = 256;

/// A password, from the keyboard to its hash and no further. Dropped, it is overwritten, so that no
/// core dump has it later.
#[derive(Clone, Serialize, Deserialize)]
pub struct Password {
    typed: Zeroizing<String>,
    compared: Zeroizing<String>,
}

impl PartialEq for Password {
    fn eq(&self, other: &Password) -> bool {
        self.compared == other.compared
    }
}

impl Password {
    /// Takes what was typed behind a command, at a prompt, or at the operator's terminal. Blanks
    /// around it do not count, and [`replace_controls`] shows control characters.
    pub fn new(typed: &str) -> Password {
        let shown = Zeroizing::new(replace_controls(typed).into_owned());
        let typed = Zeroizing::new(shown.trim().to_owned());
        let plain = |c: char| if c.is_whitespace() && c != '\t' { ' ' } else { c };
        // NFC takes at most three times the bytes: a string that grew would leave a copy behind.
        let mut compared = Zeroizing::new(String::with_capacity(3 * typed.len()));
        compared.extend(typed.chars().map(plain).nfc());
        Password { typed, compared }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.compared.is_empty()
    }

    /// As it is compared. For the hash, and for a pairing code.
    pub(crate) fn reveal(&self) -> &str {
        &self.compared
    }

    /// As it was typed, if that is another form. Hashes that older versions made are of that form.
    /// For the hash alone.
    pub(crate) fn reveal_typed(&self) -> Option<&str> {
        (self.typed != self.compared).then_some(&self.typed)
    }

    /// Whether it may become somebody's password. The error is a sentence that says why not.
    pub fn check(&self) -> Result<(), String> {
        match self.compared.len() {
            PASSWORD_MIN..=PASSWORD_MAX => Ok(()),
            0..PASSWORD_MIN => Err(format!("A password has at least {PASSWORD_MIN} bytes.")),
            _ => Err(format!("A password has at most {PASSWORD_MAX} bytes.")),
        }
    }
}

/// The command of a line, without its slash: of the `safe` line, or of the one that was `typed` if a
/// password may stand in it, of which every blank counts. Then the safe one is overwritten.
pub(crate) fn command_of(typed: &str, safe: Cow<'_, str>) -> Zeroizing<String> {
    let safe = Zeroizing::new(safe.into_owned());
    let (_, command) = safe.split_once('/').unwrap_or_default();
    let name = command.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    match typed.split_once('/') {
        Some((_, typed)) if matches!(&*name, "register" | "login") => {
            replace_controls(typed).into_owned().into()
        }
        _ => command.to_owned().into(),
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_forms_of_a_password_are_one() {
        for (one, other) in [
            ("motdepass\u{e9} 1", "motdepasse\u{301} 1"),
            ("a long\u{a0}pass\u{3000}word", "a long pass word"),
            ("\u{212b}ngstr\u{f6}m", "\u{c5}ngstro\u{308}m"),
            (
                "\u{d55c}\u{ae00} password",
                "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af} password",
            ),
            ("  spaced out  ", "spaced out"),
        ] {
            assert!(Password::new(one) == Password::new(other), "{one} {other}");
            assert_eq!(Password::new(one).reveal(), Password::new(other).reveal());
        }
        for (one, other) in [
            ("password1", "Password1"),
            ("password1", "password\u{200b}1"),
            ("passwort\u{e9}", "passworte"),
            ("password \u{ff11}", "password 1"),
            ("a  b long", "a b long"),
            ("tab\there yes", "tab here yes"),
        ] {
            assert!(Password::new(one) != Password::new(other), "{one:?} {other:?}");
        }
        assert_eq!(Password::new("motdepass\u{e9}").reveal_typed(), None);
        assert_eq!(Password::new("motdepasse\u{301}").reveal_typed(), Some("motdepasse\u{301}"));
    }
}
