//! Opening the file: what is not ours, or from a newer chatd, or damaged, is recognised before anything is written.
//! Blocks on the disk; knows no thread.

use super::{
    Durability, Store,
    error::{StoreError, Trouble},
    schema,
};
use rusqlite::{
    Connection, OpenFlags,
    config::DbConfig,
    types::{ToSqlOutput, ValueRef},
};
use std::{
    error::Error,
    fs::{self, File, OpenOptions},
    io::{BufReader, ErrorKind, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// What every SQLite file begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Bytes of SQLite's header: the version of the schema stands at 60, whose file it is at 68.
const HEADER: usize = 100;
/// Statements kept prepared: more than there are.
const STATEMENTS: usize = 64;

pub(super) fn open(
    path: &Path,
    durability: Durability,
    patience: Duration,
) -> Result<Store, StoreError> {
    try_to_open(path, durability, patience).map_err(|refusal| match refusal {
        Refusal::Trouble(trouble) => StoreError::new(path, trouble),
        Refusal::Sqlite(error) => StoreError::from_sqlite(path, &error),
        Refusal::Store(error) => error,
    })
}

fn try_to_open(path: &Path, durability: Durability, patience: Duration) -> Result<Store, Refusal> {
    let create_error = create_if_missing(path).err();
    check_header(path).map_err(|e| create_error.unwrap_or(e))?;

    // A file with a log beside it is open somewhere, or was left by a crash: then it takes a look at both.
    let has_log = ["-wal", "-journal"].iter().any(|ending| beside(path, ending).exists());
    if !has_log {
        check_inside(&immutable(path, patience)?)?;
    }
    let mut connection = connect(path, patience)?;
    if has_log {
        check_inside(&connection)?;
    }

    // It is ours, and sound. From here on it is written.
    let is_read_only = connection.is_readonly("main")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, is_read_only)?;
    if schema::version(&connection)? < schema::VERSION {
        schema::migrate(&mut connection, schema::VERSION, |old| keep_copy(path, old))?;
    }
    set_up(&connection, durability, is_read_only)?;
    let identity = identity(path);
    let mut store = Store {
        connection,
        path: path.to_owned(),
        identity,
        log: None,
        data_version: 0,
        is_read_only,
    };
    store.changed_by_others()?; // what is in it now is no change
    store.log = self::identity(&beside(path, "-wal")); // SQLite has made it by now
    Ok(store)
}

pub(super) fn in_memory() -> Result<Store, StoreError> {
    let path = PathBuf::from("the memory");
    let open = || -> rusqlite::Result<Connection> {
        let mut connection = Connection::open_in_memory()?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        schema::create(&mut connection, schema::VERSION)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(connection)
    };
    let connection = open().map_err(|e| StoreError::from_sqlite(&path, &e))?;
    Ok(Store { connection, path, identity: None, log: None, data_version: 0, is_read_only: false })
}

/// SQLite would bring the log into the file, or delete the log of another file that stands in its place now. And if the
/// log stayed, SQLite would take it for that other file's.
pub(super) fn abandon(store: Store) {
    let log = beside(&store.path, "-wal");
    let is_replaced = store.check_it_is_there().is_err();
    let is_ours = store.log.is_some() && identity(&log) == store.log;
    let _ = store.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    drop(store);
    if is_replaced && is_ours {
        let _ = fs::remove_file(log);
    }
}

fn create_if_missing(path: &Path) -> Result<(), Trouble> {
    match create_private(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop).map_err(|e| Trouble::CannotOpen(e.to_string())),
    }
}

/// Makes an empty file that only its owner can read: it will hold what was said in private.
fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Looks at the first bytes without SQLite, which would leave files of its own beside one that is none of ours.
fn check_header(path: &Path) -> Result<(), Trouble> {
    let cannot = |e: std::io::Error| Trouble::CannotOpen(e.to_string());
    if path.is_dir() {
        return Err(Trouble::CannotOpen("it is a folder".to_owned()));
    }
    let mut header = Vec::with_capacity(HEADER);
    let file = File::open(path).map_err(cannot)?;
    file.take(HEADER as u64).read_to_end(&mut header).map_err(cannot)?;
    if header.is_empty() {
        return Ok(());
    }
    if header.len() < HEADER || !header.starts_with(MAGIC) {
        return Err(Trouble::NotADatabase);
    }
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    match (number(68), number(60) as usize) {
        (0, _) => Ok(()), // not marked: SQLite has to look whether it is empty
        (id, _) if id != schema::APPLICATION_ID as u32 => Err(Trouble::AnotherPrograms),
        (_, found) if found > schema::VERSION => {
            Err(Trouble::Newer { found, known: schema::VERSION })
        }
        _ => Ok(()),
    }
}

