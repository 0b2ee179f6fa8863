//! A folder of a test's own, with a database if the test wants one.

use super::{Process, Server};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The database of a test that has one, in its folder: chatd's own default.
const DATABASE: &str = "chatd.db";

/// The password of every account that [`Folder::run`] makes.
pub const PASSWORD: &str = "correct horse";

/// An empty folder, which goes with the test.
pub struct Folder(PathBuf);

/// What a command said and how it ended.
pub struct Outcome {
    pub out: String,
    pub err: String,
    pub is_success: bool,
}

impl Folder {
    pub fn new() -> Folder {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    /// With a database in which these have accounts.
    pub fn with_accounts(names: &[&str]) -> Folder {
        let folder = Folder::new();
        names.iter().for_each(|name| drop(folder.run(&format!("account add {name}"))));
        folder
    }

    /// The same; the first of them is an administrator.
    pub fn with_administrator(names: &[&str]) -> Folder {
        let folder = Folder::with_accounts(names);
        folder.run(&format!("account promote {}", names[0]));
        folder
    }

    /// The path of a file in it.
    pub fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    /// The names of the files in it, in order.
    pub fn files(&self) -> Vec<String> {
        files_of(&self.0)
    }

    /// Opens its database beside chatd.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path(DATABASE)).unwrap()
    }

    /// Its database read by SQL: the first column of each row.
    pub fn select<T: rusqlite::types::FromSql>(&self, sql: &str) -> Vec<T> {
        let database = self.database();
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// Starts a server that keeps its history here.
    pub fn start(&self, options: &str) -> Server {
        Server::start_in(self, &format!("--db {DATABASE} {options}"))
    }

    /// The program chatd, in this folder.
    pub fn chatd(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatd"));
        command.current_dir(&self.0).env("TZ", "<+01>-1").env("RUST_BACKTRACE", "0");
        command.args(words.split_whitespace());
        command
    }

    /// Runs `chatd` with these words, and this on its standard input.
    pub fn run_with(&self, words: &str, input: &str) -> Outcome {
        let mut process = Process::start(self.chatd(words));
        process.types(input);
        process.closes_its_keyboard();
        let is_success = process.exit_code() == Some(0);
        Outcome { out: process.printed_to_the_end(), err: process.log_to_the_end(), is_success }
    }

    /// Runs `chatd` with these words, and a password on its standard input; it has to succeed. Returns what it said.
    #[track_caller]
    pub fn run(&self, words: &str) -> String {
        let Outcome { out, err, is_success } = self.run_with(words, &format!("{PASSWORD}\n"));
        assert!(is_success && err.is_empty(), "chatd {words}: {out}{err}");
        out
    }

    /// Runs `chatd` with these words; it has to fail, in one sentence or two on one line, which is returned.
    #[track_caller]
    pub fn fails(&self, words: &str, input: &str) -> String {
        let Outcome { out, err, is_success } = self.run_with(words, input);
        assert!(!is_success && out.is_empty(), "chatd {words}: {out}");
        assert_eq!(err.lines().count(), 1, "{err}");
        err
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The names of the files in a folder, in order.
pub fn files_of(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries.map(|entry| name(entry).into_string().unwrap()).collect();
    names.sort();
    names
}
