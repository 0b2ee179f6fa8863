//! `chatd account` and `chatd history`, as an operator uses them: from a shell, from scripts, at a terminal.

mod backup;
mod bans;
mod class;
mod forget;
#[allow(dead_code, reason = "the other test binaries need the rest")]
#[path = "../harness/mod.rs"]
mod harness;
mod history;
mod migrating;
mod pruning;
#[cfg(unix)]
mod terminal;

use harness::Folder;

impl Folder {
    /// Whether there is an account with this name and this password.
    #[track_caller]
    fn has_password(&self, name: &str, password: &str) {
        let hash = format!("SELECT password FROM account WHERE folded = '{name}'");
        let hash: String = self.select(&hash).remove(0);
        let hash = argon2::PasswordHash::new(&hash).unwrap();
        let argon2 = argon2::Argon2::default();
        argon2::PasswordVerifier::verify_password(&argon2, password.as_bytes(), &hash).unwrap();
    }
}

#[test]
fn an_account_from_its_making_to_its_end() {
    let folder = Folder::new();
    let made = folder.run("account add Alice");
    assert_eq!(made, "chatd.db is new: there was no database.\nAlice has an account now.\n");
    assert_eq!(folder.run("account add bob"), "bob has an account now.\n");
    folder.has_password("alice", "correct horse");
    assert_eq!(folder.run("account promote alice"), "Alice is an administrator now.\n");
    assert_eq!(folder.run("account promote ALICE"), "Alice is an administrator already.\n");
    let list = folder.run("account list");
    let rows: Vec<&str> = list.lines().collect();
    assert!(rows.len() == 3 && rows[0].starts_with("NAME "), "{list}");
    assert!(rows[1].starts_with("Alice ") && rows[1].ends_with("   0  administrator"), "{list}");
    assert!(rows[2].starts_with("bob ") && rows[2].ends_with("   0"), "{list}");
    let is_admin: Vec<bool> = folder.select("SELECT is_admin FROM account ORDER BY id");
    assert_eq!(is_admin, [true, false]);

    let changed = folder.run_with("account passwd bob", "another one\r\n").out;
    assert_eq!(changed, "bob has another password now. Whoever is logged in is sent away.\n");
    folder.has_password("bob", "another one");
    assert_eq!(folder.run("account demote bob"), "bob is no administrator.\n");
    for (command, told) in
        [("demote", "is no administrator any more."), ("remove", "has no account any more.")]
    {
        let told = format!("Alice {told}\nThat was the last administrator");
        assert!(folder.run(&format!("account {command} alice")).starts_with(&told), "{told}");
        if command == "demote" {
            folder.run("account promote alice");
        }
    }
    assert_eq!(folder.run("account remove bob"), "bob has no account any more.\n");
    assert_eq!(folder.run("account list"), "There are no accounts in chatd.db.\n");
    let audit: Vec<String> =
        folder.select("SELECT what FROM audit WHERE by = 'operator' ORDER BY id");
    assert_eq!(
        audit,
        [
            "made the account Alice",
            "made the account bob",
            "made Alice an administrator",
            "gave bob another password",
            "made Alice no administrator",
            "made Alice an administrator",
            "deleted the account Alice",
            "deleted the account bob",
        ]
    );
    folder.run("account add alice");
    let id: Vec<i64> = folder.select("SELECT id FROM account");
    assert_eq!(id, [3], "a number is never used again");
}

#[test]
fn every_mistake_has_its_sentence() {
    let folder = Folder::new();
    let long = "x".repeat(300);
    let nothing_is_made = [
        ("account list", "", "There is no database chatd.db. "),
        ("account passwd alice", "", "There is no database chatd.db. "),
        ("account promote alice", "", "There is no database chatd.db. "),
        ("account demote alice", "", "There is no database chatd.db. "),
        ("account remove alice", "", "There is no database chatd.db. "),
        ("history export", "", "There is no database chatd.db. "),
        ("account add alice", "short\n", "at least 8"),
        ("account add alice", "", "no password"),
        ("account add alice", "\n", "at least 8"),
        ("account add alice", &long, "most 256"),
        ("account add <alice>", "correct horse\n", "A name has only"),
    ];
    for (words, input, why) in nothing_is_made {
        let told = folder.fails(words, input);
        assert!(told.starts_with("chatd: ") && told.contains(why), "{words} {input:?}: {told}");
    }
    assert!(folder.files().is_empty(), "no database was made");

    folder.run("account add alice --db chatd.db");
    std::fs::write(folder.path("homework"), "homework").unwrap();
    for (words, why) in [
        ("account add ALICE", "There is an account alice already."),
        ("account promote alcie", "There is no account alcie. Did you mean alice?"),
        ("account promote somebody", "chatd account list shows them all."),
        ("account promote", "Whose account?"),
        ("account list alice", "no name is needed"),
        ("--db none account list", "--db none"),
        ("account list --db homework", "homework is not a database"),
        ("account add bob --db no/chatd.db", "cannot open no/chatd.db"),
    ] {
        let told = folder.fails(words, "correct horse\n");
        assert!(told.contains(why), "{words}: {told}");
    }
    assert!(!folder.run_with("account befriend alice", "").is_success);
}

#[test]
fn a_database_is_named_before_or_behind_the_command() {
    let folder = Folder::new();
    folder.run("account add alice --db other.db");
    assert!(folder.run("--db other.db account list").contains("alice"));
    assert!(folder.run("--db chatd.db account list --db other.db").contains("alice"));
    assert!(!folder.path("chatd.db").exists());
}

#[test]
fn no_password_is_printed() {
    let folder = Folder::new();
    for words in ["account add alice", "account passwd alice", "account passwd alice"] {
        let outcome = folder.run_with(words, "correct horse\n");
        assert!(!format!("{}{}", outcome.out, outcome.err).contains("horse"));
    }
    assert!(!folder.fails("account passwd alice", "horse\n").contains("horse"));
    let bytes = std::fs::read(folder.path("chatd.db")).unwrap();
    assert!(memchr::memmem::find(&bytes, b"horse").is_none());
}
