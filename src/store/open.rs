//! Opening the file, and letting go of it: what is not ours, or from a newer chatd, or damaged, is
//! recognised before anything is written. Blocks on the disk; knows no thread.

use super::{
    StoreErrorKind,
    file::{beside, create_private},
    schema,
};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
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
/// The most statements kept prepared: more than there are.
const STATEMENTS: usize = 64;

/// See [`Store::open_unless`](super::Store::open_unless).
pub(super) fn open(
    path: &Path,
    durability: Durability,
    patience: Duration,
    gives_up: impl FnMut() -> bool + Send + 'static,
) -> Result<Connection, StoreErrorKind> {
    let create_error = create_if_missing(path).err();
    check_header(path).map_err(|e| create_error.unwrap_or(e))?;

    // A file with a log beside it is open somewhere, or was left by a crash. Then the log has to be
    // read, too.
    let has_log = ["-wal", "-journal"].iter().any(|ending| beside(path, ending).exists());
    let mut connection = if has_log {
        let mut connection = connect(path, patience)?;
        check_inside(&mut connection, gives_up)?;
        connection
    } else {
        check_inside(&mut immutable(path, patience)?, gives_up)?;
        connect(path, patience)?
    };

    // It is ours, and sound. From here on it may be written.
    let is_read_only = connection.is_readonly("main")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, is_read_only)?;
    if schema::version(&connection)? < schema::VERSION {
        schema::migrate(&mut connection, path)?;
    }
    set_up(&connection, durability, is_read_only)?;
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

/// Opens for writing, or for reading where that is all there is.
fn connect(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    use rusqlite::ErrorCode::{CannotOpen, ReadOnly};
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags)
        .and_then(|connection| prepare(connection, patience));
    match opened {
        // A disk that cannot be written has no place for a log. Then nothing is missing from the
        // file.
        Err(e)
            if matches!(e.sqlite_error_code(), Some(CannotOpen | ReadOnly))
                && !beside(path, "-wal").exists() =>
        {
            immutable(path, patience)
        }
        opened => opened,
    }
}

/// Opens a file that nobody changes meanwhile: SQLite then leaves nothing beside it.
fn immutable(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(immutable_uri(path), flags)
        .and_then(|connection| prepare(connection, patience))
}

fn prepare(connection: Connection, patience: Duration) -> rusqlite::Result<Connection> {
    connection.busy_timeout(patience)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Closing must not bring a log into a file that turns out to be damaged, or newer.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // The file may have been prepared by somebody to do us harm.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    schema::version(&connection)?; // SQLite opens a file when it first reads it
    Ok(connection)
}

/// The path as an address that tells SQLite that nobody changes the file.
fn immutable_uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b':' | b'.' | b'-' | b'_' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri + "?immutable=1"
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

fn set_up(
    connection: &Connection,
    durability: Durability,
    is_read_only: bool,
) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    if is_read_only {
        return Ok(());
    }
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    // Only with a write-ahead log does `normal` promise that the file is never torn.
    let durability =
        if mode == "wal" || durability == Durability::Off { durability } else { Durability::Full };
    connection.pragma_update(None, "synchronous", durability.pragma())?;
    Ok(())
}