/// Leaves a copy of the file beside it before its schema changes: the way back to the older chatd. The copy of
/// `chatd.db` with schema 1 is `chatd.db.schema-1`. It is on the disk when this returns.
///
/// The caller's transaction keeps other writers out. A copy that is there already is never overwritten. If it is the
/// same, as a migration that was cut leaves it, it will do.
fn keep_copy(path: &Path, old_schema: usize) -> Result<(), Refusal> {
    if old_schema == 0 {
        return Ok(()); // nothing is in the file yet
    }
    let copy = beside(path, &format!(".schema-{old_schema}"));
    let unfinished = beside(&copy, ".unfinished");
    write_copy(path, &unfinished, &copy).map_err(|why| {
        let _ = fs::remove_file(&unfinished);
        Refusal::Trouble(Trouble::CannotCopy { copy, why: why.to_string() })
    })
}

fn write_copy(path: &Path, unfinished: &Path, copy: &Path) -> Result<(), Box<dyn Error>> {
    if unfinished.exists() {
        fs::remove_file(unfinished)?; // a crash left it
    }
    let file = create_private(unfinished)?;
    let name = ValueRef::Text(unfinished.as_os_str().as_encoded_bytes());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)?
        .execute("VACUUM INTO ?1", [ToSqlOutput::Borrowed(name)])?;
    file.sync_all()?;
    if copy.exists() {
        if !have_same_bytes(unfinished, copy)? {
            return Err("another one is there already; move it away".into());
        }
        fs::remove_file(unfinished)?;
    } else {
        fs::rename(unfinished, copy)?;
    }
    #[cfg(unix)] // elsewhere a folder cannot be opened
    File::open(copy.canonicalize()?.parent().unwrap_or(Path::new("/")))?.sync_all()?;
    Ok(())
}

fn have_same_bytes(a: &Path, b: &Path) -> std::io::Result<bool> {
    let (a, b) = (File::open(a)?, File::open(b)?);
    if a.metadata()?.len() != b.metadata()?.len() {
        return Ok(false);
    }
    for (a, b) in BufReader::new(a).bytes().zip(BufReader::new(b).bytes()) {
        if a? != b? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Opens for writing, or for reading where that is all there is.
fn connect(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    use rusqlite::ErrorCode::{CannotOpen, ReadOnly};
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags)
        .and_then(|connection| prepare(connection, patience));
    match opened {
        // A disk that cannot be written has no place for a log either. Without one, nothing is missing from the file.
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

/// The path as an address in which SQLite is told that nobody changes the file.
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

/// A file that belongs to the database: `chatd.db-wal`, `chatd.db.lock`.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Why a file is not opened.
enum Refusal {
    Trouble(Trouble),
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Refusal {
        Refusal::Trouble(trouble)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Refusal {
        Refusal::Sqlite(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Refusal::Store(error)
    }
}

/// Looks with SQLite's eyes: after a crash the newest pages are in the log, the header's too. And reads it all once:
/// what is damaged is not written to, and that is known only after looking.
fn check_inside(connection: &Connection) -> Result<(), Refusal> {
    let found = schema::version(connection)?;
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_new = id == 0 && found == 0 && tables == 0;
    if id != schema::APPLICATION_ID && !is_new {
        return Err(Trouble::AnotherPrograms.into());
    }
    if found > schema::VERSION {
        return Err(Trouble::Newer { found, known: schema::VERSION }.into());
    }
    let checked: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match checked.lines().last() {
        Some("ok") => Ok(()),
        found => Err(Trouble::Damaged(found.unwrap_or_default().to_owned()).into()),
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

/// Which file it is, whatever its name; `None`: there is none.
pub(super) type Identity = Option<(u64, u64)>;

#[cfg(unix)]
pub(super) fn identity(path: &Path) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Elsewhere nobody can delete a file that is open.
#[cfg(not(unix))]
pub(super) fn identity(path: &Path) -> Identity {
    fs::metadata(path).ok().map(|_| (0, 0))
}
