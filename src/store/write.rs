//! Records into rows. Runs inside the caller's transaction.
//!
//! A record may come twice: the disk can fail after a transaction was written and before that was reported, and then the
//! same lines are tried again. So a line whose number is there already is left as it is.

use crate::core::record::{Party, Record, Sanction, SanctionKind, Subject, What};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

pub(super) fn record(db: &Connection, Record { at, what }: &Record) -> Result<()> {
    let at = micros(*at);
    match what {
        What::Said { id, room, author, text } => said(db, at, *id, room, &author.name, text),
        What::Told { id, from, to, text, is_mail } => told(db, at, *id, from, to, text, *is_mail),
        What::Topic { room, topic } => {
            let room = room_id(db, room)?;
            let (topic, by) = topic.as_ref().map(|(topic, by)| (topic, by)).unzip();
            let (name, account) = by.map(|by| (&by.name, by.account)).unzip();
            execute(
                db,
                "UPDATE room SET topic = ?2, topic_by = ?3, topic_account = (SELECT id FROM account WHERE id = ?4)
                 WHERE id = ?1",
                params![room, topic, name, account.flatten()],
            )
        }
        What::Registered(account, password) => execute(
            db,
            "INSERT INTO account (id, name, folded, password, is_admin, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                account.id,
                account.name,
                fold(&account.name),
                password.0,
                account.is_admin,
                micros(account.since)
            ],
        ),
        What::Rehashed(account, password) => execute(
            db,
            "UPDATE account SET password = ?2 WHERE id = ?1",
            params![account, password.0],
        ),
        What::Unregistered(account) => unregistered(db, *account),
        What::MailDeleted(account, up_to) => execute(
            db,
            "DELETE FROM mailbox WHERE owner = ?1 AND line <= ?2",
            params![account, up_to],
        ),
        What::Sanctioned(new) => {
            execute(db, "DELETE FROM sanction WHERE until <= ?1", [at])?; // those that are over make room
            sanctioned(db, new)
        }
        What::Lifted(kind, subject) => {
            let (whom, subject) = whom(subject);
            execute(
                db,
                "DELETE FROM sanction WHERE kind = ?1 AND whom = ?2 AND folded = ?3",
                params![kind_word(*kind), whom, fold(subject)],
            )
        }
        What::Deed { by, what } => {
            execute(db, "INSERT INTO audit (at, by, what) VALUES (?1, ?2, ?3)", (at, by, what))
        }
    }
}

fn said(db: &Connection, at: i64, first: i64, room: &str, author: &str, text: &str) -> Result<()> {
    let room = room_id(db, room)?;
    let mut insert = db.prepare_cached(
        "INSERT INTO line (id, at, room, form, author, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    for (id, line) in (first..).zip(text.split_terminator('\n')) {
        let (form, body) = Form::of(line, author);
        insert.execute(params![id, at, room, form as i64, author, body])?;
    }
    Ok(())
}

fn told(
    db: &Connection,
    at: i64,
    id: i64,
    from: &Party,
    to: &Party,
    text: &str,
    is_mail: bool,
) -> Result<()> {
    // An account that another process struck out a moment ago is nobody's: that must not keep the others' lines out.
    execute(
        db,
        "INSERT INTO private (id, at, author, author_account, reader, reader_account, body)
         VALUES (?1, ?2, ?3, (SELECT id FROM account WHERE id = ?4), ?5, (SELECT id FROM account WHERE id = ?6), ?7)
         ON CONFLICT DO NOTHING",
        params![id, at, from.name, from.account, to.name, to.account, text],
    )?;
    if is_mail {
        execute(
            db,
            "INSERT INTO mailbox (line, owner) SELECT ?1, id FROM account WHERE id = ?2 ON CONFLICT DO NOTHING",
            params![id, to.account],
        )?;
    }
    Ok(())
}

