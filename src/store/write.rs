//! Records into rows. Runs inside the caller's transaction.
//!
//! A record may come twice: the disk can fail after a transaction was written and before that was
//! reported, and then the same lines are tried again. So a line whose number is there already is
//! left as it is.

use super::{
    returning,
    row::{Form, fold, micros, room_id},
};
use crate::core::record::{
    AccountId, Author, Change, LineId, Record, Sanction, SanctionKind, Target,
};
use rusqlite::{Connection, Error, Params, Result, params};

pub(super) fn record(db: &Connection, Record { at, change }: &Record) -> Result<()> {
    let at = micros(*at);
    match change {
        Change::RoomMessage { id, room, author, text } => {
            room_message(db, at, *id, room, &author.name, text)
        }
        Change::PrivateMessage { id, from, to, text, is_mail } => {
            private_message(db, at, *id, [from, to], text, *is_mail)
        }
        Change::RoomSetting { room, setting, value } => {
            set_room_setting(db, room, setting, value.as_ref())
        }
        Change::Registered(account, password) => execute(
            db,
            "INSERT INTO account (id, name, folded, password, is_admin, since)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                account.id,
                account.name,
                fold(&account.name),
                password.0,
                account.is_admin,
                micros(account.since)
            ],
        ),
        Change::PasswordChanged(account, password) => change_account(
            db,
            "UPDATE account SET password = ?2 WHERE id = ?1",
            (account, &password.0),
        ),
        Change::Unregistered(account) => {
            // The schema's foreign keys delete the mailbox, and clear the account where else it
            // stands.
            execute(db, "UPDATE marks SET last_account = max(last_account, ?1)", [account])?;
            execute(db, "DELETE FROM account WHERE id = ?1", [account])
        }
        Change::MailDeleted(owner, lines) => lines.iter().try_for_each(|line| {
            execute(db, "DELETE FROM mailbox WHERE line = ?1 AND owner = ?2", (line, owner))
        }),
        Change::Sanctioned(sanction) => sanctioned(db, sanction),
        Change::SanctionLifted(kind, target) => {
            let (whom, target) = whom(target);
            execute(
                db,
                "DELETE FROM sanction WHERE kind = ?1 AND whom = ?2 AND folded = ?3",
                (kind_word(*kind), whom, fold(target)),
            )
        }
        Change::LinesRemoved(lines) => remove_lines(db, lines),
        Change::Token(change) => returning::change(db, at, change),
        Change::Audit { by, what } => {
            execute(db, "INSERT INTO audit (at, by, what) VALUES (?1, ?2, ?3)", (at, by, what))
        }
    }
}

fn room_message(
    db: &Connection,
    at: i64,
    first: LineId,
    room: &str,
    author: &str,
    text: &str,
) -> Result<()> {
    let room = find_or_add_room(db, room)?;
    let mut insert = db.prepare_cached(
        "INSERT INTO line (id, at, room, form, author, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    for (id, line) in (first.0..).zip(text.split_terminator('\n')) {
        let (form, body) = Form::of(line, author);
        insert.execute(params![id, at, room, form as i64, author, body])?;
    }
    Ok(())
}

/// Deletes lines with their words. What they said is overwritten in the file, and not only marked
/// as free space.
fn remove_lines(db: &Connection, lines: &[LineId]) -> Result<()> {
    db.pragma_update(None, "secure_delete", true)?;
    let removed = lines.iter().try_for_each(|line| {
        // The number of the last line that there ever was must not be lost with it.
        execute(db, "UPDATE marks SET last_line = max(last_line, ?1)", [line])?;
        execute(db, "DELETE FROM line_words WHERE rowid = ?1", [line])?;
        execute(db, "DELETE FROM line WHERE id = ?1", [line])
    });
    db.pragma_update(None, "secure_delete", false)?;
    removed
}

fn set_room_setting(
    db: &Connection,
    room: &str,
    setting: &str,
    value: Option<&(String, Author)>,
) -> Result<()> {
    let room = find_or_add_room(db, room)?;
    let Some((value, by)) = value else {
        let delete = "DELETE FROM room_setting WHERE room = ?1 AND name = ?2";
        return execute(db, delete, (room, setting));
    };
    execute(
        db,
        "INSERT OR REPLACE INTO room_setting (room, name, value, by, account)
         VALUES (?1, ?2, ?3, ?4, (SELECT id FROM account WHERE id = ?5))",
        (room, setting, value, &by.name, by.account),
    )
}

/// Another process may have deleted an account a moment ago. A line for it is then written as one
/// between people without accounts; a message for its mailbox is refused, by a foreign key.
fn private_message(
    db: &Connection,
    at: i64,
    id: LineId,
    [from, to]: [&Author; 2],
    text: &str,
    is_mail: bool,
) -> Result<()> {
    execute(
        db,
        "INSERT INTO private (id, at, author, author_account, reader, reader_account, body)
         VALUES (?1, ?2, ?3, (SELECT id FROM account WHERE id = ?4),
                         ?5, (SELECT id FROM account WHERE id = ?6), ?7) ON CONFLICT DO NOTHING",
        params![id, at, from.name, from.account, to.name, to.account, text],
    )?;
    if is_mail {
        let insert = "INSERT INTO mailbox (line, owner) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        execute(db, insert, (id, to.account))?;
    }
    Ok(())
}

fn sanctioned(db: &Connection, sanction: &Sanction) -> Result<()> {
    let (whom, target) = whom(&sanction.target);
    execute(
        db,
        "INSERT OR REPLACE INTO sanction (kind, whom, folded, subject, until, by, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            kind_word(sanction.kind),
            whom,
            fold(target),
            target,
            sanction.until.map(micros),
            sanction.by,
            sanction.why
        ],
    )
}

pub(super) fn set_admin(db: &Connection, account: AccountId, is_admin: bool) -> Result<()> {
    change_account(db, "UPDATE account SET is_admin = ?2 WHERE id = ?1", (account, is_admin))
}

/// Its error becomes [`StoreErrorKind::AccountGone`](super::StoreErrorKind::AccountGone).
fn change_account(db: &Connection, sql: &str, values: impl Params) -> Result<()> {
    match db.prepare_cached(sql)?.execute(values)? {
        0 => Err(Error::StatementChangedRows(0)),
        _ => Ok(()),
    }
}

/// The room's number; it is given one if it has none.
fn find_or_add_room(db: &Connection, name: &str) -> Result<i64> {
    if let Some(id) = room_id(db, name)? {
        return Ok(id);
    }
    execute(db, "INSERT INTO room (name, folded) VALUES (?1, ?2)", (name, fold(name)))?;
    Ok(db.last_insert_rowid())
}

fn kind_word(kind: SanctionKind) -> &'static str {
    match kind {
        SanctionKind::Ban => "ban",
        SanctionKind::Mute => "mute",
    }
}

fn whom(target: &Target) -> (&'static str, &str) {
    match target {
        Target::Name(name) => ("name", name),
        Target::Address(address) => ("address", address),
    }
}

fn execute(db: &Connection, sql: &str, values: impl Params) -> Result<()> {
    db.prepare_cached(sql)?.execute(values).map(drop)
}
