//! `chatd account forget`: what a school has to be able to do.

use crate::harness::Folder;
use std::fs;

/// Alice and bob have accounts, and have talked in the lobby and in private; carol has not.
fn folder_with_alice() -> Folder {
    let folder = Folder::with_administrator(&["bob", "alice"]);
    folder.run("account add dora");
    let server = folder.start("");
    let mut bob = server.logs_in("bob");
    let mut alice = server.logs_in("alice");
    let [mut carol] = server.enter(["carol"]);
    for (says, hears) in [("zebrafish", "<alice> zebrafish"), ("/me waves", "* alice waves")] {
        alice.says(says);
        carol.hears_until(hears);
    }
    alice.asks_until("/msg carol walrus", "[to carol] walrus");
    alice.asks_until("/msg dora penguin", "*** "); // is mail
    carol.says("hi Alice, is alice2 alice's sister?");
    bob.hears_until("<carol> hi Alice");
    bob.asks_until("/msg carol have you seen alice?", "[to carol] have you");
    bob.asks_until("/topic alice's birthday", "*** ");
    bob.asks_until("/ban alice 5m rude", "*** ");
    bob.asks_until("/search zebrafish", "*** ");
    bob.has_read_everything();
    let mut server = server;
    server.signal("TERM");
    assert_eq!(server.exit_code(), Some(0));
    folder
}

fn has_bytes(folder: &Folder, word: &str) -> Vec<String> {
    let has = |file: &String| {
        let bytes = fs::read(folder.path(file)).unwrap().to_ascii_lowercase();
        memchr::memmem::find(&bytes, word.as_bytes()).is_some()
    };
    folder.files().into_iter().filter(has).collect()
}

#[test]
fn somebody_is_forgotten_and_nothing_else_is() {
    let folder = folder_with_alice();
    fs::write(folder.path("chatd.db.schema-3"), "an older copy").unwrap();
    // Something was deleted long ago, and nothing has been written over it.
    let deleted = "PRAGMA secure_delete = off; CREATE TABLE t AS SELECT 'yesteryear'; DROP TABLE t";
    folder.database().execute_batch(deleted).unwrap();
    assert_eq!(has_bytes(&folder, "yesteryear"), ["chatd.db"]);
    let asked = folder.run_with("account forget alice", "y\n");
    assert!(
        !asked.is_success
            && asked.err.ends_with("If it is meant: chatd account forget alice --yes\n"),
        "{}",
        asked.err
    );
    let expected = "chatd.db has of alice:\n  accounts  1: to be deleted\n  private   2: lines and messages, to be deleted\n  said      2: lines in rooms, whose author will be (gone)\n  named     2: lines of others, ";
    assert!(asked.out.starts_with(expected), "{}", asked.out);
    let copies = "\nCopies of the file (chatd.db.schema-3) and backups have all of it still: ";
    assert!(asked.out.contains(copies), "{}", asked.out);
    assert!(folder.run("history export").contains("<alice> zebrafish"), "it was only asked");

    let told = folder.run("account forget ALICE --yes");
    assert!(told.ends_with("\nALICE is forgotten.\n"), "{told}");
    let history = folder.run("history export");
    for line in [
        "lobby <(gone)> zebrafish",
        "lobby * (gone) waves",
        "<carol> hi (gone), is alice2 (gone)'s sister?",
    ] {
        assert!(history.contains(line), "{line}: {history}");
    }
    assert!(!folder.run("account list").contains("alice"));
    let private = folder.select::<String>("SELECT body FROM private");
    assert_eq!(private, ["have you seen (gone)?"]);
    assert_eq!(folder.select::<i64>("SELECT count(*) FROM mailbox"), [0]);
    assert_eq!(folder.select::<i64>("SELECT count(*) FROM sanction"), [0]);
    let topic = folder.select::<String>("SELECT value FROM room_setting WHERE name = 'topic'");
    assert_eq!(topic, ["(gone)'s birthday"]);
    let audit = folder.select::<String>("SELECT what FROM audit ORDER BY id");
    assert!(audit.iter().any(|what| what.contains("(gone)")), "{audit:?}");
    assert!(audit.last().unwrap().starts_with("forgot somebody: 2 lines said"), "{audit:?}");
    assert!(folder.run("check").contains(" is sound."));
    for word in ["walrus", "penguin", "yesteryear"] {
        assert_eq!(
            has_bytes(&folder, word),
            [""; 0],
            "{word} is in no file, not even in free space"
        );
    }
    let without_alice2 = folder.select::<i64>(
        "SELECT count(*) FROM line WHERE body LIKE '%alice%' AND body NOT LIKE '%alice2%'",
    );
    assert_eq!(without_alice2, [0]);
    folder.has_password("bob", "correct horse");

    // The index of words is made anew, and finds what is there now.
    let server = folder.start("");
    let mut bob = server.logs_in("bob");
    bob.asks_until("/search zebrafish", "*** The newest 1 line");
    bob.has_read_everything();
    let mut alice = server.connect("alice");
    alice.asks_until("alice", "*** Hello alice.");
}

#[test]
fn nobody_is_forgotten_beside_a_server_or_by_mistake() {
    let folder = Folder::with_accounts(&["alice"]);
    for (words, told) in [
        ("account forget", "Whose account?"),
        ("account forget alice bob", "One account at a time"),
        ("account forget al/ice --yes", "A name has only"),
        ("account list --yes", "--yes is for chatd account forget."),
        ("account forget alice --yes --db gone.db", "There is no database gone.db."),
    ] {
        let said = folder.fails(words, "");
        assert!(said.contains(told), "{words}: {said}");
    }
    let told = folder.run("account forget nobody --yes");
    assert_eq!(told, "Nothing in chatd.db is of nobody or names them.\n");
    let server = folder.start("");
    let said = folder.fails("account forget alice --yes", "");
    assert!(said.contains("Stop it before alice is forgotten."), "{said}");
    drop(server);
    assert!(folder.run("account list").contains("alice"));
}
