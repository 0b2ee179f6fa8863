//! Opening the file, and letting go of it: what is not ours, or from a newer chatd, or damaged, is
//! recognised before anything is written. Blocks on the disk; knows no thread.

use super::{
    StoreErrorKind,
    backup::keep_copy,
    connect::{STATEMENTS, connect, immutable},
    file::{beside, create_private},
    schema,
};
use rusqlite::{Connection, TransactionBehavior, config::DbConfig};
use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::Path,
    str::FromStr,
    time::Duration,
};

/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Bytes of SQLite's header: the version of the schema stands at 60, whose file it is at 68.
const HEADER: usize = 100;
/// SQLite's steps between two looks whether the caller gives up: a millisecond or so.
const STEPS: i32 = 1000;

/// See [`Store::open_unless`](super::Store::open_unless).
pub(super) fn open(
    path: &Path,
    durability: Durability,
    patience: Duration,
    gives_up: impl FnMut() -> bool + Send + 'static,
) -> Result<Connection, StoreErrorKind> {
    let create_error = create_if_missing(path).err();
    check_header(path).map_err(|e| create_error.unwrap_or(e))?;
    let mut connection = look_into(path, patience, gives_up)?;
    let is_read_only = connection.is_readonly("main")?;
    let found = schema::version(&connection)?;
    if found == 0 {
        // A new file. Its tables are the first thing in the log then: the other way around it took
        // one sync of the disk more, and what was said first took two more.
        begin_log(&connection)?;
    }
    if found < schema::VERSION {
        migrate(&mut connection, path)?;
    }
    set_up(&connection, durability, is_read_only)?;
    Ok(connection)
}

/// See [`Store::open_to_read`](super::Store::open_to_read).
pub(super) fn to_read(path: &Path, patience: Duration) -> Result<Connection, StoreErrorKind> {
    check_header(path)?;
    let connection = look_into(path, patience, || false)?;
    match schema::version(&connection)? {
        0 => Err(StoreErrorKind::NotADatabase), // an empty file
        _ => Ok(connection),
    }
}

/// Opens a file that its header shows to be ours, if it is sound. Until that is known nothing is
/// written.
fn look_into(
    path: &Path,
    patience: Duration,
    gives_up: impl FnMut() -> bool + Send + 'static,
) -> Result<Connection, StoreErrorKind> {
    // A file with a log beside it is open somewhere, or was left by a crash. Then the log has to be
    // read, too.
    let has_log = ["-wal", "-journal"].iter().any(|ending| beside(path, ending).exists());
    let connection = if has_log {
        let mut connection = connect(path, patience)?;
        check_inside(&mut connection, gives_up)?;
        connection
    } else {
        check_inside(&mut immutable(path, patience)?, gives_up)?;
        connect(path, patience)?
    };
    let is_read_only = connection.is_readonly("main")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, is_read_only)?;
    Ok(connection)
}

pub(super) fn in_memory() -> Result<Connection, StoreErrorKind> {
    let mut connection = Connection::open_in_memory()?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    schema::create(&mut connection, schema::VERSION)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// What is left after a power cut or a crash of the system. (A crash of the program alone loses
/// nothing, whichever it is.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Everything: each transaction waits until the disk has it.
    Full,
    /// Everything but perhaps the last moments; the file is sound.
    #[default]
    Normal,
    /// Perhaps nothing that can be read.
    Off,
}

impl Durability {
    fn pragma(self) -> &'static str {
        match self {
            Durability::Full => "full",
            Durability::Normal => "normal",
            Durability::Off => "off",
        }
    }
}

impl FromStr for Durability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Durability::Full, Durability::Normal, Durability::Off];
        all.into_iter()
            .find(|durability| durability.pragma() == text)
            .ok_or_else(|| format!("\"{text}\" is none of full, normal, off"))
    }
}

fn create_if_missing(path: &Path) -> Result<(), StoreErrorKind> {
    match create_private(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop).map_err(|e| StoreErrorKind::CannotOpen(e.to_string())),
    }
}