/// Its mailbox goes with it, and what referred to it refers to nobody: the schema's foreign keys do that.
fn unregistered(db: &Connection, account: i64) -> Result<()> {
    execute(db, "UPDATE marks SET last_account = max(last_account, ?1)", [account])?;
    execute(db, "DELETE FROM account WHERE id = ?1", [account])
}

fn sanctioned(db: &Connection, new: &Sanction) -> Result<()> {
    let (whom, subject) = whom(&new.subject);
    execute(
        db,
        "INSERT OR REPLACE INTO sanction (kind, whom, folded, subject, until, by, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            kind_word(new.kind),
            whom,
            fold(subject),
            subject,
            new.until.map(micros),
            new.by,
            new.why
        ],
    )
}

/// The room's number; it is given one if it has none.
fn room_id(db: &Connection, name: &str) -> Result<i64> {
    let folded = fold(name);
    let known = db
        .prepare_cached("SELECT id FROM room WHERE folded = ?1")?
        .query_row([&folded], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => {
            execute(db, "INSERT INTO room (name, folded) VALUES (?1, ?2)", (name, &folded))?;
            Ok(db.last_insert_rowid())
        }
    }
}

/// How a line of a room begins. The author's name is stored once, and the words alone are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `<alice> hi`
    Said = 0,
    /// `* alice waves`
    Did = 1,
    /// `*** Announcement by alice: the exam begins`
    Announced = 2,
    /// As it stands.
    Other = 3,
}

impl Form {
    /// The form of a line by this author, and the words behind its beginning.
    fn of<'a>(line: &'a str, author: &str) -> (Form, &'a str) {
        let behind = |lead: &str, end: &str| {
            line.strip_prefix(lead)?.strip_prefix(author)?.strip_prefix(end)
        };
        None.or_else(|| Some((Form::Said, behind("<", "> ")?)))
            .or_else(|| Some((Form::Did, behind("* ", " ")?)))
            .or_else(|| Some((Form::Announced, behind("*** Announcement by ", ": ")?)))
            .unwrap_or((Form::Other, line))
    }

    pub(super) fn from_number(number: i64) -> Form {
        match number {
            0 => Form::Said,
            1 => Form::Did,
            2 => Form::Announced,
            _ => Form::Other,
        }
    }

    /// The line as it was shown, with its end.
    pub(super) fn show(self, author: &str, body: &str) -> String {
        match self {
            Form::Said => format!("<{author}> {body}\n"),
            Form::Did => format!("* {author} {body}\n"),
            Form::Announced => format!("*** Announcement by {author}: {body}\n"),
            Form::Other => format!("{body}\n"),
        }
    }
}

/// What two spellings of a name have in common.
pub(super) fn fold(name: &str) -> String {
    name.to_lowercase()
}

pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

fn kind_word(kind: SanctionKind) -> &'static str {
    match kind {
        SanctionKind::Ban => "ban",
        SanctionKind::Mute => "mute",
    }
}

fn whom(subject: &Subject) -> (&'static str, &str) {
    match subject {
        Subject::Name(name) => ("name", name),
        Subject::Address(address) => ("address", address),
    }
}

fn execute(db: &Connection, sql: &str, values: impl rusqlite::Params) -> Result<()> {
    db.prepare_cached(sql)?.execute(values).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_and_put_together_again() {
        for (line, form, body) in [
            ("<alice> hi", Form::Said, "hi"),
            ("<alice> ", Form::Said, ""),
            ("* alice waves", Form::Did, "waves"),
            ("*** Announcement by alice: go: home", Form::Announced, "go: home"),
            ("<alice2> hi", Form::Other, "<alice2> hi"),
            ("*** alice is now bob", Form::Other, "*** alice is now bob"),
        ] {
            assert_eq!(Form::of(line, "alice"), (form, body), "{line:?}");
            assert_eq!(form.show("alice", body), format!("{line}\n"));
            assert_eq!(Form::from_number(form as i64), form);
        }
    }
}
