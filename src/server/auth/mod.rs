//! The authenticator: compares passwords, a few at a time, and makes those who guess wait. Runs on
//! the thread of whoever logs in.
//!
//! Whether an attempt has to wait is decided only when it has got its turn (see [`Hasher`]). So
//! guessing at one name on many connections at once gains one guess for each turn, and no more; and
//! a class that logs in at once, from one address and with the right passwords, is not delayed at
//! all.

pub mod hash;
mod throttle;

use crate::core::{
    event::{LoginAttempt, LoginResult},
    password::Password,
    record::PasswordHash,
};
use hash::Hasher;
use std::time::Instant;
use throttle::Throttle;

/// Compares passwords, and remembers who guesses.
#[derive(Default)]
pub struct Authenticator {
    hasher: Hasher,
    throttle: Throttle,
}

impl Authenticator {
    /// Hashes a password, to be stored.
    ///
    /// # Errors
    /// A sentence for the password's owner.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, String> {
        self.hasher.hash(password)
    }

    /// Compares a password with the stored hash. If there is none, that takes as long.
    pub fn verify(&self, attempt: &LoginAttempt<'_>, stored: Option<&PasswordHash>) -> LoginResult {
        let mut turn = self.hasher.take_turn();
        let wait = self.throttle.delay(attempt.address, attempt.name, Instant::now());
        if !wait.is_zero() {
            return LoginResult::Wait(wait);
        }
        let is_right = turn.verify(attempt.password, stored);
        if is_right {
            self.throttle.succeeded(attempt.address, attempt.name, Instant::now());
            LoginResult::Right {
                is_weak: stored.is_some_and(|stored| self.hasher.needs_rehash(stored)),
            }
        } else {
            self.throttle.failed(attempt.address, attempt.name, Instant::now());
            LoginResult::Wrong
        }
    }
}
