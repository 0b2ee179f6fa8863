//! A client that floods is read more slowly and told so once; nobody else notices. And a full channel slows its
//! talkers down through TCP: it does not grow, and nothing is lost.

use crate::harness::Server;

#[test]
pub fn a_flooder_is_delayed_and_told_once_and_the_others_notice_nothing() {
    let server = Server::start("--flood 5/4");
    let [mut flooder, mut bob, mut carol] = server.enter(["flooder", "bob", "carol"]);
    flooder.sends((0..1000).map(|i| format!("{i}\n")).collect::<String>());
    flooder.hears("*** More than 5 lines at once: yours are read at 4 a second for a while.");

    // The others talk as if nothing were; the flood drips in between.
    let mut flooded = 0;
    for i in 0..4 {
        bob.says(&format!("bob {i}"));
        while let line = carol.reads().unwrap()
            && line != format!("<bob> bob {i}")
        {
            assert_eq!(line, format!("<flooder> {flooded}"));
            flooded += 1;
        }
    }
    while flooded < 8 {
        carol.hears(&format!("<flooder> {flooded}"));
        flooded += 1;
    }
    assert!(flooded < 100, "a thousand lines were sent, at four a second that would be minutes");
    flooder.stops_sending();
    server.signal("INT"); // nobody waits for a client that is delayed
    let lines = flooder.hears_to_the_end();
    assert!(!lines.iter().any(|line| line.contains("More than")), "it was told once: {lines:?}");
    assert_eq!(lines.last().unwrap(), "*** Hung up: the server is shutting down.");
}

/// One that closes is heard out for ten seconds, at the pace of the flood limit. One that resets is gone at once.
#[test]
fn one_that_floods_and_goes_gives_its_name_free() {
    let server = Server::start("--flood 5/1");
    let [mut bob] = server.enter(["bob"]);
    let mut ghosts = ["closing", "lost"].map(|name| {
        let mut ghost = server.lets_in(name);
        ghost.has_read_everything();
        bob.hears(&format!("*** {name} entered lobby"));
        ghost.sends(b"\n".repeat(16_000)); // at one a second that is hours
        ghost.hears_until("*** More than 5 lines at once: yours are read at 1 a second");
        ghost
    });
    ghosts[0].stops_sending();
    let [_closing, lost] = ghosts;
    lost.resets();
    bob.hears("*** lost left lobby (connection lost)");
    bob.hears("*** closing left lobby (connection closed)");
}
