//! Where a session stands: what the client's next line is.

use crate::core::{name::Name, password::Password, record::AccountId};
use serde::{Deserialize, Serialize};

/// What the client's next line is.
#[derive(Serialize, Deserialize)]
pub(super) enum Stage {
    Naming,
    Password(Purpose),
    /// No line is taken: a password is compared.
    Checking(Purpose, Password),
    /// Talk, or a command.
    Chatting,
}

/// What a password is asked for.
#[derive(Serialize, Deserialize)]
pub(super) enum Purpose {
    /// To come in under this name, which is the account's.
    Enter(Name, AccountId),
    /// To become the owner of the account with this name, if there is one.
    LogIn(String, Option<AccountId>),
    /// To change the account's password.
    Change(AccountId),
    /// To delete the account.
    Unregister(AccountId),
    /// None: it is the pairing code, and makes them an instructor.
    Instruct,
    /// To be the account's new password.
    New(Reason),
    /// To be the same as the first.
    Again(Password, Reason),
}

/// Why there is to be a new password.
#[derive(Serialize, Deserialize)]
pub(super) enum Reason {
    /// There is none yet: it makes the account.
    None,
    /// The owner wants another one.
    Wanted,
    /// The one there is, this one, was for one time. No other line is taken before.
    OneTime(Box<Password>),
}
