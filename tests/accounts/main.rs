//! `chatd account` and `chatd history`, as an operator uses them: from a shell, from scripts, at a terminal.

mod history;
#[cfg(unix)]
mod terminal;

use chatd::{
    core::record::{Account, Party, PasswordHash, Record, What},
    server::passwords::Passwords,
    store::{Durability, Store, server_lock::ServerLock},
};
use jiff::Timestamp;
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

/// A folder of its own for a test, in which the program runs; removed when the test is over.
struct Folder(PathBuf);

/// What a command said and how it ended.
struct Outcome {
    out: String,
    err: String,
    is_success: bool,
}

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("chatd-accounts-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn database(&self) -> PathBuf {
        self.0.join("chatd.db")
    }

    fn open(&self) -> Store {
        Store::open(&self.database(), Durability::Normal, Duration::from_secs(5)).unwrap()
    }

    /// Runs `chatd` with these words, and this on its standard input.
    fn run_with(&self, words: &str, input: &str) -> Outcome {
        let mut child = chatd(&self.0)
            .args(words.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()); // it may not want any
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Outcome {
            out: text(output.stdout),
            err: text(output.stderr),
            is_success: output.status.success(),
        }
    }

    /// Runs `chatd` with these words; it has to succeed. Returns what it said.
    #[track_caller]
    fn run(&self, words: &str) -> String {
        let Outcome { out, err, is_success } = self.run_with(words, "correct horse\n");
        assert!(is_success && err.is_empty(), "{words}: {out}{err}");
        out
    }

    /// Runs `chatd` with these words; it has to fail, in one sentence or two on one line, which is returned.
    #[track_caller]
    fn fails(&self, words: &str, input: &str) -> String {
        let Outcome { out, err, is_success } = self.run_with(words, input);
        assert!(!is_success && out.is_empty(), "{words}: {out}");
        assert_eq!(err.lines().count(), 1, "{err}");
        err
    }

    fn accounts(&self) -> Vec<Account> {
        self.open().remembered(0, 0).unwrap().accounts
    }

    fn password_of(&self, account: i64) -> PasswordHash {
        use chatd::core::record::{Found, Query};
        match self.open().find(&Query::Password(account)).unwrap() {
            Found::Password(Some(hash)) => hash,
            found => panic!("{found:?}"),
        }
    }

    #[track_caller]
    fn has_password(&self, account: i64, password: &str) {
        use chatd::core::secret::Secret;
        let hash = self.password_of(account);
        assert!(
            Passwords::default().take_turn().verify(&Secret::new(password), Some(&hash)),
            "{password:?}"
        );
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn chatd(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatd"));
    command.current_dir(folder).env("TZ", "<+01>-1").env("RUST_BACKTRACE", "0");
    command
}

#[test]
fn an_account_from_its_making_to_its_end() {
    let folder = Folder::new();
    assert_eq!(
        folder.run("account add Alice"),
        "chatd.db is new: there was no database.\nAlice has an account now.\n"
    );
    assert_eq!(folder.run("account add bob"), "bob has an account now.\n");
    folder.has_password(1, "correct horse");
    assert_eq!(folder.run("account promote alice"), "Alice is an administrator now.\n");
    assert_eq!(folder.run("account promote ALICE"), "Alice is an administrator already.\n");
    assert!(folder.accounts()[0].is_admin && !folder.accounts()[1].is_admin);
    let list = folder.run("account list");
    let rows: Vec<&str> = list.lines().collect();
    assert!(rows.len() == 3 && rows[0].starts_with("NAME "), "{list}");
    assert!(rows[1].starts_with("Alice ") && rows[1].ends_with("   0  administrator"), "{list}");
    assert!(rows[2].starts_with("bob ") && rows[2].ends_with("   0"), "{list}");

    assert_eq!(
        folder.run_with("account passwd bob", "another one\r\n").out,
        "bob has another password now.\n"
    );
    folder.has_password(2, "another one");
    assert_eq!(folder.run("account demote bob"), "bob is no administrator.\n");
    let demoted = folder.run("account demote alice");
    assert!(
        demoted.starts_with("Alice is no administrator any more.\nThat was the last administrator"),
        "{demoted}"
    );
    folder.run("account promote alice");
    let removed = folder.run("account remove alice");
    assert!(
        removed.starts_with("Alice has no account any more.\nThat was the last administrator"),
        "{removed}"
    );
    assert_eq!(folder.run("account remove bob"), "bob has no account any more.\n");
    assert_eq!(folder.run("account list"), "There are no accounts in chatd.db.\n");
    folder.run("account add alice");
    assert_eq!(folder.accounts()[0].id, 3, "a number is never used again");
}

#[test]
fn every_mistake_has_its_sentence() {
    let folder = Folder::new();
    for words in ["list", "passwd alice", "promote alice", "demote alice", "remove alice"] {
        let sentence = folder.fails(&format!("account {words}"), "");
        assert!(sentence.starts_with("chatd: There is no database chatd.db. "), "{sentence}");
    }
    assert!(folder.fails("history export", "").contains("There is no database chatd.db. "));
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0, "none was made");
    for (input, why) in [
        ("short\n", "at least 8"),
        ("", "no password"),
        ("\n", "at least 8"),
        (&*"x".repeat(300), "most 256"),
    ] {
        assert!(folder.fails("account add alice", input).contains(why), "{input:?}");
    }
    assert!(folder.fails("account add <alice>", "correct horse\n").contains("A name has only"));
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0, "none was made");

    folder.run("account add alice --db chatd.db");
    assert!(folder.fails("account add ALICE", "").contains("There is an account alice already."));
    assert!(
        folder
            .fails("account promote alcie", "")
            .contains("There is no account alcie. Did you mean alice?")
    );
    assert!(folder.fails("account promote somebody", "").contains("chatd account list tells all."));
    assert!(folder.fails("account promote", "").contains("Whose account?"));
    assert!(folder.fails("account list alice", "").contains("no name is needed"));
    assert!(folder.fails("--db none account list", "").contains("--db none"));
    assert!(!folder.run_with("account befriend alice", "").is_success);
    std::fs::write(folder.0.join("homework"), "homework").unwrap();
    assert!(folder.fails("account list --db homework", "").contains("homework is not a database"));
    assert!(
        folder
            .fails("account add bob --db no/chatd.db", "correct horse\n")
            .contains("cannot open no/chatd.db")
    );
}

#[test]
fn a_database_is_named_before_or_behind_the_command() {
    let folder = Folder::new();
    folder.run("account add alice --db other.db");
    assert!(folder.run("--db other.db account list").contains("alice"));
    assert!(folder.run("--db chatd.db account list --db other.db").contains("alice"));
    assert!(!folder.database().exists());
}

#[test]
fn a_running_server_is_no_hindrance() {
    let folder = Folder::new();
    let _lock = ServerLock::take(&folder.database()).unwrap();
    let mut store = folder.open();
    folder.run("account add alice");
    assert!(store.changed_by_others().unwrap(), "it notices");
    folder.run("account promote alice");
    assert!(store.remembered(0, 0).unwrap().accounts[0].is_admin);
}

#[test]
fn no_password_is_printed() {
    let folder = Folder::new();
    for words in ["account add alice", "account passwd alice", "account passwd alice"] {
        let Outcome { out, err, .. } = folder.run_with(words, "correct horse\n");
        assert!(!format!("{out}{err}").contains("horse"));
    }
    assert!(!folder.fails("account passwd alice", "horse\n").contains("horse"));
    let bytes = std::fs::read(folder.database()).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("horse"));
}
