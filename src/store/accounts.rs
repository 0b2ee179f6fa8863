//! What the command line does to accounts while the server may be running. Blocks on the disk; knows no thread.
//!
//! The server owns the numbers of lines and hands them out ahead of writing. Accounts may be made by both: here the next
//! number is taken in the same transaction that uses it.

use super::{Store, StoreError, read, write};
use crate::core::record::{Account, AccountId, PasswordHash, Record, What};
use jiff::Timestamp;

impl Store {
    /// Makes an account and returns its number.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn add_account(
        &mut self,
        name: &str,
        password: PasswordHash,
        at: Timestamp,
    ) -> Result<AccountId, StoreError> {
        self.check_it_is_there()?;
        self.in_transaction(|db| {
            let id = read::last_account(db)? + 1;
            let account =
                Account { id, name: name.to_owned(), is_admin: false, since: at, mail: 0 };
            write::record(db, &Record { at, what: What::Registered(account, password) })?;
            Ok(id)
        })
    }

    /// Makes an account an administrator's, or one like all the others.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn set_admin(&mut self, account: AccountId, is_admin: bool) -> Result<(), StoreError> {
        self.check_it_is_there()?;
        self.in_transaction(|db| {
            db.execute("UPDATE account SET is_admin = ?2 WHERE id = ?1", (account, is_admin))
                .map(drop)
        })
    }
}
