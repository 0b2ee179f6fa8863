//! Nobody has a password.

pub(crate) mod tickets;

use crate::core::{
    address::ClientAddress,
    driver::{LoginAttempt, LoginResult}, event::ClientId,
    pairing_code::PairingCode,
    password::Password,
    record::{AccountId, PasswordHash},
};
use tickets::Tickets;

#[derive(Default)]
pub struct Authenticator {
    pub(crate) tickets: Tickets,
}

impl Authenticator {
    pub(crate) fn hash_unless(
        &self,
        _: &Password,
        _: &dyn Fn() -> bool,
    ) -> Result<PasswordHash, String> {
        Err("nobody has a password".to_owned())
    }

    pub(crate) fn verify_unless(
        &self,
        _: &LoginAttempt<'_>,
        _: Option<ClientId>,
        _: Option<&PasswordHash>,
        _: &dyn Fn() -> bool,
    ) -> LoginResult {
        LoginResult::Wrong
    }

    pub(crate) fn note_owner(&self, _: AccountId, _: ClientAddress) {}

    pub(crate) fn verify_code(&self, _: &Password, _: ClientAddress) -> LoginResult {
        LoginResult::Wrong
    }

    pub(crate) fn make_code(&self) -> anyhow::Result<PairingCode> {
        anyhow::bail!("there is no code")
    }
}
