//! The authenticator: compares passwords, a few at a time, and makes those who guess wait. Runs on
//! the thread of whoever logs in.
//!
//! Whether an attempt has to wait is decided only when it has got its turn (see [`Hasher`]). So
//! guessing at one name on many connections at once gains one guess for each turn, and no more; and
//! a class that logs in at once, from one address and with the right passwords, is not delayed at
//! all.

mod firsts;
pub mod hash;
mod throttle;
pub(crate) mod tickets;

use super::logger;
use crate::{
    core::{
        address::ClientAddress,
        driver::{LoginAttempt, LoginResult},
        event::ClientId,
        pairing_code::PairingCode,
        password::Password,
        record::{AccountId, PasswordHash},
    },
    lock::{LockKind, Locked},
};
use anyhow::Context as _;
use hash::Hasher;
use std::time::{Duration, Instant};
use throttle::{Throttle, Tried};
use tickets::Tickets;

/// Compares passwords and pairing codes, and remembers who guesses.
pub struct Authenticator {
    hasher: Hasher,
    throttle: Throttle,
    /// `None`: the server runs without one.
    code: Locked<Option<PairingCode>>,
    /// For the view.
    pub(crate) tickets: Tickets,
}

/// Without a pairing code.
impl Default for Authenticator {
    fn default() -> Authenticator {
        Authenticator {
            hasher: Hasher::default(),
            throttle: Throttle::default(),
            code: Locked::new(LockKind::PairingCode, None),
            tickets: Tickets::default(),
        }
    }
}

impl Authenticator {
    /// With a pairing code, or without one.
    pub fn new(has_code: bool) -> anyhow::Result<Authenticator> {
        let authenticator = Authenticator::default();
        if has_code {
            authenticator.make_code()?;
        }
        Ok(authenticator)
    }

    /// The pairing code that is good now.
    pub fn code(&self) -> Option<PairingCode> {
        self.code.lock().clone()
    }

    /// Another server's code is good here, if this one has any.
    #[cfg(target_os = "linux")] // nothing is handed over elsewhere
    pub(super) fn set_code(&self, code: PairingCode) {
        if let Some(own) = &mut *self.code.lock() {
            *own = code;
        }
    }

    /// Makes a pairing code, in place of the one there was.
    pub fn make_code(&self) -> anyhow::Result<PairingCode> {
        let random = getrandom::u64().context("the system has no random number for a code")?;
        let code = PairingCode::of(random);
        *self.code.lock() = Some(code.clone());
        Ok(code)
    }

    /// Compares what somebody typed with the pairing code. Wrong ones delay the next, as for
    /// passwords.
    pub fn verify_code(&self, typed: &Password, address: ClientAddress) -> LoginResult {
        let now = Instant::now();
        let wait = self.throttle.begin(address, &Tried::Code, now);
        if !wait.is_zero() {
            return LoginResult::Wait(wait);
        }
        if self.code().is_some_and(|code| code.is(typed)) {
            self.throttle.succeeded(address, &Tried::Code, now);
            return LoginResult::Right { is_weak: false };
        }
        let line = format_args!("wrong pairing code from {address}");
        logger::counted("wrong_code", 0, ("wrong codes from", &address), line);
        LoginResult::Wrong
    }

    /// Hashes a password, to be stored.
    ///
    /// # Errors
    /// A sentence for the password's owner.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, String> {
        self.hasher.hash(password)
    }

    /// The same, unless the caller `gives_up` before it is their turn.
    pub(crate) fn hash_unless(
        &self,
        password: &Password,
        gives_up: &dyn Fn() -> bool,
    ) -> Result<PasswordHash, String> {
        self.hasher.hash_unless(password, gives_up)
    }

    /// Somebody at this address has registered this account: as good as a log-in there.
    pub fn note_owner(&self, account: AccountId, address: ClientAddress) {
        self.throttle.note_owner(address, &Tried::Account(account), Instant::now());
    }

    /// Compares a password with the stored hash. If there is none, that takes as long.
    pub fn verify(&self, attempt: &LoginAttempt<'_>, stored: Option<&PasswordHash>) -> LoginResult {
        self.verify_unless(attempt, None, stored, &|| false)
    }

    /// The same for the first password of a connection. It may be compared out of turn.
    pub fn verify_first(
        &self,
        attempt: &LoginAttempt<'_>,
        first: Option<ClientId>,
        stored: Option<&PasswordHash>,
    ) -> LoginResult {
        self.verify_unless(attempt, first, stored, &|| false)
    }

    /// The same, unless the caller `gives_up` before it is their turn: then they have to ask again.
    pub(crate) fn verify_unless(
        &self,
        attempt: &LoginAttempt<'_>,
        first: Option<ClientId>,
        stored: Option<&PasswordHash>,
        gives_up: &dyn Fn() -> bool,
    ) -> LoginResult {
        let Some(mut turn) = self.hasher.take_turn(gives_up) else {
            return LoginResult::Wait(Duration::ZERO);
        };
        let tried = Tried::of(attempt.name, attempt.account);
        let wait = self.throttle.begin_first(attempt.address, &tried, first, Instant::now());
        if !wait.is_zero() {
            return LoginResult::Wait(wait);
        }
        let is_for_one_time = stored.is_some_and(PasswordHash::is_for_one_time);
        let is_right = match is_for_one_time {
            true => turn.verify(PairingCode::signs(attempt.password).reveal(), stored),
            false => turn.verify(attempt.password.reveal(), stored),
        };
        // An older hash may be of what was typed. Most passwords have one form alone.
        let is_as_typed = !is_right
            && attempt.password.reveal_typed().is_some_and(|typed| turn.verify(typed, stored));
        if is_right || is_as_typed {
            self.throttle.succeeded(attempt.address, &tried, Instant::now());
            if is_for_one_time {
                return LoginResult::OneTime;
            }
            let needs_rehash = |stored| self.hasher.needs_rehash(stored);
            LoginResult::Right { is_weak: is_as_typed || stored.is_some_and(needs_rehash) }
        } else {
            log_wrong(attempt);
            LoginResult::Wrong
        }
    }
}

/// Logs whose password was tried, and from where. A name that nobody has registered may be what
/// somebody took for the password's place, so it is not written.
fn log_wrong(attempt: &LoginAttempt<'_>) {
    let (address, name) = (attempt.address, attempt.name);
    let whose = if attempt.account.is_some() { name } else { "a name that is not registered" };
    let line = format_args!("wrong password for {whose} from {address}");
    logger::counted("wrong_password", 0, ("wrong passwords from", &address), line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_of_another_form_is_good_and_is_made_anew() {
        let authenticator = Authenticator::default();
        let tries = |typed: &str, stored: &PasswordHash| {
            let (password, address) = (Password::new(typed), "192.0.2.7".parse().unwrap());
            let account = Some(AccountId(1));
            let attempt = LoginAttempt { name: "alice", account, address, password: &password };
            authenticator.verify(&attempt, Some(stored))
        };
        let (one, two) = ("motdepass\u{e9} 1", "motdepasse\u{301} 1");
        let (right, weak) =
            (LoginResult::Right { is_weak: false }, LoginResult::Right { is_weak: true });
        let now = authenticator.hash(&Password::new(two)).unwrap();
        assert_eq!([tries(one, &now), tries(two, &now)], [right, right]);
        // As it was made before: of the bytes that were typed.
        let before = authenticator.hasher.hash_bytes(two.as_bytes(), &|| false).unwrap();
        assert_eq!(tries(two, &before), weak);
        assert_eq!(tries(one, &before), LoginResult::Wrong);
    }
}
