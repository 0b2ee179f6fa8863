//! Somebody is taken out of the file: what they said in private, their mail and their account are
//! deleted, and their name is replaced wherever it stands. Blocks on the disk; knows no thread.
//!
//! No server may run meanwhile: it remembers lines, and knows the account. So all of it is one
//! transaction, which is done or not, whenever it is cut off; and afterwards SQLite writes the file
//! anew, so that no free part of it has the old text.

use super::{Store, StoreError, StoreErrorKind, row::fold, search};
use crate::core::record::AccountId;
use rusqlite::{Connection, OptionalExtension as _, Result, Transaction, types::ValueRef};

/// What stands in the name's place. Nobody can be called that.
pub const GONE: &str = "(gone)";
/// Lines that are looked at together: what is replaced of them is in memory.
const CHUNK: usize = 1_000;

/// How much there is of somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Accounts that are theirs: one or none.
    pub accounts: usize,
    /// Lines that they said in rooms.
    pub said: usize,
    /// Lines that they wrote or were sent in private; mail too.
    pub private: usize,
    /// Lines in rooms in which others name them.
    pub named: usize,
    /// Private lines between others that name them.
    pub named_in_private: usize,
    /// Topics, bans, mutes and entries of the audit that name them.
    pub noted: usize,
}

impl Traces {
    /// Counts them, and changes nothing.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn of(store: &mut Store, name: &str) -> std::result::Result<Traces, StoreError> {
        let found = store.connection.transaction().and_then(|transaction| {
            let traces = forget(&transaction, name)?;
            transaction.rollback()?;
            Ok(traces)
        });
        found.map_err(|e| store.error(e))
    }

    /// Takes them out of the file. Numbers of lines belong to a new epoch, so that programs that come
    /// back show what there is now.
    ///
    /// # Errors
    /// What is wrong with the file. Then nothing is changed.
    pub fn erase(store: &mut Store, name: &str) -> std::result::Result<Traces, StoreError> {
        store.transact(|transaction| {
            transaction.pragma_update(None, "secure_delete", true)?;
            Ok(forget(transaction, name)?)
        })
    }

    /// Writes the file anew, without what was deleted before, and empties the log beside it.
    ///
    /// # Errors
    /// The disk has no room for it. Nothing is lost.
    pub fn sweep(store: &Store) -> std::result::Result<(), StoreError> {
        let db = &store.connection;
        let swept = db.execute_batch("VACUUM").and_then(|()| {
            db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))
        });
        match swept.map_err(|e| store.error(e))? {
            false => Ok(()),
            true => Err(StoreError::new(&store.path, StoreErrorKind::Locked)),
        }
    }
}

fn forget(db: &Transaction<'_>, name: &str) -> Result<Traces> {
    let whole = fold(name);
    let account: Option<AccountId> = db
        .query_row("SELECT id FROM account WHERE folded = ?1", [&whole], |row| row.get(0))
        .optional()?;
    let mut traces = Traces { accounts: usize::from(account.is_some()), ..Traces::default() };
    forget_lines(db, &whole, &mut traces)?;
    forget_private(db, &whole, account, &mut traces)?;
    let of_them = "DELETE FROM sanction WHERE whom = 'name' AND folded = ?1";
    traces.noted += db.execute(of_them, [&whole])?;
    for (table, columns) in
        [("audit", ["by", "what"]), ("room_setting", ["by", "value"]), ("sanction", ["by", "why"])]
    {
        for column in columns {
            traces.noted += replace_in(db, table, column, &whole)?;
        }
    }
    db.execute(
        "UPDATE marks SET last_account = max(last_account, ?1)",
        [account.unwrap_or_default()],
    )?;
    db.execute("DELETE FROM account WHERE id = ?1", [account])?;
    db.execute("DELETE FROM returning_client", [])?; // they name people, for ten minutes
    db.execute("UPDATE marks SET epoch = random() & 9007199254740991", [])?;
    search::begin_again(db)?;
    Ok(traces)
}

fn forget_lines(db: &Connection, whole: &str, traces: &mut Traces) -> Result<()> {
    let mut select =
        db.prepare("SELECT id, author, body FROM line WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let mut update = db.prepare("UPDATE line SET author = ?2, body = ?3 WHERE id = ?1")?;
    let mut after = i64::MIN;
    loop {
        let mut rows = select.query((after, CHUNK as i64))?;
        let (mut changed, mut seen) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            (after, seen) = (row.get(0)?, seen + 1);
            let (author, body) = (lossy(row.get_ref(1)?), lossy(row.get_ref(2)?));
            let (new_author, new_body) = (without(&author, whole), without(&body, whole));
            traces.said += usize::from(new_author.is_some());
            traces.named += usize::from(new_author.is_none() && new_body.is_some());
            if new_author.is_some() || new_body.is_some() {
                changed.push((after, new_author.unwrap_or(author), new_body.unwrap_or(body)));
            }
        }
        drop(rows);
        changed.iter().try_for_each(|line| update.execute((line.0, &line.1, &line.2)).map(drop))?;
        if seen == 0 {
            return Ok(());
        }
    }
}

