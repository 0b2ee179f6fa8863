//! The token with which a client comes back after a broken connection: `/resume TOKEN`.

use super::returning::TokenHash;
use blake2::{Blake2s256, Digest as _};
use std::fmt;

/// A token, as its client reads it once. It has no `Display`, and its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token from 128 random bits.
    pub fn of(bits: u128) -> Token {
        Token(format!("{bits:032x}"))
    }

    /// What somebody typed in the place of a token.
    pub(crate) fn typed(text: &str) -> Token {
        Token(text.to_owned())
    }

    /// For its client alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash(Blake2s256::digest(&self.0).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
