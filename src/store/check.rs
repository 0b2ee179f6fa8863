//! Whether a file is sound: more than an opened file is known to be. Blocks on the disk; knows no
//! thread.

use super::{Store, StoreError, StoreErrorKind};
use rusqlite::Row;

/// The most findings that are looked for: a damaged file may have millions, and the first ones say
/// what is the matter.
const FINDINGS_MAX: usize = 100;

/// What a sound file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sound {
    /// Lines in rooms, and between two people.
    pub lines: usize,
    /// Accounts.
    pub accounts: usize,
    /// The bytes that were read.
    pub bytes: usize,
}

impl Store {
    /// Reads all of the file, also while a server writes it, and compares what it has twice: rows and
    /// their indexes, lines and the index of words, references and what they refer to. (To open it
    /// reads every page, and compares nothing.)
    ///
    /// # Errors
    /// [`StoreErrorKind::Damaged`], with the first finding and their number, or what else is wrong.
    pub fn check(&self) -> Result<Sound, StoreError> {
        let mut findings = self
            .findings(&format!("PRAGMA integrity_check({FINDINGS_MAX})"), |row| {
                row.get::<_, String>(0)
            })?;
        findings.retain(|found| found != "ok");
        findings.extend(self.findings("PRAGMA foreign_key_check", |row| {
            let (table, refers_to) = (row.get::<_, String>(0)?, row.get::<_, String>(2)?);
            Ok(format!("a row of {table} refers to none of {refers_to}"))
        })?);
        if let Some(first) = findings.first().map(|found| found.replace('\n', ", ")) {
            let how = match findings.len() {
                1 => first,
                FINDINGS_MAX.. => format!("{first}, and {FINDINGS_MAX} findings more"),
                all => format!("{first}, and {} more", all - 1),
            };
            return Err(StoreError::new(&self.path, StoreErrorKind::Damaged(how)));
        }
        let count = |sql| self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let counted = count("SELECT (SELECT count(*) FROM line) + (SELECT count(*) FROM private)")
            .and_then(|lines| Ok((lines, count("SELECT count(*) FROM account")?)))
            .and_then(|(lines, accounts)| {
                let bytes = count(
                    "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                )?;
                Ok([lines, accounts, bytes].map(|number| number as usize))
            });
        let [lines, accounts, bytes] = counted.map_err(|e| self.error(e))?;
        Ok(Sound { lines, accounts, bytes })
    }

    fn findings(
        &self,
        sql: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<String>,
    ) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare(sql).map_err(|e| self.error(e))?;
        let found =
            statement.query_map([], read).and_then(|rows| rows.take(FINDINGS_MAX).collect());
        found.map_err(|e| self.error(e))
    }
}
