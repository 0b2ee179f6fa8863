//! What is asked in a way that may be misunderstood: what is not understood is said, and nothing is done.

use crate::harness::{Client, Folder, Server};

/// These have accounts; alice, the first, is an administrator, and here, and so is bob.
fn a_class(accounts: &[&str]) -> (Folder, Server, Client, Client) {
    let folder = Folder::with_administrator(accounts);
    let server = folder.start("--flood off");
    let mut alice = server.logs_in("alice");
    let bob = server.lets_in("bob");
    alice.hears("*** bob entered lobby");
    (folder, server, alice, bob)
}

#[test]
pub fn a_slip_in_a_length_of_time_bans_nobody() {
    let (folder, _server, mut alice, mut bob) = a_class(&["alice"]);
    for slip in ["10", "10 minuts", "0m", "-5m", "99999d", "1wkk spam", "50x", "1h30"] {
        for command in ["ban", "mute"] {
            alice.says(&format!("/{command} bob {slip}"));
            alice.hears(
                "*** \"{…}\" is {…}. Like this: 90s, 30m, {…}. A reason begins with a letter.",
            );
        }
    }
    for words in
        ["until friday", "till 5pm, spam", "for two days", "for half an hour spam", "a week"]
    {
        for command in ["ban", "mute"] {
            alice.says(&format!("/{command} bob {words}"));
            let example = format!("As in: /{command} bob 2 days too loud");
            alice
                .hears(&format!("*** \"{{…}}\" is no length of time. Like this: {{…}}. {example}"));
        }
    }
    alice.asks("/bans", "*** Nobody is banned or muted.");
    bob.says("I am here");
    alice.hears("<bob> I am here");
    for (typed, told) in [
        ("/mute bob 1w spam", "*** bob is muted until {…} (spam)."),
        ("/mute bob 2 days", "*** bob is muted until {…}."),
        ("/mute bob spam", "*** bob is muted for ever (spam)."),
        ("/mute bob for flooding", "*** bob is muted for ever (for flooding)."),
        ("/ban zoe 1H", "*** zoe is banned until {…}; 0 sent away."),
        ("/ban zoe no 1w", "*** zoe is banned for ever (no 1w); 0 sent away."),
    ] {
        alice.asks(typed, told);
        alice.has_read_everything();
    }
    assert_eq!(folder.select::<i64>("SELECT count(*) FROM sanction WHERE until IS NULL"), [2]);
}

#[test]
pub fn mail_that_was_just_read_is_replied_to() {
    let (_folder, server, mut alice, _bob) = a_class(&["alice", "zoe"]);
    alice.asks("/msg zoe call me", "*** zoe is away: your message is kept.");
    let mut zoe = server.connect("zoe");
    zoe.says("zoe\ncorrect horse\n/mail\n/reply when?");
    zoe.hears_until("*** /mail delete removes what you have read.");
    zoe.hears("[to alice] when?");
    alice.hears("*** zoe entered lobby");
    alice.hears("[from zoe] when?");
    alice.asks("/reply now", "[to zoe] now");
    zoe.hears("[from @alice] now");
    alice.says("/quit");
    zoe.hears("*** alice left lobby (quit)");
    zoe.asks("/reply again", "*** alice, who wrote to you last, has left.");
    zoe.says("/mail\n/reply again");
    zoe.hears_until("*** /mail delete removes what you have read.");
    zoe.hears("*** alice is away: your message is kept.");
}

#[test]
pub fn a_password_is_right_from_either_keyboard() {
    let folder = Folder::new();
    let server = folder.start("--unicode-names");
    let mut eve = server.lets_in("élodie");
    eve.asks_until("/register motdepass\u{e9} 1", "*** élodie is yours from now on.");
    eve.says("/quit");
    eve.hears_until("*** Goodbye.");
    for password in ["motdepasse\u{301} 1", "motdepass\u{e9} 1", "motdepass\u{e9}\u{a0}1"] {
        let mut eve = server.connect("élodie");
        eve.asks_until("e\u{301}lodie", "*** élodie is registered.");
        eve.asks_until(password, "*** Hello élodie.");
        eve.says("/quit");
        eve.hears_until("*** Goodbye.");
    }
}

/// The file is locked while the line is removed: nobody is told it meanwhile, and it is not in the file afterwards.
#[test]
pub fn a_line_is_removed_during_an_outage_too() {
    let (folder, _server, mut alice, mut bob) = a_class(&["alice"]);
    bob.says("hello\nmy password is swordfish");
    alice.hears("<bob> hello");
    alice.hears("<bob> my password is swordfish");
    let other = folder.database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    alice.says("/remove bob");
    alice.hears_until("*** The history has not been written since ");
    alice.hears_until("*** A line of bob's was removed by alice.");
    alice.hears_until("*** End of the history.");
    bob.hears_until("*** A line of bob's was removed by alice.");
    bob.says("/history 100");
    bob.hears_until("*** The last 1 line of lobby");
    bob.hears("({…}) <bob> hello");
    bob.hears("*** End of the history.");
    other.execute_batch("COMMIT").unwrap();
    bob.hears_until("*** The history is written again; nothing is missing.");
    bob.says("/search password");
    bob.hears_until("*** Nothing with password was said");
    assert_eq!(folder.select::<String>("SELECT body FROM line"), ["hello"]);
    let audit = folder.select::<String>("SELECT what FROM audit WHERE by = 'alice'");
    assert_eq!(audit, ["removed a line of bob's in lobby"]);
}