/// Looks at the first bytes without SQLite, which would leave files of its own beside one that is
/// none of ours.
fn check_header(path: &Path) -> Result<(), StoreErrorKind> {
    let cannot = |e: std::io::Error| StoreErrorKind::CannotOpen(e.to_string());
    if path.is_dir() {
        return Err(StoreErrorKind::CannotOpen("it is a folder".to_owned()));
    }
    let mut header = Vec::with_capacity(HEADER);
    let file = File::open(path).map_err(cannot)?;
    file.take(HEADER as u64).read_to_end(&mut header).map_err(cannot)?;
    if header.is_empty() {
        return Ok(());
    }
    if header.len() < HEADER || !header.starts_with(MAGIC) {
        return Err(StoreErrorKind::NotADatabase);
    }
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    match (number(68), number(60) as usize) {
        (0, _) => Ok(()), // not marked: SQLite has to look whether it is empty
        (id, _) if id != schema::APPLICATION_ID as u32 => Err(StoreErrorKind::AnotherPrograms),
        (_, found) if found > schema::VERSION => {
            Err(StoreErrorKind::Newer { found, known: schema::VERSION })
        }
        _ => Ok(()),
    }
}

/// Looks through SQLite: after a crash the newest pages are in the log, the header's too. Reads all
/// of the file once: a damaged one must not be written, and only reading shows the damage.
fn check_inside(
    connection: &mut Connection,
    gives_up: impl FnMut() -> bool + Send + 'static,
) -> Result<(), StoreErrorKind> {
    let found = schema::version(connection)?;
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_new = id == 0 && found == 0 && tables == 0;
    if id != schema::APPLICATION_ID && !is_new {
        return Err(StoreErrorKind::AnotherPrograms);
    }
    if found > schema::VERSION {
        return Err(StoreErrorKind::Newer { found, known: schema::VERSION });
    }
    connection.progress_handler(STEPS, Some(gives_up))?;
    let checked = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    connection.progress_handler(STEPS, None::<fn() -> bool>)?;
    let checked: String = checked?;
    match checked.lines().last() {
        Some("ok") => Ok(()),
        found => Err(StoreErrorKind::Damaged(found.unwrap_or_default().to_owned())),
    }
}

/// Takes a file from the version it has to the newest, wholly or not at all, and leaves a copy
/// beside it.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreErrorKind> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again: another process may have migrated it while this one waited for the lock.
    let found = schema::version(&transaction)?;
    if found > 0 && found < schema::VERSION {
        keep_copy(path, found)?;
    }
    schema::update(&transaction)?;
    Ok(transaction.commit()?)
}

fn set_up(
    connection: &Connection,
    durability: Durability,
    is_read_only: bool,
) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    if is_read_only {
        return Ok(());
    }
    // Only with a write-ahead log does `normal` promise that the file is never torn.
    let has_log = begin_log(connection)?;
    let durability =
        if has_log || durability == Durability::Off { durability } else { Durability::Full };
    connection.pragma_update(None, "synchronous", durability.pragma())?;
    Ok(())
}

/// Has the file written by a write-ahead log from now on. Returns whether it is.
fn begin_log(connection: &Connection) -> rusqlite::Result<bool> {
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| {
        Ok(row.get::<_, String>(0)? == "wal")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Here it is memory that has none; on a disk it is one that cannot share memory.
    #[test]
    fn without_a_write_ahead_log_normal_waits_for_the_disk_too() {
        for (word, waits) in
            [("full", Some(2)), ("normal", Some(2)), ("off", Some(0)), ("on", None)]
        {
            let synchronous = word.parse().ok().map(|durability| {
                let db = Connection::open_in_memory().unwrap();
                set_up(&db, durability, false).unwrap();
                db.pragma_query_value::<i64, _>(None, "synchronous", |row| row.get(0)).unwrap()
            });
            assert_eq!(synchronous, waits, "{word}");
        }
    }
}
