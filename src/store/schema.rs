//! The tables, and how an older file gets them. Blocks on the disk; knows no thread.
//!
//! A file carries the number of its schema in `user_version`. `MIGRATIONS` has one step for each
//! number: a new chatd adds a step at the end and never changes one that was released. All times
//! are microseconds since 1970, UTC.

use crate::core::record::{AccountId, LineId};
use rusqlite::{
    Connection, ToSql, Transaction, TransactionBehavior,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};

/// Marks the file as chatd's: the letters `chat`.
pub(crate) const APPLICATION_ID: i32 = 0x6368_6174;
/// The schema that this program reads and writes.
pub const VERSION: usize = MIGRATIONS.len();

/// What takes a file from each version to the next; the first makes an empty file one of version 1.
const MIGRATIONS: [&str; 4] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4];

const VERSION_4: &str = "
-- Who may come back by a token, and as whom. Of the token there is a hash alone.
CREATE TABLE returning_client (
    token   BLOB PRIMARY KEY,
    account INTEGER REFERENCES account ON DELETE CASCADE,
    seen    INTEGER NOT NULL,  -- when they were here last
    is_here INTEGER NOT NULL CHECK (is_here IN (0, 1)),
    profile TEXT NOT NULL      -- their name, room and settings, as JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX returning_by_account ON returning_client (account) WHERE account IS NOT NULL;
";

const VERSION_3: &str = "
-- Tells the numbers of this file's lines from those of another: 53 bits, which JavaScript has exactly.
ALTER TABLE marks ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
UPDATE marks SET epoch = random() & 9007199254740991;
";

const VERSION_2: &str = "
ALTER TABLE deed RENAME TO audit;

-- What is set in a room: its topic.
CREATE TABLE room_setting (
    room    INTEGER NOT NULL REFERENCES room,
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    by      TEXT NOT NULL,
    account INTEGER REFERENCES account ON DELETE SET NULL,
    PRIMARY KEY (room, name)
) STRICT, WITHOUT ROWID;
INSERT INTO room_setting (room, name, value, by, account)
    SELECT id, 'topic', topic, ifnull(topic_by, ''), (SELECT id FROM account WHERE id = topic_account)
    FROM room WHERE topic IS NOT NULL;
ALTER TABLE room DROP COLUMN topic;
ALTER TABLE room DROP COLUMN topic_by;
ALTER TABLE room DROP COLUMN topic_account;
";

const VERSION_1: &str = "
-- Numbers of lines and accounts are never used twice, though what had them is deleted: the highest that were deleted.
-- And the index of words is made later than the lines: up to which line it is.
CREATE TABLE marks (
    last_line       INTEGER NOT NULL,
    last_account    INTEGER NOT NULL,
    line_indexed    INTEGER NOT NULL,
    private_indexed INTEGER NOT NULL
) STRICT;
INSERT INTO marks VALUES (0, 0, 0, 0);

CREATE TABLE account (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,         -- as its owner wrote it
    folded   TEXT NOT NULL UNIQUE,  -- in lower case
    password TEXT NOT NULL,         -- an argon2 hash, as a PHC string
    is_admin INTEGER NOT NULL CHECK (is_admin IN (0, 1)),
    since    INTEGER NOT NULL
) STRICT;

CREATE TABLE room (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    folded        TEXT NOT NULL UNIQUE,
    topic         TEXT,
    topic_by      TEXT,
    topic_account INTEGER REFERENCES account ON DELETE SET NULL
) STRICT;

-- What was said in rooms, and what was said in private: two tables, so that no query for the one finds the other.
-- A line's number is unique in both together.
CREATE TABLE line (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    room   INTEGER NOT NULL REFERENCES room,
    form   INTEGER NOT NULL,  -- 0: <author> body  1: * author body  2: *** Announcement by author: body  3: body
    author TEXT NOT NULL,
    body   TEXT NOT NULL
) STRICT;
CREATE INDEX line_by_room ON line (room, id);

CREATE TABLE private (
    id             INTEGER PRIMARY KEY,
    at             INTEGER NOT NULL,
    author         TEXT NOT NULL,
    author_account INTEGER REFERENCES account ON DELETE SET NULL,
    reader         TEXT NOT NULL,
    reader_account INTEGER REFERENCES account ON DELETE SET NULL,
    body           TEXT NOT NULL
) STRICT;
CREATE INDEX private_by_author ON private (author_account, id) WHERE author_account IS NOT NULL;
CREATE INDEX private_by_reader ON private (reader_account, id) WHERE reader_account IS NOT NULL;

-- What waits to be read by somebody who was away.
CREATE TABLE mailbox (
    line  INTEGER PRIMARY KEY REFERENCES private,
    owner INTEGER NOT NULL REFERENCES account ON DELETE CASCADE
) STRICT;
CREATE INDEX mailbox_by_owner ON mailbox (owner, line);

CREATE TABLE sanction (
    kind    TEXT NOT NULL CHECK (kind IN ('ban', 'mute')),
    whom    TEXT NOT NULL CHECK (whom IN ('name', 'address')),
    folded  TEXT NOT NULL,  -- the subject in lower case
    subject TEXT NOT NULL,
    until   INTEGER,        -- NULL: until it is lifted
    by      TEXT NOT NULL,
    why     TEXT,
    PRIMARY KEY (kind, whom, folded)
) STRICT, WITHOUT ROWID;

-- What administrators did: for people who open this file.
CREATE TABLE deed (
    id   INTEGER PRIMARY KEY,
    at   INTEGER NOT NULL,
    by   TEXT NOT NULL,
    what TEXT NOT NULL
) STRICT;

-- Which words are in which line. They keep no copy of the lines, and can forget one without being told its words. A part
-- of them is written anew only when half of it is forgotten: at the usual tenth, forgetting takes four times as long.
-- The first column is one word for the room, or one for each party's account: a search walks the lines of these, and not
-- all that were ever said. Such a word begins with the character 1, which no line has: see search.rs.
CREATE VIRTUAL TABLE line_words USING fts5 (
    room, author, body,
    content = '', contentless_delete = 1, tokenize = \"unicode61 remove_diacritics 2 tokenchars '\u{1}'\"
);
CREATE VIRTUAL TABLE private_words USING fts5 (
    parties, author, reader, body,
    content = '', contentless_delete = 1, tokenize = \"unicode61 remove_diacritics 2 tokenchars '\u{1}'\"
);
INSERT INTO line_words (line_words, rank) VALUES ('deletemerge', 50);
INSERT INTO private_words (private_words, rank) VALUES ('deletemerge', 50);
";

/// Gives an empty file the tables of version `to`.
///
/// # Errors
/// SQLite's.
///
/// # Panics
/// If `to` is above [`VERSION`].
pub fn create(connection: &mut Connection, to: usize) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    run_steps(&transaction, 0, to)?;
    transaction.commit()
}

/// Takes a file to the newest version, in the caller's transaction.
pub(super) fn update(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    run_steps(transaction, version(transaction)?, VERSION)
}

fn run_steps(transaction: &Transaction<'_>, from: usize, to: usize) -> rusqlite::Result<()> {
    if from < to {
        MIGRATIONS[from..to].iter().try_for_each(|step| transaction.execute_batch(step))?;
        transaction.pragma_update(None, "user_version", to as i64)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    Ok(())
}

/// The number of a file's schema; 0: it has none yet.
pub fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // Below 0 it is nothing that chatd ever wrote: newer than known.
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

impl ToSql for LineId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for LineId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<LineId> {
        value.as_i64().map(LineId)
    }
}

impl ToSql for AccountId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for AccountId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<AccountId> {
        value.as_i64().map(AccountId)
    }
}
