//! The porter: compares the passwords of those who log in, a few at a time, and makes those wait who guess. Runs on the
//! thread of whoever logs in.
//!
//! One attempt after the other gets its turn (see [`Passwords`]), and only then is it decided whether it has to wait: so
//! to guess on many connections at once is no way around the delay, and a class that logs in at once, from one address
//! and with the right passwords, is not delayed at all.

use super::{attempts::Attempts, passwords::Passwords};
use crate::core::{
    event::{Attempt, Verdict},
    record::PasswordHash,
    secret::Secret,
};
use std::time::Instant;

/// Compares passwords, and remembers who guesses.
#[derive(Default)]
pub struct Porter {
    passwords: Passwords,
    attempts: Attempts,
}

impl Porter {
    /// Makes a password into what is stored of it.
    ///
    /// # Errors
    /// A sentence for its owner.
    pub fn hash(&self, password: &Secret) -> Result<PasswordHash, String> {
        self.passwords.hash(password)
    }

    /// Compares a password with the stored hash, if there is one; takes as long if there is none.
    pub fn verify(&self, attempt: &Attempt<'_>, stored: Option<&PasswordHash>) -> Verdict {
        let mut turn = self.passwords.take_turn();
        let wait = self.attempts.delay(attempt.source, attempt.name, Instant::now());
        if !wait.is_zero() {
            return Verdict::Wait(wait);
        }
        let is_right = turn.verify(attempt.password, stored);
        if is_right {
            self.attempts.succeeded(attempt.source, attempt.name, Instant::now());
            Verdict::Right {
                is_weak: stored.is_some_and(|stored| self.passwords.needs_rehash(stored)),
            }
        } else {
            self.attempts.failed(attempt.source, attempt.name, Instant::now());
            Verdict::Wrong
        }
    }
}