/// Their lines go, and those of others lose the name. Numbers are not given out again.
fn forget_private(
    db: &Connection,
    whole: &str,
    account: Option<AccountId>,
    traces: &mut Traces,
) -> Result<()> {
    let mut select = db.prepare(
        "SELECT id, author, reader, body, author_account, reader_account FROM private
         WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let mut after = i64::MIN;
    loop {
        let mut rows = select.query((after, CHUNK as i64))?;
        let (mut theirs, mut named, mut seen) = (Vec::new(), Vec::new(), 0);
        while let Some(row) = rows.next()? {
            (after, seen) = (row.get(0)?, seen + 1);
            let is_theirs = |name: usize, number: usize| -> Result<bool> {
                let owner: Option<AccountId> = row.get(number)?;
                let is_named = without(&lossy(row.get_ref(name)?), whole).is_some();
                Ok((owner.is_some() && owner == account) || (owner.is_none() && is_named))
            };
            if is_theirs(1, 4)? || is_theirs(2, 5)? {
                theirs.push(after);
            } else if let Some(body) = without(&lossy(row.get_ref(3)?), whole) {
                named.push((after, body));
            }
        }
        drop(rows);
        for id in &theirs {
            db.execute("UPDATE marks SET last_line = max(last_line, ?1)", [id])?;
            db.execute("DELETE FROM mailbox WHERE line = ?1", [id])?;
            db.execute("DELETE FROM private WHERE id = ?1", [id])?;
        }
        for (id, body) in &named {
            db.execute("UPDATE private SET body = ?2 WHERE id = ?1", (id, body))?;
        }
        (traces.private, traces.named_in_private) =
            (traces.private + theirs.len(), traces.named_in_private + named.len());
        if seen == 0 {
            return Ok(());
        }
    }
}

/// Replaces a name in one column of a small table: the texts are the keys.
fn replace_in(db: &Connection, table: &str, column: &str, whole: &str) -> Result<usize> {
    let texts = format!("SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL");
    let mut select = db.prepare(&texts)?;
    let texts: Vec<String> =
        select.query_map([], |row| row.get_ref(0).map(lossy))?.collect::<Result<_>>()?;
    let update = format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1");
    let mut update = db.prepare(&update)?;
    let mut replaced = 0;
    for text in texts {
        if let Some(new) = without(&text, whole) {
            replaced += update.execute((text, new))?;
        }
    }
    Ok(replaced)
}

fn lossy(value: ValueRef<'_>) -> String {
    let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = value else { return String::new() };
    String::from_utf8_lossy(bytes).into_owned()
}

/// The text without this name, which is in lower case, where it is a whole word; `None`: it is not in
/// it. In `alice-2` and `alice.b` the name is not alice's; in `alice's` and `(alice).` it is.
fn without(text: &str, whole: &str) -> Option<String> {
    let (mut new, mut rest, mut is_replaced) = (String::new(), text, false);
    let mut is_inside = false; // of a word, at the beginning of the rest
    while let Some(next) = rest.chars().next() {
        let behind = if is_inside { None } else { behind_name(rest, whole) };
        if let Some(behind) = behind.filter(|behind| !goes_on(behind)) {
            (rest, is_replaced, is_inside) = (behind, true, true);
            new.push_str(GONE);
            continue;
        }
        new.push(next);
        rest = &rest[next.len_utf8()..];
        is_inside = next.is_alphanumeric()
            || (is_inside && is_joint(next) && rest.starts_with(char::is_alphanumeric));
    }
    is_replaced.then_some(new)
}

/// What follows the name that the text begins with.
fn behind_name<'a>(text: &'a str, whole: &str) -> Option<&'a str> {
    let mut expected = whole.chars();
    for (at, c) in text.char_indices() {
        if expected.as_str().is_empty() {
            return Some(&text[at..]);
        }
        if !c.to_lowercase().all(|lower| expected.next() == Some(lower)) {
            return None;
        }
    }
    expected.as_str().is_empty().then_some("")
}

/// Whether a word that ended here goes on.
fn goes_on(text: &str) -> bool {
    let mut chars = text.chars();
    match chars.next() {
        Some(c) if c.is_alphanumeric() => true,
        Some(c) if is_joint(c) => chars.next().is_some_and(char::is_alphanumeric),
        _ => false,
    }
}

/// What a name may have between its letters.
fn is_joint(c: char) -> bool {
    matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_replaced_as_a_whole_word_and_not_otherwise() {
        for (text, expected) in [
            ("alice", "(gone)"),
            ("hi Alice, ALICE's (alice). alice?", "hi (gone), (gone)'s ((gone)). (gone)?"),
            ("@alice: look, alice.", "@(gone): look, (gone)."),
            ("alice alice", "(gone) (gone)"),
            ("alice- and -alice", "(gone)- and -(gone)"),
        ] {
            assert_eq!(without(text, "alice").as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "malice", "alices", "alice2", "alice-2", "alice.b", "x-alice", "al ice", "alic"]
        {
            assert_eq!(without(text, "alice"), None, "{text}");
        }
        assert_eq!(without("Ädam and ädam", "ädam").as_deref(), Some("(gone) and (gone)"));
        assert_eq!(without("anna.b anna.b.", "anna.b").as_deref(), Some("(gone) (gone)."));
        assert_eq!(without("anna.b.c", "anna.b"), None);
        assert_eq!(without("\u{130}X", "i\u{307}x").as_deref(), Some("(gone)"));
    }
}
