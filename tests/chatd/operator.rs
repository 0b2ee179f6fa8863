//! What the operator does from a shell while a server runs on the same file: it notices within a second or two.

use crate::harness::{Client, Folder, Server, eventually, matches};

const PASSWORD: &str = "correct horse";

/// Comes with a password.
fn logs_in(server: &Server, name: &str, password: &str) -> Client {
    let mut client = server.connect(name);
    client.asks_until(name, &format!("*** {name} is registered."));
    client.asks_until(password, &format!("*** Hello {name}."));
    client
}

/// Reads up to the end, and returns the last line.
fn last_line(client: &mut Client) -> String {
    client.hears_to_the_end().pop().unwrap_or_default()
}

#[test]
pub fn another_password_ends_the_sessions_of_that_account_and_no_others() {
    let folder = Folder::new();
    folder.run("account add alice");
    folder.run("account add carol");
    let server = folder.start("");
    let (mut alice, mut carol) =
        (logs_in(&server, "alice", PASSWORD), logs_in(&server, "carol", PASSWORD));
    // Her own change of it ends nothing, not even when the file is looked at.
    alice.asks_until("/password", "*** Your password");
    alice.says(PASSWORD);
    alice.says("another horse");
    alice.asks_until("another horse", "*** Your password is changed.");
    folder.run("account promote carol");
    let mut told = false;
    while !told {
        told = carol.asks_until("/whoami", "*** You are carol").contains("an administrator");
    }
    alice.says("hi");
    carol.hears_until("<alice> hi");

    let changed = folder.run("account passwd alice");
    assert_eq!(changed, "alice has another password now. Whoever is logged in is sent away.\n");
    let hung_up =
        "*** Hung up: the password of your account was changed. Come again with the new one.";
    assert_eq!(last_line(&mut alice), hung_up);
    carol.hears_until("*** alice left lobby (logged out)");
    let mut alice = server.connect("alice");
    alice.asks_until("alice", "*** alice is registered.");
    alice.asks_until("another horse", "*** That is not");
    alice.asks_until(PASSWORD, "*** Hello alice.");
    alice.says("back");
    carol.hears_until("<alice> back");
}

#[test]
pub fn bans_from_a_shell_hold_at_once_and_lifted_ones_hold_no_longer() {
    let folder = Folder::new();
    folder.run("account add boss");
    folder.run("account promote boss");
    let server = folder.start("");
    let mut boss = logs_in(&server, "boss", PASSWORD);
    for (who, terms, shown, told) in [
        (
            "bob",
            "2 days spam and eggs",
            "bob",
            "you are banned by operator until {…} (spam and eggs).",
        ),
        ("BOB", "1h30m", "bob", "you are banned by operator until {…}."),
        ("bob", "", "bob", "you are banned by operator."),
        ("127.0.0.1", "10min", "127.0.0.1", "you are banned by operator until {…}."),
        ("bob", "for the weekend", "bob", "you are banned by operator (for the weekend)."),
    ] {
        let mut bob = server.lets_in("bob");
        folder.run(&format!("ban add {who} {terms}"));
        let last = last_line(&mut bob);
        assert!(matches(&format!("*** Hung up: {told}"), &last), "{who} {terms}: {last}");
        boss.hears_until("*** bob left lobby (banned)"); // administrators stay
        let mut again = server.connect("bob");
        again.says("bob");
        assert!(last_line(&mut again).contains("you are banned by operator"));
        boss.asks_until("/bans", "*** Banned and muted:");
        boss.hears_until("***   ");
        let lifted = folder.run(&format!("ban lift {who}"));
        assert!(lifted.to_lowercase() == format!("{shown} is banned no longer.\n"), "{lifted}");
        eventually("nobody is banned", || {
            boss.says("/bans");
            let mut lines = std::iter::from_fn(|| boss.reads());
            let answers = ["*** Banned and muted:", "*** Nobody is banned or muted."];
            let answer = lines.find(|line| answers.contains(&&**line));
            answer.as_deref() == Some(answers[1])
        });
        server.lets_in("bob").asks_until("/quit", "*** Goodbye.");
        boss.hears_until("*** bob left lobby (quit)");
    }
    let audit: Vec<String> = folder.select("SELECT by || ' ' || what FROM audit ORDER BY id");
    assert_eq!(
        audit[audit.len() - 2..],
        [
            "operator banned bob for ever: for the weekend",
            "operator lifted: bob is banned no longer"
        ]
    );
}

#[test]
pub fn a_freed_name_is_free_and_its_owner_is_told() {
    let folder = Folder::new();
    let server = folder.start("");
    let mut squatters = ["one", "two", "three"].map(|name| {
        let mut squatter = server.lets_in(name);
        squatter
            .asks_until("/register correct-horse", &format!("*** {name} is yours from now on."));
        squatter
    });
    let freed = folder.run("account free ONE two");
    assert_eq!(
        freed,
        "one is free: it has no account any more.\ntwo is free: it has no account any more.\n\
         Whoever is here under such a name goes on as a guest, until they leave.\n"
    );
    for squatter in &mut squatters[..2] {
        squatter.hears_until("*** Your account is gone");
        squatter.asks_until("/quit", "*** Goodbye.");
        let name = squatter.name.clone();
        squatters_name_is_free(&server, &name);
    }
    assert!(squatters[2].asks_until("/whoami", "*** You are three").contains("logged in as three"));
}

#[track_caller]
fn squatters_name_is_free(server: &Server, name: &str) {
    let mut other = server.lets_in(name);
    other.asks_until("/whoami", &format!("*** You are {name}: not registered."));
}

#[test]
pub fn a_line_in_a_room_that_made_way_for_others_is_removed_too() {
    let folder = Folder::new();
    folder.run("account add boss");
    folder.run("account promote boss");
    let server = folder.start("--flood off");
    let (mut bob, mut boss) = (server.lets_in("bob"), logs_in(&server, "boss", PASSWORD));
    bob.asks_until("/join math", "*** You are in math, alone.");
    for line in ["one", "my password is swordfish", "three"] {
        bob.says(line);
    }
    bob.asks_until("/leave", "*** You are in lobby");
    for room in 1..=100 {
        bob.asks_until(&format!("/join r{room}"), &format!("*** You are in r{room}, alone."));
    }
    boss.asks_until("/join MATH", "*** End of the history.");
    boss.asks_until(
        "/remove bob swordfish",
        "*** Removed from MATH, but not from screens: 1 line of bob's",
    );
    boss.hears("({…}) <bob> my password is swordfish");
    boss.asks_until("/remove bob 3", "*** 2 of bob's are in the last 2 lines of MATH, and not 3.");
    bob.asks_until("/join math", "*** The last 2 lines of MATH");
    bob.asks_until("/search swordfish", "*** Nothing with swordfish was said");
}

#[test]
pub fn what_is_out_of_reach_without_unicode_names_is_logged_before_anybody_comes() {
    let folder = Folder::new();
    folder.run("account add \u{e9}lodie");
    folder.start("").logs("out of reach without --unicode-names");
}
