//! The authenticator: compares the passwords of those who log in, a few at a time, and makes those wait who guess. Runs on the
//! thread of whoever logs in.
//!
//! One attempt after the other gets its turn (see [`Hasher`]), and only then is it decided whether it has to wait: so
//! to guess on many connections at once is no way around the delay, and a class that logs in at once, from one address
//! and with the right passwords, is not delayed at all.

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
    /// Makes a password into what is stored of it.
    ///
    /// # Errors
    /// A sentence for its owner.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, String> {
        self.hasher.hash(password)
    }

    /// Compares a password with the stored hash, if there is one; takes as long if there is none.
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
