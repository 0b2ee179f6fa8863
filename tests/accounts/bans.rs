//! `chatd ban`: without a server, and every mistake.

use crate::harness::Folder;

/// A folder in which alice is an administrator and carl has an account.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.run("account add alice");
    folder.run("account promote alice");
    folder.run("account add Carl");
    folder
}

#[test]
fn a_ban_from_its_making_to_its_end() {
    let folder = folder();
    assert_eq!(folder.run("ban list"), "Nobody is banned or muted.\n");
    assert_eq!(folder.run("ban add carl"), "Carl is banned for ever\n");
    let banned = folder.run("ban add zed 1h30m too loud");
    let (first, second) = banned.split_once('\n').unwrap();
    assert!(
        first.starts_with("zed is banned until 20") && first.ends_with(": too loud"),
        "{banned}"
    );
    assert!(second.starts_with("zed has no account, and can come again under another name"));
    folder.run("ban add 2001:db8::7 1w");
    let list = folder.run("ban list");
    let rows: Vec<&str> = list.lines().collect();
    assert!(rows.len() == 4 && rows[0].starts_with("WHO "), "{list}");
    assert!(rows[1].starts_with("Carl ") && rows[1].contains("  for ever  "), "{list}");
    assert!(
        rows[2].starts_with("zed ") && rows[2].ends_with("  operator              too loud"),
        "{list}"
    );
    assert!(rows[3].starts_with("2001:db8::/64 ") && rows[3].ends_with("  operator"), "{list}");
    folder.run("ban add CARL 5m"); // in place of the other one
    assert_eq!(folder.run("ban list").lines().count(), 4);
    assert_eq!(folder.run("ban lift carl"), "Carl is banned no longer.\n");
    assert_eq!(folder.run("ban lift ZED"), "ZED is banned no longer.\n");
    assert_eq!(folder.run("ban lift 2001:db8::9"), "2001:db8::/64 is banned no longer.\n");
    assert_eq!(folder.run("ban list"), "Nobody is banned or muted.\n");
    let by: Vec<String> = folder.select("SELECT DISTINCT by FROM audit");
    assert_eq!(by, ["operator"]);
}

#[test]
fn every_mistake_has_its_sentence() {
    let folder = folder();
    for (words, why) in [
        ("ban add", "Whom?"),
        ("ban lift", "Whom?"),
        ("ban list zed", "no name is needed"),
        ("ban lift zed and more", "one name or one address"),
        ("ban lift zed", "zed is not banned. chatd ban list tells who is."),
        ("ban add alice", "alice is an administrator, and administrators are not banned."),
        ("ban add @ALICE 1h", "alice is an administrator"),
        ("ban add zed 1wk2", "is no length of time"),
        ("ban add zed until friday", "As in: chatd ban add zed 2 days too loud"),
        ("ban add zed 10", "is no length of time"),
        ("ban add zed 0m", "is no time at all"),
        ("ban add zed 11y", "more than ten years"),
        ("ban add zed 2nd time", "A reason begins with a letter."),
        ("ban add 192.0.2", "192.0.2 is no address"),
        ("ban add 300.1.1.1", "is no address"),
        ("ban add <zed>", "A name has only"),
        ("ban add zed --db no/chatd.db", "There is no database no/chatd.db"),
        ("account free", "Whose account?"),
        ("account free nobody", "There is no account nobody."),
        ("account free Carl nobody", "There is no account nobody."),
        ("account free Carl alice", "alice is an administrator, so nothing is done."),
        ("account remove Carl alice", "One account at a time"),
        ("account import a.csv b.csv", "One file at a time, and then b.csv."),
    ] {
        let told = folder.fails(words, "");
        assert!(told.starts_with("chatd: ") && told.contains(why), "{words}: {told}");
    }
    assert_eq!(folder.run("ban list"), "Nobody is banned or muted.\n");
    assert_eq!(folder.run("account list").lines().count(), 3, "nothing was freed");
}

#[test]
fn what_an_operator_types_as_a_reason_moves_nobodys_cursor() {
    let folder = folder();
    let reason = "x\u{1b}[2J\u{202e}y";
    let told = folder.run(&format!("ban add zed {reason}"));
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
    let why: String = folder.select("SELECT why FROM sanction").remove(0);
    assert!(!why.contains(['\u{1b}', '\u{202e}']), "{why:?}");
}
