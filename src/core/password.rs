//! A password as it was typed. It has no `Display`, and its `Debug` does not show it.

use std::fmt;

/// The fewest bytes of a password: what OWASP asks for at least.
pub(crate) const PASSWORD_MIN: usize = 8;
/// The most bytes. Any sentence fits, and its hash costs the same.
pub(crate) const PASSWORD_MAX: usize = 256;

/// A password, from the keyboard to its hash and no further.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Takes what was typed behind a command, at a prompt, or at the operator's terminal. Blanks
    /// around it do not count, and [`sanitize`](super::wire::sanitize::sanitize) replaces control
    /// characters.
    pub fn new(typed: &str) -> Password {
        Password(super::wire::sanitize::sanitize(typed).trim().to_owned())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For the hash alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it may become somebody's password. The error is a sentence that says why not.
    pub fn check(&self) -> Result<(), String> {
        match self.0.len() {
            PASSWORD_MIN..=PASSWORD_MAX => Ok(()),
            0..PASSWORD_MIN => Err(format!("A password has at least {PASSWORD_MIN} bytes.")),
            _ => Err(format!("A password has at most {PASSWORD_MAX} bytes.")),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
