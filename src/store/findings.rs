//! What is wrong inside a file, if something is. Blocks on the disk; knows no thread.

use rusqlite::{Connection, Result, Row};

/// The most findings that are looked for: a damaged file may have millions, and the first ones say
/// what is the matter.
const FINDINGS_MAX: usize = 100;

/// What is wrong first, and how much more is; `None`: the file is sound.
pub(super) fn first_finding(db: &Connection) -> Result<Option<String>> {
    let mut found = findings(db, &format!("PRAGMA integrity_check({FINDINGS_MAX})"), |row| {
        row.get::<_, String>(0)
    })?;
    found.retain(|found| found != "ok");
    found.extend(findings(db, "PRAGMA foreign_key_check", |row| {
        let (table, refers_to) = (row.get::<_, String>(0)?, row.get::<_, String>(2)?);
        Ok(format!("a row of {table} refers to none of {refers_to}"))
    })?);
    let Some(first) = found.first().map(|found| found.replace('\n', ", ")) else { return Ok(None) };
    Ok(Some(match found.len() {
        1 => first,
        FINDINGS_MAX.. => format!("{first}, and {FINDINGS_MAX} findings more"),
        all => format!("{first}, and {} more", all - 1),
    }))
}

fn findings(
    db: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> Result<String>,
) -> Result<Vec<String>> {
    db.prepare(sql)?.query_map([], read)?.take(FINDINGS_MAX).collect()
}
